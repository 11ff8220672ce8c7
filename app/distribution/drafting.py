"""Writing plans down: with products and stores that exist, and from files.

`app.plans` knows neither products nor their numbers, so whoever drafts comes through here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.engines.documents import dump_rules, load_rules
from app.engines.faults import FAULT_TEXTS, FieldFault, PlanRulesInvalid
from app.engines.parameters import PlanParameters
from app.engines.registry import MODELS
from app.kernel.audit import Actor
from app.kernel.i18n import Message
from app.plans import services as plans
from app.plans.errors import UnknownModel
from app.plans.models import PlanVersion
from app.plans.portable import PlanFile, prefixed, read_file
from app.plans.scopes import Scope
from app.plans.services import Draft
from app.stores.models import Store

IDS_TOLD = 5


@dataclass(frozen=True, slots=True)
class Parsed:
    """What somebody wrote down, found right."""

    rules: PlanParameters
    scope: Scope

    def draft(self, note: str) -> Draft:
        """Return it as `app.plans` takes it."""
        return Draft(rules=dump_rules(self.rules), scope=self.scope.to_json(), note=note)


def parse(
    session: Session,
    rules: Mapping[str, Any] | str | bytes,
    scope: Mapping[str, Any] | None = None,
) -> Parsed:
    """Read rules and scope; raises PlanRulesInvalid with every fault of both.

    Faults of the scope have paths that begin with `scope`. Products and stores that do not exist
    are named.
    """
    faults: list[FieldFault] = []
    loaded, read = None, None
    try:
        loaded = load_rules(rules)
    except PlanRulesInvalid as error:
        faults += error.faults
    try:
        read = Scope.read(dict(scope or {}))
    except PlanRulesInvalid as error:
        faults += prefixed("scope", error)
    if loaded is not None:
        faults += unknown_in_rules(session, loaded)
    if read is not None:
        faults += [_prefixed(one) for one in unknown_in_scope(session, read)]
    if faults or loaded is None or read is None:
        raise PlanRulesInvalid(tuple(faults))
    return Parsed(loaded, read)


def draft(
    session: Session, plan_id: int, document: Draft, *, actor: Actor, now: datetime
) -> PlanVersion:
    """Write the next version of a plan as a draft."""
    parsed = parse(session, document.rules, document.scope)
    return plans.draft(session, plan_id, parsed.draft(document.note), actor=actor, now=now)


def revise(
    session: Session,
    version_id: int,
    document: Draft,
    *,
    revision: int,
    actor: Actor,
    now: datetime,
) -> PlanVersion:
    """Change an open version, if it still is as its author saw it; else raises PlanRevised."""
    parsed = parse(session, document.rules, document.scope)
    return plans.revise(
        session,
        version_id,
        parsed.draft(document.note),
        revision=revision,
        actor=actor,
        now=now,
    )


def open_plan(
    session: Session, name: str, *, model: str, original: bool, actor: Actor, now: datetime
) -> PlanVersion:
    """Open a plan with a first draft: the model's defaults, or the set as the trade practises it.

    Raises UnknownModel and PlanNameTaken.
    """
    if model not in MODELS:
        raise UnknownModel(model)
    plan = plans.create_plan(session, name, model=model, now=now)
    rules = load_rules(MODELS[model].original if original else {"model": model})
    return plans.draft(session, plan.id, Draft(rules=dump_rules(rules)), actor=actor, now=now)


def import_file(
    session: Session, text: str | bytes, *, plan_id: int | None, actor: Actor, now: datetime
) -> PlanVersion:
    """Draft the version that stands in a file: of a plan, or of a new one with the file's name.

    Raises PlanRulesInvalid, ModelDiffers, PlanNotFound and PlanNameTaken.
    """
    file = read_file(text)
    _demand_known(session, file)
    if plan_id is None:
        plan_id = plans.create_plan(session, file.name, model=file.model, now=now).id
    written = Draft(rules=file.rules, scope=file.scope, note=file.note)
    return plans.draft(session, plan_id, written, actor=actor, now=now)


def _demand_known(session: Session, file: PlanFile) -> None:
    scope = [_prefixed(one) for one in unknown_in_scope(session, Scope.read(file.scope))]
    rules = PlanRulesInvalid(tuple(unknown_in_rules(session, load_rules(file.rules))))
    faults = scope + prefixed("rules", rules)
    if faults:
        raise PlanRulesInvalid(tuple(faults))


def unknown_in_scope(session: Session, scope: Scope) -> Iterator[FieldFault]:
    """Yield what of a scope does not exist: stores, products, by their numbers."""
    yield from _unknown(session, Store.id, "store_ids", scope.store_ids or ())
    yield from _unknown(session, Product.id, "product_ids", scope.product_ids or ())


def unknown_in_rules(session: Session, rules: PlanParameters) -> Iterator[FieldFault]:
    """Yield the products that a plan gives terms of their own to and that do not exist."""
    for name in ("product_rates", "product_commissions", "entry_product_ids"):
        yield from _unknown(session, Product.id, name, tuple(getattr(rules, name, ())))


def _unknown(
    session: Session, column: Any, path: str, ids: Collection[int]
) -> Iterator[FieldFault]:
    if not ids:
        return
    known = set(session.scalars(sa.select(column).where(column.in_(ids))))
    missing = sorted(set(ids) - known)
    if missing:
        code = "unknown_stores" if path == "store_ids" else "unknown_products"
        told = ", ".join(map(str, missing[:IDS_TOLD])) + ("…" if len(missing) > IDS_TOLD else "")
        yield FieldFault(path, code, Message(FAULT_TEXTS[code], {"ids": told}))


def _prefixed(fault: FieldFault) -> FieldFault:
    return FieldFault(f"scope.{fault.path}", fault.code, fault.message)
