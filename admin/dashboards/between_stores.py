"""What stores owe each other for guest cards, pair by pair and month by month.

A statement only: the stores are of one brand and no money moves here. Each line leads to the uses
that it adds up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flask import Response as Answer
from flask import abort, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _

from admin import staff
from admin.dashboards.cards import OfCards, send_table
from admin.details import Section
from admin.staff import visible_store_ids
from admin.tables import Shape, Table
from app.distribution.month_books import bounds, month_of
from app.distribution.statements import is_month
from app.guest_cards import settling
from app.guest_cards.settling import Owed
from app.kernel.clock import business_day
from app.kernel.db import database_now, db
from app.stores.permissions import Permission

MONTHS_OFFERED: Final = 12
PAIRS: Final = Shape(
    ("payer_store_id", "store_id", "uses", "settle_fen"),
    {
        "payer_store_id": _("Owed by"),
        "store_id": _("Used at"),
        "uses": _("Uses"),
        "settle_fen": _("Settlement"),
    },
    {"payer_store_id": "stores"},
)
BALANCES: Final = Shape(
    ("store_id", "owed_to_fen", "owes_fen", "balance_fen"),
    {"owed_to_fen": _("Is owed"), "owes_fen": _("Owes"), "balance_fen": _("Balance")},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a store is owed and owes in a month, in fen."""

    store_id: int
    owed_to_fen: int
    owes_fen: int

    @property
    def balance_fen(self) -> int:
        """Return what it gets in the end; below zero it has to pay."""
        return self.owed_to_fen - self.owes_fen


def balances(
    pairs: Iterable[Owed], *, store_ids: frozenset[int] | None = None
) -> Sequence[Balance]:
    """Add pairs up store by store, as far as all pairs of a store are known: those of `store_ids`.

    >>> of = balances([Owed(1, 2, 3, 900), Owed(2, 1, 1, 400)])
    >>> [(one.store_id, one.balance_fen) for one in of]
    [(1, -500), (2, 500)]
    """
    owed: defaultdict[int, int] = defaultdict(int)
    owes: defaultdict[int, int] = defaultdict(int)
    for one in pairs:
        owed[one.store_id] += one.settle_fen
        owes[one.payer_store_id] += one.settle_fen
    known = sorted(owed.keys() | owes.keys())
    return [
        Balance(store_id=key, owed_to_fen=owed[key], owes_fen=owes[key])
        for key in known
        if store_ids is None or key in store_ids
    ]


class BetweenStoresView(OfCards):
    """The statement of a month; staff of a store see the pairs that their stores are part of."""

    icon = "arrow-left-right"

    @expose("/")
    def index(self) -> str:
        """Show the pairs of a month and what each store gets or pays in the end."""
        month = self._month()
        pairs = statement(month)
        rows = Table(pairs, PAIRS, url=lambda one: uses_url(one, month))
        sums = Table(balances(pairs, store_ids=visible_store_ids()), BALANCES)
        page: str = self.render(
            "backoffice/between_stores.html",
            month=month,
            months=months_offered(),
            sections=[
                Section(_("Store to store"), "table", rows),
                Section(_("In the end"), "table", sums),
            ],
            may_export=staff.may(Permission.EXPORTS),
        )
        return page

    @expose("/table.csv")
    def table(self) -> Answer:
        """Send the pairs of a month as a file."""
        if not staff.may(Permission.EXPORTS):
            abort(403)
        month = self._month()
        return send_table(f"between-stores-{month}", statement(month), PAIRS)

    def _month(self) -> str:
        """Return the month that the address names, else this one; 404 for what is none."""
        month = request.args.get("month", "") or month_of(database_now())
        return month if is_month(month) else abort(404)


def statement(month: str) -> Sequence[Owed]:
    """Return what stores owe each other for a month, as far as the reader may know."""
    from_at, until_at = bounds(month)
    return settling.statement(
        db.session(), from_at=from_at, until_at=until_at, store_ids=visible_store_ids()
    )


def months_offered() -> Sequence[str]:
    """Return this month and those before it, the newest first."""
    found = [month_of(database_now())]
    while len(found) < MONTHS_OFFERED:
        begins_at, _ends_at = bounds(found[-1])
        found.append(month_of(begins_at - timedelta(days=1)))
    return found


def uses_url(one: Owed, month: str) -> str:
    """Return the list of the uses that a pair adds up."""
    from_at, until_at = bounds(month)
    asked: Mapping[str, Any] = {
        "settled": "owed",
        "payer": one.payer_store_id,
        "store": one.store_id,
        "at_from": business_day(from_at).isoformat(),
        "at_to": business_day(until_at - timedelta(days=1)).isoformat(),
    }
    return url_for("card_uses.index_view", **asked)
