"""What the sandbox thinks of texts: a list of words decides, so that a test steers by its text.

Shapes, codes and labels: the documents of msgSecCheck, version 2.
"""

import secrets
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.phones import Phones
from scripts.sandbox.rows import User
from scripts.sandbox.wording import ApiError

NORMAL = 100
LENGTH_MAX = 2500
VERSION = 2
SCENES = {1, 2, 3, 4}
RISKY = {
    "赌博": 20006,
    "gambling": 20006,
    "诈骗": 20008,
    "fraud": 20008,
    "色情": 20002,
    "辱骂": 20003,
}
REVIEW = {"加微信": 10001, "advert": 10001, "疑似": 21000, "doubtful": 21000}


class Texts:
    """WeChat's reader of what people write."""

    def __init__(self, books: Books, phones: Phones) -> None:
        self._books = books
        self._phones = phones

    def check(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what is thought of a text, of its title and of the writer's nickname."""
        content, openid = body.get("content"), body.get("openid")
        if not isinstance(content, str) or not content:
            raise ApiError(44002, "empty post data")
        if body.get("version") != VERSION or body.get("scene") not in SCENES:
            raise ApiError(40097, "invalid args")
        if len(content) > LENGTH_MAX:
            raise ApiError(45002, "content size out of limit")
        if not isinstance(openid, str) or self._books.get(User, openid) is None:
            raise ApiError(40003, "invalid openid")
        if not self._phones.is_active(openid):
            raise ApiError(61010, "code is expired or openid is not active in 2 hours")
        parts = [content, *(str(body.get(name, "")) for name in ("nickname", "title"))]
        suggest, label, word = _judge(" ".join(parts).lower())
        found = {"strategy": "keyword", "errcode": 0, "suggest": suggest, "label": label}
        detail = [found | {"level": 90, "prob": 90, "keyword": word}] if word else []
        return {
            "errcode": 0,
            "errmsg": "ok",
            "result": {"suggest": suggest, "label": label},
            "detail": detail,
            "trace_id": secrets.token_hex(8),
        }


def _judge(text: str) -> tuple[str, int, str]:
    for suggest, words in (("risky", RISKY), ("review", REVIEW)):
        for word, label in words.items():
            if word in text:
                return suggest, label, word
    return "pass", NORMAL, ""
