import dataclasses
import traceback

import pytest

from app.settings import Settings
from app.wechat.errors import SceneInvalid, WeChatUnavailable
from app.wechat.mini_program import MiniProgram
from app.wechat.tokens import TokenStore


@pytest.fixture
def mini_program(wechat_settings: Settings) -> MiniProgram:
    """Neither WeChat nor Redis answers."""
    store = TokenStore.open(wechat_settings.redis_url, app_id=wechat_settings.wechat_app_id)
    return MiniProgram(wechat_settings, store)


@pytest.mark.parametrize("scene", ["", "x" * 33, "中文", "a b", "a%b", 'a"b', "a\n", "é", "٣"])
def test_a_scene_that_no_code_can_carry_is_refused_without_asking(
    mini_program: MiniProgram, scene: str
) -> None:
    with pytest.raises(SceneInvalid):
        mini_program.wxacode(scene=scene, page="pages/index/index")


@pytest.mark.parametrize("width", [0, 279, 1281])
def test_a_width_out_of_range_is_the_callers_mistake(mini_program: MiniProgram, width: int) -> None:
    with pytest.raises(ValueError, match="280 to 1280"):
        mini_program.wxacode(scene="a", page="pages/index/index", width=width)


def test_without_wechat_and_redis_signing_in_is_unavailable(mini_program: MiniProgram) -> None:
    with pytest.raises(WeChatUnavailable):
        mini_program.sign_in("code")
    with pytest.raises(WeChatUnavailable):
        mini_program.phone_number("code")
    with pytest.raises(WeChatUnavailable):
        mini_program.wxacode(scene="a", page="pages/index/index")
    with pytest.raises(WeChatUnavailable):
        mini_program.url_link(path="pages/index/index", query="s=1")


def test_no_traceback_shows_the_secret_or_the_code(
    mini_program: MiniProgram, wechat_settings: Settings
) -> None:
    code = "-".join(["code", "of", "a", "person"])
    with pytest.raises(WeChatUnavailable) as caught:
        mini_program.sign_in(code)

    told = "".join(traceback.format_exception(caught.value, chain=True))
    chain = [caught.value.__cause__, caught.value.__context__]
    assert wechat_settings.wechat_app_secret not in told
    assert code not in told
    assert chain == [None, None]


def test_the_settings_do_not_show_the_secret(wechat_settings: Settings) -> None:
    assert dataclasses.asdict(wechat_settings)["wechat_app_secret"] == "app-secret"
    assert "app-secret" not in repr(wechat_settings)
