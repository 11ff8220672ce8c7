"""Guest cards in the back office: kinds, cards, the counter, bookings, uses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards import redeeming
from app.guest_cards.models import (
    CardBooking,
    CardLevelQuota,
    CardTemplate,
    CardTemplateService,
    CardUse,
    GuestCard,
)
from app.guest_cards.states import BookingState, CardState
from app.kernel.clock import utc_now
from app.settings import Settings
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.guest_cards import (
    claimed_card,
    make_friend,
    make_template,
    missable_booking,
    used,
)
from tests.factories.orders import make_product
from tests.factories.people import make_distributor, make_member, make_store

PHONE = "+8613911119999"


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "静安店")


@pytest.fixture
def card(session: Session, settings: Settings, store: Store) -> GuestCard:
    friend = make_friend(session, nickname="小美", phone=PHONE)
    giver = make_distributor(session, make_member(session, nickname="王姐"), store_id=store.id)
    return claimed_card(
        session,
        settings,
        member=friend,
        giver=giver,
        template=make_template(session, uses=2),
        now=utc_now() - timedelta(minutes=10),
    )


def uses(session: Session) -> list[CardUse]:
    session.expire_all()
    return list(session.scalars(sa.select(CardUse).order_by(CardUse.id)))


def test_staff_set_a_guest_card_up_and_change_it(session: Session, owner: Desk) -> None:
    service = make_product(session, title="面部护理")
    session.commit()
    said = {
        "name": "新客体验卡",
        "service_1": str(service.id),
        "count_1": "3",
        "service_2": "",
        "service_3": "",
        "count_2": "1",
        "count_3": "1",
        "face_value_fen": "198.00",
        "cost_fen": "30.00",
        "settle_price_fen": "50.00",
        "valid_days": "90",
        "is_new_only": "y",
        "slot_minutes": "60",
        "slot_capacity": "2",
        "reward_points": "100",
        "reward_coupon": "",
        "quota_1": "2",
        "quota_3": "9",
    }

    made = owner.post("/card_templates/form/new/", said)
    template = session.scalars(sa.select(CardTemplate)).one()
    again = owner.post(
        f"/card_templates/form/edit/?id={template.id}", said | {"count_1": "2", "quota_1": "4"}
    )

    assert (made.status_code, again.status_code) == (302, 302), text_of(made)
    session.expire_all()
    assert (template.name, template.face_value_fen, template.store_ids) == (
        "新客体验卡",
        19_800,
        None,
    )
    services = session.scalars(sa.select(CardTemplateService)).all()
    assert [(one.product_id, one.count) for one in services] == [(service.id, 2)]
    quotas = session.scalars(sa.select(CardLevelQuota).order_by(CardLevelQuota.level)).all()
    assert [(one.level, one.count) for one in quotas] == [(1, 4), (3, 9)]


def test_what_cannot_be_is_told_beside_its_field(session: Session, owner: Desk) -> None:
    goods = make_product(session)
    session.commit()
    said = {
        "name": "x",
        "service_1": "",
        "face_value_fen": "1",
        "valid_days": "9",
        "count_1": "1",
        "count_2": "1",
        "count_3": "1",
        "service_2": "",
        "service_3": "",
        "reward_coupon": "",
    }

    answer = owner.post("/card_templates/form/new/", said)

    assert goods.id
    assert answer.status_code == 200
    assert "This is not possible here." in text_of(answer)
    assert session.scalars(sa.select(CardTemplate)).all() == []


def test_the_page_of_a_kind_tells_what_it_brought(
    session: Session, card: GuestCard, store: Store, owner: Desk
) -> None:
    used(session, card, store, now=utc_now() - timedelta(minutes=5))
    session.commit()

    page = text_of(owner.get("/card_templates/details/", id=card.template_id))

    assert "What it brought in 90 days" in page
    assert "王姐" in page
    assert "面部护理" in page


def test_the_story_of_a_card_is_told(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    used(session, card, store, now=utc_now() - timedelta(minutes=5))
    session.commit()

    page = text_of(sit_down("store_manager", store).get("/guest_cards/details/", id=card.id))

    for told in ("小美", "王姐", "Claimed by a friend", "Used once", "面部护理", "静安店"):
        assert told in page


def test_the_counter_redeems_by_code_once(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("front_desk", store)
    code = redeeming.show_code(session, card.id, None, member_id=card.member_id or 0, now=utc_now())
    said = {"code": str(code), "phone": "", "store_id": str(store.id)}
    session.commit()

    done = desk.post("/guest_cards/form/redeem/", said)
    replayed = desk.post("/guest_cards/form/redeem/", said)

    assert done.status_code == 302, text_of(done)
    assert "used already" in text_of(replayed)
    [use] = uses(session)
    assert (use.is_by_code, use.staff_id, use.store_id) == (True, desk.staff_id, store.id)


def test_the_counter_redeems_by_phone_number_as_its_own_word(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("front_desk", store)
    said = {"code": "", "store_id": str(store.id)}

    unknown = desk.post("/guest_cards/form/redeem/", said | {"phone": "13900000000"})
    none = desk.post("/guest_cards/form/redeem/", said | {"phone": ""})
    done = desk.post("/guest_cards/form/redeem/", said | {"phone": PHONE.removeprefix("+86")})

    assert "There is no such guest card." in text_of(unknown)
    assert "There is no such guest card." in text_of(none)
    assert done.status_code == 302, text_of(done)
    assert [use.is_by_code for use in uses(session)] == [False]


def test_another_store_sees_no_card_and_redeems_none_that_is_not_good_there(
    session: Session, settings: Settings, store: Store, sit_down: Callable[..., Desk]
) -> None:
    card = claimed_card(
        session, settings, template=make_template(session, store=store), now=utc_now()
    )
    there = make_store(session)
    desk = sit_down("front_desk", there)
    code = redeeming.show_code(session, card.id, None, member_id=card.member_id or 0, now=utc_now())
    session.commit()

    page = desk.get("/guest_cards/details/", id=card.id)
    answer = desk.post(
        "/guest_cards/form/redeem/", {"code": str(code), "phone": "", "store_id": str(there.id)}
    )

    assert page.status_code == 404
    assert "There is no such guest card." in text_of(answer)
    assert uses(session) == []


def test_a_card_is_revoked_with_a_reason_by_those_who_may(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    manager, owner = sit_down("store_manager", store), sit_down("owner")

    forbidden = manager.decide("guest_cards", "revoke", card.id, reason="by mistake")
    silent = owner.decide("guest_cards", "revoke", card.id, reason="")
    session.expire_all()
    kept = session.get_one(GuestCard, card.id).state
    owner.decide("guest_cards", "revoke", card.id, reason="by mistake")

    assert (forbidden.status_code, silent.status_code) == (403, 200)
    assert kept is CardState.CLAIMED
    session.expire_all()
    assert session.get_one(GuestCard, card.id).state is CardState.REVOKED


def test_the_store_notes_who_did_not_come(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    row = missable_booking(session, card, store, now=utc_now())
    desk, foreign = sit_down("front_desk", store), sit_down("front_desk", make_store(session))

    foreign.decide("card_bookings", "missed", row.id)
    session.expire_all()
    kept = session.get_one(CardBooking, row.id).state
    listed = text_of(desk.get("/card_bookings/"))
    desk.decide("card_bookings", "missed", row.id)

    assert kept is BookingState.BOOKED
    assert "小美" in listed
    session.expire_all()
    assert session.get_one(CardBooking, row.id).state is BookingState.NO_SHOW


def test_both_stores_see_what_one_owes_the_other(
    session: Session, card: GuestCard, store: Store, sit_down: Callable[..., Desk]
) -> None:
    there = make_store(session, "徐汇店")
    used(session, card, there, now=utc_now() - timedelta(minutes=5))
    session.commit()

    pages = [
        text_of(sit_down("store_manager", one).get("/card_uses/", settled="owed"))
        for one in (store, there, make_store(session))
    ]

    assert ["50.00" in page for page in pages] == [True, True, False]
