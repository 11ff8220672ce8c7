import pytest

from app.wechat.errors import WeChatRefused, WeChatUnavailable
from app.wechat.mini_program import MiniProgram
from app.wechat.texts import TEXT_LENGTH_MAX, Suggestion, TextScene, TextVerdict
from scripts.sandbox.client import SandboxClient

CHECK = "/wxa/msg_sec_check"
TWO_HOURS = 2 * 3600


def verdict_on(mini_program: MiniProgram, openid: str, text: str, **more: str) -> TextVerdict:
    return mini_program.check_text(openid=openid, scene=TextScene.COMMENT, text=text, **more)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("护理很舒服 👍", TextVerdict(Suggestion.PASS, 100)),
        ("来赌博吧", TextVerdict(Suggestion.RISKY, 20006)),
        ("加微信聊", TextVerdict(Suggestion.REVIEW, 10001)),
        ("好" * TEXT_LENGTH_MAX, TextVerdict(Suggestion.PASS, 100)),
    ],
)
def test_wechat_says_what_it_thinks_of_a_text(
    mini_program: MiniProgram, sandbox: SandboxClient, text: str, verdict: TextVerdict
) -> None:
    assert verdict_on(mini_program, sandbox.user(), text) == verdict


def test_title_and_nickname_are_looked_at_too(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()

    in_title = verdict_on(mini_program, openid, "好", title="赌博")
    in_name = verdict_on(mini_program, openid, "好", nickname="诈骗")

    assert (in_title.label, in_name.label) == (20006, 20008)


def test_who_has_been_away_for_two_hours_gets_no_verdict_until_they_come_back(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    openid = sandbox.user()
    sandbox.advance(TWO_HOURS + 1)

    away = verdict_on(mini_program, openid, "赌博")
    mini_program.sign_in(sandbox.login_code(openid))
    back = verdict_on(mini_program, openid, "赌博")

    assert away == TextVerdict(Suggestion.UNKNOWN)
    assert back == TextVerdict(Suggestion.RISKY, 20006)


def test_nobody_at_wechat_is_refused(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    with pytest.raises(WeChatRefused) as caught:
        verdict_on(mini_program, "o-nobody", "好")

    assert caught.value.wechat_code == "40003"


@pytest.mark.parametrize("text", ["", "好" * (TEXT_LENGTH_MAX + 1)])
def test_what_wechat_would_not_look_at_is_not_sent(
    mini_program: MiniProgram, sandbox: SandboxClient, text: str
) -> None:
    with pytest.raises(ValueError, match="1 to 2500"):
        verdict_on(mini_program, sandbox.user(), text)

    assert CHECK not in sandbox.calls()


def test_a_silent_wechat_is_no_verdict(mini_program: MiniProgram, sandbox: SandboxClient) -> None:
    openid = sandbox.user()
    sandbox.fault(CHECK, "error_before", times=0)

    with pytest.raises(WeChatUnavailable):
        verdict_on(mini_program, openid, "好")


def test_a_scheme_opens_the_mini_program_from_a_browser(
    mini_program: MiniProgram, sandbox: SandboxClient
) -> None:
    link = mini_program.url_scheme(path="pages/index/index", query="scene=abc")

    assert link.startswith("weixin://dl/business/?t=")


@pytest.mark.parametrize(
    ("path", "query", "code"), [("/pages/index", "", "40165"), ("pages/index", "q" * 1025, "40212")]
)
def test_a_scheme_to_nowhere_is_refused(
    mini_program: MiniProgram, sandbox: SandboxClient, path: str, query: str, code: str
) -> None:
    with pytest.raises(WeChatRefused) as caught:
        mini_program.url_scheme(path=path, query=query)

    assert caught.value.wechat_code == code
