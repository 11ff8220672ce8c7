"""Months of plans: seen before they are closed, closed once, explained and exported."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import shareholders
from app.distribution.models import Award
from app.distribution.month_books import bounds, month_of
from app.distribution.plan_records import ClosedMonth, PlanPlace
from app.kernel.audit import SYSTEM, AuditRecord
from app.kernel.db import database_now
from app.members.models import Distributor, Member
from app.orders.states import OrderState
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plans import make_plan


@dataclass
class Pool:
    """A store whose last month brought ¥10,000.00, one holder who bought, and one who did not."""

    store: Store
    plan_id: int
    month: str
    running: str
    buyer: Distributor
    idle: Distributor

    def due(self, month: str | None = None) -> dict[str, object]:
        """Return how a page names a month of this store."""
        return {"plan": self.plan_id, "month": month or self.month, "store": self.store.id}


@pytest.fixture
def pool(session: Session) -> Pool:
    session.commit()
    now = database_now()
    running = month_of(now)
    month = month_of(bounds(running)[0] - timedelta(days=1))
    at = bounds(month)[0] + timedelta(days=3)
    store = make_store(session, "Harbour store")
    version = make_plan(session, model="SHARING_SHAREHOLDERS")
    people = [
        make_distributor(session, make_member(session, nickname=name), store_id=store.id)
        for name in ("Buying Bo", "Idle Ida")
    ]
    session.commit()
    for person in people:
        shareholders.grant(store.id, person.member_id, level=1, actor=SYSTEM, now=at)
    for member, fen in ((session.get_one(Member, people[0].member_id), 100), (None, 999_900)):
        make_order(
            session,
            member=member,
            store=store,
            price_fen=fen,
            state=OrderState.SETTLED,
            plan_version_id=version.id,
            now=at + timedelta(days=1),
        )
    session.commit()
    return Pool(store, version.plan_id, month, running, *people)


def closed(session: Session) -> list[tuple[str, int | None, int]]:
    rows = session.execute(
        sa.select(ClosedMonth.month, ClosedMonth.store_id, ClosedMonth.awarded_fen).order_by(
            ClosedMonth.id
        )
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]  # three columns, as written above


def test_a_preview_tells_what_each_would_get_and_why_others_get_nothing(
    session: Session, owner: Desk, pool: Pool
) -> None:
    due = text_of(owner.get("/months/close/"))
    page = text_of(owner.get("/months/close/preview/", **pool.due()))

    assert pool.month in due
    assert "Harbour store" in due
    assert "is a pool of ¥500.00." in page
    assert "Would be paid" in page
    assert "Buying Bo · Share of the monthly pool" in page
    assert "Member Idle Ida had no settled purchase of their own" in page
    assert "Close now" in page
    assert closed(session) == []


def test_the_running_month_can_be_looked_at_and_not_closed(
    session: Session, owner: Desk, pool: Pool
) -> None:
    page = text_of(owner.get("/months/close/preview/", **pool.due(pool.running)))
    answer = owner.post("/months/close/", pool.due(pool.running))

    assert "Close now" not in page
    assert "It can be closed when it is over." in page
    assert answer.status_code == 302
    assert owner.flashes() == [f"{pool.running} is not over yet."]
    assert closed(session) == []


def test_the_finance_office_closes_a_month_once(
    session: Session, sit_down: Callable[..., Desk], pool: Pool
) -> None:
    desk = sit_down("finance")

    first = desk.post("/months/close/", pool.due())
    told = desk.flashes()
    desk.post("/months/close/", pool.due())

    assert "/admin/months/details/?id=" in first.headers["Location"]
    assert told == [f"{pool.month} was closed."]
    assert desk.flashes() == [f"{pool.month} is closed already."]
    assert closed(session) == [(pool.month, pool.store.id, 50_000)]
    [award] = session.scalars(sa.select(Award))
    assert (award.beneficiary_id, award.amount_fen) == (pool.buyer.member_id, 50_000)
    trail = session.execute(sa.select(AuditRecord.action, AuditRecord.actor_id)).all()
    assert ("month.closed", desk.staff_id) in [tuple(one) for one in trail]


def test_a_closed_month_is_told_explained_and_taken_out_as_a_file(
    session: Session, owner: Desk, pool: Pool
) -> None:
    owner.post("/months/close/", pool.due())
    [row] = session.scalars(sa.select(ClosedMonth))
    [award] = session.scalars(sa.select(Award))

    page = text_of(owner.get("/months/details/", id=row.id))
    award_page = text_of(owner.get("/awards/details/", id=award.id))
    listed = text_of(owner.get("/awards/", month=row.id))
    file = owner.get("/awards/export/csv/", month=row.id).get_data().decode("utf-8-sig")
    refused = text_of(owner.get("/award_refusals/", month=row.id))

    assert "1 holders took part and got ¥500.00; ¥0.00 goes on to the next month" in page
    assert "Share of the monthly pool: 1 payment, ¥500.00 together." in page
    assert "Not paid: 1 time, with its reason." in page
    assert "Member Idle Ida had no settled purchase" in page
    assert "Commission of a month earned" in page
    assert f"/admin/months/details/?id={row.id}" in award_page
    assert "Share of the monthly pool" in award_page
    assert "weighs 1 of 1 among all who take part" in award_page
    assert "Waiting for the pay day" in award_page
    assert "Buying Bo" in listed
    assert "500.00" in file
    assert "Idle Ida" in refused


def test_months_are_closed_in_their_order(session: Session, owner: Desk, pool: Pool) -> None:
    before = month_of(bounds(pool.month)[0] - timedelta(days=1))
    begun = bounds(before)[0] + timedelta(days=3)
    session.execute(sa.update(PlanPlace).values(made_at=begun))
    session.commit()

    page = text_of(owner.get("/months/close/preview/", **pool.due()))
    owner.post("/months/close/", pool.due())
    told = owner.flashes()
    owner.post("/months/close/", pool.due(before))
    owner.post("/months/close/", pool.due())

    assert f"{before} has to be closed first." in page
    assert "Close now" not in page
    assert told == [f"{before} has to be closed first."]
    assert [month for month, _store, _fen in closed(session)] == [before, pool.month]


def test_only_who_may_close_a_month_can_and_only_with_the_token(
    session: Session, sit_down: Callable[..., Desk], pool: Pool
) -> None:
    auditor, finance = sit_down("auditor"), sit_down("finance")

    page = text_of(auditor.get("/months/close/preview/", **pool.due()))
    forbidden = auditor.post("/months/close/", pool.due())
    forged = finance.post("/months/close/", {**pool.due(), "csrf_token": "invented"})

    assert "Close now" not in page
    assert (forbidden.status_code, forged.status_code) == (403, 400)
    assert closed(session) == []


def test_a_month_of_another_store_or_of_the_brand_is_not_there_for_staff_of_one(
    session: Session, sit_down: Callable[..., Desk], pool: Pool
) -> None:
    desk = sit_down("finance", make_store(session, "Elsewhere"))
    of_brand = {"plan": pool.plan_id, "month": pool.month}

    answers = [
        desk.get("/months/close/preview/", **pool.due()),
        desk.get("/months/close/preview/", **of_brand),
        desk.post("/months/close/", pool.due()),
        desk.post("/months/close/", of_brand),
    ]

    assert [one.status_code for one in answers] == [404] * 4
    assert "Harbour store" not in text_of(desk.get("/months/close/"))
    assert closed(session) == []


@pytest.mark.parametrize(
    "wish", [{"month": "2026-13"}, {"plan": "x"}, {"plan": 999_999}, {"store": ""}]
)
def test_what_names_no_month_of_a_plan_is_not_found(
    owner: Desk, pool: Pool, wish: dict[str, object]
) -> None:
    answer = owner.get("/months/close/preview/", **{**pool.due(), **wish})

    assert answer.status_code == 404


def test_a_plan_of_the_whole_brand_is_told_without_a_pool(session: Session, owner: Desk) -> None:
    session.commit()
    running = month_of(database_now())
    month = month_of(bounds(running)[0] - timedelta(days=1))
    version = make_plan(session, model="CHANNEL_TEAM_LADDER", at=bounds(month)[0])
    seller = make_distributor(session, make_member(session, nickname="Leading Lin"))
    make_order(
        session,
        owner=seller,
        price_fen=2_000_000,
        state=OrderState.SETTLED,
        plan_version_id=version.id,
        now=bounds(month)[0] + timedelta(days=3),
    )
    session.commit()
    due = {"plan": version.plan_id, "month": month}

    before = text_of(owner.get("/months/close/preview/", **due))
    owner.post("/months/close/", due)
    [row] = session.scalars(sa.select(ClosedMonth))
    after = text_of(owner.get("/months/details/", id=row.id))

    for page in (before, after):
        assert "¥20,000.00 was settled in the month" in page
        assert "Team ladder: 1 payment, ¥200.00 together." in page
        assert "The ladder pays 1% on that: ¥200.00." in page
        assert "Leading Lin" in page
