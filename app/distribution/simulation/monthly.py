"""The books that a month is closed on, kept while orders pass. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.distribution.simulation.crowd import Crowd
from app.distribution.simulation.registers import Register
from app.distribution.simulation.stream import Trade
from app.engines.contract import Model
from app.engines.months import Earner, MonthBooks, MonthClose, MonthScope
from app.engines.people import Standing
from app.engines.shareholders.holdings import HoldingState

PLAN_ID: Final = 0
"""What is simulated is no plan in force."""


@dataclass(slots=True)
class _Sales:
    """What somebody sold to their own customers in the month, and when the last was settled."""

    fen: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class _Handed:
    """What one month hands on to the next."""

    carried_fen: int = 0
    deficit_fen: int = 0


@dataclass(slots=True)
class Books:
    """The settled figures of the running month, for models that pay by the month."""

    model: Model
    rules: Any
    crowd: Crowd
    register: Register
    net_fen: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    _sales: defaultdict[int, _Sales] = field(default_factory=lambda: defaultdict(_Sales))
    _bought_at: dict[tuple[int, int], datetime] = field(default_factory=dict)
    _received_fen: defaultdict[tuple[int | None, int], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    _handed: defaultdict[int | None, _Handed] = field(default_factory=lambda: defaultdict(_Handed))

    @property
    def by_store(self) -> bool:
        """Tell whether each store is closed by itself."""
        return self.model.month_scope is MonthScope.STORE

    def settle(self, trade: Trade, owner_id: int | None, net_fen: int, at: datetime) -> None:
        """Enter a settled order."""
        self.net_fen[trade.store_id] += net_fen
        if net_fen <= 0:
            return
        self._bought_at[trade.store_id if self.by_store else 0, trade.buyer_id] = at
        if owner_id is not None and owner_id != trade.buyer_id:
            sold = self._sales[owner_id]
            sold.fen += net_fen
            sold.last_at = at

    def take_back(self, trade: Trade, owner_id: int | None, refunded_fen: int) -> None:
        """Enter a refund of a settled order."""
        self.net_fen[trade.store_id] -= refunded_fen
        if owner_id is not None and owner_id != trade.buyer_id:
            self._sales[owner_id].fen -= refunded_fen

    def close(self, month: str, ends_at: datetime) -> Iterator[tuple[MonthBooks, MonthClose]]:
        """Close the month, store by store or in one, and begin the next."""
        assert self.model.close_month is not None, f"{self.model.code} pays nothing by the month"
        stores = sorted({*self.net_fen, *self.register.stores}) if self.by_store else [None]
        for store_id in stores:
            handed = self._handed[store_id]
            books = MonthBooks(
                plan_id=PLAN_ID,
                month=month,
                ends_at=ends_at,
                net_fen=sum(self.net_fen.values()) if store_id is None else self.net_fen[store_id],
                people=tuple(self._people(store_id)),
                store_id=store_id,
                carried_fen=handed.carried_fen,
                deficit_fen=handed.deficit_fen,
            )
            close = self.model.close_month(self.rules, books)
            self._handed[store_id] = _Handed(close.carried_fen, close.deficit_fen)
            for award in close.awards:
                self._received_fen[store_id, award.beneficiary_id] += award.amount_fen
            yield books, close
        self.net_fen.clear()
        self._sales.clear()

    def _people(self, store_id: int | None) -> Iterator[Earner]:
        if store_id is None:
            yield from (self._distributor(member_id) for member_id in self._sellers_and_above())
            return
        for place in self.register.holdings(store_id):
            person = self.crowd.people.get(place.member_id)
            yield Earner(
                member_id=place.member_id,
                recommender_id=place.recommender_id,
                level=place.level if place.state == HoldingState.ACTIVE else 0,
                standing=person.standing if person else Standing.NONE,
                own_settled_at=self._bought_at.get((store_id, place.member_id)),
                received_fen=self._received_fen.get((store_id, place.member_id), 0),
                until_at=place.until_at,
            )

    def _sellers_and_above(self) -> list[int]:
        """Return who sold anything in the month and everybody above them, by number."""
        found: set[int] = set()
        for seller_id in self._sales:
            member_id: int | None = seller_id
            while member_id is not None and member_id not in found:
                if member_id in self.crowd.people:
                    found.add(member_id)
                member_id = self.crowd.recommenders.get(member_id)
        return sorted(found)

    def _distributor(self, member_id: int) -> Earner:
        person = self.crowd.people[member_id]
        sold = self._sales.get(member_id) or _Sales()
        return Earner(
            member_id=member_id,
            recommender_id=self.crowd.recommenders.get(member_id),
            level=person.level,
            standing=person.standing,
            sales_fen=sold.fen,
            last_sale_at=sold.last_at,
            own_settled_at=self._bought_at.get((0, member_id)),
            received_fen=self._received_fen.get((None, member_id), 0),
            promoted_at=self.crowd.promoted_at.get(member_id),
        )
