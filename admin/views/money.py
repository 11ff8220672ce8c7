"""Commission and payouts."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import g
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.sql import Select

from admin import listing
from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section, steps_section
from admin.directory import Reference
from admin.filters import Choice, Days, Exactly, Options
from admin.forms import ReasonForm
from admin.i18n import gettext, say
from admin.labels import tone_of
from admin.scopes import by_distributor, of_order_or_month
from admin.story import (
    entries_about,
    kind_in_words,
    refusal_sentences,
    sentences_of,
    state_in_words,
)
from admin.tables import Shape
from app.access import settings
from app.distribution.models import Award, AwardRefusal, AwardReversal, AwardState
from app.kernel.db import db
from app.payouts import holds, queries, services
from app.payouts.errors import PayoutNotInState
from app.payouts.models import Payout, PayoutAllocation, PayoutBill
from app.payouts.states import PayoutEvent, PayoutState, taken_back_by
from app.stores.permissions import Permission

STEPS = Shape(("event", "at", "actor", "note"))
BILL_STEPS = Shape(("event", "at", "number", "note"))
CAUSES = {"order_id": _("Order or month"), "kind": _("For what")}
TO_APPROVE = frozenset({PayoutState.REQUESTED, PayoutState.APPROVED_ONCE})


def _kind(row: Award | AwardRefusal) -> str:
    """Return for what somebody is paid, or which place above the buyer that is about."""
    seats = {0: gettext("The buyer"), 1: gettext("First level"), 2: gettext("Second level")}
    return kind_in_words(row.explanation) or seats.get(row.seat, str(row.seat))


def _state(row: Award) -> Badge:
    """Return where an award stands."""
    return Badge(state_in_words(row), tone_of(row.state) or "calm")


def _cause(row: Award | AwardRefusal) -> Reference | None:
    """Return what this was decided on: an order, or a month that was closed."""
    if row.closed_month_id is not None:
        return Reference("closed_months", row.closed_month_id)
    return None if row.order_id is None else Reference("orders", row.order_id)


class AwardsView(ScopedView):
    """What a plan granted, for one order line to one person."""

    permission = Permission.AWARDS_VIEW
    scope = of_order_or_month(Award.order_id, Award.closed_month_id)
    icon = "hand-coins"
    intro = _("Every amount a plan granted, with base, rate and reason. Open one to see why.")

    column_list = (
        "id",
        "beneficiary_id",
        "order_id",
        "kind",
        "rate_bp",
        "amount_fen",
        "reversed_fen",
        "state",
        "created_at",
    )
    labels: ClassVar = CAUSES
    computed: ClassVar = {"kind": _kind, "order_id": _cause, "state": _state}
    search_hint = _("Award no.")
    tabs = Choice("state", _("State"), Award.state, AwardState)
    filters = (
        Exactly("distributor", _("Distributor no."), Award.beneficiary_id, is_id=True),
        Exactly("order", _("Order no."), Award.order_id, is_id=True),
        Exactly("month", _("Month no."), Award.closed_month_id, is_id=True),
        Days("created", _("Created"), Award.created_at),
    )
    facts = (
        "beneficiary_id",
        "order_id",
        "kind",
        "base_fen",
        "rate_bp",
        "amount_fen",
        "reversed_fen",
        "allocated_fen",
        "plan_version_id",
        "created_at",
        "matures_at",
        "matured_at",
    )
    badge = "state"
    exported = (
        "id",
        "beneficiary_id",
        "order_id",
        "kind",
        "base_fen",
        "rate_bp",
        "amount_fen",
        "reversed_fen",
        "allocated_fen",
        "state",
        "created_at",
        "matures_at",
        "matured_at",
    )

    def title_of(self, row: Award) -> str:
        """Return what the award is and its number."""
        return gettext("Commission %(id)s", id=row.id)

    def sections(self, row: Award) -> Iterable[Section | None]:
        """Tell why, what refunds took back, and which payouts pay it."""
        session = db.session()
        yield sentences_section(_("Why"), sentences_of(row))
        reversals = session.scalars(
            sa.select(AwardReversal)
            .where(AwardReversal.award_id == row.id)
            .order_by(AwardReversal.id)
        ).all()
        yield rows_section(
            _("Taken back"), reversals, Shape(("refund_id", "amount_fen", "created_at"))
        )
        allocations = session.scalars(
            sa.select(PayoutAllocation)
            .where(PayoutAllocation.award_id == row.id)
            .order_by(PayoutAllocation.id)
        ).all()
        yield rows_section(
            _("Payouts"), allocations, Shape(("payout_id", "amount_fen", "released_fen"))
        )
        yield entries_about(award_id=row.id)


def _short(row: AwardRefusal) -> str:
    """Return the sentence that gives the reason."""
    sentences = refusal_sentences(row)
    return sentences[-1] if sentences else row.reason


class AwardRefusalsView(ScopedView):
    """Awards that were not given, and why."""

    permission = Permission.AWARDS_VIEW
    scope = of_order_or_month(AwardRefusal.order_id, AwardRefusal.closed_month_id)
    icon = "ban"
    intro = _("Commission that was not paid, and the rule that says so.")

    column_list = ("id", "order_id", "beneficiary_id", "kind", "reason", "created_at")
    labels: ClassVar = CAUSES
    computed: ClassVar = {"kind": _kind, "order_id": _cause, "reason": _short}
    is_counted = False
    filters = (
        Exactly("distributor", _("Distributor no."), AwardRefusal.beneficiary_id, is_id=True),
        Exactly("order", _("Order no."), AwardRefusal.order_id, is_id=True),
        Exactly("month", _("Month no."), AwardRefusal.closed_month_id, is_id=True),
        Days("created", _("Created"), AwardRefusal.created_at),
    )
    facts = ("order_id", "beneficiary_id", "kind", "plan_version_id", "created_at")

    def title_of(self, row: AwardRefusal) -> str:
        """Return what was refused and its number."""
        return gettext("Refusal %(id)s", id=row.id)

    def sections(self, row: AwardRefusal) -> Iterable[Section | None]:
        """Tell why."""
        yield sentences_section(_("Why"), refusal_sentences(row))


def _approve(key: int, act: Act) -> None:
    joined(services.approve, key, actor=act.actor, settings=settings(), now=act.now)


def _ask_cancel(key: int, act: Act) -> None:
    """Take back every transfer of a payout that was not accepted yet: ours, or at WeChat."""
    bills = db.session.execute(
        sa.select(PayoutBill.id, PayoutBill.state)
        .where(PayoutBill.payout_id == key)
        .order_by(PayoutBill.id)
    ).all()
    open_ones = [one.id for one in bills if taken_back_by(one.state)]
    if not open_ones:
        raise PayoutNotInState(PayoutState.APPROVED, PayoutEvent.CANCEL)
    for bill_id in open_ones:
        joined(services.ask_cancel_bill, bill_id, actor=act.actor, now=act.now)


def _hold(row: Payout) -> Badge | None:
    """Return that a payout waits for a hold, of which `page_of` and `details` have asked."""
    is_held = row.member_id in g.get("held_ids", ()) and row.ended_at is None
    return Badge(gettext("Held"), "bad") if is_held else None


def _bill_note(bill: PayoutBill) -> str:
    message = queries.explain_bill(bill)
    return say(message) if message is not None else ""


class PayoutsView(ScopedView):
    """Withdrawals, and what staff decide on them."""

    permission = Permission.PAYOUTS_VIEW
    scope = by_distributor(Payout.member_id)
    icon = "wallet"
    intro = _(
        "What distributors withdraw. Above the limit two different people approve; then WeChat pays"
        " and the receiver confirms on the phone."
    )

    column_list = (
        "number",
        "member_id",
        "amount_fen",
        "state",
        "hold",
        "needs_second_approval",
        "first_approver_id",
        "requested_at",
    )
    labels: ClassVar = {
        "member_id": _("Distributor"),
        "needs_second_approval": _("Two people"),
        "hold": _("Hold"),
    }
    computed: ClassVar = {"hold": _hold}
    references: ClassVar = {"member_id": "distributors"}
    search_hint = _("Payout number")
    sortable = ("amount_fen",)
    tabs = Choice("state", _("State"), Payout.state, PayoutState)
    filters = (
        Options(
            "waits",
            _("Waits for"),
            {"approval": (lazy_pgettext("wait", "Approval"), lambda: Payout.state.in_(TO_APPROVE))},
        ),
        Exactly("distributor", _("Distributor no."), Payout.member_id, is_id=True),
        Days("requested", _("Requested"), Payout.requested_at),
    )
    facts = (
        "member_id",
        "hold",
        "amount_fen",
        "needs_second_approval",
        "first_approver_id",
        "second_approver_id",
        "requested_at",
        "approved_at",
        "ended_at",
    )
    badge = "state"
    decisions = (
        Decision(
            name="approve",
            label=_("Approve"),
            permission=Permission.PAYOUTS_APPROVE,
            question=_("Approve these payouts?"),
            warning=_(
                "The money leaves through WeChat. Amounts above the limit need a second person "
                "after you."
            ),
            run=_approve,
            possible=lambda row: row.state in TO_APPROVE,
            is_primary=True,
            total="amount_fen",
        ),
        Decision(
            name="reject",
            label=_("Reject"),
            permission=Permission.PAYOUTS_APPROVE,
            question=_("Reject these payouts?"),
            warning=_("The amount goes back to what the distributor can withdraw."),
            run=with_reason(services.reject),
            form=ReasonForm,
            possible=lambda row: row.state in TO_APPROVE,
            is_danger=True,
            total="amount_fen",
        ),
        Decision(
            name="cancel-transfers",
            label=_("Take back transfers"),
            permission=Permission.PAYOUTS_APPROVE,
            question=_("Take back the transfers of these payouts?"),
            warning=_(
                "Only what the receiver has not accepted yet. What was sent is back when WeChat "
                "says so, what was not sent at once."
            ),
            run=_ask_cancel,
            possible=lambda row: row.state is PayoutState.APPROVED,
            is_danger=True,
            total="amount_fen",
        ),
    )

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return a page, and ask in one query whose payouts wait for a hold."""
        page = super().page_of(query, wish)
        g.held_ids = holds.held(db.session(), {row.member_id for row in page.rows})
        return page

    def details(self, row: Payout) -> dict[str, Any]:
        """Return everything the page needs, and ask whether the payout waits for a hold."""
        g.held_ids = holds.held(db.session(), {row.member_id})
        return super().details(row)

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find a payout by the beginning of its number, which an index serves."""
        return query.where(Payout.number.startswith(text.strip(), autoescape=True))

    def sections(self, row: Payout) -> Iterable[Section | None]:
        """Show the transfers at WeChat, every step, and which awards are paid."""
        story = queries.payout_story(db.session(), row.id)
        columns = (
            "number",
            "amount_fen",
            "state",
            "note",
            "sent_at",
            "ended_at",
            "wechat_bill_number",
        )
        yield rows_section(
            _("Transfers"),
            story.payout.bills,
            Shape(columns, {"note": _("Explanation")}, computed={"note": _bill_note}),
        )
        yield steps_section(_("What happened"), story.steps, STEPS)
        numbers = {bill.id: bill.number for bill in story.payout.bills}
        steps = [
            {"event": one.event, "at": one.at, "number": numbers[one.bill_id], "note": one.note}
            for one in story.bill_steps
        ]
        yield steps_section(_("What happened at WeChat"), steps, BILL_STEPS)
        yield self._awards(story.allocations)
        yield entries_about(payout_id=row.id)

    def _awards(self, allocations: Iterable[PayoutAllocation]) -> Section | None:
        parts = {one.award_id: one for one in allocations}
        return self.related(
            "awards",
            Award.id.in_(parts),
            title=_("Commission it pays"),
            without=("beneficiary_id",),
        )
