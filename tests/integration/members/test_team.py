"""Joining, standings, moves, and what the database itself refuses."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.kernel.errors import DomainError
from app.kernel.outbox import OutboxEvent
from app.kernel.secrecy import vault
from app.members import queries, services
from app.members.errors import (
    AgreementRequired,
    AlreadyADistributor,
    DistributorNotFound,
    MemberNotFound,
    NotADistributor,
    ProfileInvalid,
    ReasonRequired,
    RecommenderCycle,
    RecommenderNotActive,
    RecommenderUnchanged,
    SecondPersonRequired,
    StandingConflict,
)
from app.members.models import Distributor, DistributorStep, Member, Standing
from tests.factories.people import (
    make_distributor,
    make_member,
    make_staff,
    make_store,
    make_team,
)

ANN = Actor("staff", 1)
BEN = Actor("staff", 2)


def apply(
    session: Session,
    member: Member,
    now: datetime,
    *,
    recommender: Distributor | None = None,
    real_name: str | None = None,
) -> Distributor:
    return services.apply_as_distributor(
        session,
        member.id,
        agreement_version="d1",
        real_name=real_name,
        recommender_code_owner_id=recommender.member_id if recommender else None,
        now=now,
    )


def move(
    session: Session,
    row: Distributor,
    target: Distributor | None,
    now: datetime,
    *,
    actor: Actor = ANN,
    second_actor: Actor = BEN,
    reason: str = "joined with the wrong code",
) -> Distributor:
    return services.move_recommender(
        session,
        row.member_id,
        to_member_id=target.member_id if target else None,
        actor=actor,
        second_actor=second_actor,
        reason=reason,
        now=now,
    )


def counts(session: Session, *rows: Distributor) -> list[queries.TeamCounts]:
    return [queries.team_counts(session, row.member_id) for row in rows]


def trail(session: Session) -> list[str]:
    return list(session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)))


def test_an_application_waits_under_its_recommender_and_counts_above(
    session: Session, now: datetime
) -> None:
    top, second = make_team(session, 2)
    member = make_member(session)

    row = apply(session, member, now, recommender=second, real_name=" 王小美 ")

    assert (row.standing, row.applied_at, row.approved_at) == (Standing.APPLIED, now, None)
    assert (row.recommender_id, row.second_recommender_id) == (second.member_id, top.member_id)
    assert row.team_order > second.team_order == row.recommender_team_order
    assert row.real_name_hash == vault().look_up("real_name", "王小美")
    assert counts(session, top, second, row) == [(1, 1), (1, 0), (0, 0)]
    [step] = queries.distributor_steps(session, member.id)
    assert (step.from_standing, step.to_standing, step.recommender_id) == (
        None,
        Standing.APPLIED,
        second.member_id,
    )


def test_an_applicant_belongs_to_the_store_they_came_from(session: Session, now: datetime) -> None:
    store = make_store(session)
    member = make_member(session, origin_store_id=store.id)

    assert apply(session, member, now).store_id == store.id


@pytest.mark.parametrize(
    "standing", [Standing.APPLIED, Standing.FROZEN, Standing.QUIT, Standing.REFUSED]
)
def test_who_is_not_active_recommends_nobody(
    session: Session, now: datetime, standing: Standing
) -> None:
    idle = make_distributor(session, standing=standing)

    row = apply(session, make_member(session), now, recommender=idle)

    assert row.recommender_id is None
    assert counts(session, idle) == [(0, 0)]


def test_one_person_with_two_accounts_does_not_recommend_the_other(
    session: Session, now: datetime
) -> None:
    first = make_distributor(session, make_member(session, device="device-1"))
    second = make_member(session, device="device-1")

    assert apply(session, second, now, recommender=first).recommender_id is None


def test_who_is_unknown_or_the_applicant_recommends_nobody(session: Session, now: datetime) -> None:
    member = make_member(session)

    row = services.apply_as_distributor(
        session,
        member.id,
        agreement_version="d1",
        real_name=None,
        recommender_code_owner_id=member.id,
        now=now,
    )

    assert row.recommender_id is None


def test_an_application_is_made_once(session: Session, now: datetime) -> None:
    member = make_member(session)
    apply(session, member, now)

    with pytest.raises(AlreadyADistributor) as refused:
        apply(session, member, now)

    assert refused.value.standing is Standing.APPLIED
    assert len(queries.distributor_steps(session, member.id)) == 1


def test_whoever_was_refused_may_ask_again_and_keeps_the_recommender(
    session: Session, now: datetime
) -> None:
    first, other = make_distributor(session), make_distributor(session)
    member = make_member(session)
    apply(session, member, now, recommender=first)
    services.refuse_distributor(session, member.id, actor=ANN, reason="no photo", now=now)

    row = apply(session, member, now + timedelta(days=1), recommender=other)

    assert (row.standing, row.recommender_id) == (Standing.APPLIED, first.member_id)
    assert row.applied_at == now + timedelta(days=1)
    assert counts(session, first, other) == [(1, 0), (0, 0)]
    walked = [step.to_standing for step in queries.distributor_steps(session, member.id)]
    assert walked == [Standing.APPLIED, Standing.REFUSED, Standing.APPLIED]


@pytest.mark.parametrize(
    ("agreement", "name", "error"),
    [("", None, AgreementRequired), ("d1", " ", ProfileInvalid), ("d1", "a\nb", ProfileInvalid)],
)
def test_an_incomplete_application_leaves_no_trace(
    session: Session,
    now: datetime,
    agreement: str,
    name: str | None,
    error: type[DomainError],
) -> None:
    member = make_member(session)
    session.commit()

    with pytest.raises(error):
        services.apply_as_distributor(
            session,
            member.id,
            agreement_version=agreement,
            real_name=name,
            recommender_code_owner_id=None,
            now=now,
        )
    session.rollback()

    assert queries.distributor(session, member.id) is None
    with pytest.raises(MemberNotFound):
        services.apply_as_distributor(
            session,
            10**15,
            agreement_version="d1",
            real_name=None,
            recommender_code_owner_id=None,
            now=now,
        )


def test_an_approval_is_a_step_an_audit_row_and_an_event(session: Session, now: datetime) -> None:
    staff = make_staff(session)
    member = make_member(session)
    apply(session, member, now)

    actor = Actor("staff", staff.id, "request-1")
    row = services.approve_distributor(session, member.id, actor=actor, now=now)

    entry = session.scalars(sa.select(AuditRecord)).one()
    event = session.scalars(sa.select(OutboxEvent)).one()
    assert (row.standing, row.approved_at) == (Standing.ACTIVE, now)
    assert (entry.action, entry.subject_id, entry.actor_id, entry.request_id) == (
        "distributor_approved",
        member.id,
        staff.id,
        "request-1",
    )
    assert (entry.before, entry.after) == ({"standing": "applied"}, {"standing": "active"})
    assert (event.name, event.subject_id) == ("distributor_approved", member.id)
    assert queries.active_distributor(session, member.id) is row


def test_freezing_thawing_and_quitting_are_audited_with_their_reason(
    session: Session, now: datetime
) -> None:
    row = make_distributor(session)

    services.freeze_distributor(session, row.member_id, actor=ANN, reason="odd orders", now=now)
    with pytest.raises(NotADistributor):
        queries.active_distributor(session, row.member_id)
    services.unfreeze_distributor(session, row.member_id, actor=ANN, reason="explained", now=now)
    services.quit_distributor(session, row.member_id, actor=Actor("member", row.member_id), now=now)

    assert row.standing is Standing.QUIT
    assert trail(session) == ["distributor_frozen", "distributor_unfrozen", "distributor_quit"]


def test_a_decision_that_the_standing_does_not_allow_changes_nothing(
    session: Session, now: datetime
) -> None:
    row = make_distributor(session)

    with pytest.raises(StandingConflict):
        services.approve_distributor(session, row.member_id, actor=ANN, now=now)
    with pytest.raises(ReasonRequired):
        services.freeze_distributor(session, row.member_id, actor=ANN, reason=" ", now=now)
    with pytest.raises(DistributorNotFound):
        services.approve_distributor(session, make_member(session).id, actor=ANN, now=now)

    assert row.standing is Standing.ACTIVE
    assert trail(session) == []
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) == 0


def test_a_move_takes_the_whole_team_along_and_counts_anew(session: Session, now: datetime) -> None:
    a, b, c, d = make_team(session, 4)
    x, y = make_team(session, 2)

    move(session, b, y, now)

    assert counts(session, a, b, c, d) == [(0, 0), (1, 1), (1, 0), (0, 0)]
    assert counts(session, x, y) == [(1, 1), (1, 1)]
    assert (b.recommender_id, b.second_recommender_id) == (y.member_id, x.member_id)
    assert (c.recommender_id, c.second_recommender_id) == (b.member_id, y.member_id)
    assert (d.recommender_id, d.second_recommender_id) == (c.member_id, b.member_id)
    assert y.team_order < b.team_order < c.team_order < d.team_order
    above = [row.member_id for row in queries.upline(session, d.member_id, 9)]
    assert above == [one.member_id for one in (c, b, y, x)]


def test_a_move_leaves_a_step_and_an_audit_row_with_both_people(
    session: Session, now: datetime
) -> None:
    a, b = make_team(session, 2)

    move(session, b, None, now)

    step = queries.distributor_steps(session, b.member_id)[-1]
    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (step.from_standing, step.to_standing) == (Standing.ACTIVE, Standing.ACTIVE)
    assert (step.recommender_id, step.actor) == (None, "staff:1+staff:2")
    assert entry.before == {"recommender_id": a.member_id}
    assert entry.after == {"recommender_id": None, "second_actor": "staff:2"}
    assert entry.reason == "joined with the wrong code"
    assert counts(session, a) == [(0, 0)]


def test_nobody_is_moved_below_themselves(session: Session, now: datetime) -> None:
    a, b, c = make_team(session, 3)
    before = [(row.recommender_id, row.team_order) for row in (a, b, c)]

    for target in (a, b, c):
        with pytest.raises(RecommenderCycle):
            move(session, a, target, now)

    session.expire_all()
    assert [(row.recommender_id, row.team_order) for row in (a, b, c)] == before
    assert trail(session) == []


def test_a_move_needs_two_people_a_reason_an_active_target_and_a_change(
    session: Session, now: datetime
) -> None:
    a, b = make_team(session, 2)
    idle = make_distributor(session, standing=Standing.FROZEN)
    lone = make_distributor(session)

    with pytest.raises(SecondPersonRequired):
        move(session, b, lone, now, second_actor=ANN)
    with pytest.raises(ReasonRequired):
        move(session, b, lone, now, reason="")
    with pytest.raises(RecommenderNotActive):
        move(session, b, idle, now)
    with pytest.raises(RecommenderUnchanged):
        move(session, b, a, now)
    with pytest.raises(RecommenderUnchanged):
        move(session, lone, None, now)
    with pytest.raises(DistributorNotFound):
        services.move_recommender(
            session,
            b.member_id,
            to_member_id=10**15,
            actor=ANN,
            second_actor=BEN,
            reason="why",
            now=now,
        )

    session.refresh(b)
    assert b.recommender_id == a.member_id
    assert trail(session) == []


@pytest.mark.parametrize(
    "change",
    [
        "recommender_id = member_id, recommender_team_order = team_order",
        "recommender_id = :bottom, recommender_team_order = :bottom_place",
        "recommender_id = :bottom, recommender_team_order = team_order - 1",
        "recommender_id = :bottom, recommender_team_order = NULL",
        "team_order = :bottom_place + 1",
    ],
)
def test_not_even_a_statement_by_hand_can_write_a_cycle(session: Session, change: str) -> None:
    top, _, bottom = make_team(session, 3)
    statement = sa.text(f"UPDATE distributors SET {change} WHERE member_id = :top")  # noqa: S608
    places = {"bottom": bottom.member_id, "bottom_place": bottom.team_order, "top": top.member_id}

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(statement, {k: v for k, v in places.items() if f":{k}" in statement.text})


def test_steps_are_never_changed(session: Session) -> None:
    row = make_distributor(session)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(
            sa.update(DistributorStep)
            .where(DistributorStep.member_id == row.member_id)
            .values(reason="rewritten")
        )


def test_an_upline_is_cut_at_the_depth_asked_for(session: Session) -> None:
    line = make_team(session, 5)

    found = queries.upline(session, line[-1].member_id, 2)

    assert [row.member_id for row in found] == [line[3].member_id, line[2].member_id]
    assert queries.upline(session, line[0].member_id, 9) == []
    assert queries.upline(session, 10**15, 9) == []


def test_a_page_of_each_tier_goes_on_where_the_last_ended(session: Session) -> None:
    top = make_distributor(session)
    first = [make_distributor(session, recommender=top) for _ in range(5)]
    second = [make_distributor(session, recommender=first[i % 2]) for i in range(5)]
    make_distributor(session, recommender=second[0])

    for tier, rows in ((1, first), (2, second)):
        newest_first = [row.member_id for row in reversed(rows)]
        seen: list[int] = []
        after_id = None
        for size in (2, 2, 1, 0):
            page = queries.team_page(session, top.member_id, tier=tier, after_id=after_id, limit=2)
            assert len(page) == size
            seen += [row.member_id for row in page]
            after_id = seen[-1]
        assert seen == newest_first
    assert queries.team_counts(session, top.member_id) == (5, 5)
    assert queries.team_counts(session, 10**15) == (0, 0)


def test_a_household_shares_a_phone_a_device_or_a_name(session: Session) -> None:
    me = make_member(session, phone="+8613800001111", device="device-1")
    make_distributor(session, me, real_name="王小美")
    by_phone = make_member(session, phone="+8613800001111")
    by_device = make_member(session, device="device-1")
    by_name = make_distributor(session, real_name="王小美")
    stranger = make_member(session, phone="+8613900002222", device="device-2")
    make_distributor(session, stranger, real_name="李雷")
    kin = {by_phone.id, by_device.id, by_name.member_id}

    found = queries.household_of(session, me.id, {*kin, stranger.id, me.id})

    assert found == kin
    assert queries.household_of(session, by_phone.id, {me.id, by_device.id}) == {me.id}


def test_people_of_whom_nothing_is_known_are_strangers(session: Session) -> None:
    me, other = make_member(session), make_member(session)
    make_distributor(session, me)
    make_distributor(session, other)

    assert queries.household_of(session, me.id, {other.id}) == set()
    assert queries.household_of(session, me.id, set()) == set()
