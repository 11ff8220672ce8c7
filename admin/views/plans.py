"""Distribution plans: their versions, and every step of the life of one."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask import Response, abort, jsonify
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql import Select

from admin import plan_forms, staff
from admin.actions import by_id, with_reason
from admin.base import ScopedView
from admin.decisions import Decision
from admin.details import Section
from admin.filters import Choice, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.plan_editor import begin_copy, begin_from, editor_form, explain, live_answer
from admin.plan_forms import (
    ConfirmForm,
    ImportForm,
    PlanForm,
    PublishForm,
    RetireForm,
    confirm_form,
    explain_file,
    model_name,
)
from admin.plan_sections import sections_of
from admin.scopes import everybody
from app.distribution.plan_records import PlanSimulation
from app.engines.registry import MODELS
from app.kernel.db import db
from app.plans import services
from app.plans.models import Plan, PlanVersion, PlanVersionState
from app.plans.portable import write_file
from app.plans.states import OPEN_STATES
from app.stores.permissions import Permission

WAITING = frozenset({PlanVersionState.SUBMITTED, PlanVersionState.APPROVED})
TRIABLE = frozenset({PlanVersionState.CHECKED, PlanVersionState.SIMULATED})
CHECKABLE = OPEN_STATES | WAITING


def _is(*states: PlanVersionState) -> Any:
    return lambda row: row.state in states


def _has_unanswered(row: PlanVersion) -> bool:
    return row.state in CHECKABLE and bool(services.unanswered(db.session(), row))


def _of_model(code: str) -> Any:
    return lambda: Plan.model == code


def _lazy_name(text: str) -> Any:
    """Return a text of the core, to be said in the language of whoever reads."""
    return _(text)


class PlanVersionsView(ScopedView):
    """Versions of plans; a published one never changes."""

    permission = Permission.PLANS_VIEW
    scope = everybody
    icon = "scroll-text"
    intro = _(
        "What the brand pays for a sale, in versions. Each is checked, tried out, and approved by "
        "somebody else before it can be in force; orders keep the version they were made under."
    )

    column_list = (
        "version",
        "model",
        "state",
        "note",
        "author_id",
        "approver_id",
        "effective_from_at",
        "effective_until_at",
    )
    labels: ClassVar = {"author_id": lazy_pgettext("plan", "Author")}
    computed: ClassVar = {
        "version": lambda row: f"{row.plan.name} v{row.number}",
        "model": lambda row: model_name(row.plan.model),
    }
    searched = (Plan.name, PlanVersion.note)
    search_hint = _("Plan, note or no.")
    tabs = Choice("state", _("State"), PlanVersion.state, PlanVersionState)
    filters = (
        Options(
            "model",
            _("Model"),
            {code: (_lazy_name(one.title), _of_model(code)) for code, one in MODELS.items()},
        ),
    )
    facts = (
        "model",
        "note",
        "revision",
        "author_id",
        "created_at",
        "approver_id",
        "approved_at",
        "effective_from_at",
        "effective_until_at",
    )
    badge = "state"
    decisions = (
        Decision(
            name="check",
            label=_("Check"),
            permission=Permission.PLANS_DRAFT,
            question=_("Check this version?"),
            warning=_("What the compliance check finds is kept with the version."),
            run=plan_forms.check,
            possible=_is(*CHECKABLE),
            is_primary=True,
        ),
        Decision(
            name="submit",
            label=_("Submit for approval"),
            permission=Permission.PLANS_DRAFT,
            question=_("Submit this version for approval?"),
            warning=_("It cannot be changed from then on; somebody else has to approve it."),
            run=by_id(services.submit),
            possible=_is(PlanVersionState.SIMULATED),
            is_primary=True,
        ),
        Decision(
            name="send_back",
            label=_("Send back"),
            permission=Permission.PLANS_PUBLISH,
            question=_("Send this version back to its author?"),
            warning=_("It becomes a draft again, to be checked and tried out anew."),
            run=with_reason(services.send_back),
            form=ReasonForm,
            possible=_is(*WAITING),
        ),
        Decision(
            name="approve",
            label=_("Approve"),
            permission=Permission.PLANS_PUBLISH,
            question=_("Approve this version?"),
            warning=_(
                "Only somebody who has not drafted it may. It pays nothing before it is published."
            ),
            run=by_id(services.approve),
            possible=_is(PlanVersionState.SUBMITTED),
            is_primary=True,
        ),
        Decision(
            name="publish",
            label=_("Publish"),
            permission=Permission.PLANS_PUBLISH,
            question=_("Publish this version?"),
            warning=_(
                "It applies to orders made from then on, and ends the version in force before it. "
                "It can never be changed afterwards."
            ),
            run=plan_forms.publish,
            form=PublishForm,
            possible=_is(PlanVersionState.APPROVED),
            is_primary=True,
        ),
        Decision(
            name="retire",
            label=_("Retire"),
            permission=Permission.PLANS_PUBLISH,
            question=_("Retire this version?"),
            warning=_("Orders made from then on earn no commission under it."),
            run=plan_forms.retire,
            form=RetireForm,
            possible=_is(PlanVersionState.PUBLISHED),
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="plan",
            label=_("New plan"),
            title=_("Open a plan"),
            intro=_("It begins with a draft. It pays nothing before a version is published."),
            permission=Permission.PLANS_DRAFT,
            form=PlanForm,
            run=plan_forms.open_plan,
            done=_("The plan was opened, and this is its first draft."),
            is_primary=True,
        ),
        FormPage(
            name="import",
            label=_("Import"),
            title=_("Draft a version from a file"),
            permission=Permission.PLANS_DRAFT,
            form=ImportForm,
            run=plan_forms.import_file,
            explain=explain_file,
            has_files=True,
            done=_("The draft was saved. It pays nothing before it is published."),
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save the draft"),
            title=_("Edit this version"),
            intro=_("What changes has to be checked and tried out anew."),
            permission=Permission.PLANS_DRAFT,
            form_for=editor_form,
            begin=begin_from,
            is_guarded=False,
            run=plan_forms.revise,
            explain=explain,
            template="backoffice/plan_editor.html",
            is_about_row=True,
            possible=_is(*OPEN_STATES),
            done=_("The draft was saved. It pays nothing before it is published."),
        ),
        FormPage(
            name="copy",
            label=_("New version"),
            button=_("Save the draft"),
            title=_("Draft a version from this one"),
            permission=Permission.PLANS_DRAFT,
            form_for=editor_form,
            begin=begin_copy,
            is_guarded=False,
            run=plan_forms.draft,
            explain=explain,
            template="backoffice/plan_editor.html",
            is_about_row=True,
            done=_("The draft was saved. It pays nothing before it is published."),
        ),
        FormPage(
            name="confirm",
            label=_("Answer in writing"),
            title=_("Answer for what the check calls a high risk"),
            intro=_(
                "What you write is kept for ever with your name. Leave empty what you do not "
                "answer for."
            ),
            permission=Permission.PLANS_CONFIRM,
            form=ConfirmForm,
            form_for=confirm_form,
            run=plan_forms.confirm,
            is_about_row=True,
            possible=_has_unanswered,
            done=_("Your answer was kept."),
        ),
    )

    loads = (contains_eager(PlanVersion.plan),)
    details_template = "backoffice/plan_version.html"

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the plan, for its name."""
        return query.join(PlanVersion.plan)

    def title_of(self, row: PlanVersion) -> str:
        """Return the plan's name and the version's number."""
        return f"{row.plan.name} v{row.number}"

    def sections(self, row: PlanVersion) -> Iterable[Section | None]:
        """Show what was found, the rules for people, what they can cost, and how it came about."""
        trials = self.related(
            "simulations",
            PlanSimulation.version_id == row.id,
            title=_("Simulations"),
            without=("version_id",),
        )
        found, *rest = sections_of(row)
        return [found, trials, *rest]

    def may_try(self, row: PlanVersion) -> bool:
        """Tell whether the person here may try a version out as it stands."""
        return row.state in TRIABLE and staff.may(Permission.PLANS_DRAFT)

    @expose("/check/", methods=("POST",))
    def check_view(self) -> Response:
        """Tell what would be wrong with a page of the editor, and what it could cost."""
        if not staff.may(Permission.PLANS_DRAFT):
            abort(403)
        form: Any = editor_form(self.wanted())()
        return jsonify(live_answer(form))

    @expose("/file/")
    def file_view(self) -> Response:
        """Send a version as a file that `import` takes."""
        row = self.wanted()
        name = f"plan-{row.plan_id}-v{row.number}.json"
        return Response(
            write_file(row),
            mimetype="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
