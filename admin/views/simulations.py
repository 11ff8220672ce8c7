"""Simulations of plans: asked for, watched as they run, and what they found."""

import io
from collections.abc import Iterable
from typing import Any, ClassVar

from flask import abort, jsonify, send_file
from flask_admin import expose
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from admin import simulation_forms, simulation_pages, staff
from admin.actions import by_id
from admin.base import ScopedView
from admin.decisions import Decision
from admin.details import Section
from admin.exports import MIME
from admin.filters import Choice
from admin.form_pages import FormPage
from admin.labels import label_of
from admin.scopes import everybody
from app.distribution.plan_records import PlanSimulation, SimulationState
from app.distribution.simulation import services
from app.distribution.simulation.tables import sheets, to_csv
from app.stores.permissions import Permission


class SimulationsView(ScopedView):
    """Versions of plans, tried on own orders or on invented growth."""

    permission = Permission.PLANS_VIEW
    scope = everybody
    icon = "sliders-horizontal"
    intro = _(
        "What a plan would cost and whom it would pay, before it pays anybody. The same seed gives"
        " the same result."
    )
    details_template = "backoffice/simulation.html"

    column_list = (
        "id",
        "version_id",
        "against_version_id",
        "kind",
        "state",
        "progress_bp",
        "requested_at",
        "actor",
    )
    labels: ClassVar = {
        "version_id": _("Version"),
        "against_version_id": _("Compared with"),
        "kind": _("Tried on"),
        "progress_bp": _("Progress"),
    }
    references: ClassVar = {
        "version_id": "plan_versions",
        "against_version_id": "plan_versions",
    }
    tabs = Choice("state", _("State"), PlanSimulation.state, SimulationState)
    facts = ("version_id", "against_version_id", "kind", "requested_at", "actor", "ended_at")
    badge = "state"
    decisions = (
        Decision(
            name="cancel",
            label=_("Call off"),
            permission=Permission.PLANS_DRAFT,
            question=_("Call this simulation off?"),
            run=by_id(services.cancel),
            possible=lambda row: row.state in services.OPEN,
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("New simulation"),
            title=_("Try a version"),
            intro=_("It runs in the background. The version must have passed through the check."),
            button=_("Begin"),
            permission=Permission.PLANS_DRAFT,
            form=simulation_forms.SimulationForm,
            begin=simulation_forms.begin,
            run=simulation_forms.take,
            explain=simulation_forms.explain,
            done=_("The simulation was queued. This page tells how far it is."),
            is_primary=True,
        ),
    )

    def title_of(self, row: PlanSimulation) -> str:
        """Return the number of the simulation."""
        return f"#{row.id}"

    def sections(self, row: PlanSimulation) -> Iterable[Section | None]:
        """Show how far it is, or what it found."""
        return simulation_pages.sections(row)

    @expose("/status/")
    def status(self) -> Response:
        """Tell a page that waits how far the simulation is."""
        row = self.wanted()
        told = {
            "state": row.state.value,
            "said": str(label_of(row.state)),
            "progress_bp": row.progress_bp,
            "is_open": row.state in services.OPEN,
        }
        answer: Response = jsonify(told)
        return answer

    @expose("/table/<table_name>/")
    def table(self, table_name: str) -> Response:
        """Send a table of the result as CSV; amounts are fen, shares basis points."""
        if not staff.may(Permission.EXPORTS):
            abort(403)
        row = self.wanted()
        found: dict[str, Any] = sheets(row.result) if row.result is not None else {}
        if table_name not in found:
            abort(404)
        if not simulation_pages.may_take(row, table_name):
            abort(403)
        return send_file(
            io.BytesIO(to_csv(found[table_name])),
            mimetype=MIME["csv"],
            as_attachment=True,
            download_name=f"tuoke-simulation-{row.id}-{table_name}.csv",
        )
