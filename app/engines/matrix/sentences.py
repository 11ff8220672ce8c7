"""Why somebody gets, or does not get, commission in the matrix, and what its rules say."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.matrix.engine import LAYERS, SHALLOW_LAYERS, AwardKind, MatrixReason
from app.engines.matrix.rules import MatrixRules, Placement
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
from app.kernel.money import percent

KINDS: Final[Mapping[str, str]] = {
    AwardKind.SPONSOR: N_("Brought the member"),
    AwardKind.LAYER1: N_("One layer above the new position"),
    AwardKind.LAYER2: N_("2 layers above the new position"),
    AwardKind.LAYER3: N_("3 layers above the new position"),
    AwardKind.LAYER4: N_("4 layers above the new position"),
    AwardKind.LAYER5: N_("5 layers above the new position"),
    AwardKind.LAYER6: N_("6 layers above the new position"),
    AwardKind.LAYER7: N_("7 layers above the new position"),
    AwardKind.LAYER8: N_("8 layers above the new position"),
    AwardKind.LAYER9: N_("9 layers above the new position"),
    AwardKind.LAYER10: N_("10 layers above the new position"),
    AwardKind.LAYER11: N_("11 layers above the new position"),
    AwardKind.LAYER12: N_("12 layers above the new position"),
    AwardKind.COMPLETE: N_("All positions below are filled"),
}
WHY_SPONSOR: Final = N_("Member %(member)s brought the buyer, member %(buyer)s, into the matrix.")
WHY_LAYER: Final = N_(
    "The buyer's new position lies %(layer)s layers below position %(position)s of member"
    " %(member)s."
)
WHY_COMPLETE: Final = N_(
    "The new position is number %(filled)s and the last in the %(layers)s layers below position"
    " %(position)s of member %(member)s. That position is complete and out of the matrix."
)
RATE: Final = N_("The plan pays %(plan_rate)s for this.")
REFUSED: Final[Mapping[StrEnum, str]] = {
    **WHY_NOT,
    Reason.NO_UPLINE: N_("There is no position %(layer)s layers above the new one."),
    Reason.NO_PLACE: N_(
        "Member %(member)s has no position in the matrix, and this plan pays those who have one."
    ),
    Reason.ZERO_RATE: N_("The plan pays nothing for this."),
    Reason.CAPPED_OUT: N_(
        "The plan caps all commission on a line at %(cap)s, and that leaves nothing for this."
    ),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
    MatrixReason.BELOW_ENTRY: N_(
        "%(base)s was paid for %(quantity)s in number, and a position takes %(price)s for each."
    ),
    MatrixReason.ONE_POSITION: N_("Another line of this order has taken the position."),
    MatrixReason.POSITIONS_HELD: N_(
        "The buyer has as many positions as the plan allows, %(positions_max)s. A repurchase pays"
        " nothing here."
    ),
    MatrixReason.NO_SPONSOR: N_(
        "The buyer came into the matrix without anybody who brought them, and that never changes."
    ),
    MatrixReason.OUT: N_(
        "Position %(position)s of member %(member)s is complete and out, so its layers pay nothing"
        " any more."
    ),
    MatrixReason.TOO_FEW_DIRECTS: N_(
        "Layer %(layer)s pays only those who have brought %(directs_needed)s others."
    ),
    MatrixReason.REENTRY: N_(
        "Somebody who came in again completed this position. No order stands behind that, so there"
        " is no bonus."
    ),
}
ABOUT_THE_SUM: Final = frozenset({Reason.ZERO_RATE, Reason.CAPPED_OUT, Reason.ZERO_AMOUNT})
"""Refusals of someone who may earn: these also tell what for."""


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this award was given, or was not."""
    told = common(facts, names)
    if not is_award(facts):
        reason = _reason(facts["reason"])
        if reason in ABOUT_THE_SUM or facts["kind"] == AwardKind.COMPLETE:
            yield _why(facts, told)
        yield Message(REFUSED[reason], told)
        return
    if facts["capped_from_fen"] is not None:
        told["withheld"] = yuan(facts["capped_from_fen"] - facts["amount_fen"])
    else:
        told["withheld"] = yuan(0)
    yield Message(BASE, told)
    yield _why(facts, told)
    yield from _sum(facts, told)


def _why(facts: StoredFacts, told: dict[str, Any]) -> Message:
    match AwardKind(facts["kind"]):
        case AwardKind.SPONSOR:
            return Message(WHY_SPONSOR, told)
        case AwardKind.COMPLETE:
            return Message(WHY_COMPLETE, told)
        case _:
            return Message(WHY_LAYER, told)


def _sum(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    if facts["rate_bp"] is None:
        yield Message(FIXED if facts["capped_from_fen"] is None else FIXED_CAPPED, told)
        return
    yield Message(RATE, told)
    yield Message(CAP_APPLIED if facts["rate_bp"] < facts["plan_rate_bp"] else CAP_KEPT, told)
    yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)


def _reason(code: str) -> StrEnum:
    return Reason(code) if code in Reason.__members__ else MatrixReason(code)


def describe(rules: MatrixRules) -> Iterator[Message]:
    """Tell the rules of a plan."""
    figures = {
        "price": yuan(rules.entry_price_fen),
        "positions": rules.positions_max,
        "width": rules.width,
        "sponsor": percent(rules.sponsor_bp),
    }
    yield Message(
        N_(
            "A package for %(price)s takes a position; nobody holds more than %(positions)s, and"
            " each has %(width)s below it."
        ),
        figures,
    )
    if rules.entry_product_ids:
        yield Message(
            N_("Only %(count)s products are packages."), {"count": len(rules.entry_product_ids)}
        )
    if rules.placement is Placement.GLOBAL:
        yield Message(N_("All positions form one queue, filled from the top, left to right."))
    else:
        yield Message(
            N_("New positions fill those of whoever brought them, from the top, left to right.")
        )
    yield Message(N_("Whoever brings somebody is paid %(sponsor)s."), figures)
    if rules.sponsor_needs_place:
        yield Message(N_("For that they need a position of their own."))
    for kind, rate_bp in zip(LAYERS, rules.layers_bp, strict=False):
        yield Message(
            N_("%(what)s: %(rate)s."), {"what": Message(KINDS[kind]), "rate": percent(rate_bp)}
        )
    if len(rules.layers_bp) > SHALLOW_LAYERS and rules.deep_layer_directs:
        yield Message(
            N_("Deeper layers than %(layers)s pay those who have brought %(directs)s others."),
            {"layers": SHALLOW_LAYERS, "directs": rules.deep_layer_directs},
        )
    yield from _describe_completion(rules)


def _describe_completion(rules: MatrixRules) -> Iterator[Message]:
    if not rules.completion_layers:
        yield Message(N_("No position is ever complete."))
        return
    figures = {
        "layers": rules.completion_layers,
        "count": rules.capacity,
        "bonus": yuan(rules.completion_fen),
    }
    yield Message(
        N_(
            "A position with all %(count)s positions in the %(layers)s layers below it is paid"
            " %(bonus)s once, and is out."
        ),
        figures,
    )
    if rules.reentry:
        yield Message(N_("Whoever is out is placed again, which pays nobody."))
