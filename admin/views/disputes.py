"""Disputes about who owns a customer: the claim, what was brought, what is on record, decisions."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask import abort, make_response, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from werkzeug.wrappers import Response

from admin import dispute_forms, ownership
from admin.actions import with_reason
from admin.approving import or_ask
from admin.base import ScopedView
from admin.cells import Who, html
from admin.decisions import Decision
from admin.details import Section, rows_section, sentences_section, steps_section
from admin.directory import Directory, Reference
from admin.dispute_forms import (
    CLAIMANTS,
    CUSTOMERS,
    UPLOAD_BYTES_MAX,
    ClaimForm,
    EvidenceForm,
    UpholdForm,
)
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext
from admin.scopes import by_member
from admin.staff import visible_store_ids
from admin.tables import Shape
from admin.urls import as_id
from admin.words import rule_in_words
from app.approvals.models import Approval
from app.attribution import disputes, evidence, queries
from app.attribution.dispute_errors import DisputeNotFound
from app.attribution.dispute_models import DisputeState, EvidenceFile, OwnershipDispute
from app.attribution.models import ShareCode
from app.kernel.db import db
from app.members.models import Member
from app.orders.models import Order
from app.stores.permissions import Permission


def _claimant(row: OwnershipDispute) -> Reference:
    owner = row.claimant
    return Reference("distributors" if owner.distributor_id else "stores", owner.id)


def _is_open(row: OwnershipDispute) -> bool:
    return row.state is DisputeState.OPEN


class DisputesView(ScopedView):
    """Claims that a customer belongs to somebody else."""

    permission = Permission.BINDINGS_VIEW
    scope = by_member(OwnershipDispute.customer_id)
    is_counted_by_store = False
    icon = "scale"
    intro = _(
        "Who says that a customer is theirs, and what became of it. Whatever is decided holds from "
        "then on: orders made before keep their owner."
    )

    column_list = (
        "customer_id",
        "claimant",
        "state",
        "about_at",
        "opened_at",
        "opened_by",
        "claim",
    )
    computed: ClassVar = {
        "claimant": _claimant,
        "opened_by": lambda row: Who(row.opened_by),
        "decided_by": lambda row: Who(row.decided_by) if row.decided_by else None,
    }
    tabs = Choice("state", _("State"), OwnershipDispute.state, DisputeState)
    filters = (
        Exactly("customer", _("Customer no."), OwnershipDispute.customer_id, is_id=True),
        Exactly("claimant", _("Distributor no."), OwnershipDispute.claimant_id, is_id=True),
        Days("opened", _("Opened"), OwnershipDispute.opened_at),
    )
    facts = (
        "customer_id",
        "claimant",
        "about_at",
        "opened_at",
        "opened_by",
        "decided_by",
        "ended_at",
        "decision_reason",
    )
    badge = "state"
    lookups = (CUSTOMERS, CLAIMANTS)
    decisions = (
        Decision(
            name="dismiss",
            label=lazy_pgettext("dispute", "Dismiss"),
            permission=Permission.BINDINGS_TRANSFER,
            question=_("Dismiss this claim?"),
            warning=_("The customer stays with their owner. Both sides can be told your reason."),
            run=with_reason(disputes.dismiss_dispute),
            form=ReasonForm,
            possible=_is_open,
            is_danger=True,
        ),
        Decision(
            name="withdraw",
            label=_("Withdraw"),
            permission=Permission.DISPUTES_OPEN,
            question=_("Take this dispute back?"),
            warning=_("For a claimant who no longer maintains it."),
            run=with_reason(disputes.withdraw_dispute),
            form=ReasonForm,
            possible=_is_open,
        ),
    )
    form_pages = (
        FormPage(
            name="open",
            label=_("Open a dispute"),
            title=_("Contest who owns a customer"),
            intro=_(
                "What is on record at this moment is kept with the claim. Nothing changes before "
                "two people decide."
            ),
            permission=Permission.DISPUTES_OPEN,
            form=ClaimForm,
            begin=dispute_forms.begin_claim,
            run=dispute_forms.open_dispute,
            explain=dispute_forms.explain,
            has_files=True,
            bytes_max=UPLOAD_BYTES_MAX,
            done=_("The dispute is open."),
            is_primary=True,
        ),
        FormPage(
            name="evidence",
            label=_("Add pictures"),
            title=_("Add pictures to this dispute"),
            intro=_(
                "Each picture is drawn anew: where and with what it was taken is not kept. What "
                "was added stays."
            ),
            permission=Permission.DISPUTES_OPEN,
            form=EvidenceForm,
            is_about_row=True,
            run=dispute_forms.add_pictures,
            explain=dispute_forms.explain,
            possible=_is_open,
            has_files=True,
            bytes_max=UPLOAD_BYTES_MAX,
            done=_("The pictures were added."),
        ),
        FormPage(
            name="uphold",
            label=_("Uphold"),
            title=_("Give the customer to the claimant"),
            intro=_(
                "From now on, for the rest of the period in force. Orders made before keep their "
                "owner; nothing is recomputed. Two people decide it."
            ),
            permission=Permission.BINDINGS_TRANSFER,
            form=UpholdForm,
            is_about_row=True,
            run=or_ask(dispute_forms.uphold),
            possible=_is_open,
            done=_("The dispute was upheld and the customer handed over."),
            is_primary=True,
        ),
    )

    def title_of(self, row: OwnershipDispute) -> str:
        """Return what it is and its number."""
        return gettext("Dispute %(id)s", id=row.id)

    def sections(self, row: OwnershipDispute) -> Iterable[Section | None]:
        """Tell both sides: the claim and its pictures, then what is on record."""
        yield sentences_section(_("Claim"), [row.claim])
        yield self._pictures(row)
        yield _owner_then(row)
        yield self._touches(row)
        yield self.related(
            "orders",
            (Order.member_id == row.customer_id) & (Order.created_at <= row.opened_at),
            title=_("Orders made before the dispute: they keep their owner"),
            without=("member_id",),
        )
        yield self.related(
            "approvals",
            (Approval.subject_type == disputes.SUBJECT_TYPE) & (Approval.subject_id == row.id),
            title=_("Requests about this dispute"),
            hides_empty=True,
        )
        yield steps_section(
            _("What happened"),
            disputes.dispute_steps(db.session(), row.id),
            Shape(("event", "at", "actor", "reason")),
        )

    def _pictures(self, row: OwnershipDispute) -> Section:
        pictures = disputes.evidence_of(db.session(), row.id)
        people = [one for each in pictures for one in Who(each.added_by).people()]
        known = Directory(
            db.session(),
            [one for one in people if isinstance(one, Reference)],
            store_ids=visible_store_ids(),
        )
        shown = [self._picture(row, one, known) for one in pictures]
        return Section(
            _("Evidence"),
            "pictures",
            template="backoffice/evidence.html",
            facts=shown,
            empty=_("No pictures were brought."),
        )

    def _picture(
        self, row: OwnershipDispute, one: EvidenceFile, known: Directory
    ) -> dict[str, Any]:
        return {
            "url": self.get_url(".evidence_view", id=row.id, file=one.id),
            "place": one.place,
            "width": one.width,
            "height": one.height,
            "who": html("actor", Who(one.added_by), known),
            "at": html("at", one.added_at, known),
        }

    def _touches(self, row: OwnershipDispute) -> Section:
        """Return the touches of the customer, the newest first, with whose they were."""
        found = [
            {
                "side": _side(code),
                "occurred_at": touch.occurred_at,
                "outcome": touch.outcome,
                "source": touch.source,
                "share_code_id": touch.share_code_id,
            }
            for touch, code in disputes.touches_of(db.session(), row.customer_id)
            if touch.occurred_at <= row.opened_at
        ]
        return steps_section(
            _("Touches of both sides, newest first"),
            found,
            Shape(("side", "occurred_at", "outcome", "source", "share_code_id")),
        )

    @expose("/evidence/")
    def evidence_view(self) -> Response:
        """Send a picture to those who see its dispute, as a file and nothing else."""
        row = self.wanted()
        evidence_id = as_id(request.args.get("file", ""))
        if evidence_id is None:
            abort(404)
        try:
            found = evidence.evidence_file(db.session(), row.id, evidence_id)
        except DisputeNotFound:
            abort(404)
        answer: Response = make_response(found.content)
        answer.headers["Content-Type"] = found.media_type
        name = f"dispute-{row.id}-{found.place}.jpg"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


def _owner_then(row: OwnershipDispute) -> Section:
    """Answer who owned the customer at the moment in dispute, and why."""
    answer = queries.owner_at(db.session(), row.customer_id, at=row.about_at)
    customer = db.session.get_one(Member, row.customer_id)
    return Section(
        _("Who owned the customer at that moment, and why"),
        "own",
        template="backoffice/owner_then.html",
        facts={
            "told": ownership.sentences(customer, answer, row.about_at),
            "steps": rows_section("", answer.steps, ownership.STEPS).table,
            "rule": rule_in_words(answer.rule) if answer.rule else [],
        },
    )


def _side(code: ShareCode) -> Reference:
    """Return whose code was touched."""
    if code.distributor_id is not None:
        return Reference("distributors", code.distributor_id)
    assert code.owner_store_id is not None, "a database constraint keeps one of the two"
    return Reference("stores", code.owner_store_id)


def disputes_of(view: ScopedView, customer_id: int) -> Section | None:
    """Return the disputes about a customer, for the page about them."""
    return view.related(
        "disputes",
        OwnershipDispute.customer_id == customer_id,
        without=("customer_id",),
        hides_empty=True,
        customer=customer_id,
    )
