"""The mini-program's server API: signing in, phone numbers, codes and links.

A thin layer over wechatpy, which has four habits that do not fit a service of several processes:
its token endpoint invalidates the former token for everybody, it remembers a token's age per
process, it retries without end, and it waits without end. Here the stable token is used, Redis is
the only place that knows it, one call is repeated once, and every request has a timeout. The
session key that comes with a sign-in stays in this module.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import structlog
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.kernel.errors import DomainError
from app.settings import Settings
from app.wechat.errors import (
    PhoneCodeInvalid,
    SceneInvalid,
    SignInBlocked,
    SignInCodeInvalid,
    WeChatBusy,
    WeChatRefused,
    WeChatUnavailable,
)
from app.wechat.proxies import is_on_this_machine
from app.wechat.subscribing import SendOutcome, SendState, outcome_of
from app.wechat.texts import TEXT_LENGTH_MAX, Suggestion, TextScene, TextVerdict
from app.wechat.tokens import TokenStore
from app.wechat.values import SignIn

CONNECT_SECONDS_MAX: Final = 3
DEAD_TOKEN_CODES: Final = frozenset({40001, 40014, 42001})
CODE_INVALID: Final = 40029
CODE_USED: Final = 40163
HIGH_RISK_USER: Final = 40226
TOO_OFTEN_CODES: Final = frozenset({45009, 45011})
BUSY: Final = -1
OUR_FAULT_CODES: Final = frozenset({40013, 40125, 40164, 40243})
"""App id, secret, address not on the allow-list, secret frozen: nothing a person can put right."""
WRITER_AWAY: Final = "61010"

SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}", re.ASCII)
WIDTH_MIN: Final = 280
WIDTH_MAX: Final = 1280
RELEASE: Final = "release"
LINK_DAYS: Final = 30
MESSAGE_STATES: Final = {RELEASE: "formal", "trial": "trial", "develop": "developer"}
"""How messages name the versions of the mini-program."""

log = structlog.get_logger(__name__)


class MiniProgram(WeChatClient):  # type: ignore[misc]
    """One mini-program; safe to share between threads, not across a fork."""

    def __init__(self, settings: Settings, store: TokenStore) -> None:
        """Point the client at the configured host; nothing is fetched yet."""
        timeout = settings.wechat_timeout_seconds
        super().__init__(
            settings.wechat_app_id,
            settings.wechat_app_secret,
            timeout=(min(CONNECT_SECONDS_MAX, timeout), timeout),
            auto_retry=False,
        )
        self._base = settings.wechat_api_base_url.rstrip("/") + "/"
        self._http.trust_env = not is_on_this_machine(self._base)
        self._env_version = settings.wechat_env_version
        self._store = store

    @property
    def access_token(self) -> str:
        """Return the token all processes share, fetching it where nobody has."""
        return self._store.get() or self.fetch_access_token()

    def fetch_access_token(self) -> str:
        """Ask WeChat for the stable token and share it."""
        response = self._http.post(
            self._base + "cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": self.appid,
                "secret": self.secret,
                "force_refresh": False,
            },
            timeout=self.timeout,
        )
        data = self._checked(response)
        token, seconds = data.get("access_token"), data.get("expires_in")
        if not (isinstance(token, str) and isinstance(seconds, int)):
            raise requests.exceptions.InvalidJSONError
        self._store.put(token, seconds=seconds)
        return token

    def sign_in(self, code: str) -> SignIn:
        """Exchange the code of `wx.login` for the person behind it.

        Raises `SignInCodeInvalid`, `SignInBlocked`, `WeChatBusy` or `WeChatUnavailable`.
        """
        refusals = {
            CODE_INVALID: SignInCodeInvalid,
            CODE_USED: SignInCodeInvalid,
            HIGH_RISK_USER: SignInBlocked,
        }
        data = _answered(lambda: self._session_of(code), refusals)
        openid, unionid = data.get("openid"), data.get("unionid")
        if not (isinstance(openid, str) and openid):
            raise WeChatUnavailable
        return SignIn(openid=openid, unionid=unionid if isinstance(unionid, str) else None)

    def phone_number(self, code: str) -> str:
        """Exchange the code of the phone number button for the number, such as +8613800001111.

        Raises `PhoneCodeInvalid`, `WeChatBusy` or `WeChatUnavailable`.
        """
        refusals = {CODE_INVALID: PhoneCodeInvalid, CODE_USED: PhoneCodeInvalid}
        data = _answered(
            lambda: self._call("wxa/business/getuserphonenumber", {"code": code}), refusals
        )
        info = data.get("phone_info") if isinstance(data, dict) else None
        if not (isinstance(info, dict) and info.get("countryCode") and info.get("purePhoneNumber")):
            raise WeChatUnavailable
        return f"+{info['countryCode']}{info['purePhoneNumber']}"

    def wxacode(
        self, *, scene: str, page: str, env_version: str | None = None, width: int = 430
    ) -> bytes:
        """Return the image of a mini-program code that opens `page` with `scene`.

        `page` has no leading slash and no query; WeChat insists that it is published in the
        release version only. `width` is in pixels. Raises `SceneInvalid` without asking anybody.
        """
        if not SCENE.fullmatch(scene):
            raise SceneInvalid
        if not WIDTH_MIN <= width <= WIDTH_MAX:
            raise ValueError(f"a mini-program code is {WIDTH_MIN} to {WIDTH_MAX} pixels wide")
        version = env_version or self._env_version
        arguments = {
            "scene": scene,
            "page": page,
            "check_path": version == RELEASE,
            "env_version": version,
            "width": width,
        }
        image = _answered(lambda: self._call("wxa/getwxacodeunlimit", arguments))
        if not isinstance(image, requests.Response):
            raise WeChatUnavailable
        return bytes(image.content)

    def url_link(self, *, path: str, query: str, env_version: str | None = None) -> str:
        """Return a link that opens the mini-program from outside WeChat for thirty days."""
        arguments = {
            "path": path,
            "query": query,
            "env_version": env_version or self._env_version,
            "expire_type": 1,
            "expire_interval": LINK_DAYS,
        }
        data = _answered(lambda: self._call("wxa/generate_urllink", arguments))
        link = data.get("url_link") if isinstance(data, dict) else None
        if not isinstance(link, str):
            raise WeChatUnavailable
        return link

    def url_scheme(self, *, path: str, query: str, env_version: str | None = None) -> str:
        """Return an address (weixin://…) that a phone's browser opens as the mini-program.

        It lives thirty days. Unlike `url_link` it works without a page of WeChat in between.
        """
        version = env_version or self._env_version
        arguments = {
            "jump_wxa": {"path": path, "query": query, "env_version": version},
            "is_expire": True,
            "expire_type": 1,
            "expire_interval": LINK_DAYS,
        }
        data = _answered(lambda: self._call("wxa/generatescheme", arguments))
        link = data.get("openlink") if isinstance(data, dict) else None
        if not isinstance(link, str):
            raise WeChatUnavailable
        return link

    def check_text(
        self, *, openid: str, scene: TextScene, text: str, nickname: str = "", title: str = ""
    ) -> TextVerdict:
        """Ask what WeChat thinks of a text of at most `TEXT_LENGTH_MAX` characters.

        Judged by the `result` of the answer. UNKNOWN where the writer has not been in the
        mini-program for two hours. Raises `WeChatUnavailable`, `WeChatBusy`, `WeChatRefused`.
        """
        if not 1 <= len(text) <= TEXT_LENGTH_MAX:
            raise ValueError(f"WeChat looks at 1 to {TEXT_LENGTH_MAX} characters")
        given = {"openid": openid, "content": text, "nickname": nickname, "title": title}
        arguments = {"version": 2, "scene": int(scene)} | {k: v for k, v in given.items() if v}
        try:
            data = _answered(lambda: self._call("wxa/msg_sec_check", arguments))
        except WeChatRefused as error:
            if error.wechat_code != WRITER_AWAY:
                raise
            return TextVerdict(Suggestion.UNKNOWN)
        return _verdict(data)

    def send_subscribe_message(
        self, *, openid: str, template_id: str, page: str, data: Mapping[str, str]
    ) -> SendOutcome:
        """Send one message of a template to somebody who allowed it; never raises for WeChat.

        `data` holds a text for each field of the template, cut to WeChat's limits beforehand
        (`template_values.fit`); `page` may be empty and may carry a query. Posted once: no answer
        means UNKNOWN, because it may have arrived.
        """
        arguments = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": {field: {"value": text} for field, text in data.items()},
            "miniprogram_state": MESSAGE_STATES[self._env_version],
            "lang": "zh_CN",
        }
        try:
            self._store.get() or self.fetch_access_token()
        except (WeChatClientException, requests.RequestException, ValueError):
            return SendOutcome(SendState.NOT_NOW)
        try:
            answer = self._call("cgi-bin/message/subscribe/send", arguments)
        except WeChatClientException as error:
            return outcome_of(error.errcode, error.errmsg)
        except (requests.RequestException, ValueError):
            return SendOutcome(SendState.UNKNOWN)
        is_sent = isinstance(answer, dict) and answer.get("errcode") == 0
        return SendOutcome(SendState.SENT if is_sent else SendState.UNKNOWN)

    def _session_of(self, code: str) -> Mapping[str, Any]:
        """Ask for the session of a code, without the token that wechatpy would send along."""
        response = self._http.get(
            self._base + "sns/jscode2session",
            params={
                "appid": self.appid,
                "secret": self.secret,
                "js_code": code,
                "grant_type": "authorization_code",
            },
            timeout=self.timeout,
        )
        return self._checked(response)

    def _checked(self, response: requests.Response) -> Mapping[str, Any]:
        response.raise_for_status()
        data = self._handle_result(response)
        if not isinstance(data, dict):
            raise requests.exceptions.InvalidJSONError
        return data

    def _call(self, endpoint: str, data: Mapping[str, Any]) -> Any:
        """Post with the shared token; a token found dead is replaced once."""
        token = self.access_token
        try:
            return self._post_with(token, endpoint, data)
        except WeChatClientException as error:
            if error.errcode not in DEAD_TOKEN_CODES:
                raise
        self._store.drop(token)
        return self._post_with(self.access_token, endpoint, data)

    def _post_with(self, token: str, endpoint: str, data: Mapping[str, Any]) -> Any:
        return self.post(
            endpoint, api_base_url=self._base, params={"access_token": token}, data=data
        )


def _answered(
    call: Callable[[], Any], refusals: Mapping[int, type[DomainError]] | None = None
) -> Any:
    """Make a call, once more if WeChat says it is busy, and raise our errors for its own.

    The library's errors hold the address that was asked, secret and token included. They are gone
    before ours are raised, so that no traceback can show them.
    """
    code: int | None = BUSY
    for _ in range(2):
        try:
            return call()
        except WeChatClientException as error:
            code = error.errcode
        except (requests.RequestException, ValueError) as error:
            log.warning("wechat_unanswered", error=type(error).__name__)
            code = None
        if code != BUSY:
            break
    log.warning("wechat_refused", wechat_code=code)
    raise _refusal(code, refusals or {})


def _verdict(data: Any) -> TextVerdict:
    result: Any = data.get("result") if isinstance(data, dict) else None
    try:
        suggestion = Suggestion(result["suggest"])
        return TextVerdict(suggestion, int(result.get("label", 0)) or None)
    except (TypeError, KeyError, ValueError, AttributeError):
        raise WeChatUnavailable from None


def _refusal(code: int | None, refusals: Mapping[int, type[DomainError]]) -> DomainError:
    if code is None or code == BUSY or code in OUR_FAULT_CODES or code in DEAD_TOKEN_CODES:
        return WeChatUnavailable()
    if code in TOO_OFTEN_CODES:
        return WeChatBusy()
    refusal = refusals.get(code)
    return refusal() if refusal else WeChatRefused(str(code))
