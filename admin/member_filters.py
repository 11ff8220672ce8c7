"""Filters of the list of customers that ask other tables, each by an index of theirs."""

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.filters import Arguments, Control, Options
from admin.urls import as_id
from app.attribution.models import Binding
from app.kernel.clock import business_day, utc_now
from app.kernel.db import db
from app.members.file_models import FollowUp, FollowUpState, MemberTag, Tag
from app.members.models import Member
from app.orders.models import Order
from app.stores.permissions import Permission

LATELY: Final = timedelta(days=30)
ASLEEP: Final = timedelta(days=90)


class OfTag:
    """Customers who bear one of the brand's tags."""

    name = "tag"
    label = _("Tag")

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with every tag; none where the brand has none."""
        found = db.session.scalars(sa.select(Tag).order_by(Tag.name))
        choices = [(str(one.id), one.name) for one in found]
        value = arguments.get(self.name, "")
        return [Control("select", self.name, self.label, value, choices)] if choices else []

    def apply(self, query: sa.Select[Any], arguments: Arguments) -> sa.Select[Any]:
        """Keep customers who bear the tag."""
        key = as_id(arguments.get(self.name, ""))
        if key is None:
            return query
        bears = sa.select(MemberTag.member_id).where(MemberTag.tag_id == key)
        return query.where(Member.id.in_(bears))


class OwnedBy:
    """Customers who belong to one distributor at present."""

    name = "owner"
    label = _("Owner (distributor no.)")

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one text input, for those who may know owners."""
        if not staff.may(Permission.BINDINGS_VIEW):
            return []
        return [Control("text", self.name, self.label, arguments.get(self.name, ""))]

    def apply(self, query: sa.Select[Any], arguments: Arguments) -> sa.Select[Any]:
        """Keep customers of the distributor; nobody for what cannot be a number."""
        value = arguments.get(self.name, "").strip()
        if not value or not staff.may(Permission.BINDINGS_VIEW):
            return query
        owned = sa.select(Binding.customer_id).where(
            Binding.owner_id == (as_id(value) or 0),
            Binding.valid_from_at <= sa.func.now(),
            Binding.valid_until_at > sa.func.now(),
        )
        return query.where(Member.id.in_(owned))


def _paid_since(span: timedelta) -> sa.ColumnElement[bool]:
    """Say that a customer paid at any store within a span."""
    return sa.exists().where(Order.member_id == Member.id, Order.paid_at >= utc_now() - span)


def _asleep() -> sa.ColumnElement[bool]:
    return sa.and_(Member.first_paid_at.is_not(None), sa.not_(_paid_since(ASLEEP)))


def _due(*whose: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    due = sa.select(FollowUp.member_id).where(
        FollowUp.state == FollowUpState.OPEN, FollowUp.due_on <= business_day(utc_now()), *whose
    )
    return Member.id.in_(due)


def _mine() -> sa.ColumnElement[bool]:
    me = staff.current()
    return _due(FollowUp.assignee_id == (me.id if me is not None else None))


BOUGHT: Final = Options(
    "last",
    _("Last order"),
    {
        "lately": (_("Within 30 days"), lambda: _paid_since(LATELY)),
        "asleep": (_("Not for 90 days"), _asleep),
    },
)
DUE: Final = Options(
    "follow_up",
    _("Follow-up"),
    {"due": (_("Due by today"), _due), "mine": (_("Mine, due by today"), _mine)},
)
