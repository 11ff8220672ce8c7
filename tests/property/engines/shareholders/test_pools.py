"""Monthly pools on random holders and sequences of months."""

from dataclasses import replace
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from app.engines.months import Earner, MonthAward, MonthBooks, MonthClose, MonthRefusal
from app.engines.shareholders import MODEL
from app.engines.shareholders.pool import close_month
from app.engines.shareholders.rules import Excess, ShareholderRules, Split
from app.kernel.i18n import translate
from tests.property.engines.shareholders import oracle
from tests.property.engines.shareholders.strategies import ENDS_AT, crowds, plans

turnovers = st.one_of(st.integers(-3_000, 3_000), st.integers(-(10**7), 10**8))


def books(
    people: tuple[Earner, ...], net_fen: int, carried_fen: int, deficit_fen: int
) -> MonthBooks:
    return MonthBooks(
        plan_id=1,
        month="2026-10",
        ends_at=ENDS_AT,
        net_fen=net_fen,
        people=people,
        store_id=3,
        carried_fen=carried_fen,
        deficit_fen=deficit_fen,
    )


def paid(close: MonthClose) -> dict[int, int]:
    return {award.beneficiary_id: award.amount_fen for award in close.awards}


def kept(close: MonthClose) -> int:
    kept_fen = close.facts["kept_fen"]
    assert isinstance(kept_fen, int)
    return kept_fen


@given(plans(excess=Excess.KEPT), crowds(), turnovers, st.integers(0, 50), st.integers(0, 3_000))
def test_the_oracle_closes_a_month_in_the_same_way(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int, carried: int, deficit: int
) -> None:
    of_month = books(people, net_fen, carried, deficit)

    close = close_month(rules, of_month)

    assert oracle.close(rules, of_month) == oracle.Month(
        close.pool_fen, paid(close), close.carried_fen, kept(close), close.deficit_fen
    )


@given(plans(), crowds(), turnovers, st.integers(0, 50))
def test_every_fen_of_a_pool_is_paid_kept_or_carried(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int, carried: int
) -> None:
    close = close_month(rules, books(people, net_fen, carried, 0))

    assert close.total_fen + kept(close) + close.carried_fen == close.pool_fen
    assert 0 <= close.carried_fen < max(len(people) + len(rules.shareholder_levels), 1)
    assert close.deficit_fen == 0 or net_fen < 0


@given(plans(), crowds(), turnovers)
def test_everybody_gets_one_answer_that_can_be_read(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int
) -> None:
    close = close_month(rules, books(people, net_fen, 0, 0))

    answers: list[MonthAward | MonthRefusal] = [*close.awards, *close.refusals]
    assert sorted(one.beneficiary_id for one in answers) == [one.member_id for one in people]
    for one in answers:
        told = [translate(message, "en") for message in MODEL.explain(one.explanation, {})]
        assert told
        assert not any("%(" in sentence for sentence in told)


@given(plans(), crowds(), turnovers)
def test_nobody_ever_gets_more_than_their_lifetime_cap(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int
) -> None:
    received = {one.member_id: one.received_fen for one in people}

    close = close_month(rules, books(people, net_fen, 0, 0))

    for member_id, amount_fen in paid(close).items():
        assert amount_fen > 0
        if rules.cap_total_fen is not None:
            assert received[member_id] + amount_fen <= rules.cap_total_fen


@given(plans(excess=Excess.REDISTRIBUTED), crowds(), st.integers(0, 10**6))
def test_what_is_redistributed_comes_to_the_level_at_which_the_pool_is_used_up(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int
) -> None:
    rules = rules.model_copy(update={"split": Split.BY_WEIGHT})
    of_month = books(people, net_fen, 0, 0)
    takers = [one for one in people if oracle.takes_part(rules, of_month, one)]
    cap = rules.cap_total_fen or 10**12
    table = [
        (rules.shareholder_levels[(one.level or 0) - 1].weight, max(cap - one.received_fen, 0))
        for one in takers
    ]

    close = close_month(rules, of_month)

    exact = oracle.levelled(close.pool_fen, table)
    for one, due in zip(takers, exact, strict=True):
        assert abs(paid(close).get(one.member_id, 0) - floor(due)) <= sum(w for w, _ in table)


@given(plans(), st.lists(st.tuples(turnovers, crowds(max_size=4)), max_size=8))
def test_a_sequence_of_months_conserves_every_fen_and_stays_within_its_share(
    rules: ShareholderRules, months: list[tuple[int, tuple[Earner, ...]]]
) -> None:
    carried_fen = deficit_fen = own_fen = spent_fen = kept_fen = 0
    taken_in = 0
    received: dict[int, int] = {}
    for net_fen, crowd in months:
        people = tuple(replace(one, received_fen=received.get(one.member_id, 0)) for one in crowd)
        close = close_month(rules, books(people, net_fen, carried_fen, deficit_fen))
        own_fen += close.pool_fen - carried_fen
        spent_fen += close.total_fen
        kept_fen += kept(close)
        carried_fen, deficit_fen = close.carried_fen, close.deficit_fen
        taken_in += net_fen
        for member_id, amount_fen in paid(close).items():
            received[member_id] = received.get(member_id, 0) + amount_fen

    assert own_fen == spent_fen + kept_fen + carried_fen
    assert own_fen * 10_000 <= (taken_in + deficit_fen) * rules.pool_bp
    assert (taken_in + deficit_fen) * rules.pool_bp - own_fen * 10_000 < 10_000 * (len(months) + 1)


@given(plans(), crowds(), st.integers(0, 10**7), st.integers(0, 10**6))
def test_more_turnover_never_brings_anybody_less(
    rules: ShareholderRules, people: tuple[Earner, ...], net_fen: int, more_fen: int
) -> None:
    less = paid(close_month(rules, books(people, net_fen, 0, 0)))
    more = paid(close_month(rules, books(people, net_fen + more_fen, 0, 0)))

    slack = 0 if rules.excess is Excess.KEPT else sum(w.weight for w in rules.shareholder_levels)
    assert all(more.get(one, 0) >= amount - slack for one, amount in less.items())
