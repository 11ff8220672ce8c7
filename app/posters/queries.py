"""Reading which posters a share code can have, and everything that one of them shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import history
from app.attribution.models import ShareCode
from app.attribution.rules import Owner
from app.catalog.models import Product
from app.members import avatars
from app.members.models import Distributor
from app.posters.errors import PosterNotFound
from app.posters.models import PosterTemplate, PosterVersion
from app.posters.states import PosterKind, PosterState
from app.stores.models import Store


@dataclass(frozen=True, slots=True)
class Offer:
    """A template that fits a code, in the version that is drawn."""

    template: PosterTemplate
    version: PosterVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharer:
    """Who shares a code, as strangers may see them."""

    name: str
    is_active: bool
    member_id: int | None = None
    avatar_sha256: str | None = None
    store_id: int | None = None
    """The store whose templates they are offered beside those of the brand."""


def sharer_of(session: Session, code: ShareCode) -> Sharer:
    """Return who shares a code; a nickname in doubt is not shown."""
    owner = Owner.of(code.distributor_id, code.owner_store_id)
    is_active = history.is_active(session, owner)
    if owner.store_id is not None:
        store = session.get_one(Store, owner.store_id)
        return Sharer(name=store.name, is_active=is_active, store_id=store.id)
    member_id = owner.id
    return Sharer(
        name=avatars.shown_name(session, member_id),
        is_active=is_active,
        member_id=member_id,
        avatar_sha256=avatars.avatar_digest(session, member_id),
        store_id=session.scalar(
            sa.select(Distributor.store_id).where(Distributor.member_id == member_id)
        ),
    )


def product_of(session: Session, code: ShareCode) -> Product | None:
    """Return the product that a code leads to, while it is on sale."""
    product = session.get(Product, code.product_id) if code.product_id is not None else None
    return product if product is not None and product.is_published else None


def offers(session: Session, code: ShareCode, sharer: Sharer) -> Sequence[Offer]:
    """Return the templates that fit a code, the most fitting and newest first."""
    has_product = product_of(session, code) is not None
    kinds = [one for one in PosterKind if has_product or one is not PosterKind.PRODUCT]
    stores = PosterTemplate.store_ids
    ours = sa.or_(stores.is_(None), sa.literal(sharer.store_id) == sa.any_(stores))
    rows = session.execute(
        sa.select(PosterTemplate, PosterVersion)
        .join(
            PosterVersion,
            sa.and_(
                PosterVersion.template_id == PosterTemplate.id,
                PosterVersion.version == PosterTemplate.published_version,
            ),
        )
        .where(
            PosterTemplate.state == PosterState.PUBLISHED,
            PosterTemplate.kind.in_(kinds),
            sa.or_(PosterTemplate.page.is_(None), PosterTemplate.page == code.page),
            stores.is_(None) if sharer.store_id is None else ours,
        )
        .order_by(
            (PosterTemplate.kind == PosterKind.PRODUCT).desc(),
            PosterTemplate.page.is_(None),
            PosterTemplate.id.desc(),
        )
    )
    return [Offer(template, version) for template, version in rows]


def offer(session: Session, code: ShareCode, sharer: Sharer, template_id: int | None) -> Offer:
    """Return one template that fits a code, or the first. Raises `PosterNotFound`."""
    for one in offers(session, code, sharer):
        if template_id is None or one.template.id == template_id:
            return one
    raise PosterNotFound
