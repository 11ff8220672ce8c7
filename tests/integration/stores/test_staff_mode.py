"""Codes, ties and duty: who works in the mini-program, and since when no more."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attribution.guessing import STAFF_CODES, counting_misses
from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.kernel.clock import business_day
from app.kernel.db import atomic
from app.settings import Settings
from app.stores import staff as staff_services
from app.stores import staff_mode
from app.stores.errors import StaffNotFound, StoreNotFound
from app.stores.models import Role, Staff
from app.stores.permissions import Permission
from app.stores.staff_mode import CODE_ALPHABET, CODE_LASTS
from app.stores.staff_mode_errors import (
    MemberBoundAlready,
    StaffBoundAlready,
    StaffCodesLocked,
    StaffCodeUnknown,
    StaffMayNot,
    StaffModeClosed,
    StaffNotBound,
)
from app.stores.staff_mode_models import StaffBinding, StaffBindingCode
from tests.factories.people import make_member, make_staff, make_store

OWNER = Actor("staff", 1)


def code_of(session: Session, staff: Staff, now: datetime) -> str:
    return staff_mode.make_code(session, staff.id, actor=Actor("staff", staff.id), now=now).text


def bound(session: Session, staff: Staff, now: datetime) -> int:
    """Bind a new member; returns their id."""
    member = make_member(session)
    staff_mode.bind(session, code=code_of(session, staff, now), member_id=member.id, now=now)
    return member.id


def actions(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(
        sa.select(AuditRecord.action, AuditRecord.actor_kind).order_by(AuditRecord.id)
    )
    return [(row[0], row[1]) for row in rows]


def test_a_code_is_short_plain_and_kept_only_as_a_hash(session: Session, now: datetime) -> None:
    li = make_staff(session, "front_desk")

    made = staff_mode.make_code(session, li.id, actor=Actor("staff", li.id), now=now)

    assert len(made.text) == 8
    assert set(made.text) <= set(CODE_ALPHABET)
    assert set("01ILO").isdisjoint(CODE_ALPHABET)
    assert made.expires_at == now + timedelta(minutes=10)
    kept = session.scalars(sa.select(StaffBindingCode)).one()
    assert made.text not in kept.code_hash
    assert len(kept.code_hash) == 64
    assert actions(session) == [("staff_code_made", "staff")]
    trail = session.scalars(sa.select(AuditRecord)).one()
    assert made.text not in str((trail.before, trail.after, trail.reason))


@pytest.mark.parametrize("write", [str.lower, lambda text: f" {text[:4]}-{text[4:]} "])
def test_a_code_is_read_however_people_write_it(
    session: Session, now: datetime, write: object
) -> None:
    li, member = make_staff(session, "front_desk"), make_member(session)
    assert callable(write)

    binding = staff_mode.bind(
        session, code=write(code_of(session, li, now)), member_id=member.id, now=now
    )

    assert (binding.staff_id, binding.member_id, binding.ended_at) == (li.id, member.id, None)
    assert staff_mode.on_duty(session, member.id, now=now).staff.id == li.id
    assert actions(session)[-1] == ("staff_bound", "staff")


def test_a_code_is_good_until_its_end_and_not_at_it(session: Session, now: datetime) -> None:
    li, member = make_staff(session, "front_desk"), make_member(session)
    code = code_of(session, li, now)

    with pytest.raises(StaffCodeUnknown):
        staff_mode.bind(session, code=code, member_id=member.id, now=now + CODE_LASTS)
    just_in_time = now + CODE_LASTS - timedelta(microseconds=1)
    binding = staff_mode.bind(session, code=code, member_id=member.id, now=just_in_time)

    assert binding.bound_at == just_in_time


def test_a_code_that_was_used_is_worth_nothing_to_others(session: Session, now: datetime) -> None:
    li, member, thief = (
        make_staff(session, "front_desk"),
        make_member(session),
        make_member(session),
    )
    code = code_of(session, li, now)
    first = staff_mode.bind(session, code=code, member_id=member.id, now=now)

    with pytest.raises(StaffCodeUnknown):
        staff_mode.bind(session, code=code, member_id=thief.id, now=now)
    again = staff_mode.bind(session, code=code, member_id=member.id, now=now + timedelta(hours=1))

    assert again.id == first.id
    assert session.scalars(sa.select(StaffBinding.member_id)).all() == [member.id]


def test_a_used_code_does_not_open_again_what_was_ended(session: Session, now: datetime) -> None:
    li, member = make_staff(session, "front_desk"), make_member(session)
    code = code_of(session, li, now)
    staff_mode.bind(session, code=code, member_id=member.id, now=now)
    staff_mode.unbind(session, li.id, actor=OWNER, now=now)

    with pytest.raises(StaffCodeUnknown):
        staff_mode.bind(session, code=code, member_id=member.id, now=now)


def test_a_new_code_takes_the_place_of_the_old_one(session: Session, now: datetime) -> None:
    li, member = make_staff(session, "front_desk"), make_member(session)
    old, new = code_of(session, li, now), code_of(session, li, now)

    with pytest.raises(StaffCodeUnknown):
        staff_mode.bind(session, code=old, member_id=member.id, now=now)

    assert staff_mode.bind(session, code=new, member_id=member.id, now=now).staff_id == li.id


def test_one_phone_for_each_member_of_staff_and_one_of_them_for_each_phone(
    session: Session, now: datetime
) -> None:
    li, wang = make_staff(session, "front_desk"), make_staff(session, "front_desk")
    code_of_wang = code_of(session, wang, now)
    member_id = bound(session, li, now)

    with pytest.raises(StaffBoundAlready):
        code_of(session, li, now)
    with pytest.raises(MemberBoundAlready):
        staff_mode.bind(session, code=code_of_wang, member_id=member_id, now=now)

    assert staff_mode.binding_of(session, wang.id) is None


def test_the_database_allows_one_tie_at_a_time(session: Session, now: datetime) -> None:
    li = make_staff(session, "front_desk")
    bound(session, li, now)
    session.add(StaffBinding(staff_id=li.id, member_id=make_member(session).id, bound_at=now))

    with pytest.raises(IntegrityError):
        session.flush()


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_who_may_not_work_by_phone_gets_no_code(session: Session, now: datetime, role: str) -> None:
    person = make_staff(session, role)

    with pytest.raises(StaffMayNot):
        code_of(session, person, now)
    with pytest.raises(StaffNotFound):
        staff_mode.make_code(session, 999_999, actor=OWNER, now=now)

    assert session.scalars(sa.select(StaffBindingCode)).all() == []


def test_a_code_of_somebody_who_left_meanwhile_opens_nothing(
    session: Session, now: datetime
) -> None:
    make_staff(session, "owner")
    li, member = make_staff(session, "front_desk"), make_member(session)
    code = code_of(session, li, now)
    staff_services.disable_staff(session, li.id, actor=OWNER, reason="left", now=now)

    with pytest.raises(StaffCodeUnknown):
        staff_mode.bind(session, code=code, member_id=member.id, now=now)


def test_whoever_is_disabled_is_off_duty_and_stays_so_when_they_come_back(
    session: Session, now: datetime
) -> None:
    make_staff(session, "owner")
    li = make_staff(session, "front_desk")
    member_id = bound(session, li, now)

    staff_services.disable_staff(session, li.id, actor=OWNER, reason="left", now=now)
    with pytest.raises(StaffModeClosed):
        staff_mode.on_duty(session, member_id, now=now)
    staff_services.enable_staff(session, li.id, actor=SYSTEM, reason="came back", now=now)
    with pytest.raises(StaffModeClosed):
        staff_mode.on_duty(session, member_id, now=now)

    ended = session.scalars(sa.select(StaffBinding)).one()
    assert (ended.ended_at, ended.ended_by) == (now, "staff:1")


def test_a_flag_in_the_database_is_enough_to_end_duty(session: Session, now: datetime) -> None:
    li = make_staff(session, "front_desk")
    member_id = bound(session, li, now)

    session.execute(sa.update(Staff).where(Staff.id == li.id).values(active=False))

    with pytest.raises(StaffModeClosed):
        staff_mode.on_duty(session, member_id, now=now)


def test_duty_ends_with_the_last_day_of_work(session: Session, now: datetime) -> None:
    li = make_staff(session, "front_desk")
    member_id = bound(session, li, now)
    li.employed_until_on = business_day(now)
    session.flush()

    assert staff_mode.on_duty(session, member_id, now=now).staff.id == li.id
    with pytest.raises(StaffModeClosed):
        staff_mode.on_duty(session, member_id, now=now + timedelta(days=1))


def test_duty_follows_roles_and_stores_as_they_are_now(session: Session, now: datetime) -> None:
    here, there = make_store(session), make_store(session)
    li = make_staff(session, "front_desk", stores=[here])
    member_id = bound(session, li, now)

    duty = staff_mode.on_duty(session, member_id, now=now)
    assert duty.store_ids == frozenset({here.id})
    duty.require(Permission.ORDERS_COMPLETE)
    with pytest.raises(StaffMayNot):
        duty.require(Permission.REFUNDS_DECIDE)
    duty.require_store(here.id)
    with pytest.raises(StoreNotFound):
        duty.require_store(there.id)

    li.stores = [there]
    session.flush()
    assert staff_mode.on_duty(session, member_id, now=now).store_ids == frozenset({there.id})
    li.roles = list(session.scalars(sa.select(Role).where(Role.name == "nobody")))
    session.flush()
    with pytest.raises(StaffModeClosed):
        staff_mode.on_duty(session, member_id, now=now)


def test_ending_is_on_record_and_ends_once(session: Session, now: datetime) -> None:
    li = make_staff(session, "front_desk")
    member_id = bound(session, li, now)

    staff_mode.unbind(session, li.id, actor=OWNER, reason="phone lost", now=now)

    with pytest.raises(StaffNotBound):
        staff_mode.unbind(session, li.id, actor=OWNER, now=now)
    assert not staff_mode.end_binding_of_member(session, member_id, actor=OWNER, now=now)
    entry = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (entry.action, entry.reason) == ("staff_unbound", "phone lost")
    assert entry.before == {"member_id": member_id}
    again = bound(session, li, now)
    assert staff_mode.on_duty(session, again, now=now).staff.id == li.id


def test_a_phone_can_serve_somebody_else_after_its_end(session: Session, now: datetime) -> None:
    li, wang = make_staff(session, "front_desk"), make_staff(session, "front_desk")
    member_id = bound(session, li, now)

    ended = staff_mode.end_binding_of_member(
        session, member_id, actor=Actor("member", member_id), now=now
    )
    staff_mode.bind(session, code=code_of(session, wang, now), member_id=member_id, now=now)

    assert ended
    assert staff_mode.on_duty(session, member_id, now=now).staff.id == wang.id


def test_whoever_guesses_is_locked_out_and_share_codes_go_on(
    session: Session, settings: Settings, now: datetime
) -> None:
    patient = replace(settings, code_misses_max=3, code_lock_seconds=900)
    member = make_member(session)
    li = make_staff(session, "front_desk")
    code = code_of(session, li, now)
    session.commit()

    def guess(text: str, at: datetime) -> None:
        with (
            counting_misses(
                member_id=member.id, ip=None, settings=patient, now=at, guess=STAFF_CODES
            ),
            atomic() as inner,
        ):
            staff_mode.bind(inner, code=text, member_id=member.id, now=at)

    for _ in range(3):
        with pytest.raises(StaffCodeUnknown):
            guess("AAAAAAAA", now)
    with pytest.raises(StaffCodesLocked) as locked:
        guess(code, now)
    with counting_misses(member_id=member.id, ip=None, settings=patient, now=now):
        pass

    assert locked.value.retry_after_seconds == 900
    assert staff_mode.binding_of(session, li.id) is None
