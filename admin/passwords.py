"""Which passwords will do: long, not guessable, not about the person, not one they had lately.

How guessable a password is, zxcvbn estimates: it knows thirty thousand common passwords, names,
keyboard runs and dates, and how people vary them. Rules about kinds of characters are not asked
for; they make passwords worse (NIST SP 800-63B-4, 3.1.1.2).
"""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from flask_security.utils import verify_password
from wtforms import Field
from wtforms.validators import ValidationError

from admin.accounts import former_passwords
from admin.demo_sign_ins import is_published
from admin.i18n import say_error
from app.kernel.db import db
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.stores.models import Staff

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 200
LOOKED_AT: Final = 72
"""The estimate of a very long password takes long; if its beginning is good, all of it is."""
SCORE_MIN: Final = 3
"""Of four: safe against guessing offline at the speed that a slow hash allows."""
BRAND: Final = ("tuoke", "拓客")
OF_ONES_OWN_MIN: Final = 8
"""How much has to be left of a password without the words that everybody knows of the person."""
WORD_MIN: Final = 3


@dataclass(eq=False)
class PasswordTooEasy(DomainError):
    """Somebody who guesses systematically finds it soon."""

    code: ClassVar[str] = "password_too_easy"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "This password is easy to guess. Several words that do not belong together are better."
    )


@dataclass(eq=False)
class PasswordPersonal(DomainError):
    """It is little more than the name, the e-mail address or the brand."""

    code: ClassVar[str] = "password_personal"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "This password is made of a name, an e-mail address or the brand. Please choose another."
    )


@dataclass(eq=False)
class PasswordUsedBefore(DomainError):
    """It is one of the last five."""

    code: ClassVar[str] = "password_used_before"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is one of the last five passwords. Please choose a new one.")


def require_good(password: str, *about: str) -> None:
    """Raise unless a password is hard to guess, also for those who know what it is `about`.

    Raises `PasswordTooEasy`, `PasswordPersonal`.
    """
    words = _words_of(about)
    if _left_of(password, words) < OF_ONES_OWN_MIN:
        raise PasswordPersonal
    if is_published(password) or _is_guessed(password, words):
        raise PasswordTooEasy


def _is_guessed(password: str, words: set[str]) -> bool:
    """Tell whether somebody who knows the words, and how people choose, would soon try it.

    zxcvbn comes with the first password: its lists are twelve megabytes, which no other page needs.
    """
    lists = importlib.import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    estimate = importlib.import_module("zxcvbn").zxcvbn
    if password.casefold() in lists["passwords"]:
        return True
    return bool(estimate(password[:LOOKED_AT], user_inputs=sorted(words))["score"] < SCORE_MIN)


def require_new(password: str, staff: Staff) -> None:
    """Raise `PasswordUsedBefore` if a password is one of somebody's last five."""
    hashes = former_passwords(db.session(), staff)
    if any(verify_password(password, one) for one in hashes):
        raise PasswordUsedBefore


def hard_to_guess(form: Any, field: Field) -> None:
    """Validate the password of a form, by what the form or its `about` says of the person."""
    about = [form[name].data or "" for name in ("name", "email") if name in form]
    try:
        require_good(field.data or "", *about, *getattr(form, "about", ()))
    except DomainError as error:
        raise ValidationError(say_error(error)) from None


def _words_of(about: Iterable[str]) -> set[str]:
    """Return what a person is known by: whole texts, and their parts."""
    texts = [*BRAND, *(one.casefold().strip() for one in about)]
    parts = [part for text in texts for part in text.replace("@", " ").replace(".", " ").split()]
    short = [one for one in (*texts, *parts) if len(one) >= WORD_MIN or not one.isascii()]
    return {one for one in short if one}


def _left_of(password: str, words: set[str]) -> int:
    left = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return len(left)
