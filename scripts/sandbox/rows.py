"""What the books hold. Each row is replaced as a whole, never changed in place.

Times are seconds of the sandbox's clock (see `Clock`), amounts fen.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row(ABC):
    """One thing the books know."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Name the row among those of its type."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Return the other numbers it can be found by."""
        return ()

    @property
    def is_pending(self) -> bool:
        """Say whether something will still happen to it by itself."""
        return False


@dataclass(frozen=True, kw_only=True)
class Money(Row):
    """A row that moves the merchant's balance."""

    @property
    @abstractmethod
    def effect(self) -> int:
        """Return what it adds to the balance."""


@dataclass(frozen=True, kw_only=True)
class User(Row):
    """A person with a phone."""

    openid: str
    nickname: str
    phone: str
    unionid: str | None = None
    real_name: str | None = None

    @property
    def key(self) -> str:
        """Name the row."""
        return self.openid


@dataclass(frozen=True, kw_only=True)
class Code(Row):
    """A one-time code that a phone handed to the mini-program."""

    code: str
    purpose: str
    openid: str
    expires_at: float
    is_used: bool = False

    @property
    def key(self) -> str:
        """Name the row."""
        return self.code


@dataclass(frozen=True, kw_only=True)
class Token(Row):
    """An access token; `family` is plain or stable, which know nothing of each other."""

    token: str
    family: str
    issued_at: float
    expires_at: float

    @property
    def key(self) -> str:
        """Name the row."""
        return self.token


@dataclass(frozen=True, kw_only=True)
class Trade(Money):
    """An order at WeChat Pay."""

    out_trade_no: str
    prepay_id: str
    openid: str
    description: str
    total: int
    notify_url: str
    attach: str
    created_at: float
    expires_at: float
    state: str = "NOTPAY"
    transaction_id: str = ""
    paid_at: float = 0
    refund_numbers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name the row."""
        return self.out_trade_no

    @property
    def aliases(self) -> tuple[str, ...]:
        """Return the other numbers it can be found by."""
        return tuple(filter(None, (self.prepay_id, self.transaction_id)))

    @property
    def effect(self) -> int:
        """Return what it adds to the merchant's balance."""
        return self.total if self.transaction_id else 0


@dataclass(frozen=True, kw_only=True)
class Refund(Money):
    """Money back for a trade."""

    out_refund_no: str
    refund_id: str
    out_trade_no: str
    transaction_id: str
    openid: str
    refund: int
    total: int
    reason: str
    notify_url: str
    created_at: float
    status: str = "PROCESSING"
    success_at: float = 0

    @property
    def key(self) -> str:
        """Name the row."""
        return self.out_refund_no

    @property
    def is_pending(self) -> bool:
        """Say whether it has yet to end."""
        return self.status == "PROCESSING"

    @property
    def effect(self) -> int:
        """Return what it adds to the merchant's balance."""
        return 0 if self.status == "CLOSED" else -self.refund


@dataclass(frozen=True, kw_only=True)
class Transfer(Money):
    """A transfer bill."""

    out_bill_no: str
    transfer_bill_no: str
    openid: str
    amount: int
    terms: dict[str, Any]
    """All that a repeat has to be equal in."""
    notify_url: str
    package_info: str
    created_at: float
    updated_at: float
    state: str
    fail_reason: str = ""
    is_slow: bool = False
    """Moves on by one state whenever it is looked at."""

    @property
    def key(self) -> str:
        """Name the row."""
        return self.out_bill_no

    @property
    def aliases(self) -> tuple[str, ...]:
        """Return the other number it can be found by."""
        return (self.transfer_bill_no,)

    @property
    def is_pending(self) -> bool:
        """Say whether it has yet to end."""
        return self.state not in {"SUCCESS", "FAIL", "CANCELLED"}

    @property
    def is_alive(self) -> bool:
        """Say whether its money is with the receiver or reserved for them."""
        return self.state not in {"FAIL", "CANCELLED"}

    @property
    def effect(self) -> int:
        """Return what it adds to the merchant's balance."""
        return -self.amount if self.is_alive else 0


@dataclass(frozen=True, kw_only=True)
class Notice(Row):
    """A callback on its way."""

    notice_id: str
    event_type: str
    original_type: str
    summary: str
    url: str
    resource: dict[str, Any]
    created_at: float
    due_at: float
    attempts: int = 0
    state: str = "pending"
    """pending, delivered, given_up or silenced"""
    last_status: int | None = None

    @property
    def key(self) -> str:
        """Name the row."""
        return self.notice_id

    @property
    def is_pending(self) -> bool:
        """Say whether it has yet to be delivered."""
        return self.state == "pending"


@dataclass(frozen=True, kw_only=True)
class Template(Row):
    """A template of subscribe messages whose fields are known, and so checked."""

    template_id: str
    fields: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name the row."""
        return self.template_id


@dataclass(frozen=True, kw_only=True)
class Permission(Row):
    """How many messages of one template a person still allows; one for each tap on "allow"."""

    openid: str
    template_id: str
    left: int = 0

    @property
    def key(self) -> str:
        """Name the row."""
        return f"{self.openid} {self.template_id}"


@dataclass(frozen=True, kw_only=True)
class Message(Row):
    """A subscribe message on somebody's phone."""

    msgid: str
    openid: str
    template_id: str
    page: str
    data: dict[str, str]
    sent_at: float

    @property
    def key(self) -> str:
        """Name the row."""
        return self.msgid


@dataclass(frozen=True, kw_only=True)
class Clock(Row):
    """How far the sandbox's clock is ahead of the machine's."""

    ahead_seconds: float = 0

    @property
    def key(self) -> str:
        """Name the row; there is one."""
        return "clock"


@dataclass(frozen=True, kw_only=True)
class Terms(Row):
    """What the merchant has on account at the start, and WeChat's limits for transfers."""

    opening_fen: int
    min_fen: int
    max_fen: int
    user_day_fen: int
    merchant_day_fen: int

    @property
    def key(self) -> str:
        """Name the row; there is one."""
        return "terms"


ROW_TYPES: dict[str, type[Row]] = {
    kind.__name__: kind
    for kind in (
        *(User, Code, Token, Trade, Refund, Transfer, Notice, Clock, Terms),
        *(Template, Permission, Message),
    )
}
