"""The team ladder: a bonus on the month's sales of one's team.

The gross of a distributor is the sales of their team at the rate that the ladder gives for them;
their bonus is that, less what belongs to those they recommended who lead parts of the same team.
So on each order the ladder pays its highest rate at most, however many stand above the buyer.

What belongs to a sub-leader is, without a `max_depth`, their own gross; and where refunds have
made a part of the team negative and their people were to get more than that, all of that: a loss in
one place never makes the same sale pay twice. With depth 2 a team has in common with that of a
sub-leader what the sub-leader sold, so theirs is their rate on that, rounded up. Neither depends
on whether the sub-leader may be paid: freezing somebody raises nobody's bonus.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from app.engines.months import Earner, MonthAward, MonthRefusal
from app.engines.obstacles import obstacle_of_standing
from app.engines.parameters import FEN_MAX, Parameters
from app.engines.results import FACTS_SCHEMA, Facts, Outcome
from app.kernel.money import BASIS_POINTS, share_of

RUNGS_MAX = 20


class Rung(Parameters):
    """One step of the ladder: team sales from this amount on pay this rate, on all of them."""

    from_fen: Annotated[int, Field(ge=1, le=FEN_MAX)]
    rate_bp: Annotated[int, Field(ge=1, le=BASIS_POINTS)]


class Ladder(Parameters):
    """A ladder of team sales in one month.

    With `max_depth` 1 a team is one's own customers; with 2 also those of whoever one recommended;
    without it everybody below, to any depth.
    """

    rungs: Annotated[tuple[Rung, ...], Field(min_length=1, max_length=RUNGS_MAX)] = (
        Rung(from_fen=1_000_000, rate_bp=100),
        Rung(from_fen=3_000_000, rate_bp=200),
        Rung(from_fen=10_000_000, rate_bp=300),
    )
    max_depth: Annotated[int, Field(ge=1, le=2)] | None = 2

    @field_validator("rungs")
    @classmethod
    def _each_above_the_last(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        for lower, higher in pairwise(rungs):
            if higher.from_fen <= lower.from_fen or higher.rate_bp <= lower.rate_bp:
                raise PydanticCustomError("ladder_order", "steps do not rise")
        return rungs

    @property
    def top_bp(self) -> int:
        """The rate of the highest step."""
        return self.rungs[-1].rate_bp

    def rate_for(self, sales_fen: int) -> int:
        """Return the rate that a team reaches with so much.

        >>> [Ladder().rate_for(fen) for fen in (-5, 999_999, 1_000_000, 20_000_000)]
        [0, 0, 100, 300]
        """
        rate_bp = 0
        for rung in self.rungs:
            if sales_fen < rung.from_fen:
                break
            rate_bp = rung.rate_bp
        return rate_bp


class MonthKind(StrEnum):
    """What the models of this family pay by the month."""

    TEAM_LADDER = "TEAM_LADDER"
    RANKING = "RANKING"
    CULTIVATION = "CULTIVATION"
    RECOMMENDATION = "RECOMMENDATION"


class LadderReason(StrEnum):
    """Why a team brought no bonus, besides the standing of its leader."""

    BELOW_LADDER = "BELOW_LADDER"
    """The team sold less than the lowest step asks for."""
    BELONGS_BELOW = "BELONGS_BELOW"
    """All that the team brings belongs to leaders below."""


@dataclass(frozen=True, slots=True)
class Month:
    """What the facts of a month tell of it: whose plan, which model, which month."""

    model: str
    plan_id: int
    month: str

    def facts(self, kind: MonthKind, beneficiary_id: int) -> Facts:
        """Return how every explanation of a month begins."""
        return {
            "schema": FACTS_SCHEMA,
            "model": self.model,
            "plan_id": self.plan_id,
            "month": self.month,
            "kind": kind.value,
            "beneficiary_id": beneficiary_id,
        }


@dataclass(frozen=True, slots=True)
class Team:
    """A team in one month: what it sold, what that brings, and what of it belongs below.

    `claim_fen` is what the whole team takes from whoever leads above it.
    """

    leader: Earner
    sales_fen: int
    rate_bp: int
    gross_fen: int
    below_fen: int
    claim_fen: int

    @property
    def bonus_fen(self) -> int:
        """What is left for the leader."""
        return max(self.gross_fen - self.below_fen, 0)


def close(
    ladder: Ladder, people: Sequence[Earner], month: Month
) -> tuple[list[MonthAward], list[MonthRefusal]]:
    """Return who gets a bonus for a month and whose team brings none and why, by member.

    Whoever has no sales in their team is not mentioned. Raises ValueError if people
    recommended each other in a circle.

    >>> month = Month("CHANNEL_TEAM_LADDER", 1, "2026-10")
    >>> people = [Earner(member_id=1, sales_fen=600_000)]
    >>> people += [Earner(member_id=2, recommender_id=1, sales_fen=2_500_000)]
    >>> awards, _ = close(Ladder(), people, month)
    >>> [(award.beneficiary_id, award.amount_fen) for award in awards]
    [(1, 37000), (2, 25000)]
    """
    awards: list[MonthAward] = []
    refusals: list[MonthRefusal] = []
    for team in sorted(teams(ladder, people), key=lambda one: one.leader.member_id):
        if not (team.sales_fen or team.leader.sales_fen):
            continue
        facts = month.facts(MonthKind.TEAM_LADDER, team.leader.member_id) | _facts(ladder, team)
        reason = _obstacle(team)
        if reason is None:
            awards.append(_award(team, facts))
        else:
            refusals.append(_refusal(team, reason, facts))
    return awards, refusals


def teams(ladder: Ladder, people: Sequence[Earner]) -> Iterator[Team]:
    """Yield everybody's team, those below before those above."""
    if ladder.max_depth is None:
        yield from _teams_to_any_depth(ladder, people)
    else:
        yield from _near_teams(ladder, people, with_recruits=ladder.max_depth > 1)


def _near_teams(ladder: Ladder, people: Sequence[Earner], *, with_recruits: bool) -> Iterator[Team]:
    recruits = _recruits(people) if with_recruits else {}
    sales_fen = {
        one.member_id: one.sales_fen + sum(r.sales_fen for r in recruits.get(one.member_id, ()))
        for one in people
    }
    for one in people:
        below_fen = sum(
            _share_rounded_up(recruit.sales_fen, ladder.rate_for(sales_fen[recruit.member_id]))
            for recruit in recruits.get(one.member_id, ())
        )
        yield _team(ladder, one, sales_fen[one.member_id], below_fen)


def _teams_to_any_depth(ladder: Ladder, people: Sequence[Earner]) -> Iterator[Team]:
    recruits = _recruits(people)
    done: dict[int, Team] = {}
    for one in _leaves_first(people, recruits):
        below = [done[recruit.member_id] for recruit in recruits.get(one.member_id, ())]
        sales_fen = one.sales_fen + sum(team.sales_fen for team in below)
        team = _team(ladder, one, sales_fen, sum(team.claim_fen for team in below))
        done[one.member_id] = team
        yield team


def _team(ladder: Ladder, leader: Earner, sales_fen: int, below_fen: int) -> Team:
    rate_bp = ladder.rate_for(sales_fen)
    gross_fen = share_of(max(sales_fen, 0), rate_bp)
    return Team(leader, sales_fen, rate_bp, gross_fen, below_fen, max(gross_fen, below_fen))


def _recruits(people: Sequence[Earner]) -> dict[int, list[Earner]]:
    recruits: dict[int, list[Earner]] = {}
    for one in people:
        if one.recommender_id == one.member_id:
            raise ValueError(f"member {one.member_id} cannot have recommended themselves")
        if one.recommender_id is not None:
            recruits.setdefault(one.recommender_id, []).append(one)
    return recruits


def _leaves_first(
    people: Sequence[Earner], recruits: Mapping[int, Sequence[Earner]]
) -> Iterator[Earner]:
    """Yield people so that everybody comes after all those below; without recursion, for depth."""
    by_id = {one.member_id: one for one in people}
    missing = {one.member_id: len(recruits.get(one.member_id, ())) for one in people}
    ready = [one for one in people if not missing[one.member_id]]
    found = 0
    while ready:
        one = ready.pop()
        found += 1
        yield one
        above = by_id.get(one.recommender_id) if one.recommender_id is not None else None
        if above is not None:
            missing[above.member_id] -= 1
            if not missing[above.member_id]:
                ready.append(above)
    if found != len(by_id):
        raise ValueError("people who recommended each other in a circle have no team")


def _share_rounded_up(amount_fen: int, rate_bp: int) -> int:
    return -(-max(amount_fen, 0) * rate_bp // BASIS_POINTS)


def _obstacle(team: Team) -> StrEnum | None:
    if team.rate_bp == 0:
        return LadderReason.BELOW_LADDER
    if not team.bonus_fen:
        return LadderReason.BELONGS_BELOW
    return obstacle_of_standing(team.leader.standing)


def _facts(ladder: Ladder, team: Team) -> Facts:
    return {
        "sales_fen": team.leader.sales_fen,
        "team_fen": team.sales_fen,
        "max_depth": ladder.max_depth,
        "first_step_fen": ladder.rungs[0].from_fen,
        "ladder_bp": team.rate_bp,
        "gross_fen": team.gross_fen,
        "below_fen": team.below_fen,
    }


def _award(team: Team, facts: Facts) -> MonthAward:
    amount_fen = team.bonus_fen
    return MonthAward(
        beneficiary_id=team.leader.member_id,
        kind=MonthKind.TEAM_LADDER,
        base_fen=team.sales_fen,
        rate_bp=None,
        amount_fen=amount_fen,
        explanation=facts
        | {
            "outcome": Outcome.AWARD.value,
            "base_fen": team.sales_fen,
            "rate_bp": None,
            "amount_fen": amount_fen,
        },
    )


def _refusal(team: Team, reason: StrEnum, facts: Facts) -> MonthRefusal:
    return MonthRefusal(
        beneficiary_id=team.leader.member_id,
        kind=MonthKind.TEAM_LADDER,
        reason=reason,
        explanation=facts | {"outcome": Outcome.REFUSAL.value, "reason": reason.value},
    )
