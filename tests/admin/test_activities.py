"""Activities in the back office: prepared by a form for each kind, decided, looked at."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities.kinds import KINDS
from app.activities.models import Activity, ActivityItem
from app.activities.states import ActivityKind, ActivityState
from app.kernel.audit import AuditRecord
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.activities import make_activity
from tests.factories.orders import make_goods
from tests.factories.people import make_store

Sit = Callable[..., Desk]


def filled(session: Session, store: Store, kind: ActivityKind, **changes: Any) -> dict[str, Any]:
    goods = make_goods(session, store)
    session.commit()
    rules = {
        f"rule_{name}": value // 60 if name.endswith("_seconds") else value
        for name, value in KINDS[kind].rules().model_dump().items()
        if value is not False
    }
    return {
        "name": "Night market",
        "starts_at": "2026-12-01T20:00",
        "ends_at": "2026-12-02T02:00",
        "pays_commission": "y",
        "product_1": goods.id,
        "price_1": "66",
        "stock_1": "5",
        **rules,
        **changes,
    }


@pytest.mark.parametrize(
    "kind", [ActivityKind.FLASH_SALE, ActivityKind.GROUP_BUY, ActivityKind.BARGAIN]
)
def test_each_kind_has_a_form_made_of_its_rules(
    session: Session, owner: Desk, kind: ActivityKind
) -> None:
    store = make_store(session)
    path = f"/activities/form/new-{kind.value.replace('_', '-')}/"

    page = text_of(owner.get(path))
    owner.post(path, filled(session, store, kind))

    activity = session.scalars(sa.select(Activity)).one()
    item = session.scalars(sa.select(ActivityItem)).one()
    assert "Time to pay (minutes)" in page
    assert (activity.kind, activity.state) == (kind, ActivityState.DRAFT)
    assert activity.rules == KINDS[kind].rules().model_dump(mode="json")
    assert (item.price_fen, item.stock) == (6_600, 5)
    assert activity.store_ids is None


def test_a_draft_is_looked_over_scheduled_and_cancelled_with_a_reason(
    session: Session, owner: Desk
) -> None:
    store = make_store(session)
    goods = make_goods(session, store, on_hand=2)
    draft = make_activity(
        session, products=[goods], price_fen=4_000, state=ActivityState.DRAFT, name="Spring"
    )
    session.commit()

    before = text_of(owner.get("/activities/details/", id=draft.id))
    owner.decide("activities", "schedule", draft.id)
    session.refresh(draft)
    scheduled = draft.state
    owner.decide("activities", "cancel", draft.id, reason="")
    session.refresh(draft)
    kept = draft.state
    owner.decide("activities", "cancel", draft.id, reason="the goods came broken")

    session.refresh(draft)
    assert f"{goods.title} costs less than half of its usual price." in before
    assert f"The stores have 2 of {goods.title}, the activity gives 10." in before
    assert (scheduled, kept, draft.state) == (
        ActivityState.SCHEDULED,
        ActivityState.SCHEDULED,
        ActivityState.CANCELLED,
    )
    told = session.execute(sa.select(AuditRecord.action, AuditRecord.reason)).all()
    assert ("activity_cancel", "the goods came broken") in [tuple(row) for row in told]


def test_stock_changes_while_it_runs(session: Session, owner: Desk) -> None:
    store = make_store(session)
    activity = make_activity(session, products=[make_goods(session, store)])
    item = activity.items[0]
    session.commit()

    owner.post(
        f"/activities/form/stock/?id={activity.id}",
        {"item_id": item.id, "stock": "12", "reason": "more came"},
    )

    session.refresh(item)
    assert item.stock == 12


def test_the_front_desk_and_a_store_see_but_do_not_decide(session: Session, sit_down: Sit) -> None:
    store, elsewhere = make_store(session), make_store(session)
    goods = make_goods(session, store)
    everywhere = make_activity(session, products=[goods], name="Brand week")
    theirs = make_activity(session, products=[goods], stores=[elsewhere], name="Far week")
    session.commit()
    desk = sit_down("store_manager", store)

    page = text_of(desk.get("/activities/"))
    refused = desk.decide("activities", "end", everywhere.id, reason="mine")
    absent = desk.get("/activities/details/", id=theirs.id)

    session.refresh(everywhere)
    assert "Brand week" in page
    assert "Far week" not in page
    assert refused.status_code == 403
    assert absent.status_code == 404
    assert everywhere.state is ActivityState.RUNNING


def test_who_works_in_one_store_starts_nothing_in_all(session: Session, sit_down: Sit) -> None:
    store = make_store(session)
    desk = sit_down("operations", store)

    page = text_of(
        desk.post(
            "/activities/form/new-flash-sale/", filled(session, store, ActivityKind.FLASH_SALE)
        )
    )
    desk.post(
        "/activities/form/new-flash-sale/",
        filled(session, store, ActivityKind.FLASH_SALE, store_ids=[store.id]),
    )

    activity = session.scalars(sa.select(Activity)).one()
    assert "Choose stores of your own" in page
    assert activity.store_ids == [store.id]
