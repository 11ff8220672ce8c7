"""Coupons in the back office: set up, given, pushed, redeemed, revoked, within one's stores."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons import ordering, redeeming
from app.coupons.models import Coupon, CouponPush, CouponTemplate
from app.coupons.states import CouponKind, CouponState
from app.kernel.clock import SHANGHAI, utc_now
from app.members.models import Member
from app.orders.states import OrderState
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.coupons import line, make_coupon, make_template
from tests.factories.orders import make_order, make_product
from tests.factories.people import make_member, make_store

FORM: Final = "/coupon_templates/form"


def filled(**changes: Any) -> dict[str, Any]:
    """What somebody types for 20 yuan off 100, from now on for a month."""
    now = utc_now().astimezone(SHANGHAI)
    typed = {
        "title": "Twenty off",
        "kind": "amount_off",
        "amount_fen": "20.00",
        "threshold_fen": "100",
        "per_member": 2,
        "stock": 50,
        "ways": ["centre", "push"],
        "claim_from_at": f"{now:%Y-%m-%dT%H:%M}",
        "claim_until_at": f"{now + timedelta(days=30):%Y-%m-%dT%H:%M}",
        "valid_days": 7,
    }
    return typed | changes


def known_to(session: Session, store: Store, nickname: str) -> int:
    member = make_member(session, nickname=nickname)
    member.origin_store_id = store.id
    session.commit()
    return member.id


def test_a_coupon_is_set_up_in_yuan_percent_and_days(session: Session, owner: Desk) -> None:
    owner.post(f"{FORM}/new/", filled())
    owner.post(
        f"{FORM}/new/",
        filled(kind="percent_off", amount_fen="", percent=15, most_fen="200", title="Percent"),
    )

    amount, share = session.scalars(sa.select(CouponTemplate).order_by(CouponTemplate.id)).all()
    assert (amount.amount_fen, amount.threshold_fen, amount.stock) == (2_000, 10_000, 50)
    assert (amount.ways, amount.valid_seconds) == (["centre", "push"], 7 * 86_400)
    assert (share.percent_bp, share.most_fen, share.amount_fen) == (1_500, 20_000, None)
    assert "15% off from ¥100.00 on" in text_of(owner.get("/coupon_templates/"))


def test_what_cannot_be_stands_beside_its_field(session: Session, owner: Desk) -> None:
    page = owner.post(f"{FORM}/new/", filled(kind="exchange", amount_fen=""))

    assert "This is not possible here." in page.get_data(as_text=True)
    assert session.scalars(sa.select(CouponTemplate)).all() == []


def test_what_a_coupon_promises_is_not_edited_once_somebody_holds_one(
    session: Session, owner: Desk
) -> None:
    owner.post(f"{FORM}/new/", filled())
    row = session.scalars(sa.select(CouponTemplate)).one()
    make_coupon(session, row, make_member(session), now=utc_now())
    session.commit()
    about = {"id": row.id}

    page = owner.post(f"{FORM}/edit/", filled(amount_fen="30"), query_string=about)

    assert "what they promise stays" in page.get_data(as_text=True)
    assert session.get_one(CouponTemplate, row.id, populate_existing=True).amount_fen == 2_000


def test_staff_of_a_store_see_coupons_of_the_brand_but_end_only_their_own(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    brand = make_template(session, title="Of the brand")
    own = make_template(session, title="Of this store", store_ids=[here.id])
    make_template(session, title="Of another store", store_ids=[there.id])
    session.commit()
    desk = sit_down("operations", here)

    page = text_of(desk.get("/coupon_templates/"))
    desk.decide("coupon_templates", "end", brand.id, own.id, reason="spring is over")

    assert "Of the brand" in page
    assert "Of this store" in page
    assert "Of another store" not in page
    session.expire_all()
    assert session.get_one(CouponTemplate, brand.id).ended_at is None
    assert session.get_one(CouponTemplate, own.id).ended_at is not None


def test_a_manager_gives_to_customers_of_their_store_alone(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    template = make_template(session, now=utc_now())
    mine, foreign = known_to(session, here, "Mine"), known_to(session, there, "Foreign")
    desk = sit_down("store_manager", here)
    about = {"id": template.id}

    for member_id in (mine, foreign):
        given = {"member_id": member_id, "reason": "we were late"}
        desk.post(f"{FORM}/give/", given, query_string=about)

    held = session.scalars(sa.select(Coupon.member_id)).all()
    assert held == [mine]


def test_a_push_reaches_the_customers_of_ones_stores(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    template = make_template(session, now=utc_now())
    known_to(session, here, "Mine")
    known_to(session, there, "Foreign")
    desk = sit_down("store_manager", here)

    typed = {"title": "Spring", "audience": "all"}
    desk.post(f"{FORM}/push/", typed, query_string={"id": template.id})

    row = session.scalars(sa.select(CouponPush)).one()
    assert (row.title, row.people) == ("Spring", 1)


def test_the_page_of_a_coupon_says_what_it_brought(session: Session, owner: Desk) -> None:
    member, template = make_member(session), make_template(session)
    order = make_order(session, member=member, price_fen=9_000, state=OrderState.PAID)
    coupon = make_coupon(session, template, member)
    now = coupon.claimed_at
    taken = ordering.apply(
        session,
        member_id=member.id,
        store_id=order.store_id,
        coupon_ids=[coupon.id],
        lines=[line(1, 10_000)],
        now=now,
    )
    ordering.reserve(session, order.id, taken, member_id=member.id, until_at=now, now=now)
    ordering.use(session, order.id, now=now)
    session.commit()

    page = text_of(owner.get("/coupon_templates/details/", id=template.id))
    story = text_of(owner.get("/coupons/details/", id=coupon.id))

    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Given by staff 1 1 0 0 0 ¥10.00 ¥90.00" in words
    assert "Put into an order" in story


def test_an_exchange_is_redeemed_at_the_desk_with_the_customers_code(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store, product = make_store(session), make_product(session)
    member_id = known_to(session, store, "Customer")
    now = utc_now()
    template = make_template(session, now=now, kind=CouponKind.EXCHANGE, product_ids=[product.id])
    member = session.get_one(Member, member_id)
    coupon = make_coupon(session, template, member, now=now)
    code = str(redeeming.show_code(session, coupon.id, member_id=member_id, now=utc_now()))
    session.commit()
    desk = sit_down("front_desk", store)
    path = "/coupons/form/redeem/"
    forged = code[:-1] + ("0" if code[-1] == "1" else "1")
    of_something_else = code.replace("coupon:", "card:")

    for wrong in (forged, of_something_else, "123456"):
        desk.post(path, {"code": wrong, "store_id": store.id})
    before = session.get_one(Coupon, coupon.id, populate_existing=True).state
    desk.post(path, {"code": code, "store_id": store.id})

    row = session.get_one(Coupon, coupon.id, populate_existing=True)
    assert before is CouponState.UNUSED
    assert (row.state, row.store_id) == (CouponState.USED, store.id)


def test_a_coupon_is_revoked_with_a_reason(session: Session, owner: Desk) -> None:
    coupon = make_coupon(session, make_template(session), make_member(session))
    session.commit()

    owner.decide("coupons", "revoke", coupon.id, reason="")
    kept = session.get_one(Coupon, coupon.id, populate_existing=True).state
    owner.decide("coupons", "revoke", coupon.id, reason="given by mistake")

    assert kept is CouponState.UNUSED
    assert session.get_one(Coupon, coupon.id, populate_existing=True).state is CouponState.REVOKED
