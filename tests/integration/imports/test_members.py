"""Earlier customers: brought in, claimed by whoever proves the phone, and never used before."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import services as attribution
from app.attribution.rules import TouchOutcome, TouchSource
from app.imports.errors import ConsentNotDeclared
from app.imports.models import ImportKind, ImportRun, ImportState, RowState
from app.imports.services import Upload, upload
from app.kernel.audit import SYSTEM
from app.kernel.secrecy import vault
from app.members import services as members
from app.members.expected import ExpectedMember
from app.members.models import Member
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.factories.imports import bring, carry_out, csv_of, faults_of, rows_of
from tests.factories.people import NOON, make_member, make_share_code, make_staff, make_store

KIND = ImportKind.MEMBERS
PURE = "13911112222"
FIRST = datetime(2024, 8, 14, 16, tzinfo=UTC)


def expected(session: Session) -> list[ExpectedMember]:
    session.expire_all()
    return list(session.scalars(sa.select(ExpectedMember).order_by(ExpectedMember.id)))


def test_nothing_is_written_before_the_run_is_begun(session: Session) -> None:
    make_store(session, "North")

    run = bring(session, KIND, [[PURE, "Mei", "1990-05-01", "North", "2024-08-15", "V1"]])

    assert (run.state, run.valid_count, run.wrong_count) == (ImportState.CHECKED, 1, 0)
    assert expected(session) == []


def test_an_earlier_customer_waits_under_the_hash_of_the_phone(session: Session) -> None:
    store = make_store(session, "North")
    run = bring(session, KIND, [[PURE, "Mei", "1990/5/1", "north", "2024-08-15", "V1"]])

    done = carry_out(session, run)

    [row] = expected(session)
    assert (done.state, done.done_count, done.failed_count) == (ImportState.DONE, 1, 0)
    assert rows_of(session, run)[0].subject_id == row.id
    assert row.phone_hash == vault().look_up("phone", f"+86{PURE}")
    assert (row.nickname, row.birthday_on, row.old_number) == ("Mei", date(1990, 5, 1), "V1")
    assert (row.origin_store_id, row.first_paid_at) == (store.id, FIRST)
    assert row.claimed_by_id is None


def test_whoever_proves_the_phone_takes_over_what_was_expected(
    session: Session, sandbox: SandboxClient
) -> None:
    store = make_store(session, "North")
    run = bring(session, KIND, [[PURE, "Mei", "1990-05-01", "North", "2024-08-15", "V1"]])
    carry_out(session, run)
    openid = sandbox.user(phone=PURE)
    member = make_member(session, openid=openid)
    session.commit()

    members.set_phone(member.id, code=sandbox.phone_code(openid), consent_version="1", now=NOON)

    session.expire_all()
    [row] = expected(session)
    assert (member.nickname, member.birthday_on) == ("Mei", date(1990, 5, 1))
    assert (member.origin_store_id, member.first_paid_at) == (store.id, FIRST)
    assert (row.claimed_by_id, row.claimed_at) == (member.id, NOON)
    assert (row.nickname, row.birthday_on) == ("", None)


def test_what_a_member_said_themselves_stays(session: Session, sandbox: SandboxClient) -> None:
    run = bring(session, KIND, [[PURE, "Mei", "", "", "2024-08-15", ""]])
    carry_out(session, run)
    openid = sandbox.user(phone=PURE)
    earlier = datetime(2023, 1, 1, tzinfo=UTC)
    member = make_member(session, openid=openid, nickname="Own name", first_paid_at=earlier)
    session.commit()

    members.set_phone(member.id, code=sandbox.phone_code(openid), consent_version="1", now=NOON)

    session.expire_all()
    assert (member.nickname, member.first_paid_at) == ("Own name", earlier)


def test_a_member_who_has_proven_the_phone_already_takes_over_at_once(session: Session) -> None:
    member = make_member(session, phone=f"+86{PURE}")
    run = bring(session, KIND, [[PURE, "Mei", "", "", "2024-08-15", ""]])

    carry_out(session, run)

    session.expire_all()
    assert (member.nickname, member.first_paid_at) == ("Mei", FIRST)
    assert expected(session)[0].claimed_by_id == member.id


def test_of_two_members_with_one_number_the_first_to_prove_it_takes_over(
    session: Session, sandbox: SandboxClient
) -> None:
    run = bring(session, KIND, [[PURE, "Mei", "", "", "", ""]])
    carry_out(session, run)
    openids = [sandbox.user(phone=PURE), sandbox.user(phone=PURE)]
    both = [make_member(session, openid=one) for one in openids]
    session.commit()

    for one in both:
        code = sandbox.phone_code(one.wechat_openid)
        members.set_phone(one.id, code=code, consent_version="1", now=NOON)

    session.expire_all()
    assert [one.nickname for one in both] == ["Mei", ""]


def test_an_earlier_customer_cannot_be_won_by_a_touch(session: Session, settings: Settings) -> None:
    member = make_member(session, phone=f"+86{PURE}")
    carry_out(session, bring(session, KIND, [[PURE, "", "", "", "2024-08-15", ""]]))
    code = make_share_code(session)

    result = attribution.record_touch(
        session,
        code=code.code,
        member_id=member.id,
        source=TouchSource.POSTER,
        device_id=None,
        ip=None,
        settings=settings,
        now=NOON,
    )

    assert (result.outcome, result.reason) == (TouchOutcome.REFUSED, "existing_customer")


def test_every_wrong_cell_is_named_with_its_column_and_nothing_else_is_lost(
    session: Session,
) -> None:
    rows = [
        ["1.38E+10", "", "", "", "", ""],
        ["１３９１１１１２２２３", "ok", "", "", "", ""],
        ["13911112223", "twice", "", "", "", ""],
        ["139", "x" * 41, "2025-02-31", "Nowhere", "tomorrow", ""],
        ["13911112224", "", "2020-01-01", "", "2030-01-01", ""],
        ["", "no phone", "", "", "", ""],
    ]

    run = bring(session, KIND, rows)

    assert (run.rows_count, run.valid_count, run.wrong_count) == (6, 1, 5)
    assert faults_of(session, run) == {
        2: [("phone", "number_shortened")],
        4: [("", "twice_in_file")],
        5: [
            ("phone", "phone_wrong"),
            ("nickname", "too_long"),
            ("birthday", "no_such_date"),
            ("first_paid", "date_wrong"),
            ("store", "store_unknown"),
        ],
        6: [("birthday", "too_young"), ("first_paid", "in_the_future")],
        7: [("phone", "required")],
    }


def test_a_number_is_brought_in_once(session: Session) -> None:
    carry_out(session, bring(session, KIND, [[PURE, "Mei", "", "", "", ""]]))

    again = bring(session, KIND, [[PURE, "Other", "", "", "", ""]])

    assert faults_of(session, again) == {2: [("phone", "phone_known")]}
    assert [one.nickname for one in expected(session)] == ["Mei"]


def test_a_number_that_came_meanwhile_fails_alone(session: Session) -> None:
    first = bring(session, KIND, [[PURE, "First", "", "", "", ""]])
    second = bring(
        session, KIND, [[PURE, "Second", "", "", "", ""], ["13911112223", "", "", "", "", ""]]
    )
    carry_out(session, first)

    done = carry_out(session, second)

    states = [row.state for row in rows_of(session, second)]
    assert states == [RowState.FAILED, RowState.DONE]
    assert (done.state, done.done_count, done.failed_count) == (ImportState.DONE, 1, 1)
    assert [one.nickname for one in expected(session)] == ["First", ""]


def test_who_works_at_one_store_brings_customers_of_that_store_only(session: Session) -> None:
    here, _there = make_store(session, "Here"), make_store(session, "There")
    staff = make_staff(session, "operations", stores=[here])
    rows = [
        [PURE, "", "", "Here", "", ""],
        ["13911112223", "", "", "There", "", ""],
        ["13911112224", "", "", "", "", ""],
    ]

    run = bring(session, KIND, rows, staff=staff)
    carry_out(session, run, staff=staff)

    assert faults_of(session, run) == {
        3: [("store", "store_unknown")],
        4: [("store", "store_required")],
    }
    assert [one.origin_store_id for one in expected(session)] == [here.id]


def test_without_the_brands_word_on_consent_no_file_of_people_is_even_read(
    session: Session,
) -> None:
    data = csv_of(["phone"], [[PURE]]).encode()

    with pytest.raises(ConsentNotDeclared):
        upload(Upload(KIND, "a.csv", data, consent=False), actor=SYSTEM, now=NOON)

    assert session.scalar(sa.select(sa.func.count()).select_from(ImportRun)) == 0


def test_the_cells_of_a_file_lie_sealed_in_the_database(session: Session) -> None:
    run = bring(session, KIND, [[PURE, "Mei", "", "", "", ""]])

    stored = session.execute(
        sa.text("SELECT row_to_json(r)::text FROM import_rows r WHERE run_id = :id"),
        {"id": run.id},
    ).scalar_one()

    assert PURE not in stored
    assert "Mei" not in stored
    assert session.scalar(sa.select(sa.func.count()).select_from(Member)) == 0
