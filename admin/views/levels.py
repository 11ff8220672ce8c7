"""Levels: every move with its reason, who would move, and warnings of those who may fall."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import contains_eager
from werkzeug.wrappers import Response

from admin import staff
from admin.actions import with_reason
from admin.base import ScopedView
from admin.cells import Badge, Plain
from admin.decisions import Decision
from admin.details import Section, sentences_section
from admin.exporting import File
from admin.filters import Days, Exactly, Options
from admin.forms import ReasonForm
from admin.i18n import gettext, pgettext, say
from admin.people import level_name
from admin.scopes import by_distributor
from admin.tables import Shape, Table
from admin.urls import as_id, with_query
from app.distribution import warnings
from app.distribution.level_preview import Count, Mover, preview, preview_page
from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning
from app.distribution.retention import at_risk
from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.level_wording import explain_move, explain_warning
from app.engines.parameters import Levels
from app.engines.registry import MODELS
from app.kernel.db import database_now, db
from app.plans.models import Plan, PlanVersion
from app.plans.queries import LEVEL_FAMILIES, level_version
from app.stores.permissions import Permission

PAGE_ROWS: Final = 50
MOVERS_BATCH: Final = 20_000
"""Whoever would move is found by looking at everybody, so a file asks seldom."""
VERSIONS_SHOWN: Final = 50
OF_DISTRIBUTOR: Final = {"member_id": "distributors"}


def cause_in_words(period: LevelPeriod) -> str:
    """Return why a level began, in sentences where the facts allow it."""
    sentences = explain_move(period.cause, period.facts)
    if sentences:
        return " ".join(say(message) for message in sentences)
    words = {"approved": gettext("Approved as a distributor"), "upgrade": gettext("Promoted")}
    return words.get(period.cause, period.cause)


@dataclass(frozen=True, slots=True)
class Tried:
    """The levels that are tried, of which version, and what else there is to try."""

    version: PlanVersion | None
    levels: Levels | None
    versions: Sequence[PlanVersion]


class LevelsView(ScopedView):
    """Every level that a distributor ever held, and who would move now."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_distributor(LevelPeriod.member_id)
    icon = "badge-check"
    intro = _("Every level a distributor has held, from when until when, and why it began.")
    list_template = "backoffice/levels.html"

    column_list = ("member_id", "level", "cause", "from_at", "until_at", "actor")
    labels: ClassVar = {"member_id": _("Distributor")}
    references: ClassVar = OF_DISTRIBUTOR
    computed: ClassVar = {
        "level": lambda row: level_name(row.level),
        "cause": cause_in_words,
    }
    filters = (
        Exactly("distributor", _("Distributor no."), LevelPeriod.member_id, is_id=True),
        Options(
            "why",
            _("Why"),
            {
                "rose": (_("Promoted"), lambda: LevelPeriod.cause == "upgrade"),
                "fell": (_("Not earned again"), lambda: LevelPeriod.cause == "downgrade"),
                "by_hand": (_("Set by hand"), lambda: LevelPeriod.cause == "set_by_hand"),
            },
        ),
        Days("began", _("Began"), LevelPeriod.from_at),
    )
    facts = ("member_id", "level", "cause", "from_at", "until_at", "actor")
    is_counted_by_store = False

    def title_of(self, row: LevelPeriod) -> str:
        """Return the level."""
        return gettext("Level %(level)s", level=row.level)

    def preview_url(self, **values: Any) -> str:
        """Return the address of the preview."""
        return with_query(self.get_url(".preview_view"), values)

    @expose("/preview/")
    def preview_view(self) -> str:
        """Show who would move, under the plan in force or a version chosen, before anybody does."""
        now = database_now()
        tried = _tried(request.args.get("version", ""), now)
        risks: dict[int, int] = {}
        counts: Sequence[Count] = ()
        movers: Sequence[Mover] = ()
        if tried.levels is not None:
            after_id = as_id(request.args.get("after", "")) or 0
            told: dict[str, Any] = {"now": now, "store_ids": staff.visible_store_ids()}
            counts = preview(db.session(), tried.levels, **told)
            risks = at_risk(db.session(), tried.levels, **told)
            movers = preview_page(
                db.session(), tried.levels, after_id=after_id, limit=PAGE_ROWS + 1, **told
            )
        shown = movers[:PAGE_ROWS]
        version_id = tried.version.id if tried.version else ""
        older = shown[-1].member_id if len(movers) > PAGE_ROWS else None
        return self.render(
            "backoffice/level_preview.html",
            tried=tried,
            counts=Table(counts, _COUNTS),
            movers=Table(shown, _MOVERS),
            risks=Table(
                [{"level": level_name(key), "people": n} for key, n in risks.items()], _RISKS
            ),
            next_url=self.preview_url(version=version_id, after=older) if older else "",
            export_url=with_query(self.get_url(".preview_export"), {"version": version_id})
            if self.may_export()
            else "",
            total=sum(one.people for one in counts),
        )

    @expose("/preview/export/")
    def preview_export(self) -> Response:
        """Send everybody who would move as a file, and audit it."""
        if not self.may_export():
            abort(403)
        now = database_now()
        tried = _tried(request.args.get("version", ""), now)
        if tried.levels is None:
            abort(404)
        heads = [str(column.label) for column in _MOVERS.heads()]
        batches = _moving(tried.levels, now)
        return self.send(File(kind="csv", name="level-preview", heads=heads, batches=batches))


def _moving(levels: Levels, now: datetime) -> Iterator[list[list[Plain]]]:
    """Yield everybody who would move and whom the reader sees, in batches."""
    after_id: int | None = 0
    while after_id is not None:
        movers = preview_page(
            db.session(),
            levels,
            now=now,
            after_id=after_id,
            limit=MOVERS_BATCH,
            store_ids=staff.visible_store_ids(),
        )
        table = Table(movers, _MOVERS)
        after_id = movers[-1].member_id if len(movers) == MOVERS_BATCH else None
        yield [table.plain(row) for row in table.rows]


_COUNTS: Final = Shape(
    ("from_level", "to_level", "people"),
    {"from_level": _("From level"), "to_level": _("To level"), "people": _("People")},
)
_RISKS: Final = Shape(("level", "people"), {"people": _("People")})
_MOVERS: Final = Shape(
    ("member_id", "from_level", "to_level"),
    {
        "member_id": _("Distributor"),
        "from_level": _("From level"),
        "to_level": _("To level"),
    },
    OF_DISTRIBUTOR,
)


def _tried(text: str, now: datetime) -> Tried:
    """Return the version that the address names, or the one in force; 404 where there is none."""
    session = db.session()
    models = [code for code, model in MODELS.items() if model.family in LEVEL_FAMILIES]
    query = (
        sa.select(PlanVersion)
        .join(PlanVersion.plan)
        .options(contains_eager(PlanVersion.plan))
        .where(Plan.model.in_(models))
        .order_by(PlanVersion.id.desc())
    )
    versions = (
        session.scalars(query.limit(VERSIONS_SHOWN)).all()
        if staff.may(Permission.PLANS_VIEW)
        else ()
    )
    version = level_version(session, at=now)
    if text:
        key = as_id(text)
        is_own = version is not None and key == version.id
        if not (is_own or staff.may(Permission.PLANS_VIEW)):
            abort(403)
        version = session.scalar(query.where(PlanVersion.id == (key or 0)))
        if version is None:
            abort(404)
    try:
        levels = load_rules(version.rules).levels if version is not None else None
    except PlanRulesInvalid:
        levels = None
    return Tried(version, levels, versions)


def _outcome(row: LevelWarning) -> Badge:
    if row.outcome is None:
        return Badge(pgettext("warning", "Open"), "wait")
    words = {
        "kept": Badge(gettext("Made good"), "good"),
        "lost": Badge(gettext("Level lost"), "bad"),
        "lifted": Badge(gettext("Lifted"), "calm"),
    }
    return words[row.outcome.value]


class LevelWarningsView(ScopedView):
    """Distributors who did not earn their level again in a period."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_distributor(LevelWarning.member_id)
    icon = "triangle-alert"
    intro = _(
        "Who did not earn their level again in a month or quarter has time to make it good; then"
        " the level falls by one. Customers, team and open commission stay as they are."
    )

    column_list = ("member_id", "level", "period", "given_at", "until_at", "outcome")
    labels: ClassVar = {
        "member_id": _("Distributor"),
        "period": _("Period"),
        "given_at": _("Warned at"),
    }
    references: ClassVar = OF_DISTRIBUTOR
    computed: ClassVar = {"level": lambda row: level_name(row.level), "outcome": _outcome}
    tabs = Options(
        "state",
        _("State"),
        {
            "open": (lazy_pgettext("warning", "Open"), lambda: LevelWarning.ended_at.is_(None)),
            "ended": (
                lazy_pgettext("warning", "Ended"),
                lambda: LevelWarning.ended_at.is_not(None),
            ),
        },
    )
    filters = (
        Exactly("distributor", _("Distributor no."), LevelWarning.member_id, is_id=True),
        Days("given", _("Warned at"), LevelWarning.given_at),
    )
    facts = ("member_id", "level", "period", "plan_version_id", "given_at", "until_at", "ended_at")
    badge = "outcome"
    decisions = (
        Decision(
            name="lift",
            label=_("Lift"),
            permission=Permission.DISTRIBUTORS_DECIDE,
            question=_("Lift these warnings?"),
            warning=_("They keep their level for this period, whatever they sell."),
            run=with_reason(warnings.lift_warning),
            form=ReasonForm,
            possible=lambda row: row.ended_at is None,
            is_primary=True,
        ),
    )

    def title_of(self, row: LevelWarning) -> str:
        """Return the period that was missed."""
        return row.period

    def sections(self, row: LevelWarning) -> Sequence[Section]:
        """Tell what is missing."""
        said = [say(message) for message in explain_warning(row.facts)]
        return (sentences_section(_("What was asked for"), said),)
