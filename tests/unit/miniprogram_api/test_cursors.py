import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprogram_api.cursors import decode, encode
from miniprogram_api.errors import RequestInvalid
from miniprogram_api.fields import ROW_ID_MAX


@given(st.integers(1, ROW_ID_MAX))
def test_a_cursor_leads_back_to_the_row_it_was_made_of(row_id: int) -> None:
    assert decode(encode(row_id, "list_orders"), "list_orders") == row_id


def _cursor(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "list_orders:7",
        "b3Jk ZXJz",
        "7",
        "\x00",
        "é",
        _cursor(b"list_orders:0"),
        _cursor(b"list_orders:-1"),
        _cursor(b"list_orders:9223372036854775808"),
        _cursor(b"list_orders:99999999999999999999"),
        _cursor(b"list_orders:1e3"),
        _cursor(b"list_orders:"),
        _cursor(b"\xff\xfe"),
        encode(7, "list_products"),
    ],
)
def test_a_cursor_of_another_list_or_of_nobody_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        decode(cursor, "list_orders")

    assert [(fault.field, fault.code) for fault in caught.value.faults] == [
        ("cursor", "cursor_invalid")
    ]


@given(st.text(max_size=128))
def test_no_text_at_all_makes_a_cursor_raise_anything_else(text: str) -> None:
    with suppress(RequestInvalid):
        decode(text, "list_orders")
