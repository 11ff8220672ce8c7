"""A template's stock lies in slots: they add up to it, and hold what was given out (B29)."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.coupons import templates
from app.coupons.errors import CouponLimitReached, CouponsGone
from app.coupons.giving import Gift, issue, issue_many
from app.coupons.models import SLOTS, CouponChannel, CouponStock, CouponTemplate
from app.kernel.audit import SYSTEM
from tests.factories.coupons import make_coupon, make_template
from tests.factories.people import make_member

STAFF = Gift(channel=CouponChannel.STAFF, actor="staff:1")
PUSH = Gift(channel=CouponChannel.PUSH, actor="staff:1", key="push:1")


def slots(session: Session, template: CouponTemplate) -> list[tuple[int, int]]:
    """Return what each slot holds and has issued, in their order."""
    rows = session.execute(
        sa.select(CouponStock.stock, CouponStock.issued)
        .where(CouponStock.template_id == template.id)
        .order_by(CouponStock.slot)
    )
    return [(row[0], row[1]) for row in rows]


def test_a_stock_is_dealt_evenly(session: Session) -> None:
    template = make_template(session, stock=2 * SLOTS + 3)

    assert slots(session, template) == [(3, 0)] * 3 + [(2, 0)] * (SLOTS - 3)


def test_a_coupon_is_taken_from_one_slot(session: Session, now: datetime) -> None:
    template = make_template(session, stock=SLOTS)

    issue(session, template.id, make_member(session).id, gift=STAFF, now=now)

    assert sorted(slots(session, template)) == [(1, 0)] * (SLOTS - 1) + [(1, 1)]


def test_every_coupon_of_every_slot_is_given_and_then_no_more(
    session: Session, now: datetime
) -> None:
    template = make_template(session, stock=SLOTS + 5, per_member=99)
    member_id = make_member(session).id
    for _ in range(SLOTS + 5):
        issue(session, template.id, member_id, gift=STAFF, now=now)

    with pytest.raises(CouponsGone):
        issue(session, template.id, member_id, gift=STAFF, now=now)

    assert slots(session, template) == [(2, 2)] * 5 + [(1, 1)] * (SLOTS - 5)


def test_who_is_at_their_limit_uses_no_stock(session: Session, now: datetime) -> None:
    template, member = make_template(session, stock=SLOTS), make_member(session)
    make_coupon(session, template, member)
    before = slots(session, template)

    with pytest.raises(CouponLimitReached):
        issue(session, template.id, member.id, gift=STAFF, now=now)

    assert slots(session, template) == before


def test_a_push_takes_from_as_many_slots_as_it_needs(session: Session, now: datetime) -> None:
    template = make_template(session, stock=2 * SLOTS)
    people = [make_member(session).id for _ in range(5)]

    assert issue_many(session, template.id, people, gift=PUSH, now=now) == set(people)

    assert slots(session, template) == [(2, 2), (2, 2), (2, 1)] + [(2, 0)] * (SLOTS - 3)


def test_a_push_to_more_than_there_are_gives_nothing(session: Session, now: datetime) -> None:
    template = make_template(session, stock=3)
    people = [make_member(session).id for _ in range(4)]

    with pytest.raises(CouponsGone), session.begin_nested():
        issue_many(session, template.id, people, gift=PUSH, now=now)

    assert slots(session, template) == [(1, 0)] * 3 + [(0, 0)] * (SLOTS - 3)


def test_who_is_at_their_limit_does_not_keep_a_push_from_the_last_coupons(
    session: Session, now: datetime
) -> None:
    template = make_template(session, stock=3)
    full, *others = [make_member(session) for _ in range(3)]
    make_coupon(session, template, full)

    people = [full.id, *(one.id for one in others)]
    given = issue_many(session, template.id, people, gift=PUSH, now=now)

    assert given == {one.id for one in others}
    assert slots(session, template) == [(1, 1)] * 3 + [(0, 0)] * (SLOTS - 3)


def test_what_is_left_is_dealt_evenly_again_when_the_stock_changes(
    session: Session, now: datetime
) -> None:
    template = make_template(session, stock=2 * SLOTS)
    people = [make_member(session).id for _ in range(5)]
    issue_many(session, template.id, people, gift=PUSH, now=now)

    templates.change_stock(session, template.id, 5 + SLOTS, reason="x", actor=SYSTEM, now=now)

    assert slots(session, template) == [(3, 2), (3, 2), (2, 1)] + [(1, 0)] * (SLOTS - 3)
    session.refresh(template)
    assert (template.stock, template.issued) == (5 + SLOTS, 5)


def test_what_a_template_said_before_is_no_slot_any_more(session: Session, now: datetime) -> None:
    template = make_template(session, stock=5)
    make_coupon(session, template, make_member(session))
    before = slots(session, template)

    templates.end_template(session, template.id, reason="over", actor=SYSTEM, now=now)

    assert sum(stock for stock, _ in slots(session, template)) == 5
    assert [one[1] for one in slots(session, template)] == [one[1] for one in before]


@pytest.mark.commits
@pytest.mark.parametrize(
    "written",
    [
        "UPDATE coupon_templates SET stock = stock + 1",
        "UPDATE coupon_stocks SET stock = stock + 1 WHERE slot = 3",
        "DELETE FROM coupon_stocks WHERE slot = 3",
        "UPDATE coupon_stocks SET stock = stock - 1 WHERE slot IN (2, 3)",
    ],
)
def test_no_transaction_ends_with_slots_that_are_not_the_stock(
    session: Session, written: str
) -> None:
    template = make_template(session, stock=2 * SLOTS)
    template_id = template.id
    session.commit()

    session.execute(sa.text(written))
    with pytest.raises(IntegrityError, match="in its slots"):
        session.commit()

    session.rollback()
    template = session.get_one(CouponTemplate, template_id)
    assert (template.stock, slots(session, template)) == (2 * SLOTS, [(2, 0)] * SLOTS)


@pytest.mark.commits
def test_a_template_without_slots_is_not_written(session: Session, now: datetime) -> None:
    template = make_template(session, stock=1)
    facts = {
        one.name: getattr(template, one.name)
        for one in CouponTemplate.__table__.columns
        if one.name != "id"
    }
    session.add(CouponTemplate(**facts))

    with pytest.raises(IntegrityError, match="in its slots"):
        session.commit()


@pytest.mark.commits
def test_stock_may_move_between_slots(session: Session) -> None:
    template = make_template(session, stock=2 * SLOTS)
    session.commit()

    session.execute(sa.text("UPDATE coupon_stocks SET stock = stock + slot - 1 WHERE slot <= 2"))
    session.commit()

    assert slots(session, template) == [(1, 0), (2, 0), (3, 0)] + [(2, 0)] * (SLOTS - 3)


def test_a_slot_gives_out_no_more_than_it_holds(session: Session) -> None:
    template = make_template(session, stock=SLOTS)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.update(CouponStock).values(issued=2))

    assert slots(session, template) == [(1, 0)] * SLOTS


def test_what_nobody_holds_may_be_promised_otherwise(session: Session, now: datetime) -> None:
    template = make_template(session)

    session.execute(sa.update(CouponTemplate).values(amount_fen=5))

    session.refresh(template)
    assert template.amount_fen == 5


def test_what_does_not_belong_to_the_promise_stays_free(session: Session, now: datetime) -> None:
    template = make_template(session)
    make_coupon(session, template, make_member(session))
    later = now + timedelta(days=30)

    session.execute(sa.update(CouponTemplate).values(title="New", claim_until_at=later))

    session.refresh(template)
    assert (template.title, template.claim_until_at) == ("New", later)
