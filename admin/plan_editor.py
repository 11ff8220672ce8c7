"""The page on which a plan is written: a form made from its model, or the JSON behind it.

Every button posts the whole page, so everything works without scripts: switching between form and
JSON, another level, another row. With scripts a live check tells while somebody types what would be
wrong, what the plan could cost and what the compliance check says (`live_answer`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from pydantic_core import from_json
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from admin.forms import TicksField
from admin.i18n import gettext, say, say_error
from admin.plan_controls import (
    Control,
    Document,
    Group,
    Part,
    Sort,
    has_levels,
    own_names,
    parts_of,
    rates_by_level,
    sort_of,
    written,
)
from admin.plan_reading import attach, change, read_document, sentence_of, shown_path
from admin.plan_words import field_name, path_name, told
from app.access import settings
from app.catalog.models import Product
from app.distribution import compliance, drafting
from app.distribution.compliance import Preview
from app.engines.bound import explain_bound
from app.engines.documents import dump_rules, load_rules
from app.engines.faults import FieldFault, PlanRulesInvalid, invalid
from app.engines.parameters import Upgrade
from app.engines.registry import MODELS
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.money import percent
from app.plans.differences import diff
from app.plans.errors import PlanRevised
from app.plans.models import PlanVersion
from app.plans.services import Draft
from app.stores.models import Store

ALL, SOME = "all", "some"
FORM, TEXT = "form", "json"
TONES: Final = {"BLOCK": "bad", "HIGH": "wait", "WARN": "busy"}
SEVERITIES: Final = {"BLOCK": _("BLOCK"), "HIGH": _("HIGH"), "WARN": _("WARN")}
"""What people read of how grave a finding is."""


@dataclass(slots=True)
class Sheet:
    """What the page shows: the form in sections, faults that belong to no control, the check."""

    sections: list[Group] = field(default_factory=list)
    levels: Group | None = None
    faults: list[str] = field(default_factory=list)
    preview: Preview | None = None

    @property
    def told(self) -> dict[str, Any]:
        """Return the check in words."""
        return verdict_in_words(self.preview) if self.preview else {}


class PlanEditorForm(FlaskForm):
    """Rules, scope and a note; made for one model by `editor_form`."""

    model: ClassVar[str]
    first = ("note",)

    note = StringField(_("What changes, and why"), validators=[InputRequired(), Length(max=200)])
    tab = HiddenField(default=FORM)
    revision = HiddenField()
    rules = TextAreaField(
        _("Rules"),
        validators=[Length(max=200_000)],
        description=_("Rates are basis points: 1000 is 10 %. One rate for each level."),
        render_kw={"rows": 28, "class": "code", "spellcheck": "false"},
    )
    store_choice = RadioField(
        _("Stores"),
        default=ALL,
        validate_choice=False,
    )
    store_ids = TicksField(_("Only these stores"), coerce=int, validators=[Optional()])
    product_choice = RadioField(
        _("Products"),
        default=ALL,
        validate_choice=False,
    )
    product_ids = TicksField(_("Only these products"), coerce=int, validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores and products there are, and read the document."""
        super().__init__(*args, **kwargs)
        self.store_choice.choices = [(ALL, gettext("All stores")), (SOME, gettext("Only these"))]
        self.product_choice.choices = [
            (ALL, gettext("All products")),
            (SOME, gettext("Only these")),
        ]
        stores = db.session.execute(sa.select(Store.id, Store.name).order_by(Store.name))
        self.store_ids.choices = [(row.id, row.name) for row in stores]
        products = db.session.execute(sa.select(Product.id, Product.title).order_by(Product.title))
        self.product_ids.choices = [(row.id, row.title) for row in products]
        self.faults: tuple[FieldFault, ...] = ()
        self.conflicts: list[tuple[str, str, str]] = []
        self.preview: Preview | None = None
        self.is_judged = False
        self.document = self._read()

    def _read(self) -> Document | None:
        """Return the document as it stands in the form or in the text; None where that is none."""
        base = _parsed(self.rules.data)
        if not self.is_submitted() or self.tab.data == TEXT:
            return base
        document = read_document(self.model, request.form, base or {"model": self.model})
        self.rules.data = pretty(document)
        return document

    @property
    def scope_document(self) -> Document:
        """Return where the plan applies, as it is stored."""
        choices = ((self.store_choice, self.store_ids), (self.product_choice, self.product_ids))
        return {ids.short_name: list(ids.data or ()) for one, ids in choices if one.data == SOME}

    def draft(self) -> Draft:
        """Return what was written as the service takes it."""
        return Draft(
            rules=self.draft_rules(), scope=self.scope_document, note=self.note.data.strip()
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Do what a button asked for; or check everything before it goes to the service."""
        intent = request.form.get("intent", "")
        if intent:
            self._act(intent)
            return False
        is_valid: bool = super().validate(extra_validators)
        self.judge()
        return is_valid and not self.faults

    def _act(self, intent: str) -> None:
        if intent == "as_text":
            self.tab.data = TEXT
        elif intent == "as_form":
            self.judge()
            if not any(one.path.partition(".")[0] != "scope" for one in self.faults):
                self.tab.data = FORM
        elif self.document is not None:
            change(self.model, self.document, intent)
            self.rules.data = pretty(self.document)

    def judge(self) -> None:
        """Find every fault, and without any work out bound and findings. Writes nothing."""
        session, self.is_judged = db.session(), True
        try:
            parsed = drafting.parse(session, self.draft_rules(), self.scope_document)
            if parsed.rules.model != self.model:
                raise invalid("model", "literal_error", {"expected": self.model})
        except PlanRulesInvalid as error:
            self.faults, self.preview = error.faults, None
        else:
            self.faults = ()
            self.preview = compliance.preview(session, parsed.rules, parsed.scope, settings())

    def draft_rules(self) -> Document | str:
        """Return the rules as they can be validated."""
        return self.document if self.document is not None else self.rules.data or ""

    def told_faults(self) -> list[tuple[str, str]]:
        """Return each fault as the path of its control and a sentence."""
        document = self.document or {}
        parts = _all_parts(self.model, document)
        shown = [(shown_path(document, one.path), one) for one in self.faults]
        return [
            (part.path if part else path, say(sentence_of(part, fault)))
            for (path, _fault), (part, fault) in zip(shown, attach(parts, shown), strict=True)
        ]

    @property
    def sheet(self) -> Sheet:
        """Return what the page shows, with every fault where it belongs."""
        if not self.is_judged:
            self.judge()
        document = self.document or {}
        sheet = Sheet(preview=self.preview)
        if self.tab.data == TEXT or self.document is None:
            sheet.faults = [f"{one.path or 'JSON'}: {say(one.message)}" for one in self.faults]
            return sheet
        sheet.sections = sections_of(self.model, document)
        sheet.levels = levels_of(self.model, document) if has_levels(self.model) else None
        parts: list[Part] = [*sheet.sections, *([sheet.levels] if sheet.levels else [])]
        shown = [(shown_path(document, one.path), one) for one in self.faults]
        for (path, _fault), (part, fault) in zip(shown, attach(parts, shown), strict=True):
            sentence = say(sentence_of(part, fault))
            if part is None:
                sheet.faults.append(f"{path_name(path) or 'JSON'}: {sentence}")
            else:
                part.errors.append(sentence)
        return sheet


def editor_form(row: PlanVersion) -> type[FlaskForm]:
    """Return the form for the model of a version's plan."""
    return type("PlanEditorForm", (PlanEditorForm,), {"model": row.plan.model})


def begin_from(row: PlanVersion) -> dict[str, Any]:
    """Return what the form about a version holds at first."""
    scope = row.scope
    return {
        "note": row.note,
        "revision": str(row.revision),
        "rules": pretty(in_order(row.rules)),
        "store_choice": SOME if "store_ids" in scope else ALL,
        "store_ids": scope.get("store_ids", []),
        "product_choice": SOME if "product_ids" in scope else ALL,
        "product_ids": scope.get("product_ids", []),
    }


def begin_copy(row: PlanVersion) -> dict[str, Any]:
    """Return what a new version of the same plan holds at first; why it is made is to be said."""
    return {**begin_from(row), "note": ""}


def explain(error: DomainError, form: Any) -> bool:
    """Put each wrong parameter beside its control, and what somebody else wrote beside mine."""
    if isinstance(error, PlanRulesInvalid):
        form.faults, form.is_judged = error.faults, True
        return True
    if isinstance(error, PlanRevised):
        _show_conflict(error, form)
        return True
    return False


def _show_conflict(error: PlanRevised, form: Any) -> None:
    """Show both values of what differs now; saving once more takes the ones of this page."""
    row = db.session.get_one(PlanVersion, int(request.args["id"]))
    theirs = {"rules": row.rules, "scope": row.scope}
    mine = {"rules": form.document or {}, "scope": form.scope_document}
    form.conflicts = [
        (path_name(one.path), told(one.path, one.before), told(one.path, one.after))
        for one in diff(theirs, mine)
    ]
    form.revision.data = str(error.revision)
    form.form_errors.append(say_error(error))


def live_answer(form: PlanEditorForm) -> dict[str, Any]:
    """Return what the live check tells: faults by control, the document, bound and findings."""
    form.judge()
    verdict = verdict_in_words(form.preview) if form.preview else {"bound": [], "findings": []}
    return {
        "faults": [
            {"path": path, "name": path_name(path) or "JSON", "text": text}
            for path, text in form.told_faults()
        ],
        "document": form.rules.data or "",
        **verdict,
    }


def verdict_in_words(preview: Preview) -> dict[str, Any]:
    """Return bound and findings as a page shows them."""
    bound = preview.bound
    return {
        "total": percent(bound.total_bp),
        "bound": [say(message) for message in explain_bound(bound)],
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity.value,
                "label": str(SEVERITIES[one.severity.value]),
                "tone": TONES[one.severity.value],
                "text": say(one.message),
                "citation": say(one.citation),
            }
            for one in preview.findings
        ],
    }


def sections_of(model: str, document: Document) -> list[Group]:
    """Return the controls of a plan in the order in which people think: pay, when, declarations."""
    rules = MODELS[model].rules
    terms = ["effective_at", "payout_cap_bp", "settle_seconds"]
    declared = parts_of(rules, document, "", ["conduct"])
    pay = parts_of(rules, document, "", own_names(model))
    return [
        Group("", gettext("What it pays"), pay),
        Group("", gettext("When, and how much at most"), parts_of(rules, document, "", terms)),
        *(one for one in declared if isinstance(one, Group)),
    ]


def levels_of(model: str, document: Document) -> Group:
    """Return the table of levels: what each earns, and what leads to it."""
    levels = document.get("levels")
    levels = levels if isinstance(levels, Mapping) else {}
    held = levels.get("upgrades")
    upgrades = held if isinstance(held, list) else []
    rows: list[Part] = [
        Group(
            f"levels.upgrades.{index - 1}" if index else "levels.first",
            gettext("Level %(level)s", level=index + 1),
            [*_rates(model, document, index), *_upgrade(upgrades, index)],
        )
        for index in range(len(upgrades) + 1)
    ]
    kind = MODELS[model].rules.model_fields["levels"].annotation
    assert isinstance(kind, type)
    return Group(
        "levels", gettext("Levels"), rows + parts_of(kind, levels, "levels", ["jump", "retention"])
    )


def _rates(model: str, document: Document, index: int) -> list[Part]:
    controls: list[Part] = []
    for name in rates_by_level(model):
        sort = sort_of(name, MODELS[model].rules.model_fields[name].annotation)
        assert sort is not None
        table = document.get(name)
        value = table[index] if isinstance(table, list) and index < len(table) else None
        one = Sort(sort.kind)
        controls.append(
            Control(f"{name}.{index}", field_name(name), one, written(sort.kind, value))
        )
    return controls


def _upgrade(upgrades: list[Any], index: int) -> list[Part]:
    if not index:
        return []
    path = f"levels.upgrades.{index - 1}"
    return parts_of(Upgrade, upgrades[index - 1], path, ["mode", "conditions"])


def _all_parts(model: str, document: Document) -> list[Part]:
    levels: list[Part] = [levels_of(model, document)] if has_levels(model) else []
    return [*sections_of(model, document), *levels]


def _parsed(text: str | None) -> Document | None:
    try:
        found = from_json(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def in_order(rules: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return stored rules in the order of their model; PostgreSQL keeps another one."""
    try:
        return dump_rules(load_rules(rules))
    except PlanRulesInvalid:
        return rules


def pretty(document: Mapping[str, Any]) -> str:
    """Return a document as people read and edit it."""
    return json.dumps(document, ensure_ascii=False, indent=2)
