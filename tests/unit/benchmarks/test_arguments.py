"""What scripts/bench can be told, and what it refuses."""

import pytest

from scripts.benchmarks.arguments import PARTS, parser


def test_without_arguments_everything_is_measured_up_to_a_million_members() -> None:
    options = parser().parse_args([])

    assert options.only == sorted(PARTS)
    assert options.members == [10_000, 100_000, 1_000_000]
    assert (options.orders, options.seconds, options.json) == (4_000, 3.0, False)


def test_parts_and_sizes_are_lists() -> None:
    options = parser().parse_args(
        ["--only", "a,c", "--members", "500,7000", "--orders", "20", "--seconds", "0.5", "--json"]
    )

    assert options.only == ["a", "c"]
    assert options.members == [500, 7000]
    assert (options.orders, options.seconds, options.json) == (20, 0.5, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "a,z"], f"'z' is none of {', '.join(PARTS)}"),
        (["--only", ""], "'' is none of"),
        (["--members", "0"], "'0' is not a whole number above 0"),
        (["--members", "10,1e6"], "'1e6' is not a whole number"),
        (["--orders", "-5"], "'-5' is not a whole number"),
        (["--seconds", "0"], "'0' is not a number of seconds"),
        (["--seconds", "inf"], "'inf' is not a number of seconds"),
        (["--seconds", "nan"], "'nan' is not a number of seconds"),
        (["--second", "5"], "unrecognized arguments"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
