"""The catalogue against the settings, the documents and itself."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Final

import pytest

from app.preferences.catalogue import BY_NAME, ORDERS, SPECS, Order, broken
from app.preferences.specs import GROUPS, Spec
from app.preferences.units import Unit
from app.settings import Settings

DOCUMENT: Final = Path(__file__).parents[3] / "docs/settings.md"
FIELDS: Final = {one.name: one for one in fields(Settings)}
SUFFIXES: Final = {"_fen": Unit.MONEY, "_seconds": Unit.SPAN, "_bp": Unit.RATE}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_entry_is_a_setting_with_a_default_within_its_bounds(spec: Spec) -> None:
    default = FIELDS[spec.name].default

    assert default is not MISSING
    if spec.unit is Unit.SWITCH:
        assert isinstance(default, bool)
    else:
        assert spec.least <= default <= spec.most
        assert type(default) is int


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_unit_of_an_entry_is_the_one_its_name_ends_in(spec: Spec) -> None:
    ending = next((unit for end, unit in SUFFIXES.items() if spec.name.endswith(end)), None)

    assert ending in {None, spec.unit}
    assert (ending is None) is (spec.unit in {Unit.COUNT, Unit.SWITCH})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_entry_says_what_it_governs_and_what_it_does_not_move(spec: Spec) -> None:
    assert spec.label
    assert spec.governs.endswith(".")
    assert spec.keeps.endswith(".")
    assert spec.group in GROUPS


def test_no_setting_is_listed_twice() -> None:
    assert len(BY_NAME) == len(SPECS)


def test_no_secret_and_nothing_read_at_the_start_can_be_changed() -> None:
    hidden = {one.name for one in fields(Settings) if not one.repr}

    assert hidden.isdisjoint(BY_NAME)
    assert "transfer_name_required_fen" not in BY_NAME
    assert "compliance_profile" not in BY_NAME


def test_the_document_marks_exactly_the_settings_that_staff_change() -> None:
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| [^|]* \| (✓?)", DOCUMENT.read_text(encoding="utf-8"), re.M
    )

    assert len(rows) == len(FIELDS)
    assert {name.lower() for name, mark in rows if mark} == set(BY_NAME)


def test_the_defaults_contradict_nothing() -> None:
    defaults = {name: FIELDS[name].default for name in BY_NAME}

    assert [rule for name in BY_NAME for rule in broken(defaults, name)] == []  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ORDERS, ids=lambda rule: f"{rule.low}<={rule.high}")
def test_a_rule_is_broken_from_one_above_on_and_by_either_side(rule: Order) -> None:
    even = dict.fromkeys(BY_NAME, 0) | {rule.low: 5_000, rule.high: 5_000 * rule.times}
    above = even | {rule.low: 5_001}

    for side in (rule.low, rule.high):
        assert rule not in broken(even, side)
        assert rule in broken(above, side)
    assert rule not in broken(above, "code_misses_max")
