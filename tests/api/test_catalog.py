from sqlalchemy.orm import Session

from app.catalog.models import ProductKind
from app.stores.hours import WEEKDAYS, parse_week
from app.stores.states import StoreState
from tests.api.conftest import Phone, assert_problem
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_store


def test_products_on_sale_are_listed_newest_first_in_pages(session: Session, phone: Phone) -> None:
    products = [make_product(session, title=f"P{number}") for number in range(5)]
    make_product(session, is_published=False)

    first = phone.get("/products?limit=2").get_json()
    second = phone.get(f"/products?limit=2&cursor={first['next_cursor']}").get_json()
    third = phone.get(f"/products?limit=2&cursor={second['next_cursor']}").get_json()

    pages = [[item["title"] for item in page["items"]] for page in (first, second, third)]
    assert pages == [["P4", "P3"], ["P2", "P1"], ["P0"]]
    assert third["next_cursor"] is None
    assert first["items"][0] == {
        "id": products[4].id,
        "kind": "service",
        "title": "P4",
        "title_en": "",
        "description": "",
        "price_fen": 10_000,
        "list_price_fen": 10_000,
        "available": None,
    }


def test_a_page_that_ends_exactly_has_no_next(session: Session, phone: Phone) -> None:
    for _ in range(2):
        make_product(session)

    assert phone.get("/products?limit=2").get_json()["next_cursor"] is None


def test_the_stock_of_a_store_is_shown_for_goods(session: Session, phone: Phone) -> None:
    store, elsewhere = make_store(session), make_store(session)
    goods = make_goods(session, store, on_hand=3)
    service = make_product(session, kind=ProductKind.SERVICE)

    def available(store_id: int) -> dict[int, int | None]:
        items = phone.get(f"/products?store_id={store_id}").get_json()["items"]
        return {item["id"]: item["available"] for item in items}

    assert available(store.id) == {goods.id: 3, service.id: None}
    assert available(elsewhere.id) == {goods.id: 0, service.id: None}
    shown = phone.get(f"/products/{goods.id}?store_id={store.id}").get_json()
    assert (shown["id"], shown["available"]) == (goods.id, 3)


def test_a_product_not_on_sale_is_the_same_as_none(session: Session, phone: Phone) -> None:
    hidden = make_product(session, is_published=False)

    for product_id in (hidden.id, hidden.id + 1, 2**63 - 1):
        assert_problem(phone.get(f"/products/{product_id}"), 404, "product_not_found")


def test_stores_are_listed_by_name_while_they_are_open(session: Session, phone: Phone) -> None:
    for name in ("B", "A", "C"):
        store = make_store(session, name)
        store.state = StoreState.PAUSED if name == "C" else StoreState.OPEN
    session.flush()

    items = phone.get("/stores").get_json()["items"]

    assert [item["name"] for item in items] == ["A", "B"]


def test_a_page_holds_between_one_and_a_hundred_rows(phone: Phone) -> None:
    for limit in ("0", "101", "-1", "1000000", "1e2", "x", ""):
        assert_problem(phone.get(f"/products?limit={limit}"), 422, "invalid_request", "limit")
    assert phone.get("/products?limit=100").status_code == 200


def test_a_cursor_of_another_list_is_refused(session: Session, phone: Phone) -> None:
    for _ in range(2):
        make_product(session)
    cursor = phone.get("/products?limit=1").get_json()["next_cursor"]

    assert_problem(phone.get(f"/orders?cursor={cursor}"), 422, "invalid_request", "cursor")
    assert_problem(phone.get("/products?cursor=zzzz"), 422, "invalid_request", "cursor")
    assert_problem(phone.get(f"/products?cursor={'a' * 129}"), 422, "invalid_request", "cursor")


def test_near_stores_come_first_with_their_distance_in_pages(
    session: Session, phone: Phone
) -> None:
    spots = {"Far": (30_247_000, 120_210_000), "Near": (31_230_000, 121_460_000)}
    for name, (latitude, longitude) in spots.items():
        store = make_store(session, name)
        store.latitude_udeg, store.longitude_udeg = latitude, longitude
    make_store(session, "Anywhere")
    session.commit()
    path = "/stores?latitude_udeg=31229000&longitude_udeg=121454000&limit=2"

    first = phone.get(path).get_json()
    second = phone.get(f"{path}&cursor={first['next_cursor']}").get_json()

    shown = [(item["name"], item["distance_m"]) for item in first["items"] + second["items"]]
    assert shown == [("Near", 581), ("Far", 161_425), ("Anywhere", None)]
    assert second["next_cursor"] is None


def test_a_store_tells_where_it_is_and_when_somebody_is_there(
    session: Session, phone: Phone
) -> None:
    store = make_store(session, "静安店")
    store.code, store.city, store.district = "JA", "上海市", "静安区"
    store.address, store.phone = "南京西路 1266 号", "021-62880000"
    always = parse_week(dict.fromkeys(WEEKDAYS, "00:00-24:00"))
    store.opening_hours = always.document()
    session.commit()

    item = phone.get("/stores").get_json()["items"][0]

    assert item == {
        "id": store.id,
        "name": "静安店",
        "code": "JA",
        "city": "上海市",
        "district": "静安区",
        "address": "南京西路 1266 号",
        "phone": "021-62880000",
        "latitude_udeg": None,
        "longitude_udeg": None,
        "distance_m": None,
        "opening_hours": {day: [{"opens": "00:00", "closes": "24:00"}] for day in WEEKDAYS},
        "is_open_now": True,
    }


def test_half_a_place_is_refused(phone: Phone) -> None:
    assert_problem(phone.get("/stores?latitude_udeg=31229000"), 422, "invalid_request", "")
    assert_problem(
        phone.get("/stores?latitude_udeg=90000001&longitude_udeg=0"),
        422,
        "invalid_request",
        "latitude_udeg",
    )
