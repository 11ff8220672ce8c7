"""What one of the staff hands over without a code, unusually often in a day."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards import redeeming
from app.guest_cards.models import CardUse
from app.kernel.audit import Actor
from app.orders.handover_models import Handover, HandoverProof
from app.orders.models import Order
from app.orders.states import OrderState
from app.risk import by_word
from app.settings import Settings
from app.stores.models import Staff, Store
from tests.factories.guest_cards import claimed_card, make_template
from tests.factories.orders import make_order
from tests.factories.people import make_staff, make_store

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)
"""At noon in Shanghai."""
HOUR = timedelta(hours=1)


def use(
    session: Session, settings: Settings, staff: Staff, store: Store, *, times: int, at: datetime
) -> list[int]:
    """Use a card so many times by the word of one of the staff; return the uses."""
    template = make_template(session, uses=times)
    card = claimed_card(session, settings, template=template, now=NOON - HOUR)
    actor = Actor("staff", staff.id)
    for _ in range(times):
        redeeming.redeem(
            session, card.items[0].id, code=None, store_id=store.id, actor=actor, now=at
        )
    uses = sa.select(CardUse.id).where(CardUse.card_id == card.id).order_by(CardUse.id)
    return list(session.scalars(uses))


def hand_over(
    session: Session, staff: Staff, store: Store, *, at: datetime, proof: HandoverProof
) -> int:
    order = make_order(session, store=store, state=OrderState.COMPLETED)
    row = Handover(order_id=order.id, store_id=store.id, staff_id=staff.id, proof=proof, at=at)
    session.add(row)
    session.flush()
    return order.id


def test_uses_without_a_code_are_shown_where_one_person_has_too_many_in_a_day(
    session: Session, settings: Settings
) -> None:
    store = make_store(session)
    busy, calm, two_days = (make_staff(session, "front_desk", stores=[store]) for _ in range(3))
    wanted = use(session, settings, busy, store, times=3, at=NOON)
    use(session, settings, calm, store, times=2, at=NOON)
    use(session, settings, two_days, store, times=2, at=NOON)
    use(session, settings, two_days, store, times=2, at=NOON + 13 * HOUR)

    def shown(now: datetime) -> list[int]:
        condition = by_word.unusual_uses(least=3, now=now)
        return list(session.scalars(sa.select(CardUse.id).where(condition).order_by(CardUse.id)))

    assert shown(NOON + 14 * HOUR) == wanted
    assert shown(NOON + by_word.LOOK_BACK) == []


def test_orders_handed_over_without_a_code_are_shown_likewise(session: Session) -> None:
    store = make_store(session)
    busy, proven = (make_staff(session, "front_desk", stores=[store]) for _ in range(2))
    word, code = HandoverProof.STAFF_WORD, HandoverProof.PICKUP_CODE
    wanted = [hand_over(session, busy, store, at=NOON, proof=word) for _ in range(2)]
    hand_over(session, busy, store, at=NOON, proof=code)
    for proof in (word, code, code):
        hand_over(session, proven, store, at=NOON, proof=proof)

    condition = by_word.unusual_orders(Order.id, least=2, now=NOON + HOUR)

    found = session.scalars(sa.select(Order.id).where(condition).order_by(Order.id))
    assert list(found) == wanted
