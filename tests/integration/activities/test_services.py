"""Staff prepare activities, and they and the clock move them along one table of states."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import services
from app.activities.advice import advice
from app.activities.errors import ActivityInvalid, ActivityNotFound, ActivityNotInState
from app.activities.models import Activity
from app.activities.queries import get_activity, open_in_store, steps_of
from app.activities.services import ActivitySpec, ItemSpec
from app.activities.states import (
    TRANSITIONS,
    ActivityEvent,
    ActivityKind,
    ActivityState,
)
from app.catalog.models import Product
from app.kernel.audit import Actor, AuditRecord
from app.kernel.i18n import translate
from app.stores.models import Store
from tests.factories.activities import make_activity
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_staff, make_store

HOUR = timedelta(hours=1)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


@pytest.fixture
def actor(session: Session) -> Actor:
    return Actor("staff", make_staff(session).id)


@pytest.fixture
def goods(session: Session, store: Store) -> Product:
    return make_goods(session, store, on_hand=5)


@pytest.fixture
def spec(goods: Product, now: datetime) -> ActivitySpec:
    return ActivitySpec(
        kind=ActivityKind.FLASH_SALE,
        name="Night sale",
        starts_at=now + HOUR,
        ends_at=now + 5 * HOUR,
        rules={"pay_seconds": 300},
        limit_per_member=2,
        items=[ItemSpec(product_id=goods.id, price_fen=6_000, stock=5)],
    )


def moved(session: Session, activity: Activity) -> list[tuple[ActivityEvent, str]]:
    return [(step.event, step.actor) for step in steps_of(session, activity.id)]


def audited(session: Session) -> Sequence[str]:
    return session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()


def test_an_activity_is_prepared_changed_scheduled_and_kept_to_its_time(
    session: Session, spec: ActivitySpec, actor: Actor, now: datetime
) -> None:
    activity = services.put_activity(session, spec, actor=actor, now=now)
    later = replace(spec, name="Morning sale", limit_total=9)
    services.put_activity(session, later, activity_id=activity.id, actor=actor, now=now)
    services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=actor, now=now)
    session.commit()

    too_early = services.keep_to_time(now)
    begun = services.keep_to_time(now + HOUR)
    again = services.keep_to_time(now + HOUR)
    over = services.keep_to_time(now + 5 * HOUR)

    session.refresh(activity)
    assert (too_early, begun, again, over) == (0, 1, 0, 1)
    assert (activity.name, activity.limit_total) == ("Morning sale", 9)
    assert activity.state is ActivityState.ENDED
    assert moved(session, activity) == [
        (ActivityEvent.SCHEDULE, str(actor)),
        (ActivityEvent.START, "system"),
        (ActivityEvent.END, "system"),
    ]
    assert audited(session) == ["activity_put", "activity_put", "activity_schedule"]


def test_an_activity_whose_whole_time_was_missed_begins_and_ends_at_once(
    session: Session, spec: ActivitySpec, actor: Actor, now: datetime
) -> None:
    activity = services.put_activity(session, spec, actor=actor, now=now)
    services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=actor, now=now)
    session.commit()

    services.keep_to_time(now + 9 * HOUR)

    session.refresh(activity)
    assert activity.state is ActivityState.ENDED
    assert len(moved(session, activity)) == 3


@pytest.mark.parametrize("state", ActivityState)
@pytest.mark.parametrize("event", ActivityEvent)
def test_only_what_the_table_says_happens_by_hand(
    session: Session,
    goods: Product,
    actor: Actor,
    now: datetime,
    state: ActivityState,
    event: ActivityEvent,
) -> None:
    activity = make_activity(session, products=[goods], state=state)
    target = TRANSITIONS.get((state, event))
    before = len(moved(session, activity))

    if target is None:
        with pytest.raises(ActivityNotInState), session.begin_nested():
            services.decide(session, activity.id, event, actor=actor, reason="why", now=now)
    else:
        services.decide(session, activity.id, event, actor=actor, reason="why", now=now)

    assert activity.state is (target or state)
    assert len(moved(session, activity)) == before + (target is not None)
    assert len(audited(session)) == (target is not None)


def test_what_is_started_by_hand_begins_now(
    session: Session, spec: ActivitySpec, store: Store, actor: Actor, now: datetime
) -> None:
    activity = services.put_activity(session, spec, actor=actor, now=now)
    services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=actor, now=now)
    before = list(open_in_store(session, store.id, now=now))

    services.decide(session, activity.id, ActivityEvent.START, actor=actor, now=now)

    assert before == []
    assert list(open_in_store(session, store.id, now=now)) == [activity]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"ends_at": datetime.fromisoformat("2020-01-01T00:00:00+00:00")}, "period"),
        ({"store_ids": []}, "stores"),
        ({"store_ids": [9_999_999]}, "stores"),
        ({"limit_per_member": 0}, "limits"),
        ({"limit_total": -1}, "limits"),
        ({"rules": {"pay_seconds": 1}}, "rules"),
        ({"rules": {"pay_seconds": "300"}}, "rules"),
        ({"rules": {"unknown": 1}}, "rules"),
        ({"rules": {"pay_seconds": 300.5}}, "rules"),
        ({"items": [ItemSpec(product_id=9_999_999, price_fen=1, stock=1)]}, "items"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_by_name(
    session: Session,
    spec: ActivitySpec,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(ActivityInvalid) as refusal, session.begin_nested():
        services.put_activity(session, replace(spec, **changes), actor=actor, now=now)

    assert refusal.value.field == field
    assert session.scalar(sa.select(sa.func.count()).select_from(Activity)) == 0


@pytest.mark.parametrize(
    ("price_fen", "stock", "field"), [(0, 1, "price"), (10**9, 1, "price"), (1, 0, "stock")]
)
def test_an_item_has_a_price_and_pieces(
    session: Session,
    spec: ActivitySpec,
    actor: Actor,
    now: datetime,
    price_fen: int,
    stock: int,
    field: str,
) -> None:
    item = replace(spec.items[0], price_fen=price_fen, stock=stock)

    with pytest.raises(ActivityInvalid) as refusal, session.begin_nested():
        services.put_activity(session, replace(spec, items=[item]), actor=actor, now=now)

    assert refusal.value.field == field


def test_nothing_is_scheduled_that_could_not_be_sold(
    session: Session, spec: ActivitySpec, actor: Actor, now: datetime
) -> None:
    hidden = make_product(session, is_published=False)
    dear = replace(spec.items[0], price_fen=10_000)
    wrong = [
        ("items", replace(spec, items=[])),
        ("price", replace(spec, items=[dear])),
        ("published", replace(spec, items=[replace(dear, product_id=hidden.id)])),
    ]
    for field, one in wrong:
        activity = services.put_activity(session, one, actor=actor, now=now)

        with pytest.raises(ActivityInvalid) as refusal, session.begin_nested():
            services.decide(session, activity.id, ActivityEvent.SCHEDULE, actor=actor, now=now)

        session.refresh(activity)
        assert refusal.value.field == field
        assert activity.state is ActivityState.DRAFT


def test_a_running_activity_changes_in_nothing_but_its_stock(
    session: Session, spec: ActivitySpec, goods: Product, actor: Actor, now: datetime
) -> None:
    activity = make_activity(session, products=[goods], stock=5)
    item = activity.items[0]
    item.sold = 3

    with pytest.raises(ActivityNotInState), session.begin_nested():
        services.put_activity(session, spec, activity_id=activity.id, actor=actor, now=now)
    with pytest.raises(ActivityInvalid), session.begin_nested():
        services.set_stock(session, activity.id, item.id, stock=2, actor=actor, now=now)
    services.set_stock(session, activity.id, item.id, stock=3, actor=actor, now=now)

    assert item.stock == 3
    assert audited(session) == ["activity_stock_set"]


def test_items_that_are_taken_out_go_and_others_stay_the_same_rows(
    session: Session, spec: ActivitySpec, store: Store, actor: Actor, now: datetime
) -> None:
    other = make_goods(session, store)
    both = [*spec.items, ItemSpec(product_id=other.id, price_fen=1, stock=1)]
    activity = services.put_activity(session, replace(spec, items=both), actor=actor, now=now)
    first, second = (item.id for item in activity.items)

    changed = replace(both[1], price_fen=2, stock=7)
    services.put_activity(
        session, replace(spec, items=[changed]), activity_id=activity.id, actor=actor, now=now
    )

    items = get_activity(session, activity.id).items
    assert [(item.id, item.price_fen, item.stock) for item in items] == [(second, 2, 7)]
    assert first != second


def test_activities_of_other_stores_are_as_absent(
    session: Session, store: Store, goods: Product
) -> None:
    elsewhere = make_store(session)
    theirs = make_activity(session, products=[goods], stores=[elsewhere])
    everywhere = make_activity(session, products=[goods])
    both = make_activity(session, products=[goods], stores=[store, elsewhere])

    with pytest.raises(ActivityNotFound):
        get_activity(session, theirs.id, store_ids={store.id})

    assert get_activity(session, everywhere.id, store_ids={store.id}) is everywhere
    assert [services.may_edit(one, {store.id}) for one in (theirs, everywhere, both)] == [
        False,
        False,
        False,
    ]
    assert services.may_edit(theirs, {elsewhere.id})
    assert services.may_edit(everywhere, None)


def test_staff_are_told_what_is_worth_a_second_look(
    session: Session, store: Store, goods: Product
) -> None:
    other = make_activity(session, products=[goods], name="Other", stores=[store])
    activity = make_activity(session, products=[goods], price_fen=4_000, stock=6)

    said = [translate(one, "en") for one in advice(session, activity)]

    assert said == [
        f"{goods.title} costs less than half of its usual price.",
        f"{goods.title} is in another activity at the same time: {other.name}.",
        f"The stores have 5 of {goods.title}, the activity gives 6.",
    ]
