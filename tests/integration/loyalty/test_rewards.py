"""A reward is given once for one fact; what cannot be given is kept and can be tried again."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons import templates
from app.coupons.models import Coupon
from app.kernel.audit import SYSTEM, Actor
from app.ledger.queries import balance
from app.ledger.transfers import Account, Name, Unit
from app.loyalty import rewards
from app.loyalty.errors import RewardInvalid, RewardNotFound, RewardNotRefused
from app.loyalty.models import GivenReward, RewardKind, RewardSource, RewardState
from app.loyalty.rewards import Reward
from app.membership.models import Membership
from tests.factories.coupons import make_template
from tests.factories.people import make_member, make_staff


def points(session: Session, member_id: int) -> int:
    return balance(session, Account(Name.POINTS_AVAILABLE, Unit.POINT, member_id))


def give(
    session: Session, member_id: int, reward: Reward, *, now: datetime, key: str = "fact"
) -> GivenReward:
    return rewards.give(session, member_id, reward, key=key, source=RewardSource.TASK, now=now)


def coupons(session: Session, member_id: int) -> int:
    return (
        session.scalar(
            sa.select(sa.func.count()).select_from(Coupon).where(Coupon.member_id == member_id)
        )
        or 0
    )


def test_points_growth_and_coupons_are_given_once_for_one_fact(
    session: Session, now: datetime
) -> None:
    member, template = make_member(session), make_template(session, stock=10, per_member=5)

    for _ in range(2):
        give(session, member.id, Reward.points(30), key="a", now=now)
        give(session, member.id, Reward.growth(40), key="b", now=now)
        give(session, member.id, Reward.coupon(template.id, 2), key="c", now=now)

    assert points(session, member.id) == 30
    assert session.get_one(Membership, member.id).growth == 40
    assert coupons(session, member.id) == 2
    states = session.scalars(sa.select(GivenReward.state)).all()
    assert states == [RewardState.GIVEN] * 3


def test_a_coupon_of_which_too_few_are_left_is_refused_whole(
    session: Session, now: datetime
) -> None:
    member, template = make_member(session), make_template(session, stock=1, per_member=5)

    row = give(session, member.id, Reward.coupon(template.id, 2), now=now)
    after = give(session, member.id, Reward.points(5), key="another", now=now)

    assert (row.state, row.refusal, row.given_at) == (RewardState.REFUSED, "coupons_gone", None)
    assert coupons(session, member.id) == 0
    assert after.state is RewardState.GIVEN


def test_staff_try_again_once_there_is_more(session: Session, now: datetime) -> None:
    member, template = make_member(session), make_template(session, stock=1, per_member=5)
    actor = Actor("staff", make_staff(session, "operations").id)
    row = give(session, member.id, Reward.coupon(template.id, 2), now=now)

    rewards.try_again(session, row.id, actor=actor, now=now)
    assert row.state is RewardState.REFUSED
    templates.change_stock(session, template.id, 9, reason="more", actor=SYSTEM, now=now)
    rewards.try_again(session, row.id, actor=actor, now=now)

    assert (row.state, coupons(session, member.id)) == (RewardState.GIVEN, 2)
    with pytest.raises(RewardNotRefused):
        rewards.try_again(session, row.id, actor=actor, now=now)
    with pytest.raises(RewardNotFound):
        rewards.try_again(session, 999_999, actor=actor, now=now)


def test_whoever_had_their_account_deleted_is_given_nothing(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    member.deleted_at = now
    session.flush()

    row = give(session, member.id, Reward.points(5), now=now)

    assert (row.state, row.refusal) == (RewardState.REFUSED, "reward_member_deleted")
    assert points(session, member.id) == 0


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"kind": "points"},
        {"kind": "points", "amount": 0},
        {"kind": "points", "amount": True},
        {"kind": "points", "amount": "5"},
        {"kind": "points", "amount": 5, "template_id": 1},
        {"kind": "coupon", "amount": 1},
        {"kind": "coupon", "amount": 21, "template_id": 1},
        {"kind": "money", "amount": 1},
    ],
)
def test_what_is_no_reward_is_refused_by_name(value: object) -> None:
    with pytest.raises(RewardInvalid):
        Reward.from_json(value)


def test_a_reward_is_read_as_it_was_written() -> None:
    for reward in (Reward.points(5), Reward.growth(1), Reward.coupon(7, 3)):
        assert Reward.from_json(reward.to_json()) == reward
    assert Reward.coupon(7).kind is RewardKind.COUPON
