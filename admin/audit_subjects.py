"""From what an audited action was about to its page, and from a page to its trail."""

from typing import Any, Final

from flask import current_app, url_for

from admin.registers import REGISTERS
from app.kernel.audit import AuditRecord

SUBJECTS: Final = {
    "segment": "segments",
    "campaign": "campaigns",
    "care_rule": "care_rules",
    "questionnaire": "questionnaires",
    "review": "reviews",
    "message_template": "message_templates",
    "order": "orders",
    "refund": "refunds",
    "payout": "payouts",
    "member": "members",
    "distributor": "distributors",
    "product": "products",
    "plan_version": "plan_versions",
    "share_code": "share_codes",
    "setting": "settings",
    "staff": "staff",
    "store": "stores",
    "region": "regions",
    "closed_month": "closed_months",
    "approval": "approvals",
    "ownership_dispute": "disputes",
    "activity": "activities",
    "draw_ticket": "draw_tickets",
    "coupon_template": "coupon_templates",
    "coupon": "coupons",
    "poster_template": "poster_templates",
    "card_template": "card_templates",
    "guest_card": "guest_cards",
    "membership_level": "membership_levels",
    "mall_item": "mall_items",
    "mall_exchange": "mall_exchanges",
    "member_task": "member_tasks",
    "given_reward": "given_rewards",
}
"""Which register the subject of an audited action is in."""

BY_ENDPOINT: Final = {
    REGISTERS[register].endpoint: subject
    for subject, register in SUBJECTS.items()
    if subject != "setting"
}
"""What the trail calls the rows of a view. A setting is known by its changes, which its own page
lists with all that the trail holds."""


def trail_url(view: Any, row_id: Any) -> str:
    """Return the address of everything that was done to a row; nothing where that is not theirs."""
    subject = BY_ENDPOINT.get(getattr(view, "endpoint", ""))
    trail = current_app.extensions["backoffice"].get("audit")
    if subject is None or trail is None or not isinstance(row_id, int):
        return ""
    if not trail.is_accessible():
        return ""
    return url_for("audit.index_view", type=subject, subject=row_id)


def register_of(row: AuditRecord) -> str | None:
    """Return the register of what an action was about, if it is a row with a page."""
    return SUBJECTS.get(row.subject_type)
