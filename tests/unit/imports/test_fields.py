"""Cells as people type them: understood in one way only, or refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.imports import fields
from app.imports.columns import match, read_row
from app.imports.errors import ColumnsWrong
from app.imports.fields import CellWrong
from app.imports.kinds import KINDS
from app.imports.states import ImportKind
from app.kernel.i18n import CHINESE, ENGLISH, translate

MEMBERS = KINDS[ImportKind.MEMBERS].columns


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (fields.phone, " 138 0013-8000 ", "+8613800138000"),
        (fields.phone, "+86 138 0013 8000", "+8613800138000"),
        (fields.phone, "＋８６１３８００１３８０００", "+8613800138000"),
        (fields.day, "2024/2/29", date(2024, 2, 29)),
        (fields.day, "２０２４年２月２９日", date(2024, 2, 29)),
        (fields.instant, "2025-03-01 08:30:15", datetime(2025, 3, 1, 0, 30, 15, tzinfo=UTC)),
        (fields.instant, "2025-03-01T08:30:00.000", datetime(2025, 3, 1, 0, 30, tzinfo=UTC)),
        (fields.yuan, "￥１，２８８．５", 128_850),
        (fields.yuan, "128.5000", 12_850),
        (fields.yuan, "9999999.99", 999_999_999),
        (fields.whole(0, 999_999), "1,000", 1_000),
        (fields.whole(0, 999_999), "24.0", 24),
        (fields.yes_no, "是", True),
        (fields.yes_no, "No", False),
        (fields.text_of(200), "  " + "长" * 200 + " ", "长" * 200),
        (fields.text_of(40), "小美 👩‍👧", "小美 👩‍👧"),
        (fields.text_of(40), "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    ],
)
def test_what_can_be_understood_is(read: fields.Parse, text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "code"),
    [
        (fields.phone, "1.38E+10", "number_shortened"),
        (fields.phone, "1.38001e10", "number_shortened"),
        (fields.phone, "12800138000", "phone_wrong"),
        (fields.phone, "1380013800", "phone_wrong"),
        (fields.phone, "+1 202 555 0100", "phone_wrong"),
        (fields.day, "2025-02-31", "no_such_date"),
        (fields.day, "31.02.2025", "date_wrong"),
        (fields.day, "45717", "date_wrong"),
        (fields.day, "1899-12-31", "date_too_early"),
        (fields.instant, "2025-03-01 25:00", "no_such_date"),
        (fields.yuan, "0.00", "amount_zero"),
        (fields.yuan, "-5", "amount_wrong"),
        (fields.yuan, "1.999", "amount_wrong"),
        (fields.yuan, "12,34", "amount_wrong"),
        (fields.yuan, "1e3", "amount_wrong"),
        (fields.yuan, "99999999", "amount_wrong"),
        (fields.whole(1, 9), "0", "number_wrong"),
        (fields.whole(1, 9), "1.5", "number_wrong"),
        (fields.whole(1, 9), "九", "number_wrong"),
        (fields.yes_no, "maybe", "not_yes_or_no"),
        (fields.choice({"a": 1}), "b", "not_allowed"),
        (fields.text_of(200), "x" * 201, "too_long"),
        (fields.text_of(200), "a\x00b", "control_characters"),
        (fields.text_of(200), "Li\u202eaM", "control_characters"),
        (fields.text_of(200), "half \ud83d", "control_characters"),
    ],
)
def test_everything_else_is_refused_and_never_guessed(
    read: fields.Parse, text: str, code: str
) -> None:
    with pytest.raises(CellWrong) as caught:
        read(text)

    assert caught.value.code == code
    for locale in (CHINESE, ENGLISH):
        assert "%(" not in translate(caught.value.message, locale)


def test_headings_are_known_in_any_order_and_language() -> None:
    headings = ["生日", " PHONE *", "old_number", "昵称", "What is wrong", ""]

    names = match(MEMBERS, headings)

    assert names == ["birthday", "phone", "old_number", "nickname", "what_is_wrong", ""]


def test_every_heading_that_does_not_fit_is_named_in_one_message() -> None:
    with pytest.raises(ColumnsWrong) as caught:
        match(MEMBERS, ["colour", "生日", "Birthday", "size"])

    assert translate(caught.value.message(), ENGLISH) == (
        "The columns of this file do not fit. Missing columns: Phone."
        " Unknown columns: colour, size. Columns that are there twice: Birthday."
    )


def test_at_most_twelve_headings_are_named() -> None:
    with pytest.raises(ColumnsWrong) as caught:
        match(MEMBERS, ["phone", *(f"c{number}" for number in range(60))])

    assert translate(caught.value.message(), ENGLISH).endswith("c10, c11, ….")


@pytest.mark.parametrize("kind", list(ImportKind))
def test_no_heading_means_two_columns_of_one_kind(kind: ImportKind) -> None:
    seen: dict[str, str] = {}
    for column in KINDS[kind].columns:
        for heading in column.headings():
            assert seen.setdefault(heading, column.name) == column.name, heading


@pytest.mark.parametrize("kind", list(ImportKind))
def test_each_cell_of_an_example_can_be_read(kind: ImportKind) -> None:
    for column in KINDS[kind].columns:
        if column.example:
            column.parse(column.example)


def test_the_example_is_known_only_where_the_whole_row_is_the_example() -> None:
    example = {one.name: one.example for one in MEMBERS}

    whole = read_row(MEMBERS, 2, example, rule=None)
    partly = read_row(MEMBERS, 2, {**example, "nickname": "Other"}, rule=None)

    assert [one.code for one in whole.faults] == ["example"]
    assert partly.faults == []
