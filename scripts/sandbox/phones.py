"""The mini-program side: people with phones, one-time codes, access tokens, codes and links.

Rules and codes: the mini-program server API documents of each call.
"""

import re
import secrets
from dataclasses import replace
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.config import Config
from scripts.sandbox.rows import Code, Token, User
from scripts.sandbox.wording import ApiError, PayError

CODE_SECONDS = 300
TOKEN_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCE_APART_SECONDS = 30
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}", re.ASCII)
PAGE = re.compile(r"[0-9A-Za-z_\-/]+", re.ASCII)
ENV_VERSIONS = {"release", "trial", "develop"}
QUERY_MAX = 1024
LINK_DAYS_MAX = 30
ACTIVE_SECONDS = 2 * 3600
WIDTH_MIN, WIDTH_MAX = 280, 1280


class Phones:
    """What phones and the mini-program's server can do."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._books = books
        self._seen_at: dict[str, float] = {}

    def is_active(self, openid: str) -> bool:
        """Say whether a person was in the mini-program within two hours; a new one counts."""
        seen_at = self._seen_at.get(openid)
        return seen_at is not None and self._books.now() - seen_at <= ACTIVE_SECONDS

    def register(self, values: dict[str, Any]) -> User:
        """Return the person of an openid, made or brought up to date."""
        with self._books.lock:
            openid = values.get("openid") or "o" + secrets.token_urlsafe(20)[:27]
            known = self._books.get(User, openid)
            number = self._books.count(User) + 1
            fresh = known or User(openid=openid, nickname=f"用户{number}", phone=f"138{number:08d}")
            names = ("nickname", "phone", "unionid", "real_name")
            user = replace(fresh, **{name: values[name] for name in names if values.get(name)})
            if user != known:
                self._books.put(user)
            self._seen_at[openid] = self._books.now()
        return user

    def hand_out_code(self, openid: str, purpose: str) -> Code:
        """Return a new code for one use within five minutes."""
        if self._books.get(User, openid) is None:
            raise PayError(404, "USER_NOT_EXIST", "没有此人 · nobody there")
        code = Code(
            code=f"0{secrets.token_hex(15)}x",
            purpose=purpose,
            openid=openid,
            expires_at=self._books.now() + CODE_SECONDS,
        )
        self._books.put(code, is_durable=False)
        return code

    def _use_code(self, text: Any, purpose: str) -> User:
        with self._books.lock:
            code = self._books.get(Code, str(text))
            if code is None or code.purpose != purpose or code.expires_at < self._books.now():
                raise ApiError(40029, "invalid code")
            if code.is_used:
                raise ApiError(40163, "code been used")
            self._books.put(replace(code, is_used=True), is_durable=False)
            user = self._books.get(User, code.openid)
        assert user is not None
        return user

    def _check_app(self, appid: Any, secret: Any) -> None:
        if appid != self._config.app_id:
            raise ApiError(40013, "invalid appid")
        if secret != self._config.app_secret:
            raise ApiError(40125, "invalid appsecret")

    def sign_in(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Exchange a sign-in code for openid and session key."""
        if arguments.get("grant_type") != "authorization_code":
            raise ApiError(40002, "invalid grant_type")
        self._check_app(arguments.get("appid"), arguments.get("secret"))
        user = self._use_code(arguments.get("js_code"), "login")
        self._seen_at[user.openid] = self._books.now()
        told = {"openid": user.openid, "session_key": secrets.token_urlsafe(18)}
        return told | ({"unionid": user.unionid} if user.unionid else {})

    def phone_number(self, code: Any) -> dict[str, Any]:
        """Exchange the code of the phone button for the number."""
        user = self._use_code(code, "phone")
        return {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": user.phone,
                "purePhoneNumber": user.phone,
                "countryCode": "86",
                "watermark": {"timestamp": int(self._books.now()), "appid": self._config.app_id},
            },
        }

    def plain_token(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Issue a token; the one before lives five minutes longer, no matter who holds it."""
        self._check_token_request(arguments)
        with self._books.lock:
            for token in self._tokens("plain"):
                self._shorten(token, OVERLAP_SECONDS)
            return self._issue("plain")

    def stable_token(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the token everybody holds; a new one in the last five minutes of the old."""
        self._check_token_request(arguments)
        with self._books.lock:
            now = self._books.now()
            tokens = self._tokens("stable")
            newest = tokens[-1] if tokens else None
            if newest is None:
                return self._issue("stable")
            if arguments.get("force_refresh") and now - newest.issued_at >= FORCE_APART_SECONDS:
                for token in tokens:
                    self._shorten(token, 0)
                return self._issue("stable")
            if newest.expires_at - now <= OVERLAP_SECONDS:
                return self._issue("stable")
            seconds = int(newest.expires_at - now)
            return {"access_token": newest.token, "expires_in": seconds}

    def _check_token_request(self, arguments: dict[str, Any]) -> None:
        if arguments.get("grant_type") != "client_credential":
            raise ApiError(40002, "invalid grant_type")
        self._check_app(arguments.get("appid"), arguments.get("secret"))

    def _tokens(self, family: str) -> list[Token]:
        now = self._books.now()
        tokens = self._books.all(Token)
        return [one for one in tokens if one.family == family and one.expires_at > now]

    def _shorten(self, token: Token, seconds: float) -> None:
        limit = min(token.expires_at, self._books.now() + seconds)
        self._books.put(replace(token, expires_at=limit), is_durable=False)

    def _issue(self, family: str) -> dict[str, Any]:
        now = self._books.now()
        token = Token(
            token=f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(96)}",
            family=family,
            issued_at=now,
            expires_at=now + TOKEN_SECONDS,
        )
        self._books.put(token, is_durable=False)
        return {"access_token": token.token, "expires_in": TOKEN_SECONDS}

    def check_token(self, text: str | None) -> None:
        """Refuse a call without a living token."""
        if not text:
            raise ApiError(41001, "access_token missing")
        token = self._books.get(Token, text)
        if token is None:
            raise ApiError(40001, "invalid credential, access_token is invalid or not latest")
        if token.expires_at <= self._books.now():
            raise ApiError(42001, "access_token expired")

    def read_wxacode(self, body: dict[str, Any]) -> tuple[str, str, int]:
        """Return scene and page of a mini-program code and its width in pixels."""
        scene, page = body.get("scene"), body.get("page", "pages/index/index")
        if not (isinstance(scene, str) and SCENE.fullmatch(scene)):
            raise ApiError(40169, "invalid length for scene, or the data is not json string")
        if not (isinstance(page, str) and PAGE.fullmatch(page)) or page.startswith("/"):
            raise ApiError(41030, "invalid page")
        width = body.get("width", 430)
        if body.get("env_version", "release") not in ENV_VERSIONS or not isinstance(width, int):
            raise ApiError(40097, "invalid args")
        if not isinstance(body.get("check_path", True), bool):
            raise ApiError(47001, "data format error")
        return scene, page, min(max(width, WIDTH_MIN), WIDTH_MAX)

    def url_link(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a link into the mini-program."""
        _check_jump(body)
        if body.get("expire_type") == 1:
            _check_days(body)
        link = f"https://wxaurl.cn/{secrets.token_hex(6)}"
        return {"errcode": 0, "errmsg": "ok", "url_link": link}

    def url_scheme(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return an address that a phone's browser opens as the mini-program."""
        jump = body.get("jump_wxa", {})
        if not isinstance(jump, dict):
            raise ApiError(47001, "data format error")
        _check_jump(jump)
        if body.get("is_expire") and body.get("expire_type") == 1:
            _check_days(body)
        link = f"weixin://dl/business/?t={secrets.token_hex(6)}"
        return {"errcode": 0, "errmsg": "ok", "openlink": link}


def _check_jump(target: dict[str, Any]) -> None:
    """Refuse a page, query or version that no link can open."""
    path, query = target.get("path", ""), target.get("query", "")
    if not isinstance(path, str) or path.startswith("/") or "?" in path:
        raise ApiError(40165, "invalid weapp pagepath")
    if not isinstance(query, str) or len(query) > QUERY_MAX:
        raise ApiError(40212, "invalid query")
    if target.get("env_version", "release") not in ENV_VERSIONS:
        raise ApiError(40097, "invalid args")


def _check_days(body: dict[str, Any]) -> None:
    days = body.get("expire_interval")
    if not isinstance(days, int) or not 1 <= days <= LINK_DAYS_MAX:
        raise ApiError(85400, "expire_interval out of range")
