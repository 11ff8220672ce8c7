"""What a member tells about themselves, and what they agree to.

Each purpose is agreed to by itself, in a version, and withdrawn as easily; withdrawing acts at
once. Phone numbers are sealed and found by a keyed hash.
"""

import re
import unicodedata
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.clock import business_day
from app.kernel.db import atomic, retrying
from app.kernel.outbox import emit
from app.kernel.secrecy import vault
from app.members import expected, former
from app.members.errors import (
    ConsentRequired,
    MemberNotFound,
    PhoneUnusable,
    ProfileInvalid,
    TooYoung,
)
from app.members.models import Consent, ConsentPurpose, Member, MemberSession
from app.wechat.access import mini_program

PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
"""E.164: a plus sign, the country's code and at most fifteen digits in all."""
NICKNAME_LENGTH_MAX: Final = 40
REAL_NAME_LENGTH_MAX: Final = 40
BORN_MIN: Final = date(1900, 1, 1)
AGE_MIN: Final = 14
"""Below, the law asks for a guardian's consent (Personal Information Protection Law, art. 31)."""
BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the text around them, so that a name could show as another."""


def lock_member(session: Session, member_id: int) -> Member:
    """Lock a member's row against every other change of what hangs on it. Raises MemberNotFound.

    Rows that only refer to the member are not held up.
    """
    member = session.scalar(
        sa.select(Member)
        .where(Member.id == member_id, Member.deleted_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if member is None:
        raise MemberNotFound
    return member


def set_phone(member_id: int, *, code: str, consent_version: str | None, now: datetime) -> None:
    """Keep the number behind the phone button's code, once the member has agreed to that.

    Several members may have one number; they count as one household. What the brand expected of
    an earlier customer under that number becomes the member's. Raises `ConsentRequired`
    before WeChat is asked, `PhoneUnusable`, `MemberNotFound` and what `phone_number` raises.
    """
    if not consent_version:
        raise ConsentRequired(ConsentPurpose.PHONE)
    phone = mini_program().phone_number(code)
    if not PHONE.fullmatch(phone):
        raise PhoneUnusable

    def keep() -> None:
        with atomic() as session:
            member = lock_member(session, member_id)
            put_consent(session, member_id, ConsentPurpose.PHONE, consent_version, now=now)
            member.phone_sealed = vault().seal(phone)
            member.phone_hash = vault().look_up("phone", phone)
            expected.claim(session, member, now=now)
            former.recognise(session, member, now=now)
            emit(session, "phone_bound", member.id, now=now)

    retrying(keep)


def update_profile(
    session: Session,
    member_id: int,
    *,
    nickname: str | None = None,
    birthday_on: date | None = None,
    now: datetime,
) -> Member:
    """Change what is given and leave the rest. Raises `ProfileInvalid`, `TooYoung`."""
    member = lock_member(session, member_id)
    if nickname is not None:
        member.nickname = clean_name("nickname", nickname, length_max=NICKNAME_LENGTH_MAX)
    if birthday_on is not None:
        member.birthday_on = _checked_birthday(birthday_on, today=business_day(now))
    emit(session, "profile_changed", member.id, now=now)
    session.flush()
    return member


def clean_name(field: str, text: str, *, length_max: int) -> str:
    """Return a name without space around it. Raises `ProfileInvalid` for what is not a name."""
    name = text.strip()
    if has_controls(name) or not 1 <= len(name) <= length_max:
        raise ProfileInvalid(field)
    return name


def has_controls(text: str) -> bool:
    r"""Tell whether a text holds characters that only change how it shows, such as line ends.

    >>> has_controls("Li\u202eaM"), has_controls("小美 👩‍👧")
    (True, False)
    """
    return any(unicodedata.category(one) == "Cc" or one in BIDI_CONTROLS for one in text)


def _checked_birthday(birthday_on: date, *, today: date) -> date:
    if not BORN_MIN <= birthday_on <= today:
        raise ProfileInvalid("birthday_on")
    has_had_birthday = (today.month, today.day) >= (birthday_on.month, birthday_on.day)
    if today.year - birthday_on.year - (not has_had_birthday) < AGE_MIN:
        raise TooYoung
    return birthday_on


def grant_consent(
    session: Session, member_id: int, *, purpose: ConsentPurpose, version: str, now: datetime
) -> Consent:
    """Record that a member agrees to a version of a purpose; the same again changes nothing."""
    lock_member(session, member_id)
    return put_consent(session, member_id, purpose, version, now=now)


def withdraw_consent(
    session: Session, member_id: int, *, purpose: ConsentPurpose, now: datetime
) -> None:
    """End a consent, and at once what rests on it.

    Without PHONE the number is erased; without SERVICE every device is signed out, and signing in
    asks for consent again. Withdrawing what is not in force changes nothing.
    """
    member = lock_member(session, member_id)
    in_force = consent_in_force(session, member_id, purpose)
    if in_force is None:
        return
    in_force.withdrawn_at = now
    if purpose is ConsentPurpose.PHONE:
        member.phone_sealed = member.phone_hash = None
    if purpose is ConsentPurpose.SERVICE:
        _sign_out(session, member_id, now=now)
    session.flush()


def _sign_out(session: Session, member_id: int, *, now: datetime) -> None:
    session.execute(
        sa.update(MemberSession)
        .where(MemberSession.member_id == member_id, MemberSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def consent_in_force(session: Session, member_id: int, purpose: ConsentPurpose) -> Consent | None:
    """Return what a member agrees to at present for a purpose."""
    return session.scalar(
        sa.select(Consent).where(
            Consent.member_id == member_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
    )


def put_consent(
    session: Session, member_id: int, purpose: ConsentPurpose, version: str, *, now: datetime
) -> Consent:
    """Record an agreement of a member who is locked; one to another version ends first."""
    in_force = consent_in_force(session, member_id, purpose)
    if in_force is not None and in_force.version == version:
        return in_force
    if in_force is not None:
        in_force.withdrawn_at = now
        session.flush()
    consent = Consent(member_id=member_id, purpose=purpose, version=version, granted_at=now)
    session.add(consent)
    session.flush()
    return consent
