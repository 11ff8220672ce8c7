"""Points and the mall as the mini-program sees them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.members.models import Member
from app.points import earning
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.coupons import make_template
from tests.factories.orders import make_goods
from tests.factories.people import make_member, make_store
from tests.factories.points import make_exchange, make_mall_item, make_points


def member_of(session: Session, phone: Phone) -> Member:
    return session.get_one(Member, phone.member_id)


def test_a_member_sees_what_they_have_and_what_runs_out_next(
    session: Session, phone: Phone
) -> None:
    now, member = datetime.now(UTC), member_of(session, phone)
    make_points(session, member, 300, now=now)
    soon = make_points(session, member, 20, now=now - timedelta(days=360))
    make_points(session, member, 7, now=now - timedelta(days=400))
    earning.earn_pending(session, member.id, 55, key="order:1", now=now)

    shown = phone.get("/points").get_json()

    assert {name: shown[name] for name in ("available", "pending", "reserved", "debt")} == {
        "available": 320,
        "pending": 55,
        "reserved": 0,
        "debt": 0,
    }
    assert [one["points"] for one in shown["running_out"]] == [20, 300]
    first = datetime.fromisoformat(shown["running_out"][0]["expires_at"])
    assert first == soon.expires_at
    assert (shown["per_yuan_off"], shown["deduction_max_bp"]) == (100, 5_000)


def test_the_statement_is_ones_own_newest_first_by_pages(session: Session, phone: Phone) -> None:
    member = member_of(session, phone)
    make_points(session, make_member(session), 999)
    for points in (10, 20, 30):
        make_points(session, member, points)

    first = phone.get("/points/statement?limit=2").get_json()
    rest = phone.get(f"/points/statement?limit=2&cursor={first['next_cursor']}").get_json()

    pages = [[one["available_change"] for one in page["items"]] for page in (first, rest)]
    assert pages == [[30, 20], [10]]
    assert (first["items"][0]["kind"], first["items"][0]["source"]) == ("granted", "task")
    assert rest["next_cursor"] is None


def test_the_mall_shows_what_is_there_and_where(session: Session, phone: Phone) -> None:
    here, there = make_store(session, "Here"), make_store(session, "There")
    make_mall_item(session, is_published=False)
    everywhere = make_mall_item(session, title="Everywhere")
    local = make_mall_item(session, title="Local", store_ids=[here.id], stock=3)

    pages = [
        phone.get(path).get_json() for path in ("/points/mall", f"/points/mall?store_id={there.id}")
    ]
    detail = phone.get(f"/points/mall/{local.id}").get_json()

    assert [[one["title"] for one in page["items"]] for page in pages] == [
        ["Local", "Everywhere"],
        ["Everywhere"],
    ]
    assert (detail["left"], detail["points"]) == (3, 100)
    assert detail["stores"] == [{"id": here.id, "name": "Here"}]
    assert everywhere.id == pages[1]["items"][0]["id"]


def test_an_exchange_happens_once_for_its_key(session: Session, phone: Phone) -> None:
    store = make_store(session)
    item = make_mall_item(session, make_goods(session, store))
    make_points(session, member_of(session, phone), 250, now=datetime.now(UTC))
    body, key = {"item_id": item.id, "store_id": store.id}, new_key()

    first, again = (phone.post("/points/exchanges", body, key=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert (first.get_json()["state"], first.get_json()["points"]) == ("waiting", 100)
    assert phone.get("/points").get_json()["available"] == 150
    listed = phone.get("/points/exchanges").get_json()["items"]
    assert listed == [first.get_json()]
    assert phone.get(f"/points/exchanges/{listed[0]['id']}").get_json() == listed[0]


def test_a_coupon_for_points_is_there_at_once(session: Session, phone: Phone) -> None:
    now = datetime.now(UTC)
    item = make_mall_item(session, template_id=make_template(session, now=now).id)
    make_points(session, member_of(session, phone), 100, now=now)

    had = phone.post("/points/exchanges", {"item_id": item.id}, key=new_key()).get_json()

    assert (had["state"], had["kind"]) == ("given", "coupon")
    assert had["coupon_id"] is not None


def test_refusals_say_why_and_move_nothing(session: Session, phone: Phone) -> None:
    store = make_store(session)
    item, gone = make_mall_item(session), make_mall_item(session, stock=0, points=1)
    make_points(session, member_of(session, phone), 99, now=datetime.now(UTC))

    with nothing_moves(session):
        for body, status, code in (
            ({"item_id": item.id, "store_id": store.id}, 409, "points_short"),
            ({"item_id": gone.id, "store_id": store.id}, 409, "mall_item_gone"),
            ({"item_id": gone.id}, 422, "mall_store_wrong"),
            ({"item_id": 10**9, "store_id": store.id}, 404, "mall_item_not_found"),
        ):
            refused = phone.post("/points/exchanges", body, key=new_key())
            assert_problem(refused, status, code)


def test_what_waits_can_be_shown_at_the_counter_or_given_up(session: Session, phone: Phone) -> None:
    row = make_exchange(session, member_of(session, phone), make_store(session))

    code = phone.post(f"/points/exchanges/{row.id}/code")
    ended = phone.post(f"/points/exchanges/{row.id}/cancel")

    assert code.status_code == 201
    assert code.get_json()["code"].startswith(f"TK1.gift:{row.id}.")
    assert ended.get_json()["state"] == "cancelled"
    assert_problem(phone.post(f"/points/exchanges/{row.id}/code"), 409, "exchange_not_waiting")
    assert_problem(phone.post(f"/points/exchanges/{row.id}/cancel"), 409, "exchange_not_waiting")


def test_what_others_had_is_nobody_elses(
    session: Session, phone: Phone, phone_of: Callable[..., Phone]
) -> None:
    member = make_member(session)
    row = make_exchange(session, member, make_store(session))

    for answer in (
        phone.get(f"/points/exchanges/{row.id}"),
        phone.post(f"/points/exchanges/{row.id}/code"),
        phone.post(f"/points/exchanges/{row.id}/cancel"),
    ):
        assert_problem(answer, 404, "exchange_not_found")
    assert phone_of(member).get(f"/points/exchanges/{row.id}").status_code == 200
