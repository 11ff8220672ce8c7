"""Notes of staff about customers: written once, struck out by their author, never edited."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.members.file_errors import FileTextInvalid, NoteNotFound, NoteNotYours
from app.members.file_models import NOTE_LENGTH_MAX, FollowUp, MemberNote, MemberTag
from app.members.profiles import BIDI_CONTROLS, lock_member


def write_note(
    session: Session, member_id: int, *, text: str, actor: Actor, now: datetime
) -> MemberNote:
    """Write a note into a customer's file. The trail says that, not what was written.

    Raises `MemberNotFound`, `FileTextInvalid`.
    """
    assert actor.kind == "staff", "notes are written by staff"
    assert actor.id is not None, "staff have an id"
    member = lock_member(session, member_id)
    note = MemberNote(
        member_id=member.id,
        text=clean_text(text, length_max=NOTE_LENGTH_MAX),
        author_id=actor.id,
        written_at=now,
    )
    session.add(note)
    session.flush()
    subject = Subject("member", member.id, member.origin_store_id)
    audit.record(session, actor, "note_written", subject, Change({}, {"note_id": note.id}), now=now)
    return note


def strike_note(session: Session, note_id: int, *, actor: Actor, now: datetime) -> MemberNote:
    """Strike a note out; it stays readable as struck. The same again changes nothing.

    Raises `NoteNotFound`, `NoteNotYours`.
    """
    note = session.get(MemberNote, note_id, with_for_update=True, populate_existing=True)
    if note is None:
        raise NoteNotFound
    if actor.kind != "staff" or note.author_id != actor.id:
        raise NoteNotYours
    if note.struck_at is not None:
        return note
    note.struck_at = now
    session.flush()
    change = Change({}, {"note_id": note.id})
    audit.record(session, actor, "note_struck", Subject("member", note.member_id), change, now=now)
    return note


def clean_text(text: str, *, length_max: int) -> str:
    r"""Return a text of several lines without space around it. Raises `FileTextInvalid`.

    >>> clean_text(" likes\r\nquiet rooms ", length_max=40)
    'likes\nquiet rooms'
    """
    cleaned = text.replace("\r\n", "\n").strip()
    strange = any(
        (unicodedata.category(one) == "Cc" and one not in "\n\t") or one in BIDI_CONTROLS
        for one in cleaned
    )
    if strange or not 1 <= len(cleaned) <= length_max:
        raise FileTextInvalid(length_max)
    return cleaned


def notes_of(session: Session, member_id: int) -> Sequence[MemberNote]:
    """Return every note about a customer, struck ones too, the newest first."""
    return session.scalars(
        sa.select(MemberNote)
        .where(MemberNote.member_id == member_id)
        .order_by(MemberNote.id.desc())
    ).all()


def erase_file(session: Session, member_id: int) -> None:
    """Remove all that staff wrote about a customer, as the law asks where they are deleted."""
    for kind in (MemberNote, MemberTag, FollowUp):
        session.execute(
            sa.delete(kind)
            .where(kind.member_id == member_id)
            .execution_options(synchronize_session=False)
        )
