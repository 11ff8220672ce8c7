"""What the sandbox refuses; the product never sends most of it, so it is asked directly."""

from threading import Barrier, Thread
from typing import Any

import pytest

from scripts.sandbox.control import Control
from scripts.sandbox.rows import Clock, Transfer
from scripts.sandbox.wording import ApiError, PayError
from tests.unit.sandbox.bodies import PREPAY, REFUND, TRANSFER
from tests.unit.sandbox.conftest import OPENID

INFOS: list[dict[str, str]] = TRANSFER["transfer_scene_report_infos"]


@pytest.mark.parametrize(
    "change",
    [
        {"attach": None},
        {"invented": 1},
        {"appid": 1},
        {"mchid": "1900000002"},
        {"description": ""},
        {"out_trade_no": "中文中文中文"},
        {"notify_url": "http://example.com/notices"},
        {"notify_url": "https://example.com/notices?a=1"},
        {"amount": {"total": 0}},
        {"amount": {"total": "1"}},
        {"amount": {"total": 1.5}},
        {"amount": {"total": True}},
        {"amount": {"total": 1, "currency": "USD"}},
        {"payer": {}},
        {"payer": {"openid": None}},
        {"time_expire": "2026-03-01 12:00:00"},
        {"time_expire": "2026-03-01T12:00:00"},
    ],
    ids=str,
)
def test_a_prepay_with_a_mistake_is_refused(control: Control, change: dict[str, Any]) -> None:
    with pytest.raises(PayError) as refused:
        control.trades.prepay(PREPAY | change)

    assert refused.value.status == 400
    assert control.read_books()["payments"] == []


@pytest.mark.parametrize("name", sorted(PREPAY))
def test_each_member_of_a_prepay_is_needed(control: Control, name: str) -> None:
    body = {key: value for key, value in PREPAY.items() if key != name}

    with pytest.raises(PayError) as refused:
        control.trades.prepay(body)

    assert refused.value.code == "PARAM_ERROR"


@pytest.mark.parametrize(
    "change",
    [
        {"notify_url": None},
        {"user_name": None},
        {"invented": 1},
        {"out_bill_no": "P-1"},
        {"transfer_scene_report_infos": []},
        {"transfer_scene_report_infos": INFOS[:1]},
        {"transfer_scene_report_infos": [INFOS[0], INFOS[0]]},
        {"transfer_scene_report_infos": [INFOS[0], INFOS[1] | {"info_type": "报酬"}]},
        {"transfer_scene_report_infos": [INFOS[0], INFOS[1] | {"info_content": "长" * 33}]},
        {"transfer_scene_id": "1000"},
        {"user_recv_perception": "辛苦费"},
        {"transfer_amount": "1000"},
        {"transfer_amount": 29, "user_name": "sealed"},
        {"user_name": "not encrypted"},
        {"transfer_remark": "长" * 33},
    ],
    ids=str,
)
def test_a_transfer_with_a_mistake_is_refused(control: Control, change: dict[str, Any]) -> None:
    with pytest.raises(PayError) as refused:
        control.transfers.create(TRANSFER | change, serial="PUB_KEY_ID_1")

    assert refused.value.code == "PARAM_ERROR"
    assert control.read_books()["transfers"] == []


def test_a_scene_that_was_not_granted_is_no_right(control: Control) -> None:
    with pytest.raises(PayError) as refused:
        control.transfers.create(TRANSFER | {"transfer_scene_id": "1013"}, serial="")

    assert refused.value.code == "NO_AUTH"


def test_from_two_thousand_yuan_the_name_is_needed(control: Control) -> None:
    with pytest.raises(PayError) as refused:
        control.transfers.create(TRANSFER | {"transfer_amount": 200_000}, serial="")

    assert refused.value.code == "PARAM_ERROR"


@pytest.mark.parametrize(
    "change",
    [
        {"transfer_amount": 999},
        {"transfer_remark": "佣金"},
        {"notify_url": "https://example.com/elsewhere"},
        {"user_recv_perception": "劳务报酬"},
    ],
    ids=str,
)
def test_a_number_with_other_terms_is_refused_and_the_first_stands(
    control: Control, change: dict[str, Any]
) -> None:
    control.transfers.create(TRANSFER, serial="")

    with pytest.raises(PayError) as refused:
        control.transfers.create(TRANSFER | change, serial="")

    assert (refused.value.code, refused.value.status) == ("INVALID_REQUEST", 400)
    bill = control.books.get(Transfer, "P1")
    assert bill is not None
    assert bill.amount == 1_000


def test_twenty_senders_of_one_number_make_one_bill(control: Control) -> None:
    everybody_ready = Barrier(20)
    numbers: list[str] = []

    def send() -> None:
        everybody_ready.wait()
        numbers.append(control.transfers.create(TRANSFER, serial="")["transfer_bill_no"])

    threads = [Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(numbers) == 20
    assert len(set(numbers)) == 1
    assert control.books.balance_fen == 99_000


def test_twenty_refunds_at_once_never_give_back_more_than_was_paid(control: Control) -> None:
    control.trades.prepay(PREPAY)
    control.trades.pay(prepay_id=None, out_trade_no="T20260301", openid=None, force=False)
    everybody_ready = Barrier(20)
    refused: list[PayError] = []

    def give_back(number: int) -> None:
        amount = {"refund": 1_000, "total": 9_900, "currency": "CNY"}
        everybody_ready.wait()
        try:
            control.refunds.refund(REFUND | {"out_refund_no": f"R{number}", "amount": amount})
        except PayError as error:
            refused.append(error)

    threads = [Thread(target=give_back, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 11
    assert sum(one["refund"] for one in control.read_books()["refunds"]) == 9_000


def test_only_the_payer_pays(control: Control) -> None:
    control.trades.prepay(PREPAY)

    with pytest.raises(PayError) as refused:
        control.trades.pay(
            prepay_id=None, out_trade_no="T20260301", openid="oSomebodyElse", force=False
        )

    assert refused.value.code == "PAYER_DIFFERS"
    assert control.books.balance_fen == 100_000


def test_an_order_is_paid_once(control: Control) -> None:
    control.trades.prepay(PREPAY)
    control.trades.pay(prepay_id=None, out_trade_no="T20260301", openid=None, force=False)

    with pytest.raises(PayError) as refused:
        control.trades.pay(prepay_id=None, out_trade_no="T20260301", openid=None, force=True)

    assert refused.value.code == "ORDERPAID"
    assert control.books.balance_fen == 109_900


def app_arguments(control: Control, **more: Any) -> dict[str, Any]:
    config = control.config
    secret = {"appid": config.app_id, "secret": config.app_secret}
    return {"grant_type": "client_credential", **secret, **more}


def test_each_plain_token_ends_the_one_before_after_five_minutes(control: Control) -> None:
    first = control.phones.plain_token(app_arguments(control))["access_token"]
    second = control.phones.plain_token(app_arguments(control))["access_token"]
    assert first != second
    control.phones.check_token(first)

    advance(control, 301)

    control.phones.check_token(second)
    with pytest.raises(ApiError) as refused:
        control.phones.check_token(first)
    assert refused.value.errcode == 42001


def test_the_stable_token_is_the_same_for_all_until_its_last_five_minutes(
    control: Control,
) -> None:
    first = control.phones.stable_token(app_arguments(control))
    advance(control, 7200 - 301)
    same = control.phones.stable_token(app_arguments(control))
    advance(control, 2)
    fresh = control.phones.stable_token(app_arguments(control))

    assert first["expires_in"] == 7200
    assert same["access_token"] == first["access_token"]
    assert fresh["access_token"] != first["access_token"]
    control.phones.check_token(first["access_token"])
    control.phones.check_token(fresh["access_token"])


def test_a_forced_token_ends_the_former_but_not_twice_within_thirty_seconds(
    control: Control,
) -> None:
    first = control.phones.stable_token(app_arguments(control))["access_token"]
    too_soon = control.phones.stable_token(app_arguments(control, force_refresh=True))
    advance(control, 31)
    forced = control.phones.stable_token(app_arguments(control, force_refresh=True))

    assert too_soon["access_token"] == first
    assert forced["access_token"] != first
    with pytest.raises(ApiError):
        control.phones.check_token(first)


def test_the_two_kinds_of_token_know_nothing_of_each_other(control: Control) -> None:
    stable = control.phones.stable_token(app_arguments(control))["access_token"]
    control.phones.plain_token(app_arguments(control))
    control.phones.plain_token(app_arguments(control))
    advance(control, 301)

    control.phones.check_token(stable)


@pytest.mark.parametrize(
    ("change", "errcode"),
    [({"appid": "wx0"}, 40013), ({"secret": "guess"}, 40125), ({"grant_type": "x"}, 40002)],
)
def test_a_stranger_gets_no_token(control: Control, change: dict[str, str], errcode: int) -> None:
    with pytest.raises(ApiError) as refused:
        control.phones.stable_token(app_arguments(control, **change))

    assert refused.value.errcode == errcode


@pytest.mark.parametrize(("token", "errcode"), [(None, 41001), ("", 41001), ("guess", 40001)])
def test_a_call_without_a_living_token_is_refused(
    control: Control, token: str | None, errcode: int
) -> None:
    with pytest.raises(ApiError) as refused:
        control.phones.check_token(token)

    assert refused.value.errcode == errcode


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": "s" * 33}, 40169),
        ({"scene": "中文"}, 40169),
        ({"scene": "a%20b"}, 40169),
        ({"scene": 1}, 40169),
        ({"scene": "a", "page": "/pages/a"}, 41030),
        ({"scene": "a", "page": "pages/a?b=1"}, 41030),
        ({"scene": "a", "env_version": "beta"}, 40097),
        ({"scene": "a", "width": "430"}, 40097),
        ({"scene": "a", "check_path": "no"}, 47001),
    ],
    ids=str,
)
def test_a_code_that_cannot_be_drawn_is_refused(
    control: Control, body: dict[str, Any], errcode: int
) -> None:
    with pytest.raises(ApiError) as refused:
        control.phones.read_wxacode(body)

    assert refused.value.errcode == errcode


def test_a_person_keeps_what_is_not_said_anew(control: Control) -> None:
    control.phones.register({"openid": OPENID, "unionid": "u1"})

    user = control.phones.register({"openid": OPENID, "phone": "13900000000"})

    assert (user.nickname, user.unionid, user.phone) == ("小红", "u1", "13900000000")


def advance(control: Control, seconds: float) -> None:
    now = control.books.get(Clock, "clock")
    assert now is not None
    control.books.put(Clock(ahead_seconds=now.ahead_seconds + seconds))
