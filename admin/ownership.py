"""Whom a customer belonged to at a moment, and why: the question, the answer, the evidence.

The answer is a few sentences that a person can read out to somebody who disagrees, the facts they
rest on, and the orders that fell to that owner. What it names lies within the reader's stores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _

from admin import staff
from admin.cells import Who
from admin.details import Section, pairs_of, rows_section
from admin.directory import Directory, Reference
from admin.i18n import gettext, moment
from admin.labels import label_of
from admin.people import name_of
from admin.staff import visible_store_ids
from admin.tables import Shape
from admin.words import rule_in_words, step_reason
from app.attribution import queries
from app.attribution.models import BindingState, BindingStep
from app.attribution.queries import OwnerAnswer
from app.attribution.rules import Owner, TouchReason
from app.kernel.clock import SHANGHAI, utc_now
from app.kernel.db import db
from app.members.models import Member
from app.orders.models import Order
from app.stores.permissions import Permission

STEPS: Final = Shape(("event", "at", "actor", "reason"), computed={"reason": step_reason})
MOMENTS_MAX: Final = 6
MARK_SHOWN: Final = 8
"""So much of a device's keyed hash tells two devices of one dispute apart."""
YEARS: Final = range(1970, 3000)
"""Years that somebody can mean."""
TOUCH_LABELS: Final = {
    "occurred_at": _("Touched at"),
    "reason": _("Why it won"),
    "device": _("Mark of the device"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as the address holds it; none or nonsense asks about now."""

    at: datetime
    typed: str

    @classmethod
    def read(cls, text: str) -> "Asked":
        """Read an instant by the shops' clock.

        >>> Asked.read("2026-03-01T12:00").at.isoformat()
        '2026-03-01T12:00:00+08:00'
        """
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = utc_now()
        if at.year not in YEARS:
            at = utc_now()
        local = at.astimezone(SHANGHAI) if at.tzinfo else at.replace(tzinfo=SHANGHAI)
        return cls(local, local.strftime("%Y-%m-%dT%H:%M:%S"))


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant worth asking about, and the address that asks."""

    label: str
    url: str


def ownership_section(member: Member) -> Section | None:
    """Return the question and its answer; None for those who may not know owners."""
    if not staff.may(Permission.BINDINGS_VIEW):
        return None
    asked = Asked.read(request.args.get("owned_at", ""))
    answer = queries.owner_at(db.session(), member.id, at=asked.at)
    return Section(
        _("Who owned this customer?"),
        "own",
        template="backoffice/ownership.html",
        facts={
            "asked": asked,
            "moments": _moments(member),
            "told": sentences(member, answer, asked.at),
            "pairs": _evidence(answer),
            "steps": rows_section("", answer.steps, STEPS).table,
            "rule": rule_in_words(answer.rule) if answer.rule else [],
        },
    )


def orders_condition(member: Member) -> sa.ColumnElement[bool] | None:
    """Return which orders fell to the owner who was asked about; None where there was none."""
    asked = Asked.read(request.args.get("owned_at", ""))
    binding = queries.binding_in_force(db.session(), member.id, at=asked.at)
    if binding is None:
        return None
    return sa.and_(Order.member_id == member.id, Order.binding_id == binding.id)


def owner_reference(owner: Owner) -> Reference:
    """Return the row of an owner: a distributor or a store."""
    if owner.distributor_id is not None:
        return Reference("distributors", owner.distributor_id)
    assert owner.store_id is not None, "an owner is one of the two"
    return Reference("stores", owner.store_id)


def sentences(member: Member, answer: OwnerAnswer, at: datetime) -> list[str]:
    """Return who owned a customer at an instant, through what, and until when."""
    when, name = moment(at), name_of(member)
    if answer.owner is None or answer.binding is None:
        text = gettext("On %(at)s %(customer)s belonged to nobody but the brand.")
        return [text % {"at": when, "customer": name}]
    owner = owner_reference(answer.owner)
    code = answer.share_code
    known = [owner, *([Reference("channels", code.channel_id)] if code else [])]
    names = Directory(db.session(), known, store_ids=visible_store_ids())
    told = [
        gettext("On %(at)s %(customer)s belonged to %(owner)s.")
        % {"at": when, "customer": name, "owner": names.name(owner)}
    ]
    told.append(_how(answer, names))
    until = moment(answer.valid_until_at) if answer.valid_until_at else ""
    if answer.state is BindingState.LOCKED:
        told.append(gettext("A purchase had locked this: protected until %(until)s.", until=until))
    else:
        text = gettext("No purchase had locked this yet: without one it ends on %(until)s.")
        told.append(text % {"until": until})
    return told


def _how(answer: OwnerAnswer, names: Directory) -> str:
    """Tell what made the customer theirs: a touch of a code, or a decision of staff."""
    first: BindingStep = answer.steps[0]
    facts: dict[str, Any] = {"since": moment(first.at)}
    if answer.touch is None or answer.share_code is None:
        return gettext(
            "Theirs since %(since)s by a decision of staff: %(reason)s",
            reason=step_reason(first),
            **facts,
        )
    return gettext(
        "Won on %(since)s by a touch of a share code (%(source)s, channel “%(channel)s”).",
        source=label_of(answer.touch.source),
        channel=names.name(Reference("channels", answer.share_code.channel_id)),
        **facts,
    )


def _evidence(answer: OwnerAnswer) -> list[Any]:
    """Return the facts behind the sentences, each linked to its row."""
    if answer.binding is None:
        return []
    facts: dict[str, Any] = {
        "owner_id": answer.binding.owner_id,
        "owner_store_id": answer.binding.owner_store_id,
        "state": answer.state,
        "source": answer.binding.source,
        "valid_from_at": answer.binding.valid_from_at,
        "valid_until_at": answer.valid_until_at,
        "channel_id": answer.share_code.channel_id if answer.share_code else None,
        "share_code_id": answer.share_code.id if answer.share_code else None,
        "binding_id": answer.binding.id,
    }
    touch = answer.touch
    if touch is not None:
        is_known = touch.reason in set(TouchReason)
        facts |= {
            "occurred_at": touch.occurred_at,
            "reason": label_of(TouchReason(touch.reason)) if is_known else touch.reason,
            "device": touch.device_hash[:MARK_SHOWN] if touch.device_hash else None,
        }
    else:
        facts["actor"] = Who(answer.steps[0].actor)
    shown = {name: value for name, value in facts.items() if value is not None}
    return pairs_of(shown, TOUCH_LABELS)


def _moments(member: Member) -> list[Moment]:
    """Return now, each latest order and each latest step of ownership, as buttons."""
    found = [Moment(gettext("Now"), _address(member, None))]
    view = current_app.extensions["backoffice"]["orders"]
    if view.is_accessible():
        query = view.get_query().where(Order.member_id == member.id)
        for order in db.session.scalars(query.order_by(Order.id.desc()).limit(MOMENTS_MAX)):
            label = gettext("Order of %(at)s", at=moment(order.created_at))
            found.append(Moment(label, _address(member, order.created_at)))
    for step in _steps(member):
        label = gettext("%(event)s, %(at)s", event=label_of(step.event), at=moment(step.at))
        found.append(Moment(label, _address(member, step.at)))
    return found


def _steps(member: Member) -> Sequence[BindingStep]:
    """Return the latest events in the customer's history of owners."""
    bindings = [one.id for one in queries.bindings_of(db.session(), member.id)[:MOMENTS_MAX]]
    return db.session.scalars(
        sa.select(BindingStep)
        .where(BindingStep.binding_id.in_(bindings))
        .order_by(BindingStep.id.desc())
        .limit(MOMENTS_MAX)
    ).all()


def _address(member: Member, at: datetime | None) -> str:
    text = at.astimezone(SHANGHAI).replace(tzinfo=None).isoformat() if at else None
    path = url_for("members.details_view", id=member.id, owned_at=text)
    return f"{path}#ownership"
