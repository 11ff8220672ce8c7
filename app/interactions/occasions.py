"""What customers are written about: the occasions, what can be said of each, and why. Pure.

A template of the brand fills the fields of a template at WeChat with the values named here. Adding
an occasion is one entry; adding one that follows from an event is one more line in `telling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from app.interactions.states import MessagePurpose
from app.kernel.i18n import N_
from app.wechat.template_values import Value, ValueKind, ValueUnfit, fit, kind_of

DAY: Final = timedelta(days=1)
CAMPAIGN: Final = "campaign"
CARE: Final = "care"


class Sort(StrEnum):
    """What sort of value of ours something is."""

    TEXT = "text"
    MOMENT = "moment"
    MONEY = "money"
    COUNT = "count"


FITS: Final[Mapping[Sort, frozenset[ValueKind]]] = {
    Sort.TEXT: frozenset({ValueKind.THING, ValueKind.NAME, ValueKind.CHARACTER_STRING}),
    Sort.MOMENT: frozenset({ValueKind.TIME, ValueKind.DATE}),
    Sort.MONEY: frozenset({ValueKind.AMOUNT}),
    Sort.COUNT: frozenset({ValueKind.NUMBER, ValueKind.THING, ValueKind.CHARACTER_STRING}),
}
"""In which fields of WeChat's a sort of value can stand."""

EXAMPLES: Final[Mapping[Sort, Value]] = {
    Sort.TEXT: "…",
    Sort.MOMENT: datetime(2026, 3, 1, 12, tzinfo=UTC),
    Sort.MONEY: 12_300,
    Sort.COUNT: 3,
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something to write about; `values` are what can be said of it."""

    title: str
    values: Mapping[str, Sort]
    purpose: MessagePurpose = MessagePurpose.SERVICE
    lives: timedelta = field(default=DAY)
    """How long it is still worth reading."""


_ORDER: Final = {"number": Sort.TEXT, "store": Sort.TEXT, "amount": Sort.MONEY, "at": Sort.MOMENT}
_CARD: Final = {"title": Sort.TEXT, "friend": Sort.TEXT, "at": Sort.MOMENT}
_GROUP: Final = {"title": Sort.TEXT, "people": Sort.COUNT, "at": Sort.MOMENT}
_SAID: Final = {"title": Sort.TEXT, "text": Sort.TEXT, "note": Sort.TEXT, "until": Sort.MOMENT}

OCCASIONS: Final[Mapping[str, Occasion]] = {
    "order_paid": Occasion(N_("An order was paid"), _ORDER),
    "order_refunded": Occasion(N_("Money was returned"), _ORDER),
    "payout_to_confirm": Occasion(
        N_("A payout waits to be accepted"),
        {"number": Sort.TEXT, "amount": Sort.MONEY, "until": Sort.MOMENT},
    ),
    "level_warned": Occasion(
        N_("A distributor may lose their level"),
        {"level": Sort.COUNT, "until": Sort.MOMENT},
        lives=7 * DAY,
    ),
    "team_stopped": Occasion(
        N_("A team takes no newcomers for now"),
        {"people": Sort.COUNT, "at": Sort.MOMENT},
        lives=7 * DAY,
    ),
    "guest_card_claimed": Occasion(N_("A friend took a guest card"), _CARD),
    "guest_card_used": Occasion(N_("A friend used a guest card"), _CARD),
    "booking_made": Occasion(
        N_("A visit was booked"),
        {"title": Sort.TEXT, "store": Sort.TEXT, "at": Sort.MOMENT},
    ),
    "booking_reminder": Occasion(
        N_("A booked visit is near"),
        {"title": Sort.TEXT, "store": Sort.TEXT, "at": Sort.MOMENT},
    ),
    "booking_missed": Occasion(
        N_("A booked visit was missed"),
        {"title": Sort.TEXT, "store": Sort.TEXT, "at": Sort.MOMENT},
    ),
    "group_completed": Occasion(N_("A group is complete"), _GROUP),
    "group_failed": Occasion(N_("A group did not become complete"), _GROUP),
    "invite_complete": Occasion(N_("Enough invited friends came"), _GROUP),
    "coupon_given": Occasion(
        N_("A coupon was given"), {"title": Sort.TEXT, "until": Sort.MOMENT}, lives=3 * DAY
    ),
    "coupon_expiring": Occasion(
        N_("A coupon runs out soon"), {"title": Sort.TEXT, "until": Sort.MOMENT}, lives=3 * DAY
    ),
    "points_expiring": Occasion(
        N_("Points run out soon"), {"points": Sort.COUNT, "until": Sort.MOMENT}, lives=3 * DAY
    ),
    "review_replied": Occasion(
        N_("The store replied to a review"),
        {"title": Sort.TEXT, "text": Sort.TEXT, "at": Sort.MOMENT},
        lives=3 * DAY,
    ),
    "membership_raised": Occasion(
        N_("A member reached a level"), {"level": Sort.TEXT, "at": Sort.MOMENT}, lives=3 * DAY
    ),
    "membership_ending": Occasion(
        N_("A membership level ends soon"),
        {"level": Sort.TEXT, "until": Sort.MOMENT},
        lives=7 * DAY,
    ),
    CARE: Occasion(N_("Birthday and care"), _SAID, MessagePurpose.MARKETING, 3 * DAY),
    CAMPAIGN: Occasion(N_("Campaigns"), _SAID, MessagePurpose.MARKETING, 3 * DAY),
}


def flaw_of(key: str, fields: Mapping[str, Any]) -> str | None:
    """Return which field of a template WeChat would not take from us; None where all are fine.

    A key that is no occasion, and a template without fields, are flaws called `key` and `fields`.
    """
    occasion = OCCASIONS.get(key)
    if occasion is None:
        return "key"
    if not fields:
        return "fields"
    for name, source in fields.items():
        kind, sort = kind_of(name), occasion.values.get(str(source))
        if kind is None or sort is None or kind not in FITS[sort]:
            return name
    return None


def compose(fields: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, str]:
    """Return a text for each field of a template, cut to WeChat's limits.

    A value that is not given counts as nothing to say. Raises `ValueUnfit` where one cannot stand
    in its field.
    """
    told = {}
    for name, source in fields.items():
        kind = kind_of(name)
        if kind is None:
            raise ValueUnfit(f"{name} is no field of WeChat's")
        told[name] = fit(kind, values.get(str(source), ""))
    return told


def example_of(key: str) -> dict[str, Value]:
    """Return values such as an occasion would have, for a look at its template."""
    return {name: EXAMPLES[sort] for name, sort in OCCASIONS[key].values.items()}
