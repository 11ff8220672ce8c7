"""Why a shareholder gets, or does not get, something for an order or a month, in words."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from app.engines.contract import Names, StoredFacts
from app.engines.results import Reason
from app.engines.shareholders.engine import AwardKind, HoldingReason
from app.engines.shareholders.rules import EntryMode, Excess, ShareholderRules, Split
from app.engines.shareholders.titles import title_of
from app.engines.wording import AMOUNT_EXACT, AMOUNT_ROUNDED, BASE, common, is_award, rounds
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

KINDS: Final[Mapping[str, str]] = {
    AwardKind.COMMISSION: N_("Commission on bound customers"),
    AwardKind.REBATE: N_("Rebate on own purchases"),
    AwardKind.POOL: N_("Share of the monthly pool"),
}
WHY: Final[Mapping[str, str]] = {
    AwardKind.COMMISSION: N_(
        "The buyer belonged to member %(member)s when the order was paid, and member %(member)s is"
        " a shareholder of this store, level %(level)s."
    ),
    AwardKind.REBATE: N_(
        "The buyer, member %(member)s, is a shareholder of this store, level %(level)s."
    ),
}
RATE: Final[Mapping[str, str]] = {
    AwardKind.COMMISSION: N_("At this level the plan pays %(plan_rate)s."),
    AwardKind.REBATE: N_("The plan gives shareholders %(plan_rate)s back on their own purchases."),
}
PRODUCT_RATE: Final = N_(
    "This product has commissions of its own: at this level it pays %(plan_rate)s."
)
CAP_KEPT: Final = N_("The plan caps what is paid on a line at %(cap)s; nothing is lost to that.")
CAP_APPLIED: Final = N_(
    "The plan caps what is paid on a line at %(cap)s, the commission coming before the rebate. So"
    " %(rate)s is paid, and %(withheld)s is withheld."
)
POOL: Final = N_(
    "%(net)s was settled at the store in %(month)s, less what refunds took back of earlier months."
    " %(pool_rate)s of %(base)s, with %(carried_before)s left from the month before, is a pool of"
    " %(pool)s."
)
DEFICIT: Final = N_("%(deficit_before)s was missing to zero the month before and came off first.")
WEIGHT: Final = N_(
    "At the month's end member %(member)s holds level %(level)s, which weighs %(weight)s of"
    " %(weights)s among all who take part. Of %(shared)s that makes %(uncapped)s, rounded down."
)
EQUAL: Final = N_(
    "At the month's end member %(member)s is one of %(weights)s at level %(level)s, who share the"
    " %(shared)s of their level equally: %(uncapped)s each, rounded down."
)
LIFETIME_CAP: Final[Mapping[Excess, str]] = {
    Excess.KEPT: N_(
        "Nobody gets more than %(cap_total)s from pools altogether, and %(received)s was paid"
        " before. So %(amount)s is paid; the rest stays with the store."
    ),
    Excess.REDISTRIBUTED: N_(
        "Nobody gets more than %(cap_total)s from pools altogether, and %(received)s was paid"
        " before. So %(amount)s is paid; the rest goes to the other holders."
    ),
}
POOL_CAPPED_OUT: Final = N_(
    "Nobody gets more than %(cap_total)s from pools altogether, and %(received)s was paid before."
)
POOL_TOO_SMALL: Final = N_("That is less than one fen.")
REFUSED: Final[Mapping[StrEnum, str]] = {
    Reason.NOT_DISTRIBUTABLE: N_("This product pays no commission."),
    Reason.PRODUCT_EXCLUDED: N_("The plan leaves this product out."),
    Reason.ZERO_BASE: N_("Nothing was paid for this line, so there is nothing to share."),
    Reason.NO_OWNER: N_("The buyer belonged to nobody when the order was paid."),
    Reason.BENEFICIARY_IS_BUYER: N_(
        "Member %(member)s is the buyer, and nobody earns commission on their own purchase."
    ),
    Reason.HOUSEHOLD: N_(
        "Member %(member)s shares a phone, a device or a payment account with the buyer. That"
        " counts as their own purchase."
    ),
    Reason.NOT_DISTRIBUTOR: N_("Member %(member)s was not an approved distributor."),
    Reason.FROZEN: N_("Member %(member)s was frozen."),
    Reason.QUIT: N_("Member %(member)s had left."),
    Reason.NO_PLACE: N_("Member %(member)s is no shareholder of this store."),
    Reason.LEVEL_NOT_IN_PLAN: N_("The plan does not know the level of member %(member)s."),
    Reason.ZERO_RATE: N_("At level %(level)s the plan pays nothing for this."),
    Reason.CAPPED_OUT: N_("The plan caps what is paid on a line at %(cap)s; nothing is left."),
    Reason.ZERO_AMOUNT: N_("%(rate)s of %(base)s is less than one fen."),
    HoldingReason.NO_SEAT: N_("Member %(member)s has no seat at this store yet."),
    HoldingReason.EXPIRED: N_(
        "The term of member %(member)s as a shareholder of this store was over."
    ),
    HoldingReason.LEFT: N_("Member %(member)s had given up their seat at this store."),
    HoldingReason.INACTIVE: N_(
        "Member %(member)s had no settled purchase of their own in the %(active_days)s days before"
        " the month's end."
    ),
    HoldingReason.EMPTY_POOL: N_("There was nothing to share."),
}
SHARED_OUT: Final = frozenset({Reason.CAPPED_OUT, Reason.ZERO_AMOUNT})
"""Refusals of somebody who takes part in the pool: these also tell their share."""


def explain(facts: StoredFacts, names: Names) -> Iterator[Message]:
    """Tell why this was paid, or was not."""
    told = _told(facts, names)
    if facts["kind"] == AwardKind.POOL:
        yield from _pool(facts, told)
    elif is_award(facts):
        yield from _award(facts, told)
    else:
        yield Message(REFUSED[_reason(facts)], told)


def explain_close(facts: StoredFacts) -> Iterator[Message]:
    """Tell how the pool of a month came about and where it went, from the facts of its close."""
    told = _told(facts, {})
    yield from _how_much(facts, told)
    yield Message(
        N_(
            "%(eligible)s holders took part and got %(paid)s; %(carried)s goes on to the next"
            " month, and %(kept)s stays with the store."
        ),
        told,
    )
    if facts["deficit_fen"]:
        yield Message(N_("%(deficit)s is missing to zero and comes off the next month."), told)


def _award(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield Message(BASE, told)
    yield Message(WHY[facts["kind"]], told)
    yield Message(PRODUCT_RATE if facts["is_product_rate"] else RATE[facts["kind"]], told)
    yield Message(CAP_APPLIED if facts["rate_bp"] < facts["plan_rate_bp"] else CAP_KEPT, told)
    yield Message(AMOUNT_ROUNDED if rounds(facts) else AMOUNT_EXACT, told)


def _pool(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    if is_award(facts):
        yield from _how_much(facts, told)
        yield _share(facts, told)
        if facts["withheld_fen"]:
            yield Message(LIFETIME_CAP[Excess(facts["excess"])], told)
        return
    reason = _reason(facts)
    if reason in SHARED_OUT:
        yield from _how_much(facts, told)
        yield _share(facts, told)
        yield Message(POOL_CAPPED_OUT if reason == Reason.CAPPED_OUT else POOL_TOO_SMALL, told)
        return
    if reason == HoldingReason.EMPTY_POOL:
        yield from _how_much(facts, told)
    yield Message(REFUSED[reason], told)


def _how_much(facts: StoredFacts, told: dict[str, Any]) -> Iterator[Message]:
    yield Message(POOL, told)
    if facts["deficit_before_fen"]:
        yield Message(DEFICIT, told)


def _share(facts: StoredFacts, told: dict[str, Any]) -> Message:
    return Message(EQUAL if facts["split"] == Split.BY_LEVEL else WEIGHT, told)


def _reason(facts: StoredFacts) -> StrEnum:
    code = facts["reason"]
    return HoldingReason(code) if code in set(HoldingReason) else Reason(code)


def _told(facts: StoredFacts, names: Names) -> dict[str, Any]:
    """Return what the sentences can fill in; the level by its name."""
    told = common(facts, names)
    if facts.get("level_code"):
        told["level"] = title_of(facts["level_code"])
    if "pool_bp" in facts:
        told["pool_rate"] = percent(facts["pool_bp"])
        told["pool"] = yuan(facts["pool_fen"])
    return told


ENTRY: Final[Mapping[EntryMode, str]] = {
    EntryMode.CONSUMPTION: N_(
        "Level %(level)s is reached with settled own purchases of %(entry)s at the store."
    ),
    EntryMode.REVIEW: N_(
        "The store decides who becomes a shareholder at level %(level)s; settled own purchases of"
        " %(entry)s speak for it."
    ),
    EntryMode.TOPUP: N_("Level %(level)s is bought with a single top-up of %(entry)s."),
}
BRINGS: Final = N_(
    "Level %(level)s brings %(commission)s on the orders of bound customers, weighs %(weight)s in"
    " the pool, and has %(guest_cards)s guest cards a month to give away."
)


def describe(rules: ShareholderRules) -> Iterator[Message]:
    """Tell the rules of a plan."""
    for level in rules.shareholder_levels:
        told = {
            "level": title_of(level.code),
            "entry": yuan(level.entry_fen),
            "commission": percent(level.commission_bp),
            "weight": level.weight,
            "guest_cards": level.guest_cards,
        }
        yield Message(ENTRY[rules.entry_mode], told)
        yield Message(BRINGS, told)
    yield Message(
        N_("A store has %(seats)s seats; a seat is held for %(months)s months."),
        {"seats": rules.seats_per_store, "months": rules.term_months},
    )
    yield from _describe_pool(rules)
    if rules.rebate_bp:
        yield Message(
            N_("Shareholders get %(rebate)s of their own purchases at the store back."),
            {"rebate": percent(rules.rebate_bp)},
        )
    if rules.product_commissions:
        yield Message(
            N_("%(count)s products have commissions of their own."),
            {"count": len(rules.product_commissions)},
        )


SPLIT: Final[Mapping[Split, str]] = {
    Split.BY_WEIGHT: N_(
        "Each month %(pool)s of the store's net settled sales is shared by weight among the"
        " holders in force who had a settled purchase of their own within %(days)s days."
    ),
    Split.BY_LEVEL: N_(
        "Each month %(pool)s of the store's net settled sales is divided among the levels by"
        " weight, and within a level equally among the holders in force who had a settled purchase"
        " of their own within %(days)s days."
    ),
}
CAP: Final[Mapping[Excess, str]] = {
    Excess.KEPT: N_(
        "Nobody gets more than %(cap)s from pools altogether; what goes beyond stays with the"
        " store."
    ),
    Excess.REDISTRIBUTED: N_(
        "Nobody gets more than %(cap)s from pools altogether; what goes beyond goes to the other"
        " holders."
    ),
}


def _describe_pool(rules: ShareholderRules) -> Iterator[Message]:
    told = {"pool": percent(rules.pool_bp), "days": rules.active_days}
    yield Message(SPLIT[rules.split], told)
    if rules.cap_total_fen is not None:
        yield Message(CAP[rules.excess], {"cap": yuan(rules.cap_total_fen)})
