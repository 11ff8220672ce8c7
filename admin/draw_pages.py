"""Forms on the page of a lucky draw: its prizes before it begins, its proof when it is over."""

from typing import Final

from flask_babel import lazy_gettext as _

from admin.actions import joined
from admin.decisions import Act
from admin.draw_forms import PrizesForm, begin_prizes, explain_prizes
from admin.form_pages import FormPage
from admin.staff import visible_store_ids
from app.activities import draw_checks, draws, services
from app.activities.errors import ActivityNotYours
from app.activities.models import Activity
from app.activities.states import EDITABLE, ActivityKind
from app.stores.permissions import Permission


def _is_draw(row: Activity) -> bool:
    return row.kind is ActivityKind.LUCKY_DRAW


def _is_mine(row: Activity) -> bool:
    return services.may_edit(row, visible_store_ids())


def _put_prizes(row: Activity, act: Act) -> str:
    if not _is_mine(row):
        raise ActivityNotYours
    joined(draws.put_prizes, row.id, act.form.specs(), actor=act.actor, now=act.now)
    return str(row.id)


def _check(row: Activity, _act: Act) -> str:
    joined(draw_checks.require_honest, row.id)
    return str(row.id)


DRAW_PAGES: Final = (
    FormPage(
        name="prizes",
        label=_("Prizes"),
        button=_("Save the prizes"),
        title=_("Say what this draw gives"),
        intro=_(
            "Up to twelve prizes. No single one may be worth more than 50,000 yuan, things handed"
            " over in a store included; chances and stock are shown to everybody who draws."
        ),
        permission=Permission.ACTIVITIES_EDIT,
        form=PrizesForm,
        run=_put_prizes,
        begin=begin_prizes,
        explain=explain_prizes,
        template="backoffice/prizes.html",
        is_about_row=True,
        possible=lambda row: _is_draw(row) and row.state in EDITABLE and _is_mine(row),
        done=_("The prizes were saved."),
        is_primary=True,
    ),
    FormPage(
        name="check-draw",
        label=_("Check the draw"),
        button=_("Compute every ticket again"),
        title=_("Check this draw"),
        intro=_(
            "Every ticket is computed again from the seed. Anybody can do the same with what is"
            " published: the seed, the prizes with their chances and stock, and the tickets."
        ),
        permission=Permission.ACTIVITIES_VIEW,
        run=_check,
        is_about_row=True,
        is_guarded=False,
        possible=lambda row: _is_draw(row) and row.state in draws.OVER,
        done=_("Every ticket is what the seed says, and the seed is the promised one."),
    ),
)
