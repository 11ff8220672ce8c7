"""What staff and the clock do with activities: prepare, schedule, start, end, cancel."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import pydantic
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import sweeping
from app.activities.errors import ActivityInvalid, ActivityNotInState
from app.activities.kinds import KINDS
from app.activities.models import NAME_LENGTH_MAX, Activity, ActivityItem, ActivityStep
from app.activities.queries import get_activity, lock_activity
from app.activities.rules import Rules
from app.activities.states import EDITABLE, ActivityEvent, ActivityKind, ActivityState
from app.catalog import queries as catalog
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.stores.models import Store

ITEMS_MAX: Final = 8
"""What one page of a form holds; more would be lost when it is edited there."""
STOCK_MAX: Final = 1_000_000
PRICE_FEN_MAX: Final = 100_000_000
LIMIT_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSpec:
    """A product, what it costs here in fen, and how many pieces the activity gives."""

    product_id: int
    price_fen: int
    stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySpec:
    """What staff say of an activity; no stores stand for all of them, no limit for none."""

    kind: ActivityKind
    name: str
    starts_at: datetime
    ends_at: datetime
    store_ids: Sequence[int] | None = None
    rules: Mapping[str, Any]
    limit_per_member: int | None = None
    limit_total: int | None = None
    pays_commission: bool = True
    items: Sequence[ItemSpec] = ()


def put_activity(
    session: Session,
    spec: ActivitySpec,
    *,
    activity_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> Activity:
    """Add a draft, or change an activity that has not begun.

    The kind of an activity stays what it is. Raises `ActivityInvalid` with what to look at.
    """
    rules = checked_rules(spec)
    _check(session, spec)
    if activity_id is None:
        activity = Activity(
            kind=spec.kind,
            state=ActivityState.DRAFT,
            taken=0,
            created_by=str(actor),
            created_at=now,
            items=[],
        )
        before: dict[str, Any] = {}
    else:
        activity = lock_activity(session, activity_id)
        if activity.state not in EDITABLE:
            raise ActivityNotInState(activity.state, "edit")
        if activity.kind is not spec.kind:
            raise ActivityInvalid("kind")
        before = described(activity)
    activity.name, activity.starts_at, activity.ends_at = spec.name, spec.starts_at, spec.ends_at
    activity.store_ids = None if spec.store_ids is None else sorted(set(spec.store_ids))
    activity.rules = rules.model_dump(mode="json")
    activity.limit_per_member, activity.limit_total = spec.limit_per_member, spec.limit_total
    activity.pays_commission = spec.pays_commission
    session.add(activity)
    session.flush()
    _put_items(session, activity, spec.items)
    if activity.state is ActivityState.SCHEDULED:
        check_ready(session, activity, now=now)
    after = described(activity)
    changed = {name for name in after if before.get(name) != after[name]}
    change = Change(
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed},
    )
    record(session, actor, "activity_put", subject_of(activity), change, now=now)
    return activity


def decide(
    session: Session,
    activity_id: int,
    event: ActivityEvent,
    *,
    actor: Actor,
    reason: str = "",
    now: datetime,
) -> Activity:
    """Let staff schedule, start, end or cancel an activity.

    Started by hand it begins now; ended by hand it takes nobody new, and groups and bargains that
    are open go on. Cancelled, these are let go of and their money goes back.
    """
    activity = lock_activity(session, activity_id)
    before = {"state": activity.state}
    _advance(session, activity, event, actor=actor, reason=reason, now=now)
    change = Change(before=before, after={"state": activity.state}, reason=reason)
    record(session, actor, f"activity_{event.value}", subject_of(activity), change, now=now)
    return activity


def set_stock(
    session: Session, activity_id: int, item_id: int, *, stock: int, actor: Actor, now: datetime
) -> ActivityItem:
    """Change how many pieces an activity gives, also while it runs; never below what is sold."""
    activity = lock_activity(session, activity_id)
    if activity.state in {ActivityState.ENDED, ActivityState.CANCELLED}:
        raise ActivityNotInState(activity.state, "set_stock")
    item = session.scalar(
        sa.select(ActivityItem)
        .where(ActivityItem.id == item_id, ActivityItem.activity_id == activity.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if item is None:
        raise ActivityInvalid("items")
    if not max(item.sold, 1) <= stock <= STOCK_MAX:
        raise ActivityInvalid("stock")
    before, item.stock = {"product_id": item.product_id, "stock": item.stock}, stock
    session.flush()
    change = Change(before=before, after={"product_id": item.product_id, "stock": stock})
    record(session, actor, "activity_stock_set", subject_of(activity), change, now=now)
    return item


def keep_to_time(now: datetime) -> int:
    """Start what is due to begin and end what is over, one after the other; return how many."""
    due = sa.select(Activity.id).where(
        sa.or_(
            sa.and_(Activity.state == ActivityState.SCHEDULED, Activity.starts_at <= now),
            sa.and_(Activity.state == ActivityState.RUNNING, Activity.ends_at <= now),
        )
    )

    def turn(session: Session, activity_id: int) -> None:
        activity = lock_activity(session, activity_id)
        if activity.state is ActivityState.SCHEDULED and activity.starts_at <= now:
            _advance(session, activity, ActivityEvent.START, actor=SYSTEM, reason="", now=now)
        if activity.state is ActivityState.RUNNING and activity.ends_at <= now:
            _advance(session, activity, ActivityEvent.END, actor=SYSTEM, reason="", now=now)

    return sweeping.each(due.order_by(Activity.id), turn)


def checked_rules(spec: ActivitySpec) -> Rules:
    """Return rules as their kind reads them; raises `ActivityInvalid` where it cannot."""
    kind = KINDS.get(spec.kind)
    if kind is None:
        raise ActivityInvalid("kind")
    try:
        return kind.rules.model_validate(dict(spec.rules))
    except pydantic.ValidationError:
        raise ActivityInvalid("rules") from None


def check_ready(session: Session, activity: Activity, *, now: datetime) -> None:
    """Raise `ActivityInvalid` where an activity cannot be scheduled as it is."""
    if activity.ends_at <= now:
        raise ActivityInvalid("period")
    kind = KINDS[activity.kind]
    if kind.sells and not activity.items:
        raise ActivityInvalid("items")
    products = catalog.by_ids(session, [item.product_id for item in activity.items])
    for item in activity.items:
        product = products[item.product_id]
        if not product.is_published:
            raise ActivityInvalid("published")
        if item.price_fen >= product.price_fen:
            raise ActivityInvalid("price")
    kind.check(session, activity, kind.rules.model_validate(activity.rules))


def described(activity: Activity) -> dict[str, Any]:
    """Return what an activity says, for the audit trail."""
    return {
        "name": activity.name,
        "kind": activity.kind.value,
        "starts_at": activity.starts_at.isoformat(),
        "ends_at": activity.ends_at.isoformat(),
        "store_ids": activity.store_ids,
        "rules": activity.rules,
        "limit_per_member": activity.limit_per_member,
        "limit_total": activity.limit_total,
        "pays_commission": activity.pays_commission,
        "items": [
            asdict(ItemSpec(product_id=one.product_id, price_fen=one.price_fen, stock=one.stock))
            for one in activity.items
        ],
    }


def subject_of(activity: Activity) -> Subject:
    """Return an activity as the audit trail names it; of one store where it has only one."""
    stores = activity.store_ids or []
    return Subject("activity", activity.id, stores[0] if len(stores) == 1 else None)


def may_edit(activity: Activity, store_ids: Collection[int] | None) -> bool:
    """Tell whether staff of these stores may change an activity: all of it has to be theirs."""
    if store_ids is None:
        return True
    return activity.store_ids is not None and set(activity.store_ids) <= set(store_ids)


def editable(
    session: Session, activity_id: int, *, store_ids: Collection[int] | None
) -> Activity | None:
    """Return an activity that staff of these stores may change; None for one they only see."""
    activity = get_activity(session, activity_id, store_ids=store_ids)
    return activity if may_edit(activity, store_ids) else None


def _advance(
    session: Session,
    activity: Activity,
    event: ActivityEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    if event is ActivityEvent.SCHEDULE:
        check_ready(session, activity, now=now)
    if event is ActivityEvent.START and activity.starts_at > now:
        activity.starts_at = now
    activity.advance(event)
    session.add(
        ActivityStep(
            activity_id=activity.id,
            event=event,
            to_state=activity.state,
            at=now,
            actor=str(actor),
            reason=reason,
        )
    )
    session.flush()


def _check(session: Session, spec: ActivitySpec) -> None:
    if not 1 <= len(spec.name.strip()) <= NAME_LENGTH_MAX or spec.name != spec.name.strip():
        raise ActivityInvalid("name")
    if spec.starts_at >= spec.ends_at:
        raise ActivityInvalid("period")
    limits = [one for one in (spec.limit_per_member, spec.limit_total) if one is not None]
    if any(not 1 <= one <= LIMIT_MAX for one in limits):
        raise ActivityInvalid("limits")
    if spec.store_ids is not None:
        wanted = set(spec.store_ids)
        known = session.scalars(sa.select(Store.id).where(Store.id.in_(wanted))).all()
        if not wanted or len(known) < len(wanted):
            raise ActivityInvalid("stores")
    _check_items(session, spec)


def _check_items(session: Session, spec: ActivitySpec) -> None:
    ids = [item.product_id for item in spec.items]
    is_sold = KINDS[spec.kind].sells
    if len(set(ids)) < len(ids) or len(ids) > ITEMS_MAX or (ids and not is_sold):
        raise ActivityInvalid("items")
    if len(catalog.by_ids(session, ids)) < len(ids):
        raise ActivityInvalid("items")
    for item in spec.items:
        if not 1 <= item.price_fen <= PRICE_FEN_MAX:
            raise ActivityInvalid("price")
        if not 1 <= item.stock <= STOCK_MAX:
            raise ActivityInvalid("stock")


def _put_items(session: Session, activity: Activity, specs: Sequence[ItemSpec]) -> None:
    """Make the items what is wanted; nobody has taken any before an activity begins."""
    wanted = {spec.product_id: spec for spec in specs}
    for item in list(activity.items):
        spec = wanted.pop(item.product_id, None)
        if spec is None:
            activity.items.remove(item)
            session.delete(item)
        else:
            item.price_fen, item.stock = spec.price_fen, spec.stock
    session.flush()
    for spec in wanted.values():
        activity.items.append(ActivityItem(**asdict(spec), sold=0))
    session.flush()
