from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.template_values import FIELD, ValueKind, ValueUnfit, fit, fits, kind_of
from scripts.sandbox.subscriptions import check_value as wechat_takes
from scripts.sandbox.wording import ApiError

values = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="小红abc 12-·\n\t！😀", max_size=60),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.datetimes(min_value=datetime.fromisoformat("2000-01-01"), timezones=st.just(UTC)),
    st.dates(min_value=date(2000, 1, 1)),
)


@given(kind=st.sampled_from(list(ValueKind)), value=values)
def test_a_value_that_was_cut_never_breaks_a_limit_of_wechat(
    kind: ValueKind, value: str | int | datetime | date
) -> None:
    try:
        text = fit(kind, value)
    except ValueUnfit:
        return

    assert fits(kind, text)
    assert wechat_takes(f"{kind.value}1", {"value": text}) == text


@given(kind=st.sampled_from(list(ValueKind)), text=st.text(max_size=40))
def test_what_we_call_fitting_wechat_takes(kind: ValueKind, text: str) -> None:
    if fits(kind, text):
        assert wechat_takes(f"{kind.value}1", {"value": text}) == text


@given(text=st.text(max_size=300))
def test_any_text_fits_as_a_thing_and_any_nickname_as_a_name(text: str) -> None:
    assert 1 <= len(fit(ValueKind.THING, text)) <= 20
    assert 1 <= len(fit(ValueKind.NAME, text)) <= 20


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (ValueKind.THING, "", "-"),
        (ValueKind.THING, "字" * 21, "字" * 19 + "…"),
        (ValueKind.THING, "two\nlines", "two lines"),
        (ValueKind.AMOUNT, 1, "¥0.01"),
        (ValueKind.TIME, datetime(2026, 3, 1, 16, tzinfo=UTC), "2026-03-02 00:00"),
        (ValueKind.DATE, date(2026, 3, 1), "2026-03-01"),
        (ValueKind.NAME, "😀小红😀", "小红"),
        (ValueKind.NAME, "😀", "-"),
        (ValueKind.PHRASE, "已付款了吗谢谢", "已付款了吗"),
        (ValueKind.CHARACTER_STRING, "No 12 号", "No12"),
        (ValueKind.NUMBER, 12, "12"),
    ],
)
def test_values_become_texts(kind: ValueKind, value: str | int, text: str) -> None:
    assert fit(kind, value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ValueKind.AMOUNT, "12"),
        (ValueKind.AMOUNT, -1),
        (ValueKind.AMOUNT, 100_000_000_00),
        (ValueKind.NUMBER, "many"),
        (ValueKind.PHRASE, "paid"),
        (ValueKind.LETTER, "12"),
        (ValueKind.TIME, "soon"),
    ],
)
def test_what_nothing_is_left_of_is_unfit(kind: ValueKind, value: str | int) -> None:
    with pytest.raises(ValueUnfit):
        fit(kind, value)


@pytest.mark.parametrize("field", ["", "thing", "thing123", "things1", "Thing1", "thing1 ", "1"])
def test_a_name_that_wechat_does_not_use_is_no_field(field: str) -> None:
    assert kind_of(field) is None


def test_every_kind_is_found_by_its_name() -> None:
    assert {kind_of(f"{kind.value}1") for kind in ValueKind} == set(ValueKind)
    assert all(FIELD.fullmatch(f"{kind.value}12") for kind in ValueKind)


def test_wechat_says_which_value_it_does_not_take() -> None:
    with pytest.raises(ApiError, match=r"data\.thing1\.value"):
        wechat_takes("thing1", {"value": "x" * 21})
