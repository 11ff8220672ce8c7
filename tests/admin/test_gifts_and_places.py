"""Gifts are handed over or revoked once; places are told, drawn and put on the list to review."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.plan_records import Gift, GiftState, PlanEvent
from app.engines.chain.rules import Role
from app.engines.fission.engine import FissionPlace, Referral, Round
from app.kernel.audit import AuditRecord
from app.members.models import Distributor
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plan_rows import (
    FISSION,
    make_chain_place,
    make_gift,
    put_place,
    version_of,
)

PAID = "2026-02-27T04:00:00+00:00"


def state_of(session: Session, gift: Gift) -> GiftState:
    session.expire_all()
    return session.get_one(Gift, gift.id).state


def named(session: Session, nickname: str) -> Distributor:
    return make_distributor(session, make_member(session, nickname=nickname))


def test_the_front_desk_hands_a_gift_over_once(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    gift = make_gift(session, make_member(session, nickname="Newcomer"), store)
    desk = sit_down("front_desk", store)

    page = text_of(desk.get("/gifts/details/", id=gift.id))
    desk.decide("gifts", "give", gift.id)
    told = desk.flashes()
    desk.decide("gifts", "give", gift.id)

    assert "Welcome gift" in page
    assert "This is the first order of member Newcomer" in page
    assert told == ["Hand over – Done for 1 row."]
    assert desk.flashes() == [f"Gift {gift.id}: This gift was handed over or revoked already."]
    assert state_of(session, gift) is GiftState.GIVEN
    assert session.get_one(Gift, gift.id).actor == f"staff:{desk.staff_id}"


def test_a_gift_is_revoked_with_a_reason_and_not_by_the_front_desk(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    gift = make_gift(session, make_member(session), store)
    desk, manager = sit_down("front_desk", store), sit_down("store_manager", store)

    forbidden = desk.decide("gifts", "revoke", gift.id, reason="an invented round")
    silent = manager.decide("gifts", "revoke", gift.id, reason="")
    kept = state_of(session, gift)
    manager.decide("gifts", "revoke", gift.id, reason="an invented round")

    assert (forbidden.status_code, silent.status_code) == (403, 200)
    assert kept is GiftState.DUE
    assert state_of(session, gift) is GiftState.REVOKED
    reasons = session.scalars(
        sa.select(AuditRecord.reason).where(AuditRecord.action == "gift.revoked")
    )
    assert list(reasons) == ["an invented round"]


def test_a_gift_of_another_store_is_not_there_and_stays_due(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    gift = make_gift(session, make_member(session), make_store(session), item="Far voucher")
    desk = sit_down("store_manager", make_store(session))

    answer = desk.decide("gifts", "give", gift.id)

    assert answer.status_code == 404
    assert "Far voucher" not in text_of(desk.get("/gifts/"))
    assert state_of(session, gift) is GiftState.DUE


def test_a_place_in_a_chain_shows_who_stands_above_and_below(session: Session, owner: Desk) -> None:
    boss, agent, recruit = (named(session, name) for name in ("Boss Bai", "Agent An", "Recruit Ru"))
    make_chain_place(session, boss, role=Role.BOSS)
    middle = make_chain_place(
        session, agent, recommender_id=boss.member_id, parent=(boss.member_id, 1), direct_count=1
    )
    make_chain_place(
        session,
        recruit,
        recommender_id=agent.member_id,
        parent=(agent.member_id, 1),
        under_review=True,
    )
    session.commit()

    page = text_of(owner.get("/places/details/", id=middle))

    tree = page[page.index('class="place-tree"') : page.index("Brought by this member")]
    assert [tree.index(name) for name in ("Boss Bai", "Agent An", "Recruit Ru")] == sorted(
        tree.index(name) for name in ("Boss Bai", "Agent An", "Recruit Ru")
    )
    assert "You are a boss and lead a team of your own." in tree
    assert "1 people whom you brought count." in page
    assert tree.count("To be reviewed") == 1


def test_places_to_review_are_a_list_of_their_own(session: Session, owner: Desk) -> None:
    make_chain_place(session, named(session, "Quiet Qi"))
    make_chain_place(session, named(session, "Watched Wei"), role=Role.BOSS, under_review=True)
    session.commit()

    page = text_of(owner.get("/places/", review="yes"))
    of_other_model = text_of(owner.get("/places/", model="THREE_MATRIX"))
    found = text_of(owner.get("/places/", search="Quiet"))

    assert "Watched Wei" in page
    assert "Quiet Qi" not in page
    assert "Watched Wei" not in of_other_model
    assert "Quiet Qi" in found


def test_rounds_are_shown_with_whom_they_brought_and_what_needs_a_look(
    session: Session, owner: Desk
) -> None:
    version = version_of(session, FISSION)
    person = named(session, "Round Rong")
    orders = [make_order(session, member=make_member(session, nickname=f"New {n}")) for n in "AB"]
    closed, still_open = (Referral(one.id, one.member_id, PAID) for one in orders)
    place = FissionPlace(
        member_id=person.member_id,
        open_referrals=(still_open,),
        rounds=(Round(1, PAID, (closed,)),),
    )
    key = put_place(session, version.plan_id, place)
    at = datetime(2026, 3, 5, tzinfo=UTC)
    session.add(
        PlanEvent(
            plan_id=version.plan_id,
            plan_version_id=version.id,
            kind="refunded",
            order_id=orders[0].id,
            inputs={},
            notes=[{"code": "CLOSED_ROUND_REFUNDED", "member_id": person.member_id}],
            at=at,
            decided_at=at,
            actor="system",
        )
    )
    session.commit()

    page = text_of(owner.get("/places/details/", id=key))

    assert "New customers in the open round: 1 of 3." in page
    assert all(name in page for name in ("New A", "New B", orders[0].number, orders[1].number))
    assert "An order of a closed round was refunded." in page


@pytest.mark.parametrize("role", ["front_desk"])
def test_who_sees_no_distributors_sees_no_places(
    session: Session, sit_down: Callable[..., Desk], role: str
) -> None:
    key = make_chain_place(session, named(session, "Boss Bai"))
    desk = sit_down(role)

    answers = [desk.get("/places/"), desk.get("/places/details/", id=key)]

    assert [one.status_code for one in answers] == [403, 403]
