"""Random plans of chain 2+1 and random lives under them: joins, purchases, refunds, freezes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from app.engines.chain.rules import (
    ChainRules,
    LeaveScope,
    LeaveTo,
    Pay,
    PeerBase,
    PromotionBy,
    Repurchase,
    Reward,
    Role,
)
from app.engines.events import Joined, Refunded, Settled, Sold
from app.engines.parameters import Conduct, Entry, Moment
from app.engines.people import Line, Person, Sale, Standing

PRICE_FEN = 1_000
PACKAGE, SERVICE = 5, 6
DAWN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody's standing changes: no event of a plan, but the next one sees it."""

    member_id: int
    standing: Standing


Happening: TypeAlias = Sold | Settled | Refunded | Joined | Changed


def rewards(random: Random) -> Reward:
    if random.random() < 0.5:
        return Reward(fixed_fen=random.choice((1, 99, 150, 400, 1_500)))
    return Reward(rate_bp=random.choice((0, 7, 500, 1_000, 3_333)))


def plans(random: Random, **given: Any) -> ChainRules:
    """Draw a plan; what is given stands."""
    by = given.get("promotion_by", random.choice(list(PromotionBy)))
    entry = given.pop("entry", random.choice((Entry.BUY_PACKAGE, Entry.BUY_PACKAGE, Entry.FREE)))
    moments = (Moment.PAID, Moment.AFTER_SALE_CLOSED)
    moment = random.choice(moments)
    if by is PromotionBy.OWN_SALES:
        moment = Moment.AFTER_SALE_CLOSED
    elif entry is Entry.FREE:
        moment = Moment.PAID
    scope = given.get("leave_scope", random.choice((LeaveScope.ALL, LeaveScope.ALL, *LeaveScope)))
    leave_to = given.get("leave_to", random.choice(list(LeaveTo)))
    again = random.choice(list(Repurchase))
    fields: dict[str, Any] = {
        "conduct": Conduct(entry=entry),
        "payout_cap_bp": random.choice((1, 800, 3_000, *[10_000] * 5)),
        "entry_price_fen": PRICE_FEN,
        "entry_product_ids": random.choice(((), (PACKAGE,))),
        "root_role": random.choice((Role.AGENT, Role.AGENT, Role.BOSS)),
        "direct": Pay(agent=rewards(random), boss=rewards(random)),
        "team": Pay(agent=rewards(random), boss=rewards(random)),
        "max_depth": random.choice((None, None, None, 1, 2, 3)),
        "peer_bp": random.choice((0, 1_000, 2_500, 10_000)),
        "peer_base": random.choice(list(PeerBase)),
        "promotion_by": by,
        "promotion_effective": moment,
        "promote_count": random.choice((1, 2, 2, 3)),
        "promote_sales_fen": random.choice((1, 1_500, 4_000)),
        "count_left_behind": random.random() < 0.3,
        "leave_scope": scope,
        "leave_count": random.choice((1, 2)) if scope is LeaveScope.FIRST_N else None,
        "leave_to": leave_to,
        "root_keeps_children": leave_to is not LeaveTo.PLATFORM or random.random() < 0.5,
        "repurchase": again,
        "repurchase_first_bp": 900 if again is Repurchase.TWO_LEVEL else 0,
        "repurchase_second_bp": 350 if again is Repurchase.TWO_LEVEL else 0,
    }
    return ChainRules(**(fields | given))


class Life:
    """People who come, buy, are frozen and get refunds; each step a few things at one instant."""

    def __init__(
        self, random: Random, rules: ChainRules, *, people: int, is_tame: bool = False
    ) -> None:
        self.random = random
        self.is_free = rules.conduct.entry is Entry.FREE
        self.people = people
        self.is_tame = is_tame
        self.owners: dict[int, int | None] = {}
        self.members: list[int] = []
        self.standings: dict[int, Standing] = {}
        self.orders: list[Sold] = []
        self.left: dict[int, dict[int, int]] = {}
        self.settled: set[int] = set()
        self.at = DAWN
        self.numbers = 0

    def history(self, steps: int) -> Iterator[Happening]:
        for _ in range(steps):
            self.at += timedelta(minutes=1)
            draw = self.random.random()
            if self.is_tame or draw < (0.35 if self.is_free else 0.5):
                yield from self._sell_at_once(self.random.choice((1, 1, 2, 3)))
            elif draw < (0.65 if self.is_free else 0.52):
                yield self._join()
            elif draw < (0.68 if self.is_free else 0.57):
                member_id = self.random.randint(1, self.people)
                standing = self.random.choice((Standing.ACTIVE, Standing.ACTIVE, *Standing))
                self.standings[member_id] = standing
                yield Changed(member_id, standing)
            elif self.orders and draw < 0.8:
                yield from self._refund(self.random.choice(self.orders))
            elif self.orders:
                yield from self._settle(self.random.choice(self.orders))

    def _person(self, member_id: int) -> Person:
        kin = frozenset({"phone:1"}) if member_id % 7 == 3 and not self.is_tame else frozenset()
        return Person(member_id, 1, self.standings.get(member_id, Standing.ACTIVE), kin)

    def _chain(self, member_id: int) -> tuple[Person, ...]:
        chain: list[Person] = []
        above = self.owners[member_id]
        longest = self.random.randint(1, 4)
        while above is not None and len(chain) < longest:
            chain.append(self._person(above))
            above = self.owners.get(above)
        return tuple(chain)

    def _owner_of(self, member_id: int) -> int | None:
        """Find who brings somebody, once: anybody who came before, seldom nobody or themself."""
        if member_id not in self.owners:
            draw, others = self.random.random(), self.members
            if self.random.random() < 0.1:
                others = list(self.owners)
            elif self.random.random() < 0.6:
                others = self.members[-5:]
            self.owners[member_id] = self.random.choice(others) if others and draw > 0.05 else None
            if draw < 0.01 and not self.is_tame:
                self.owners[member_id] = member_id
        return self.owners[member_id]

    def _sell_at_once(self, count: int) -> list[Sold]:
        """Sell to several at one instant; their order is that of the numbers of the orders."""
        sold = []
        for _ in range(count):
            new = [one for one in range(1, self.people + 1) if one not in self.owners]
            is_new = new and (self.is_tame or self.random.random() < 0.85)
            buyer_id = self.random.choice(new) if is_new else self.random.randint(1, self.people)
            self._owner_of(buyer_id)
            self.numbers += 1
            sold.append(self._order(buyer_id))
            packages = [one for one in sold[-1].sale.lines if one.base_fen >= PRICE_FEN]
            if any(one.product_id == PACKAGE for one in packages) and not self.is_free:
                self.members.append(buyer_id)
        orders = [one.sale.order_id for one in sold]
        self.random.shuffle(orders)
        renumbered = [
            replace(one, sale=replace(one.sale, order_id=order_id))
            for one, order_id in zip(sold, orders, strict=True)
        ]
        renumbered.sort(key=lambda one: (one.sale.at, one.sale.order_id))
        for one in renumbered:
            self.orders.append(one)
            self.left[one.sale.order_id] = {line.line_id: line.base_fen for line in one.sale.lines}
        return renumbered

    def _order(self, buyer_id: int) -> Sold:
        choices = (*[PRICE_FEN] * 4, PRICE_FEN + 1, 2 * PRICE_FEN, 999, 50, 0)
        count = 1 if self.is_tame else self.random.choice((1, 1, 2, 3))
        lines = tuple(
            Line(
                self.numbers * 10 + index,
                product_id=self.random.choice((PACKAGE, PACKAGE, PACKAGE, SERVICE)),
                base_fen=self.random.choice(choices),
                distributable=self.random.random() < 0.95,
                quantity=self.random.choice((1, 2)),
            )
            if not self.is_tame
            else Line(self.numbers * 10, PACKAGE, PRICE_FEN)
            for index in range(count)
        )
        sale = Sale(self.numbers, self._person(buyer_id), lines, at=self.at)
        return Sold(sale, self._chain(buyer_id))

    def _join(self) -> Joined:
        new = [one for one in range(1, self.people + 1) if one not in self.members]
        is_new = new and self.random.random() < 0.9
        member_id = self.random.choice(new) if is_new else self.random.randint(1, self.people)
        joined = Joined(self._person(member_id), self._owner_of(member_id), self.at)
        if self.is_free:
            self.members.append(member_id)
        return joined

    def _refund(self, order: Sold) -> Iterator[Refunded]:
        sale = order.sale
        left = self.left[sale.order_id]
        before = sum(left.values())
        if not before:
            return
        for line_id in left:
            if self.random.random() < 0.8:
                left[line_id] = self.random.choice((0, 0, left[line_id] // 2))
        self.numbers += 1
        yield Refunded(
            order_id=sale.order_id,
            refund_id=self.numbers,
            buyer_id=sale.buyer.member_id,
            owner_id=order.chain[0].member_id if order.chain else None,
            remaining_fen=sum(left.values()),
            is_settled=sale.order_id in self.settled,
            at=self.at,
            refunded_fen=before - sum(left.values()),
        )

    def _settle(self, order: Sold) -> Iterator[Settled]:
        sale = order.sale
        if sale.order_id in self.settled:
            return
        self.settled.add(sale.order_id)
        left = self.left[sale.order_id]
        lines = tuple(replace(line, base_fen=left[line.line_id]) for line in sale.lines)
        yield Settled(replace(sale, lines=lines), order.chain)
