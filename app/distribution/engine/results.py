"""What an engine returns for an order: who gets how much, who gets nothing, and why.

Every value carries `explanation`: codes and numbers only, so that it can be stored as JSON beside
what it explains and told in any language years later (`app.distribution.explanations`). It holds
ids of members, and nothing else about them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "int | str | bool | list[Json] | dict[str, Json] | None"
Facts: TypeAlias = dict[str, Json]

FACTS_SCHEMA = 1
"""Stands in every explanation as `schema`; rises when the meaning of a fact changes."""


class Outcome(StrEnum):
    """Of what an explanation tells."""

    AWARD = "AWARD"
    REFUSAL = "REFUSAL"
    REVERSAL = "REVERSAL"


class AwardKind(StrEnum):
    """For what an award is given."""

    L1 = "L1"
    L2 = "L2"


class Reason(StrEnum):
    """Why an award was not given."""

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


@dataclass(frozen=True, slots=True)
class Award:
    """So much to one beneficiary for one line: `rate_bp` of `base_fen`, rounded down, above zero.

    `rate_bp` is the rate applied. Where the cap lowered it, `capped_from_fen` is what the plan's
    own rate would have brought.
    """

    line_id: int
    seat: int
    kind: AwardKind
    beneficiary_id: int
    base_fen: int
    rate_bp: int
    amount_fen: int
    capped_from_fen: int | None
    explanation: Facts


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing for one seat of one line, or nothing to someone passed over; and the reason."""

    line_id: int
    seat: int
    kind: AwardKind
    beneficiary_id: int | None
    reason: Reason
    explanation: Facts


@dataclass(frozen=True, slots=True)
class Decisions:
    """Everything one order brings and does not bring, by line and seat."""

    awards: tuple[Award, ...]
    refusals: tuple[Refusal, ...]

    @property
    def total_fen(self) -> int:
        """What the order costs in commission."""
        return sum(award.amount_fen for award in self.awards)
