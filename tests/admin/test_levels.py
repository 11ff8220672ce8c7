"""Levels, warnings, stopped teams, statements and the tree, as staff see and decide them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import retention
from app.distribution.plan_records import LevelWarning, WarningOutcome
from app.kernel.audit import AuditRecord
from app.members.models import TeamStop
from app.orders.states import OrderState
from tests.admin.conftest import Desk
from tests.factories.orders import make_order
from tests.factories.payouts import make_award
from tests.factories.people import make_distributor, make_member, make_store, make_team
from tests.factories.plans import make_plan

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def text_of(answer: object) -> str:
    return answer.get_data(as_text=True)  # type: ignore[attr-defined,no-any-return]


def test_the_preview_shows_who_would_move_and_moves_nobody(session: Session, owner: Desk) -> None:
    make_plan(session)
    riser = make_distributor(session, make_member(session, nickname="Riser"))
    make_distributor(session, make_member(session, nickname="Stayer"))
    make_order(
        session,
        owner=riser,
        price_fen=500_000,
        state=OrderState.SETTLED,
        now=datetime.now(UTC) - timedelta(days=1),
    )
    session.commit()

    page = owner.get("/levels/preview/")
    file = owner.get("/levels/preview/export/")

    assert page.status_code == 200
    assert "Riser" in text_of(page)
    assert "Stayer" not in text_of(page)
    assert file.get_data().decode("utf-8-sig").splitlines()[1:] == ["Riser,1,2"]
    session.refresh(riser)
    assert riser.level == 1


def test_a_draft_can_be_tried_by_those_who_see_plans(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    first = make_plan(session)
    other = make_plan(
        session,
        plan_id=first.plan_id,
        at=NOON,
        levels={"upgrades": []},
        rates_first_bp=[100],
        rates_second_bp=[50],
    )
    earlier_id = first.id
    session.commit()

    assert sit_down("finance").get("/levels/preview/", version=other.id).status_code == 200
    assert sit_down("store_manager", store).get("/levels/preview/").status_code == 200
    refused = sit_down("store_manager", store).get("/levels/preview/", version=earlier_id)
    assert refused.status_code == 403
    assert sit_down("finance").get("/levels/preview/", version=10**9).status_code == 404


def test_a_store_sees_only_its_own_in_the_preview_and_the_tree(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    make_plan(session)
    here, there = make_store(session), make_store(session)
    top = make_distributor(session, make_member(session, nickname="Foreign"), store_id=there.id)
    own = make_distributor(
        session, make_member(session, nickname="Ours"), recommender=top, store_id=here.id
    )
    for one in (top, own):
        make_order(
            session,
            owner=one,
            price_fen=500_000,
            state=OrderState.SETTLED,
            now=datetime.now(UTC) - timedelta(days=1),
        )
    session.commit()
    desk = sit_down("store_manager", here)

    assert "Foreign" not in text_of(desk.get("/levels/preview/"))
    assert "Ours" in text_of(desk.get("/levels/preview/"))
    beginnings = desk.get("/team/nodes/").get_json()["items"]
    assert [one["name"] for one in beginnings] == ["Ours"]
    path = desk.get("/team/path/", id=own.member_id).get_json()["items"]
    assert [one["name"] for one in path] == ["Ours"]
    assert desk.get("/team/path/", id=top.member_id).status_code == 404
    assert desk.get("/team/nodes/", of=own.member_id).get_json() == {"items": [], "more": None}
    assert f"focus={top.member_id}" not in text_of(desk.get("/team/", search="Foreign"))
    assert f"focus={own.member_id}" in text_of(desk.get("/team/", search="Ours"))


def test_the_tree_opens_branch_by_branch_and_finds_the_way_to_a_person(
    session: Session, owner: Desk
) -> None:
    top, middle, low = make_team(session, 3)
    many = [make_distributor(session, recommender=low).member_id for _ in range(53)]
    make_order(
        session, owner=low, price_fen=12_345, state=OrderState.SETTLED, now=datetime.now(UTC)
    )
    session.commit()

    first = owner.get("/team/nodes/", of=low.member_id).get_json()
    second = owner.get("/team/nodes/", of=low.member_id, after=first["more"]).get_json()
    path = owner.get("/team/path/", id=low.member_id).get_json()["items"]
    page = text_of(owner.get("/team/", search=str(low.member_id), focus=low.member_id))

    assert [len(one["items"]) for one in (first, second)] == [50, 3]
    found = [one["id"] for one in first["items"] + second["items"]]
    assert found == many[::-1]
    assert second["more"] is None
    assert [one["id"] for one in path] == [top.member_id, middle.member_id, low.member_id]
    assert (path[2]["direct"], path[0]["second"], path[2]["sales"]) == (53, 1, "¥123.45")
    assert f'data-focus="{low.member_id}"' in page


@pytest.fixture
def warned(session: Session) -> LevelWarning:
    make_plan(session, levels={"retention": {"every": "MONTH"}})
    make_distributor(session, level=2)
    session.commit()
    retention.review_levels(now=NOON)
    return session.scalars(sa.select(LevelWarning)).one()


def test_a_warning_is_lifted_with_a_reason(
    session: Session, warned: LevelWarning, sit_down: Callable[..., Desk]
) -> None:
    key = warned.id
    desk = sit_down("operations")
    assert "2026-02" in text_of(desk.get("/level_warnings/details/", id=key))
    assert "Nobody would be warned." in text_of(desk.get("/levels/preview/"))

    sit_down("finance").decide("level_warnings", "lift", key, reason="no right")
    session.expire_all()
    assert session.get_one(LevelWarning, key).outcome is None
    desk.decide("level_warnings", "lift", key, reason="was ill")

    session.expire_all()
    assert session.get_one(LevelWarning, key).outcome is WarningOutcome.LIFTED
    assert session.scalars(
        sa.select(AuditRecord.reason).where(AuditRecord.action == "level_warning_lifted")
    ).all() == ["was ill"]


def test_a_stopped_team_is_let_go_on_by_whoever_may_and_says_why(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    top = make_distributor(session)
    stop = TeamStop(
        root_id=top.member_id, paid_people=30, tiers=3, stops_joining=True, raised_at=NOON
    )
    session.add(stop)
    session.commit()
    key = stop.id
    desk = sit_down("operations")
    assert "Teams past the line of the law" in text_of(desk.get("/"))

    sit_down("finance").decide("team_stops", "lift", key, reason="no right")
    session.expire_all()
    assert session.get_one(TeamStop, key).lifted_at is None
    desk.decide("team_stops", "lift", key, reason="counsel agreed")

    session.expire_all()
    after = session.get_one(TeamStop, key)
    assert (after.lifted_by, after.reason) == (f"staff:{desk.staff_id}", "counsel agreed")


def test_statements_stand_on_the_page_of_a_distributor_and_leave_as_a_file(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    ours = make_distributor(session, make_member(session, nickname="Ours"), store_id=here.id)
    theirs = make_distributor(session, make_member(session, nickname="Theirs"), store_id=there.id)
    for one in (ours, theirs):
        make_award(session, one, 12_300, now=NOON)
    session.commit()
    finance = sit_down("finance")

    page = text_of(finance.get("/distributors/details/", id=ours.member_id))
    file = finance.get("/distributors/statements/", month="2026-03").get_data().decode("utf-8-sig")
    own = sit_down("finance", here).get("/distributors/statements/", month="2026-03")

    assert "Monthly statements" in page
    assert "2026-03" in page
    assert {line.split(",")[0] for line in file.splitlines()[1:]} == {"Ours", "Theirs"}
    lines = own.get_data().decode("utf-8-sig").splitlines()[1:]
    assert lines == ["Ours,2026-03,0.00,123.00,123.00,0.00,0.00,123.00"]
    assert sit_down("store_manager", here).get("/distributors/statements/").status_code == 403
    assert finance.get("/distributors/statements/", month="2026-13").status_code == 404
