"""Coupons are given within stock, limit, window and way, and a reward once for its key."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.errors import (
    CouponLimitReached,
    CouponsEnded,
    CouponsGone,
    CouponsNotOpen,
    TemplateNotFound,
)
from app.coupons.giving import Gift, give, issue, issue_many
from app.coupons.models import Coupon, CouponChannel, CouponStep, CouponTemplate
from app.coupons.states import CouponEvent, CouponState
from app.kernel.errors import DomainError
from tests.factories.coupons import WEEK, make_template
from tests.factories.people import make_member

CENTRE = Gift(channel=CouponChannel.CENTRE, actor="member:1")
STAFF = Gift(channel=CouponChannel.STAFF, actor="staff:1", source="sorry")


def issued(session: Session, template: CouponTemplate) -> tuple[int, int]:
    """What the template says was issued, and how many coupons there are."""
    session.refresh(template)
    there = session.scalar(
        sa.select(sa.func.count()).select_from(Coupon).where(Coupon.template_id == template.id)
    )
    return template.issued, there or 0


def test_a_claimed_coupon_is_unused_and_good_from_the_claim_on(
    session: Session, now: datetime
) -> None:
    template, member = make_template(session), make_member(session)

    coupon = issue(session, template.id, member.id, gift=CENTRE, now=now)

    assert (coupon.state, coupon.member_id, coupon.seq) == (CouponState.UNUSED, member.id, 1)
    assert (coupon.valid_from_at, coupon.valid_until_at) == (now, now + WEEK)
    assert issued(session, template) == (1, 1)
    steps = session.scalars(sa.select(CouponStep).where(CouponStep.coupon_id == coupon.id)).all()
    assert [(one.event, one.to_state, one.actor) for one in steps] == [
        (CouponEvent.CLAIM, CouponState.UNUSED, "member:1")
    ]


def test_fixed_dates_are_those_of_the_template(session: Session, now: datetime) -> None:
    begins, ends = now + timedelta(days=2), now + timedelta(days=9)
    template = make_template(session, valid_from_at=begins, valid_until_at=ends)

    coupon = issue(session, template.id, make_member(session).id, gift=CENTRE, now=now)

    assert (coupon.valid_from_at, coupon.valid_until_at) == (begins, ends)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"ended_at": "now"}, CouponsEnded),
        ({"stock": 0}, CouponsGone),
        ({"ways": ["push"]}, CouponsNotOpen),
        ({"claim_until_at": "now"}, CouponsNotOpen),
        ({"claim_from_at": "soon"}, CouponsNotOpen),
        ({"valid_from_at": "yesterday", "valid_until_at": "now"}, CouponsNotOpen),
    ],
    ids=["ended", "gone", "another way", "window over", "before the window", "validity over"],
)
def test_what_cannot_be_claimed_is_refused_with_the_reason_and_no_effect(
    session: Session, now: datetime, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    instants = {
        "now": now,
        "soon": now + timedelta(seconds=1),
        "yesterday": now - timedelta(days=1),
    }
    facts: dict[str, Any] = {
        name: instants.get(value, value) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    template, member = make_template(session, **facts), make_member(session)

    with pytest.raises(refusal):
        issue(session, template.id, member.id, gift=CENTRE, now=now)

    assert issued(session, template) == (0, 0)


def test_staff_and_rewards_keep_to_neither_way_nor_window(session: Session, now: datetime) -> None:
    template = make_template(session, ways=[], claim_until_at=now, per_member=2)
    member = make_member(session)

    issue(session, template.id, member.id, gift=STAFF, now=now)
    give(session, template.id, member.id, key="level:1", source="level_gift", now=now)

    assert issued(session, template) == (2, 2)


def test_nobody_gets_more_than_one_person_may(session: Session, now: datetime) -> None:
    template, member = make_template(session, per_member=2), make_member(session)
    for seq in (1, 2):
        assert issue(session, template.id, member.id, gift=CENTRE, now=now).seq == seq

    with pytest.raises(CouponLimitReached) as refusal:
        issue(session, template.id, member.id, gift=CENTRE, now=now)

    assert refusal.value.most == 2
    assert issued(session, template) == (2, 2)


def test_a_template_that_is_not_there_gives_nothing(session: Session, now: datetime) -> None:
    with pytest.raises(TemplateNotFound):
        issue(session, 404, make_member(session).id, gift=CENTRE, now=now)


def test_a_reward_is_given_once_for_its_key(session: Session, now: datetime) -> None:
    template, member = make_template(session, per_member=5), make_member(session)

    first = give(session, template.id, member.id, key="gift:7", source="level_gift", now=now)
    again = give(session, template.id, member.id, key="gift:7", source="level_gift", now=now)

    assert again.id == first.id
    assert (first.channel, first.source) == (CouponChannel.REWARD, "level_gift")
    assert issued(session, template) == (1, 1)


def test_many_get_one_each_and_who_is_at_their_limit_is_passed_over(
    session: Session, now: datetime
) -> None:
    template = make_template(session)
    people = [make_member(session).id for _ in range(3)]
    issue(session, template.id, people[1], gift=STAFF, now=now)
    push = Gift(channel=CouponChannel.PUSH, actor="staff:1", key="push:1")

    given = issue_many(session, template.id, people, gift=push, now=now)

    assert given == {people[0], people[2]}
    assert issued(session, template) == (3, 3)
    keys = session.scalars(sa.select(Coupon.key).where(Coupon.key.is_not(None))).all()
    assert set(keys) == {f"push:1:{one}" for one in given}
