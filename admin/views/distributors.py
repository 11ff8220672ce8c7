"""Distributors: applications, standing, level, team, earnings."""

from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql import Select
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from admin import staff
from admin.actions import SecondPersonForm, by_id, joined, with_reason
from admin.approving import or_ask, topic_of_member
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import LookupField, ReasonForm
from admin.lookups import distributors
from admin.people import distributor_name, level_name, masked_phone, yes_no
from admin.scopes import by_store
from admin.views.distributor_file import DistributorFile, risk_badge
from admin.views.risk import SuspectForm, raise_flag
from app.distribution import levels
from app.engines.parameters import LEVELS_MAX
from app.members import services
from app.members.models import Distributor, DistributorKind, Member, Standing
from app.payouts.models import PayoutHold
from app.risk.models import RiskFlag
from app.risk.states import STANDING
from app.stores.permissions import Permission

RECOMMENDERS = distributors(Permission.DISTRIBUTORS_MOVE)


class MoveForm(SecondPersonForm):
    """Under whom a distributor is put, why, and who agrees."""

    permission = Permission.DISTRIBUTORS_MOVE
    kind = "recommender_move"
    to_member_id = LookupField(
        _("New recommender"), loader=RECOMMENDERS, description=_("Leave empty for nobody.")
    )

    def payload(self, _row: Distributor) -> dict[str, Any]:
        """Return the recommender to move to."""
        return {"recommender_id": self.to_member_id.data}


def _move(row: Distributor, act: Act) -> str:
    joined(
        services.move_recommender,
        row.member_id,
        to_member_id=act.form.to_member_id.data,
        actor=act.actor,
        second_actor=act.form.second_actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(row.member_id)


class LevelForm(SecondPersonForm):
    """Which level a distributor is given by hand, why, and who agrees."""

    permission = Permission.DISTRIBUTORS_MOVE
    kind = "level_by_hand"
    level = IntegerField(
        _("New level"),
        validators=[InputRequired(), NumberRange(1, LEVELS_MAX)],
        description=_("One of the levels of the plan in force."),
    )

    def payload(self, _row: Distributor) -> dict[str, Any]:
        """Return the level to give."""
        return {"level": self.level.data}


def _set_level(row: Distributor, act: Act) -> str:
    joined(
        levels.set_level,
        row.member_id,
        level=act.form.level.data,
        actor=act.actor,
        second_actor=act.form.second_actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(row.member_id)


def _suspect(row: Distributor, act: Act) -> str:
    key = str(row.member_id)
    raise_flag(row.member_id, act)
    return key


def _held() -> sa.ColumnElement[bool]:
    held = sa.select(PayoutHold.member_id).where(PayoutHold.lifted_at.is_(None))
    return sa.and_(_may(Permission.PAYOUTS_VIEW), Distributor.member_id.in_(held))


def _suspected() -> sa.ColumnElement[bool]:
    found = sa.select(RiskFlag.distributor_id).where(RiskFlag.state.in_(STANDING))
    return sa.and_(_may(Permission.RISK_VIEW), Distributor.member_id.in_(found))


def _may(permission: Permission) -> sa.ColumnElement[bool]:
    """Keep what somebody may not know out of what they can ask for."""
    return sa.literal(staff.may(permission))


DOUBTED = Options(
    "doubt",
    _("Doubts"),
    {"suspected": (_("Suspected"), _suspected), "held": (_("Payouts held"), _held)},
)


def _is(*standings: Standing) -> Any:
    return lambda row: row.standing in standings


class DistributorsView(DistributorFile, ScopedView):
    """Members who earn, have earned, or ask to."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_store(Distributor.store_id)
    icon = "network"
    intro = _("People and partners who recommend the brand and earn when their customers buy.")

    column_list = (
        "nickname",
        "standing",
        "doubt",
        "level",
        "recommender_id",
        "store_id",
        "direct_count",
        "second_count",
        "applied_at",
    )
    labels: ClassVar = {"nickname": _("Distributor"), "doubt": _("Doubts")}
    computed: ClassVar = {
        "nickname": distributor_name,
        "doubt": risk_badge,
        "level": lambda row: level_name(row.level),
        "phone": lambda row: masked_phone(row.member),
        "real_name": lambda row: yes_no(row.real_name_sealed),
    }
    details_labels: ClassVar = {"real_name": _("Real name on file")}
    searched = (Member.nickname,)
    search_hint = _("Nickname or no.")
    sortable = ("level", "direct_count", "applied_at")
    tabs = Choice("standing", _("Standing"), Distributor.standing, Standing)
    filters = (
        Choice("kind", _("Kind"), Distributor.kind, DistributorKind),
        DOUBTED,
        OfStore("store", _("Store"), Distributor.store_id),
        Exactly("recommender", _("Recommender no."), Distributor.recommender_id, is_id=True),
        Days("applied", lazy_pgettext("time", "Applied"), Distributor.applied_at),
    )
    facts = (
        "member_id",
        "phone",
        "level",
        "kind",
        "store_id",
        "recommender_id",
        "direct_count",
        "second_count",
        "real_name",
        "agreement_version",
        "applied_at",
        "approved_at",
    )
    badge = "standing"
    details_template = "backoffice/distributor.html"
    decisions = (
        Decision(
            name="approve",
            label=_("Approve"),
            permission=Permission.DISTRIBUTORS_DECIDE,
            question=_("Approve these distributors?"),
            warning=_("From now on they can share codes, win customers and earn."),
            run=by_id(services.approve_distributor),
            possible=_is(Standing.APPLIED),
            is_primary=True,
        ),
        Decision(
            name="refuse",
            label=_("Refuse"),
            permission=Permission.DISTRIBUTORS_DECIDE,
            question=_("Refuse these applications?"),
            warning=_("They may apply again."),
            run=with_reason(services.refuse_distributor),
            form=ReasonForm,
            possible=_is(Standing.APPLIED),
            is_danger=True,
        ),
        Decision(
            name="freeze",
            label=_("Freeze"),
            permission=Permission.DISTRIBUTORS_DECIDE,
            question=_("Freeze these distributors?"),
            warning=_("They win no customers, earn nothing new and cannot withdraw."),
            run=with_reason(services.freeze_distributor),
            form=ReasonForm,
            possible=_is(Standing.ACTIVE),
            is_danger=True,
        ),
        Decision(
            name="unfreeze",
            label=_("Unfreeze"),
            permission=Permission.DISTRIBUTORS_DECIDE,
            question=_("Let these distributors go on?"),
            warning=_("What they missed meanwhile stays missed."),
            run=with_reason(services.unfreeze_distributor),
            form=ReasonForm,
            possible=_is(Standing.FROZEN),
            is_primary=True,
        ),
    )
    lookups = (RECOMMENDERS,)
    form_pages = (
        FormPage(
            name="suspect",
            label=_("Raise a flag"),
            title=_("Suspect this distributor"),
            intro=_("Say what you saw. The distributor is told nothing; requests wait."),
            permission=Permission.RISK_DECIDE,
            form=SuspectForm,
            is_about_row=True,
            run=_suspect,
            done=_("The flag is raised."),
            possible=_is(Standing.ACTIVE, Standing.FROZEN, Standing.QUIT),
        ),
        FormPage(
            name="move",
            label=_("Move"),
            title=_("Move this distributor to another recommender"),
            intro=_(
                "The whole team below moves along. Orders that were paid before are not recomputed."
                " Two people decide it together."
            ),
            permission=Permission.DISTRIBUTORS_MOVE,
            form=MoveForm,
            is_about_row=True,
            run=or_ask(_move, topic_of_member),
            done=_("The distributor was moved."),
        ),
        FormPage(
            name="level",
            label=_("Set level"),
            title=_("Give this distributor a level by hand"),
            intro=_(
                "Orders that were paid before keep the level they were paid with. Two people"
                " decide it together; it is kept and lost like any other level."
            ),
            permission=Permission.DISTRIBUTORS_MOVE,
            form=LevelForm,
            is_about_row=True,
            run=or_ask(_set_level, topic_of_member),
            done=_("The level was set."),
            possible=_is(Standing.ACTIVE, Standing.FROZEN),
        ),
    )

    loads = (contains_eager(Distributor.member),)

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the member, for name and phone."""
        return query.join(Distributor.member)

    def title_of(self, row: Distributor) -> str:
        """Return the nickname."""
        return distributor_name(row)
