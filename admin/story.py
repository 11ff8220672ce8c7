"""Parts of pages about an order that reach into commission and the ledger."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.details import Section, rows_section, sentences_section
from admin.directory import Directory, Reference
from admin.i18n import gettext, say
from admin.labels import label_of
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.distribution.models import (
    Award,
    AwardRefusal,
    AwardReversal,
    AwardState,
    OrderDecision,
)
from app.distribution.queries import order_explanation
from app.engines.explaining import explain_facts
from app.engines.registry import MODELS
from app.kernel.db import db
from app.ledger.models import LedgerEntry, LedgerTransfer
from app.payouts.models import PayoutBill
from app.stores.permissions import Permission

FACTS: Final[Mapping[str, tuple[Any, str]]] = {
    "commission-accrued": (_("Commission earned"), "orders"),
    "commission-accrued-month": (_("Commission of a month earned"), "closed_months"),
    "commission-matured": (_("Commission matured"), "awards"),
    "commission-clawed-back": (_("Commission taken back after a refund"), "refunds"),
    "payout-requested": (_("Payout asked for"), "payouts"),
    "payout-settled": (_("Transfer ended"), "bills"),
    "payout-released": (_("Payout given back"), "payouts"),
}
"""The business facts that the ledger records, by the first part of their keys."""
WITH_PAGES: Final = frozenset({"orders", "refunds", "payouts", "awards", "closed_months"})
NO_PEOPLE: Final = frozenset({"order_id", "line_id", "product_id", "plan_id"})
"""Ids in explanations that are none of people."""


class Names(dict[int, str]):
    """Names of distributors for sentences; whoever is not the reader's to know has none."""

    def get(self, key: int, _default: Any = None) -> str:
        """Return a name, or words that tell nothing."""
        return super().get(key) or gettext("of another store")


def names_of(member_ids: Iterable[int]) -> Names:
    """Return the names of distributors that the reader may know."""
    ids = set(member_ids)
    known = _known("distributors", ids)
    return Names(_known("members", ids - known.keys()) | known)


def _known(register: str, ids: Iterable[int]) -> dict[int, str]:
    references = [Reference(register, one) for one in ids]
    directory = Directory(db.session(), references, store_ids=visible_store_ids())
    return {one.id: directory.name(one) for one in references if directory.knows(one)}


def decisions_of(order_id: int) -> Section | None:
    """Return why each seat of each line of an order was or was not paid."""
    if not staff.may(Permission.AWARDS_VIEW):
        return None
    session = db.session()
    awards = session.scalars(
        sa.select(Award).where(Award.order_id == order_id).order_by(Award.id)
    ).all()
    refusals = session.scalars(
        sa.select(AwardRefusal).where(AwardRefusal.order_id == order_id).order_by(AwardRefusal.id)
    ).all()
    title = _("Commission, and why")
    if not awards and not refusals:
        texts = [say(message) for part in order_explanation(session, order_id) for message in part]
        return sentences_section(title, texts)
    return story_section(title, awards, refusals)


def story_section(
    title: Any, awards: Iterable[Award], refusals: Iterable[AwardRefusal] = (), *, url: str = ""
) -> Section:
    """Return who was paid, who was not, and why in each case."""
    paid, refused = list(awards), list(refusals)
    decided: list[Award | AwardRefusal] = [*paid, *refused]
    names = names_of(person for one in decided for person in _mentioned(one))
    parts = [_award(one, names) for one in paid] + [_refusal(one, names) for one in refused]
    if not parts:
        return sentences_section(title, ())
    return Section(title, "story", template="backoffice/story.html", facts=parts, more_url=url)


def people_in(facts: Mapping[str, Any]) -> Iterable[int]:
    """Return everybody whom an explanation names."""
    for key, value in facts.items():
        if key.endswith("_id") and key not in NO_PEOPLE and isinstance(value, int):
            yield value
    yield from facts.get("passed_over") or ()


def _mentioned(row: Award | AwardRefusal) -> Iterable[int]:
    """Return everybody whom a decision names."""
    if row.beneficiary_id is not None:
        yield row.beneficiary_id
    yield from people_in(row.explanation)


def kind_in_words(facts: Mapping[str, Any]) -> str:
    """Return for what something is given, as its model calls it; empty where that is not told."""
    model = MODELS.get(facts.get("model", ""))
    name = model.kinds.get(facts.get("kind", "")) if model is not None else None
    return say(name) if name else ""


def sentences_of(award: Award, names: Names | None = None) -> list[str]:
    """Return why an award is what it is, with what refunds did to it; `names` if known already."""
    reversals = db.session.scalars(
        sa.select(AwardReversal)
        .where(AwardReversal.award_id == award.id)
        .order_by(AwardReversal.id)
    ).all()
    names = names_of(_mentioned(award)) if names is None else names
    told = explain_facts(
        award.explanation, reversals=[one.explanation for one in reversals], names=names
    )
    return [say(message) for message in told]


def refusal_sentences(row: AwardRefusal) -> list[str]:
    """Return why something was not given."""
    names = names_of(_mentioned(row))
    return [say(message) for message in explain_facts(row.explanation, names=names)]


def _award(award: Award, names: Names) -> dict[str, Any]:
    return {
        "id": award.id,
        "who": names.get(award.beneficiary_id),
        "amount_fen": award.amount_fen - award.reversed_fen,
        "state": award.state,
        "label": state_in_words(award),
        "sentences": sentences_of(award, names),
    }


def _refusal(row: AwardRefusal, names: Names) -> dict[str, Any]:
    who = names.get(row.beneficiary_id) if row.beneficiary_id is not None else gettext("Nobody")
    told = explain_facts(row.explanation, names=names)
    return {
        "who": who,
        "amount_fen": 0,
        "state": None,
        "sentences": [say(message) for message in told],
    }


def state_in_words(award: Award) -> Any:
    """Return where an award stands; that of a month waits for its pay day, not for returns."""
    if award.closed_month_id is not None and award.state is AwardState.FROZEN:
        return gettext("Waiting for the pay day")
    return label_of(award.state)


def entries_about(**about: int) -> Section | None:
    """Return what the ledger recorded about an order, a refund, an award, a payout or a month."""
    if not staff.may(Permission.LEDGER_VIEW) or visible_store_ids() is not None:
        return None
    rows = db.session.execute(
        sa.select(
            LedgerEntry.key,
            LedgerEntry.occurred_at,
            LedgerTransfer.source_id,
            LedgerTransfer.target_id,
            LedgerTransfer.amount.label("amount_fen"),
        )
        .join(LedgerTransfer, LedgerTransfer.entry_id == LedgerEntry.id)
        .where(LedgerEntry.key.in_(_keys(**about)))
        .order_by(LedgerEntry.id, LedgerTransfer.id)
    ).all()
    columns = ("key", "occurred_at", "source_id", "target_id", "amount_fen")
    shape = Shape(columns, computed={"key": lambda row: fact_name(row.key)})
    return rows_section(_("In the ledger"), rows, shape)


def _keys(
    *,
    order_id: int | None = None,
    refund_id: int | None = None,
    award_id: int | None = None,
    payout_id: int | None = None,
    closed_month_id: int | None = None,
) -> list[str]:
    session = db.session()
    keys = []
    if order_id is not None:
        awards = session.scalars(sa.select(Award.id).where(Award.order_id == order_id))
        versions = session.scalars(
            sa.select(OrderDecision.plan_version_id).where(OrderDecision.order_id == order_id)
        )
        keys += [f"commission-accrued:{order_id}:{one}" for one in versions]
        keys += [f"commission-matured:{one}" for one in awards]
    if refund_id is not None:
        keys.append(f"commission-clawed-back:{refund_id}")
    if award_id is not None:
        keys.append(f"commission-matured:{award_id}")
        month_id = session.scalar(sa.select(Award.closed_month_id).where(Award.id == award_id))
        keys += [f"commission-accrued-month:{month_id}"] * (month_id is not None)
    if closed_month_id is not None:
        keys.append(f"commission-accrued-month:{closed_month_id}")
    if payout_id is not None:
        bills = session.scalars(sa.select(PayoutBill.id).where(PayoutBill.payout_id == payout_id))
        keys += [f"payout-requested:{payout_id}", f"payout-released:{payout_id}"]
        keys += [f"payout-settled:{one}" for one in bills]
    return keys


def fact_name(key: str) -> str:
    """Return what a business fact of the ledger is called."""
    kind = key.partition(":")[0]
    return str(FACTS[kind][0]) if kind in FACTS else key


def fact_about(key: str) -> Reference | None:
    """Return the row that a business fact of the ledger is about, if it has a page."""
    kind, _colon, numbers = key.partition(":")
    number = numbers.partition(":")[0]
    register = FACTS[kind][1] if kind in FACTS else ""
    has_page = register in WITH_PAGES and number.isdigit()
    return Reference(register, int(number)) if has_page else None
