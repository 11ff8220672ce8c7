"""Two counters, one customer: a hand-over, a code and a tie each happen once."""

from collections import Counter
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.counter import codes as pickup_codes
from app.counter.models import SpentPickupCode
from app.kernel.audit import SYSTEM, Actor
from app.kernel.db import atomic, retrying
from app.kernel.outbox import OutboxEvent
from app.orders import handovers, services
from app.orders.handover_models import Handover
from app.settings import Settings
from app.stores import places, regions, staff_mode
from app.stores import staff as staff_services
from app.stores.models import Region, Store
from app.stores.staff_mode_models import StaffBinding
from tests.factories.orders import make_order
from tests.factories.people import make_member, make_staff, make_store
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CROWD = 8


def test_an_order_that_many_hand_over_at_once_is_handed_over_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    people = [make_staff(session, "front_desk", stores=[store]).id for _ in range(CROWD)]
    order = make_order(session, store=store)
    number = order.number
    code = str(handovers.show_pickup_code(session, number, member_id=order.member_id, now=now))
    session.commit()

    def complete(staff_id: int) -> str:
        def act() -> str:
            with atomic() as inner:
                actor = Actor("staff", staff_id)
                services.complete(
                    inner, number, actor=actor, settings=settings, now=now, pickup_code=code
                )
                return "done"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(complete, one) for one in people]))

    assert answers == {"done": 1, "order_not_in_state": CROWD - 1}
    assert len(session.scalars(sa.select(Handover)).all()) == 1
    assert len(session.scalars(sa.select(SpentPickupCode)).all()) == 1
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["order_completed"]
    assert broken(session, "B10o", "B33", "B33s", "B34c") == []


def test_a_code_that_many_spend_at_once_is_spent_once(
    app: Flask, session: Session, now: datetime
) -> None:
    member_id = make_member(session).id
    code = pickup_codes.show("card:7", member_id=member_id, now=now)
    session.commit()

    def spend() -> str:
        with atomic() as inner:
            pickup_codes.spend(inner, code, member_id=member_id, actor=SYSTEM, now=now)
            return "spent"

    answers = Counter(at_once(app, *[spend] * CROWD))

    assert answers == {"spent": 1, "pickup_code_spent": CROWD - 1}


def test_a_binding_code_that_many_name_at_once_binds_one(
    app: Flask, session: Session, now: datetime
) -> None:
    li = make_staff(session, "front_desk")
    members = [make_member(session).id for _ in range(CROWD)]
    code = staff_mode.make_code(session, li.id, actor=Actor("staff", li.id), now=now).text
    session.commit()

    def bind(member_id: int) -> str:
        def act() -> str:
            with atomic() as inner:
                staff_mode.bind(inner, code=code, member_id=member_id, now=now)
                return "bound"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(bind, one) for one in members]))

    assert answers == {"bound": 1, "staff_code_unknown": CROWD - 1}
    assert len(session.scalars(sa.select(StaffBinding)).all()) == 1


def test_one_phone_that_names_two_codes_at_once_serves_one(
    app: Flask, session: Session, now: datetime
) -> None:
    people = [make_staff(session, "front_desk") for _ in range(2)]
    member_id = make_member(session).id
    codes = [
        staff_mode.make_code(session, one.id, actor=Actor("staff", one.id), now=now).text
        for one in people
    ]
    session.commit()

    def bind(code: str) -> str:
        def act() -> str:
            with atomic() as inner:
                staff_mode.bind(inner, code=code, member_id=member_id, now=now)
                return "bound"

        return retrying(act)

    answers = Counter(at_once(app, *[partial(bind, code) for code in codes]))

    assert answers == {"bound": 1, "member_bound_already": 1}


def test_nobody_is_bound_who_is_being_disabled(app: Flask, session: Session, now: datetime) -> None:
    make_staff(session, "owner")
    li, member_id = make_staff(session, "front_desk"), make_member(session).id
    staff_id = li.id
    code = staff_mode.make_code(session, li.id, actor=Actor("staff", li.id), now=now).text
    session.commit()

    def bind() -> str:
        with atomic() as inner:
            staff_mode.bind(inner, code=code, member_id=member_id, now=now)
            return "bound"

    def disable() -> str:
        with atomic() as inner:
            staff_services.disable_staff(inner, staff_id, actor=SYSTEM, reason="left", now=now)
            return "disabled"

    answers = at_once(app, partial(retrying, bind), partial(retrying, disable))

    assert answers[1] == "disabled"
    assert answers[0] in {"bound", "staff_code_unknown"}
    active = sa.select(StaffBinding).where(StaffBinding.ended_at.is_(None))
    assert session.scalars(active).all() == []


def test_a_region_does_not_go_while_a_store_comes(
    app: Flask, session: Session, now: datetime
) -> None:
    region = regions.create_region(session, name="上海", actor=SYSTEM, now=now)
    region_id, store_id = region.id, make_store(session).id
    session.commit()

    def move() -> str:
        with atomic() as inner:
            places.move_store(inner, store_id, region_id=region_id, actor=SYSTEM, now=now)
            return "moved"

    def delete() -> str:
        with atomic() as inner:
            regions.delete_region(inner, region_id, actor=SYSTEM, now=now)
            return "deleted"

    answers = at_once(app, partial(retrying, move), partial(retrying, delete))

    session.rollback()
    kept = session.scalars(sa.select(Region.id)).all()
    lies_in = session.scalars(sa.select(Store.region_id)).one()
    assert (answers, kept, lies_in) in [
        (["moved", "region_in_use"], [region_id], region_id),
        (["region_not_found", "deleted"], [], None),
    ]


def test_two_stores_of_one_name_at_once_are_one(
    app: Flask, session: Session, now: datetime
) -> None:
    session.commit()

    def create() -> str:
        with atomic() as inner:
            places.create_store(inner, places.StoreSpec(name="静安店"), actor=SYSTEM, now=now)
            return "opened"

    answers = Counter(at_once(app, *[partial(retrying, create)] * CROWD))

    assert answers == {"opened": 1, "store_name_taken": CROWD - 1}
