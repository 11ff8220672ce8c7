"""Parts of pages about an order that reach into commission and the ledger."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _

from admin import staff
from admin.details import Section, rows_section, sentences_section
from admin.directory import Directory, Reference
from admin.i18n import gettext, say
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.distribution.models import Award, AwardRefusal, AwardReversal, OrderDecision
from app.distribution.queries import order_explanation
from app.engines.explaining import explain_facts
from app.kernel.db import db
from app.ledger.models import LedgerEntry, LedgerTransfer
from app.payouts.models import PayoutBill
from app.stores.permissions import Permission

FACTS: Final[Mapping[str, tuple[Any, str]]] = {
    "commission-accrued": (_("Commission earned"), "orders"),
    "commission-matured": (_("Commission matured"), "awards"),
    "commission-clawed-back": (_("Commission taken back after a refund"), "refunds"),
    "payout-requested": (_("Payout asked for"), "payouts"),
    "payout-settled": (_("Transfer ended"), "bills"),
    "payout-released": (_("Payout given back"), "payouts"),
}
"""The business facts that the ledger records, by the first part of their keys."""


class Names(dict[int, str]):
    """Names of distributors for sentences; whoever is not the reader's to know has none."""

    def get(self, key: int, _default: Any = None) -> str:
        """Return a name, or words that tell nothing."""
        return super().get(key) or gettext("of another store")


def names_of(member_ids: Iterable[int]) -> Names:
    """Return the names of distributors that the reader may know."""
    references = [Reference("distributors", one) for one in set(member_ids)]
    directory = Directory(db.session(), references, store_ids=visible_store_ids())
    known = {one.id: directory.name(one) for one in references if directory.knows(one)}
    return Names(known)


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
    decided: list[Award | AwardRefusal] = [*awards, *refusals]
    names = names_of(person for one in decided for person in _mentioned(one))
    parts = [_award(one, names) for one in awards] + [_refusal(one, names) for one in refusals]
    return Section(title, "story", template="backoffice/story.html", facts=parts)


def _mentioned(row: Award | AwardRefusal) -> Iterable[int]:
    """Return everybody whom the explanation of a decision names."""
    if row.beneficiary_id is not None:
        yield row.beneficiary_id
    facts = row.explanation
    for key in ("beneficiary_id", "owner_id"):
        if facts.get(key) is not None:
            yield facts[key]
    yield from facts.get("passed_over") or ()


def sentences_of(award: Award) -> list[str]:
    """Return why an award is what it is, with what refunds did to it."""
    reversals = db.session.scalars(
        sa.select(AwardReversal)
        .where(AwardReversal.award_id == award.id)
        .order_by(AwardReversal.id)
    ).all()
    names = names_of(_mentioned(award))
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
        "sentences": sentences_of(award),
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


def entries_about(**about: int) -> Section | None:
    """Return what the ledger recorded about an order, a refund, an award or a payout."""
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
    has_page = register in {"orders", "refunds", "payouts", "awards"} and number.isdigit()
    return Reference(register, int(number)) if has_page else None
