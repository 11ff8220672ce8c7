"""Staff set levels, tasks and growth; a customer's file tells of all of it."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.templates import change_stock
from app.kernel.audit import SYSTEM, AuditRecord
from app.kernel.db import database_now
from app.loyalty import rewards, tasks
from app.loyalty.models import GivenReward, MemberTask, RewardSource, RewardState, TaskKind
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from app.membership.models import LevelHolding, LevelVersion, Membership, MembershipLevel
from app.membership.queries import standing_of
from tests.admin.conftest import Desk
from tests.factories.coupons import make_template
from tests.factories.membership import LONG_AGO, grow, make_ladder
from tests.factories.people import make_member, make_store

LEVEL = {
    "name": "Diamond",
    "rank": 9,
    "growth_at_least": 9_000,
    "discount": 85,
    "multiplier": 200,
    "upgrade_points": 300,
    "reason": "New top",
}
TASK = {
    "kind": "follow",
    "title": "Follow us",
    "target": 1,
    "reward_points": 20,
    "starts_at": "2026-03-01T10:00",
}


def text(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    return page


def test_a_level_is_set_up_and_changed_and_its_history_kept(session: Session, owner: Desk) -> None:
    make_ladder(session)
    session.commit()

    owner.post("/membership_levels/form/new/", LEVEL)
    level = session.scalars(sa.select(MembershipLevel).where(MembershipLevel.rank == 9)).one()
    about = {"id": level.id}
    begun = text(owner.get("/membership_levels/form/edit/", **about))
    assert 'value="85"' in begun
    change = LEVEL | {"discount": 80, "reason": "Better"}
    owner.post("/membership_levels/form/edit/", change, query_string=about)

    versions = session.scalars(
        sa.select(LevelVersion).where(LevelVersion.level_id == level.id).order_by(LevelVersion.id)
    ).all()
    assert [one.discount_bp for one in versions] == [8_500, 8_000]
    assert versions[0].points_multiplier_bp == 20_000
    assert versions[0].upgrade_gift == [{"kind": "points", "amount": 300}]
    page = text(owner.get("/membership_levels/details/", **about))
    assert "Better" in page
    assert "New top" in page


@pytest.mark.parametrize(
    "change", [{"rank": 2}, {"growth_at_least": 500}, {"discount": 101}, {"reason": ""}]
)
def test_a_level_that_cannot_be_is_refused_and_what_was_typed_stays(
    session: Session, owner: Desk, change: dict[str, Any]
) -> None:
    make_ladder(session)
    session.commit()
    count = session.scalar(sa.select(sa.func.count()).select_from(LevelVersion))

    page = text(owner.post("/membership_levels/form/new/", LEVEL | change))

    assert "Diamond" in page
    assert session.scalar(sa.select(sa.func.count()).select_from(LevelVersion)) == count


def test_staff_of_some_stores_change_no_level_of_the_brand(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    make_ladder(session)
    desk = sit_down("operations", make_store(session))
    session.commit()

    desk.post("/membership_levels/form/new/", LEVEL)
    desk.post("/member_tasks/form/new/", TASK)

    assert session.scalar(sa.select(sa.func.count()).select_from(MembershipLevel)) == 3
    assert session.scalar(sa.select(sa.func.count()).select_from(MemberTask)) == 0
    assert desk.get("/membership_levels/preview/").status_code == 403


def test_the_preview_names_who_would_move_and_moves_nobody(session: Session, owner: Desk) -> None:
    _, silver, _ = make_ladder(session)
    member = make_member(session, nickname="Almost there")
    grow(session, member.id, 900, key="a", now=database_now_of(session))
    session.commit()

    page = text(owner.get("/membership_levels/preview/", level=silver, growth=800))
    none = text(owner.get("/membership_levels/preview/", level=silver, growth=901))

    assert "1 would rise, 0 would fall" in page
    assert "Almost there" in page
    assert "0 would rise, 0 would fall" in none
    assert session.scalar(sa.select(sa.func.count()).select_from(LevelHolding)) == 0
    assert owner.get("/membership_levels/preview/", level=999_999).status_code == 404


def database_now_of(session: Session) -> Any:
    session.commit()
    return database_now()


def test_staff_set_a_level_and_growth_of_a_customer_and_the_file_tells_it(
    session: Session, owner: Desk
) -> None:
    _, silver, gold = make_ladder(session)
    member = make_member(session, nickname="Friend")
    session.commit()
    about = {"id": member.id}
    hand = {"level_id": gold, "until_at": "2029-01-01T10:00", "reason": "Ambassador"}

    owner.post("/members/form/level/", hand, query_string=about)
    owner.post("/members/form/growth/", {"amount": 1_000, "reason": "Excuse"}, query_string=about)

    now = database_now_of(session)
    assert standing_of(session, member.id, at=now).level_id == gold
    assert session.get_one(Membership, member.id).growth == 1_000
    page = text(owner.get("/members/details/", **about))
    assert "Level: Level 3" in page
    assert "Ambassador" in page
    owner.post("/members/form/free-level/", {"reason": "Over"}, query_string=about)
    assert standing_of(session, member.id, at=database_now_of(session)).level_id == silver
    actions = session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert set(actions) >= {"membership_level_given", "growth_changed", "membership_level_freed"}


def test_customers_are_found_by_their_level(session: Session, owner: Desk) -> None:
    base, silver, _ = make_ladder(session)
    risen = make_member(session, nickname="Risen")
    make_member(session, nickname="Newcomer")
    grow(session, risen.id, 1_000, key="a", now=database_now_of(session))
    session.commit()

    of_silver = text(owner.get("/members/", membership=silver))
    of_base = text(owner.get("/members/", membership=base))

    assert "Risen" in of_silver
    assert "Newcomer" not in of_silver
    assert "Newcomer" in of_base
    assert "Risen" not in of_base


def test_a_task_is_set_up_marked_and_ended(session: Session, owner: Desk) -> None:
    member = make_member(session)
    session.commit()

    owner.post("/member_tasks/form/new/", TASK)
    task = session.scalars(sa.select(MemberTask)).one()
    about = {"id": task.id}
    owner.post("/member_tasks/form/mark/", {"member_id": member.id}, query_string=about)
    owner.post("/member_tasks/action/", {"action": "end", "rowid": task.id, "confirmed": "1"})

    [given] = session.scalars(sa.select(GivenReward)).all()
    assert (given.member_id, given.amount, given.source) == (member.id, 20, RewardSource.TASK)
    session.refresh(task)
    assert task.ends_at is not None


def test_a_refused_reward_is_tried_again(session: Session, owner: Desk) -> None:
    member, template = make_member(session), make_template(session, stock=0)
    given = rewards.give(
        session,
        member.id,
        Reward.coupon(template.id),
        key="x",
        source=RewardSource.HAND,
        now=LONG_AGO,
    )
    change_stock(session, template.id, 5, reason="more of them", actor=SYSTEM, now=LONG_AGO)
    session.commit()

    assert given.refusal == "coupons_gone"

    owner.post("/given_rewards/action/", {"action": "again", "rowid": given.id, "confirmed": "1"})

    session.refresh(given)
    assert (given.state, given.refusal) == (RewardState.GIVEN, "")


def test_a_task_that_counts_by_itself_is_not_marked(session: Session, owner: Desk) -> None:
    spec = TaskSpec(
        kind=TaskKind.JOIN, title="Join", rewards=[Reward.points(1)], starts_at=LONG_AGO
    )
    task = tasks.put_task(session, None, spec, actor=SYSTEM, now=LONG_AGO)
    member = make_member(session)
    session.commit()

    owner.post("/member_tasks/form/mark/", {"member_id": member.id}, query_string={"id": task.id})

    assert session.scalar(sa.select(sa.func.count()).select_from(GivenReward)) == 0
