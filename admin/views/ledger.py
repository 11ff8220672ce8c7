"""The ledger, to be read. Nothing here can be made, changed or deleted."""

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import selectinload
from sqlalchemy.sql import Select

from admin.base import ScopedView
from admin.details import Section, pairs_of, rows_section
from admin.filters import Choice, Days, Exactly, Options
from admin.labels import label_of
from admin.scopes import brand_only, by_distributor
from admin.story import FACTS, fact_about, fact_name
from admin.tables import Shape
from app.kernel.db import db
from app.ledger.models import LedgerAccount, LedgerEntry, LedgerSeal, LedgerTransfer
from app.ledger.queries import balance
from app.ledger.transfers import BRAND_NAMES, Account, Name, Unit
from app.stores.permissions import Permission

MOVES_SHOWN = 50


def _balance(row: LedgerAccount) -> int | None:
    return row.balance


class AccountsView(ScopedView):
    """Accounts of members and of the brand."""

    permission = Permission.LEDGER_VIEW
    scope = by_distributor(LedgerAccount.member_id)
    icon = "landmark"
    intro = _(
        "What each distributor has pending, can withdraw, is being paid or owes. The brand's own "
        "accounts are added up when opened."
    )
    is_counted = False

    column_list = ("name", "member_id", "balance_fen")
    labels: ClassVar = {
        "name": _("Account"),
        "member_id": _("Distributor"),
        "balance_fen": _("Balance"),
    }
    references: ClassVar = {"member_id": "distributors"}
    computed: ClassVar = {"name": lambda row: label_of(row.name), "balance_fen": _balance}
    filters = (
        Choice("name", _("Account"), LedgerAccount.name, Name),
        Exactly("distributor", _("Distributor no."), LedgerAccount.member_id, is_id=True),
        Options(
            "holds",
            _("Holds"),
            {
                "something": (_("Something"), lambda: LedgerAccount.balance != 0),
                "debt": (_("A debt"), lambda: LedgerAccount.balance < 0),
            },
        ),
    )
    facts = ("name", "member_id")

    def title_of(self, row: LedgerAccount) -> str:
        """Return what the account is."""
        return str(label_of(row.name))

    def sections(self, row: LedgerAccount) -> Iterable[Section | None]:
        """Show the balance and the latest movements."""
        held = (
            balance(db.session(), Account(row.name, Unit(row.unit)))
            if row.name in BRAND_NAMES
            else row.balance
        )
        yield Section(
            _("Balance"),
            "facts",
            facts=pairs_of({"balance_fen": held}, {"balance_fen": _("Balance")}),
        )
        either = sa.or_(LedgerTransfer.source_id == row.id, LedgerTransfer.target_id == row.id)
        moves = db.session.execute(
            sa.select(
                LedgerTransfer.id,
                LedgerEntry.key,
                LedgerEntry.occurred_at,
                LedgerTransfer.source_id,
                LedgerTransfer.target_id,
                LedgerTransfer.amount.label("amount_fen"),
            )
            .join(LedgerEntry, LedgerEntry.id == LedgerTransfer.entry_id)
            .where(either)
            .order_by(LedgerTransfer.id.desc())
            .limit(MOVES_SHOWN)
        ).all()
        columns = ("key", "about", "occurred_at", "source_id", "target_id", "amount_fen")
        yield rows_section(_("Latest movements"), moves, Shape(columns, ABOUT, computed=KEYS))


KEYS: dict[str, Any] = {
    "key": lambda row: fact_name(row.key),
    "about": lambda row: fact_about(row.key),
}
ABOUT: dict[str, Any] = {"about": _("About")}


def _of_kind(kind: str) -> sa.ColumnElement[bool]:
    return LedgerEntry.key.startswith(f"{kind}:")


class EntriesView(ScopedView):
    """Business facts, each of which balances."""

    permission = Permission.LEDGER_VIEW
    scope = brand_only
    icon = "arrow-left-right"
    intro = _(
        "Every business fact that moved money, in order. Each balances; none is ever changed."
    )
    is_counted = False

    column_list = ("id", "key", "about", "amount_fen", "occurred_at")
    labels: ClassVar = {**ABOUT, "amount_fen": _("Moved")}
    computed: ClassVar = {
        **KEYS,
        "amount_fen": lambda row: sum(one.amount for one in row.transfers),
    }
    loads = (selectinload(LedgerEntry.transfers),)
    search_hint = _("Business fact, such as payout-requested:12")
    filters = (
        Options(
            "fact",
            _("Business fact"),
            {kind: (label, partial(_of_kind, kind)) for kind, (label, _register) in FACTS.items()},
        ),
        Days("occurred", _("Time"), LedgerEntry.occurred_at),
    )
    facts = ("key", "about", "occurred_at", "transaction_id")
    details_labels: ClassVar = {"transaction_id": _("Database transaction")}

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find an entry by its key, which is unique."""
        return query.where(LedgerEntry.key == text)

    def title_of(self, row: LedgerEntry) -> str:
        """Return what happened, and the number of the entry."""
        return f"{fact_name(row.key)} #{row.id}"

    def sections(self, row: LedgerEntry) -> Iterable[Section | None]:
        """Show what moved, and the seal that proves nobody has changed it since."""
        transfers = db.session.execute(
            sa.select(
                LedgerTransfer.source_id,
                LedgerTransfer.target_id,
                LedgerTransfer.amount.label("amount_fen"),
            )
            .where(LedgerTransfer.entry_id == row.id)
            .order_by(LedgerTransfer.id)
        ).all()
        yield rows_section(
            _("Transfers"), transfers, Shape(("source_id", "target_id", "amount_fen"))
        )
        seal = db.session.scalar(
            sa.select(LedgerSeal)
            .where(LedgerSeal.below_transaction_id > row.transaction_id)
            .order_by(LedgerSeal.id)
            .limit(1)
        )
        if seal is not None:
            labels = {"sealed_at": _("Sealed"), "entry_count": _("Entries"), "hash": _("Hash")}
            values = {name: getattr(seal, name) for name in labels}
            yield Section(_("Seal"), "facts", facts=pairs_of(values, labels))
