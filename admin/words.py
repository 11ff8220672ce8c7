"""What audited actions and their subjects are called."""

from admin.i18n import gettext


def action_name(action: str) -> str:
    """Return what people call an action of the audit trail; an unknown one keeps its own name."""
    return _decisions().get(action) or _accounts().get(action) or action


def _decisions() -> dict[str, str]:
    return {
        "distributor_approved": gettext("Distributor approved"),
        "distributor_refused": gettext("Distributor refused"),
        "distributor_frozen": gettext("Distributor frozen"),
        "distributor_unfrozen": gettext("Distributor unfrozen"),
        "distributor_quit": gettext("Distributor left"),
        "recommender_moved": gettext("Recommender moved"),
        "binding_transferred": gettext("Customer handed over"),
        "binding_ended": gettext("Ownership ended"),
        "share_code_issued": gettext("Share code made"),
        "share_code_revoked": gettext("Share code revoked"),
        "product_put": gettext("Product saved"),
        "stock_received": gettext("Stock received"),
        "stock_counted": gettext("Stock counted"),
        "order_completed": gettext("Order handed over"),
        "refund_requested": gettext("Refund asked for"),
        "refund_approved": gettext("Refund approved"),
        "refund_rejected": gettext("Refund rejected"),
        "plan.drafted": gettext("Plan drafted"),
        "plan.submitted": gettext("Plan submitted"),
        "plan.published": gettext("Plan published"),
        "plan.retired": gettext("Plan retired"),
        "payout.approved": gettext("Payout approved"),
        "payout.rejected": gettext("Payout rejected"),
        "payout.bill_cancel_asked": gettext("Transfer taken back"),
        "task_retried": gettext("Task tried again"),
        "exported": gettext("List exported"),
        "phone_revealed": gettext("Phone number seen"),
    }


def _accounts() -> dict[str, str]:
    return {
        "store_created": gettext("Store opened"),
        "staff_created": gettext("Staff appointed"),
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


def subject_name(subject_type: str) -> str:
    """Return what people call the kind of thing that an action was about."""
    names = {
        "order": gettext("Order"),
        "refund": gettext("Refund"),
        "payout": gettext("Payout"),
        "member": gettext("Customer"),
        "distributor": gettext("Distributor"),
        "product": gettext("Product"),
        "stock": gettext("Stock"),
        "plan_version": gettext("Plan version"),
        "share_code": gettext("Share code"),
        "staff": gettext("Staff"),
        "store": gettext("Store"),
        "task": gettext("Task"),
    }
    return names.get(subject_type, subject_type)
