"""Risk flags at a desk: raised, confirmed, released, and what becomes of payouts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.members.models import Distributor
from app.payouts.models import Payout, PayoutHold
from app.payouts.states import PayoutState
from app.risk import services
from app.risk.models import RiskFlag
from app.risk.rules import Suspicion
from app.risk.states import FlagState, RiskKind
from app.settings import Settings
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.factories.orders import make_order
from tests.factories.payouts import make_award, make_payout
from tests.factories.people import NOON, make_distributor, make_member, make_store

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "Here store")


@pytest.fixture
def earner(session: Session, store: Store) -> Distributor:
    person = make_distributor(session, make_member(session, nickname="Earner"), store_id=store.id)
    make_award(session, person, 5_000)
    return person


@pytest.fixture
def payout(session: Session, earner: Distributor, settings: Settings) -> Payout:
    made = make_payout(session, earner, 2_000, settings=settings)
    session.commit()
    return made


def raise_by_hand(desk: Desk, earner: Distributor, reason: str = "Saw it myself") -> None:
    desk.post(
        "/risk_flags/form/raise/",
        {"distributor_id": earner.member_id, "reason": reason, "holds_payouts": "y"},
    )


def flag_of(session: Session) -> RiskFlag:
    return session.scalars(sa.select(RiskFlag).execution_options(populate_existing=True)).one()


def test_a_flag_raised_at_a_desk_keeps_the_payout_from_being_approved(
    session: Session, owner: Desk, earner: Distributor, payout: Payout
) -> None:
    raise_by_hand(owner, earner)

    owner.decide("payouts", "approve", payout.id)

    session.refresh(payout)
    assert payout.state is PayoutState.REQUESTED
    assert any("are held while a suspicion" in text for text in owner.flashes())
    assert flag_of(session).raised_by == f"staff:{owner.staff_id}"


def test_payouts_say_that_they_are_held(
    session: Session, owner: Desk, earner: Distributor, payout: Payout
) -> None:
    assert "Held" not in owner.get("/payouts/").get_data(as_text=True)

    raise_by_hand(owner, earner)

    assert '<span class="badge bad">Held</span>' in owner.get("/payouts/").get_data(as_text=True)
    page = owner.get("/payouts/details/", id=payout.id).get_data(as_text=True)
    assert '<span class="badge bad">Held</span>' in page


def test_released_the_payout_goes_on(
    session: Session, owner: Desk, earner: Distributor, payout: Payout
) -> None:
    raise_by_hand(owner, earner)

    owner.decide("risk_flags", "release", flag_of(session).id, reason="A wedding party")
    owner.decide("payouts", "approve", payout.id)

    session.refresh(payout)
    assert flag_of(session).state is FlagState.RELEASED
    assert payout.state is PayoutState.APPROVED
    assert session.scalars(sa.select(PayoutHold.lifted_at)).one() is not None


def test_confirmed_the_payout_stays_held_until_somebody_releases_it(
    session: Session, owner: Desk, earner: Distributor, payout: Payout
) -> None:
    raise_by_hand(owner, earner)
    owner.decide("risk_flags", "confirm", flag_of(session).id, reason="Proven")
    owner.decide("payouts", "approve", payout.id)
    assert session.scalars(sa.select(Payout.state)).all() == [PayoutState.REQUESTED]

    owner.decide("risk_flags", "release", flag_of(session).id, reason="Paid back")
    owner.decide("payouts", "approve", payout.id)

    assert session.scalars(sa.select(Payout.state)).all() == [PayoutState.APPROVED]


@pytest.mark.parametrize("decision", ["release", "confirm"])
def test_a_decision_without_a_reason_changes_nothing(
    session: Session, owner: Desk, earner: Distributor, decision: str
) -> None:
    session.commit()
    raise_by_hand(owner, earner)

    owner.decide("risk_flags", decision, flag_of(session).id)

    assert flag_of(session).state is FlagState.OPEN


@pytest.mark.parametrize("role", ["store_manager", "auditor"])
def test_who_only_sees_flags_cannot_raise_or_release_them(
    session: Session,
    owner: Desk,
    earner: Distributor,
    store: Store,
    sit_down: Callable[..., Desk],
    role: str,
) -> None:
    session.commit()
    raise_by_hand(owner, earner)
    desk = sit_down(role, store)

    assert desk.get("/risk_flags/form/raise/").status_code == 403
    answer = desk.decide("risk_flags", "release", flag_of(session).id, reason="Friend of mine")

    assert answer.status_code == 403
    assert flag_of(session).state is FlagState.OPEN


def test_the_page_of_a_flag_shows_the_rows_behind_it_within_the_readers_stores(
    session: Session,
    owner: Desk,
    earner: Distributor,
    store: Store,
    settings: Settings,
    sit_down: Callable[..., Desk],
) -> None:
    here = make_order(session, store=store, owner=earner)
    there = make_order(session, store=make_store(session, "There store"), owner=earner)
    found = Suspicion(
        earner.member_id,
        RiskKind.REFUND_RATE,
        {"paid": 10, "refunded": 2, "orders": [here.id, there.id]},
    )
    services.note(session, [found], settings=settings, now=NOON)
    manager = sit_down("store_manager", store)

    page = owner.get("/risk_flags/details/", id=flag_of(session).id).get_data(as_text=True)
    theirs = manager.get("/risk_flags/details/", id=flag_of(session).id).get_data(as_text=True)

    assert "Money was given back of 2 of 10 paid orders." in page
    assert here.number in page
    assert there.number in page
    assert here.number in theirs
    assert there.number not in theirs


def test_what_is_said_of_a_suspicion_is_text_and_nothing_else(
    session: Session, owner: Desk, earner: Distributor
) -> None:
    session.commit()
    raise_by_hand(owner, earner, NASTY)

    for path in ("/risk_flags/", f"/risk_flags/details/?id={flag_of(session).id}"):
        page = owner.get(path).get_data(as_text=True)
        assert NASTY not in page
        assert re.search(r"&lt;img src=x", page)


def test_a_flag_that_ended_by_itself_says_so(
    session: Session, owner: Desk, earner: Distributor
) -> None:
    session.commit()
    raise_by_hand(owner, earner)
    flag = flag_of(session)
    services.expire_due(session, now=flag.expires_at + timedelta(seconds=1), limit=5)
    session.commit()

    page = owner.get("/risk_flags/", state="expired").get_data(as_text=True)

    assert "Ended by itself" in page
    assert "Saw it myself" in page
