"""What two documents differ in, field by field."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.plans.differences import ABSENT, Difference, diff

PLAIN = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"])
NAMES = st.sampled_from(["a", "b", "c"])


def _documents(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3)


DOCUMENTS = st.dictionaries(NAMES, st.recursive(PLAIN, _documents, max_leaves=12), max_size=3)


def apply(document: dict[str, Any], found: list[Difference]) -> dict[str, Any]:
    """Put every difference into a copy of the first document."""
    result = deepcopy(document)
    for one in sorted(found, key=lambda each: each.after is ABSENT):
        *way, last = one.path.split(".")
        held: Any = result
        for step in way:
            held = held[int(step)] if isinstance(held, list) else held[step]
        _put(held, last, one.after)
    whole: dict[str, Any] = _without_gaps(result)
    return whole


def _put(held: Any, name: str, value: Any) -> None:
    if isinstance(held, dict):
        if value is ABSENT:
            del held[name]
        else:
            held[name] = value
    elif int(name) < len(held):
        held[int(name)] = value
    else:
        held.append(value)


def _without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_gaps(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_gaps(one) for one in value if one is not ABSENT]
    return value


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: 1 is not true."""
    return repr(_sorted(one)) == repr(_sorted(other))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


@given(before=DOCUMENTS, after=DOCUMENTS)
def test_the_differences_are_just_what_leads_from_one_document_to_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = diff(before, after)

    assert same(apply(before, found), after)
    assert all(not same(one.before, one.after) for one in found)
    assert len({one.path for one in found}) == len(found)
    assert bool(found) is not same(before, after)


def test_a_changed_rate_a_new_level_and_a_switch_are_told_by_their_paths() -> None:
    before = dump_rules(load_rules({"model": "CHANNEL_TWO_LEVEL"}))
    after = deepcopy(before)
    after["rates_first_bp"][1] = 1_400
    after["compress"] = True
    after["levels"]["retention"] = {"every": "MONTH", "share_bp": 1, "grace_days": 0}

    assert diff(before, after) == [
        Difference("levels.retention", None, after["levels"]["retention"]),
        Difference("rates_first_bp.1", 1_500, 1_400),
        Difference("compress", before=False, after=True),
    ]


def test_what_stands_on_one_side_only_is_told_whole() -> None:
    assert diff({"a": {"b": 1}}, {"c": [1]}) == [
        Difference("a", {"b": 1}, ABSENT),
        Difference("c", ABSENT, [1]),
    ]


def test_one_is_not_true_and_nothing_is_not_absent() -> None:
    assert diff({"a": 1}, {"a": True}) == [Difference("a", 1, after=True)]
    assert diff({"a": None}, {}) == [Difference("a", None, ABSENT)]


def test_no_model_differs_from_itself() -> None:
    for code in MODELS:
        document = dump_rules(load_rules({"model": code}))
        assert diff(document, deepcopy(document)) == []
