"""What states, kinds and events are called, once for every page.

Each state has a tone, which decides the colour of its badge; kinds and events have none.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin import said
from admin.tones import Label as Label
from admin.tones import Tone as Tone
from app.approvals.states import ApprovalEvent, ApprovalState
from app.attribution.dispute_states import DisputeEvent, DisputeState
from app.attribution.models import (
    BindingEvent,
    BindingState,
    ChannelKind,
    TouchOutcome,
    TouchSource,
)
from app.attribution.rules import TouchReason
from app.catalog.models import ProductKind, StockMove
from app.distribution.models import AwardState
from app.distribution.plan_records import GiftState, SimulationKind, SimulationState
from app.engines.shareholders.holdings import HoldingState
from app.imports.states import ImportKind, ImportState, RowState
from app.ledger.transfers import Name, Unit
from app.members.file_models import FollowUpState
from app.members.models import ConsentPurpose, DistributorKind, Standing
from app.orders.models import Fulfilment
from app.orders.states import OrderEvent, OrderState, RefundEvent, RefundState
from app.payouts.states import BillEvent, BillState, PayoutEvent, PayoutState
from app.plans.models import PlanVersionState
from app.plans.states import PlanVersionEvent
from app.privacy.states import RequestKind, RequestState
from app.risk.states import FlagState, RiskKind
from app.stores.session_models import SessionEnd
from app.stores.states import StoreState

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    OrderState: {
        "created": (_("Waiting for payment"), Tone.WAIT),
        "paid": (_("Paid"), Tone.BUSY),
        "completed": (_("Completed"), Tone.GOOD),
        "settled": (_("Settled"), Tone.GOOD),
        "closed": (_("Closed"), Tone.CALM),
        "paid_late": (_("Paid late"), Tone.BAD),
        "refunded": (_("Refunded"), Tone.CALM),
    },
    RefundState: {
        "requested": (_("To be approved"), Tone.WAIT),
        "approved": (_("Approved"), Tone.BUSY),
        "sent": (_("Sent to WeChat"), Tone.BUSY),
        "abnormal": (_("Stuck at WeChat"), Tone.BAD),
        "succeeded": (_("Refunded"), Tone.GOOD),
        "failed": (_("Failed"), Tone.BAD),
        "rejected": (_("Rejected"), Tone.CALM),
    },
    PayoutState: {
        "requested": (_("To be approved"), Tone.WAIT),
        "approved_once": (_("Needs a second approval"), Tone.WAIT),
        "approved": (_("Being paid out"), Tone.BUSY),
        "succeeded": (_("Paid out"), Tone.GOOD),
        "partly_succeeded": (_("Partly paid out"), Tone.BAD),
        "failed": (_("Failed"), Tone.BAD),
        "rejected": (_("Rejected"), Tone.CALM),
        "cancelled": (_("Cancelled"), Tone.CALM),
    },
    BillState: {
        "created": (_("Not sent yet"), Tone.WAIT),
        "sending": (_("Sent, answer unknown"), Tone.BUSY),
        "accepted": (_("Accepted by WeChat"), Tone.BUSY),
        "waiting_user": (_("Waiting for the receiver"), Tone.WAIT),
        "transferring": (_("On its way"), Tone.BUSY),
        "cancelling": (_("Being cancelled"), Tone.BUSY),
        "succeeded": (_("Received"), Tone.GOOD),
        "failed": (_("Failed"), Tone.BAD),
        "cancelled": (_("Cancelled"), Tone.CALM),
    },
    AwardState: {
        "pending": (_("Pending"), Tone.WAIT),
        "frozen": (_("Waiting for the after-sale window"), Tone.BUSY),
        "matured": (_("Can be withdrawn"), Tone.GOOD),
        "withdrawn": (_("Paid out"), Tone.GOOD),
        "void": (_("Void"), Tone.CALM),
        "reversed": (_("Taken back"), Tone.BAD),
    },
    Standing: {
        "applied": (_("Applied"), Tone.WAIT),
        "active": (lazy_pgettext("standing", "Active"), Tone.GOOD),
        "frozen": (_("Frozen"), Tone.BAD),
        "quit": (_("Quit"), Tone.CALM),
        "refused": (_("Refused"), Tone.CALM),
    },
    PlanVersionState: {
        "draft": (_("Draft"), Tone.CALM),
        "checked": (_("Checked"), Tone.BUSY),
        "simulated": (_("Simulated"), Tone.BUSY),
        "submitted": (_("To be approved"), Tone.WAIT),
        "approved": (_("Approved"), Tone.BUSY),
        "published": (_("Published"), Tone.GOOD),
        "retired": (_("Retired"), Tone.CALM),
    },
    RequestKind: {
        "copy": (_("A copy of their data"), Tone.BUSY),
        "erasure": (_("Erasure of their data"), Tone.WAIT),
    },
    RequestState: {
        "waiting": (_("Waiting"), Tone.WAIT),
        "done": (_("Done"), Tone.GOOD),
        "withdrawn": (lazy_pgettext("wish", "Taken back"), Tone.CALM),
    },
    GiftState: {
        "due": (_("To be handed over"), Tone.WAIT),
        "given": (_("Handed over"), Tone.GOOD),
        "revoked": (_("Revoked"), Tone.CALM),
    },
    HoldingState: {
        "CANDIDATE": (_("Counting purchases"), Tone.CALM),
        "WAITING": (_("Waiting for a seat"), Tone.WAIT),
        "ACTIVE": (lazy_pgettext("holding", "In force"), Tone.GOOD),
        "EXPIRED": (_("Expired"), Tone.CALM),
        "LEFT": (_("Given up"), Tone.CALM),
    },
    SimulationState: {
        "queued": (_("Waiting"), Tone.WAIT),
        "running": (_("Running"), Tone.BUSY),
        "done": (_("Done"), Tone.GOOD),
        "failed": (_("Failed"), Tone.BAD),
    },
    StoreState: {
        "open": (lazy_pgettext("store", "Open"), Tone.GOOD),
        "paused": (_("Closed for a while"), Tone.WAIT),
        "closed": (_("Closed for good"), Tone.CALM),
    },
    ImportState: {
        "uploaded": (_("Being checked"), Tone.BUSY),
        "checked": (_("Checked"), Tone.WAIT),
        "running": (_("Running"), Tone.BUSY),
        "done": (_("Done"), Tone.GOOD),
        "cancelled": (_("Called off"), Tone.CALM),
        "failed": (_("Failed"), Tone.BAD),
    },
    RowState: {
        "read": (_("Not checked yet"), Tone.CALM),
        "valid": (_("Can be imported"), Tone.WAIT),
        "wrong": (lazy_pgettext("rows", "Wrong"), Tone.BAD),
        "done": (lazy_pgettext("rows", "Imported"), Tone.GOOD),
        "skipped": (lazy_pgettext("rows", "Nothing to do"), Tone.CALM),
        "failed": (lazy_pgettext("rows", "Failed"), Tone.BAD),
    },
    FollowUpState: {
        "open": (_("To be done"), Tone.WAIT),
        "done": (_("Done"), Tone.GOOD),
        "cancelled": (_("Called off"), Tone.CALM),
    },
    FlagState: {
        "open": (lazy_pgettext("suspicion", "Open"), Tone.BAD),
        "confirmed": (lazy_pgettext("suspicion", "Confirmed"), Tone.BAD),
        "released": (lazy_pgettext("suspicion", "Released"), Tone.GOOD),
        "expired": (_("Ended by itself"), Tone.CALM),
    },
    BindingState: {
        "soft": (_("Soft"), Tone.BUSY),
        "locked": (_("Locked"), Tone.GOOD),
    },
    ApprovalState: {
        "requested": (lazy_pgettext("request", "Waiting"), Tone.WAIT),
        "approved": (_("Approved"), Tone.GOOD),
        "refused": (_("Refused"), Tone.BAD),
        "withdrawn": (_("Withdrawn"), Tone.CALM),
        "expired": (_("Expired"), Tone.CALM),
        "void": (_("Void"), Tone.BAD),
    },
    DisputeState: {
        "open": (lazy_pgettext("dispute", "Open"), Tone.WAIT),
        "upheld": (_("Upheld"), Tone.GOOD),
        "dismissed": (_("Dismissed"), Tone.CALM),
        "withdrawn": (_("Withdrawn"), Tone.CALM),
    },
    TouchOutcome: {
        "bound": (_("Bound"), Tone.GOOD),
        "renewed": (_("Renewed"), Tone.BUSY),
        "kept": (_("No change"), Tone.CALM),
        "refused": (_("Refused"), Tone.CALM),
    },
}

WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    SessionEnd: {
        "signed_out": _("Signed out"),
        "ended": _("Ended by themselves"),
        "ended_by_others": _("Ended by somebody else"),
        "password": _("Password changed"),
        "reset": _("Sign-in reset"),
        "disabled": _("Disabled"),
        "left": _("Last day passed"),
        "replaced": _("Signed in anew"),
    },
    OrderEvent: {
        "pay": _("Paid"),
        "close": _("Closed"),
        "pay_late": _("Paid after it was closed"),
        "complete": _("Completed"),
        "settle": _("After-sale window over"),
        "refund": _("Refunded in full"),
    },
    RefundEvent: {
        "approve": _("Approved"),
        "reject": _("Rejected"),
        "send": _("Sent to WeChat"),
        "succeed": _("Money returned"),
        "fail": _("Failed"),
        "get_stuck": _("Stuck at WeChat"),
    },
    PayoutEvent: {
        "approve_once": _("First approval"),
        "approve": _("Approved"),
        "reject": _("Rejected"),
        "cancel": _("Cancelled"),
        "succeed": _("Paid out"),
        "succeed_partly": _("Partly paid out"),
        "fail": _("Failed"),
    },
    BillEvent: {
        "send": _("Sent to WeChat"),
        "drop": _("Dropped before sending"),
        "accept": _("Accepted by WeChat"),
        "offer": _("Offered to the receiver"),
        "take": _("Confirmed by the receiver"),
        "ask_cancel": _("Cancellation asked for"),
        "succeed": _("Received"),
        "fail": _("Failed"),
        "cancel": _("Cancelled"),
    },
    PlanVersionEvent: {
        "revise": _("Revised"),
        "check": _("Checked"),
        "simulate": _("Simulated"),
        "submit": _("Submitted"),
        "send_back": _("Sent back"),
        "approve": _("Approved"),
        "publish": _("Published"),
        "retire": _("Retired"),
    },
    SimulationKind: {
        "orders": _("Own orders"),
        "growth": _("Invented growth"),
    },
    ImportKind: {
        "members": _("Earlier customers"),
        "distributors": _("Distributors"),
        "products": _("Products"),
        "stock": _("Stock"),
        "historic_orders": _("Historic orders"),
    },
    BindingEvent: {
        "bound": _("Bound"),
        "renewed": _("Renewed"),
        "locked": _("Locked by a payment"),
        "replaced": _("Replaced by a stronger touch"),
        "transferred": _("Transferred by staff"),
        "ended": _("Ended"),
    },
    ApprovalEvent: {
        "ask": _("Asked for"),
        "approve": _("Approved"),
        "refuse": _("Refused"),
        "withdraw": _("Withdrawn"),
        "expire": _("Expired"),
        "void": _("Void"),
    },
    DisputeEvent: {
        "open": lazy_pgettext("dispute", "Opened"),
        "uphold": _("Upheld"),
        "dismiss": _("Dismissed"),
        "withdraw": _("Withdrawn"),
    },
    ChannelKind: {
        "personal": _("Personal"),
        "group": _("WeChat group"),
        "counter": _("Store counter"),
        "kol": _("Opinion leader"),
        "event": lazy_pgettext("channel", "Event"),
    },
    TouchSource: {
        "staff_scan": _("Scanned by staff"),
        "guest_card": _("Guest card"),
        "poster": _("Poster"),
        "link": _("Link"),
        "search": _("Search"),
    },
    ConsentPurpose: {
        "service": _("Use of the service"),
        "phone": _("Phone number"),
        "marketing": _("Marketing messages"),
    },
    TouchReason: {
        "new_customer": _("A new customer"),
        "lapsed": _("The earlier binding had lapsed"),
        "stronger_source": _("A stronger source replaced a weaker one"),
        "existing_allowed": _("Existing customers may be bound"),
        "same_owner": _("Belongs to this owner already"),
        "self": _("The customer's own code"),
        "household": _("Same household as the owner"),
        "mutual": _("The owner is this customer's customer"),
        "owner_not_active": _("The owner may not win customers at present"),
        "existing_customer": _("Has bought before"),
        "held_by_other": _("Belongs to somebody else"),
        "locked_by_other": _("Locked by somebody else since a purchase"),
    },
    RiskKind: {
        "shared_identity": _("Buyers share an identity"),
        "bind_rate": _("Customers came too fast"),
        "refund_rate": _("Too many refunds"),
        "unpaid_device": _("One device, many customers"),
        "pair": _("Buy from each other"),
        "frozen_above": _("Recommender was frozen"),
        "by_hand": _("Raised by staff"),
    },
    DistributorKind: {"person": _("Person"), "partner": _("Partner business")},
    Fulfilment: {
        "service": _("In the store"),
        "pickup": _("Pick-up"),
        "delivery": _("Delivery"),
    },
    ProductKind: {"goods": _("Goods"), "service": _("Service")},
    StockMove: {
        "receive": lazy_pgettext("stock", "Received"),
        "reserve": _("Reserved"),
        "release": _("Released"),
        "sell": _("Sold"),
        "return": _("Returned"),
        "count": _("Counted"),
    },
    Name: {
        "commission_expense": _("Commission expense (brand)"),
        "wechat_paid_out": _("Paid out by WeChat (brand)"),
        "commission_pending": _("Commission, pending"),
        "commission_available": _("Commission, available"),
        "payout_in_transit": _("Payout on its way"),
        "clawback_debt": _("To be given back"),
        "points_issued": _("Points issued"),
        "points_redeemed": _("Points spent"),
        "points_expired": _("Points expired"),
        "points_pending": _("Points, pending"),
        "points_available": _("Points, available"),
        "points_reserved": _("Points set aside"),
        "points_debt": _("Points owed"),
    },
    Unit: {"fen": _("Yuan"), "point": _("Points")},
}


def label_of(value: StrEnum) -> Any:
    """Return what a member of an enumeration is called on a page."""
    if (state := _state(value)) is not None:
        return state[0]
    kind = type(value)
    words = WORDS.get(kind) or said.WORDS.get(kind, {})
    return words.get(value.value, value.value)


def tone_of(value: StrEnum) -> Tone | None:
    """Return how a state feels, or None for what is no state."""
    state = _state(value)
    return state[1] if state is not None else None


def _state(value: StrEnum) -> Label | None:
    kind = type(value)
    return (STATES.get(kind) or said.STATES.get(kind, {})).get(value.value)
