"""Channel distribution, TWO_LEVEL: the two people above a buyer earn on what was paid.

Seat 1 belongs to the owner of the buyer, seat 2 to the owner's recommender, both as they stood
when the order was paid. With `self_purchase` a buyer who is a distributor takes seat 1 of their
own order and their owner seat 2; a frozen one still holds the seat, or freezing would raise what
the people above earn. Whoever cannot earn leaves a seat empty, and the next one is not moved.
With `compress` a seat whose holder is no distributor, frozen, gone or without a level goes to the
next person above; a buyer or their household are not missing, so theirs stays empty. Nobody
further than two above the buyer ever earns, and nobody takes both seats.

The cap works on rates, line by line: the rates applied to one line never add up to more than
`payout_cap_bp`, and the second seat gives way first. So the awards of an order stay within the
cap on its base, and what an award is worth depends on its own line alone. Cutting amounts per order
instead was rejected: a cheap line would lend its room to a dear one, a refund of either would move
the awards of the other, some of them upwards, and the end would depend on the order of refunds.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from app.engines.obstacles import obstacle_of_line, obstacle_of_person
from app.engines.parameters import ProductRates
from app.engines.people import Line, Person, Sale, Standing
from app.engines.results import (
    FACTS_SCHEMA,
    Award,
    Decisions,
    Facts,
    Outcome,
    Reason,
    Refusal,
)
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.money import share_of


class AwardKind(StrEnum):
    """For what an award is given."""

    L1 = "L1"
    L2 = "L2"


KINDS = (AwardKind.L1, AwardKind.L2)
"""What the seats pay, nearest first. There are as many seats as there may be uplines: two."""


class Role(StrEnum):
    """What brought a person within reach of a seat."""

    OWNER = "OWNER"
    RECOMMENDER = "RECOMMENDER"
    BUYER = "BUYER"


class RatesOf(StrEnum):
    """Whose rates apply: the plan's, or a product's own."""

    PLAN = "PLAN"
    PRODUCT = "PRODUCT"


class _Candidate(NamedTuple):
    """Someone within reach of a seat, and what keeps them from earning, if anything does."""

    person: Person
    role: Role
    obstacle: Reason | None


class _Seat(NamedTuple):
    """A seat, the same for all lines: who takes it, or why nobody does; who was passed over.

    `facts` is what an explanation tells of seat and candidate, put together once an order.
    """

    number: int
    candidate: _Candidate | None
    obstacle: Reason | None
    passed_over: tuple[_Candidate, ...]
    facts: Facts


class _Price(NamedTuple):
    """What a seat gets of a line: the plan's rate, whose it is, and what the cap leaves of it."""

    plan_rate_bp: int
    rates_of: RatesOf
    rate_bp: int
    cap_bp: int


PASSED_ON = frozenset(
    {
        Reason.NOT_DISTRIBUTOR,
        Reason.FROZEN,
        Reason.QUIT,
        Reason.NO_LEVEL,
        Reason.LEVEL_NOT_IN_PLAN,
    }
)
"""The obstacles for which `compress` looks further up."""


def decide(rules: TwoLevelRules, sale: Sale, chain: Sequence[Person]) -> Decisions:
    """Return what a sale brings to those above its buyer, and whom it brings nothing and why.

    `chain` is the upline as snapshotted at payment: the owner, then the owner's recommender; what
    follows is ignored. Each seat of each line gets one award or at least one refusal. Lines do
    not influence each other.

    >>> sale = Sale(7, buyer=Person(1), lines=(Line(70, product_id=5, base_fen=25_999),))
    >>> above = [Person(11, 1, Standing.ACTIVE), Person(12, 2, Standing.ACTIVE)]
    >>> decisions = decide(TwoLevelRules(), sale, above)
    >>> [(award.beneficiary_id, award.kind.value, award.amount_fen) for award in decisions.awards]
    [(11, 'L1', 2599), (12, 'L2', 1299)]
    >>> above[0] = Person(11, 1, Standing.FROZEN)
    >>> decisions = decide(TwoLevelRules(), sale, above)
    >>> [(award.beneficiary_id, award.kind.value, award.amount_fen) for award in decisions.awards]
    [(12, 'L2', 1299)]
    >>> [(refusal.beneficiary_id, refusal.reason.value) for refusal in decisions.refusals]
    [(11, 'FROZEN')]
    """
    seats = tuple(_seats(rules, sale.buyer, chain))
    of_order: Facts = {
        "schema": FACTS_SCHEMA,
        "model": rules.model,
        "order_id": sale.order_id,
        "buyer_id": sale.buyer.member_id,
        "owner_id": chain[0].member_id if chain else None,
    }
    awards: list[Award] = []
    refusals: list[Refusal] = []
    for line in sale.lines:
        for decision in _decide_line(rules, line, seats, of_order):
            if isinstance(decision, Award):
                awards.append(decision)
            else:
                refusals.append(decision)
    return Decisions(tuple(awards), tuple(refusals))


def _seats(rules: TwoLevelRules, buyer: Person, chain: Sequence[Person]) -> Iterator[_Seat]:
    """Seat those within reach, nearest first."""
    reach = list(_within_reach(rules, buyer, chain))
    nobody = Reason.NO_UPLINE if reach else Reason.NO_OWNER
    for number, _ in enumerate(KINDS, start=1):
        passed_over = []
        while rules.compress and reach and reach[0].obstacle in PASSED_ON:
            passed_over.append(reach.pop(0))
        candidate = reach.pop(0) if reach else None
        obstacle = candidate.obstacle if candidate else nobody
        facts = _facts(number, candidate)
        facts["passed_over"] = [passed.person.member_id for passed in passed_over]
        yield _Seat(number, candidate, obstacle, tuple(passed_over), facts)


def _within_reach(
    rules: TwoLevelRules, buyer: Person, chain: Sequence[Person]
) -> Iterator[_Candidate]:
    """Yield everyone who could take a seat, in the order in which they would."""
    if rules.self_purchase and buyer.standing in {Standing.ACTIVE, Standing.FROZEN}:
        yield _Candidate(buyer, Role.BUYER, obstacle_of_person(buyer, rules.levels.count))
    below: int | None = None
    for person, role in zip(chain, (Role.OWNER, Role.RECOMMENDER), strict=False):
        if person.member_id == buyer.member_id:
            obstacle: Reason | None = Reason.BENEFICIARY_IS_BUYER
        elif person.member_id == below:
            obstacle = Reason.ALREADY_SEATED
        elif not buyer.household.isdisjoint(person.household):
            obstacle = Reason.HOUSEHOLD
        else:
            obstacle = obstacle_of_person(person, rules.levels.count)
        yield _Candidate(person, role, obstacle)
        below = person.member_id


def _decide_line(
    rules: TwoLevelRules, line: Line, seats: tuple[_Seat, ...], of_order: Facts
) -> Iterator[Award | Refusal]:
    """Decide both seats of one line; the first takes from the cap, the second what is left."""
    of_line = of_order | {
        "line_id": line.line_id,
        "product_id": line.product_id,
        "base_fen": line.base_fen,
    }
    own = rules.product_rates.get(line.product_id)
    barred = _bar(line, own)
    room_bp = rules.payout_cap_bp
    for seat in seats:
        if barred is not None:
            yield _refuse(line, seat.number, seat.candidate, barred, of_line | seat.facts)
            continue
        for passed in seat.passed_over:
            facts = of_line | _facts(seat.number, passed) | {"passed_on": True}
            yield _refuse(line, seat.number, passed, passed.obstacle, facts)
        if seat.obstacle is not None:
            yield _refuse(line, seat.number, seat.candidate, seat.obstacle, of_line | seat.facts)
            continue
        price = _price(rules, own, seat, room_bp)
        room_bp -= price.rate_bp
        yield _settle(line, seat, price, of_line)


def _bar(line: Line, own: ProductRates | None) -> Reason | None:
    """Return why a line pays nothing to anybody, if it does not."""
    if line.distributable and own is not None and own.excluded:
        return Reason.PRODUCT_EXCLUDED
    return obstacle_of_line(line)


def _price(rules: TwoLevelRules, own: ProductRates | None, seat: _Seat, room_bp: int) -> _Price:
    """Look up the rate of a seat, the product's own before the plan's, and put it under the cap."""
    assert seat.candidate is not None
    level = seat.candidate.person.level
    assert level is not None
    if seat.number == 1:
        own_rates, plan_rates = own and own.rates_first_bp, rules.rates_first_bp
    else:
        own_rates, plan_rates = own and own.rates_second_bp, rules.rates_second_bp
    plan_rate_bp = (own_rates or plan_rates)[level - 1]
    return _Price(
        plan_rate_bp,
        RatesOf.PRODUCT if own_rates else RatesOf.PLAN,
        min(plan_rate_bp, room_bp),
        rules.payout_cap_bp,
    )


def _settle(line: Line, seat: _Seat, price: _Price, of_line: Facts) -> Award | Refusal:
    """Turn a rate into an amount, rounded down; what comes to nothing is refused."""
    assert seat.candidate is not None
    amount_fen = share_of(line.base_fen, price.rate_bp)
    uncapped_fen = share_of(line.base_fen, price.plan_rate_bp)
    facts: Facts = {
        **of_line,
        **seat.facts,
        "rates_of": price.rates_of.value,
        "plan_rate_bp": price.plan_rate_bp,
        "rate_bp": price.rate_bp,
        "cap_bp": price.cap_bp,
    }
    if amount_fen == 0:
        reason = _why_nothing(price, uncapped_fen)
        return _refuse(line, seat.number, seat.candidate, reason, facts)
    capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
    facts["outcome"] = Outcome.AWARD.value
    facts["amount_fen"] = amount_fen
    facts["capped_from_fen"] = capped_from_fen
    return Award(
        line.line_id,
        seat.number,
        KINDS[seat.number - 1],
        seat.candidate.person.member_id,
        line.base_fen,
        price.rate_bp,
        amount_fen,
        capped_from_fen,
        facts,
    )


def _why_nothing(price: _Price, uncapped_fen: int) -> Reason:
    if price.plan_rate_bp == 0:
        return Reason.ZERO_RATE
    return Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT


def _refuse(
    line: Line, number: int, candidate: _Candidate | None, reason: Reason | None, facts: Facts
) -> Refusal:
    assert reason is not None, "a refusal has a reason"
    return Refusal(
        line.line_id,
        number,
        KINDS[number - 1],
        candidate.person.member_id if candidate else None,
        reason,
        facts | {"outcome": Outcome.REFUSAL.value, "reason": reason.value},
    )


def _facts(number: int, candidate: _Candidate | None) -> Facts:
    """Return what an explanation tells of a seat and of whoever is considered for it."""
    return {
        "seat": number,
        "kind": KINDS[number - 1].value,
        "beneficiary_id": candidate.person.member_id if candidate else None,
        "role": candidate.role.value if candidate else None,
        "level": candidate.person.level if candidate else None,
    }
