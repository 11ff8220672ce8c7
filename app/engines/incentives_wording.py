"""What the month paid, or did not pay, in words; and what the incentives of a plan say."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.incentives import IncentiveReason, Incentives
from app.engines.ladders import Ladder, LadderReason, MonthKind
from app.engines.results import Reason
from app.engines.wording import AMOUNT_EXACT, AMOUNT_ROUNDED, common, is_award, rounds
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

KINDS: Final[Mapping[str, str]] = {
    MonthKind.TEAM_LADDER: N_("Team ladder"),
    MonthKind.RANKING: N_("Ranking prize"),
    MonthKind.CULTIVATION: N_("Cultivation bonus"),
    MonthKind.RECOMMENDATION: N_("Recommendation bonus"),
}
TEAM: Final[Mapping[int | None, str]] = {
    1: N_("In %(month)s member %(member)s sold %(team)s to their own customers, settled."),
    2: N_(
        "In %(month)s member %(member)s and those they recommended sold %(team)s to their own"
        " customers, settled."
    ),
    None: N_(
        "In %(month)s member %(member)s and everybody below them sold %(team)s to their own"
        " customers, settled."
    ),
}
GROSS: Final = N_("The ladder pays %(ladder)s on that: %(gross)s.")
BELOW: Final = N_("Of this %(below)s belongs to leaders below.")
BONUS: Final = N_("%(amount)s is left as the bonus.")
RANKED: Final = N_(
    "In %(month)s member %(member)s sold %(sales)s to their own customers, settled. That is rank"
    " %(rank)s, where equal sales go by the earlier last order."
)
PRIZE: Final = N_("The prize for rank %(rank)s is %(amount)s.")
PROMOTION: Final[Mapping[MonthKind, str]] = {
    MonthKind.CULTIVATION: N_(
        "Member %(member)s recommended member %(promoted)s, who reached level %(level)s;"
        " %(month)s is month %(months_since)s after that."
    ),
    MonthKind.RECOMMENDATION: N_(
        "Member %(member)s recommended member %(promoted)s, who reached level %(level)s in"
        " %(month)s and so caught up with them."
    ),
}
SHARE: Final[Mapping[MonthKind, str]] = {
    MonthKind.CULTIVATION: N_(
        "The plan pays %(plan_rate)s a month of what member %(promoted)s sells to their own"
        " customers; that was %(sales)s."
    ),
    MonthKind.RECOMMENDATION: N_(
        "The plan pays once %(plan_rate)s of what member %(promoted)s sold to their own customers"
        " in that month; that was %(sales)s."
    ),
}
REFUSED: Final[Mapping[StrEnum, str]] = {
    LadderReason.BELOW_LADDER: N_("The ladder begins at %(first_step)s, so it pays nothing."),
    LadderReason.BELONGS_BELOW: N_("Nothing is left as a bonus."),
    IncentiveReason.BELOW_MINIMUM: N_(
        "In %(month)s member %(member)s sold %(sales)s to their own customers, settled. A prize"
        " asks for %(minimum)s."
    ),
    IncentiveReason.OUTRANKED: N_("Prizes go to the first %(prizes)s alone."),
    IncentiveReason.NO_SALES: N_("So there is nothing to share."),
    IncentiveReason.PROMOTED_INACTIVE: N_(
        "Member %(promoted)s was frozen or had left when the month was closed, and nothing is paid"
        " for people who left."
    ),
    Reason.NOT_DISTRIBUTOR: N_(
        "Member %(member)s was not an approved distributor when the month was closed."
    ),
    Reason.FROZEN: N_("Member %(member)s was frozen when the month was closed."),
    Reason.QUIT: N_("Member %(member)s had left when the month was closed."),
    Reason.ZERO_AMOUNT: N_("%(plan_rate)s of %(sales)s is less than one fen."),
}
REASONS: Final[Mapping[str, StrEnum]] = {reason.value: reason for reason in REFUSED}


def is_monthly(facts: StoredFacts) -> bool:
    """Tell facts of a month from those of an order."""
    return "month" in facts


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why a month brought this, or did not."""
    told = common(facts, names)
    kind = MonthKind(facts["kind"])
    if kind is MonthKind.TEAM_LADDER:
        yield from _ladder(facts, told)
    elif kind is MonthKind.RANKING:
        yield from _ranking(facts, told)
    else:
        yield from _promotion(kind, facts, told)
    if not is_award(facts):
        yield Message(REFUSED[REASONS[facts["reason"]]], told)


def _ladder(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield Message(TEAM[facts["max_depth"]], told)
    if facts["ladder_bp"]:
        yield Message(GROSS, told)
        if facts["below_fen"]:
            yield Message(BELOW, told)
    if is_award(facts):
        yield Message(BONUS, told)


def _ranking(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    if "rank" in facts:
        yield Message(RANKED, told)
    if is_award(facts):
        yield Message(PRIZE, told)


def _promotion(kind: MonthKind, facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield Message(PROMOTION[kind], told)
    yield Message(SHARE[kind], told)
    if is_award(facts):
        yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)


DESCRIBED_LADDER: Final[Mapping[int | None, str]] = {
    1: N_("By the month the ladder pays on what a distributor sells to their own customers:"),
    2: N_(
        "By the month the ladder pays on what a distributor and those they recommended sell to"
        " their own customers:"
    ),
    None: N_("By the month the ladder pays on the sales of a distributor and everybody below:"),
}
STEP: Final = N_("From %(from)s on it pays %(rate)s, less what belongs to leaders below.")


def describe_ladder(ladder: Ladder) -> Iterator[Message]:
    """Tell the steps of a ladder."""
    yield Message(DESCRIBED_LADDER[ladder.max_depth])
    for rung in ladder.rungs:
        yield Message(STEP, {"from": yuan(rung.from_fen), "rate": percent(rung.rate_bp)})


def describe(incentives: Incentives | None) -> Iterator[Message]:
    """Tell what a plan pays by the month."""
    if incentives is None:
        return
    if incentives.ladder is not None:
        yield from describe_ladder(incentives.ladder)
    if ranking := incentives.ranking:
        told = {
            "count": len(ranking.prizes_fen),
            "first": yuan(ranking.prizes_fen[0]),
            "minimum": yuan(ranking.minimum_sales_fen),
        }
        yield Message(
            N_(
                "The %(count)s who sell most in a month get prizes, the first %(first)s; each asks"
                " for sales of %(minimum)s."
            ),
            told,
        )
    yield from _describe_promotions(incentives)


def _describe_promotions(incentives: Incentives) -> Iterator[Message]:
    if regular := incentives.cultivation:
        told: dict[str, Any] = {"rate": percent(regular.rate_bp)}
        told |= {"months": regular.months, "level": regular.from_level}
        yield Message(
            N_(
                "Whoever recommended somebody promoted to level %(level)s or above gets %(rate)s of"
                " what that one sells to their own customers in the %(months)s months after it."
            ),
            told,
        )
    if once := incentives.recommendation:
        yield Message(
            N_(
                "Whoever recommended somebody who catches up with their level gets once %(rate)s of"
                " what that one sold to their own customers in that month."
            ),
            {"rate": percent(once.rate_bp)},
        )
