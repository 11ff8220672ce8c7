"""Fission a second time: a ledger of who brought whom when, looked through anew for each sale."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.engines.events import Refunded, Sold
from app.engines.fission.rules import FissionRules
from app.engines.people import Standing

Given = tuple[str, int, int | None]
"""Kind, beneficiary, number of the round."""


@dataclass
class Entry:
    """One new customer: in no round yet (0), in a round, or out of it all (None)."""

    owner_id: int
    buyer_id: int
    order_id: int
    at: datetime
    round: int | None = 0


@dataclass
class NaiveFission:
    rules: FissionRules
    standings: Mapping[int, Standing]
    book: list[Entry] = field(default_factory=list)
    closings: list[tuple[int, datetime]] = field(default_factory=list)
    bonuses: set[tuple[int, int]] = field(default_factory=set)
    known: dict[int, int] = field(default_factory=dict)

    def may_earn(self, member_id: int, sold: Sold) -> bool:
        if member_id == sold.sale.buyer.member_id:
            return False
        known = [person for person in sold.chain if person.member_id == member_id]
        if known and known[0].household & sold.sale.buyer.household:
            return False
        now = self.standings.get(member_id, Standing.ACTIVE)
        return (known[0].standing if known else now) is Standing.ACTIVE

    def rounds_of(self, member_id: int) -> list[datetime]:
        return [at for closer_id, at in self.closings if closer_id == member_id]

    def sell(self, sold: Sold) -> list[Given]:
        """Note a sale; return what is given, in order."""
        sale = sold.sale
        buyer_id = sale.buyer.member_id
        paid = any(line.distributable and line.base_fen for line in sale.lines)
        if not (sold.chain and sale.is_first and paid) or buyer_id in self.known:
            return []
        owner = sold.chain[0]
        if owner.member_id == buyer_id or owner.household & sale.buyer.household:
            return []
        self.known[buyer_id] = owner.member_id
        given: list[Given] = []
        if self.rules.newcomer_gift:
            given.append(("NEWCOMER", buyer_id, None))
        year_ago = sale.at - timedelta(days=365)
        lately = [at for at in self.rounds_of(owner.member_id) if at > year_ago]
        if owner.standing is not Standing.ACTIVE or len(lately) == self.rules.max_rounds_per_year:
            return given
        self.book.append(Entry(owner.member_id, buyer_id, sale.order_id, sale.at))
        return given + self.close(owner.member_id, sold)

    def close(self, owner_id: int, sold: Sold) -> list[Given]:
        """Close a round if enough are waiting; those too old for it are struck out."""
        waiting = self.waiting(owner_id)
        newest = waiting[-1].at
        for entry in waiting:
            if entry.at + timedelta(days=self.rules.window_days) < newest:
                entry.round = None
        waiting = self.waiting(owner_id)
        if len(waiting) < self.rules.per_round:
            return []
        number = len(self.rounds_of(owner_id)) + 1
        for entry in waiting:
            entry.round = number
        self.closings.append((owner_id, newest))
        return [("ROUND", owner_id, number), *self.second_tier(owner_id, sold)]

    def waiting(self, owner_id: int) -> list[Entry]:
        mine = [entry for entry in self.book if (entry.owner_id, entry.round) == (owner_id, 0)]
        return sorted(mine, key=lambda entry: (entry.at, entry.order_id))

    def second_tier(self, closer_id: int, sold: Sold) -> list[Given]:
        """Look at all rounds anew; the closer's own comes first."""
        if self.rules.round_bonus is None:
            return []
        rounds: dict[tuple[int, int], list[int]] = {}
        for entry in self.book:
            if entry.round:
                rounds.setdefault((entry.owner_id, entry.round), []).append(entry.buyer_id)
        due = [
            key
            for key, members in rounds.items()
            if key not in self.bonuses and all(map(self.rounds_of, members))
        ]
        self.bonuses.update(due)
        first_own = sorted(due, key=lambda key: key[0] != closer_id)
        return [("TIER2", *key) for key in first_own if self.may_earn(key[0], sold)]

    def refund(self, event: Refunded) -> int | None:
        """Strike out what was wholly refunded; return the closed round that it belongs to."""
        for entry in self.book:
            if entry.order_id == event.order_id and not event.remaining_fen:
                if entry.round:
                    return entry.round
                entry.round = None
        return None
