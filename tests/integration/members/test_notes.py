"""What staff write about customers, and what is still to be done about them."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.members import follow_ups, notes, tags
from app.members.errors import MemberNotFound
from app.members.file_errors import (
    FileTextInvalid,
    FollowUpAssigneeInvalid,
    FollowUpDayInvalid,
    FollowUpEnded,
    FollowUpNotFound,
    NoteNotFound,
    NoteNotYours,
    TagNameTaken,
    TagNotFound,
    TooManyTags,
)
from app.members.file_models import FollowUp, FollowUpState, MemberNote, MemberTag, Tag
from tests.factories.people import make_member, make_staff, make_store

TODAY = date(2026, 3, 1)


def staff_of(session: Session) -> Actor:
    return Actor("staff", make_staff(session).id)


def audited(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)))


def test_a_note_keeps_its_lines_and_its_author_and_the_trail_keeps_no_word_of_it(
    session: Session, now: datetime
) -> None:
    member, actor = make_member(session), staff_of(session)

    note = notes.write_note(
        session, member.id, text="  allergic to nuts\r\nlikes <b>quiet</b>  ", actor=actor, now=now
    )

    assert note.text == "allergic to nuts\nlikes <b>quiet</b>"
    assert (note.author_id, note.written_at, note.struck_at) == (actor.id, now, None)
    record = session.scalars(sa.select(AuditRecord)).one()
    assert (record.action, record.subject_id) == ("note_written", member.id)
    assert record.after == {"note_id": note.id}


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "a\x00b", "a\u202eb"])
def test_what_is_no_readable_text_is_refused(session: Session, now: datetime, text: str) -> None:
    member = make_member(session)

    with pytest.raises(FileTextInvalid):
        notes.write_note(session, member.id, text=text, actor=staff_of(session), now=now)

    assert notes.notes_of(session, member.id) == []


def test_only_its_author_strikes_a_note_out_and_it_stays_readable(
    session: Session, now: datetime
) -> None:
    member, author = make_member(session), staff_of(session)
    note = notes.write_note(session, member.id, text="wrong", actor=author, now=now)
    later = now + timedelta(hours=1)

    with pytest.raises(NoteNotYours):
        notes.strike_note(session, note.id, actor=staff_of(session), now=later)
    assert note.struck_at is None
    notes.strike_note(session, note.id, actor=author, now=later)
    notes.strike_note(session, note.id, actor=author, now=later + timedelta(hours=1))

    kept = session.execute(sa.select(MemberNote.text, MemberNote.struck_at)).one()
    assert tuple(kept) == ("wrong", later)
    assert audited(session) == ["note_written", "note_struck"]


@pytest.mark.parametrize(
    "change", ["text = 'other'", "author_id = author_id + 1", "written_at = now()"]
)
def test_the_database_lets_nobody_rewrite_a_note(
    session: Session, now: datetime, change: str
) -> None:
    notes.write_note(
        session, make_member(session).id, text="as it was", actor=staff_of(session), now=now
    )

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.text(f"UPDATE member_notes SET {change}"))  # noqa: S608 - of this test

    assert session.scalars(sa.select(MemberNote.text)).all() == ["as it was"]


def test_a_note_that_does_not_exist_cannot_be_struck(session: Session, now: datetime) -> None:
    with pytest.raises(NoteNotFound):
        notes.strike_note(session, 999_999, actor=staff_of(session), now=now)


def test_nobody_writes_about_a_customer_who_was_deleted(session: Session, now: datetime) -> None:
    member, actor = make_member(session), staff_of(session)
    tag = tags.create_tag(session, "VIP", actor=actor, now=now)
    member.deleted_at = now
    session.flush()

    with pytest.raises(MemberNotFound):
        notes.write_note(session, member.id, text="still here", actor=actor, now=now)
    with pytest.raises(MemberNotFound):
        tags.put_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)
    with pytest.raises(MemberNotFound):
        follow_ups.plan_follow_up(
            session, member.id, what="Call", due_on=TODAY, actor=actor, now=now
        )

    assert notes.notes_of(session, member.id) == []


def test_a_tag_is_put_once_and_taken_off_again(session: Session, now: datetime) -> None:
    member, actor = make_member(session), staff_of(session)
    tag = tags.create_tag(session, " VIP ", actor=actor, now=now)

    for _ in range(2):
        tags.put_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)
    assert [one.name for one in tags.tags_of(session, [member.id])[member.id]] == ["VIP"]
    for _ in range(2):
        tags.take_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)

    assert tags.tags_of(session, [member.id]) == {member.id: []}
    assert audited(session) == ["tag_created", "member_tagged", "member_untagged"]


def test_two_tags_never_have_one_name_whatever_the_case(session: Session, now: datetime) -> None:
    actor = staff_of(session)
    tags.create_tag(session, "Bridal", actor=actor, now=now)
    other = tags.create_tag(session, "Hair", actor=actor, now=now)

    with pytest.raises(TagNameTaken):
        tags.create_tag(session, "bridal", actor=actor, now=now)
    with pytest.raises(TagNameTaken):
        tags.rename_tag(session, other.id, "BRIDAL", actor=actor, now=now)
    tags.rename_tag(session, other.id, "HAIR", actor=actor, now=now)

    assert session.scalars(sa.select(Tag.name).order_by(Tag.id)).all() == ["Bridal", "HAIR"]


def test_a_customer_bears_twenty_tags_and_no_more(session: Session, now: datetime) -> None:
    member, actor = make_member(session), staff_of(session)
    made = [tags.create_tag(session, f"tag {one}", actor=actor, now=now) for one in range(21)]
    for tag in made[:20]:
        tags.put_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)

    with pytest.raises(TooManyTags):
        tags.put_tag(session, member.id, tag_id=made[20].id, actor=actor, now=now)
    tags.put_tag(session, member.id, tag_id=made[0].id, actor=actor, now=now)

    assert session.scalar(sa.select(sa.func.count()).select_from(MemberTag)) == 20


def test_a_retired_tag_is_put_on_nobody_and_stays_where_it_is(
    session: Session, now: datetime
) -> None:
    member, other, actor = make_member(session), make_member(session), staff_of(session)
    tag = tags.create_tag(session, "Opening", actor=actor, now=now)
    tags.put_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)

    tags.retire_tag(session, tag.id, actor=actor, now=now)

    with pytest.raises(TagNotFound):
        tags.put_tag(session, other.id, tag_id=tag.id, actor=actor, now=now)
    assert [one.name for one in tags.tags_of(session, [member.id])[member.id]] == ["Opening"]
    assert tags.tags_in_use(session) == []


def test_a_follow_up_without_a_name_is_its_authors(session: Session, now: datetime) -> None:
    member, actor = make_member(session), staff_of(session)

    task = follow_ups.plan_follow_up(
        session, member.id, what="Call about the card", due_on=TODAY, actor=actor, now=now
    )

    assert (task.assignee_id, task.store_id, task.state) == (actor.id, None, FollowUpState.OPEN)
    assert follow_ups.open_follow_ups(session, [member.id]) == [task]


@pytest.mark.parametrize("due_on", [date(2026, 2, 28), date(2028, 3, 2)])
def test_a_follow_up_is_due_from_today_on_within_two_years(
    session: Session, now: datetime, due_on: date
) -> None:
    with pytest.raises(FollowUpDayInvalid):
        follow_ups.plan_follow_up(
            session,
            make_member(session).id,
            what="Call",
            due_on=due_on,
            actor=staff_of(session),
            now=now,
        )

    assert session.scalars(sa.select(FollowUp)).all() == []


def test_today_is_the_day_of_the_shops(session: Session) -> None:
    after_midnight_in_shanghai = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)

    with pytest.raises(FollowUpDayInvalid):
        follow_ups.plan_follow_up(
            session,
            make_member(session).id,
            what="Call",
            due_on=TODAY,
            actor=staff_of(session),
            now=after_midnight_in_shanghai,
        )


@pytest.mark.parametrize("facts", [{"assignee_id": 999_999}, {"store_id": 999_999}])
def test_a_follow_up_is_for_somebody_who_works_here(
    session: Session, now: datetime, facts: dict[str, int]
) -> None:
    with pytest.raises(FollowUpAssigneeInvalid):
        follow_ups.plan_follow_up(
            session,
            make_member(session).id,
            what="Call",
            due_on=TODAY,
            actor=staff_of(session),
            now=now,
            **facts,
        )


def test_a_follow_up_ends_once(session: Session, now: datetime) -> None:
    member, actor = make_member(session), staff_of(session)
    store = make_store(session)
    task = follow_ups.plan_follow_up(
        session, member.id, what="Call", due_on=TODAY, store_id=store.id, actor=actor, now=now
    )

    follow_ups.finish_follow_up(session, task.id, note="Comes on Friday", actor=actor, now=now)
    with pytest.raises(FollowUpEnded):
        follow_ups.call_off_follow_up(session, task.id, note="no", actor=actor, now=now)
    with pytest.raises(FollowUpNotFound):
        follow_ups.finish_follow_up(session, 999_999, actor=actor, now=now)

    assert (task.state, task.note, task.ended_by_id) == (
        FollowUpState.DONE,
        "Comes on Friday",
        actor.id,
    )
    assert audited(session) == ["follow_up_planned", "follow_up_ended"]


def test_erasing_a_file_leaves_nothing_of_it_and_nothing_of_others(
    session: Session, now: datetime
) -> None:
    gone, stays, actor = make_member(session), make_member(session), staff_of(session)
    tag = tags.create_tag(session, "VIP", actor=actor, now=now)
    for member in (gone, stays):
        notes.write_note(session, member.id, text="note", actor=actor, now=now)
        tags.put_tag(session, member.id, tag_id=tag.id, actor=actor, now=now)
        follow_ups.plan_follow_up(
            session, member.id, what="Call", due_on=TODAY, actor=actor, now=now
        )

    notes.erase_file(session, gone.id)

    for kind in (MemberNote, MemberTag, FollowUp):
        assert session.scalars(sa.select(kind.member_id)).all() == [stays.id]
