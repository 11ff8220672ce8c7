"""Which language and time zone a page of the back office speaks.

A member of staff keeps their choice with their account; the cookie remembers it for the sign-in
page. Without either the browser decides, and Chinese is the answer to anything unknown.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import flask_babel
from babel import Locale
from flask import Flask, has_request_context, request
from flask_babel import Babel, get_locale
from flask_login import current_user

from app.kernel.clock import SHANGHAI
from app.kernel.errors import DomainError
from app.kernel.i18n import CHINESE, ENGLISH, LOCALES, TRANSLATIONS, Message, translate

COOKIE: Final = "tuoke_locale"
COOKIE_SECONDS: Final = 365 * 24 * 3600
NAMES: Final = {CHINESE: "中文", ENGLISH: "English"}
"""Each language in its own words, for the switch; never translated."""


def gettext(text: str, **facts: Any) -> str:
    """Translate a text into the language of this page."""
    return str(flask_babel.gettext(text, **facts))


def pgettext(context: str, text: str, **facts: Any) -> str:
    """Translate a text that means something else elsewhere; the context tells them apart."""
    return str(flask_babel.pgettext(context, text, **facts))


def ngettext(one: str, many: str, num: int, **facts: Any) -> str:
    """Translate a text that counts into the language of this page; `%(num)s` is the number."""
    return str(flask_babel.ngettext(one, many, num, **facts))


def listed(texts: Iterable[str]) -> str:
    """Return texts side by side, with the comma of this page's language between them."""
    return gettext(", ").join(texts)


def init_app(app: Flask) -> None:
    """Give templates and views their language and the time of the shops."""
    Babel(
        app,
        default_locale=CHINESE,
        default_timezone=SHANGHAI.key,
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=select_locale,
        timezone_selector=lambda: SHANGHAI.key,
    )


def select_locale() -> str:
    """Return one of `LOCALES`: the account's, the cookie's, the browser's, or Chinese."""
    if not has_request_context():
        return CHINESE
    for wish in (getattr(current_user, "locale", None), request.cookies.get(COOKIE)):
        if wish in LOCALES:
            return str(wish)
    best = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "zh-TW", "en"])
    return ENGLISH if best == "en" else CHINESE


def locale() -> str:
    """Return the language of this page as one of `LOCALES`."""
    found: Locale | None = get_locale()
    return ENGLISH if found is not None and found.language == "en" else CHINESE


def say(message: Message | str) -> str:
    """Render a sentence of the core in the language of this page."""
    return translate(message, locale())


def say_error(error: DomainError) -> str:
    """Render what the core refused in the language of this page."""
    return say(error.message())


def moment(instant: datetime, *, seconds: bool = False) -> str:
    """Write an instant as the shops' clocks show it: `2026-11-22 14:05`, the same in any language.

    ISO order sorts, fits a column and cannot be misread, unlike a month before or after a day.
    """
    return instant.astimezone(SHANGHAI).strftime(
        "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    )
