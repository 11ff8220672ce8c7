"""A list narrowed to days is ordered by them, and any date that people can type is taken."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from admin.filters import leads_an_index
from app.orders.models import Order
from tests.admin.conftest import Desk
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_store
from tests.factories.privacy import NOON


def test_orders_of_some_days_stand_in_the_order_of_their_days(
    session: Session, owner: Desk
) -> None:
    store, member = make_store(session), make_member(session)
    late = make_order(session, member=member, store=store, now=NOON)
    early = make_order(session, member=member, store=store, now=NOON - timedelta(days=1))
    session.commit()

    usual = owner.get("/orders/").get_data(as_text=True)
    of_days = owner.get("/orders/", created_from="2026-02-01").get_data(as_text=True)

    assert usual.index(early.number) < usual.index(late.number)
    assert of_days.index(late.number) < of_days.index(early.number)


@pytest.mark.parametrize(
    "day", ["9999-12-31", "0001-01-01", "2026-02-30", "２０２６-01-01", "2026-W01-1", "x" * 5_000]
)
def test_a_date_that_no_calendar_goes_on_from_counts_as_not_said(owner: Desk, day: str) -> None:
    answer = owner.get("/orders/", created_from=day, created_to=day)

    assert answer.status_code == 200


def test_only_an_index_of_the_whole_table_serves_an_order() -> None:
    assert leads_an_index(Order.created_at)
    assert not leads_an_index(Order.closed_at)
    assert not leads_an_index(Order.pay_by_at), "that index holds unpaid orders only"
