from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.posters.errors import PosterInvalid
from app.posters.layout import BOXES, HEIGHT_MAX, HEIGHT_MIN, WIDTH, checked, read
from tests.factories.posters import LAYOUT

TALL = 1334
PLAIN: dict[str, Any] = {"code": {"left": 350, "top": 350, "side": 300}}
TEXT: dict[str, Any] = {"left": 100, "top": 20, "width": 500, "height": 50, "size": 40}


def refused(values: dict[str, Any], height: int = TALL) -> tuple[str, str]:
    with pytest.raises(PosterInvalid) as caught:
        checked(values, height=height)
    return caught.value.field, caught.value.flaw


def test_a_layout_stays_what_it_was() -> None:
    layout = checked(LAYOUT, height=TALL)

    assert read(layout.model_dump()) == layout
    assert [name for name, _ in layout.boxes()] == [one for one in BOXES if one in LAYOUT]


def test_a_poster_needs_nothing_but_its_code() -> None:
    assert checked(PLAIN, height=TALL).code.side == 300


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, ("code", "value")),
        (PLAIN | {"extra": {}}, ("extra", "value")),
        (PLAIN | {"headline": TEXT | {"left": -1}}, ("headline.left", "value")),
        (PLAIN | {"headline": TEXT | {"width": "500"}}, ("headline.width", "value")),
        (PLAIN | {"headline": TEXT | {"width": 500.5}}, ("headline.width", "value")),
        (PLAIN | {"headline": TEXT | {"colour": "red"}}, ("headline.colour", "value")),
        (PLAIN | {"headline": TEXT | {"colour": "#12345６"}}, ("headline.colour", "value")),
        (PLAIN | {"headline": TEXT | {"align": "top"}}, ("headline.align", "value")),
        (PLAIN | {"headline": TEXT | {"zh": "好\u202e坏"}}, ("headline.zh", "value")),
        (PLAIN | {"headline": TEXT | {"zh": "好" * 161}}, ("headline.zh", "value")),
        (PLAIN | {"nickname": TEXT | {"zh": "没有名字"}}, ("nickname", "value")),
        (PLAIN | {"headline": TEXT | {"left": 510}}, ("headline", "outside")),
        (PLAIN | {"headline": TEXT | {"top": 960}}, ("headline", "outside")),
        ({"code": {"left": 710, "top": 0, "side": 300}}, ("code", "outside")),
        ({"code": {"left": 0, "top": 900, "side": 300}}, ("code", "outside")),
        ({"code": {"left": 0, "top": 0, "side": 219}}, ("code.side", "value")),
        (PLAIN | {"headline": TEXT | {"top": 340}}, ("headline", "over_code")),
        (PLAIN | {"avatar": {"left": 600, "top": 400, "side": 100}}, ("avatar", "over_code")),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_its_box(
    values: dict[str, Any], found: tuple[str, str]
) -> None:
    assert refused(values) == found


def test_what_fits_a_tall_poster_need_not_fit_a_low_one() -> None:
    low = {"code": {"left": 0, "top": 500, "side": 300}}

    assert checked(low, height=TALL).code.top == 500
    assert refused(low, height=HEIGHT_MIN) == ("code", "outside")


NUMBERS = st.one_of(st.integers(-50, 1100), st.sampled_from([0, 1000, None, "1", 1.5, 10**30]))
TEXTS = st.text(max_size=12)
BOX = st.dictionaries(
    st.sampled_from(["left", "top", "width", "height", "size", "side", "lines", "zh", "colour"]),
    st.one_of(NUMBERS, TEXTS),
)


@given(
    values=st.dictionaries(st.sampled_from([*BOXES, "shared", "x"]), st.one_of(BOX, NUMBERS)),
    height=st.integers(HEIGHT_MIN, HEIGHT_MAX),
)
def test_any_layout_fits_its_poster_or_is_refused(values: dict[str, Any], height: int) -> None:
    try:
        layout = checked(PLAIN | values, height=height)
    except PosterInvalid:
        return
    for _name, box in layout.boxes():
        left, top, right, bottom = box.edges(height)
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= height
