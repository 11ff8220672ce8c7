"""The team of a simulated brand: who stands above whom, at which level, and who rises. Pure.

Each set of rules has a crowd of its own, since levels are part of the rules. Invented distributors
are evaluated at the end of each month, on windows of whole months, begun ones counted whole.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias

from app.distribution.simulation.stream import Newcomer, Trade
from app.engines.levels import Figure, figures_needed, promote
from app.engines.parameters import ConditionKind, Levels
from app.engines.people import Person

UPLINES_MAX: Final = 9
"""How many people above a buyer an order keeps, in the shop as here."""
DAYS_A_MONTH: Final = 30
_TEAM: Final = ConditionKind.TEAM_SALES
_SUMMED: Final[Mapping[ConditionKind, str]] = {
    ConditionKind.DIRECT_SALES: "sales_fen",
    ConditionKind.DIRECT_ORDERS: "orders",
    ConditionKind.OWN_SPEND: "own_fen",
    ConditionKind.OWN_ORDERS: "own_orders",
    ConditionKind.RECRUITS: "recruits",
    ConditionKind.COMMISSION_MATURED: "commission_fen",
}
"""Figures that are the sum of what the months of a window hold."""
Chain: TypeAlias = tuple[Person, ...]


@dataclass(slots=True)
class _Figures:
    """What one distributor did in one month."""

    sales_fen: int = 0
    orders: int = 0
    largest_fen: int = 0
    customers: set[int] = field(default_factory=set)
    own_fen: int = 0
    own_orders: int = 0
    recruits: int = 0
    commission_fen: int = 0


class Crowd:
    """Distributors and their levels under one set of rules."""

    def __init__(self, levels: Levels, *, rises: bool) -> None:
        """Begin with nobody; with `rises` levels are earned here, else they are as they come."""
        self._levels = levels
        self._rises = rises and bool(levels.upgrades)
        self._needed = figures_needed(levels)
        self._counts_commission = self._rises and any(
            one.kind is ConditionKind.COMMISSION_MATURED for one in self._needed
        )
        self._customers_max = max(
            (
                one.at_least
                for upgrade in levels.upgrades
                for one in upgrade.conditions
                if one.kind is ConditionKind.PAYING_CUSTOMERS
            ),
            default=0,
        )
        self.people: dict[int, Person] = {}
        self.recommenders: dict[int, int] = {}
        self.promoted_at: dict[int, datetime] = {}
        self._recruits: dict[int, list[int]] = defaultdict(list)
        self._chains: dict[int, Chain] = {}
        self._months: list[dict[int, _Figures]] = [{}]

    def join(self, newcomer: Newcomer) -> None:
        """Take somebody into the team; whoever is in it already stays as they are."""
        member_id, above = newcomer.person.member_id, newcomer.recommender_id
        if member_id in self.people:
            return
        self.people[member_id] = newcomer.person
        if above is not None:
            self.recommenders[member_id] = above
            self._recruits[above].append(member_id)
            if self._rises:
                self._of(above).recruits += 1

    def around(self, trade: Trade) -> tuple[Person, Chain]:
        """Return the buyer of an order and the people above, as they stand now."""
        if trade.around is not None:
            return trade.around
        buyer = self.people.get(trade.buyer_id) or Person(trade.buyer_id)
        return buyer, () if trade.owner_id is None else self._chain(trade.owner_id)

    def _chain(self, owner_id: int) -> Chain:
        known = self._chains.get(owner_id)
        if known is not None:
            return known
        above: list[Person] = []
        member_id: int | None = owner_id
        while member_id is not None and len(above) < UPLINES_MAX:
            above.append(self.people[member_id])
            member_id = self.recommenders.get(member_id)
        self._chains[owner_id] = chain = tuple(above)
        return chain

    def settle(self, trade: Trade, net_fen: int) -> None:
        """Count a settled order for its owner and its buyer, where levels are earned here."""
        if not self._rises or net_fen <= 0:
            return
        if trade.owner_id is not None and trade.owner_id != trade.buyer_id:
            sold = self._of(trade.owner_id)
            sold.sales_fen += net_fen
            sold.orders += 1
            sold.largest_fen = max(sold.largest_fen, net_fen)
            if len(sold.customers) < self._customers_max:
                sold.customers.add(trade.buyer_id)
        if trade.buyer_id in self.people:
            bought = self._of(trade.buyer_id)
            bought.own_fen += net_fen
            bought.own_orders += 1

    def take_back(self, trade: Trade, refunded_fen: int) -> None:
        """Count a refund of a settled order."""
        if not self._rises:
            return
        if trade.owner_id is not None and trade.owner_id != trade.buyer_id:
            self._of(trade.owner_id).sales_fen -= refunded_fen
        if trade.buyer_id in self.people:
            self._of(trade.buyer_id).own_fen -= refunded_fen

    def earn(self, member_id: int, amount_fen: int) -> None:
        """Count commission, less what refunds take back, where levels ask for it."""
        if self._counts_commission and member_id in self.people:
            self._of(member_id).commission_fen += amount_fen

    def end_month(self, at: datetime) -> None:
        """Lift whoever has earned it, and begin the next month."""
        if not self._rises:
            return
        touched = list(self._months[-1])
        if any(figure.kind is _TEAM for figure in self._needed):
            touched += [self.recommenders[one] for one in touched if one in self.recommenders]
        for member_id in dict.fromkeys(touched):
            self._lift(self.people[member_id], at)
        longest = max((one.window_days for one in self._needed), default=0)
        self._months.append({})
        del self._months[: max(len(self._months) - _months(longest), 0)]

    def level_counts(self) -> dict[int, int]:
        """Return how many distributors hold each level."""
        counts: dict[int, int] = defaultdict(int)
        for person in self.people.values():
            counts[person.level or 0] += 1
        return dict(sorted(counts.items()))

    def _of(self, member_id: int) -> _Figures:
        month = self._months[-1]
        found = month.get(member_id)
        if found is None:
            found = month[member_id] = _Figures()
        return found

    def _lift(self, person: Person, at: datetime) -> None:
        figures = {one: self._figure(one, person.member_id) for one in self._needed}
        rise = promote(self._levels, person.level or 1, figures)
        if rise is not None:
            self.people[person.member_id] = replace(person, level=rise.to_level)
            self.promoted_at[person.member_id] = at
            self._chains.clear()

    def _figure(self, wanted: Figure, member_id: int) -> int:
        window = self._months[-_months(wanted.window_days) :]
        if wanted.kind is _TEAM:
            return sum(
                month[one].sales_fen
                for one in (member_id, *self._recruits.get(member_id, ()))
                for month in window
                if one in month
            )
        found = [month[member_id] for month in window if member_id in month]
        if wanted.kind is ConditionKind.PAYING_CUSTOMERS:
            return len(set().union(*(one.customers for one in found)))
        if wanted.kind is ConditionKind.LARGEST_ORDER:
            return max((one.largest_fen for one in found), default=0)
        return sum(getattr(one, _SUMMED[wanted.kind]) for one in found)


def _months(days: int) -> int:
    """Return the months that a window of days spans, begun ones counted whole.

    >>> [_months(days) for days in (1, 30, 31, 90, 180)]
    [1, 1, 2, 3, 6]
    """
    return max(-(-days // DAYS_A_MONTH), 1)
