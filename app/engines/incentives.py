"""What channel plans may pay by the month on top of orders: ladder, ranking, cultivation, one-offs.

All of it is a share of settled sales, and at most two people above a buyer have a part in any sale.
What each means here, since the trade's words are loose:

- *Ladder*: as TEAM_LADDER (`ladders`).
- *Ranking prize*: fixed sums for those who sold most to their own customers. Each asks for a
  minimum of sales, which makes a prize a share of sales: without one the first prize of an empty
  month would be pay for nothing. Equal sales: whose last order was settled earlier, then the
  smaller member number. Whoever may not earn has no rank, and the next moves up.
- *Cultivation* (育成奖): whoever recommended a promoted distributor gets a share of what that
  distributor sells to their own customers, in each of the months after the promotion. The trade
  pays a share of the promoted one's team reward; that reaches a third person above the buyer and
  is not offered.
- *Recommendation* (推荐奖): when somebody catches up with the level of whoever recommended them,
  who so loses the difference of rates, that one gets once a share of what the promoted one sold to
  their own customers in the month of the promotion. A fixed sum instead would be pay by head and is
  not offered.

Cultivation and recommendation go to active people for active people: leaving ends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.engines import ladders
from app.engines.ladders import Ladder, Month, MonthKind
from app.engines.months import Earner, MonthAward, MonthBooks, MonthClose, MonthRefusal
from app.engines.obstacles import obstacle_of_standing
from app.engines.parameters import FEN_MAX, LEVELS_MAX, Parameters
from app.engines.people import Standing
from app.engines.results import Facts, Outcome, Reason
from app.kernel.money import BASIS_POINTS, share_of

PRIZES_MAX: Final = 100
MONTHS_MAX: Final = 24
IncentiveBp = Annotated[int, Field(ge=1, le=BASIS_POINTS)]
EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)


class Ranking(Parameters):
    """Prizes for those who sold most in the month, the first prize first."""

    prizes_fen: Annotated[
        tuple[Annotated[int, Field(ge=1, le=FEN_MAX)], ...],
        Field(min_length=1, max_length=PRIZES_MAX),
    ] = (50_000, 30_000, 20_000)
    minimum_sales_fen: Annotated[int, Field(ge=1, le=FEN_MAX)] = 5_000_000

    @field_validator("prizes_fen")
    @classmethod
    def _no_later_prize_is_dearer(cls, prizes: tuple[int, ...]) -> tuple[int, ...]:
        if list(prizes) != sorted(prizes, reverse=True):
            raise PydanticCustomError("prizes_rise", "a later prize is dearer")
        return prizes

    @field_validator("minimum_sales_fen")
    @classmethod
    def _sales_pay_for_prizes(cls, minimum_fen: int, info: ValidationInfo) -> int:
        prizes: tuple[int, ...] | None = info.data.get("prizes_fen")
        if prizes and prizes[0] > minimum_fen:
            raise PydanticCustomError("prize_above_sales", "the prize is dearer than the sales")
        return minimum_fen

    @property
    def share_bp(self) -> int:
        """The largest share of the winners' sales that prizes can take, rounded up.

        No prize is dearer than the first, and each winner sold the minimum.
        """
        return -(-self.prizes_fen[0] * BASIS_POINTS // self.minimum_sales_fen)


class Cultivation(Parameters):
    """A share for whoever recommended a promoted distributor, in the `months` after the promotion.

    Only for promotions to `from_level` or above.
    """

    rate_bp: IncentiveBp = 100
    months: Annotated[int, Field(ge=1, le=MONTHS_MAX)] = 6
    from_level: Annotated[int, Field(ge=2, le=LEVELS_MAX)] = 2


class Recommendation(Parameters):
    """A share, once, for whoever was caught up with by somebody they had recommended."""

    rate_bp: IncentiveBp = 200


class Incentives(Parameters):
    """What a plan pays by the month: by default the ladder alone, within depth 2."""

    ladder: Ladder | None = Ladder()
    ranking: Ranking | None = None
    cultivation: Cultivation | None = None
    recommendation: Recommendation | None = None

    @model_validator(mode="after")
    def _something_is_paid(self) -> Self:
        if not (self.ladder or self.ranking or self.cultivation or self.recommendation):
            raise PydanticCustomError("no_incentive", "no incentive is set")
        return self


class IncentiveReason(StrEnum):
    """Why a month brought no prize or share, besides standing."""

    BELOW_MINIMUM = "BELOW_MINIMUM"
    """Less was sold than the prizes ask for."""
    OUTRANKED = "OUTRANKED"
    """There are fewer prizes than people who sold more."""
    NO_SALES = "NO_SALES"
    """The promoted one sold nothing to their own customers, or refunds took it all."""
    PROMOTED_INACTIVE = "PROMOTED_INACTIVE"
    """The promoted one is frozen or has left; nothing is paid for people after they leave."""


Closed = tuple[list[MonthAward], list[MonthRefusal]]
NO_MONTH: Final = MonthClose(
    awards=(), refusals=(), pool_fen=0, carried_fen=0, deficit_fen=0, facts={}
)


def close_month(model: str, incentives: Incentives | None, books: MonthBooks) -> MonthClose:
    """Return what a month brings under these incentives; without any, nothing."""
    if incentives is None:
        return NO_MONTH
    month = Month(model, books.plan_id, books.month)
    parts: list[Closed] = []
    if incentives.ladder is not None:
        parts.append(ladders.close(incentives.ladder, books.people, month))
    if incentives.ranking is not None:
        parts.append(_rank(incentives.ranking, books.people, month))
    parts.append(_for_promotions(incentives, books, month))
    return closed(month, parts)


def closed(month: Month, parts: list[Closed]) -> MonthClose:
    """Put together what the parts of a month bring; there is no pool to hand on."""
    awards = tuple(award for some, _ in parts for award in some)
    refusals = tuple(refusal for _, some in parts for refusal in some)
    facts: Facts = {"model": month.model, "plan_id": month.plan_id, "month": month.month}
    return MonthClose(
        awards=awards, refusals=refusals, pool_fen=0, carried_fen=0, deficit_fen=0, facts=facts
    )


def _rank(ranking: Ranking, people: tuple[Earner, ...], month: Month) -> Closed:
    """Give the prizes to whoever sold most; ties as the module says."""
    awards: list[MonthAward] = []
    refusals: list[MonthRefusal] = []
    rank = 0
    for one in sorted((one for one in people if one.sales_fen), key=_best_first):
        facts = month.facts(MonthKind.RANKING, one.member_id)
        facts |= {"sales_fen": one.sales_fen, "minimum_fen": ranking.minimum_sales_fen}
        if one.sales_fen < ranking.minimum_sales_fen:
            refusals.append(_refused(facts, IncentiveReason.BELOW_MINIMUM))
        elif obstacle := obstacle_of_standing(one.standing):
            refusals.append(_refused(facts, obstacle))
        else:
            rank += 1
            facts |= {"rank": rank, "prizes": len(ranking.prizes_fen)}
            if rank > len(ranking.prizes_fen):
                refusals.append(_refused(facts, IncentiveReason.OUTRANKED))
            else:
                awards.append(_awarded(facts, one.sales_fen, None, ranking.prizes_fen[rank - 1]))
    return awards, refusals


def _best_first(one: Earner) -> tuple[int, bool, datetime, int]:
    last_at = one.last_sale_at
    return -one.sales_fen, last_at is None, last_at or EPOCH, one.member_id


@dataclass(frozen=True, slots=True)
class _Due:
    """A share that a recommender would get on what somebody promoted sold."""

    kind: MonthKind
    rate_bp: int
    recommender: Earner
    promoted: Earner
    months_since: int


def _for_promotions(incentives: Incentives, books: MonthBooks, month: Month) -> Closed:
    """Pay those who recommended somebody promoted in this month or lately."""
    awards: list[MonthAward] = []
    refusals: list[MonthRefusal] = []
    by_id = {one.member_id: one for one in books.people}
    for promoted in sorted(books.people, key=lambda one: one.member_id):
        due = _due(incentives, books, promoted, by_id)
        if due is None:
            continue
        reason = _why_nothing(due)
        facts = month.facts(due.kind, due.recommender.member_id) | {
            "promoted_id": promoted.member_id,
            "level": promoted.level,
            "months_since": due.months_since,
            "sales_fen": promoted.sales_fen,
            "plan_rate_bp": due.rate_bp,
        }
        if reason is None:
            amount_fen = share_of(promoted.sales_fen, due.rate_bp)
            awards.append(_awarded(facts, promoted.sales_fen, due.rate_bp, amount_fen))
        else:
            refusals.append(_refused(facts, reason))
    return awards, refusals


def _due(
    incentives: Incentives, books: MonthBooks, promoted: Earner, by_id: Mapping[int, Earner]
) -> _Due | None:
    """Return which share a promotion brings in this month: one at most."""
    if promoted.promoted_at is None or promoted.level is None or promoted.recommender_id is None:
        return None
    recommender = by_id.get(promoted.recommender_id)
    if recommender is None or recommender is promoted:
        return None
    since = months_since(promoted.promoted_at, books)
    once, regular = incentives.recommendation, incentives.cultivation
    if once is not None and since == 0 and _caught_up(promoted.level, recommender.level):
        return _Due(MonthKind.RECOMMENDATION, once.rate_bp, recommender, promoted, since)
    if (
        regular is not None
        and 1 <= since <= regular.months
        and promoted.level >= regular.from_level
    ):
        return _Due(MonthKind.CULTIVATION, regular.rate_bp, recommender, promoted, since)
    return None


def _caught_up(level: int, recommenders: int | None) -> bool:
    return level > 1 and recommenders is not None and level >= recommenders


def months_since(at: datetime, books: MonthBooks) -> int:
    """Return how many months lie between an instant and the month of the books, in its own zone.

    `ends_at` is midnight where the brand is, which tells how far its clock is ahead.
    """
    year, number = map(int, books.month.split("-"))
    local_end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    local = at.astimezone(UTC) + (local_end - books.ends_at)
    return (year - local.year) * 12 + number - local.month


def _why_nothing(due: _Due) -> StrEnum | None:
    if obstacle := obstacle_of_standing(due.recommender.standing):
        return obstacle
    if due.promoted.standing is not Standing.ACTIVE:
        return IncentiveReason.PROMOTED_INACTIVE
    if due.promoted.sales_fen <= 0:
        return IncentiveReason.NO_SALES
    if not share_of(due.promoted.sales_fen, due.rate_bp):
        return Reason.ZERO_AMOUNT
    return None


def _awarded(facts: Facts, base_fen: int, rate_bp: int | None, amount_fen: int) -> MonthAward:
    facts |= {
        "outcome": Outcome.AWARD.value,
        "base_fen": base_fen,
        "rate_bp": rate_bp,
        "amount_fen": amount_fen,
    }
    return MonthAward(
        beneficiary_id=_beneficiary(facts),
        kind=MonthKind(str(facts["kind"])),
        base_fen=base_fen,
        rate_bp=rate_bp,
        amount_fen=amount_fen,
        explanation=facts,
    )


def _refused(facts: Facts, reason: StrEnum) -> MonthRefusal:
    facts |= {"outcome": Outcome.REFUSAL.value, "reason": reason.value}
    return MonthRefusal(
        beneficiary_id=_beneficiary(facts),
        kind=MonthKind(str(facts["kind"])),
        reason=reason,
        explanation=facts,
    )


def _beneficiary(facts: Facts) -> int:
    beneficiary_id = facts["beneficiary_id"]
    assert isinstance(beneficiary_id, int)
    return beneficiary_id
