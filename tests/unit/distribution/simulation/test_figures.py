from app.distribution.simulation.figures import buckets, compare, gini_bp, share_of_top_bp
from app.distribution.simulation.results import result_of
from app.distribution.simulation.tables import Sheet, sheets, to_csv
from app.distribution.simulation.tally import Worst
from tests.unit.distribution.simulation.cases import entry, grown


def test_the_gini_coefficient_is_the_one_worked_by_hand() -> None:
    """Half the mean difference of all pairs over the mean: of 1, 2, 6 it is 10/9 / 3 = 37.03 %."""
    assert gini_bp([6, 1, 2]) == 3_703
    assert gini_bp([1, 1, 1, 1]) == 0
    assert gini_bp([0, 0, 0, 0, 100]) == 8_000
    assert gini_bp([]) == 0


def test_the_gini_coefficient_of_pairs_agrees_with_its_definition() -> None:
    amounts = [7, 0, 31, 31, 5, 112, 3]
    pairs = sum(abs(one - other) for one in amounts for other in amounts)

    assert gini_bp(amounts) == 10_000 * pairs // (2 * len(amounts) * sum(amounts))


def test_the_share_of_the_best_paid_is_rounded_down() -> None:
    assert share_of_top_bp([1, 1, 1], 1) == 3_333
    assert share_of_top_bp([1, 1, 1], 10) == 10_000


def test_everybody_who_earns_is_in_one_class() -> None:
    found = buckets([0, 1, 9_999, 10_000, 99_999, 10_000_000, 50_000_000])

    assert [one.people for one in found] == [2, 2, 0, 0, 2]
    assert sum(one.sum_fen for one in found) == 60_119_999
    assert (found[-1].from_fen, found[-1].to_fen) == (10_000_000, None)


def test_who_gains_and_who_loses_is_counted_and_listed_by_amount() -> None:
    found = compare({1: 10, 2: 5, 3: 7, 5: 2}, {1: 4, 2: 6, 3: 7, 4: 9})

    assert (found.gaining, found.gained_fen) == (2, 8)
    assert (found.losing, found.lost_fen) == (2, 10)
    assert found.unchanged == 1
    assert [(one.member_id, one.difference_fen) for one in found.gainers] == [(1, 6), (5, 2)]
    assert [(one.member_id, one.difference_fen) for one in found.losers] == [(4, -9), (2, -1)]


def test_the_dearest_share_is_told_rounded_up() -> None:
    worst = Worst()
    worst.see(1, 3, order_id=1)
    worst.see(333, 1_000, order_id=2)
    worst.see(5, 0, order_id=3)

    assert (worst.share_bp, worst.order_id) == (3_334, 1)


def test_tables_hold_what_the_result_holds() -> None:
    lanes = grown(entry(), entry(rates_first_bp=[500, 500, 500]))
    result = result_of(lanes, kind="growth", parameters={})
    found = sheets(result)

    assert found["people"].heads == ("member_id", "fen", "against_fen", "difference_fen")
    assert sum(int(row[1]) for row in found["people"].rows) == lanes[0].tally.cost_fen
    assert sum(int(row[2]) for row in found["people"].rows) == lanes[1].tally.cost_fen
    kinds = [row for row in found["kinds"].rows if row[0] == "against"]
    assert sum(int(row[5]) for row in kinds) == lanes[1].tally.cost_fen
    assert [row[0] for row in found["months"].rows] == ["plan"] * 5 + ["against"] * 5


def test_no_cell_of_a_table_is_a_formula() -> None:
    text = to_csv(Sheet(("kind", "fen"), [["=1+1", -5], ["@x", 3]])).decode("utf-8-sig")

    assert text == "kind,fen\r\n'=1+1,-5\r\n'@x,3\r\n"
