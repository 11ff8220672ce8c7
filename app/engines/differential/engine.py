"""Channel distribution, DIFFERENTIAL: who stands above earns what their rate is higher (级差).

The walk goes from the owner of the buyer upwards and keeps the rate reached so far, at first zero.
Somebody with a higher rate gets the difference, and theirs is the rate reached. A lower rate gets
nothing. An equal one gets the peer reward (平级奖), if they are among the first `peer_generations`
who equal it since it last rose. Nobody beyond `max_depth` steps above the buyer earns.

Whoever cannot earn is passed over as if their rate were zero: frozen, gone, without a level, the
buyer, their household. They do not raise the rate reached, so what they would have got goes to
the next one above with as high a rate; they are nobody's peer and use up no generation, but they do
count as a step. So freezing somebody can raise what those above earn, unlike in TWO_LEVEL: the
difference is measured between people who earn, and somebody frozen sells nothing.

The cap works on rates, line by line, and who stands nearer the buyer comes first. Somebody whose
difference the cap cuts has reached their rate all the same: the cap passes nothing on upwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.engines.differential.rules import DifferentialProduct, DifferentialRules, PeerBase
from app.engines.obstacles import obstacle_of_kinship, obstacle_of_line, obstacle_of_person
from app.engines.people import Line, Person, Sale
from app.engines.results import FACTS_SCHEMA, Award, Decisions, Facts, Outcome, Reason, Refusal
from app.kernel.money import BASIS_POINTS, share_of


class AwardKind(StrEnum):
    """For what an award is given."""

    DIFFERENTIAL = "DIFFERENTIAL"
    PEER = "PEER"


class DifferentialReason(StrEnum):
    """Why somebody who may earn gets nothing, besides the reasons of all models."""

    LOWER_RATE = "LOWER_RATE"
    """Somebody below has a higher rate."""
    EQUAL_RATE = "EQUAL_RATE"
    """Somebody below has the same rate, and there is no peer reward for it, or not for so many."""
    NO_INCOME = "NO_INCOME"
    """The one below got nothing of which a share could be paid."""


class RatesOf(StrEnum):
    """Whose rates apply: the plan's, or a product's own."""

    PLAN = "PLAN"
    PRODUCT = "PRODUCT"


class _Seat(NamedTuple):
    """Somebody within reach, how far above the buyer, and what keeps them from earning, if so."""

    number: int
    person: Person
    obstacle: Reason | None


@dataclass(slots=True)
class _Walk:
    """How far the walk along one line has come; rates in basis points."""

    room_bp: int
    reached_bp: int = 0
    reached_by_id: int | None = None
    income_bp: int = 0
    """What the one who reached it gets, under the cap."""
    peers: int = 0


class _Claim(NamedTuple):
    """What somebody has a right to before the cap, and the facts behind it."""

    kind: AwardKind
    plan_rate_bp: int
    facts: Facts


def decide(rules: DifferentialRules, sale: Sale, chain: Sequence[Person]) -> Decisions:
    """Return what a sale brings to those above its buyer, and whom it brings nothing and why.

    `chain` is the upline as snapshotted at payment, the owner first. Each line tells of everybody
    within `max_depth` exactly once, and of nobody beyond. Lines do not influence each other.

    >>> sale = Sale(7, buyer=Person(1), lines=(Line(70, product_id=5, base_fen=10_000),))
    >>> from app.engines.people import Standing
    >>> ranks = [2, 1, 4, 4, 4]
    >>> chain = [Person(11 + n, rank, Standing.ACTIVE) for n, rank in enumerate(ranks)]
    >>> told = decide(DifferentialRules(max_depth=None), sale, chain)
    >>> [(one.beneficiary_id, one.kind.value, one.amount_fen) for one in told.awards]
    [(11, 'DIFFERENTIAL', 800), (13, 'DIFFERENTIAL', 700), (14, 'PEER', 100)]
    >>> [(one.beneficiary_id, one.reason.value) for one in told.refusals]
    [(12, 'LOWER_RATE'), (15, 'EQUAL_RATE')]
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


def _seats(rules: DifferentialRules, buyer: Person, chain: Sequence[Person]) -> Iterator[_Seat]:
    seen: set[int] = set()
    for number, person in enumerate(chain[: rules.max_depth], start=1):
        obstacle = obstacle_of_kinship(person, buyer)
        if obstacle is None and person.member_id in seen:
            obstacle = Reason.ALREADY_SEATED
        yield _Seat(number, person, obstacle or obstacle_of_person(person, rules.levels.count))
        seen.add(person.member_id)


def _decide_line(
    rules: DifferentialRules, line: Line, seats: tuple[_Seat, ...], of_order: Facts
) -> Iterator[Award | Refusal]:
    own = rules.product_rates.get(line.product_id)
    of_line = of_order | {
        "line_id": line.line_id,
        "product_id": line.product_id,
        "base_fen": line.base_fen,
    }
    barred = _bar(line, own)
    if not seats:
        yield _refuse(line, None, AwardKind.DIFFERENTIAL, barred or Reason.NO_OWNER, of_line)
    rates, whose = _table(rules, own)
    walk = _Walk(rules.payout_cap_bp)
    for seat in seats:
        obstacle = barred or seat.obstacle
        if obstacle is not None:
            yield _refuse(line, seat, AwardKind.DIFFERENTIAL, obstacle, of_line)
            continue
        assert seat.person.level is not None
        facts = of_line | {"rates_of": whose.value, "cap_bp": rules.payout_cap_bp}
        yield _step(rules, line, seat, rates[seat.person.level - 1], walk, facts)


def _bar(line: Line, own: DifferentialProduct | None) -> Reason | None:
    """Return why a line pays nothing to anybody, if it does not."""
    if line.distributable and own is not None and own.excluded:
        return Reason.PRODUCT_EXCLUDED
    return obstacle_of_line(line)


def _table(
    rules: DifferentialRules, own: DifferentialProduct | None
) -> tuple[tuple[int, ...], RatesOf]:
    if own is not None and own.rates_bp is not None:
        return own.rates_bp, RatesOf.PRODUCT
    return rules.rates_bp, RatesOf.PLAN


def _step(
    rules: DifferentialRules, line: Line, seat: _Seat, own_bp: int, walk: _Walk, facts: Facts
) -> Award | Refusal:
    """Take one step of the walk: pay the difference, the peer reward, or nothing."""
    facts |= {
        "own_bp": own_bp,
        "reached_bp": walk.reached_bp,
        "reached_by_id": walk.reached_by_id,
    }
    if own_bp == 0:
        return _refuse(line, seat, AwardKind.DIFFERENTIAL, Reason.ZERO_RATE, facts)
    if own_bp < walk.reached_bp:
        return _refuse(line, seat, AwardKind.DIFFERENTIAL, DifferentialReason.LOWER_RATE, facts)
    if own_bp > walk.reached_bp:
        claim = _Claim(AwardKind.DIFFERENTIAL, own_bp - walk.reached_bp, facts)
        walk.income_bp = min(claim.plan_rate_bp, walk.room_bp)
        walk.reached_bp, walk.reached_by_id, walk.peers = own_bp, seat.person.member_id, 0
        return _settle(line, seat, claim, walk)
    walk.peers += 1
    if rules.peer_bp == 0 or walk.peers > rules.peer_generations:
        return _refuse(line, seat, AwardKind.PEER, DifferentialReason.EQUAL_RATE, facts)
    claim = _peer_claim(rules, walk, facts)
    if claim.plan_rate_bp == 0:
        return _refuse(line, seat, AwardKind.PEER, DifferentialReason.NO_INCOME, claim.facts)
    return _settle(line, seat, claim, walk)


def _peer_claim(rules: DifferentialRules, walk: _Walk, facts: Facts) -> _Claim:
    plan_rate_bp = rules.peer_bp
    if rules.peer_base is PeerBase.INCOME:
        plan_rate_bp = walk.income_bp * rules.peer_bp // BASIS_POINTS
    facts |= {
        "peer_base": rules.peer_base.value,
        "peer_bp": rules.peer_bp,
        "income_bp": walk.income_bp,
        "peer": walk.peers,
    }
    return _Claim(AwardKind.PEER, plan_rate_bp, facts)


def _settle(line: Line, seat: _Seat, claim: _Claim, walk: _Walk) -> Award | Refusal:
    """Put a claim under the cap and round it down; what comes to nothing is refused."""
    rate_bp = min(claim.plan_rate_bp, walk.room_bp)
    walk.room_bp -= rate_bp
    amount_fen = share_of(line.base_fen, rate_bp)
    uncapped_fen = share_of(line.base_fen, claim.plan_rate_bp)
    facts = claim.facts | {"plan_rate_bp": claim.plan_rate_bp, "rate_bp": rate_bp}
    if amount_fen == 0:
        reason = Reason.CAPPED_OUT if uncapped_fen else Reason.ZERO_AMOUNT
        return _refuse(line, seat, claim.kind, reason, facts)
    capped_from_fen = uncapped_fen if uncapped_fen > amount_fen else None
    facts |= _of_seat(seat, claim.kind)
    facts |= {
        "outcome": Outcome.AWARD.value,
        "amount_fen": amount_fen,
        "capped_from_fen": capped_from_fen,
    }
    return Award(
        line.line_id,
        seat.number,
        claim.kind,
        seat.person.member_id,
        line.base_fen,
        rate_bp,
        amount_fen,
        capped_from_fen,
        facts,
    )


def _refuse(
    line: Line, seat: _Seat | None, kind: AwardKind, reason: StrEnum, facts: Facts
) -> Refusal:
    return Refusal(
        line.line_id,
        seat.number if seat else 1,
        kind,
        seat.person.member_id if seat else None,
        reason,
        facts | _of_seat(seat, kind) | {"outcome": Outcome.REFUSAL.value, "reason": reason.value},
    )


def _of_seat(seat: _Seat | None, kind: AwardKind) -> Facts:
    return {
        "seat": seat.number if seat else 1,
        "kind": kind.value,
        "beneficiary_id": seat.person.member_id if seat else None,
        "level": seat.person.level if seat else None,
    }
