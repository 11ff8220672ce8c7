"""The JSON of WeChat Pay v3, field by field, and how it becomes our reports.

Only what we use is read; unknown members are ignored, since WeChat adds some now and then. A value
of a wrong type or a report that lacks what its state promises is `Malformed`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from app.kernel.clock import SHANGHAI
from app.wechat.values import (
    CNY,
    PaymentReport,
    PaymentState,
    RefundReport,
    RefundState,
    TransferReport,
    TransferState,
)

Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]

PAYMENT_STATES: Final[Mapping[str, PaymentState]] = {
    "NOTPAY": PaymentState.NOT_PAID,
    "USERPAYING": PaymentState.NOT_PAID,
    "PAYERROR": PaymentState.NOT_PAID,
    "SUCCESS": PaymentState.PAID,
    "REFUND": PaymentState.REFUNDED,
    "CLOSED": PaymentState.CLOSED,
    "REVOKED": PaymentState.CLOSED,
}
REFUND_STATES: Final[Mapping[str, RefundState]] = {
    "PROCESSING": RefundState.PROCESSING,
    "SUCCESS": RefundState.SUCCESS,
    "CLOSED": RefundState.CLOSED,
    "ABNORMAL": RefundState.ABNORMAL,
}
TRANSFER_STATES: Final[Mapping[str, TransferState]] = {
    "ACCEPTED": TransferState.ACCEPTED,
    "PROCESSING": TransferState.PROCESSING,
    "WAIT_USER_CONFIRM": TransferState.WAIT_USER_CONFIRM,
    "TRANSFERING": TransferState.TRANSFERRING,
    "SUCCESS": TransferState.SUCCESS,
    "FAIL": TransferState.FAIL,
    "CANCELING": TransferState.CANCELING,
    "CANCELLED": TransferState.CANCELLED,
}
PAID_STATES: Final = frozenset({"SUCCESS", "REFUND"})


class Malformed(Exception):
    """The contents are not what WeChat documents; the text names the fields, never their values."""


class _Amount(BaseModel):
    total: StrictInt
    refund: StrictInt | None = None
    currency: StrictStr = CNY


class _Payer(BaseModel):
    openid: StrictStr


class PaymentWire(BaseModel):
    """A payment in a notice or the answer to a query."""

    mchid: StrictStr
    appid: StrictStr
    out_trade_no: StrictStr
    trade_state: StrictStr
    transaction_id: StrictStr | None = None
    amount: _Amount | None = None
    payer: _Payer | None = None
    success_time: Instant | None = None

    @model_validator(mode="after")
    def _paid_means_complete(self) -> Self:
        facts = (self.transaction_id, self.amount, self.payer)
        if self.trade_state in PAID_STATES and not all(facts):
            raise ValueError("a paid order comes with its transaction, amount and payer")
        return self

    def report(self) -> PaymentReport:
        """Return what this says in our words; a state we never heard of is UNKNOWN."""
        return PaymentReport(
            out_trade_no=self.out_trade_no,
            state=PAYMENT_STATES.get(self.trade_state, PaymentState.UNKNOWN),
            transaction_id=self.transaction_id or None,
            amount_fen=self.amount.total if self.amount else None,
            currency=self.amount.currency if self.amount else None,
            payer_openid=self.payer.openid if self.payer else None,
            paid_at=self.success_time,
        )


class RefundWire(BaseModel):
    """A refund; a notice calls its state `refund_status` and names the merchant, answers do not."""

    mchid: StrictStr | None = None
    out_refund_no: StrictStr
    refund_id: StrictStr
    out_trade_no: StrictStr
    transaction_id: StrictStr
    status: StrictStr = Field(validation_alias=AliasChoices("status", "refund_status"))
    amount: _Amount
    success_time: Instant | None = None

    def report(self) -> RefundReport:
        """Return what this says in our words; a state we never heard of is UNKNOWN."""
        return RefundReport(
            out_refund_no=self.out_refund_no,
            state=REFUND_STATES.get(self.status, RefundState.UNKNOWN),
            refund_id=self.refund_id,
            out_trade_no=self.out_trade_no,
            transaction_id=self.transaction_id,
            refund_fen=self.amount.refund,
            total_fen=self.amount.total,
            currency=self.amount.currency,
            refunded_at=self.success_time,
        )


class TransferWire(BaseModel):
    """A transfer bill: in a notice, in the answer to a query, and shorter in that to a send."""

    mch_id: StrictStr | None = None
    appid: StrictStr | None = None
    out_bill_no: StrictStr
    transfer_bill_no: StrictStr
    state: StrictStr
    transfer_amount: StrictInt | None = None
    openid: StrictStr | None = None
    package_info: StrictStr | None = None
    fail_reason: StrictStr | None = None
    update_time: Instant | None = None

    def report(self) -> TransferReport:
        """Return what this says in our words; a state we never heard of is UNKNOWN."""
        return TransferReport(
            out_bill_no=self.out_bill_no,
            state=TRANSFER_STATES.get(self.state, TransferState.UNKNOWN),
            transfer_bill_no=self.transfer_bill_no,
            amount_fen=self.transfer_amount,
            openid=self.openid,
            package_info=self.package_info or None,
            fail_reason=self.fail_reason or None,
            updated_at=self.update_time,
        )


class Envelope(BaseModel):
    """A callback around its encrypted resource."""

    id: StrictStr
    create_time: Instant
    event_type: StrictStr
    resource_type: StrictStr
    resource: "Resource"


class Resource(BaseModel):
    """What is encrypted, and how."""

    algorithm: StrictStr
    ciphertext: StrictStr
    nonce: StrictStr
    associated_data: StrictStr = ""


Wire = TypeVar("Wire", bound=BaseModel)


def parse(model: type[Wire], data: Mapping[str, Any] | bytes) -> Wire:
    """Read JSON into a model, or raise `Malformed`."""
    try:
        if isinstance(data, bytes):
            return model.model_validate_json(data)
        return model.model_validate(data)
    except ValidationError as error:
        places = {".".join(map(str, spot["loc"])) or spot["type"] for spot in error.errors()}
        raise Malformed(", ".join(sorted(places))) from None


def to_wechat_time(at: datetime) -> str:
    """Write an instant as WeChat does: RFC 3339 in whole seconds, Shanghai time.

    >>> to_wechat_time(datetime(2026, 3, 1, 4, 30, 5, 9, tzinfo=UTC))
    '2026-03-01T12:30:05+08:00'
    """
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
