"""Words for codes that the core stores: audited actions, rules, reasons."""

from collections.abc import Mapping
from typing import Any

from flask import current_app

from admin import said
from admin.i18n import gettext, ngettext, pgettext
from admin.labels import label_of
from app.attribution.rules import TouchReason
from app.orders.values import BREAKS
from app.payouts.recording import UNKNOWN_BILL

DAY_SECONDS = 86_400
BREAK_OUTCOMES = frozenset({*(one.value for one in BREAKS), UNKNOWN_BILL})
"""Words of WeChat that leave our books and theirs apart until a person acts."""


def action_names() -> dict[str, str]:
    """Return every action of the audit trail with what people call it, kindred ones together."""
    return {
        **_decisions(),
        **_customer_files(),
        **_approvals(),
        **_accounts(),
        **_imports(),
        **said.actions(),
    }


def action_name(action: str) -> str:
    """Return what people call an action of the audit trail; an unknown one keeps its own name."""
    return action_names().get(action, action)


def _decisions() -> dict[str, str]:
    return {
        "distributor_approved": gettext("Distributor approved"),
        "distributor_refused": gettext("Distributor refused"),
        "distributor_frozen": gettext("Distributor frozen"),
        "distributor_unfrozen": gettext("Distributor unfrozen"),
        "distributor_quit": gettext("Distributor left"),
        "recommender_moved": gettext("Recommender moved"),
        "level_set": gettext("Level set by hand"),
        "level_warning_lifted": gettext("Level warning lifted"),
        "team_stop_lifted": gettext("Stopped team let go on"),
        "binding_transferred": gettext("Customer handed over"),
        "binding_ended": gettext("Ownership ended"),
        "share_code_issued": gettext("Share code made"),
        "share_code_revoked": gettext("Share code revoked"),
        "product_put": gettext("Product saved"),
        "stock_received": gettext("Stock received"),
        "stock_counted": gettext("Stock counted"),
        "stock_low_at_set": gettext("Low-stock alert set"),
        "order_completed": gettext("Order handed over"),
        "refund_requested": gettext("Refund asked for"),
        "refund_approved": gettext("Refund approved"),
        "refund_rejected": gettext("Refund rejected"),
        "plan.drafted": gettext("Plan drafted"),
        "plan.revised": gettext("Plan revised"),
        "plan.finding_confirmed": gettext("Risk of a plan answered for"),
        "plan.simulated": gettext("Simulation of a plan asked for"),
        "plan.submitted": gettext("Plan submitted"),
        "plan.sent_back": gettext("Plan sent back"),
        "plan.approved": gettext("Plan approved"),
        "plan.published": gettext("Plan published"),
        "plan.retired": gettext("Plan retired"),
        "holding.changed": gettext("Holding of a shareholder changed"),
        "month.closed": gettext("Month closed"),
        "gift.given": gettext("Gift handed over"),
        "gift.revoked": gettext("Gift revoked"),
        "payout.approved": gettext("Payout approved"),
        "payout.rejected": gettext("Payout rejected"),
        "payout.bill_cancel_asked": gettext("Transfer taken back"),
        "audit.check_asked": gettext("Trail looked over"),
        "setting.changed": gettext("Setting changed"),
        "setting.withdrawn": gettext("Planned change of a setting withdrawn"),
        "privacy.asked": gettext("Asked about personal data"),
        "privacy.withdrawn": gettext("Request about personal data taken back"),
        "privacy.done": gettext("Request about personal data carried out"),
        "privacy.copy_taken": gettext("Copy of personal data taken"),
        "task_retried": gettext("Task tried again"),
        "exported": gettext("List exported"),
        "export_ended": gettext("File of a list sent"),
        "saved_view_shared": gettext("View of a list shared"),
        "saved_view_withdrawn": gettext("View of a list shared no longer"),
        "phone_revealed": gettext("Phone number seen"),
    }


def _customer_files() -> dict[str, str]:
    return {
        "note_written": gettext("Note written"),
        "note_struck": gettext("Note struck out"),
        "tag_created": gettext("Tag added"),
        "tag_renamed": gettext("Tag renamed"),
        "tag_retired": gettext("Tag retired"),
        "member_tagged": gettext("Customer tagged"),
        "member_untagged": gettext("Tag taken off"),
        "follow_up_planned": gettext("Follow-up planned"),
        "follow_up_ended": gettext("Follow-up ended"),
        "follow_ups_handed_over": gettext("Follow-ups handed over"),
        "risk_flag_raised": gettext("Risk flag raised"),
        "risk_flag_confirmed": gettext("Risk flag confirmed"),
        "risk_flag_released": gettext("Risk flag released"),
        "risk_flag_expired": gettext("Risk flag ended by itself"),
    }


def _approvals() -> dict[str, str]:
    return {
        "approval_asked": gettext("Approval asked for"),
        "approval_approved": gettext("Request approved"),
        "approval_refused": gettext("Request refused"),
        "approval_withdrawn": gettext("Request withdrawn"),
        "approval_expired": gettext("Request expired"),
        "approval_void": gettext("Request void"),
        "dispute_opened": gettext("Dispute opened"),
        "dispute_upheld": gettext("Dispute upheld"),
        "dispute_dismissed": gettext("Dispute dismissed"),
        "dispute_withdrawn": gettext("Dispute withdrawn"),
        "evidence_added": gettext("Evidence added"),
    }


def _accounts() -> dict[str, str]:
    return {
        "store_created": gettext("Store opened"),
        "store_edited": gettext("Store changed"),
        "store_moved": gettext("Store moved to a region"),
        "store_open": gettext("Store opened again"),
        "store_paused": gettext("Store closed for a while"),
        "store_closed": gettext("Store closed for good"),
        "region_created": gettext("Region added"),
        "region_renamed": gettext("Region renamed"),
        "region_deleted": gettext("Region deleted"),
        "staff_code_made": gettext("Code for staff mode made"),
        "staff_bound": gettext("WeChat connected to staff mode"),
        "staff_unbound": gettext("WeChat disconnected from staff mode"),
        "staff_created": gettext("Staff appointed"),
        "staff_duties_set": gettext("Roles and stores set"),
        "staff_person_set": gettext("Personal details set"),
        "staff_left": gettext("Signed out after the last day"),
        "staff_new_device": gettext("Signed in from a new device"),
        "staff_session_ended": gettext("Session ended"),
        "staff_sessions_ended": gettext("Other sessions ended"),
        "role_created": gettext("Role made"),
        "role_changed": gettext("Role changed"),
        "role_retired": gettext("Role switched off"),
        "role_deleted": gettext("Role deleted"),
        "staff_roles_set": gettext("Roles set"),
        "staff_stores_set": gettext("Stores set"),
        "staff_disabled": gettext("Staff disabled"),
        "staff_enabled": gettext("Staff enabled"),
        "staff_signed_in": gettext("Signed in"),
        "staff_signed_out": gettext("Signed out everywhere"),
        "staff_locked_out": gettext("Locked out"),
        "staff_password_set": gettext("Password changed"),
        "staff_sign_in_reset": gettext("Sign-in reset"),
    }


def _imports() -> dict[str, str]:
    return {
        "import.uploaded": gettext("File brought in"),
        "import.begun": gettext("Import begun"),
        "import.done": gettext("Import done"),
        "import.failed": gettext("Import failed"),
        "import.cancelled": gettext("Import called off"),
        "import.resumed": gettext("Import taken up again"),
        "import.rows_taken": gettext("Wrong rows of an import taken out"),
    }


def subject_names() -> dict[str, str]:
    """Return every kind of thing that an action can be about, with what people call it."""
    return {
        "order": gettext("Order"),
        "refund": gettext("Refund"),
        "payout": gettext("Payout"),
        "member": gettext("Customer"),
        "tag": gettext("Tag"),
        "distributor": gettext("Distributor"),
        "approval": pgettext("approval", "Request"),
        "ownership_dispute": gettext("Dispute"),
        "coupon_template": gettext("Coupon template"),
        "poster_template": gettext("Poster"),
        "coupon": gettext("Coupon"),
        "mall_item": gettext("Item of the points mall"),
        "mall_exchange": gettext("Exchange"),
        "card_template": gettext("Kind of guest card"),
        "guest_card": gettext("Guest card"),
        "coupon_push": gettext("Push of coupons"),
        "activity": gettext("Activity"),
        "draw_ticket": gettext("Ticket of a draw"),
        "membership_level": gettext("Membership level"),
        "member_task": gettext("Task for customers"),
        "given_reward": gettext("Reward"),
        "review": gettext("Review"),
        "questionnaire": gettext("Questionnaire"),
        "segment": gettext("Segment"),
        "campaign": gettext("Campaign"),
        "care_rule": gettext("Rule of care"),
        "message_template": gettext("Occasion to write"),
        "product": gettext("Product"),
        "stock": gettext("Stock"),
        "plan_version": gettext("Plan version"),
        "holding": gettext("Holding"),
        "closed_month": gettext("Closed month"),
        "gift": gettext("Gift"),
        "share_code": gettext("Share code"),
        "staff": gettext("Staff"),
        "role": gettext("Role"),
        "setting": gettext("Setting"),
        "store": gettext("Store"),
        "region": gettext("Region"),
        "task": gettext("Task"),
        "audit_check": gettext("Look over the trail"),
        "figures": gettext("Figures"),
    }


def subject_name(subject_type: str) -> str:
    """Return what people call the kind of thing that an action was about."""
    view = current_app.extensions["backoffice"].get(subject_type)
    return subject_names().get(subject_type) or (
        str(view.name) if view is not None else subject_type
    )


def step_reason(step: Any) -> str:
    """Return why a binding changed: a code of the core in words, or what staff wrote."""
    reason: str = step.reason
    if reason in set(TouchReason):
        return str(label_of(TouchReason(reason)))
    words = {
        "paid": gettext("An order was paid"),
        "paid_after_lapse": gettext("An order was paid after the binding had lapsed"),
    }
    return words.get(reason, reason)


def rule_in_words(rule: Mapping[str, Any]) -> list[str]:
    """Return the periods and switches that a binding lives by."""
    texts = [
        gettext("A touch binds for %(span)s.", span=span(int(rule["binding_soft_seconds"]))),
        gettext("A paid order locks for %(span)s.", span=span(int(rule["binding_lock_seconds"]))),
    ]
    if rule.get("existing_customers_bindable"):
        return [*texts, gettext("Customers who bought before may be bound.")]
    return [*texts, gettext("Customers who bought before cannot be bound.")]


def span(seconds: int) -> str:
    """Return a span of time in whole days where it is some, else in seconds."""
    if seconds % DAY_SECONDS == 0:
        return ngettext("%(num)d day", "%(num)d days", seconds // DAY_SECONDS)
    return gettext("%(seconds)s seconds", seconds=seconds)


def outcome_name(outcome: str) -> str:
    """Return what a word of WeChat did to our books."""
    names = {
        "paid": gettext("Payment recorded"),
        "paid_late": gettext("Paid after closing, goes back"),
        "repeated": gettext("Known already"),
        "not_paid": gettext("Not paid"),
        "mismatch": gettext("Does not match our books"),
        "second_transaction": gettext("A second payment of one order"),
        "unknown_order": gettext("An order we do not have"),
        "succeeded": gettext("Succeeded"),
        "failed": gettext("Failed"),
        "abnormal": gettext("Stuck at WeChat"),
        "waiting": gettext("Waiting"),
        "contradiction": gettext("Contradicts what was said before"),
        "unknown_refund": gettext("A refund we do not have"),
        "unknown_bill": gettext("A transfer we do not have"),
    }
    return names.get(outcome, outcome)
