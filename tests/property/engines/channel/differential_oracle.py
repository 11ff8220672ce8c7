"""A second way to the same differences: by sets of people and exact fractions, without a walk.

Of those who may earn, somebody raises the rate where theirs is above that of everybody nearer. The
difference is theirs to the highest rate nearer than them. Somebody is a peer where theirs is just
that highest rate; their number is how many with that rate stand between them and the one who first
had it. The cap is a function of what all nearer have a right to, and amounts are fractions.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from app.engines.differential.rules import DifferentialRules, PeerBase
from app.engines.people import Line, Person, Sale, Standing

Paid = dict[tuple[int, int], tuple[int, str, int]]
"""(line, step) → (beneficiary, kind, fen)."""


def _earns(rules: DifferentialRules, buyer: Person, chain: Sequence[Person], index: int) -> bool:
    person = chain[index]
    return (
        person.standing is Standing.ACTIVE
        and person.level in range(1, len(rules.rates_bp) + 1)
        and person.member_id not in {buyer.member_id, *(one.member_id for one in chain[:index])}
        and not person.household & buyer.household
    )


def _rates(
    rules: DifferentialRules, buyer: Person, chain: Sequence[Person], line: Line
) -> list[int]:
    """Return everybody's rate on a line, nearest first, zero for whoever cannot earn."""
    own = rules.product_rates.get(line.product_id)
    table = rules.rates_bp if own is None or own.rates_bp is None else own.rates_bp
    excluded = not line.distributable or (own is not None and own.excluded)
    return [
        table[(person.level or 0) - 1] if not excluded and _earns(rules, buyer, chain, index) else 0
        for index, person in enumerate(chain)
    ]


def _claims(rules: DifferentialRules, rates: list[int]) -> list[tuple[str, int]]:
    """Return what everybody has a right to: the kind and basis points, before the cap."""
    claims: list[tuple[str, int]] = []
    for index, rate_bp in enumerate(rates):
        before = rates[:index]
        highest = max(before, default=0)
        if rate_bp > highest:
            claims.append(("DIFFERENTIAL", rate_bp - highest))
        elif rate_bp and rate_bp == highest:
            first = before.index(highest)
            number = before.count(highest)
            claims.append(
                ("PEER", _peer(rules, claims, first) * (number <= rules.peer_generations))
            )
        else:
            claims.append(("", 0))
    return claims


def _peer(rules: DifferentialRules, claims: list[tuple[str, int]], first: int) -> int:
    if rules.peer_base is PeerBase.ORDER:
        return rules.peer_bp
    so_far = sum(bp for _, bp in claims[:first])
    income = _capped(rules, so_far + claims[first][1]) - _capped(rules, so_far)
    return floor(Fraction(income * rules.peer_bp, 10_000))


def _capped(rules: DifferentialRules, bp: int) -> int:
    return min(bp, rules.payout_cap_bp)


def paid_by(rules: DifferentialRules, sale: Sale, chain: Sequence[Person]) -> Paid:
    """Return what each step of each line is paid, where it is paid anything."""
    near = chain if rules.max_depth is None else chain[: rules.max_depth]
    paid: Paid = {}
    for line in sale.lines:
        claims = _claims(rules, _rates(rules, sale.buyer, near, line))
        for index, (kind, bp) in enumerate(claims):
            so_far = sum(claim for _, claim in claims[:index])
            share = Fraction(_capped(rules, so_far + bp) - _capped(rules, so_far), 10_000)
            if fen := floor(share * line.base_fen):
                paid[line.line_id, index + 1] = (near[index].member_id, kind, fen)
    return paid


def captain(shares: dict[str, Fraction], sales: dict[str, int], team: Sequence[str]) -> Fraction:
    """Return what the captain form pays the first of a team: own share, and of others the rest.

    `team` is the captain and everybody below in one line, the captain first, each with a higher
    share than the next: gold gets 80 % of their own sales, and 80 % − 60 % of silver's.
    """
    top, *below = team
    own = shares[top] * sales[top]
    return own + sum(((shares[top] - shares[below[0]]) * sales[one] for one in below), Fraction(0))
