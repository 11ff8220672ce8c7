"""Teams under watch: what has grown to the line of the law, and who let it grow on."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import with_reason
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Decision
from admin.details import Section, sentences_section
from admin.filters import Days, Exactly, Options
from admin.forms import ReasonForm
from admin.i18n import gettext, pgettext
from admin.people import yes_no
from admin.scopes import by_distributor
from app.access import settings
from app.distribution import monitor
from app.members.models import Distributor, TeamStop
from app.stores.permissions import Permission


def _state(row: TeamStop) -> Badge:
    if row.lifted_at is None:
        return Badge(gettext("Stopped"), "bad")
    return Badge(pgettext("team", "Let go on"), "calm")


class TeamStopsView(ScopedView):
    """Teams that reached the figures from which the law speaks of a scheme."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_distributor(TeamStop.root_id)
    icon = "ban"
    intro = _(
        "Teams whose paid people and tiers, counted from whoever nobody brought, have reached the"
        " line of the law. They take no newcomers until somebody takes the responsibility."
    )

    column_list = (
        "root_id",
        "state",
        "paid_people",
        "tiers",
        "stops_joining",
        "raised_at",
        "lifted_at",
        "reason",
    )
    labels: ClassVar = {
        "root_id": _("Team of"),
        "state": _("State"),
        "paid_people": _("Paid people"),
        "tiers": _("Tiers"),
        "stops_joining": _("Takes no newcomers"),
        "raised_at": _("Stopped at"),
        "lifted_at": _("Let go on at"),
        "lifted_by": _("Let go on by"),
    }
    references: ClassVar = {"root_id": "distributors"}
    computed: ClassVar = {
        "state": _state,
        "stops_joining": lambda row: yes_no(row.stops_joining),
    }
    tabs = Options(
        "state",
        _("State"),
        {
            "open": (_("Stopped"), lambda: TeamStop.lifted_at.is_(None)),
            "lifted": (lazy_pgettext("team", "Let go on"), lambda: TeamStop.lifted_at.is_not(None)),
        },
    )
    filters = (
        Exactly("root", _("Distributor no."), TeamStop.root_id, is_id=True),
        Days("raised", _("Stopped at"), TeamStop.raised_at),
    )
    facts = (
        "root_id",
        "paid_people",
        "tiers",
        "stops_joining",
        "raised_at",
        "lifted_at",
        "lifted_by",
        "reason",
    )
    badge = "state"
    decisions = (
        Decision(
            name="lift",
            label=_("Let go on"),
            permission=Permission.DISTRIBUTORS_MOVE,
            question=_("Let newcomers into these teams again?"),
            warning=_(
                "Thirty paid people and three tiers are where prosecution begins. Whoever lets a"
                " team go on answers for it as it is now."
            ),
            run=with_reason(monitor.lift_stop),
            form=ReasonForm,
            possible=lambda row: row.lifted_at is None,
            is_danger=True,
        ),
    )

    def title_of(self, row: TeamStop) -> str:
        """Return whose team it is, by number."""
        return gettext("Team of %(id)s", id=row.root_id)

    def sections(self, row: TeamStop) -> Iterable[Section | None]:
        """Tell the line and what the figures mean."""
        line = settings()
        told: dict[str, Any] = {"people": line.tree_stop_people, "tiers": line.tree_stop_tiers}
        yield sentences_section(
            _("How it is counted"),
            [
                gettext("The line: %(people)s paid people and %(tiers)s tiers together.", **told),
                gettext(
                    "Paid is whoever ever received commission, also if they left; a tier is a step"
                    " of who brought whom, the first person included."
                ),
                gettext(
                    "A team that was let go on is stopped again when it has grown by"
                    " %(people)s more paid people, or by a tier.",
                    **told,
                ),
            ],
        )
        below = Distributor.recommender_id == row.root_id
        yield self.related("distributors", below, title=_("Direct members"))
