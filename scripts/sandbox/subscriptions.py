"""Subscribe messages: templates, the permissions people give by tapping, and what arrives.

Every tap on "allow" is worth one message of that template (one-time templates), and a tap on
"refuse" is worth none. Refusals and limits: the document of subscribeMessage.send. A template whose
fields were not made known is taken as having those of the message.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.rows import Message, Permission, Template, User
from scripts.sandbox.wording import ApiError, PayError

TEMPLATE_ID = re.compile(r"[0-9A-Za-z_-]{43}", re.ASCII)
PAGE = re.compile(r"[0-9A-Za-z_\-/]*(\?[0-9A-Za-z_\-=&%.~]*)?", re.ASCII)
STATES = {"developer", "trial", "formal"}
LANGUAGES = {"zh_CN", "en_US", "zh_HK", "zh_TW"}
SENSITIVE = ("赌博", "gambling")
FIELD = re.compile(r"([a-z_]+?)[0-9]+", re.ASCII)
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
WORDS = {
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII),
    "letter": re.compile(r"[A-Za-z]+", re.ASCII),
    "symbol": re.compile(r"([^\w\s]|_)+", re.ASCII),
    "character_string": re.compile(r"[\x21-\x7e]+"),
    "amount": re.compile(r"[¥￥$€£]?([0-9.]{1,10})元?"),
    "phone_number": re.compile(r"[0-9+\-() ]+", re.ASCII),
    "car_number": re.compile(r"[\u4e00-\u9fff]?[0-9A-Za-z]+[\u4e00-\u9fff]?"),
    "phrase": re.compile(r"[\u4e00-\u9fff]+"),
}
LENGTHS = {
    "thing": 20,
    "number": 32,
    "letter": 32,
    "symbol": 5,
    "character_string": 32,
    "phone_number": 17,
    "car_number": 8,
    "phrase": 5,
}
TIMES = (
    *("%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日"),
    *("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"),
)


class Subscriptions:
    """WeChat's side of subscribe messages."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def define(self, template_id: str, fields: list[str]) -> Template:
        """Make the fields of a template known."""
        if not TEMPLATE_ID.fullmatch(template_id):
            raise ValueError("a template id has 43 letters, digits, - or _")
        template = Template(template_id=template_id, fields=tuple(fields))
        self._books.put(template)
        return template

    def tap(self, openid: str, template_ids: list[str], *, accepts: bool) -> dict[str, int]:
        """Answer the question for permission on a phone; return what is left of each."""
        if self._books.get(User, openid) is None:
            raise PayError(404, "USER_NOT_EXIST", "没有此人 · nobody there")
        with self._books.lock:
            left = {one: self._permission(openid, one) for one in template_ids}
            if accepts:
                left = {one: replace(row, left=row.left + 1) for one, row in left.items()}
                self._books.put(*left.values())
        return {one: row.left for one, row in left.items()}

    def list(self) -> list[dict[str, Any]]:
        """Return what arrived, oldest first."""
        return [asdict(one) for one in self._books.all(Message)]

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Deliver a message that was allowed, and count the permission as used."""
        openid, template_id = body.get("touser"), body.get("template_id")
        if not isinstance(openid, str) or self._books.get(User, openid) is None:
            raise ApiError(40003, "invalid openid")
        if not (isinstance(template_id, str) and TEMPLATE_ID.fullmatch(template_id)):
            raise ApiError(40037, "invalid template_id")
        page = _page(body)
        data = self._data(template_id, body.get("data"))
        with self._books.lock:
            permission = self._permission(openid, template_id)
            if permission.left < 1:
                raise ApiError(43101, "user refuse to accept the msg")
            message = Message(
                msgid=secrets.token_hex(12),
                openid=openid,
                template_id=template_id,
                page=page,
                data=data,
                sent_at=self._books.now(),
            )
            self._books.put(replace(permission, left=permission.left - 1), message)
        return {"errcode": 0, "errmsg": "ok", "msgid": message.msgid}

    def _permission(self, openid: str, template_id: str) -> Permission:
        fresh = Permission(openid=openid, template_id=template_id)
        return self._books.get(Permission, fresh.key) or fresh

    def _data(self, template_id: str, given: Any) -> dict[str, str]:
        if not isinstance(given, dict) or not given:
            raise ApiError(47003, "argument invalid! data is empty")
        template = self._books.get(Template, template_id)
        for field in template.fields if template else ():
            if field not in given:
                raise ApiError(47003, f"argument invalid! data.{field}.value is empty")
        values = {field: check_value(field, one) for field, one in given.items()}
        if any(word in text for text in values.values() for word in SENSITIVE):
            raise ApiError(45168, "hit sensitive content")
        return values


def _page(body: dict[str, Any]) -> str:
    page = body.get("page", "")
    if not (isinstance(page, str) and PAGE.fullmatch(page)) or page.startswith("/"):
        raise ApiError(41030, "invalid page")
    if body.get("miniprogram_state", "formal") not in STATES:
        raise ApiError(40097, "invalid args")
    if body.get("lang", "zh_CN") not in LANGUAGES:
        raise ApiError(40097, "invalid args")
    return page


def check_value(field: str, given: Any) -> str:
    """Return the text of a value; 47003 names the field that breaks its kind's limit."""
    text = given.get("value") if isinstance(given, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ApiError(47003, f"argument invalid! data.{field}.value is empty")
    match = FIELD.fullmatch(field)
    kind = match[1] if match else ""
    check = CHECKS.get(kind, _is_word if kind in LENGTHS else None)
    if check is None or not check(kind, text):
        raise ApiError(47003, f"argument invalid! data.{field}.value invalid")
    return text


def _is_word(kind: str, text: str) -> bool:
    pattern = WORDS.get(kind)
    if CONTROLS.search(text) or len(text) > LENGTHS[kind]:
        return False
    return pattern is None or bool(pattern.fullmatch(text))


def _is_amount(_kind: str, text: str) -> bool:
    match = WORDS["amount"].fullmatch(text)
    return match is not None and bool(WORDS["number"].fullmatch(match[1]))


def _is_name(_kind: str, text: str) -> bool:
    if CONTROLS.search(text) or any(one.isdigit() for one in text):
        return False
    return len(text) <= (20 if text.isascii() else 10)


def _is_time(_kind: str, text: str) -> bool:
    for shape in TIMES:
        try:
            datetime.strptime(text, shape)  # noqa: DTZ007  # only its shape is looked at
        except ValueError:
            continue
        return True
    return False


CHECKS: dict[str, Callable[[str, str], bool]] = {
    "amount": _is_amount,
    "name": _is_name,
    "time": _is_time,
    "date": _is_time,
}
