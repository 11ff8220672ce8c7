"""What we ask of WeChat and what it answers, as values.

Every report has a state that is ours to interpret without knowing WeChat's words. Four states are
no state of the thing itself but of our knowledge:

* UNKNOWN    no answer that can be trusted: timeout, reset, 5xx, bad signature. It may have happened
* NOT_FOUND  WeChat does not know the number; for a short while after a send that proves nothing
* NOT_NOW    WeChat did nothing this time (empty balance, too often, our clock or rights are wrong);
             the same number may be sent again later
* REFUSED    WeChat did nothing and will not, with this request; `wechat_code` says why. Only a
             send is ever refused: a question that was not answered leaves us as wise as before

Amounts are fen. Instants are aware and in UTC. Rules: WeChat Pay v3 documents of each call.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

CNY: Final = "CNY"
TRADE_NUMBER: Final = re.compile(r"[0-9A-Za-z_-]{6,32}", re.ASCII)
REFUND_NUMBER: Final = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
BILL_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)


def _require(number: str, pattern: re.Pattern[str], *amounts_fen: int) -> None:
    """Refuse what no caller may ever ask for; the numbers also become part of addresses."""
    if not pattern.fullmatch(number):
        raise ValueError(f"{number!r} is no number for WeChat")
    if min(amounts_fen) <= 0:
        raise ValueError("an amount is positive")


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in to the mini-program; `unionid` only where WeChat knows one."""

    openid: str
    unionid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepayOrder:
    """A payment we want to receive from one person until `expires_at`."""

    out_trade_no: str
    description: str
    amount_fen: int
    payer_openid: str
    expires_at: datetime

    def __post_init__(self) -> None:
        _require(self.out_trade_no, TRADE_NUMBER, self.amount_fen)
        if not self.description:
            raise ValueError("WeChat shows the payer a description")


class PaymentState(StrEnum):
    """What is known of a payment."""

    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"
    NOT_NOW = "not_now"
    NOT_PAID = "not_paid"
    PAID = "paid"
    REFUNDED = "refunded"
    """Paid, and since then refunded in part or whole."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReport:
    """A payment as WeChat describes it, from a query or a notice.

    `mchid` and `appid` were compared with ours before this value was made; amount, currency and
    payer are for the caller to compare with the order.
    """

    out_trade_no: str
    state: PaymentState
    transaction_id: str | None = None
    amount_fen: int | None = None
    currency: str | None = None
    payer_openid: str | None = None
    paid_at: datetime | None = None
    wechat_code: str | None = None


class CloseOutcome(StrEnum):
    """What became of the wish to close an unpaid order."""

    CLOSED = "closed"
    """It can no longer be paid."""
    PAID = "paid"
    """Too late: it was paid; ask for the payment."""
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Money back for one payment; a repeat must be equal in every field."""

    out_refund_no: str
    out_trade_no: str
    refund_fen: int
    total_fen: int
    reason: str = ""

    def __post_init__(self) -> None:
        _require(self.out_trade_no, TRADE_NUMBER, self.refund_fen, self.total_fen)
        _require(self.out_refund_no, REFUND_NUMBER, self.refund_fen)


class RefundState(StrEnum):
    """What is known of a refund."""

    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    PROCESSING = "processing"
    SUCCESS = "success"
    CLOSED = "closed"
    """It failed for good; the money stayed with us."""
    ABNORMAL = "abnormal"
    """The payer's account cannot take it; people have to find another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReport:
    """A refund as WeChat describes it."""

    out_refund_no: str
    state: RefundState
    refund_id: str | None = None
    out_trade_no: str | None = None
    transaction_id: str | None = None
    refund_fen: int | None = None
    total_fen: int | None = None
    currency: str | None = None
    refunded_at: datetime | None = None
    wechat_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOrder:
    """Money to one person's WeChat balance; a repeat must be equal in every field.

    `out_bill_no`: at most 32 letters and digits. `user_name` is the person's real name, asked for
    from `Settings.transfer_name_required_fen` on.
    """

    out_bill_no: str
    openid: str
    amount_fen: int
    remark: str
    user_name: str | None = None

    def __post_init__(self) -> None:
        _require(self.out_bill_no, BILL_NUMBER, self.amount_fen)
        if not (self.openid and self.remark):
            raise ValueError("a transfer has a receiver and a remark")


class TransferState(StrEnum):
    """What is known of a transfer; from ACCEPTED on in WeChat's own words and order."""

    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    PROCESSING = "processing"
    WAIT_USER_CONFIRM = "wait_user_confirm"
    """The receiver has a day to accept it in WeChat."""
    TRANSFERRING = "transferring"
    SUCCESS = "success"
    FAIL = "fail"
    """`fail_reason` says why, OVERDUE_CLOSE where the receiver let the day pass."""
    CANCELING = "canceling"
    CANCELLED = "cancelled"


FINAL_TRANSFER_STATES: Final = frozenset(
    {TransferState.SUCCESS, TransferState.FAIL, TransferState.CANCELLED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReport:
    """A transfer as WeChat describes it.

    `package_info`, which the mini-program needs to show the confirmation, comes only with the
    answer to a send in WAIT_USER_CONFIRM: keep it, or send the same order again to get it again.
    """

    out_bill_no: str
    state: TransferState
    transfer_bill_no: str | None = None
    amount_fen: int | None = None
    openid: str | None = None
    package_info: str | None = None
    fail_reason: str | None = None
    updated_at: datetime | None = None
    wechat_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A callback that is proven to come from WeChat and to be meant for us.

    `report` is None for a genuine notice of a kind that nothing here waits for; answer it with
    success, or WeChat repeats it for a day. `notice_id` is the same in every repetition.
    """

    notice_id: str
    event_type: str
    created_at: datetime
    report: PaymentReport | RefundReport | TransferReport | None
