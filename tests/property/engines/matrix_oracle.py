"""The matrix a second time, as it would be told: a plain tree, looked through from the top.

The engine keeps distances and counts on the positions. This one keeps nothing: it walks level by
level to find a slot, counts whoever is below to see whether a position is full, and reckons the
cap with fractions of all rates so far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from app.engines.events import Refunded, Sold
from app.engines.matrix.rules import MatrixRules
from app.engines.people import Line, Person, Standing

Paid = tuple[int, str, int, int, int]
"""Line, kind, seat, beneficiary, fen."""


@dataclass
class Node:
    member_id: int
    number: int
    sponsor_id: int | None
    order_id: int | None
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    is_out: bool = False
    is_marked: bool = False

    def ancestors(self) -> list["Node"]:
        return [] if self.parent is None else [self.parent, *self.parent.ancestors()]

    def level(self, depth: int) -> list["Node"]:
        if depth == 0:
            return [self]
        return [deep for child in self.children for deep in child.level(depth - 1)]


class NaiveMatrix:
    def __init__(self, rules: MatrixRules) -> None:
        self.rules = rules
        self.nodes: list[Node] = []
        self.standings: Mapping[int, Standing] = {}

    def of(self, member_id: int | None) -> list[Node]:
        return [node for node in self.nodes if node.member_id == member_id]

    def may_earn(self, member_id: int, buyer: Person, chain: Sequence[Person]) -> bool:
        if member_id == buyer.member_id:
            return False
        known = [person for person in chain if person.member_id == member_id]
        if known and known[0].household & buyer.household:
            return False
        standing = known[0].standing if known else self.standings.get(member_id, Standing.ACTIVE)
        return standing is Standing.ACTIVE

    def place(self, node: Node) -> None:
        roots = [one for one in self.nodes if one.parent is None]
        starts = roots if self.rules.placement == "GLOBAL" else self.of(node.sponsor_id)
        self.nodes.append(node)
        if not starts:
            return
        depth = 0
        while node.parent is None:
            for one in starts[0].level(depth):
                if len(one.children) < self.rules.width:
                    one.children.append(node)
                    node.parent = one
                    break
            depth += 1

    def is_full(self, node: Node) -> bool:
        return all(
            len(node.level(depth)) == self.rules.width**depth
            for depth in range(1, self.rules.completion_layers + 1)
        )

    def package(self, sold: Sold) -> Line | None:
        rules = self.rules
        if len(self.of(sold.sale.buyer.member_id)) == rules.positions_max:
            return None
        for line in sold.sale.lines:
            wanted = not rules.entry_product_ids or line.product_id in rules.entry_product_ids
            dear = Fraction(line.base_fen, line.quantity) >= rules.entry_price_fen
            if line.distributable and wanted and dear:
                return line
        return None

    def buy(self, sold: Sold) -> list[Paid]:
        """Place the buyer, if they get a position; return what is paid, in order."""
        buyer, rules = sold.sale.buyer, self.rules
        line = self.package(sold)
        if line is None:
            return []
        mine = self.of(buyer.member_id)
        owner_id = sold.chain[0].member_id if sold.chain else buyer.member_id
        sponsor_id = None if owner_id == buyer.member_id else owner_id
        if mine:
            sponsor_id = mine[0].sponsor_id
        node = Node(buyer.member_id, len(mine) + 1, sponsor_id, sold.sale.order_id)
        self.place(node)
        wishes: list[tuple[str, int, int, int]] = []
        if (
            sponsor_id is not None
            and self.may_earn(sponsor_id, buyer, sold.chain)
            and (self.of(sponsor_id) or not rules.sponsor_needs_place)
        ):
            wishes.append(("SPONSOR", 1, sponsor_id, rules.sponsor_bp))
        for layer, above in enumerate(node.ancestors()[: len(rules.layers_bp)], start=1):
            if above.is_out or not self.may_earn(above.member_id, buyer, sold.chain):
                continue
            if layer > 6 and self.directs(above.member_id) < rules.deep_layer_directs:
                continue
            wishes.append((f"LAYER{layer}", layer, above.member_id, rules.layers_bp[layer - 1]))
        return self.pay(sold, line, wishes, self.complete(node))

    def directs(self, member_id: int) -> int:
        """Count whom somebody brought after they had come in themselves."""
        since = self.nodes.index(self.of(member_id)[0])
        return sum(node.number == 1 and node.sponsor_id == member_id for node in self.nodes[since:])

    def complete(self, node: Node) -> list[Node]:
        """Let out whom a bought position completes, and whoever is completed by that in turn."""
        paid: list[Node] = []
        new = [node]
        for entered in new:
            for above in entered.ancestors()[: self.rules.completion_layers]:
                if above.is_out or not self.is_full(above):
                    continue
                above.is_out = True
                if entered is node:
                    paid.append(above)
                self.come_in_again(above, new)
        return paid

    def come_in_again(self, out: Node, new: list[Node]) -> None:
        held = len(self.of(out.member_id))
        active = self.standings.get(out.member_id, Standing.ACTIVE) is Standing.ACTIVE
        if self.rules.reentry and held < self.rules.positions_max and active:
            again = Node(out.member_id, held + 1, out.sponsor_id, None)
            self.place(again)
            new.append(again)

    def pay(
        self,
        sold: Sold,
        line: Line,
        wishes: list[tuple[str, int, int, int]],
        completed: list[Node],
    ) -> list[Paid]:
        cap, so_far, paid = Fraction(self.rules.payout_cap_bp, 10_000), Fraction(0), []
        for kind, seat, member_id, rate_bp in wishes:
            before = min(so_far, cap)
            so_far += Fraction(rate_bp, 10_000)
            fen = floor((min(so_far, cap) - before) * line.base_fen)
            paid.append((line.line_id, kind, seat, member_id, fen))
        left_fen = floor(max(cap - so_far, Fraction(0)) * line.base_fen)
        for node in completed:
            if self.may_earn(node.member_id, sold.sale.buyer, sold.chain):
                fen = min(self.rules.completion_fen, left_fen)
                seat = self.rules.completion_layers
                paid.append((line.line_id, "COMPLETE", seat, node.member_id, fen))
        return [one for one in paid if one[-1]]

    def refund(self, event: Refunded) -> bool:
        """Mark the position of an order; tell whether it was marked now."""
        found = [
            node
            for node in self.nodes
            if node.order_id == event.order_id
            and node.member_id == event.buyer_id
            and not node.is_marked
            and event.remaining_fen < self.rules.entry_price_fen
        ]
        for node in found:
            node.is_marked = True
        return bool(found)
