"""A push gives one coupon to each member it names, once, and goes on where it stopped."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons import pushing, templates
from app.coupons.errors import CouponsEnded, CouponsNotOpen, PushInvalid
from app.coupons.models import (
    Coupon,
    CouponPush,
    CouponPushMember,
    CouponTemplate,
    PushOutcome,
    PushState,
)
from app.kernel.audit import SYSTEM
from app.members.models import Member
from tests.factories.coupons import make_coupon, make_template
from tests.factories.people import make_member


def begin(session: Session, template: CouponTemplate, members: list[Member]) -> CouponPush:
    ids = [one.id for one in members]
    row = pushing.push(
        session, template.id, ids, title="March", actor=SYSTEM, now=template.claim_from_at
    )
    session.commit()
    return row


def work_off(now: datetime) -> None:
    while pushing.work_off(now=now):
        pass


def outcomes(session: Session, row: CouponPush) -> dict[int, PushOutcome | None]:
    query = sa.select(CouponPushMember.member_id, CouponPushMember.outcome)
    return {one[0]: one[1] for one in session.execute(query.where(_of(row)))}


def _of(row: CouponPush) -> sa.ColumnElement[bool]:
    return CouponPushMember.push_id == row.id


def test_everybody_named_gets_one_and_the_push_is_done(session: Session, now: datetime) -> None:
    template = make_template(session)
    people = [make_member(session) for _ in range(5)]
    row = begin(session, template, people)

    work_off(now)

    session.refresh(row)
    session.refresh(template)
    assert (row.state, row.people, row.given, row.passed_over) == (PushState.DONE, 5, 5, 0)
    assert template.issued == 5
    held = session.scalars(sa.select(Coupon.member_id)).all()
    assert sorted(held) == [one.id for one in people]


def test_a_select_of_members_can_be_pushed_to(session: Session, now: datetime) -> None:
    people = [make_member(session) for _ in range(3)]
    wanted = sa.select(Member.id).where(Member.id > people[0].id)

    row = pushing.push(
        session, make_template(session).id, wanted, title="Newer", actor=SYSTEM, now=now
    )

    assert row.people == 2


def test_batches_of_one_push_give_nobody_two(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "BATCH_MAX", 2)
    template = make_template(session, per_member=9)
    row = begin(session, template, [make_member(session) for _ in range(5)])

    assert pushing.work_off(now=now) == 2
    assert pushing.work_off(now=now) == 2
    work_off(now)

    session.refresh(row)
    assert (row.state, row.given) == (PushState.DONE, 5)


def test_who_is_at_their_limit_is_passed_over(session: Session, now: datetime) -> None:
    template = make_template(session)
    full, new = make_member(session), make_member(session)
    make_coupon(session, template, full)
    row = begin(session, template, [full, new])

    work_off(now)

    assert outcomes(session, row) == {full.id: PushOutcome.LIMIT, new.id: PushOutcome.GIVEN}
    session.refresh(row)
    assert (row.given, row.passed_over) == (1, 1)


def test_when_the_stock_ends_exactly_as_many_have_one(session: Session, now: datetime) -> None:
    template = make_template(session, stock=3)
    people = [make_member(session) for _ in range(5)]
    row = begin(session, template, people)

    work_off(now)

    found = [outcomes(session, row)[one.id] for one in people]
    assert found == [PushOutcome.GIVEN] * 3 + [PushOutcome.GONE] * 2
    session.refresh(template)
    assert template.issued == template.stock == 3


def test_who_was_deleted_meanwhile_gets_none(session: Session, now: datetime) -> None:
    gone, here = make_member(session), make_member(session)
    row = begin(session, make_template(session), [gone, here])
    gone.deleted_at = now
    session.commit()

    work_off(now)

    session.refresh(row)
    assert (row.given, row.passed_over) == (1, 1)


def test_a_stopped_push_gives_no_more(session: Session, now: datetime) -> None:
    row = begin(session, make_template(session), [make_member(session)])

    pushing.stop(session, row.id, reason="wrong people", actor=SYSTEM, now=now)
    pushing.stop(session, row.id, reason="again", actor=SYSTEM, now=now)
    session.commit()
    work_off(now)

    session.refresh(row)
    assert (row.state, row.given) == (PushState.STOPPED, 0)


def test_a_template_that_ends_ends_its_push(session: Session, now: datetime) -> None:
    template = make_template(session)
    row = begin(session, template, [make_member(session)])
    templates.end_template(session, template.id, reason="over", actor=SYSTEM, now=now)
    session.commit()

    work_off(now)

    session.refresh(row)
    assert (row.state, row.given, row.passed_over) == (PushState.DONE, 0, 1)


def test_what_cannot_be_pushed_is_refused(session: Session, now: datetime) -> None:
    member = make_member(session)
    not_for_pushes = make_template(session, ways=["centre"])
    ended = make_template(session, ended_at=now)

    with pytest.raises(CouponsNotOpen):
        begin(session, not_for_pushes, [member])
    with pytest.raises(CouponsEnded):
        begin(session, ended, [member])
    with pytest.raises(PushInvalid):
        begin(session, make_template(session), [])
