import threading

import pytest

from app.wechat.mini_program import MiniProgram
from app.wechat.subscribing import SendOutcome, SendState
from scripts.sandbox.client import SandboxClient

TEMPLATE = "TMPL_" + "a" * 38
SEND = "/cgi-bin/message/subscribe/send"
DATA = {"thing1": "a pot of tea", "time2": "2026-03-01 12:00", "amount3": "¥12.30"}


def send(
    mini_program: MiniProgram, openid: str, *, page: str = "pages/me/me?from=m", **data: str
) -> SendOutcome:
    return mini_program.send_subscribe_message(
        openid=openid, template_id=TEMPLATE, page=page, data=data or DATA
    )


def test_a_message_arrives_on_the_phone_of_who_allowed_it(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)

    assert send(mini_program, openid) == SendOutcome(SendState.SENT)

    (message,) = sandbox.messages()
    assert (message["openid"], message["data"]) == (openid, DATA)
    assert message["page"] == "pages/me/me?from=m"


def test_every_tap_is_worth_one_message(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    assert sandbox.allow(openid, TEMPLATE) == {TEMPLATE: 2}

    states = [send(mini_program, openid).state for _ in range(3)]

    assert states == [SendState.SENT, SendState.SENT, SendState.NO_PERMISSION]
    assert len(sandbox.messages()) == 2


def test_a_tap_on_refuse_allows_nothing(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE, accepts=False)

    assert send(mini_program, openid) == SendOutcome(SendState.NO_PERMISSION, 43101)
    assert sandbox.messages() == []


def test_permissions_of_one_template_are_none_for_another(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, "x" * 43)

    assert send(mini_program, openid).state is SendState.NO_PERMISSION


@pytest.mark.parametrize(
    "data",
    [
        {"thing1": "x" * 21},
        {"thing1": " "},
        {"number1": "12a"},
        {"letter1": "ab1"},
        {"symbol1": "!!!!!!"},
        {"character_string1": "字"},
        {"time1": "tomorrow"},
        {"date1": "2026/03/01"},
        {"amount1": "¥12345678.90"},
        {"phone_number1": "+86 138 0000 111122"},
        {"car_number1": "粤B12345678"},
        {"name1": "一二三四五六七八九十百"},
        {"phrase1": "one"},
        {"nonsense1": "x"},
    ],
)
def test_a_value_beyond_its_limit_names_the_field(
    mini_program: MiniProgram, sandbox: SandboxClient, data: dict[str, str]
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)

    outcome = send(mini_program, openid, **data)

    assert outcome == SendOutcome(SendState.INVALID, 47003, next(iter(data)))
    assert sandbox.allow(openid, TEMPLATE) == {TEMPLATE: 2}


def test_a_field_that_is_missing_is_named(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.template(TEMPLATE, "thing1", "thing9")
    sandbox.allow(openid, TEMPLATE)

    assert send(mini_program, openid) == SendOutcome(SendState.INVALID, 47003, "thing9")


def test_an_unknown_receiver_template_or_page_is_invalid(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)

    nobody = send(mini_program, "nobody")
    no_template = mini_program.send_subscribe_message(
        openid=openid, template_id="none", page="", data=DATA
    )
    no_page = send(mini_program, openid, page="/pages/me")
    sensitive = send(mini_program, openid, thing1="a night of gambling")

    codes = [one.wechat_code for one in (nobody, no_template, no_page, sensitive)]
    assert codes == [40003, 40037, 41030, 45168]
    assert {one.state for one in (nobody, no_template, no_page)} == {SendState.INVALID}
    assert sandbox.messages() == []


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "drop", "error_after"])
def test_a_broken_answer_is_unknown_and_not_repeated(
    mini_program: MiniProgram, sandbox: SandboxClient, fault: str
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    sandbox.fault("/cgi-bin/message", fault)

    assert send(mini_program, openid).state is SendState.UNKNOWN
    assert sandbox.calls()[SEND] == 1


@pytest.mark.parametrize("errcode", [45009, 45011, 40013])
def test_what_was_certainly_not_sent_may_be_sent_later(
    mini_program: MiniProgram, sandbox: SandboxClient, errcode: int
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    sandbox.fault("/cgi-bin/message", "errcode", changes={"errcode": errcode})

    assert send(mini_program, openid) == SendOutcome(SendState.NOT_NOW, errcode)
    assert send(mini_program, openid).state is SendState.SENT


def test_a_busy_wechat_leaves_the_outcome_unknown(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    sandbox.fault("/cgi-bin/message", "errcode", changes={"errcode": -1})

    assert send(mini_program, openid) == SendOutcome(SendState.UNKNOWN, -1)
    assert sandbox.calls()[SEND] == 1


def test_without_a_token_nothing_is_sent(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    sandbox.fault("/cgi-bin/stable_token", "error_before", times=0)

    assert send(mini_program, openid) == SendOutcome(SendState.NOT_NOW)
    assert SEND not in sandbox.calls()


def test_a_dead_token_is_replaced_once(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, TEMPLATE)
    send(mini_program, openid)
    sandbox.allow(openid, TEMPLATE)
    sandbox.fault("/cgi-bin/message", "errcode", changes={"errcode": 42001})

    assert send(mini_program, openid).state is SendState.SENT


def test_twenty_senders_spend_five_permissions_five_times(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    for _ in range(5):
        sandbox.allow(openid, TEMPLATE)
    mini_program.fetch_access_token()
    states: list[SendState] = []
    threads = [
        threading.Thread(target=lambda: states.append(send(mini_program, openid).state))
        for _ in range(20)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert states.count(SendState.SENT) == 5
    assert states.count(SendState.NO_PERMISSION) == 15
