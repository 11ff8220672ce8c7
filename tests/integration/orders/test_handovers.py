"""Who may hand an order over, what is kept of it, and codes that are good once and for a minute."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.counter import codes as pickup_codes
from app.counter.errors import PickupCodeExpired, PickupCodeInvalid, PickupCodeSpent
from app.counter.models import SpentPickupCode
from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.kernel.db import atomic
from app.kernel.errors import DomainError
from app.members.models import Member
from app.operations import invariants
from app.orders import handovers, services
from app.orders.errors import (
    OrderNotFound,
    OwnHandover,
    PickupNotOffered,
)
from app.orders.handover_models import Handover, HandoverProof
from app.orders.models import Fulfilment, Order
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from app.stores.models import Staff, Store
from app.stores.staff_mode_models import StaffBinding
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_distributor, make_member, make_staff, make_store

MINUTE = timedelta(seconds=60)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


@pytest.fixture
def li(session: Session, store: Store) -> Staff:
    return make_staff(session, "front_desk", stores=[store])


def tie(session: Session, staff: Staff, member: Member, now: datetime) -> None:
    session.add(StaffBinding(staff_id=staff.id, member_id=member.id, bound_at=now))
    session.flush()


def hand_over(
    session: Session,
    order: Order,
    staff: Staff,
    settings: Settings,
    now: datetime,
    code: str | None = None,
) -> Order:
    actor = Actor("staff", staff.id)
    with atomic() as inner:
        return services.complete(
            inner, order.number, actor=actor, settings=settings, now=now, pickup_code=code
        )


def refused(
    session: Session, order: Order, error: type[DomainError], staff: Staff, *rest: object
) -> None:
    """Check that a hand-over is refused and leaves nothing behind."""
    order_id = order.id
    session.commit()
    with pytest.raises(error):
        hand_over(session, order, staff, *rest)  # type: ignore[arg-type]  # settings, now, code
    assert session.get_one(Order, order_id).state is OrderState.PAID
    for model in (Handover, SpentPickupCode, AuditRecord):
        assert session.scalars(sa.select(model)).all() == []


def shown(session: Session, order: Order, now: datetime) -> str:
    code = handovers.show_pickup_code(session, order.number, member_id=order.member_id, now=now)
    return str(code)


def broken(session: Session) -> list[str]:
    return [one.code for one in invariants.check(session) if one.count]


def test_a_hand_over_keeps_what_staff_were_allowed_then(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    other = make_store(session)
    li.stores = [store, other]
    phone = make_member(session)
    tie(session, li, phone, now)
    order = make_order(session, store=store)

    hand_over(session, order, li, settings, now)
    li.stores = [other]
    session.commit()

    row = session.scalars(sa.select(Handover)).one()
    assert (row.order_id, row.store_id, row.staff_id, row.at) == (order.id, store.id, li.id, now)
    assert (row.staff_member_id, row.store_ids) == (phone.id, sorted([store.id, other.id]))
    assert row.proof is HandoverProof.STAFF_WORD
    assert "B33" not in broken(session)


def test_staff_of_all_stores_are_kept_as_such(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner = make_staff(session, "owner")

    hand_over(session, make_order(session), owner, settings, now)

    assert session.scalars(sa.select(Handover.store_ids)).one() is None


def test_customers_and_the_system_hand_nothing_over(
    session: Session, settings: Settings, now: datetime
) -> None:
    order = make_order(session)

    services.complete(session, order.id, actor=SYSTEM, settings=settings, now=now)

    assert session.scalars(sa.select(Handover)).all() == []


def test_an_order_of_another_store_is_none(
    session: Session, settings: Settings, now: datetime, li: Staff
) -> None:
    refused(session, make_order(session), OrderNotFound, li, settings, now)


def test_whoever_was_disabled_hands_nothing_over(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    order = make_order(session, store=store)
    li.active = False

    refused(session, order, OrderNotFound, li, settings, now)


def test_nobody_hands_over_what_they_bought(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    me = make_member(session)
    tie(session, li, me, now)

    refused(session, make_order(session, store=store, member=me), OwnHandover, li, settings, now)


def test_nobody_hands_over_what_they_earn_from(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    me = make_member(session)
    owner = make_distributor(session, me)
    tie(session, li, me, now)

    refused(session, make_order(session, store=store, owner=owner), OwnHandover, li, settings, now)


def test_a_tie_that_ended_says_nothing_of_today(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    me = make_member(session)
    ended = StaffBinding(
        staff_id=li.id, member_id=me.id, bound_at=now, ended_at=now, ended_by="staff:1"
    )
    session.add(ended)
    order = make_order(session, store=store, member=me)

    hand_over(session, order, li, settings, now)

    assert session.scalars(sa.select(Handover.staff_member_id)).one() is None


def test_a_code_proves_that_the_customer_was_there_and_is_spent(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    order = make_order(session, store=store)
    code = shown(session, order, now)

    hand_over(session, order, li, settings, now + timedelta(seconds=59), code)

    spent = session.scalars(sa.select(SpentPickupCode)).one()
    assert (spent.member_id, spent.subject) == (order.member_id, f"order:{order.number}")
    assert (spent.nonce, spent.spent_by) == (pickup_codes.read(code).nonce, f"staff:{li.id}")
    assert session.scalars(sa.select(Handover.proof)).one() is HandoverProof.PICKUP_CODE
    trail = session.scalars(sa.select(AuditRecord)).one()
    assert trail.after == {"state": "completed", "proof": "pickup_code"}


def test_a_code_runs_out_after_a_minute(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    order = make_order(session, store=store)
    code = shown(session, order, now)

    refused(session, order, PickupCodeExpired, li, settings, now + MINUTE, code)


def test_a_code_opens_the_order_that_it_was_made_for_and_no_other(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    buyer = make_member(session)
    order = make_order(session, store=store, member=buyer)
    other = make_order(session, store=store, member=buyer)

    refused(session, other, PickupCodeInvalid, li, settings, now, shown(session, order, now))


@pytest.mark.parametrize("place", range(5))
def test_a_code_that_was_touched_is_none(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff, place: int
) -> None:
    order, other = make_order(session, store=store), make_order(session, store=store)
    parts = shown(session, order, now).split(".")
    foreign = shown(session, other, now + timedelta(seconds=5)).split(".")
    parts[place] = "TK2" if place == 0 else foreign[place]

    refused(session, order, PickupCodeInvalid, li, settings, now, ".".join(parts))


def test_a_code_made_for_somebody_else_is_none(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    order, thief = make_order(session, store=store), make_member(session)
    stolen = pickup_codes.show(f"order:{order.number}", member_id=thief.id, now=now)

    refused(session, order, PickupCodeInvalid, li, settings, now, str(stolen))


def test_a_code_of_another_kind_opens_no_order(session: Session, now: datetime) -> None:
    order = make_order(session)
    card = pickup_codes.show(f"card:{order.number}", member_id=order.member_id, now=now)

    with pytest.raises(PickupCodeInvalid):
        handovers.order_by_code(session, str(card), store_ids=None, now=now)


def test_a_code_is_spent_once(session: Session, now: datetime) -> None:
    member = make_member(session)
    code = pickup_codes.show("card:7", member_id=member.id, now=now)

    pickup_codes.spend(session, code, member_id=member.id, actor=SYSTEM, now=now)

    with pytest.raises(PickupCodeSpent):
        pickup_codes.spend(session, code, member_id=member.id, actor=SYSTEM, now=now)
    assert len(session.scalars(sa.select(SpentPickupCode)).all()) == 1


def test_looking_an_order_up_by_its_code_spends_nothing(
    session: Session, now: datetime, store: Store
) -> None:
    order = make_order(session, store=store)
    code = shown(session, order, now)

    found = handovers.order_by_code(session, code, store_ids=[store.id], now=now)

    assert found.id == order.id
    with pytest.raises(OrderNotFound):
        handovers.order_by_code(session, code, store_ids=[make_store(session).id], now=now)
    with pytest.raises(PickupCodeExpired):
        handovers.order_by_code(session, code, store_ids=None, now=now + MINUTE)
    assert session.scalars(sa.select(SpentPickupCode)).all() == []


@pytest.mark.parametrize("state", [one for one in OrderState if one is not OrderState.PAID])
def test_there_is_a_code_for_paid_orders_only(
    session: Session, now: datetime, state: OrderState
) -> None:
    order = make_order(session, state=state)

    with pytest.raises(PickupNotOffered):
        shown(session, order, now)


def test_there_is_no_code_for_what_is_sent_or_goes_back(session: Session, now: datetime) -> None:
    sent, back = make_order(session), make_order(session)
    sent.fulfilment = Fulfilment.DELIVERY
    make_refund(session, back, state=RefundState.SENT)

    for order in (sent, back):
        with pytest.raises(PickupNotOffered):
            shown(session, order, now)


def test_the_database_keeps_hand_overs_as_they_were(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    hand_over(session, make_order(session, store=store), li, settings, now)
    session.commit()

    for statement in ("UPDATE handovers SET staff_id = 1", "DELETE FROM handovers"):
        with pytest.raises(DBAPIError, match="never changed"), session.begin_nested():
            session.execute(sa.text(statement))


def test_the_database_refuses_who_was_not_assigned(
    session: Session, now: datetime, store: Store, li: Staff
) -> None:
    order = make_order(session, store=store)
    session.add(
        Handover(
            order_id=order.id,
            store_id=store.id,
            staff_id=li.id,
            store_ids=[store.id + 1],
            proof=HandoverProof.STAFF_WORD,
            at=now,
        )
    )

    with pytest.raises(IntegrityError):
        session.flush()


def test_the_audit_finds_a_hand_over_to_oneself(
    session: Session, now: datetime, store: Store, li: Staff
) -> None:
    me = make_member(session)
    order = make_order(session, store=store, member=me, state=OrderState.COMPLETED)
    session.add(
        Handover(
            order_id=order.id,
            store_id=store.id,
            staff_id=li.id,
            staff_member_id=me.id,
            store_ids=[store.id],
            proof=HandoverProof.STAFF_WORD,
            at=now,
        )
    )
    session.flush()

    assert "B33" in broken(session)


def test_a_day_counts_what_one_did_since_midnight(
    session: Session, settings: Settings, now: datetime, store: Store, li: Staff
) -> None:
    for hours in (30, 2, 1):
        order = make_order(session, store=store, price_fen=1_000 * hours)
        hand_over(session, order, li, settings, now - timedelta(hours=hours))

    day = handovers.day_of(session, li.id, now=now)
    page = handovers.day_page(session, li.id, now=now, limit=1)
    rest = handovers.day_page(session, li.id, now=now, after_id=page[0][0].id, limit=9)

    assert (day.count, day.paid_fen) == (2, 3_000)
    assert [order.paid_fen for _, order in page] == [1_000]
    assert [order.paid_fen for _, order in rest] == [2_000]
