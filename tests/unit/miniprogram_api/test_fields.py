from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from miniprogram_api.errors import FIELDS_MAX, RequestInvalid
from miniprogram_api.fields import Body, Fen, Query, QueryRowId, RowId, Text


class Colour(StrEnum):
    RED = "red"


class Inner(Body):
    quantity: Annotated[int, Field(ge=1, le=9)]


class Wish(Body):
    amount_fen: Fen = 1
    row_id: RowId = 1
    text: Text = ""
    flag: bool = False
    day: date | None = None
    colour: Colour = Colour.RED
    lines: Annotated[list[Inner] | None, Field(min_length=1, max_length=2)] = None


class Search(Query):
    store_id: QueryRowId | None = None


def faults_of(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Wish.model_validate_json(text)
    error = RequestInvalid.from_pydantic(caught.value, pointer=True)
    return [(fault.field, fault.code) for fault in error.faults]


@pytest.mark.parametrize("value", ['"1"', "1.0", "1.5", "true", "null", "[1]", "{}", "NaN", "1e2"])
def test_an_amount_is_a_whole_number_and_nothing_that_looks_like_one(value: str) -> None:
    assert faults_of(f'{{"amount_fen": {value}}}') == [("/amount_fen", "not_a_whole_number")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0", "too_small"),
        ("-1", "too_small"),
        ("100000001", "too_large"),
        ("1000000000000000000", "too_large"),
        ("1" + "0" * 400, "too_large"),
    ],
)
def test_an_amount_has_bounds(value: str, code: str) -> None:
    assert faults_of(f'{{"amount_fen": {value}}}') == [("/amount_fen", code)]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('{"balance_fen": 1}', ("/balance_fen", "unknown_field")),
        ('{"a/b~c": 1}', ("/a~1b~0c", "unknown_field")),
        ('{"lines": [{"quantity": 0}]}', ("/lines/0/quantity", "too_small")),
        ('{"lines": [{}]}', ("/lines/0/quantity", "required")),
        ('{"lines": [{"quantity": 1, "price_fen": 1}]}', ("/lines/0/price_fen", "unknown_field")),
        ('{"lines": [1]}', ("/lines/0", "not_an_object")),
        ('{"lines": {}}', ("/lines", "not_a_list")),
        ('{"lines": []}', ("/lines", "too_few")),
        ('{"flag": 1}', ("/flag", "not_a_flag")),
        ('{"day": "2026-02-30"}', ("/day", "not_a_day")),
        ('{"day": 1}', ("/day", "not_a_day")),
        ('{"day": "2026-03-01T00:00:01"}', ("/day", "not_a_day")),
        ('{"colour": "blue"}', ("/colour", "not_a_choice")),
        ('{"text": 1}', ("/text", "not_a_text")),
        ('{"text": "a\\u0000b"}', ("/text", "control_character")),
        ('{"text": "a\\u202eb"}', ("/text", "control_character")),
        ('{"row_id": 9223372036854775808}', ("/row_id", "too_large")),
        ("[]", ("", "not_an_object")),
        ("null", ("", "not_an_object")),
    ],
)
def test_what_is_wrong_is_pointed_at(body: str, fault: tuple[str, str]) -> None:
    assert faults_of(body) == [fault]


def test_a_text_may_hold_line_breaks_and_any_script() -> None:
    assert Wish(text="第一行\n\tsecond 🌸").text == "第一行\n\tsecond 🌸"


def test_a_text_is_not_longer_than_two_hundred_characters() -> None:
    assert Wish(text="字" * 200).text == "字" * 200
    assert faults_of('{"text": "' + "字" * 201 + '"}') == [("/text", "too_long")]


def test_a_thousand_faults_are_not_all_listed() -> None:
    body = "{" + ",".join(f'"x{number}": 1' for number in range(1000)) + "}"

    assert len(faults_of(body)) == FIELDS_MAX


@pytest.mark.parametrize("value", ["1_0", "1.0", " 1", "1e2", "", "٣", "0x1", "1" * 20, "0", "-1"])
def test_a_number_in_a_query_is_written_in_digits(value: str) -> None:
    with pytest.raises(ValidationError):
        Search.model_validate_strings({"store_id": value})


@pytest.mark.parametrize(("given", "read"), [("7", 7), ("9223372036854775807", 2**63 - 1)])
def test_a_number_in_a_query_is_read(given: str, read: int) -> None:
    assert Search.model_validate_strings({"store_id": given}).store_id == read


def test_no_fault_repeats_what_the_caller_sent() -> None:
    secret: dict[str, Any] = {"text": "x" * 300}
    with pytest.raises(ValidationError) as caught:
        Wish.model_validate(secret)

    error = RequestInvalid.from_pydantic(caught.value, pointer=True)

    assert "xxx" not in repr(error.faults)
