"""What an engine returns for an event: who gets how much, who gets nothing, and why.

Every value carries `explanation`: codes and numbers only, so that it can be stored as JSON beside
what it explains and told in any language years later (`app.engines.explaining`). It holds
ids of members, and nothing else about them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from app.engines.places import Place
from app.kernel.money import BASIS_POINTS, share_of

Json: TypeAlias = "int | str | bool | list[Json] | dict[str, Json] | None"
Facts: TypeAlias = dict[str, Json]

FACTS_SCHEMA = 1
"""Stands in every explanation as `schema`; rises when the meaning of a fact changes."""


class Outcome(StrEnum):
    """Of what an explanation tells."""

    AWARD = "AWARD"
    REFUSAL = "REFUSAL"
    REVERSAL = "REVERSAL"


class Reason(StrEnum):
    """Why an award was not given, in any model; a model may have reasons of its own besides."""

    NOT_DISTRIBUTABLE = "NOT_DISTRIBUTABLE"
    """The line pays no commission in any plan."""
    PRODUCT_EXCLUDED = "PRODUCT_EXCLUDED"
    """This plan leaves the product out."""
    ZERO_BASE = "ZERO_BASE"
    """Nothing was paid for the line."""
    NO_OWNER = "NO_OWNER"
    """The buyer belonged to nobody when the order was paid."""
    NO_UPLINE = "NO_UPLINE"
    """There is nobody above who could take the seat."""
    BENEFICIARY_IS_BUYER = "BENEFICIARY_IS_BUYER"
    HOUSEHOLD = "HOUSEHOLD"
    """The beneficiary shares a phone, device or payment account with the buyer."""
    ALREADY_SEATED = "ALREADY_SEATED"
    """The same person took the seat before; nobody is paid twice for one line."""
    NOT_DISTRIBUTOR = "NOT_DISTRIBUTOR"
    FROZEN = "FROZEN"
    QUIT = "QUIT"
    NO_LEVEL = "NO_LEVEL"
    LEVEL_NOT_IN_PLAN = "LEVEL_NOT_IN_PLAN"
    """The plan has no rate for the level that the beneficiary holds."""
    ZERO_RATE = "ZERO_RATE"
    """The plan pays nothing to this level in this seat."""
    CAPPED_OUT = "CAPPED_OUT"
    """The cap left nothing for this seat."""
    ZERO_AMOUNT = "ZERO_AMOUNT"
    """The share is less than one fen."""
    NO_PLACE = "NO_PLACE"
    """Whoever would earn has no place in this plan."""
    TOO_FAR = "TOO_FAR"
    """Whoever would earn is further above the buyer than the plan pays."""


@dataclass(frozen=True, slots=True)
class Award:
    """So much to one beneficiary for one line: `rate_bp` of `base_fen`, rounded down, above zero.

    `rate_bp` is the rate applied; None for a fixed amount, which refunds reduce in proportion.
    Where the cap lowered it, `capped_from_fen` is what the plan's own rate would have brought.
    `seat` is how far above the buyer the beneficiary stands, from 1 (0: the buyer).
    """

    line_id: int
    seat: int
    kind: StrEnum
    beneficiary_id: int
    base_fen: int
    rate_bp: int | None
    amount_fen: int
    capped_from_fen: int | None
    explanation: Facts


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing for one seat of one line, or nothing to someone passed over; and the reason."""

    line_id: int
    seat: int
    kind: StrEnum
    beneficiary_id: int | None
    reason: StrEnum
    explanation: Facts


@dataclass(frozen=True, slots=True)
class Gift:
    """Something other than money to one beneficiary: a coupon, points, a service.

    `kind` is for what it is given, `item` what it is as the plan words it, `amount` how many; in
    which form it is given stands in the explanation. `line_id` is the order line that brought it.
    """

    beneficiary_id: int
    kind: StrEnum
    item: str
    amount: int
    line_id: int | None
    explanation: Facts


@dataclass(frozen=True, slots=True)
class Decisions:
    """Everything one event brings and does not bring, by line and seat.

    `places` are the new versions of the places that it changes; `notes` are for people to look at
    (codes with facts), such as somebody promoted on an order that was refunded later.
    """

    awards: tuple[Award, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    places: tuple[Place, ...] = ()
    notes: tuple[Facts, ...] = ()
    gifts: tuple[Gift, ...] = ()

    @property
    def total_fen(self) -> int:
        """What the event costs in commission."""
        return sum(award.amount_fen for award in self.awards)


NOTHING: Final = Decisions()


class Room:
    """What the cap still leaves of one line, in basis points of its base; who comes first takes it.

    Fixed amounts use up the share that they are of the base, rounded up. So the sum of all awards
    of a line stays within `cap_bp` of its base, and within it of whatever refunds leave.

    >>> room = Room(cap_bp=3_000, base_fen=49_900)
    >>> room.take_fixed(10_000), room.take_fixed(20_000), room.take_rate(500)
    (10000, 4965, 0)
    """

    __slots__ = ("base_fen", "left_bp")

    def __init__(self, cap_bp: int, base_fen: int) -> None:
        """Begin with the whole cap."""
        self.left_bp = cap_bp
        self.base_fen = base_fen

    def take_rate(self, rate_bp: int) -> int:
        """Return what the cap leaves of a rate, in basis points."""
        taken = min(rate_bp, self.left_bp)
        self.left_bp -= taken
        return taken

    def take_fixed(self, amount_fen: int) -> int:
        """Return what the cap leaves of a fixed amount, in fen."""
        taken = min(amount_fen, share_of(self.base_fen, self.left_bp))
        if taken:
            self.left_bp -= -(-taken * BASIS_POINTS // self.base_fen)
        return taken
