"""The file of a distributor: what they brought, the way up, and what is doubted."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import performance, settlement
from app.distribution.models import Award
from app.distribution.performance import Month
from app.kernel.db import database_now
from app.kernel.outbox import Task
from app.members.models import Distributor
from app.orders.states import OrderState
from app.payouts import holds
from app.risk.models import RiskFlag
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import make_award, plan_version_id
from tests.factories.people import (
    NOON,
    make_binding,
    make_distributor,
    make_member,
    make_store,
)

DAY = timedelta(days=1)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "Here store")


@pytest.fixture
def seller(session: Session, store: Store) -> Distributor:
    return make_distributor(session, make_member(session, nickname="Seller"), store_id=store.id)


def page_of(desk: Desk, seller: Distributor) -> str:
    answer = desk.get("/distributors/details/", id=seller.member_id)
    assert answer.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", answer.get_data(as_text=True)))


def part(page: str, title: str) -> str:
    return page.split(f">{title}</h2>")[1].split("</section>")[0]


def test_months_count_what_was_won_sold_given_back_and_earned(
    session: Session, seller: Distributor, store: Store
) -> None:
    customer = make_member(session)
    make_binding(session, customer=customer, owner=seller, valid_from_at=NOON)
    order = make_order(session, member=customer, store=store, owner=seller, price_fen=10_000)
    make_order(session, member=customer, store=store, owner=seller, price_fen=5_000)
    make_refund(session, order, amounts={order.lines[0].id: 4_000})
    make_award(session, seller, 700, now=NOON)

    months = performance.by_month(session, seller.member_id, months=3, now=NOON)

    assert months == [
        Month("2026-03", 1, 1, 2, 15_000, 4_000, 700, 0),
        Month("2026-02", 0, 1, 1, 7_000, 0, 0, 0),
        Month("2026-01"),
    ]


def test_a_month_begins_at_midnight_in_shanghai(
    session: Session, seller: Distributor, store: Store
) -> None:
    begins = NOON.replace(day=1, hour=16, minute=0) - DAY
    for at in (begins - timedelta(seconds=1), begins):
        make_order(session, store=store, owner=seller, now=at)

    months = performance.by_month(session, seller.member_id, months=2, now=NOON)

    assert [(one.month, one.orders_count) for one in months] == [("2026-03", 1), ("2026-02", 1)]


def test_a_manager_sees_the_sales_of_their_own_store_only(
    session: Session, seller: Distributor, store: Store, sit_down: Callable[..., Desk]
) -> None:
    session.commit()
    now = database_now()
    elsewhere = make_store(session, "There store")
    make_order(session, store=store, owner=seller, price_fen=1_100, now=now)
    make_order(session, store=elsewhere, owner=seller, price_fen=2_200, now=now)
    manager, brand = sit_down("store_manager", store), sit_down("owner")

    assert "¥11.00" in part(page_of(manager, seller), "Month by month")
    assert "¥33.00" in part(page_of(brand, seller), "Month by month")
    assert "22.00" not in page_of(manager, seller)
    assert "Commission" not in part(page_of(manager, seller), "Month by month")


def test_codes_tell_touches_those_bound_and_those_who_paid(
    session: Session, seller: Distributor, store: Store
) -> None:
    bindings = [make_binding(session, owner=seller) for _ in range(2)]
    make_order(
        session,
        member=session.get_one(type(make_member(session)), bindings[0].customer_id),
        store=store,
        binding=bindings[0],
        state=OrderState.PAID,
    )

    found = performance.codes(session, seller.member_id)

    assert [(one.touch_count, one.bound_count, one.paid_count) for one in found] == [
        (1, 1, 0),
        (1, 1, 1),
    ]
    assert not any(one.is_cut for one in found)


def test_the_page_says_that_payouts_are_held_and_why(
    session: Session, seller: Distributor, owner: Desk
) -> None:
    session.commit()
    fields = {"reason": "Bought through a friend", "holds_payouts": "y"}

    owner.post(f"/distributors/form/suspect/?id={seller.member_id}", fields)

    page = page_of(owner, seller)
    assert '<span class="badge bad">Payouts held</span>' in page
    assert "Bought through a friend" in part(page, "Risk flags")
    assert holds.held(session, [seller.member_id]) == {seller.member_id}


def test_a_list_shows_and_finds_those_who_are_doubted(
    session: Session, seller: Distributor, owner: Desk
) -> None:
    make_distributor(session, make_member(session, nickname="Trusted"))
    session.commit()
    owner.post(
        f"/distributors/form/suspect/?id={seller.member_id}",
        {"reason": "Too many at once", "holds_payouts": "y"},
    )

    for doubt in ("suspected", "held"):
        page = owner.get("/distributors/", doubt=doubt).get_data(as_text=True)
        assert ">Seller<" in page
        assert "Trusted" not in page
    assert "Payouts held" in owner.get("/distributors/").get_data(as_text=True)


def test_the_way_up_tells_what_is_there_and_what_is_missing(
    session: Session, seller: Distributor, owner: Desk
) -> None:
    plan_version_id(session)
    session.commit()

    page = page_of(owner, seller)

    told = part(page, "The way to the next level")
    assert "Level 2 asks for" in told
    assert "✗" in told


def test_commission_is_shown_with_its_reasons(
    session: Session, seller: Distributor, store: Store, owner: Desk
) -> None:
    order = make_order(session, store=store, owner=seller, plan_version_id=plan_version_id(session))
    task = Task(job="award_orders", subject_id=order.id, created_at=NOON, due_at=NOON)
    session.add(task)
    session.flush()
    settlement.award_orders(session, [task], NOON)
    session.commit()
    award_id = session.scalars(sa.select(Award.id)).one()

    told = part(page_of(owner, seller), "Latest commission, and why")

    assert f"/admin/awards/details/?id={award_id}" in told
    assert "<ol><li>" in told


def test_a_distributor_of_another_store_cannot_be_suspected(
    session: Session, seller: Distributor, sit_down: Callable[..., Desk]
) -> None:
    stranger: Any = sit_down("operations", make_store(session, "There store"))

    answer = stranger.post(
        f"/distributors/form/suspect/?id={seller.member_id}",
        {"reason": "Not mine to say", "holds_payouts": "y"},
    )

    assert answer.status_code == 404
    assert session.scalars(sa.select(RiskFlag)).all() == []
