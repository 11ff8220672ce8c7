"""A second way to the same chains: a family tree of lists, in which every boss is looked for.

The engine keeps in each place who its boss is, how deep it stands and how many recruits count. This
one keeps none of it: it climbs the tree for a boss each time, climbs from recommender to
recommender for a distance, and knows by name who counts with whom. What the cap leaves is worked
out from everything that was paid of a line before, in exact fractions.
"""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor

from app.engines.chain.rules import ChainRules, LeaveTo, Pay
from app.engines.events import Joined, Refunded, Settled, Sold
from app.engines.people import Line, Standing
from tests.property.engines.chain_histories import Changed, Happening

Payment = tuple[int, str, int, int]
"""Line, kind, beneficiary, fen."""


class Village:
    def __init__(self, rules: ChainRules) -> None:
        self.rules = rules
        self.tops: list[int] = []
        self.below: dict[int, list[int]] = {}
        self.brought_by: dict[int, int | None] = {}
        self.bosses: set[int] = set()
        self.origin: dict[int, int] = {}
        self.heads: dict[int, set[int]] = defaultdict(set)
        self.sales: dict[int, int] = defaultdict(int)
        self.orders: dict[int, int | None] = {}
        self.gone: set[int] = set()
        self.risen_by: dict[int, int] = {}
        self.counted: set[int] = set()
        self.reviewed: set[int] = set()
        self.standings: dict[int, Standing] = {}

    # Looking

    def parent(self, member: int) -> int | None:
        return next((one for one, kids in self.below.items() if member in kids), None)

    def boss(self, member: int) -> int | None:
        above = self.parent(member)
        while above is not None and above not in self.bosses:
            above = self.parent(above)
        return above

    def steps(self, owner: int, member: int) -> int:
        """Count from a buyer whom `owner` brought up to somebody above."""
        steps, above = 1, owner
        while above != member:
            steps, above = steps + 1, self.brought_by[above] or 0
        return steps

    def counts(self) -> Mapping[int, int]:
        return {member: len(self.heads[member]) for member in self.below}

    # Happenings

    def live(self, happening: Happening) -> list[Payment]:
        if isinstance(happening, Changed):
            self.standings[happening.member_id] = happening.standing
        elif isinstance(happening, Sold):
            return self._sell(happening)
        elif isinstance(happening, Settled):
            self._settle(happening)
        elif isinstance(happening, Refunded):
            self._refund(happening)
        elif self.rules.conduct.entry.name == "FREE":
            self._join(happening)
        return []

    def _join(self, joined: Joined) -> None:
        if joined.person.member_id not in self.below:
            self._enter(joined.person.member_id, joined.recommender_id, None)
            self._recruit(joined.person.member_id)

    def _sell(self, sold: Sold) -> list[Payment]:
        buyer = sold.sale.buyer.member_id
        if buyer in self.below and buyer not in self.gone:
            claims = self._claims_again(sold)
            return [one for line in sold.sale.lines for one in self._share(line, claims)]
        package = next((line for line in sold.sale.lines if self._is_package(line)), None)
        payments = []
        for line in sold.sale.lines:
            payments += self._share(line, self._claims(sold, fixed=line is package))
        if package is not None and self.rules.conduct.entry.name == "BUY_PACKAGE":
            owner = sold.chain[0].member_id if sold.chain else None
            self._enter(buyer, owner, sold.sale.order_id)
            if self.rules.promotion_effective.name == "PAID":
                self._recruit(buyer)
        return payments

    def _settle(self, settled: Settled) -> None:
        buyer = settled.sale.buyer.member_id
        worth = sum(line.base_fen for line in settled.sale.lines)
        if worth == 0:
            return
        joined = self.orders.get(buyer) == settled.sale.order_id and buyer not in self.gone
        if joined and buyer not in self.counted:
            self._recruit(buyer)
        if self.rules.promotion_by.name == "OWN_SALES" and settled.chain:
            seller = settled.chain[0].member_id
            if seller in self.below and seller not in self.gone and seller != buyer:
                self.sales[seller] += worth
                enough = self.sales[seller] >= (self.rules.promote_sales_fen or 0)
                if enough and seller not in self.bosses:
                    self._rise(seller)

    def _refund(self, refund: Refunded) -> None:
        buyer, owner = refund.buyer_id, refund.owner_id
        if refund.is_settled:
            by_sales = self.rules.promotion_by.name == "OWN_SALES"
            if by_sales and owner in self.below and owner not in self.gone and owner != buyer:
                self.sales[owner] = max(0, self.sales[owner] - refund.refunded_fen)
            return
        if refund.remaining_fen or self.orders.get(buyer) != refund.order_id:
            return
        self.gone.add(buyer)
        self.counted.discard(buyer)
        for member in self._counting(buyer):
            if buyer in self.heads[member]:
                self.heads[member].remove(buyer)
                needed = self.rules.promote_count or 0
                if member in self.risen_by and len(self.heads[member]) < needed:
                    self.reviewed.add(member)

    # Moving

    def _enter(self, member: int, owner: int | None, order: int | None) -> None:
        self.orders[member] = order
        if member in self.gone:
            self.gone.remove(member)
            return
        known = owner is not None and owner in self.below and owner != member
        self.brought_by[member] = owner if known else None
        self.below[member] = []
        if known and owner is not None:
            self.below[owner].append(member)
        else:
            self.tops.append(member)
            if self.rules.root_role.name == "BOSS":
                self.bosses.add(member)

    def _counting(self, member: int) -> set[int]:
        parent = self.parent(member) if self.rules.count_left_behind else None
        return {one for one in (self.brought_by[member], parent) if one is not None}

    def _recruit(self, member: int) -> None:
        self.counted.add(member)
        for one in self._counting(member):
            self.heads[one].add(member)
            if len(self.heads[one]) >= (self.rules.promote_count or 0):
                self.reviewed.discard(one)
        above = self.brought_by[member]
        if above is None or above in self.bosses or above in self.gone:
            return
        enough = len(self.heads[above]) >= (self.rules.promote_count or 0)
        if enough and self.rules.promotion_by.name == "RECRUITS":
            order = self.orders[member]
            if order is not None:
                self.risen_by[above] = order
            self._rise(above)

    def _rise(self, member: int) -> None:
        parent, boss = self.parent(member), self.boss(member)
        self.bosses.add(member)
        if boss is not None:
            self.origin[member] = boss
        staying_behind = list(self.below[member])
        if parent is None and self.rules.root_keeps_children:
            staying_behind = []
        elif self.rules.leave_scope.name == "FIRST_N":
            staying_behind = sorted(staying_behind)[: self.rules.leave_count]
        if parent is not None:
            self.below[parent].remove(member)
            self.tops.append(member)
        to = {
            LeaveTo.NEAREST_BOSS: boss if boss is not None else parent,
            LeaveTo.PARENT: parent,
            LeaveTo.PLATFORM: None,
        }[self.rules.leave_to]
        for one in [kid for kid in self.below[member] if kid in staying_behind]:
            self.below[member].remove(one)
            (self.tops if to is None else self.below[to]).append(one)
            if to is not None and self.rules.count_left_behind and one in self.counted:
                self.heads[to].add(one)

    # Paying

    def _is_package(self, line: Line) -> bool:
        named = self.rules.entry_product_ids
        dear = line.base_fen >= (self.rules.entry_price_fen or 10**18)
        return line.distributable and dear and (not named or line.product_id in named)

    def _claims(self, sold: Sold, *, fixed: bool) -> list[tuple[str, int | None, object]]:
        """Say who may claim what of a line, in the order in which they are served."""
        if not sold.chain:
            return []
        owner = sold.chain[0].member_id
        is_boss = owner in self.bosses

        def worth(pay: Pay) -> object:
            reward = pay.boss if is_boss else pay.agent
            if reward.fixed_fen is not None:
                return reward.fixed_fen if fixed else 0
            return Fraction(reward.rate_bp or 0, 10_000)

        boss = None
        if owner in self.below:
            boss = owner if is_boss else self.boss(owner)
        claims = [("DIRECT", self._able(sold, owner, owner), worth(self.rules.direct))]
        claims.append(("TEAM", self._able(sold, owner, boss), worth(self.rules.team)))
        origin = self.origin.get(boss) if boss is not None else None
        shared = {"TEAM"} | ({"DIRECT"} if is_boss and self.rules.peer_base == "ALL" else set())
        return [*claims, ("PEER", self._able(sold, owner, origin), shared)]

    def _claims_again(self, sold: Sold) -> list[tuple[str, int | None, object]]:
        rates = (self.rules.repurchase_first_bp, self.rules.repurchase_second_bp)
        claims: list[tuple[str, int | None, object]] = []
        for steps, (person, rate_bp) in enumerate(zip(sold.chain, rates, strict=False), start=1):
            able = self._may(sold, person.member_id)
            if steps == 2 and person.member_id == sold.chain[0].member_id:
                able = False
            if self.rules.max_depth is not None and steps > self.rules.max_depth:
                able = False
            rate = Fraction(rate_bp, 10_000)
            claims.append((f"REPURCHASE{steps}", person.member_id if able else None, rate))
        return claims

    def _able(self, sold: Sold, owner: int, member: int | None) -> int | None:
        if member is None or not self._may(sold, member):
            return None
        limit = self.rules.max_depth
        return member if limit is None or self.steps(owner, member) <= limit else None

    def _may(self, sold: Sold, member: int) -> bool:
        buyer = sold.sale.buyer
        standing = self.standings.get(member, Standing.ACTIVE)
        kin = any(one.household & buyer.household for one in sold.chain if one.member_id == member)
        in_village = member in self.below and member not in self.gone
        return in_village and standing.name == "ACTIVE" and not kin and member != buyer.member_id

    def _share(self, line: Line, claims: list[tuple[str, int | None, object]]) -> list[Payment]:
        if not line.distributable or line.base_fen == 0:
            return []
        left_bp = self.rules.payout_cap_bp
        paid: dict[str, int] = {}
        payments: list[Payment] = []
        for kind, member, worth in claims:
            if member is None:
                continue
            if isinstance(worth, Fraction):
                rate = min(worth, Fraction(left_bp, 10_000))
                fen = floor(rate * line.base_fen)
                left_bp -= int(rate * 10_000)
            else:
                whole = worth
                if isinstance(worth, set):
                    income = sum(paid.get(one, 0) for one in worth)
                    whole = floor(Fraction(income * self.rules.peer_bp, 10_000))
                assert isinstance(whole, int)
                fen = min(whole, floor(Fraction(left_bp * line.base_fen, 10_000)))
                left_bp -= ceil(Fraction(fen * 10_000, line.base_fen))
            if fen:
                paid[kind] = fen
                payments.append((line.line_id, kind, member, fen))
        return payments
