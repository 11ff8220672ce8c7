"""The points mall as staff keep it: what can be had for how many points, where, how many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import queries as catalog
from app.counter.duty import duty_of
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.points.errors import MallItemInvalid, MallItemNotFound, MallItemNotYours
from app.points.mall_models import MallItem
from app.points.states import ExchangeKind
from app.stores.models import Store

TITLE_MAX: Final = 60
DESCRIPTION_MAX: Final = 2_000
POINTS_MAX: Final = 10_000_000
STOCK_MAX: Final = 1_000_000
KEPT: Final = (
    *("title", "title_en", "description", "points", "store_ids"),
    *("stock", "limit_per_member", "is_published"),
)
"""What of an item can be changed; what it is stays, because people exchanged for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSpec:
    """What staff say of an item; `store_ids` None is every store, no limit is None."""

    kind: ExchangeKind
    title: str
    points: int
    stock: int
    product_id: int | None = None
    template_id: int | None = None
    title_en: str = ""
    description: str = ""
    store_ids: tuple[int, ...] | None = None
    limit_per_member: int | None = None
    is_published: bool = False


def create_item(session: Session, spec: ItemSpec, *, actor: Actor, now: datetime) -> MallItem:
    """Put something into the mall. Whether a coupon's template exists is for the caller to know.

    Raises `MallItemInvalid` with the field, `MallItemNotYours` for stores that are not theirs.
    """
    require_reach(session, spec.store_ids, actor=actor, now=now)
    _check(session, spec)
    item = MallItem(
        kind=spec.kind,
        product_id=spec.product_id,
        template_id=spec.template_id,
        exchanged=0,
        created_at=now,
        **_values(spec),
    )
    session.add(item)
    session.flush()
    _record(session, actor, "mall_item_created", item, Change(after=_values(spec)), now=now)
    return item


def edit_item(
    session: Session, item_id: int, spec: ItemSpec, *, actor: Actor, now: datetime
) -> MallItem:
    """Change what an item says; what was exchanged keeps the title and points it had.

    Raises `MallItemNotFound`, `MallItemInvalid`, also for a stock below what is gone already, and
    `MallItemNotYours`.
    """
    item = _locked(session, item_id, actor=actor, now=now)
    require_reach(session, spec.store_ids, actor=actor, now=now)
    if (spec.kind, spec.product_id, spec.template_id) != (
        item.kind,
        item.product_id,
        item.template_id,
    ):
        raise MallItemInvalid("kind")
    _check(session, spec)
    if spec.stock < item.exchanged:
        raise MallItemInvalid("stock")
    before = {name: getattr(item, name) for name in KEPT}
    for name, value in _values(spec).items():
        setattr(item, name, value)
    session.flush()
    change = Change(before=before, after=_values(spec))
    _record(session, actor, "mall_item_edited", item, change, now=now)
    return item


def set_published(
    session: Session, item_id: int, *, is_published: bool, actor: Actor, now: datetime
) -> None:
    """Show an item in the mall, or take it out; exchanges that wait stay. Twice is once.

    Raises `MallItemNotFound`, `MallItemNotYours`.
    """
    item = _locked(session, item_id, actor=actor, now=now)
    if item.is_published == is_published:
        return
    item.is_published = is_published
    session.flush()
    change = Change(before={"is_published": not is_published}, after={"is_published": is_published})
    _record(session, actor, "mall_item_edited", item, change, now=now)


def items_page(
    session: Session, *, store_id: int | None = None, after_id: int | None, limit: int
) -> Sequence[MallItem]:
    """Return what is in the mall, the newest first; of one store, where it is said."""
    wanted = sa.select(MallItem).where(MallItem.is_published)
    if store_id is not None:
        wanted = wanted.where(
            sa.or_(
                MallItem.store_ids.is_(None), sa.literal(store_id) == sa.any_(MallItem.store_ids)
            )
        )
    if after_id is not None:
        wanted = wanted.where(MallItem.id < after_id)
    return session.scalars(wanted.order_by(MallItem.id.desc()).limit(limit)).all()


def item(session: Session, item_id: int) -> MallItem:
    """Return an item of the mall; one that is not shown is the same as none."""
    found = session.get(MallItem, item_id)
    if found is None or not found.is_published:
        raise MallItemNotFound
    return found


def stores_of(session: Session, found: MallItem) -> Sequence[Store]:
    """Return the open stores that hand an item over."""
    wanted = sa.select(Store).where(Store.is_open)
    if found.store_ids is not None:
        wanted = wanted.where(Store.id.in_(found.store_ids))
    return session.scalars(wanted.order_by(Store.id)).all()


def require_reach(
    session: Session, store_ids: Sequence[int] | None, *, actor: Actor, now: datetime
) -> None:
    """Check that staff work in all the stores an item is for; for all stores, only those of all.

    Raises `MallItemNotYours`.
    """
    if actor.kind == "system":
        return
    duty = duty_of(session, actor, now=now)
    if duty is None:
        raise MallItemNotYours
    if duty.store_ids is not None and not set(store_ids or [0]) <= set(duty.store_ids):
        raise MallItemNotYours


def _locked(session: Session, item_id: int, *, actor: Actor, now: datetime) -> MallItem:
    item = session.get(MallItem, item_id, with_for_update=True, populate_existing=True)
    if item is None:
        raise MallItemNotFound
    require_reach(session, item.store_ids, actor=actor, now=now)
    return item


def _values(spec: ItemSpec) -> dict[str, Any]:
    values = {name: getattr(spec, name) for name in KEPT}
    store_ids = None if spec.store_ids is None else sorted(set(spec.store_ids))
    return {**values, "title": spec.title.strip(), "store_ids": store_ids}


def _check(session: Session, spec: ItemSpec) -> None:
    least_most = {
        "title": (len(spec.title.strip()), 1, TITLE_MAX),
        "title_en": (len(spec.title_en), 0, TITLE_MAX),
        "description": (len(spec.description), 0, DESCRIPTION_MAX),
        "points": (spec.points, 1, POINTS_MAX),
        "stock": (spec.stock, 0, STOCK_MAX),
        "limit_per_member": (spec.limit_per_member or 1, 1, STOCK_MAX),
    }
    for name, (value, least, most) in least_most.items():
        if not least <= value <= most:
            raise MallItemInvalid(name)
    if spec.limit_per_member == 0:
        raise MallItemInvalid("limit_per_member")
    _check_what(session, spec)
    _check_stores(session, spec)


def _check_what(session: Session, spec: ItemSpec) -> None:
    is_product = spec.kind is ExchangeKind.PRODUCT
    if is_product != (spec.product_id is not None):
        raise MallItemInvalid("product_id")
    if is_product == (spec.template_id is not None):
        raise MallItemInvalid("template_id")
    if spec.product_id is not None and not catalog.by_ids(session, [spec.product_id]):
        raise MallItemInvalid("product_id")


def _check_stores(session: Session, spec: ItemSpec) -> None:
    if spec.store_ids is None:
        return
    known = set(session.scalars(sa.select(Store.id).where(Store.id.in_(spec.store_ids))))
    if not spec.store_ids or known != set(spec.store_ids):
        raise MallItemInvalid("store_ids")


def _record(
    session: Session, actor: Actor, action: str, item: MallItem, change: Change, *, now: datetime
) -> None:
    store_ids = item.store_ids or []
    store_id = store_ids[0] if len(store_ids) == 1 else None
    audit.record(session, actor, action, Subject("mall_item", item.id, store_id), change, now=now)
