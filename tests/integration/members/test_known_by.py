"""Which stores know a member: kept by the database, whoever writes."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.members.models import MemberStore
from app.operations.invariant_statements import STATEMENTS
from app.settings import Settings
from tests.factories.guest_cards import claimed_card, used
from tests.factories.imports import make_expected, make_historic_order, make_run
from tests.factories.orders import make_order
from tests.factories.people import make_binding, make_distributor, make_member, make_store


def known_by(session: Session, member_id: int) -> set[int]:
    session.flush()
    query = sa.select(MemberStore.store_id).where(MemberStore.member_id == member_id)
    return set(session.scalars(query))


def test_a_store_knows_whom_it_brought(session: Session) -> None:
    store, other = make_store(session), make_store(session)
    member = make_member(session, origin_store_id=store.id)
    assert known_by(session, member.id) == {store.id}

    member.origin_store_id = other.id

    assert known_by(session, member.id) == {other.id}


def test_a_store_knows_who_bought_there_whatever_their_origin(session: Session) -> None:
    origin, shop = make_store(session), make_store(session)
    member = make_member(session, origin_store_id=origin.id)

    make_order(session, member=member, store=shop)
    member.origin_store_id = None

    assert known_by(session, member.id) == {shop.id}


def test_a_store_knows_the_customers_of_its_distributors_and_they_move_along(
    session: Session,
) -> None:
    old, new = make_store(session), make_store(session)
    seller = make_distributor(session, make_member(session), store_id=old.id)
    customer, buyer = make_member(session), make_member(session)
    make_binding(session, customer=customer, owner=seller)
    make_binding(session, customer=buyer, owner=seller)
    make_order(session, member=buyer, store=old)
    assert known_by(session, customer.id) == {old.id} == known_by(session, seller.member_id)

    seller.store_id = new.id

    assert known_by(session, customer.id) == {new.id} == known_by(session, seller.member_id)
    assert known_by(session, buyer.id) == {old.id, new.id}


def test_a_store_knows_who_bought_there_before_once_it_is_known_who_that_was(
    session: Session,
) -> None:
    store = make_store(session)
    known = make_expected(session, phone="+8613800002222", store=store)
    run = make_run(session, store=store)
    make_historic_order(session, run=run, store=store, expected_id=known.id)
    member = make_member(session)
    assert known_by(session, member.id) == set()

    known.nickname, known.claimed_by_id, known.claimed_at = "", member.id, run.uploaded_at

    assert known_by(session, member.id) == {store.id}


def test_a_store_knows_who_used_a_guest_card_there_and_the_audit_agrees(
    session: Session, settings: Settings
) -> None:
    statement = next(sql for code, _, sql in STATEMENTS if code == "B35")
    shop = make_store(session)
    card = claimed_card(session, settings)
    assert card.member_id is not None
    before = known_by(session, card.member_id)

    used(session, card, shop)

    assert known_by(session, card.member_id) == {*before, shop.id}
    assert session.scalars(sa.text(statement)).all() == []


def test_whom_nobody_brought_no_store_knows(session: Session, now: datetime) -> None:
    seller = make_distributor(session, make_member(session))
    customer = make_member(session, registered_at=now)
    make_binding(session, customer=customer, owner=seller)

    assert known_by(session, customer.id) == set()


def test_the_audit_finds_a_tie_that_is_missing_and_one_too_many(session: Session) -> None:
    statement = next(sql for code, _, sql in STATEMENTS if code == "B35")
    store, other = make_store(session), make_store(session)
    member = make_member(session, origin_store_id=store.id)
    session.flush()
    assert session.scalars(sa.text(statement)).all() == []

    session.execute(sa.delete(MemberStore).where(MemberStore.member_id == member.id))
    session.add(MemberStore(member_id=member.id, store_id=other.id))
    session.flush()

    assert session.scalars(sa.text(statement)).all() == [member.id, member.id]
