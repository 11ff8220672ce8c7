"""Coupons by phone: the centre, claims, public codes and guesses at them, the counter."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon, CouponTemplate
from app.coupons.states import CouponKind, CouponState
from app.kernel.clock import utc_now
from app.kernel.ids import DIGITS_AND_CAPITALS, random_text
from app.members.models import Member
from app.settings import Settings
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.coupons import make_coupon, make_template
from tests.factories.orders import make_product
from tests.factories.people import make_member

CODE = "7KQM3XWP2A9BC4DE"


def claimable(session: Session, **changes: Any) -> CouponTemplate:
    """A template of the centre that is open by the database's clock."""
    template = make_template(session, now=utc_now(), **changes)
    session.commit()
    return template


def coupons(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Coupon)) or 0


def test_the_centre_says_what_can_be_claimed_and_why_not(session: Session, phone: Phone) -> None:
    open_one = claimable(session)
    gone = claimable(session, stock=0)
    later = claimable(session, claim_from_at=utc_now() + timedelta(days=1))
    claimable(session, ways=["push"])
    claimable(session, ended_at=utc_now())

    answer = phone.get("/coupon-centre")

    items = answer.get_json()["items"]
    assert [one["template_id"] for one in items] == [later.id, gone.id, open_one.id]
    reasons = [one["reason"] and one["reason"]["code"] for one in items]
    assert reasons == ["coupons_not_open", "coupons_gone", None]
    assert items[2]["left"] == 100


def test_the_centre_of_a_store_leaves_out_what_is_not_good_there(
    session: Session, phone: Phone
) -> None:
    everywhere = claimable(session)
    claimable(session, store_ids=[41])
    here = claimable(session, store_ids=[7, 41])

    items = phone.get("/coupon-centre?store_id=7").get_json()["items"]

    assert [one["template_id"] for one in items] == [here.id, everywhere.id]


def test_the_centre_is_read_page_by_page(session: Session, phone: Phone) -> None:
    made = [claimable(session).id for _ in range(3)]

    first = phone.get("/coupon-centre?limit=2").get_json()
    second = phone.get(f"/coupon-centre?limit=2&cursor={first['next_cursor']}").get_json()

    assert [one["template_id"] for one in first["items"]] == [made[2], made[1]]
    assert [one["template_id"] for one in second["items"]] == [made[0]]
    assert second["next_cursor"] is None


def test_a_claim_gives_one_coupon_however_often_it_is_sent(session: Session, phone: Phone) -> None:
    template, key = claimable(session), new_key()

    first = phone.post("/coupons", {"template_id": template.id}, key=key)
    again = phone.post("/coupons", {"template_id": template.id}, key=key)

    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert coupons(session) == 1
    shown = phone.get(f"/coupons/{first.get_json()['id']}").get_json()
    assert shown["coupon"] == first.get_json()
    assert [one["event"] for one in shown["steps"]] == ["claim"]


def test_over_the_limit_nothing_is_given(session: Session, phone: Phone) -> None:
    template = claimable(session)
    phone.post("/coupons", {"template_id": template.id}, key=new_key())

    with nothing_moves(session):
        answer = phone.post("/coupons", {"template_id": template.id}, key=new_key())

    assert_problem(answer, 409, "coupon_limit_reached")
    held = phone.get("/coupon-centre").get_json()["items"][0]
    assert (held["held"], held["reason"]["code"]) == (1, "coupon_limit_reached")


def test_what_is_not_for_the_centre_is_not_claimed_there(session: Session, phone: Phone) -> None:
    template = claimable(session, ways=["code"], code=CODE)

    with nothing_moves(session):
        answer = phone.post("/coupons", {"template_id": template.id}, key=new_key())

    assert_problem(answer, 409, "coupons_not_open")


def test_a_public_code_gives_its_coupon_however_it_is_written(
    session: Session, phone: Phone
) -> None:
    claimable(session, ways=["code"], code=CODE)

    answer = phone.post("/coupons/by-code", {"code": "7kqm 3xwp 2a9b c4de"}, key=new_key())

    assert answer.status_code == 201
    assert answer.get_json()["channel"] == "code"


def test_whoever_guesses_codes_is_locked_out_even_from_a_right_one(
    session: Session, phone: Phone, settings: Settings
) -> None:
    claimable(session, ways=["code"], code=CODE)
    for _ in range(settings.code_misses_max):
        guess = {"code": random_text(16, DIGITS_AND_CAPITALS)}
        assert_problem(
            phone.post("/coupons/by-code", guess, key=new_key()), 404, "coupon_code_unknown"
        )

    answer = phone.post("/coupons/by-code", {"code": CODE}, key=new_key())

    assert_problem(answer, 429, "coupon_codes_locked")
    assert coupons(session) == 0


def test_guessed_numbers_show_nothing_of_others(session: Session, phone: Phone) -> None:
    theirs = make_coupon(session, make_template(session), make_member(session))
    session.commit()

    for coupon_id in range(max(1, theirs.id - 20), theirs.id + 20):
        assert_problem(phone.get(f"/coupons/{coupon_id}"), 404, "coupon_not_found")


def test_ones_own_coupons_are_listed_by_state(session: Session, phone: Phone) -> None:
    member = session.get_one(Member, phone.member_id)
    unused = make_coupon(session, make_template(session), member)
    expired = make_coupon(session, make_template(session), member)
    expired.state = CouponState.EXPIRED
    session.commit()

    every = phone.get("/coupons").get_json()["items"]
    some = phone.get("/coupons?state=unused").get_json()["items"]

    assert [one["id"] for one in every] == [expired.id, unused.id]
    assert [one["id"] for one in some] == [unused.id]


def test_only_an_exchange_coupon_is_shown_at_the_counter(session: Session, phone: Phone) -> None:
    member = session.get_one(Member, phone.member_id)
    now = utc_now()
    product = make_product(session)
    free = make_template(session, now=now, kind=CouponKind.EXCHANGE, product_ids=[product.id])
    exchange = make_coupon(session, free, member, now=now)
    plain = make_coupon(session, make_template(session, now=now), member, now=now)
    session.commit()

    shown = phone.post(f"/coupons/{exchange.id}/code")
    refused = phone.post(f"/coupons/{plain.id}/code")

    assert shown.status_code == 201
    assert shown.get_json()["code"].startswith(f"TK1.coupon:{exchange.id}.")
    assert_problem(refused, 409, "coupon_not_redeemable")
