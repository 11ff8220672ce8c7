from datetime import UTC, datetime, timedelta

from app.distribution.simulation.stream import Fact, Happening, timeline
from tests.unit.distribution.simulation.cases import DAY, NOON, joins, trade

MARCH_ENDS_AT = datetime(2026, 3, 31, 16, tzinfo=UTC)


def told(facts: list[Fact]) -> list[tuple[str, int]]:
    return [(fact.what.name, fact.trade.order_id if fact.trade else 0) for fact in facts]


def test_everything_comes_in_the_order_of_its_instant() -> None:
    source: list[Happening] = [
        joins(1),
        trade(7, refunds=[(5 * DAY, 1)]),
        trade(8, at=NOON + 4 * DAY),
    ]

    facts = list(timeline(source))

    assert told(facts) == [
        ("JOINED", 0),
        ("PAID", 7),
        ("RECEIVED", 7),
        ("PAID", 8),
        ("REFUNDED", 7),
        ("RECEIVED", 8),
        ("SETTLED", 7),
        ("SETTLED", 8),
        ("MONTH_ENDED", 0),
    ]
    assert facts[-1].month == "2026-03"
    assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)


def test_a_month_ends_before_what_happens_at_that_very_instant() -> None:
    source: list[Happening] = [
        joins(1),
        trade(7, at=MARCH_ENDS_AT - 9 * DAY),
        trade(8, at=MARCH_ENDS_AT),
    ]

    at_the_end = [fact for fact in timeline(source) if fact.at == MARCH_ENDS_AT]

    assert told(at_the_end) == [("MONTH_ENDED", 0), ("SETTLED", 7), ("PAID", 8)]


def test_a_month_without_orders_ends_as_well() -> None:
    source: list[Happening] = [joins(1), trade(7, at=NOON + timedelta(days=100))]

    assert [fact.month for fact in timeline(source) if fact.month] == [
        "2026-03",
        "2026-04",
        "2026-05",
        "2026-06",
    ]


def test_nothing_from_the_limit_on_counts_and_no_month_that_is_not_over() -> None:
    source: list[Happening] = [joins(1), trade(7, refunds=[(5 * DAY, 1)])]

    assert told(list(timeline(source, until_at=NOON + 6 * DAY))) == [
        ("JOINED", 0),
        ("PAID", 7),
        ("RECEIVED", 7),
    ]
    assert told(list(timeline(source, until_at=MARCH_ENDS_AT)))[-1] == ("MONTH_ENDED", 0)


def test_nothing_leads_to_nothing() -> None:
    assert list(timeline([])) == []
