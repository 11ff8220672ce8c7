"""What the page about a customer tells of disputes, and the way to open one."""

from dataclasses import replace

from flask import url_for
from flask_babel import lazy_gettext as _

from admin import staff
from admin.details import Section, Shown
from app.attribution.dispute_models import OwnershipDispute
from app.stores.permissions import Permission


def disputes_section(view: Shown, customer_id: int) -> Section | None:
    """Return the disputes about a customer, with a link to open one for those who may."""
    section = view.related(
        "disputes",
        OwnershipDispute.customer_id == customer_id,
        without=("customer_id",),
        customer=customer_id,
    )
    if section is None:
        return None
    link = url_for("disputes.form_view", form_name="open", customer=customer_id)
    facts = {"open_url": link if staff.may(Permission.DISPUTES_OPEN) else ""}
    return replace(
        section,
        template="backoffice/customer_disputes.html",
        facts=facts,
        empty=_("Nobody contests who owns this customer."),
    )
