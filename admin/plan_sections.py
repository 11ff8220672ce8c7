"""What the page about a version shows: findings, rules in words, cost, differences, its life."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin.details import Section, rows_section, sentences_section, steps_section
from admin.i18n import gettext, moment, say
from admin.plan_controls import rates_by_level
from admin.plan_editor import SEVERITIES, TONES, in_order, pretty
from admin.plan_words import field_name, path_name, told
from admin.tables import Shape
from app.catalog.models import Product
from app.distribution.compliance import finding_message
from app.engines.bound import explain_bound
from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.parameters import ConditionKind, Mode, PlanParameters, Upgrade
from app.engines.registry import MODELS
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.kernel.money import percent
from app.plans import services
from app.plans.differences import diff
from app.plans.models import PlanConfirmation, PlanVersion, PlanVersionStep
from app.plans.queries import version_in_force_of
from app.plans.scopes import Scope
from app.stores.models import Store

IDS_SHOWN = 50
STEPS = Shape(("event", "at", "actor", "note", "revision"))
DIFFERENCES = Shape(
    ("what", "before", "after"),
    {"what": _("Parameter"), "before": _("In force"), "after": _("In this version")},
)


def sections_of(row: PlanVersion) -> Iterable[Section | None]:
    """Yield everything about a version but how it was tried; what has to be decided first."""
    yield _findings(row)
    try:
        rules = load_rules(row.rules)
    except PlanRulesInvalid as error:
        yield sentences_section(_("Rules"), [say(one.message) for one in error.faults])
    else:
        yield sentences_section(_("Rules in words"), list(_in_words(rules)))
        yield _rates(rules)
        bound = [say(message) for message in explain_bound(MODELS[rules.model].bound(rules))]
        yield sentences_section(_("What it can cost at worst"), bound)
    yield _differences(row)
    yield sentences_section(_("Where it applies"), list(_scope(Scope.read(row.scope))))
    steps = db.session.scalars(
        sa.select(PlanVersionStep)
        .where(PlanVersionStep.version_id == row.id)
        .order_by(PlanVersionStep.id)
    )
    yield steps_section(_("What happened"), steps.all(), STEPS)
    stored = pretty(in_order(row.rules))
    yield Section(_("As stored"), "stored", template="backoffice/stored.html", facts=stored)


def _findings(row: PlanVersion) -> Section:
    """Show what the latest check found, and who has answered for what."""
    title = _("Compliance check")
    check = services.find_check(db.session(), row)
    if check is None:
        return Section(title, "sentences", empty=_("This version has not been checked yet."))
    confirmations = db.session.scalars(
        sa.select(PlanConfirmation)
        .where(PlanConfirmation.version_id == row.id, PlanConfirmation.revision == row.revision)
        .order_by(PlanConfirmation.id)
    )
    facts = {
        "made": gettext(
            "Checked at %(at)s under the profile %(profile)s.",
            at=moment(check.checked_at),
            profile=check.profile,
        ),
        "findings": [
            {
                "rule": one["rule"],
                "severity": one["severity"],
                "label": SEVERITIES.get(one["severity"], one["severity"]),
                "tone": TONES.get(one["severity"], "calm"),
                "text": say(finding_message(one)),
                "citation": say(str(one["citation"])),
            }
            for one in check.findings
        ],
        "confirmations": [
            {
                "rule": one.rule,
                "at": moment(one.confirmed_at),
                "officer": one.officer_name,
                "statement": one.statement,
            }
            for one in confirmations
        ],
    }
    return Section(title, "findings", template="backoffice/findings.html", facts=facts)


def _in_words(rules: PlanParameters) -> Iterable[str]:
    """Tell the terms that all plans have, then those of the model."""
    yield gettext(
        "Commission on a line is at most %(cap)s of what was paid for it.",
        cap=percent(rules.payout_cap_bp),
    )
    yield gettext(
        "It can be withdrawn %(days)s days after the customer received what they bought.",
        days=rules.settle_seconds // 86_400,
    )
    yield from map(say, MODELS[rules.model].describe(rules))


def _rates(rules: PlanParameters) -> Section | None:
    """Show what each level earns, and what leads there; for models whose rates go by level."""
    names = rates_by_level(rules.model)
    if not names:
        return None
    upgrades = {one.level: one for one in rules.levels.upgrades}
    rows = [
        {
            "level": gettext("Level %(level)s", level=level),
            **{name: getattr(rules, name)[level - 1] for name in names},
            "condition": _condition(upgrades[level]) if level in upgrades else gettext("Approval"),
        }
        for level in range(1, rules.levels.count + 1)
    ]
    labels = {name: field_name(name) for name in names}
    shape = Shape(("level", *names, "condition"), {**labels, "condition": _("How it is reached")})
    return rows_section(_("Rates by level"), rows, shape)


def _condition(upgrade: Upgrade) -> str:
    """Return what lifts a distributor to a level, in words."""
    joint = gettext(" and ") if upgrade.mode is Mode.ALL else gettext(" or ")
    return joint.join(
        _figure(one.kind, one.at_least, one.window_days) for one in upgrade.conditions
    )


def _figure(kind: ConditionKind, at_least: int, days: int) -> str:
    amount = yuan(at_least)
    texts = {
        ConditionKind.DIRECT_SALES: gettext(
            "own settled sales of %(amount)s within %(days)s days", amount=amount, days=days
        ),
        ConditionKind.LARGEST_ORDER: gettext(
            "an order of %(amount)s within %(days)s days", amount=amount, days=days
        ),
        ConditionKind.OWN_SPEND: gettext(
            "own purchases of %(amount)s within %(days)s days", amount=amount, days=days
        ),
        ConditionKind.TEAM_SALES: gettext(
            "team sales of %(amount)s within %(days)s days", amount=amount, days=days
        ),
        ConditionKind.COMMISSION_MATURED: gettext(
            "commission of %(amount)s within %(days)s days", amount=amount, days=days
        ),
        ConditionKind.PAYING_CUSTOMERS: gettext(
            "%(count)s paying customers within %(days)s days", count=at_least, days=days
        ),
        ConditionKind.DIRECT_ORDERS: gettext(
            "%(count)s orders of own customers within %(days)s days", count=at_least, days=days
        ),
        ConditionKind.OWN_ORDERS: gettext(
            "%(count)s own orders within %(days)s days", count=at_least, days=days
        ),
        ConditionKind.RECRUITS: gettext(
            "%(count)s people recruited within %(days)s days", count=at_least, days=days
        ),
    }
    return texts[kind]


def _differences(row: PlanVersion) -> Section | None:
    """Compare with the version of the plan that is in force, field by field."""
    current = version_in_force_of(db.session(), row.plan_id)
    if current is None or current.id == row.id:
        return None
    before = {"rules": in_order(current.rules), "scope": current.scope}
    after = {"rules": in_order(row.rules), "scope": row.scope}
    rows = [
        {
            "what": path_name(one.path),
            "before": told(one.path, one.before),
            "after": told(one.path, one.after),
        }
        for one in diff(before, after)
    ]
    section = rows_section(
        gettext("Compared with v%(number)s, which is in force", number=current.number),
        rows,
        DIFFERENCES,
    )
    return replace(section, empty=_("There is no difference."))


def _scope(scope: Scope) -> Iterable[str]:
    """Name the stores and products that a version is meant for."""
    if scope.store_ids is None:
        yield gettext("In all stores, those opened later included.")
    else:
        names = _names(sa.select(Store.name).where(Store.id.in_(scope.store_ids)))
        yield gettext("In these stores: %(names)s.", names=names)
    if scope.product_ids is None:
        yield gettext("For all products that earn commission.")
    else:
        names = _names(sa.select(Product.title).where(Product.id.in_(scope.product_ids)))
        yield gettext("For these products: %(names)s.", names=names)


def _names(query: Any) -> str:
    names = list(db.session.scalars(query.limit(IDS_SHOWN + 1)))
    more = "…" if len(names) > IDS_SHOWN else ""
    return ", ".join(names[:IDS_SHOWN]) + more
