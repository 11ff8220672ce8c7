"""The activities of a store of the world."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.activities import bargain_plan
from app.activities.bargain_models import Bargain
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.models import ActivityEntry, ActivityTally
from app.activities.states import (
    ActivityKind,
    ActivityState,
    BargainState,
    EntryState,
    GroupState,
    SeatState,
)
from app.members.models import Member
from app.orders.states import OrderState
from tests.admin.place import Place
from tests.factories.activities import make_activity
from tests.factories.orders import LineOf, make_goods, make_order
from tests.factories.people import make_member

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEED: Final = "5eed"


def put_activities(session: Session, place: Place, name: str) -> None:
    """A draft of this store alone, an open group with one paid seat, and a bargain."""
    store = place.store
    goods = make_goods(session, store)
    draft = make_activity(
        session,
        products=[goods],
        stores=[store],
        name=f"{name} sale",
        state=ActivityState.DRAFT,
    )
    place.put("activities", draft.id, draft.name)
    member = make_member(session, nickname=f"{name} group leader")
    member.origin_store_id = store.id
    _put_group(session, place, member)
    _put_bargain(session, place, member)


def _entry(
    session: Session, place: Place, kind: ActivityKind, member: Member, order_id: int | None = None
) -> ActivityEntry:
    goods = make_goods(session, place.store)
    activity = make_activity(session, kind, products=[goods], stores=[place.store])
    activity.items[0].sold = 1
    entry = ActivityEntry(
        activity_id=activity.id,
        item_id=activity.items[0].id,
        member_id=member.id,
        store_id=place.store.id,
        order_id=order_id,
        quantity=1,
        regular_fen=10_000,
        price_fen=5_000,
        is_newcomer=True,
        state=EntryState.HELD,
        created_at=NOON,
    )
    session.add(entry)
    session.add(ActivityTally(activity_id=activity.id, member_id=member.id, taken=1))
    session.flush()
    return entry


def _put_group(session: Session, place: Place, member: Member) -> None:
    goods = make_goods(session, place.store)
    order = make_order(
        session,
        member=member,
        store=place.store,
        lines=[LineOf(product=goods)],
        state=OrderState.PAID,
    )
    entry = _entry(session, place, ActivityKind.GROUP_BUY, member, order.id)
    group = BuyingGroup(
        code=f"group{place.store.id:011d}",
        activity_id=entry.activity_id,
        item_id=entry.item_id,
        store_id=place.store.id,
        leader_id=member.id,
        size=3,
        state=GroupState.OPEN,
        opened_at=NOON,
        expires_at=NOON + timedelta(days=1),
    )
    session.add(group)
    session.flush()
    session.add(
        GroupSeat(
            group_id=group.id,
            number=1,
            member_id=member.id,
            entry_id=entry.id,
            order_id=order.id,
            state=SeatState.PAID,
            at=NOON,
        )
    )
    session.flush()
    place.put("buying_groups", group.id, member.nickname)


def _put_bargain(session: Session, place: Place, member: Member) -> None:
    entry = _entry(session, place, ActivityKind.BARGAIN, member)
    bargain = Bargain(
        code=f"price{place.store.id:011d}",
        activity_id=entry.activity_id,
        item_id=entry.item_id,
        entry_id=entry.id,
        member_id=member.id,
        store_id=place.store.id,
        state=BargainState.OPEN,
        start_fen=10_000,
        floor_fen=5_000,
        parts=10,
        parts_cut=0,
        cut_fen=0,
        seed=SEED,
        commitment=bargain_plan.commitment(SEED),
        begun_at=NOON,
        expires_at=NOON + timedelta(days=1),
    )
    session.add(bargain)
    session.flush()
    place.put("bargains", bargain.id, member.nickname)
