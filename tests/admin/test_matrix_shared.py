"""What several stores share: each of them sees it, none of them changes it for the others.

Rows of the whole brand, and rows of two stores, looked at by staff of one of the two; what such a
row brought is told of their own store alone.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.activities.models import Activity, ActivityEntry, ActivityItem
from app.activities.states import ActivityKind, ActivityState, EntryState
from app.coupons.models import CouponTemplate
from app.guest_cards.models import CardConversion, CardTemplate, GuestCard
from app.guest_cards.states import CardState
from app.kernel.clock import utc_now
from app.orders.states import OrderState
from app.points.mall_models import MallItem
from app.posters.models import PosterTemplate
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.pages import fields_of, text_of
from tests.admin.place import Place
from tests.factories import activities, coupons, guest_cards, points, posters
from tests.factories.orders import make_goods, make_order
from tests.factories.people import NOON, make_member


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with house.as_found() as session:
        yield session


def _activity(session: Session, here: Store, stores: list[Store]) -> Activity:
    goods = make_goods(session, here)
    return activities.make_activity(
        session, products=[goods], stores=stores, state=ActivityState.DRAFT
    )


def _card(session: Session, here: Store, stores: list[Store]) -> CardTemplate:
    row = guest_cards.make_template(session)
    row.store_ids = _ids(stores)
    return row


def _ids(stores: list[Store]) -> list[int] | None:
    return [one.id for one in stores] or None


MADE: Final[dict[str, tuple[Any, Callable[[Session, Store, list[Store]], Any], set[str]]]] = {
    "coupon_templates": (
        CouponTemplate,
        lambda session, _here, stores: coupons.make_template(
            session, now=utc_now(), store_ids=_ids(stores)
        ),
        {"edit", "stock", "end"},
    ),
    "card_templates": (CardTemplate, _card, {"edit", "end"}),
    "poster_templates": (
        PosterTemplate,
        lambda session, _here, stores: posters.make_template(
            session, store_ids=_ids(stores), is_published=False
        ),
        {"edit", "publish", "retire"},
    ),
    "mall_items": (
        MallItem,
        lambda session, _here, stores: points.make_mall_item(session, store_ids=_ids(stores)),
        {"edit", "withdraw"},
    ),
    "activities": (Activity, _activity, {"edit", "stock", "schedule", "start", "end"}),
}
"""How a row for some stores, or for all, is made; and which ways change one, in the order asked."""


@pytest.mark.parametrize("is_of_brand", [True, False], ids=["of the brand", "of two stores"])
@pytest.mark.parametrize("endpoint", MADE)
def test_what_stores_share_is_seen_by_each_and_changed_only_by_staff_of_all(
    house: House,
    session: Session,
    sit_down: Callable[..., Desk],
    endpoint: str,
    is_of_brand: bool,
) -> None:
    model, make, ways = MADE[endpoint]
    here, there = house.world.here.store, house.world.there.store
    row = make(session, here, [] if is_of_brand else [here, there])
    session.commit()
    manager, owner = sit_down("operations", here), sit_down("owner")

    assert manager.get(f"/{endpoint}/details/", id=row.id).status_code == 200
    assert changing_ways(session, manager, model, endpoint, row.id) == set()
    assert changing_ways(session, owner, model, endpoint, row.id) == ways


def changing_ways(session: Session, desk: Desk, model: Any, endpoint: str, row_id: int) -> set[str]:
    """Try every form and every decision about a row; return the names of those that changed it."""
    view = desk.client.application.extensions["backoffice"][endpoint]
    found = set()
    for page in view.form_pages:
        if page.is_about_row and page.name not in {"give", "push"}:
            before = facts_of(session, model, row_id)
            path = f"/{endpoint}/form/{page.name}/"
            shown = desk.get(path, id=row_id).get_data(as_text=True)
            desk.post(path, fields_of(shown) | NEW, query_string={"id": row_id})
            found |= {page.name} if facts_of(session, model, row_id) != before else set()
    for one in view.decisions:
        before = facts_of(session, model, row_id)
        desk.decide(endpoint, one.name, row_id, reason="for all stores")
        found |= {one.name} if facts_of(session, model, row_id) != before else set()
    return found


NEW: Final = {"title": "Changed", "name": "Changed", "stock": "77", "reason": "for all stores"}
"""What every form is sent that asks for it."""


def facts_of(session: Session, model: Any, row_id: int) -> list[Any]:
    """Return everything that the row of a model says, and how many pieces an activity gives."""
    session.expire_all()
    row = session.get_one(model, row_id)
    facts = [getattr(row, column.key) for column in sa.inspect(model).column_attrs]
    if model is Activity:
        stock = sa.select(ActivityItem.stock).where(ActivityItem.activity_id == row_id)
        facts.extend(session.scalars(stock.order_by(ActivityItem.id)))
    return facts


def test_an_activity_of_the_brand_tells_a_store_only_of_itself(
    house: House, session: Session, sit_down: Callable[..., Desk]
) -> None:
    world = house.world
    goods = make_goods(session, world.here.store)
    activity = activities.make_activity(session, ActivityKind.FLASH_SALE, products=[goods])
    for place, regular_fen in ((world.here, 9_900), (world.there, 77_700)):
        session.add(_entry(activity, place, make_member(session).id, regular_fen))
    session.commit()

    told = [
        text_of(desk.get("/activities/details/", id=activity.id))
        for desk in (sit_down("operations", world.here.store), sit_down("owner"))
    ]

    assert ["¥49.00" in one for one in told] == [True, False]
    assert ["¥776.00" in one for one in told] == [False, True]


def _entry(activity: Activity, place: Place, member_id: int, regular_fen: int) -> ActivityEntry:
    return ActivityEntry(
        activity_id=activity.id,
        item_id=activity.items[0].id,
        member_id=member_id,
        store_id=place.store.id,
        quantity=1,
        regular_fen=regular_fen,
        price_fen=5_000,
        is_newcomer=False,
        state=EntryState.KEPT,
        created_at=NOON,
    )


def test_a_coupon_of_the_brand_tells_a_store_only_of_its_own_customers(
    house: House, session: Session, sit_down: Callable[..., Desk]
) -> None:
    world = house.world
    template = coupons.make_template(session)
    for place in (world.here, world.there, world.there):
        member = make_member(session, origin_store_id=place.store.id)
        coupons.make_coupon(session, template, member)
    session.commit()

    told = [
        issued_on(desk.get("/coupon_templates/details/", id=template.id).get_data(as_text=True))
        for desk in (sit_down("operations", world.here.store), sit_down("owner"))
    ]

    assert told == [1, 3]


def issued_on(page: str) -> int:
    """Return how many coupons the only channel gave, by the page about a template."""
    table = page.split("What it brought", 1)[1].split("</table>", 1)[0]
    body = table.split("<tbody", 1)[1]
    cells = [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<td.*?</td>", body, re.S)]
    return int(cells[1])


def test_a_card_used_here_is_shown_here_and_revoked_where_it_was_given(
    house: House, session: Session, sit_down: Callable[..., Desk]
) -> None:
    world = house.world
    template = guest_cards.make_template(session, uses=3)
    card = guest_cards.claimed_card(
        session, settings(), giver=world.there.owner, template=template, now=utc_now()
    )
    guest_cards.used(session, card, world.here.store, now=utc_now())
    order = make_order(
        session, member=make_member(session), store=world.there.store, state=OrderState.PAID
    )
    session.add(
        CardConversion(
            card_id=card.id,
            order_id=order.id,
            store_id=world.there.store.id,
            paid_fen=12_345,
            paid_at=utc_now(),
        )
    )
    session.commit()
    here = sit_down("operations", world.here.store)

    page = text_of(here.get("/guest_cards/details/", id=card.id))
    here.decide("guest_cards", "revoke", card.id, reason="not given by us")
    session.expire_all()
    kept = session.get_one(GuestCard, card.id).state
    there = sit_down("operations", world.there.store)
    there.decide("guest_cards", "revoke", card.id, reason="given by us")
    session.expire_all()

    assert "¥123.45" not in page
    assert "¥123.45" in text_of(there.get("/guest_cards/details/", id=card.id))
    assert kept is CardState.CLAIMED
    assert session.get_one(GuestCard, card.id).state is CardState.REVOKED
