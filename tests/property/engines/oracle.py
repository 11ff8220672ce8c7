"""A second way to the same awards, to compare with: by position and by exact fractions.

The engine walks the seats and takes each rate out of what is left of the cap. This one writes down
who would be where, and says of each person above which place is theirs; the cap is a function of
the sum of the rates so far, and amounts are fractions of which only the whole fen are paid.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from app.engines.people import Line, Person, Sale, Standing
from app.engines.two_level.rules import TwoLevelRules

Paid = dict[tuple[int, int], tuple[int, int]]
"""(line, seat) → (beneficiary, fen)."""


def _in_force(rules: TwoLevelRules, person: Person) -> bool:
    levels = range(1, len(rules.rates_first_bp) + 1)
    return person.standing is Standing.ACTIVE and person.level in levels


def _places(rules: TwoLevelRules, buyer: Person, chain: Sequence[Person]) -> dict[int, Person]:
    """Return who sits where; someone who sits may still be barred from earning."""
    sells_to_self = rules.self_purchase and buyer.standing.name in {"ACTIVE", "FROZEN"}
    line_up = [(buyer, True)] * sells_to_self + [(person, False) for person in chain[:2]]
    above = [person.member_id for person in chain[:2]]
    present = []
    for index, (person, is_self) in enumerate(line_up):
        kin = not is_self and (
            person.member_id == buyer.member_id
            or bool(person.household & buyer.household)
            or (index == len(line_up) - 1 and above.count(person.member_id) == 2)
        )
        if not rules.compress or kin or _in_force(rules, person):
            present.append((person, kin))
    return {
        seat: person
        for seat, (person, kin) in enumerate(present[:2], start=1)
        if not kin and _in_force(rules, person)
    }


def _rates(rules: TwoLevelRules, line: Line, seat: int) -> Sequence[int]:
    tables = {1: rules.rates_first_bp, 2: rules.rates_second_bp}
    own = rules.product_rates.get(line.product_id)
    if own is not None:
        if own.excluded:
            return [0] * len(tables[seat])
        mine = {1: own.rates_first_bp, 2: own.rates_second_bp}[seat]
        return tables[seat] if mine is None else mine
    return tables[seat]


def paid_by(rules: TwoLevelRules, sale: Sale, chain: Sequence[Person]) -> Paid:
    """Return what each seat of each line is paid, where it is paid anything."""
    cap = Fraction(rules.payout_cap_bp, 10_000)
    places = _places(rules, sale.buyer, chain)
    paid: Paid = {}
    for line in sale.lines:
        so_far = Fraction(0)
        for seat, person in sorted(places.items()):
            assert person.level is not None
            before = min(so_far, cap)
            so_far += Fraction(_rates(rules, line, seat)[person.level - 1], 10_000)
            fen = floor((min(so_far, cap) - before) * line.base_fen)
            if fen and line.distributable:
                paid[line.line_id, seat] = (person.member_id, fen)
    return paid
