"""What is known of a member of staff as a person: name, number, job, days of employment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.clock import business_day
from app.kernel.secrecy import mask_phone, vault
from app.stores.errors import StaffInvalid
from app.stores.granting import (
    Deciders,
    held_by,
    keep_an_owner,
    lock_appointers,
    require_agreement,
)
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.staff_errors import StaffPhoneTaken

NAME_LENGTH_MAX: Final = 60
JOB_TITLE_LENGTH_MAX: Final = 60
NOTES_LENGTH_MAX: Final = 1_000
PHONE: Final = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
CHINA: Final = "+86"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works for the brand.

    `phone` is a mainland mobile number in full; None leaves it as it is, nothing removes it. Days
    of employment count in the shops' time zone, both included.
    """

    name: str
    phone: str | None = field(default=None, repr=False)
    job_title: str = ""
    employed_from_on: date | None = None
    employed_until_on: date | None = None
    notes: str = ""


def edit_person(  # noqa: PLR0913 - who, what is known, who decides, why and when
    session: Session,
    staff_id: int,
    person: Person,
    *,
    actor: Actor,
    second_actor: Actor | None = None,
    reason: str = "",
    now: datetime,
) -> Staff:
    """Say anew who somebody is. An owner gets a last day only where another owner stays.

    Whoever has left comes back as one of two decides: it gives all they had. Raises
    `StaffNotFound`, `StaffInvalid`, `StaffPhoneTaken`, `LastOwner`, and for somebody who comes back
    what `granting.require_agreement` raises.
    """
    staff = lock_appointers(session, staff_id)[staff_id]
    before = facts_of(staff)
    agreed: Mapping[str, Any] = {}
    if has_left(staff, now=now) and not _ends_before(person.employed_until_on, now):
        by = Deciders(actor=actor, second_actor=second_actor, now=now)
        agreed = require_agreement(
            session, by, Permission.STAFF_EDIT, held_by(staff), subject_id=staff_id
        )
    if person.employed_until_on is not None or _begins_later(person, now):
        keep_an_owner(session, staff)
    put_person(session, staff, person)
    session.flush()
    change = Change(before, {**facts_of(staff), **agreed}, reason)
    audit.record(session, actor, "staff_person_set", Subject("staff", staff_id), change, now=now)
    return staff


def has_left(staff: Staff, *, now: datetime) -> bool:
    """Tell whether somebody's last day is over."""
    return _ends_before(staff.employed_until_on, now)


def _ends_before(day: date | None, now: datetime) -> bool:
    return day is not None and day < business_day(now)


def put_person(session: Session, staff: Staff, person: Person) -> None:
    """Write what is known of somebody onto their row. Raises `StaffInvalid`, `StaffPhoneTaken`."""
    _require_lengths(person)
    begins, ends = person.employed_from_on, person.employed_until_on
    if begins is not None and ends is not None and ends < begins:
        raise StaffInvalid("employed_until_on")
    staff.name = person.name.strip()
    staff.job_title, staff.notes = person.job_title.strip(), person.notes.strip()
    staff.employed_from_on, staff.employed_until_on = begins, ends
    if person.phone is not None:
        _put_phone(session, staff, person.phone)


def facts_of(staff: Staff) -> Mapping[str, Any]:
    """Return what the trail keeps of a person; a phone number only as everybody may see it."""
    phone = vault().open(staff.phone_sealed).removeprefix(CHINA) if staff.phone_sealed else None
    return {
        "name": staff.name,
        "phone": mask_phone(phone) if phone else None,
        "job_title": staff.job_title,
        "employed_from_on": _said(staff.employed_from_on),
        "employed_until_on": _said(staff.employed_until_on),
        "notes": staff.notes,
    }


def _said(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _begins_later(person: Person, now: datetime) -> bool:
    return person.employed_from_on is not None and person.employed_from_on > business_day(now)


def _require_lengths(person: Person) -> None:
    if not 1 <= len(person.name.strip()) <= NAME_LENGTH_MAX:
        raise StaffInvalid("name")
    for name, text, most in (
        ("job_title", person.job_title, JOB_TITLE_LENGTH_MAX),
        ("notes", person.notes, NOTES_LENGTH_MAX),
    ):
        if len(text.strip()) > most:
            raise StaffInvalid(name)


def _put_phone(session: Session, staff: Staff, text: str) -> None:
    digits = re.sub(r"[\s-]", "", text).removeprefix(CHINA)
    if not digits:
        staff.phone_sealed = staff.phone_hash = None
        return
    if not PHONE.fullmatch(digits):
        raise StaffInvalid("phone")
    number = f"{CHINA}{digits}"
    found = vault().look_up("phone", number)
    holder = session.scalar(sa.select(Staff.id).where(Staff.phone_hash == found))
    if holder not in (None, staff.id):
        raise StaffPhoneTaken
    if staff.phone_hash != found:
        staff.phone_sealed, staff.phone_hash = vault().seal(number), found
