"""The kinds of events that a customer's timeline tells; their order breaks ties, last on top."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.cells import Badge
from admin.directory import Reference
from admin.i18n import gettext, pgettext
from admin.labels import label_of, tone_of
from admin.point_parts import points_moved
from admin.staff import visible_store_ids
from admin.timeline import Item, Source, Wanted, rows_of, scalars, seen
from admin.timeline_cards import cards_moved
from admin.timeline_coupons import coupons_moved
from admin.timeline_draws import OF_DRAWS
from admin.timeline_interactions import reviewed, written_to
from admin.timeline_membership import level_moved, rewarded
from admin.words import action_name, step_reason
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding, BindingStep, Touch
from app.attribution.rules import TouchReason
from app.distribution.models import Award
from app.imports.models import HistoricOrder
from app.kernel.audit import AuditRecord
from app.kernel.db import db
from app.members.file_models import FollowUp, MemberNote, MemberTag, Tag
from app.members.models import Consent, Distributor, DistributorStep, Member
from app.orders.models import Order, OrderStep, Refund
from app.orders.states import RefundState
from app.stores.permissions import Permission

TOLD_ELSEWHERE: Final = (
    *("note_written", "note_struck", "member_tagged"),
    "points_adjusted",
    *("follow_up_planned", "follow_up_ended", "binding_transferred", "binding_ended"),
)
"""Audited actions of which the stream tells the rows themselves."""


def _label(text: str, tone: str = "calm") -> Badge:
    return Badge(text, tone)


def _registered(wanted: Wanted) -> Sequence[Item]:
    query = sa.select(Member).where(Member.id == wanted.member_id)
    return [
        Item(one.registered_at, one.id, _label(pgettext("event", "Registered"), "busy"))
        for one in scalars(wanted.page(query, Member.registered_at, Member.id))
    ]


def _consented(wanted: Wanted) -> Sequence[Item]:
    query = sa.select(Consent).where(Consent.member_id == wanted.member_id)
    return [
        Item(
            one.granted_at, one.id, _label(pgettext("event", "Agreed")), note=label_of(one.purpose)
        )
        for one in scalars(wanted.page(query, Consent.granted_at, Consent.id))
    ]


def _withdrew(wanted: Wanted) -> Sequence[Item]:
    query = sa.select(Consent).where(Consent.member_id == wanted.member_id)
    return [
        Item(
            one.withdrawn_at,
            one.id,
            _label(gettext("Consent withdrawn"), "wait"),
            note=label_of(one.purpose),
        )
        for one in scalars(wanted.page(query, Consent.withdrawn_at, Consent.id))
    ]


def _became_distributor(wanted: Wanted) -> Sequence[Item]:
    ids = seen("distributors", Distributor.member_id)
    if ids is None:
        return ()
    query = sa.select(DistributorStep).where(
        DistributorStep.member_id == wanted.member_id,
        DistributorStep.member_id.in_(ids.where(Distributor.member_id == wanted.member_id)),
    )
    return [
        Item(
            one.at,
            one.id,
            Badge(
                gettext("Distributor: %(standing)s", standing=label_of(one.to_standing)),
                str(tone_of(one.to_standing) or "calm"),
            ),
            Reference("distributors", one.member_id),
            one.actor,
            one.reason,
        )
        for one in scalars(wanted.page(query, DistributorStep.at, DistributorStep.id))
    ]


def _historic(wanted: Wanted) -> Sequence[Item]:
    """Orders from before this system, as they were brought in."""
    if not staff.may(Permission.ORDERS_VIEW):
        return ()
    query = sa.select(HistoricOrder).where(HistoricOrder.member_id == wanted.member_id)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(HistoricOrder.store_id.in_(store_ids))
    return [
        Item(
            one.paid_at,
            one.id,
            _label(gettext("Bought, before this system")),
            Reference("stores", one.store_id),
            None,
            one.title,
            one.amount_fen,
        )
        for one in scalars(wanted.page(query, HistoricOrder.paid_at, HistoricOrder.id))
    ]


def _touched(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("touches", Touch, Touch.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.occurred_at,
            one.id,
            Badge(
                gettext("Touch: %(outcome)s", outcome=label_of(one.outcome)),
                str(tone_of(one.outcome) or "calm"),
            ),
            Reference("share_codes", one.share_code_id),
            None,
            label_of(TouchReason(one.reason)) if one.reason in set(TouchReason) else one.reason,
        )
        for one in scalars(wanted.page(query, Touch.occurred_at, Touch.id))
    ]


def _owned(wanted: Wanted) -> Sequence[Item]:
    ids = seen("bindings", Binding.id)
    if ids is None:
        return ()
    query = sa.select(BindingStep).where(
        BindingStep.binding_id.in_(ids.where(Binding.customer_id == wanted.member_id))
    )
    return [
        Item(
            one.at,
            one.id,
            _label(gettext("Ownership: %(event)s", event=label_of(one.event)), "good"),
            Reference("bindings", one.binding_id),
            one.actor,
            step_reason(one),
        )
        for one in scalars(wanted.page(query, BindingStep.at, BindingStep.id))
    ]


def _disputed(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("disputes", OwnershipDispute, OwnershipDispute.customer_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.opened_at,
            one.id,
            _label(gettext("Ownership contested"), "wait"),
            None,
            one.opened_by,
            one.claim,
        )
        for one in scalars(wanted.page(query, OwnershipDispute.opened_at, OwnershipDispute.id))
    ]


def _dispute_ended(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("disputes", OwnershipDispute, OwnershipDispute.customer_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.ended_at,
            one.id,
            _label(gettext("Contest of ownership decided"), "busy"),
            None,
            one.decided_by,
            one.decision_reason,
        )
        for one in scalars(wanted.page(query, OwnershipDispute.ended_at, OwnershipDispute.id))
    ]


def _ordered(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("orders", Order, Order.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.created_at,
            one.id,
            _label(gettext("Order placed")),
            Reference("orders", one.id),
            None,
            None,
            one.payable_fen,
        )
        for one in scalars(wanted.page(query, Order.created_at, Order.id))
    ]


def _order_moved(wanted: Wanted) -> Sequence[Item]:
    ids = seen("orders", Order.id)
    if ids is None:
        return ()
    query = sa.select(OrderStep).where(
        OrderStep.order_id.in_(ids.where(Order.member_id == wanted.member_id))
    )
    return [
        Item(
            one.at,
            one.id,
            Badge(
                gettext("Order: %(event)s", event=label_of(one.event)),
                str(tone_of(one.to_state) or "calm"),
            ),
            Reference("orders", one.order_id),
            one.actor,
            one.note,
        )
        for one in scalars(wanted.page(query, OrderStep.at, OrderStep.id))
    ]


def _refunded(wanted: Wanted) -> Sequence[Item]:
    mine = sa.select(Order.id).where(Order.member_id == wanted.member_id)
    query = rows_of("refunds", Refund, Refund.order_id.in_(mine))
    if query is None:
        return ()
    query = query.where(Refund.state == RefundState.SUCCEEDED)
    return [
        Item(
            one.ended_at,
            one.id,
            _label(gettext("Money returned"), "wait"),
            Reference("refunds", one.id),
            one.requested_by,
            one.reason,
            one.amount_fen,
        )
        for one in scalars(wanted.page(query, Refund.ended_at, Refund.id))
    ]


def _awarded(wanted: Wanted) -> Sequence[Item]:
    mine = sa.select(Order.id).where(Order.member_id == wanted.member_id)
    query = rows_of("awards", Award, Award.order_id.in_(mine))
    if query is None:
        return ()
    return [
        Item(
            one.created_at,
            one.id,
            _label(gettext("Commission granted to somebody")),
            Reference("awards", one.id),
            None,
            None,
            one.amount_fen,
        )
        for one in scalars(wanted.page(query, Award.created_at, Award.id))
    ]


def _tagged(wanted: Wanted) -> Sequence[Item]:
    query = (
        sa.select(MemberTag.tagged_at, MemberTag.tag_id, MemberTag.staff_id, Tag.name)
        .join(Tag, Tag.id == MemberTag.tag_id)
        .where(MemberTag.member_id == wanted.member_id)
    )
    rows = db.session.execute(wanted.page(query, MemberTag.tagged_at, MemberTag.tag_id)).all()
    what = _label(gettext("Tagged"))
    return [
        Item(one.tagged_at, one.tag_id, what, None, f"staff:{one.staff_id}", one.name)
        for one in rows
    ]


def _planned(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("follow_ups", FollowUp, FollowUp.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.created_at,
            one.id,
            _label(gettext("Follow-up planned"), "busy"),
            Reference("follow_ups", one.id),
            f"staff:{one.author_id}",
            one.what,
        )
        for one in scalars(wanted.page(query, FollowUp.created_at, FollowUp.id))
    ]


def _followed_up(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("follow_ups", FollowUp, FollowUp.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.ended_at,
            one.id,
            Badge(
                gettext("Follow-up: %(state)s", state=label_of(one.state)),
                str(tone_of(one.state) or "calm"),
            ),
            Reference("follow_ups", one.id),
            f"staff:{one.ended_by_id}",
            one.note,
        )
        for one in scalars(wanted.page(query, FollowUp.ended_at, FollowUp.id))
    ]


def _noted(wanted: Wanted) -> Sequence[Item]:
    query = rows_of("notes", MemberNote, MemberNote.member_id == wanted.member_id)
    if query is None:
        return ()
    return [
        Item(
            one.written_at,
            one.id,
            _label(gettext("Note, struck out") if one.struck_at else gettext("Note"), "busy"),
            Reference("notes", one.id),
            f"staff:{one.author_id}",
            None if one.struck_at else one.text,
        )
        for one in scalars(wanted.page(query, MemberNote.written_at, MemberNote.id))
    ]


def _audited(wanted: Wanted) -> Sequence[Item]:
    """What else the trail knows: looks at the phone number, sign-ins ended, exports."""
    about = sa.and_(
        AuditRecord.subject_type == "member",
        AuditRecord.subject_id == wanted.member_id,
        AuditRecord.action.not_in(TOLD_ELSEWHERE),
    )
    query = rows_of("audit", AuditRecord, about)
    if query is None:
        return ()
    return [
        Item(
            one.at,
            one.id,
            _label(action_name(one.action)),
            None,
            one.actor_kind if one.actor_id is None else f"{one.actor_kind}:{one.actor_id}",
            one.reason,
        )
        for one in scalars(wanted.page(query, AuditRecord.at, AuditRecord.id))
    ]


OF_MEMBER: Final[tuple[Source, ...]] = (
    _registered,
    _consented,
    _withdrew,
    _historic,
    _became_distributor,
    _touched,
    _owned,
    _disputed,
    _dispute_ended,
    _ordered,
    _order_moved,
    _refunded,
    cards_moved,
    coupons_moved,
    points_moved,
    *OF_DRAWS,
    level_moved,
    rewarded,
    _awarded,
    _tagged,
    _planned,
    _followed_up,
    _noted,
    reviewed,
    written_to,
    _audited,
)
TITLE: Final = _("Timeline")
