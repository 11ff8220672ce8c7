"""Asking for a simulation: which version, on what, compared with which."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField
from wtforms.validators import InputRequired

from admin.actions import joined
from admin.decisions import Act
from admin.forms import YuanField
from admin.i18n import gettext, say
from admin.labels import label_of
from admin.urls import as_id
from app.distribution.plan_records import SimulationKind
from app.distribution.simulation import services
from app.distribution.simulation.errors import SimulationInvalid
from app.distribution.simulation.parameters import Growth
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.plans.models import Plan, PlanVersion, PlanVersionState
from app.plans.states import OPEN_STATES

VERSIONS_OFFERED: Final = 300
GROWTH_FIELDS: Final = (
    "members",
    "referral_bp",
    "recruit_bp",
    "orders_bp",
    "min_fen",
    "typical_fen",
    "max_fen",
    "refund_bp",
    "stores",
    "seed",
)
IN_BASIS_POINTS: Final = _("Basis points: 1000 is 10 %.")


class SimulationForm(FlaskForm):
    """What to try. What only concerns growth is passed over where own orders are chosen."""

    version_id = SelectField(_("Version"), validators=[InputRequired()])
    against_version_id = SelectField(_("Compared with"), validate_choice=True)
    kind = SelectField(_("Tried on"))
    months = IntegerField(
        _("Months"),
        validators=[InputRequired()],
        description=_("Of own orders: so many whole months and what there is of the running one."),
    )
    members = IntegerField(_("Customers in the end"), validators=[InputRequired()])
    referral_bp = IntegerField(
        _("Brought by distributors"), validators=[InputRequired()], description=IN_BASIS_POINTS
    )
    recruit_bp = IntegerField(
        _("Become distributors"), validators=[InputRequired()], description=IN_BASIS_POINTS
    )
    orders_bp = IntegerField(
        _("Orders of a customer in a month"),
        validators=[InputRequired()],
        description=_("Basis points: 10000 is one order a month."),
    )
    min_fen = YuanField(_("Smallest order"), validators=[InputRequired()])
    typical_fen = YuanField(
        _("Typical order"),
        validators=[InputRequired()],
        description=_("Half of all orders are smaller, half are larger."),
    )
    max_fen = YuanField(_("Largest order"), validators=[InputRequired()])
    refund_bp = IntegerField(
        _("Orders that are refunded"), validators=[InputRequired()], description=IN_BASIS_POINTS
    )
    stores = IntegerField(_("Stores"), validators=[InputRequired()])
    seed = IntegerField(
        _("Seed"),
        validators=[InputRequired()],
        description=_("The same seed gives the same customers and orders."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the versions there are, the newest first."""
        super().__init__(*args, **kwargs)
        versions = db.session.execute(
            sa.select(PlanVersion.id, PlanVersion.number, PlanVersion.state, Plan.name)
            .join(Plan, Plan.id == PlanVersion.plan_id)
            .where(PlanVersion.state != PlanVersionState.RETIRED)
            .order_by(PlanVersion.id.desc())
            .limit(VERSIONS_OFFERED)
        ).all()
        offered = [
            (str(one.id), f"{one.name} v{one.number} · {label_of(one.state)}") for one in versions
        ]
        self.version_id.choices = offered
        self.against_version_id.choices = [("", gettext("Nothing")), *offered]
        self.kind.choices = [(one.value, str(label_of(one))) for one in SimulationKind]


def begin(_row: None) -> Mapping[str, Any]:
    """Return what the form holds at first: the defaults, and the version in the address."""
    defaults = Growth().model_dump(mode="json")
    held: dict[str, Any] = {name: defaults[name] for name in (*GROWTH_FIELDS, "months")}
    held["kind"] = SimulationKind.GROWTH.value
    key = as_id(request.args.get("version", ""))
    version = db.session.get(PlanVersion, key) if key is not None else None
    if version is None:
        version = db.session.scalar(
            sa.select(PlanVersion)
            .where(PlanVersion.state.in_(OPEN_STATES))
            .order_by(PlanVersion.id.desc())
            .limit(1)
        )
    if version is not None:
        held["version_id"] = str(version.id)
        plan_id, own_id = version.plan_id, version.id
        current = services.in_force_of(db.session(), plan_id, at=database_now())
        if current is not None and current.id != own_id:
            held["against_version_id"] = str(current.id)
    return held


def take(_row: None, act: Act) -> str:
    """Queue what was asked for; returns the number of the simulation."""
    form = act.form
    kind = SimulationKind(form.kind.data)
    names = (*GROWTH_FIELDS, "months") if kind is SimulationKind.GROWTH else ("months",)
    against = as_id(form.against_version_id.data or "")
    wish = services.Wish(
        version_id=int(form.version_id.data),
        kind=kind,
        parameters={name: form[name].data for name in names},
        against_version_id=against,
    )
    return str(joined(services.request, wish, actor=act.actor, now=act.now).id)


def explain(error: DomainError, form: Any) -> bool:
    """Put each wrong parameter beside its field."""
    if not isinstance(error, SimulationInvalid):
        return False
    for fault in error.faults:
        if fault.path in form:
            form[fault.path].errors = [say(fault.message)]
    return all(fault.path in form for fault in error.faults)
