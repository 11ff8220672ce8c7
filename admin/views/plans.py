"""Distribution plans: what is in force, drafting, and publishing by a second person."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql import Select
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from admin.actions import at_once, by_id, joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section
from admin.filters import Choice
from admin.form_pages import FormPage
from admin.forms import MomentField
from admin.i18n import gettext, say
from admin.scopes import everybody
from admin.tables import Shape
from app.engines.bound import explain_bound
from app.engines.documents import dump_rules, load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import ConditionKind, Mode, PlanParameters, Upgrade
from app.engines.registry import MODELS
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.i18n import Message, yuan
from app.kernel.money import percent
from app.plans import publishing, services
from app.plans.models import Plan, PlanVersion, PlanVersionState
from app.stores.permissions import Permission

RULES_ROWS = 28


class DraftForm(FlaskForm):
    """The parameters of a version, as the JSON that the engine reads."""

    plan_id = SelectField(_("Plan"))
    note = StringField(_("What changes, and why"), validators=[InputRequired(), Length(max=200)])
    rules = TextAreaField(
        _("Rules"),
        validators=[InputRequired(), Length(max=200_000)],
        description=_("Rates are basis points: 1000 is 10 %. One rate for each level."),
        render_kw={"rows": RULES_ROWS, "class": "code", "spellcheck": "false"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the plans there are."""
        super().__init__(*args, **kwargs)
        plans = db.session.execute(sa.select(Plan.id, Plan.name).order_by(Plan.name))
        self.plan_id.choices = [(str(row.id), row.name) for row in plans]


class PlanForm(FlaskForm):
    """A plan without versions."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=60)])
    model = SelectField(_("Model"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the models that the engine knows."""
        super().__init__(*args, **kwargs)
        self.model.choices = [(one, model_name(one)) for one in MODELS]


class PublishForm(FlaskForm):
    """From when on a version is in force."""

    effective_from_at = MomentField(
        _("In force from"),
        validators=[Optional()],
        description=_("Shanghai time. Leave empty to begin at once."),
    )


def model_name(model: str) -> str:
    """Return what people call a plan model."""
    return say(Message(MODELS[model].title)) if model in MODELS else model


def _pretty(rules: Mapping[str, Any]) -> str:
    return json.dumps(rules, ensure_ascii=False, indent=2)


def _begin_new(_row: None) -> dict[str, Any]:
    return {"rules": _pretty(dump_rules(TwoLevelRules()))}


def _begin_from(row: PlanVersion) -> dict[str, Any]:
    return {"plan_id": str(row.plan_id), "rules": _pretty(row.rules)}


def _draft(_row: PlanVersion | None, act: Act) -> str:
    form = act.form
    version = joined(
        services.draft,
        int(form.plan_id.data),
        services.Draft(rules=form.rules.data, note=form.note.data.strip()),
        actor=act.actor,
        now=act.now,
    )
    return str(version.id)


def _explain(error: DomainError, form: Any) -> bool:
    """Put each wrong parameter beside the rules."""
    if not isinstance(error, PlanRulesInvalid):
        return False
    form.rules.errors = [f"{one.path or 'JSON'}: {say(one.message)}" for one in error.faults]
    return True


def _create_plan(_row: None, act: Act) -> None:
    joined(services.create_plan, act.form.name.data.strip(), model=act.form.model.data, now=act.now)


def _publish(key: int, act: Act) -> None:
    begins = at_once(act.form.effective_from_at.data, act.now)
    joined(publishing.publish, key, actor=act.actor, effective_from_at=begins, now=act.now)


def _is(state: PlanVersionState) -> Any:
    return lambda row: row.state is state


DRAFTS: dict[str, Any] = {
    "button": _("Save the draft"),
    "permission": Permission.PLANS_DRAFT,
    "form": DraftForm,
    "run": _draft,
    "explain": _explain,
    "done": _("The draft was saved. It pays nothing before it is published."),
}


class PlanVersionsView(ScopedView):
    """Versions of plans; a published one never changes."""

    permission = Permission.PLANS_VIEW
    scope = everybody
    icon = "scroll-text"
    intro = _(
        "What the brand pays for a sale, in versions. Whoever drafts a version cannot publish it; "
        "orders keep the version they were made under."
    )

    column_list = (
        "version",
        "state",
        "note",
        "author_id",
        "approver_id",
        "effective_from_at",
        "effective_until_at",
    )
    computed: ClassVar = {
        "version": lambda row: f"{row.plan.name} v{row.number}",
        "model": lambda row: model_name(row.plan.model),
    }
    tabs = Choice("state", _("State"), PlanVersion.state, PlanVersionState)
    facts = (
        "model",
        "note",
        "author_id",
        "created_at",
        "approver_id",
        "effective_from_at",
        "effective_until_at",
    )
    badge = "state"
    decisions = (
        Decision(
            name="submit",
            label=_("Submit for approval"),
            permission=Permission.PLANS_DRAFT,
            question=_("Submit this version for approval?"),
            warning=_("Somebody else has to publish it."),
            run=by_id(services.submit),
            possible=_is(PlanVersionState.DRAFT),
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
            run=_publish,
            form=PublishForm,
            possible=_is(PlanVersionState.SUBMITTED),
            is_primary=True,
        ),
        Decision(
            name="retire",
            label=_("Retire"),
            permission=Permission.PLANS_PUBLISH,
            question=_("Retire this version?"),
            warning=_("Orders made from now on earn no commission under it."),
            run=by_id(publishing.retire),
            possible=_is(PlanVersionState.PUBLISHED),
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="draft",
            label=_("New draft"),
            title=_("Draft a plan version"),
            begin=_begin_new,
            is_primary=True,
            **DRAFTS,
        ),
        FormPage(
            name="plan",
            label=_("New plan"),
            title=_("Open a plan"),
            intro=_("It pays nothing before a version of it is published."),
            permission=Permission.PLANS_DRAFT,
            form=PlanForm,
            run=_create_plan,
            done=_("The plan was opened. Draft its first version now."),
        ),
        FormPage(
            name="copy",
            label=_("Draft from this"),
            title=_("Draft a version from this one"),
            begin=_begin_from,
            is_about_row=True,
            **DRAFTS,
        ),
    )

    loads = (contains_eager(PlanVersion.plan),)

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the plan, for its name."""
        return query.join(PlanVersion.plan)

    def title_of(self, row: PlanVersion) -> str:
        """Return the plan's name and the version's number."""
        return f"{row.plan.name} v{row.number}"

    def sections(self, row: PlanVersion) -> Iterable[Section | None]:
        """Show the rules for people, what they can cost at worst, and as stored."""
        try:
            rules = load_rules(row.rules)
        except PlanRulesInvalid as error:
            yield sentences_section(_("Rules"), [say(one.message) for one in error.faults])
        else:
            if isinstance(rules, TwoLevelRules):
                yield _rates(rules)
            yield sentences_section(_("Rules in words"), list(_in_words(rules)))
            bound = [say(message) for message in explain_bound(MODELS[rules.model].bound(rules))]
            yield sentences_section(_("What it can cost at worst"), bound)
        stored = _pretty(row.rules)
        yield Section(_("As stored"), "stored", template="backoffice/stored.html", facts=stored)


def _rates(rules: TwoLevelRules) -> Section:
    """Show what each level earns in each seat, and what leads there."""
    upgrades = {one.level: one for one in rules.levels.upgrades}
    rows = [
        {
            "level": gettext("Level %(level)s", level=level),
            "first_bp": first,
            "second_bp": second,
            "condition": _condition(upgrades[level]) if level in upgrades else gettext("Approval"),
        }
        for level, (first, second) in enumerate(
            zip(rules.rates_first_bp, rules.rates_second_bp, strict=True), start=1
        )
    ]
    labels = {
        "first_bp": _("Brought the customer"),
        "second_bp": _("Brought that distributor"),
        "condition": _("How it is reached"),
    }
    columns = ("level", "first_bp", "second_bp", "condition")
    return rows_section(_("Rates by level"), rows, Shape(columns, labels))


def _condition(upgrade: Upgrade) -> str:
    """Return what lifts a distributor to a level, in words."""
    parts = []
    for one in upgrade.conditions:
        if one.kind is ConditionKind.DIRECT_SALES:
            text = gettext(
                "own settled sales of %(amount)s within %(days)s days",
                amount=yuan(one.at_least),
                days=one.window_days,
            )
        else:
            text = gettext(
                "%(count)s paying customers within %(days)s days",
                count=one.at_least,
                days=one.window_days,
            )
        parts.append(text)
    joint = gettext(" and ") if upgrade.mode is Mode.ALL else gettext(" or ")
    return joint.join(parts)


def _in_words(rules: PlanParameters) -> Iterable[str]:
    """Tell the switches of a plan."""
    yield gettext(
        "Commission on a line is at most %(cap)s of what was paid for it.",
        cap=percent(rules.payout_cap_bp),
    )
    yield gettext(
        "It can be withdrawn %(days)s days after the customer received what they bought.",
        days=rules.settle_seconds // 86_400,
    )
    yield from map(say, MODELS[rules.model].describe(rules))
