"""The runtime monitor: a team is stopped at thirty paid people and three tiers, both."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import monitor
from app.distribution.models import Award
from app.distribution.monitor import TeamStopNotFound
from app.kernel.audit import Actor, AuditRecord
from app.members import services
from app.members.errors import ReasonRequired, TeamClosed
from app.members.models import Distributor, Standing, TeamStop
from app.operations import invariants
from app.settings import Settings
from tests.factories.payouts import make_award
from tests.factories.people import make_distributor, make_member, make_team

ANN: Final = Actor("staff", 1)
BEN: Final = Actor("staff", 2)
DAY: Final = timedelta(days=1)


@pytest.fixture
def line(settings: Settings) -> Settings:
    """A line that a test can reach: four paid people and three tiers."""
    return replace(settings, tree_stop_people=4, tree_stop_tiers=3)


def pay(session: Session, *people: Distributor, at: datetime | None = None) -> None:
    for one in people:
        if at is None:
            make_award(session, one, 1_000)
        else:
            make_award(session, one, 1_000, now=at)


def stops(session: Session) -> list[TeamStop]:
    session.expire_all()
    return list(session.scalars(sa.select(TeamStop).order_by(TeamStop.id)))


def watch(line: Settings, now: datetime) -> int:
    return monitor.watch_trees(settings=line, now=now)


def test_both_figures_together_stop_a_team_once(
    session: Session, line: Settings, now: datetime
) -> None:
    top, middle, low = make_team(session, 3)
    pay(session, top, middle, low)
    assert watch(line, now) == 0
    pay(session, make_distributor(session, recommender=top))

    assert watch(line, now) == 1
    assert watch(line, now + DAY) == 0

    (stop,) = stops(session)
    assert (stop.root_id, stop.paid_people, stop.tiers) == (top.member_id, 4, 3)
    assert stop.stops_joining
    assert stop.raised_at == now


def test_a_broad_team_of_two_tiers_is_left_alone(
    session: Session, line: Settings, now: datetime
) -> None:
    top = make_distributor(session)
    pay(session, top, *(make_distributor(session, recommender=top) for _ in range(8)))

    assert watch(line, now) == 0


def test_a_deep_team_in_which_few_were_paid_is_left_alone(
    session: Session, line: Settings, now: datetime
) -> None:
    team = make_team(session, 8)
    pay(session, *team[:3])
    pay(session, team[0], team[0])

    assert watch(line, now) == 0


@pytest.mark.parametrize("standing", [Standing.FROZEN, Standing.QUIT])
def test_whoever_left_still_counts_in_person_and_tier(
    session: Session, line: Settings, now: datetime, standing: Standing
) -> None:
    top, middle = make_team(session, 2)
    gone = make_distributor(session, recommender=middle, standing=standing)
    pay(session, top, middle, gone, make_distributor(session, recommender=top))

    assert watch(line, now) == 1


def test_an_applicant_is_no_tier(session: Session, line: Settings, now: datetime) -> None:
    top, middle = make_team(session, 2)
    make_distributor(session, recommender=middle, standing=Standing.APPLIED)
    others = [make_distributor(session, recommender=top) for _ in range(3)]
    pay(session, top, middle, *others)

    assert watch(line, now) == 0


def make_stopped(session: Session, line: Settings, now: datetime) -> list[Distributor]:
    team = make_team(session, 4)
    pay(session, *team)
    assert watch(line, now) == 1
    return team


def apply(session: Session, recommender: Distributor, now: datetime) -> Distributor:
    return services.apply_as_distributor(
        session,
        make_member(session).id,
        agreement_version="d1",
        real_name=None,
        recommender_code_owner_id=recommender.member_id,
        now=now,
    )


def test_a_stopped_team_takes_neither_applicants_nor_approvals_nor_moves(
    session: Session, line: Settings, now: datetime
) -> None:
    team = make_team(session, 4)
    pay(session, *team)
    waiting = apply(session, team[1], now)
    mover = make_distributor(session)
    watch(line, now)
    before = session.scalar(sa.select(sa.func.count()).select_from(Distributor))

    with pytest.raises(TeamClosed):
        apply(session, team[3], now)
    with pytest.raises(TeamClosed):
        services.approve_distributor(session, waiting.member_id, actor=ANN, now=now)
    with pytest.raises(TeamClosed):
        services.move_recommender(
            session,
            mover.member_id,
            to_member_id=team[0].member_id,
            actor=ANN,
            second_actor=BEN,
            reason="wished",
            now=now,
        )

    assert session.scalar(sa.select(sa.func.count()).select_from(Distributor)) == before
    session.expire_all()
    assert waiting.standing is Standing.APPLIED
    assert mover.recommender_id is None


def test_other_teams_and_moves_within_the_team_go_on(
    session: Session, line: Settings, now: datetime
) -> None:
    team = make_stopped(session, line, now)
    other = make_distributor(session)

    assert apply(session, other, now).recommender_id == other.member_id
    services.move_recommender(
        session,
        team[3].member_id,
        to_member_id=team[0].member_id,
        actor=ANN,
        second_actor=BEN,
        reason="wished",
        now=now,
    )
    session.refresh(team[3])

    assert team[3].recommender_id == team[0].member_id


def test_where_settings_only_warn_the_team_goes_on(
    session: Session, line: Settings, now: datetime
) -> None:
    team = make_team(session, 4)
    pay(session, *team)

    assert watch(replace(line, tree_stops_joining=False), now) == 1

    assert apply(session, team[3], now).recommender_id == team[3].member_id


def test_an_officer_lets_the_team_go_on_with_a_reason_until_it_has_grown(
    session: Session, line: Settings, now: datetime
) -> None:
    team = make_stopped(session, line, now)
    (stop,) = stops(session)

    with pytest.raises(ReasonRequired):
        monitor.lift_stop(session, stop.id, actor=ANN, reason="", now=now)
    monitor.lift_stop(session, stop.id, actor=ANN, reason="counsel agreed", now=now)
    with pytest.raises(TeamStopNotFound):
        monitor.lift_stop(session, stop.id, actor=ANN, reason="again", now=now)
    session.flush()

    assert apply(session, team[3], now).recommender_id == team[3].member_id
    assert watch(line, now + DAY) == 0
    assert session.scalars(
        sa.select(AuditRecord.reason).where(AuditRecord.action == "team_stop_lifted")
    ).all() == ["counsel agreed"]
    more = [make_distributor(session, recommender=team[0]) for _ in range(4)]
    pay(session, *more[:3])
    assert watch(line, now + DAY) == 0
    pay(session, more[3])
    assert watch(line, now + DAY) == 1
    assert [one.paid_people for one in stops(session)] == [4, 8]


def test_another_tier_stops_a_team_again(session: Session, line: Settings, now: datetime) -> None:
    team = make_stopped(session, line, now)
    (stop,) = stops(session)
    monitor.lift_stop(session, stop.id, actor=ANN, reason="counsel agreed", now=now)
    session.flush()
    make_distributor(session, recommender=team[3])

    assert watch(line, now + DAY) == 1
    assert [one.tiers for one in stops(session)] == [4, 5]


def count(people: list[Distributor], paid: set[int], top: Distributor) -> tuple[int, int]:
    """Return the paid people and the tiers of a team, walking down person by person."""
    tier, persons, tiers = [top], 0, 0
    while tier:
        tiers += any(one.approved_at is not None for one in tier)
        persons += sum(one.member_id in paid for one in tier)
        ids = {one.member_id for one in tier}
        tier = [one for one in people if one.recommender_id in ids]
    return persons, tiers


@pytest.mark.parametrize("seed", range(3))
def test_what_is_counted_in_sets_is_what_a_walk_counts(
    session: Session, settings: Settings, now: datetime, seed: int
) -> None:
    draw = random.Random(seed)
    people: list[Distributor] = []
    for _ in range(60):
        above = draw.choice([*people, None, None]) if people else None
        people.append(make_distributor(session, recommender=above))
    pay(session, *draw.sample(people, 35))
    paid = set(session.scalars(sa.select(Award.beneficiary_id)))
    one = replace(settings, tree_stop_people=1, tree_stop_tiers=1)

    found = {
        size.root_id: (size.paid_people, size.tiers)
        for size in monitor.over_the_line(session, settings=one, by=now + DAY)
    }

    tops = [person for person in people if person.recommender_id is None]
    expected = {top.member_id: count(people, paid, top) for top in tops}
    assert found == {key: value for key, value in expected.items() if value[0]}


def test_the_audit_finds_a_team_that_nobody_stopped(session: Session, now: datetime) -> None:
    top, middle = make_team(session, 2)
    team = [make_distributor(session, recommender=middle) for _ in range(28)]
    pay(session, top, middle, *team)

    def broken() -> list[str]:
        return [one.code for one in invariants.check(session) if one.count and one.code == "C23"]

    assert broken() == ["C23"]
    session.add(
        TeamStop(root_id=top.member_id, paid_people=30, tiers=3, stops_joining=True, raised_at=now)
    )
    session.flush()
    assert broken() == []
