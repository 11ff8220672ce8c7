"""Lookups that fields of forms share, each limited to what the person filling it in may see."""

import sqlalchemy as sa

from admin.forms import ScopedLoader
from admin.i18n import gettext
from admin.scopes import by_member, by_store, everybody
from app.catalog.models import Product
from app.members.models import Distributor, Member, Standing
from app.stores.permissions import Permission


def distributors(permission: Permission) -> ScopedLoader:
    """Offer active distributors by nickname."""
    return ScopedLoader(
        "distributors",
        sa.select(Distributor.member_id, Member.nickname, Distributor.level)
        .join(Distributor.member)
        .where(Distributor.standing == Standing.ACTIVE),
        (Member.nickname,),
        scope=by_store(Distributor.store_id),
        text=lambda row: gettext(
            "%(name)s (no. %(id)s, level %(level)s)",
            name=row.nickname or "–",
            id=row[0],
            level=row.level,
        ),
        permission=permission,
    )


def products(permission: Permission) -> ScopedLoader:
    """Offer products by title."""
    return ScopedLoader(
        "products",
        sa.select(Product.id, Product.title),
        (Product.title, Product.title_en),
        scope=everybody,
        text=lambda row: str(row.title),
        permission=permission,
    )


def customers(permission: Permission) -> ScopedLoader:
    """Offer customers by nickname; those who were deleted are nobody's any more."""
    return ScopedLoader(
        "customers",
        sa.select(Member.id, Member.nickname).where(Member.deleted_at.is_(None)),
        (Member.nickname,),
        scope=by_member(Member.id),
        text=lambda row: gettext("%(name)s (no. %(id)s)", name=row.nickname or "–", id=row[0]),
        permission=permission,
    )
