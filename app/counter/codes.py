"""One-time codes that a customer's phone shows at the counter, as a QR.

A code is a signed sentence: what it is for, until when, and a number that is never used twice. It
is bound to one customer, lasts a minute at most, and is spent by the act that it allows, in the
act's own transaction; a photo of it is worth nothing soon after, a second use nothing at all.
Making one stores nothing.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.counter.errors import PickupCodeExpired, PickupCodeInvalid, PickupCodeSpent
from app.counter.models import SpentPickupCode
from app.kernel.audit import Actor
from app.kernel.ids import random_text
from app.kernel.secrecy import vault

LASTS: Final = timedelta(seconds=60)
PREFIX: Final = "TK1"
NONCE_LENGTH: Final = 16
MAC_LENGTH: Final = 32
"""Hex digits: 128 bits."""
PATTERN: Final = r"^TK1\.[a-z]{1,12}:[0-9A-Za-z]{1,40}\.[0-9]{10}\.[0-9A-Za-z]{16}\.[0-9a-f]{32}$"
_FORM = re.compile(PATTERN.strip("^$"), re.ASCII)


@dataclass(frozen=True, slots=True)
class PickupCode:
    """What a code says; only `verify` tells whether it is ours."""

    subject: str
    """Kind and number of what it is for, such as `order:T20260301K3J9X0QW7RT2MN5B`."""
    expires: int
    """Seconds since 1970, UTC."""
    nonce: str
    mac: str

    @property
    def expires_at(self) -> datetime:
        """Return until when it is good."""
        return datetime.fromtimestamp(self.expires, UTC)

    def __str__(self) -> str:
        return f"{PREFIX}.{self.subject}.{self.expires}.{self.nonce}.{self.mac}"


def show(subject: str, *, member_id: int, now: datetime) -> PickupCode:
    """Make a code for a customer to show."""
    expires, nonce = int((now + LASTS).timestamp()), random_text(NONCE_LENGTH)
    return PickupCode(subject, expires, nonce, _mac(subject, expires, nonce, member_id))


def read(text: str) -> PickupCode:
    """Take a code apart, or raise `PickupCodeInvalid`. What it says is not proven yet."""
    if not _FORM.fullmatch(text):
        raise PickupCodeInvalid
    _, subject, expires, nonce, mac = text.split(".")
    return PickupCode(subject, int(expires), nonce, mac)


def verify(code: PickupCode, *, member_id: int, now: datetime) -> None:
    """Check that we made a code for this customer, and that it is still good.

    Raises `PickupCodeInvalid`, `PickupCodeExpired`.
    """
    if not hmac.compare_digest(code.mac, _mac(code.subject, code.expires, code.nonce, member_id)):
        raise PickupCodeInvalid
    if code.expires_at <= now:
        raise PickupCodeExpired


def spend(
    session: Session, code: PickupCode, *, member_id: int, actor: Actor, now: datetime
) -> None:
    """Use a code up, for good, together with what it allows.

    Raises what `verify` raises, and `PickupCodeSpent`.
    """
    verify(code, member_id=member_id, now=now)
    spent = session.scalar(
        insert(SpentPickupCode)
        .values(
            nonce=code.nonce,
            member_id=member_id,
            subject=code.subject,
            spent_at=now,
            spent_by=str(actor),
        )
        .on_conflict_do_nothing()
        .returning(SpentPickupCode.nonce)
    )
    if spent is None:
        raise PickupCodeSpent


def _mac(subject: str, expires: int, nonce: str, member_id: int) -> str:
    plain = f"{PREFIX}|{subject}|{expires}|{nonce}|{member_id}"
    return vault().look_up("pickup_code", plain)[:MAC_LENGTH]
