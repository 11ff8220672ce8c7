"""Numbers and secrets that we give out."""

import hashlib
import secrets
import string
from datetime import datetime
from typing import Final

from app.kernel.clock import business_day

BASE62: Final = string.ascii_letters + string.digits
DIGITS_AND_CAPITALS: Final = string.digits + string.ascii_uppercase


def random_text(length: int, alphabet: str = BASE62) -> str:
    """Return text that nobody can guess: about 5.95 bits for each base62 character.

    One draw of a number with that many digits; a draw for each character takes ten times as long,
    and every request is given such a text.
    """
    number = secrets.randbelow(len(alphabet) ** length)
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return "".join(characters)


def business_number(prefix: str, now: datetime) -> str:
    """Return a number for WeChat: capital letters and digits only, 6 to 32 characters.

    The day comes first so that people can sort and read it aloud; 16 random characters (82 bits)
    keep it unique without asking anyone.
    """
    return f"{prefix}{business_day(now):%Y%m%d}{random_text(16, DIGITS_AND_CAPITALS)}"


def digest(secret: str) -> str:
    """Return what we store of a token that only its owner keeps."""
    return hashlib.sha256(secret.encode()).hexdigest()
