import io
import threading

import pytest
import redis as redis_client
import zxingcpp
from PIL import Image

from app.settings import Settings
from app.wechat.errors import (
    PhoneCodeInvalid,
    SignInBlocked,
    SignInCodeInvalid,
    WeChatBusy,
    WeChatRefused,
    WeChatUnavailable,
)
from app.wechat.mini_program import MiniProgram
from app.wechat.tokens import TokenStore
from app.wechat.values import SignIn
from scripts.sandbox.client import SandboxClient

STABLE_TOKEN = "/cgi-bin/stable_token"
WXACODE = "/wxa/getwxacodeunlimit"


def token_key(settings: Settings) -> str:
    return f"wechat:token:{settings.wechat_app_id}"


def test_a_code_tells_who_signs_in(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user(nickname="小红", unionid="u-1")

    assert mini_program.sign_in(sandbox.login_code(openid)) == SignIn(openid=openid, unionid="u-1")


def test_who_has_no_unionid_signs_in_without_one(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()

    assert mini_program.sign_in(sandbox.login_code(openid)) == SignIn(openid=openid, unionid=None)


def test_signing_in_needs_no_access_token(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    mini_program.sign_in(sandbox.login_code(sandbox.user()))

    assert sandbox.calls() == {"/sns/jscode2session": 1}


def test_a_code_signs_in_once(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    code = sandbox.login_code(sandbox.user())
    mini_program.sign_in(code)

    with pytest.raises(SignInCodeInvalid):
        mini_program.sign_in(code)


def test_a_code_lives_five_minutes(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    code = sandbox.login_code(sandbox.user())
    sandbox.advance(301)

    with pytest.raises(SignInCodeInvalid):
        mini_program.sign_in(code)


@pytest.mark.parametrize("code", ["", "no such code", "x" * 5000, "?&appid=other"])
def test_a_code_that_nobody_gave_out_is_invalid(mini_program: MiniProgram, code: str) -> None:
    with pytest.raises(SignInCodeInvalid):
        mini_program.sign_in(code)


def test_a_phone_code_does_not_sign_in(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    with pytest.raises(SignInCodeInvalid):
        mini_program.sign_in(sandbox.phone_code(sandbox.user()))


@pytest.mark.parametrize(
    ("errcode", "error"),
    [
        (40226, SignInBlocked),
        (45011, WeChatBusy),
        (40013, WeChatUnavailable),
        (40125, WeChatUnavailable),
        (12345, WeChatRefused),
    ],
)
def test_wechats_codes_become_our_errors(
    mini_program: MiniProgram, sandbox: SandboxClient, errcode: int, error: type[Exception]
) -> None:
    sandbox.fault("/sns/", "errcode", changes={"errcode": errcode})

    with pytest.raises(error):
        mini_program.sign_in(sandbox.login_code(sandbox.user()))


def test_a_busy_wechat_is_asked_once_more(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.fault("/sns/", "errcode", changes={"errcode": -1})

    assert mini_program.sign_in(sandbox.login_code(openid)).openid == openid
    assert sandbox.calls() == {"/sns/jscode2session": 2}


def test_a_wechat_that_stays_busy_is_unavailable_after_two_tries(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    sandbox.fault("/sns/", "errcode", times=0, changes={"errcode": -1})

    with pytest.raises(WeChatUnavailable):
        mini_program.sign_in(sandbox.login_code(sandbox.user()))
    assert sandbox.calls() == {"/sns/jscode2session": 2}


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "drop", "error_after"])
def test_a_broken_answer_is_unavailable_and_not_an_invalid_code(
    mini_program: MiniProgram, sandbox: SandboxClient, fault: str
) -> None:
    sandbox.fault("/sns/", fault)

    with pytest.raises(WeChatUnavailable):
        mini_program.sign_in(sandbox.login_code(sandbox.user()))


def test_a_phone_code_tells_the_number_with_its_country(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user(phone="13900001111")
    code = sandbox.phone_code(openid)

    assert mini_program.phone_number(code) == "+8613900001111"
    with pytest.raises(PhoneCodeInvalid):
        mini_program.phone_number(code)


def test_a_login_code_tells_no_number(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    with pytest.raises(PhoneCodeInvalid):
        mini_program.phone_number(sandbox.login_code(sandbox.user()))


@pytest.mark.parametrize("width", [280, 430, 1280])
def test_a_mini_program_code_can_be_read_by_a_camera(mini_program: MiniProgram, width: int) -> None:
    scene = "Aa0!#$&'()*+,/:;=?@-._~Zz9876543"
    assert len(scene) == 32

    image = mini_program.wxacode(scene=scene, page="pages/index/index", width=width)

    picture = Image.open(io.BytesIO(image))
    (code,) = zxingcpp.read_barcodes(picture)
    assert picture.size == (width, width)
    assert code.text == (
        "https://mp.weixin.qq.com/a/sandbox?"
        "scene=Aa0%21%23%24%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40-._~Zz9876543"
        "&page=pages%2Findex%2Findex"
    )


@pytest.mark.parametrize(
    ("page", "env_version", "code"),
    [("/pages/index", None, "41030"), ("pages/a?b=1", None, "41030"), ("pages/a", "x", "40097")],
)
def test_a_code_that_wechat_will_not_draw_is_refused_with_its_reason(
    mini_program: MiniProgram, page: str, env_version: str | None, code: str
) -> None:
    with pytest.raises(WeChatRefused) as refused:
        mini_program.wxacode(scene="a", page=page, env_version=env_version)

    assert refused.value.wechat_code == code


def test_a_link_opens_the_mini_program(mini_program: MiniProgram) -> None:
    link = mini_program.url_link(path="pages/index/index", query="s=abc")

    assert link.startswith("https://wxaurl.cn/")


def test_a_link_with_too_much_in_it_is_refused(mini_program: MiniProgram) -> None:
    with pytest.raises(WeChatRefused) as refused:
        mini_program.url_link(path="pages/index/index", query="s" * 1025)

    assert refused.value.wechat_code == "40212"


def test_one_token_serves_all_calls(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    for scene in "abc":
        mini_program.wxacode(scene=scene, page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 1, WXACODE: 3}


def test_processes_share_the_token_through_redis(
    mini_program: MiniProgram, wechat_settings: Settings, sandbox: SandboxClient
) -> None:
    store = TokenStore.open(wechat_settings.redis_url, app_id=wechat_settings.wechat_app_id)
    other = MiniProgram(wechat_settings, store)
    mini_program.wxacode(scene="a", page="pages/index")

    other.wxacode(scene="b", page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 1, WXACODE: 2}


def test_six_processes_at_the_end_of_a_token_all_end_with_the_same_living_one(
    wechat_settings: Settings, sandbox: SandboxClient, redis: "redis_client.Redis"
) -> None:
    failures: list[Exception] = []
    store = TokenStore.open(wechat_settings.redis_url, app_id=wechat_settings.wechat_app_id)
    everybody_ready = threading.Barrier(6)

    def work(number: int) -> None:
        program = MiniProgram(wechat_settings, store)
        everybody_ready.wait()
        try:
            program.wxacode(scene=str(number), page="pages/index")
        except WeChatUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sandbox.calls()[WXACODE] == 6


def test_the_shared_token_is_forgotten_a_minute_before_it_ends(
    mini_program: MiniProgram, wechat_settings: Settings, redis: "redis_client.Redis"
) -> None:
    mini_program.wxacode(scene="a", page="pages/index")

    assert 7080 < redis.ttl(token_key(wechat_settings)) <= 7140


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_dead_token_is_replaced_once_and_the_call_repeated(
    mini_program: MiniProgram,
    wechat_settings: Settings,
    sandbox: SandboxClient,
    redis: "redis_client.Redis",
    errcode: int,
) -> None:
    redis.set(token_key(wechat_settings), "a token of last year")
    sandbox.fault("/wxa/", "errcode", changes={"errcode": errcode})

    mini_program.wxacode(scene="a", page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 1, WXACODE: 2}
    assert redis.get(token_key(wechat_settings)) != b"a token of last year"


def test_a_token_that_expired_at_wechat_is_replaced(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    mini_program.wxacode(scene="a", page="pages/index")
    sandbox.advance(7201)

    mini_program.wxacode(scene="b", page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 2, WXACODE: 3}


def test_tokens_that_are_refused_again_and_again_are_not_fetched_for_ever(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    sandbox.fault("/wxa/", "errcode", times=0, changes={"errcode": 40001})

    with pytest.raises(WeChatUnavailable):
        mini_program.wxacode(scene="a", page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 2, WXACODE: 2}


def test_without_redis_each_call_fetches_the_token_and_works(
    wechat_settings: Settings, sandbox: SandboxClient
) -> None:
    store = TokenStore.open("redis://127.0.0.1:9/0", app_id=wechat_settings.wechat_app_id)
    program = MiniProgram(wechat_settings, store)

    program.wxacode(scene="a", page="pages/index")
    program.wxacode(scene="b", page="pages/index")

    assert sandbox.calls() == {STABLE_TOKEN: 2, WXACODE: 2}
