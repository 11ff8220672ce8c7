"""Why somebody gets, or does not get, commission under chain 2+1, and what its rules say."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.chain.paying import AnyReason, AwardKind, ChainReason
from app.engines.chain.rules import Role
from app.engines.contract import Names, StoredFacts
from app.engines.results import Reason
from app.engines.wording import (
    AMOUNT_EXACT,
    AMOUNT_ROUNDED,
    BASE,
    CAP_APPLIED,
    CAP_KEPT,
    FIXED,
    FIXED_CAPPED,
    WHY_NOT,
    common,
    is_award,
    rounds,
)
from app.kernel.i18n import N_, Message, yuan

KINDS: Final[Mapping[str, str]] = {
    AwardKind.DIRECT: N_("Direct reward"),
    AwardKind.TEAM: N_("Team reward"),
    AwardKind.PEER: N_("Peer reward"),
    AwardKind.REPURCHASE1: N_("Repurchase, first seat"),
    AwardKind.REPURCHASE2: N_("Repurchase, second seat"),
}
WHY_SEATED: Final[Mapping[str, str]] = {
    AwardKind.DIRECT: N_(
        "The buyer belonged to member %(member)s when the order was paid, so the direct reward is"
        " theirs."
    ),
    AwardKind.TEAM: N_(
        "Member %(member)s is the boss of the team of member %(owner)s, to whom the buyer belonged,"
        " so the team reward is theirs."
    ),
    AwardKind.PEER: N_(
        "Member %(boss)s, who got the team reward, left the team of member %(member)s on becoming a"
        " boss, so the peer reward is theirs."
    ),
    AwardKind.REPURCHASE1: N_(
        "The buyer has a place in this plan already and belonged to member %(member)s, so the first"
        " seat is theirs."
    ),
    AwardKind.REPURCHASE2: N_(
        "The buyer has a place in this plan already. Member %(member)s brought member %(owner)s, to"
        " whom the buyer belonged, so the second seat is theirs."
    ),
}
OWN_TEAM: Final = N_(
    "Member %(member)s, to whom the buyer belonged, is a boss, so the team reward is theirs too."
)
RATE: Final[Mapping[Role, str]] = {
    Role.AGENT: N_("Where an agent brought the buyer, the plan pays %(plan_rate)s for this."),
    Role.BOSS: N_("Where a boss brought the buyer, the plan pays %(plan_rate)s for this."),
}
RATE_REPURCHASE: Final = N_("When somebody buys again, the plan pays %(plan_rate)s in this seat.")
SHARE: Final = N_(
    "Member %(boss)s got %(peer_base)s for this line. %(peer)s of that, rounded down to whole fen,"
    " is %(plan_amount)s."
)
SHARE_CAPPED: Final = N_(
    "The plan caps all commission on a line at %(cap)s, and the peer reward comes last. That leaves"
    " %(amount)s."
)
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    Reason.NO_UPLINE: N_("There is nobody above who could take seat %(seat)s."),
    Reason.ALREADY_SEATED: N_("Member %(member)s holds a seat already; nobody is paid twice."),
    Reason.NO_PLACE: N_("Whoever would earn has no place in this plan."),
    Reason.TOO_FAR: N_(
        "Member %(member)s stands %(seat)s steps above the buyer, further than the plan pays."
    ),
    Reason.ZERO_RATE: N_("The plan pays nothing for this."),
    Reason.CAPPED_OUT: N_(
        "The plan caps all commission on a line at %(cap)s, and that leaves nothing for this."
    ),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
    ChainReason.NO_BOSS: N_("There is no boss above member %(owner)s."),
    ChainReason.NO_ORIGIN: N_("Member %(boss)s has left nobody's team."),
    ChainReason.NO_TEAM_REWARD: N_(
        "The peer reward is a share of what a boss gets, and no boss got anything here."
    ),
    ChainReason.REVOKED: N_(
        "The order by which member %(member)s had joined was refunded, so they earn nothing."
    ),
    ChainReason.NOT_A_PACKAGE: N_(
        "Fixed sums are paid once an order, for a package, and this line is not the one."
    ),
    ChainReason.REPURCHASE: N_(
        "The buyer has a place in this plan already, and it pays nothing when somebody buys again."
    ),
}
SHARE_TOO_SMALL: Final = N_("%(peer)s of the %(peer_base)s that member %(boss)s got is no fen.")
ABOUT_THE_SUM: Final = frozenset({Reason.CAPPED_OUT, Reason.ZERO_AMOUNT, Reason.ZERO_RATE})
"""Refusals of someone who may earn: these also tell why the reward was theirs."""


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this award was given, or was not."""
    told = common(facts, names)
    yield from _award(facts, told) if is_award(facts) else _refusal(facts, told)


def _award(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    whole_fen = facts["capped_from_fen"] or facts["amount_fen"]
    told["withheld"] = yuan(whole_fen - facts["amount_fen"])
    yield Message(BASE, told)
    yield _why_seated(facts, told)
    is_capped = facts["amount_fen"] < whole_fen
    if "peer_bp" in facts:
        yield Message(SHARE, told)
        yield Message(SHARE_CAPPED if is_capped else CAP_KEPT, told)
    elif facts["rate_bp"] is None:
        yield Message(FIXED_CAPPED if is_capped else FIXED, told)
        if not is_capped:
            yield Message(CAP_KEPT, told)
    else:
        yield _rate(facts, told)
        is_capped = facts["rate_bp"] < facts["plan_rate_bp"]
        yield Message(CAP_APPLIED if is_capped else CAP_KEPT, told)
        yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)


def _refusal(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    reason = _reason(facts["reason"])
    if reason in ABOUT_THE_SUM:
        yield _why_seated(facts, told)
        if "plan_rate_bp" in facts:
            yield _rate(facts, told)
    is_share = reason is Reason.ZERO_AMOUNT and "peer_bp" in facts
    yield Message(SHARE_TOO_SMALL if is_share else REFUSED[reason], told)


def _reason(code: str) -> AnyReason:
    return ChainReason(code) if code in set(ChainReason) else Reason(code)


def _why_seated(facts: StoredFacts, told: dict[str, Any]) -> Message:
    if facts["kind"] == AwardKind.TEAM and facts["beneficiary_id"] == facts["owner_id"]:
        return Message(OWN_TEAM, told)
    return Message(WHY_SEATED[facts["kind"]], told)


def _rate(facts: StoredFacts, told: dict[str, Any]) -> Message:
    if facts["kind"] in {AwardKind.REPURCHASE1, AwardKind.REPURCHASE2}:
        return Message(RATE_REPURCHASE, told)
    return Message(RATE[Role(facts["owner_role"])], told)
