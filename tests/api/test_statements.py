from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import levels
from app.distribution.plan_records import LevelWarning
from app.members.models import Distributor
from app.orders.states import OrderState
from tests.api.conftest import Phone, assert_problem
from tests.factories.orders import make_order, paid_order
from tests.factories.payouts import claw_back, make_award, make_earner, plan_version_id
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award

FEBRUARY = datetime(2026, 2, 10, tzinfo=UTC)
MARCH = datetime(2026, 3, 10, tzinfo=UTC)


def test_a_statement_closes_with_what_it_opened_with_and_what_moved(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    earner = make_distributor(session)
    make_award(session, earner, 5_000, now=FEBRUARY)
    lost = make_award(session, earner, 2_000, now=MARCH)
    claw_back(session, lost, lost.base_fen // 2, now=MARCH + timedelta(days=1))
    phone = phone_of(earner)

    shown = phone.get("/distributor/statements/2026-03").get_json()

    assert shown == {
        "month": "2026-03",
        "opening_fen": 5_000,
        "earned_fen": 2_000,
        "matured_fen": 2_000,
        "taken_back_fen": 1_000,
        "paid_out_fen": 0,
        "closing_fen": 6_000,
        "earned": [{"kind": "L1", "count": 1, "amount_fen": 2_000}],
    }
    months = phone.get("/distributor/statements").get_json()
    assert months == {"months": ["2026-03", "2026-02"]}


def test_the_awards_of_a_month_come_with_their_reasons(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    earner = make_distributor(session)
    version_id = plan_version_id(session)
    granted = []
    for at in (FEBRUARY, MARCH, MARCH):
        order = paid_order(session, owner=earner, plan_version_id=version_id, now=at)
        granted += [one.id for one in award(session, order, now=at)]
    kept = granted[1:]
    phone = phone_of(earner)

    first = phone.get("/distributor/statements/2026-03/awards?limit=1").get_json()
    second = phone.get(
        f"/distributor/statements/2026-03/awards?limit=1&cursor={first['next_cursor']}"
    ).get_json()

    assert [one["id"] for one in first["items"] + second["items"]] == kept[::-1]
    assert first["items"][0]["explanation"][0]["en"]
    assert second["next_cursor"] is None


def test_a_month_is_written_as_one(seller: Phone) -> None:
    for month in ("2026-13", "2026-3", "1999-01", "2026-03-01"):
        assert_problem(seller.get(f"/distributor/statements/{month}"), 404, "not_found")


def test_nobody_sees_the_statement_of_somebody_else(
    session: Session, phone_of: Callable[..., Phone], seller: Phone
) -> None:
    make_earner(session, 5_000)

    shown = seller.get("/distributor/statements/2026-03").get_json()

    assert (shown["opening_fen"], shown["earned_fen"], shown["closing_fen"]) == (0, 0, 0)
    assert seller.get("/distributor/statements").get_json() == {"months": []}


def test_the_history_of_levels_tells_why_each_began(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    make_plan(session)
    owner = make_distributor(session)
    make_order(session, owner=owner, price_fen=500_000, state=OrderState.SETTLED, now=FEBRUARY)
    levels.evaluate(session, [owner.member_id], now=MARCH)

    shown = phone_of(owner).get("/distributor/levels").get_json()

    now, before = shown["items"]
    assert (now["level"], now["cause"], now["until_at"]) == (2, "upgrade", None)
    assert now["explanation"][0]["en"].startswith("Level 1 became level 2")
    assert (before["level"], before["cause"], before["explanation"]) == (1, "approved", [])


def test_the_dashboard_shows_what_keeps_the_level_and_an_open_warning(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    version = make_plan(session, levels={"retention": {"every": "MONTH", "grace_days": 10}})
    owner: Distributor = make_distributor(session, level=2)
    session.add(
        LevelWarning(
            member_id=owner.member_id,
            level=2,
            plan_version_id=version.id,
            period="2026-02",
            facts={
                "level": 2,
                "period": "2026-02",
                "share_bp": 5_000,
                "conditions": [{"kind": "DIRECT_SALES", "at_least": 250_000, "found": 7}],
            },
            given_at=MARCH,
            until_at=MARCH + timedelta(days=10),
        )
    )
    session.flush()
    phone = phone_of(owner)

    shown = phone.get("/distributor").get_json()

    assert shown["keeping"] == {"every": "MONTH", "share_bp": 5_000, "grace_days": 10}
    assert (shown["warning"]["level"], shown["warning"]["period"]) == (2, "2026-02")
    assert len(shown["warning"]["explanation"]) == 2
    session.execute(sa.update(LevelWarning).values(ended_at=MARCH, outcome="lifted"))
    assert phone.get("/distributor").get_json()["warning"] is None
