"""Giving coupons, points and growth, each once for one fact.

Whoever gives names the fact by a key; asked again, the same reward is returned and nothing moves.
What cannot be given, as a coupon of which none is left, is kept with the reason instead of holding
up what caused it; staff may try again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.coupons import giving
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.errors import DomainError
from app.loyalty.errors import (
    RewardInvalid,
    RewardMemberDeleted,
    RewardNotFound,
    RewardNotRefused,
)
from app.loyalty.models import GivenReward, RewardKind, RewardSource, RewardState
from app.members.models import Member
from app.membership import growth
from app.membership.growth import Growth
from app.membership.states import GrowthSource
from app.points import earning
from app.points.states import PointSource

COUPONS_MAX: Final = 20
_POINT_SOURCES: Final = {
    RewardSource.UPGRADE: PointSource.LEVEL,
    RewardSource.BIRTHDAY: PointSource.BIRTHDAY,
    RewardSource.TASK: PointSource.TASK,
    RewardSource.ACTIVITY: PointSource.ACTIVITY,
    RewardSource.CHECK_IN: PointSource.CHECK_IN,
    RewardSource.DRAW: PointSource.ACTIVITY,
    RewardSource.INVITE: PointSource.ACTIVITY,
    RewardSource.INTERACTION: PointSource.QUESTIONNAIRE,
    RewardSource.PLAN: PointSource.GIFT,
    RewardSource.HAND: PointSource.HAND,
}
AMOUNT_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """Something to give: so many coupons of a template, so many points, or so much growth."""

    kind: RewardKind
    amount: int
    template_id: int | None = None

    def __post_init__(self) -> None:
        most = COUPONS_MAX if self.kind is RewardKind.COUPON else AMOUNT_MAX
        whole = (self.kind is RewardKind.COUPON) == (self.template_id is not None)
        if not whole or not 1 <= self.amount <= most:
            raise RewardInvalid

    @classmethod
    def coupon(cls, template_id: int, count: int = 1) -> Self:
        """Return coupons as a reward."""
        return cls(kind=RewardKind.COUPON, amount=count, template_id=template_id)

    @classmethod
    def points(cls, amount: int) -> Self:
        """Return points as a reward."""
        return cls(kind=RewardKind.POINTS, amount=amount)

    @classmethod
    def growth(cls, amount: int) -> Self:
        """Return growth as a reward."""
        return cls(kind=RewardKind.GROWTH, amount=amount)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote. Raises `RewardInvalid` for anything else."""
        try:
            kind, amount, template_id = value["kind"], value["amount"], value.get("template_id")
            if type(amount) is not int or type(template_id) not in {int, type(None)}:
                raise RewardInvalid
            return cls(kind=RewardKind(kind), amount=amount, template_id=template_id)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RewardInvalid from None

    def to_json(self) -> dict[str, Any]:
        """Return this reward as rules store it."""
        told: dict[str, Any] = {"kind": self.kind.value, "amount": self.amount}
        return told if self.template_id is None else told | {"template_id": self.template_id}


def give(
    session: Session,
    member_id: int,
    reward: Reward,
    *,
    key: str,
    source: RewardSource,
    now: datetime,
) -> GivenReward:
    """Give a reward for the fact that `key` names, once; return what became of it.

    The row says GIVEN, or REFUSED with the code of what refused it. Asked again for a key, nothing
    happens.
    """
    inserted = session.scalar(
        insert(GivenReward)
        .values(
            key=key,
            member_id=member_id,
            kind=reward.kind,
            template_id=reward.template_id,
            amount=reward.amount,
            source=source,
            state=RewardState.GIVEN,
            asked_at=now,
            given_at=now,
        )
        .on_conflict_do_nothing(index_elements=[GivenReward.key])
        .returning(GivenReward.id)
    )
    row = session.scalars(sa.select(GivenReward).where(GivenReward.key == key)).one()
    if inserted is not None:
        _hand_over(session, row, now=now)
    return row


def give_all(
    session: Session,
    member_id: int,
    rewards: Iterable[Reward],
    *,
    key: str,
    source: RewardSource,
    now: datetime,
) -> list[GivenReward]:
    """Give several rewards for one fact; each has its place in the list in its key."""
    return [
        give(session, member_id, one, key=f"{key}:{place}", source=source, now=now)
        for place, one in enumerate(rewards)
    ]


def rewards_of(listed: Iterable[Any]) -> list[Reward]:
    """Read rewards that rules of levels, tasks or activities have stored."""
    return [Reward.from_json(one) for one in listed]


def try_again(session: Session, reward_id: int, *, actor: Actor, now: datetime) -> GivenReward:
    """Try to give what was refused; on record. The row says what became of it."""
    row = session.get(GivenReward, reward_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise RewardNotFound
    if row.state is not RewardState.REFUSED:
        raise RewardNotRefused
    before = {"state": row.state.value, "refusal": row.refusal}
    row.state, row.given_at, row.refusal = RewardState.GIVEN, now, ""
    session.flush()
    _hand_over(session, row, now=now)
    change = Change(before=before, after={"state": row.state.value, "refusal": row.refusal})
    subject = Subject("given_reward", row.id)
    record(session, actor, "reward_tried_again", subject, change, now=now)
    return row


def _hand_over(session: Session, row: GivenReward, *, now: datetime) -> None:
    """Let the slice that keeps it have it; what it refuses leaves nothing but the refusal."""
    try:
        with session.begin_nested():
            if session.scalar(sa.select(Member.deleted_at).where(Member.id == row.member_id)):
                raise RewardMemberDeleted
            _BY_KIND[row.kind](session, row, now)
    except DomainError as error:
        row.state, row.given_at, row.refusal = RewardState.REFUSED, None, error.code
        session.flush()
        return


def _give_coupons(session: Session, row: GivenReward, now: datetime) -> None:
    assert row.template_id is not None, "a constraint of the table"
    for number in range(row.amount):
        giving.give(
            session,
            row.template_id,
            row.member_id,
            key=f"reward:{row.key}:{number}",
            source=f"reward:{row.source}",
            now=now,
        )


def _give_points(session: Session, row: GivenReward, now: datetime) -> None:
    earning.grant(
        session,
        row.member_id,
        row.amount,
        key=f"reward:{row.key}",
        source=_POINT_SOURCES[row.source],
        reason="",
        now=now,
    )


def _give_growth(session: Session, row: GivenReward, now: datetime) -> None:
    fact = Growth(
        key=f"reward:{row.key}", amount=row.amount, source=GrowthSource.REWARD, counts_at=now
    )
    growth.add(session, row.member_id, fact, now=now)


_BY_KIND: Final = {
    RewardKind.COUPON: _give_coupons,
    RewardKind.POINTS: _give_points,
    RewardKind.GROWTH: _give_growth,
}
