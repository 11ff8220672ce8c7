"""The smaller forms about plans: a new one, a file, an officer's word, from when and until when."""

from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from admin.actions import at_once, joined
from admin.decisions import Act
from admin.forms import MomentField
from admin.i18n import gettext, say
from admin.urls import as_id
from app.access import settings
from app.distribution import compliance, drafting
from app.distribution.compliance import finding_message
from app.engines.faults import PlanRulesInvalid
from app.engines.registry import MODELS
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.i18n import Message
from app.plans import publishing, services
from app.plans.models import Plan, PlanVersion
from app.plans.portable import FILE_BYTES_MAX, NAME_MAX

DEFAULTS, ORIGINAL = "defaults", "original"
NEW_PLAN = ""
STATEMENT_MAX = 2_000


class PlanForm(FlaskForm):
    """A new plan, and the parameters that its first draft begins with."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_MAX)])
    model = SelectField(_("Model"))
    begin_with = RadioField(
        _("Begin with"),
        default=DEFAULTS,
        validate_choice=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the models that there are."""
        super().__init__(*args, **kwargs)
        self.model.choices = [(one, model_name(one)) for one in MODELS]
        self.begin_with.choices = [
            (DEFAULTS, gettext("The parameters of the house, which can be changed")),
            (ORIGINAL, gettext("The parameters of the trade, to be simulated")),
        ]


class ImportForm(FlaskForm):
    """A plan from a file, or from its text."""

    plan_id = SelectField(_("Plan"), validators=[Optional()])
    file = FileField(_("File"), description=_("A JSON file as it is downloaded from a version."))
    text = TextAreaField(
        _("Or its text"),
        validators=[Length(max=FILE_BYTES_MAX)],
        render_kw={"rows": 12, "class": "code", "spellcheck": "false"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the plans there are, and a new one."""
        super().__init__(*args, **kwargs)
        plans = db.session.execute(sa.select(Plan.id, Plan.name).order_by(Plan.name))
        new = (NEW_PLAN, gettext("A new plan with the name in the file"))
        self.plan_id.choices = [new, *((str(row.id), row.name) for row in plans)]

    def content(self) -> bytes:
        """Return what was sent: the file, or else the text."""
        sent = self.file.data.read() if self.file.data else b""
        return sent or (self.text.data or "").encode()

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand one of the two."""
        is_valid: bool = super().validate(extra_validators)
        if is_valid and not (self.file.data or (self.text.data or "").strip()):
            self.file.errors = [gettext("Please choose a file, or paste its text.")]
            return False
        return is_valid


class PublishForm(FlaskForm):
    """From when on a version is in force."""

    effective_from_at = MomentField(
        _("In force from"),
        validators=[Optional()],
        description=_("Shanghai time. Leave empty to begin at once."),
    )


class RetireForm(FlaskForm):
    """Until when a version is in force."""

    until_at = MomentField(
        _("In force until"),
        validators=[Optional()],
        description=_("Shanghai time. Leave empty to end it at once."),
    )


class ConfirmForm(FlaskForm):
    """One answer for each finding that waits for an officer; made by `confirm_form`."""

    rules: tuple[str, ...] = ()

    def statements(self) -> dict[str, str]:
        """Return what was written, by rule."""
        texts = {rule: (self[f"answer_{rule}"].data or "").strip() for rule in self.rules}
        return {rule: text for rule, text in texts.items() if text}

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand at least one answer, and that each says something."""
        is_valid: bool = super().validate(extra_validators)
        if is_valid and self.rules and not self.statements():
            self[f"answer_{self.rules[0]}"].errors = [gettext("Please answer at least one.")]
            return False
        return is_valid


def confirm_form(row: PlanVersion) -> type[FlaskForm]:
    """Return the form for one version: a text for each finding that waits for an officer."""
    waiting = services.unanswered(db.session(), row)
    fields: dict[str, Any] = {"rules": tuple(one["rule"] for one in waiting)}
    for one in waiting:
        fields[f"answer_{one['rule']}"] = TextAreaField(
            f"{one['rule']}: {say(finding_message(one))}",
            validators=[Optional(), Length(min=services.STATEMENT_MIN, max=STATEMENT_MAX)],
            description=say(str(one["citation"])),
        )
    return type("ConfirmForm", (ConfirmForm,), fields)


def model_name(model: str) -> str:
    """Return what people call a plan model."""
    return say(Message(MODELS[model].title)) if model in MODELS else model


def open_plan(_row: None, act: Act) -> str:
    """Open a plan with its first draft."""
    version = joined(
        drafting.open_plan,
        act.form.name.data.strip(),
        model=act.form.model.data,
        original=act.form.begin_with.data == ORIGINAL,
        actor=act.actor,
        now=act.now,
    )
    return str(version.id)


def import_file(_row: None, act: Act) -> str:
    """Draft what stands in a file."""
    chosen = act.form.plan_id.data
    version = joined(
        drafting.import_file,
        act.form.content(),
        plan_id=int(chosen) if chosen else None,
        actor=act.actor,
        now=act.now,
    )
    return str(version.id)


def explain_file(error: DomainError, form: Any) -> bool:
    """Put each wrong field of a file beside its text."""
    if not isinstance(error, PlanRulesInvalid):
        return False
    form.text.errors = [f"{one.path or 'JSON'}: {say(one.message)}" for one in error.faults]
    return True


def draft(row: PlanVersion, act: Act) -> str:
    """Write the next version of a version's plan."""
    version = joined(drafting.draft, row.plan_id, act.form.draft(), actor=act.actor, now=act.now)
    return str(version.id)


def revise(row: PlanVersion, act: Act) -> str:
    """Change a version that is still open."""
    revision = as_id(act.form.revision.data or "") or 0
    joined(
        drafting.revise,
        row.id,
        act.form.draft(),
        revision=revision,
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def confirm(row: PlanVersion, act: Act) -> str:
    """Keep every answer that was written, all or none."""

    def keep(session: Any) -> None:
        for rule, statement in act.form.statements().items():
            services.confirm_finding(
                session, row.id, rule, statement=statement, officer=act.actor, now=act.now
            )

    joined(keep)
    return str(row.id)


def check(key: int, act: Act) -> None:
    """Check a version as it stands."""
    compliance.check_version(key, settings=settings(), actor=act.actor, now=act.now)


def publish(key: int, act: Act) -> None:
    """Put a version in force."""
    compliance.publish_version(
        key,
        effective_from_at=at_once(act.form.effective_from_at.data, act.now),
        settings=settings(),
        actor=act.actor,
        now=act.now,
    )


def retire(key: int, act: Act) -> None:
    """End a version, now or later."""
    joined(publishing.retire, key, actor=act.actor, until_at=act.form.until_at.data, now=act.now)
