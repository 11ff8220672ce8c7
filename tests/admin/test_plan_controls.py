"""Parameters of plans as controls: what is written reads back, and no junk breaks the page."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from admin.plan_controls import Control, Group, Kind, Part, Rows, written
from admin.plan_editor import levels_of, sections_of
from admin.plan_reading import attach, change, parsed, read_document, shown_path
from admin.plan_words import FIELDS, VALUES, path_name, told
from app.engines.documents import dump_rules, load_rules
from app.engines.faults import FieldFault, PlanRulesInvalid
from app.engines.registry import MODELS
from app.plans.differences import diff
from tests.thoroughness import examples as tried

CODES = sorted(MODELS)
NAMES = ["model", "levels", "upgrades", "conduct", "product_rates", "rates_first_bp", "0", "²", ""]
NAMES += ["conditions", "incentives", "ladder", "rungs", "direct", "agent", "layers_bp", "entry"]
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(CODES)
JUNK = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map(".".join)
INPUTS = st.dictionaries(
    st.builds("{}{}".format, st.sampled_from(["f.", "m.", "on.", "n.", "k.", ""]), PATHS),
    st.sampled_from(["", "1", "3", "x", "²", "99999999999999999999", "10 %", "¥3", "-1"]),
    max_size=12,
)
INTENTS = st.builds(
    "{}{}".format, st.sampled_from(["add:", "drop:", "more_levels", "fewer_levels", "x"]), PATHS
)


def faults_of(document: dict[str, Any]) -> list[FieldFault]:
    """Return what the model says of a document."""
    try:
        load_rules(document)
    except PlanRulesInvalid as error:
        return list(error.faults)
    return []


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(value=st.integers(0, 10**14))
@pytest.mark.parametrize("kind", [Kind.PERCENT, Kind.YUAN, Kind.NUMBER])
def test_what_is_written_reads_back(kind: Kind, value: int) -> None:
    assert parsed(kind, written(kind, value)) == value


@given(seconds=st.integers(0, 365 * 86_400))
def test_spans_read_back_to_the_second(seconds: int) -> None:
    assert parsed(Kind.SPAN, written(Kind.SPAN, seconds)) == seconds


@given(text=st.text(max_size=8))
@pytest.mark.parametrize("kind", [Kind.PERCENT, Kind.YUAN, Kind.NUMBER, Kind.SPAN])
def test_what_is_typed_is_either_a_number_or_stays_as_it_is(kind: Kind, text: str) -> None:
    found = parsed(kind, text)

    assert isinstance(found, int) or found == text.strip()


@examples(max_examples=tried(60), deadline=None, suppress_health_check=SLOW)
@given(code=st.sampled_from(CODES), junk=JUNK, form=INPUTS, intent=INTENTS)
def test_no_junk_breaks_the_form(
    app: Flask, code: str, junk: Any, form: dict[str, str], intent: str
) -> None:
    base = {**dump_rules(load_rules({"model": code})), **(junk if isinstance(junk, dict) else {})}

    with app.test_request_context("/admin/"):
        document = read_document(code, form, base)
        change(code, document, intent)
        parts: list[Part] = [*sections_of(code, document), levels_of(code, document)]
        faults = faults_of(document)
        shown = [(shown_path(document, one.path), one) for one in faults]
        assert [fault for _, fault in attach(parts, shown)] == faults
        assert all(isinstance(path_name(path), str) for path, _ in shown)


def controls(parts: list[Part]) -> Iterator[Control]:
    for part in parts:
        if isinstance(part, Control):
            yield part
        elif isinstance(part, Group):
            yield from controls(part.parts)
        elif isinstance(part, Rows):
            yield from controls(list(part.rows))


@pytest.mark.parametrize("code", CODES)
def test_everything_of_a_model_has_a_name_and_every_choice_too(app: Flask, code: str) -> None:
    for document in (
        dump_rules(load_rules({"model": code})),
        dump_rules(load_rules(MODELS[code].original)),
    ):
        with app.test_request_context("/admin/"):
            shown = list(controls([*sections_of(code, document), levels_of(code, document)]))
        assert shown
        for one in shown:
            name = next(step for step in reversed(one.path.split(".")) if not step.isdigit())
            assert name in FIELDS, one.path
            assert set(one.sort.choices) <= set(VALUES), one.path


def test_differences_of_any_two_models_can_be_told(app: Flask) -> None:
    documents = [dump_rules(load_rules(MODELS[code].original)) for code in CODES]

    with app.test_request_context("/admin/", headers={"Accept-Language": "en"}):
        for before in documents:
            for after in documents:
                for one in diff(before, after):
                    assert path_name(one.path)
                    assert told(one.path, one.before)
                    assert told(one.path, one.after)
        assert path_name("product_rates.7.rates_first_bp.0").startswith("Products with rates")
        assert told("rates_first_bp.0", 1_250) == "12.5%"
        assert told("entry_fen", 1_250) == "¥12.50"
        assert told("compress", value=True) == "Yes"
