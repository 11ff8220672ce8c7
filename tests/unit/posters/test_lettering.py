import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.posters.lettering import (
    ELLIPSIS,
    clusters,
    drawable,
    lines_of,
    mask_of,
    shortened,
    width_of,
)

ODD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("😀👩‍👧🏻🇨🇳\u0301\u0302\u0327\u200d\ufe0f\u202e\u2066אבعر美丽ﷺ\x00\n\t"),
    ),
    max_size=220,
)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("小美", "小美"),
        ("小美 👩‍👧 Lan", "小美 Lan"),
        ("👍🏻🇨🇳", ""),
        ("مرحبا", ""),
        ("\u202eevil\u2066", "evil"),
        ("  a \t\n b  ", "a b"),
        ("e\u0301", "é"),
        ("x" + "\u0301" * 50, "x"),
        ("\u0301a", "a"),
        ("\u3000全角　空格", "全角 空格"),
        ("𠮷野家", "𠮷野家"),
        ("", ""),
    ],
)
def test_what_the_font_lacks_is_left_out(text: str, drawn: str) -> None:
    assert drawable(text) == drawn


@given(ODD)
def test_what_can_be_drawn_is_one_calm_line(text: str) -> None:
    drawn = drawable(text)

    assert drawable(drawn) == drawn
    assert drawn == drawn.strip()
    assert not any(unicodedata.category(one)[0] == "C" for one in drawn)


@given(ODD, st.integers(10, 60), st.integers(40, 500))
def test_a_name_is_cut_between_characters_and_fits(text: str, size: int, width: int) -> None:
    name = drawable(text)
    short = shortened(name, size=size, width=width)

    parts = clusters(short.removesuffix(ELLIPSIS))
    assert parts == clusters(name)[: len(parts)]
    widest = max([width_of(one, size) for one in parts], default=0)
    assert width_of(short, size) <= max(width, widest + width_of(ELLIPSIS, size))


def test_two_hundred_characters_end_in_an_ellipsis() -> None:
    short = shortened("美" * 200, size=30, width=300)

    assert short == "美" * 9 + ELLIPSIS


def test_words_stay_whole_and_chinese_breaks_anywhere() -> None:
    latin = lines_of("Facial care for two people", size=30, width=230, lines_max=3)
    chinese = lines_of("面部深层护理六十分钟", size=30, width=120, lines_max=2)

    assert " ".join(latin) == "Facial care for two people"
    assert chinese == ["面部深层", "护理六…"]


@given(ODD, st.integers(20, 400), st.integers(20, 200), st.integers(8, 120), st.integers(1, 6))
def test_nothing_leaves_its_box(text: str, width: int, height: int, size: int, lines: int) -> None:
    mask = mask_of(
        drawable(text),
        area=(width, height),
        size=size,
        lines_max=lines,
        align="center",
        is_bold=True,
    )

    assert mask.size == (width, height)
