"""The register of shareholders: seats are given, levels changed, holdings ended, by store."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.distribution import shareholders
from app.distribution.plan_records import PlanEvent
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.kernel.audit import AuditRecord
from app.members.models import Distributor, Standing
from app.plans.models import PlanVersion
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plan_rows import make_holding
from tests.factories.plans import make_plan


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "Harbour store")


@pytest.fixture
def version(session: Session) -> PlanVersion:
    return make_plan(session, model="SHARING_SHAREHOLDERS", seats_per_store=2)


def person_at(session: Session, store: Store, nickname: str) -> Distributor:
    member = make_member(session, nickname=nickname)
    return make_distributor(session, member, store_id=store.id)


def held(session: Session, version: PlanVersion, store: Store) -> dict[int, HoldingPlace]:
    """Return the holdings of a store by member."""
    places = shareholders.holdings_at(session, version.plan_id, store.id)
    return {one.member_id: one for one in places}


def give(desk: Desk, store: Store, person: Distributor, level: str = "") -> TestResponse:
    """Fill in the form for a new seat."""
    data = {"store_id": store.id, "member_id": person.member_id, "level": level}
    return desk.post("/holdings/form/new/", data)


def test_a_manager_gives_a_seat_at_their_store_and_it_is_written_down(
    session: Session, sit_down: Callable[..., Desk], store: Store, version: PlanVersion
) -> None:
    person = person_at(session, store, "Mei")
    desk = sit_down("store_manager", store)

    answer = give(desk, store, person, level="2")

    assert answer.status_code == 302
    place = held(session, version, store)[person.member_id]
    assert (place.state, place.level) == (HoldingState.ACTIVE, 2)
    by_desk = sa.select(AuditRecord.action).where(AuditRecord.actor_id == desk.staff_id)
    assert list(session.scalars(by_desk)) == ["holding.changed"]
    row_id = f"{version.plan_id}-{person.member_id}-{store.id}"
    page = text_of(desk.get("/holdings/details/", id=row_id))
    assert "1 of 2" in page
    assert f"You hold a seat at store {store.id}: Gold." in page
    assert "Changed by the register" in page


def test_no_more_seats_are_given_than_the_store_has(
    session: Session, owner: Desk, store: Store, version: PlanVersion
) -> None:
    for name in ("One", "Two"):
        give(owner, store, person_at(session, store, name), level="1")
    third = person_at(session, store, "Three")
    session.commit()

    answer = give(owner, store, third, level="1")

    assert answer.status_code == 200
    assert "All 2 seats of this store are taken." in text_of(answer)
    assert third.member_id not in held(session, version, store)


@pytest.mark.parametrize(
    ("standing", "level", "text"),
    [
        (Standing.FROZEN, "1", "Please choose one from the list."),
        (Standing.ACTIVE, "", "No level of this plan is reached or was chosen."),
        (Standing.ACTIVE, "9", "Not a valid choice."),
    ],
)
@pytest.mark.usefixtures("version")
def test_a_seat_is_refused_in_words_and_nothing_is_kept(
    session: Session, owner: Desk, store: Store, standing: Standing, level: str, text: str
) -> None:
    person = make_distributor(session, store_id=store.id, standing=standing)
    session.commit()

    answer = give(owner, store, person, level)

    assert answer.status_code == 200
    assert text in text_of(answer)
    assert session.scalar(sa.select(sa.func.count(PlanEvent.id))) == 0


def test_a_manager_cannot_name_a_store_that_is_not_theirs(
    session: Session, sit_down: Callable[..., Desk], store: Store, version: PlanVersion
) -> None:
    elsewhere = make_store(session, "Elsewhere")
    person = person_at(session, store, "Mei")
    desk = sit_down("store_manager", store)

    answer = give(desk, elsewhere, person, level="1")

    assert "Please choose one from the list." in text_of(answer)
    assert held(session, version, elsewhere) == {}


def test_a_level_is_changed_and_a_holding_ended_once(
    session: Session, owner: Desk, store: Store, version: PlanVersion
) -> None:
    person = person_at(session, store, "Mei")
    session.commit()
    give(owner, store, person, level="1")
    row_id = f"{version.plan_id}-{person.member_id}-{store.id}"

    owner.post(f"/holdings/form/level/?id={row_id}", {"level": "3"})
    risen = held(session, version, store)[person.member_id]
    owner.post(f"/holdings/form/end/?id={row_id}")
    again = owner.post(f"/holdings/form/end/?id={row_id}")

    assert risen.level == 3
    assert held(session, version, store)[person.member_id].state == HoldingState.LEFT
    assert "This is not possible while the holding is: given up." in text_of(again)
    assert session.scalar(sa.select(sa.func.count(PlanEvent.id))) == 3


def test_the_finance_office_sees_the_register_and_changes_nothing(
    session: Session, sit_down: Callable[..., Desk], store: Store, version: PlanVersion
) -> None:
    row_id = make_holding(session, person_at(session, store, "Mei"), store)
    desk = sit_down("finance")

    seen = desk.get("/holdings/details/", id=row_id)
    answer = desk.post(f"/holdings/form/end/?id={row_id}")

    assert (seen.status_code, answer.status_code) == (200, 403)
    assert [one.state for one in held(session, version, store).values()] == [HoldingState.ACTIVE]


def test_a_form_without_its_token_changes_nothing(
    session: Session, owner: Desk, store: Store, version: PlanVersion
) -> None:
    row_id = make_holding(session, person_at(session, store, "Mei"), store)
    session.commit()

    answer = owner.post(f"/holdings/form/end/?id={row_id}", {"csrf_token": "invented"})

    assert answer.status_code == 400
    assert [one.state for one in held(session, version, store).values()] == [HoldingState.ACTIVE]


@pytest.mark.usefixtures("version")
def test_the_register_is_narrowed_by_state_store_review_and_name(
    session: Session, owner: Desk, store: Store
) -> None:
    elsewhere = make_store(session, "Elsewhere")
    make_holding(session, person_at(session, store, "Seated"), store)
    waiting = {"state": HoldingState.WAITING, "until": None, "under_review": True}
    make_holding(session, person_at(session, store, "Queueing"), elsewhere, **waiting)
    session.commit()

    def shown(**query: object) -> set[str]:
        page = owner.get("/holdings/", **query).get_data(as_text=True)
        return {name for name in ("Seated", "Queueing") if name in page}

    assert shown() == {"Seated", "Queueing"}
    assert shown(state="ACTIVE") == {"Seated"}
    assert shown(store=elsewhere.id) == {"Queueing"}
    assert shown(review="yes") == {"Queueing"}
    assert shown(search="Seat") == {"Seated"}
    file = owner.get("/holdings/export/csv/", state="WAITING").get_data().decode("utf-8-sig")
    assert "Queueing" in file
    assert "Seated" not in file


@pytest.mark.parametrize("key", ["1", "0-0-0", "1-2", "x", "1-2-3-4", "9999999999-1-1"])
@pytest.mark.usefixtures("version")
def test_what_names_no_holding_is_not_found(owner: Desk, key: str) -> None:
    assert owner.get("/holdings/details/", id=key).status_code == 404
