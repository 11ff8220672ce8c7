"""Points in the back office: by hand, in the customer's file, and the mall."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.approvals.models import Approval, ApprovalState
from app.kernel.audit import AuditRecord
from app.ledger.queries import balance
from app.members.models import Member
from app.points import accounts
from app.points.mall_models import MallExchange, MallItem
from app.points.states import ExchangeState
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.orders import make_product
from tests.factories.people import make_member, make_staff, make_store
from tests.factories.points import make_exchange, make_mall_item, make_points


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


@pytest.fixture
def member(session: Session, store: Store) -> Member:
    return make_member(session, nickname="Collector", origin_store_id=store.id)


def held(session: Session, member: Member) -> int:
    session.expire_all()
    return balance(session, accounts.available(member.id))


def test_few_points_are_given_and_taken_by_one_person_and_told(
    session: Session, member: Member, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("operations")
    for points in ("120", "-20"):
        desk.post(
            "/members/form/points/",
            {"points": points, "reason": "waited too long"},
            query_string={"id": member.id},
        )

    page = text_of(desk.get("/members/details/", id=member.id))
    assert held(session, member) == 100
    assert "Points: Given" in page
    assert "+120 · waited too long" in page
    assert "Taken by hand" in page


@pytest.mark.parametrize("points", ["0", "5000", "-1", "1e3", "", "9999999999"])
def test_what_one_person_may_not_give_changes_nothing(
    session: Session, member: Member, sit_down: Callable[..., Desk], points: str
) -> None:
    answer = sit_down("operations").post(
        "/members/form/points/",
        {"points": points, "reason": "because"},
        query_string={"id": member.id},
    )

    assert answer.status_code == 200
    assert held(session, member) == 0


def test_many_points_wait_for_a_colleague_and_come_once_they_agree(
    session: Session, member: Member, sit_down: Callable[..., Desk]
) -> None:
    maker, checker = make_staff(session, "operations"), make_staff(session, "operations")
    sit_down(staff=maker).post(
        "/members/form/points-together/",
        {"points": "9000", "reason": "prize", "way": "ask"},
        query_string={"id": member.id},
    )
    row = session.scalars(sa.select(Approval)).one()
    before = held(session, member)

    desk = sit_down(staff=checker)
    page = text_of(desk.get("/approvals/details/", id=row.id))
    desk.decide("approvals", "approve", row.id)

    assert before == 0
    assert "Give or take points by hand" in page
    assert "Points by hand in all" in page
    assert held(session, member) == 9_000
    assert session.get_one(Approval, row.id).state is ApprovalState.APPROVED
    trail = sa.select(AuditRecord).where(AuditRecord.action == "points_adjusted")
    record = session.scalars(trail).one()
    assert (record.actor_id, record.after["second_actor"]) == (maker.id, f"staff:{checker.id}")


def test_who_may_only_look_is_offered_nothing(
    session: Session, member: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    make_points(session, member, 30)
    desk = sit_down("front_desk", store)

    page = text_of(desk.get("/members/details/", id=member.id))
    refused = desk.post(
        "/members/form/points/",
        {"points": "10", "reason": "because"},
        query_string={"id": member.id},
    )

    assert "Points left, by when they run out" in page
    assert "Change points" not in page
    assert refused.status_code == 403
    assert held(session, member) == 30


def test_an_item_is_put_into_the_mall_changed_and_taken_out(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    desk, product = sit_down("operations"), make_product(session)
    said = {
        "title": "Gift set",
        "kind": "product",
        "product_id": str(product.id),
        "template_id": "",
        "points": "80",
        "stock": "5",
        "is_published": "y",
    }

    desk.post("/mall_items/form/new/", said)
    item = session.scalars(sa.select(MallItem)).one()
    edited = {"title": "Large gift set", "points": "90", "stock": "6"}
    desk.post("/mall_items/form/edit/", edited, query_string={"id": item.id})
    session.expire_all()
    after_edit = (item.title, item.points, item.stock, item.product_id, item.is_published)
    desk.decide("mall_items", "publish", item.id)

    session.expire_all()
    assert after_edit == ("Large gift set", 90, 6, product.id, False)
    assert item.is_published
    desk.decide("mall_items", "withdraw", item.id)
    session.expire_all()
    assert not item.is_published


def test_what_waits_is_handed_over_in_its_store_or_cancelled(
    session: Session, member: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    now, item = datetime.now(UTC), make_mall_item(session)
    first, second = (make_exchange(session, member, store, item, now=now) for _ in range(2))
    elsewhere = sit_down("front_desk", make_store(session))
    here, office = sit_down("front_desk", store), sit_down("operations")

    absent = elsewhere.get("/mall_exchanges/details/", id=first.id)
    elsewhere.decide("mall_exchanges", "hand-over", first.id)
    session.expire_all()
    untouched = session.get_one(MallExchange, first.id).state
    here.decide("mall_exchanges", "hand-over", first.id)
    office.decide("mall_exchanges", "cancel", second.id, reason="broken on the way")

    session.expire_all()
    assert absent.status_code == 404
    assert untouched is ExchangeState.WAITING
    assert session.get_one(MallExchange, first.id).state is ExchangeState.HANDED_OVER
    assert session.get_one(MallExchange, second.id).state is ExchangeState.CANCELLED
    assert held(session, member) == 100
    page = text_of(office.get("/mall_exchanges/details/", id=second.id))
    assert "broken on the way" in page
