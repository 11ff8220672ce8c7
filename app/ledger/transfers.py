"""What moves, from where, to where. Pure: no database, no clock.

A transfer takes a positive amount out of one account and puts it into another, so an entry that
does not balance cannot be written down (after TigerBeetle and Formance).
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What an account counts in. Transfers never cross units."""

    FEN = "fen"
    POINT = "point"


class Name(StrEnum):
    """The kinds of account there are.

    Accounts of members carry a balance on the row. The brand's own do not: one row that every
    order has to lock would serialise the whole brand; their balance is the sum of their transfers.
    """

    COMMISSION_EXPENSE = "commission_expense"
    """The brand's: all commission comes out of it and goes back into it when clawed back."""
    WECHAT_PAID_OUT = "wechat_paid_out"
    """The brand's: what has left through WeChat."""
    COMMISSION_PENDING = "commission_pending"
    """A member's: earned, not yet matured."""
    COMMISSION_AVAILABLE = "commission_available"
    """A member's: matured, may be withdrawn."""
    PAYOUT_IN_TRANSIT = "payout_in_transit"
    """A member's: reserved by payouts whose end is not known yet."""
    CLAWBACK_DEBT = "clawback_debt"
    """A member's: below zero by what they have to give back. Earnings fill it first."""
    POINTS_ISSUED = "points_issued"
    """The brand's: all points come out of it, and go back into it when they are taken back."""
    POINTS_REDEEMED = "points_redeemed"
    """The brand's: what members have spent."""
    POINTS_EXPIRED = "points_expired"
    """The brand's: what members have let run out."""
    POINTS_PENDING = "points_pending"
    """A member's: earned by a purchase that can still be refunded."""
    POINTS_AVAILABLE = "points_available"
    """A member's: can be spent; always the sum of what is left of their lots."""
    POINTS_RESERVED = "points_reserved"
    """A member's: set aside for orders that wait to be paid."""
    POINTS_DEBT = "points_debt"
    """A member's: below zero by points of refunded purchases that they had spent already."""


BRAND_NAMES = frozenset(
    {
        Name.COMMISSION_EXPENSE,
        Name.WECHAT_PAID_OUT,
        Name.POINTS_ISSUED,
        Name.POINTS_REDEEMED,
        Name.POINTS_EXPIRED,
    }
)
DEBT_NAMES = frozenset({Name.CLAWBACK_DEBT, Name.POINTS_DEBT})
MAY_GO_NEGATIVE = BRAND_NAMES | DEBT_NAMES


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """The address of an account: what it holds, counted in what, for whom.

    >>> str(Account(Name.COMMISSION_PENDING, Unit.FEN, 12))
    'commission_pending/fen/12'
    """

    name: Name
    unit: Unit
    member_id: int | None = None

    def __post_init__(self) -> None:
        assert (self.member_id is None) == (self.name in BRAND_NAMES), f"whose is {self.name}?"

    def __str__(self) -> str:
        return "/".join(str(part) for part in (self.name, self.unit, self.member_id) if part)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement of `amount` units from `source` to `target`."""

    source: Account
    target: Account
    amount: int

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"a transfer moves a positive amount, not {self.amount}")
        if self.source == self.target:
            raise ValueError(f"a transfer needs two accounts, not {self.source} twice")
        if self.source.unit != self.target.unit:
            raise ValueError(f"{self.source} and {self.target} count in different units")


COMMISSION_EXPENSE = Account(Name.COMMISSION_EXPENSE, Unit.FEN)
WECHAT_PAID_OUT = Account(Name.WECHAT_PAID_OUT, Unit.FEN)


def pending(member_id: int) -> Account:
    """Return what a member has earned but may not yet withdraw, in fen."""
    return Account(Name.COMMISSION_PENDING, Unit.FEN, member_id)


def available(member_id: int) -> Account:
    """Return what a member may withdraw, in fen."""
    return Account(Name.COMMISSION_AVAILABLE, Unit.FEN, member_id)


def in_transit(member_id: int) -> Account:
    """Return what payouts in progress hold back for a member, in fen."""
    return Account(Name.PAYOUT_IN_TRANSIT, Unit.FEN, member_id)


def debt(member_id: int) -> Account:
    """Return what a member has to give back, as a balance at or below zero, in fen."""
    return Account(Name.CLAWBACK_DEBT, Unit.FEN, member_id)


def credit(member_id: int, source: Account, amount: int, *, debt_fen: int) -> list[Transfer]:
    """Move an amount to what a member may withdraw, filling their debt first.

    `debt_fen` is what they owe, as a positive number.

    >>> [(str(t.target), t.amount) for t in credit(7, pending(7), 100, debt_fen=30)]
    [('clawback_debt/fen/7', 30), ('commission_available/fen/7', 70)]
    """
    repaid = min(amount, debt_fen)
    parts = [(debt(member_id), repaid), (available(member_id), amount - repaid)]
    return [Transfer(source, target, part) for target, part in parts if part > 0]


def claw_back(member_id: int, amount: int, *, available_fen: int) -> list[Transfer]:
    """Take back matured commission: from what may be withdrawn first, the rest becomes debt.

    >>> [(str(t.source), t.amount) for t in claw_back(7, 100, available_fen=30)]
    [('commission_available/fen/7', 30), ('clawback_debt/fen/7', 70)]
    """
    taken = min(amount, available_fen)
    parts = [(available(member_id), taken), (debt(member_id), amount - taken)]
    return [Transfer(source, COMMISSION_EXPENSE, part) for source, part in parts if part > 0]
