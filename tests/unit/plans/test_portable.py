"""A plan as a file."""

import json
from typing import Any

import pytest

from app.engines.documents import dump_rules, load_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.registry import MODELS
from app.plans.models import Plan, PlanVersion
from app.plans.portable import FILE_BYTES_MAX, read_file, write_file


def version_of(model: str, **changes: Any) -> PlanVersion:
    """A version as the database gives it back: keys in an order of its own."""
    rules = dump_rules(load_rules({"model": model, **changes}))
    shuffled = {name: rules[name] for name in sorted(rules, key=lambda one: (len(one), one))}
    return PlanVersion(
        plan=Plan(name="春季计划", model=model),
        rules=shuffled,
        scope={"store_ids": [2, 3]},
        note="why",
    )


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_version_of_each_model_reads_back_as_it_was(model: str) -> None:
    version = version_of(model)

    file = read_file(write_file(version))

    assert (file.name, file.model, file.note) == ("春季计划", model, "why")
    assert load_rules(file.rules) == load_rules(version.rules)
    assert file.scope == {"store_ids": [2, 3]}


def test_the_same_version_gives_the_same_bytes_whatever_order_it_is_kept_in() -> None:
    rates = {"rates_first_bp": [100, 100, 100]}
    version = version_of("CHANNEL_TWO_LEVEL", product_rates={"10": rates, "9": rates})
    text = write_file(version)
    version.rules = dict(reversed(version.rules.items()))

    assert write_file(version) == text
    assert list(json.loads(text)) == [
        "format",
        "version",
        "name",
        "model",
        "note",
        "scope",
        "rules",
    ]


def file_with(**changes: Any) -> str:
    document = json.loads(write_file(version_of("CHANNEL_TWO_LEVEL"))) | changes
    return json.dumps({name: one for name, one in document.items() if one is not None})


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", [""]),
        ("[]", [""]),
        ("x" * (FILE_BYTES_MAX + 1), [""]),
        (file_with(format="other"), ["format"]),
        (file_with(version=2), ["version"]),
        (file_with(note="a\x00b"), [""]),
        (file_with(name=None), ["name"]),
        (file_with(name=""), ["name"]),
        (file_with(rules=None), ["rules"]),
        (file_with(color="red"), ["color"]),
        (file_with(model="CHAIN_2_1"), ["model"]),
        (
            file_with(rules={"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 0}, scope={"x": 1}),
            ["rules.payout_cap_bp", "scope.x"],
        ),
    ],
)
def test_every_wrong_field_of_a_file_is_named(text: str, paths: list[str]) -> None:
    with pytest.raises(PlanRulesInvalid) as refused:
        read_file(text)

    assert [one.path for one in refused.value.faults] == paths
