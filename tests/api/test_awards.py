from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.members.models import Distributor
from app.orders.states import OrderState
from tests.api.conftest import Phone, assert_problem
from tests.factories.orders import NOON, make_order, paid_order
from tests.factories.payouts import plan_version_id
from tests.factories.people import make_distributor
from tests.integration.distribution.cases import award, claw_back, freeze, refund_of


def earn(session: Session, owner: Distributor, price_fen: int) -> Award:
    """What the jobs grant on a paid order of the owner's customer: a tenth of it."""
    version_id = plan_version_id(session)
    order = paid_order(
        session, owner=owner, price_fen=price_fen, plan_version_id=version_id, now=NOON
    )
    [only] = award(session, order, now=NOON)
    return only


def test_awards_are_listed_newest_first_each_explained_in_both_languages(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session)
    awards = [earn(session, owner, fen) for fen in (1_000, 2_000, 3_005)]
    earn(session, make_distributor(session), 9_000)
    phone = phone_of(owner)

    first = phone.get("/distributor/awards?limit=2").get_json()
    rest = phone.get(f"/distributor/awards?limit=2&cursor={first['next_cursor']}").get_json()

    pages = [[item["amount_fen"] for item in page["items"]] for page in (first, rest)]
    assert pages == [[300, 200], [100]]
    shown = first["items"][0]
    assert (shown["id"], shown["net_fen"], shown["state"]) == (awards[2].id, 300, "pending")
    assert (shown["kind"], shown["base_fen"], shown["rate_bp"]) == ("L1", 3_005, 1_000)
    assert (shown["matures_at"], shown["created_at"]) == (None, "2026-03-01T12:00:00Z")
    sentences = [sentence["en"] for sentence in shown["explanation"]]
    assert any("10%" in one and "¥30.05" in one and "¥3.00" in one for one in sentences)
    assert all(set(one) == {"zh", "en"} and one["zh"] for one in shown["explanation"])


def test_one_state_is_asked_for(session: Session, phone_of: Callable[..., Phone]) -> None:
    owner = make_distributor(session)
    earn(session, owner, 1_000)
    order = make_order(
        session,
        owner=owner,
        price_fen=2_000,
        plan_version_id=plan_version_id(session),
        state=OrderState.COMPLETED,
    )
    award(session, order, now=NOON)
    freeze(session, order, now=NOON)
    phone = phone_of(owner)

    def amounts(state: str) -> list[int]:
        page = phone.get(f"/distributor/awards?state={state}").get_json()
        return [item["amount_fen"] for item in page["items"]]

    assert (amounts("pending"), amounts("frozen"), amounts("matured")) == ([100], [200], [])


@pytest.mark.parametrize("state", ["paid", "MATURED", "", "matured,frozen"])
def test_a_state_that_is_none_is_refused(phone: Phone, state: str) -> None:
    response = phone.get(f"/distributor/awards?state={state}")

    assert_problem(response, 422, "invalid_request", "state")


def test_an_award_shows_what_refunds_left_of_it_and_why(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session)
    version_id = plan_version_id(session)
    order = paid_order(session, owner=owner, price_fen=10_000, plan_version_id=version_id, now=NOON)
    [only] = award(session, order, now=NOON)
    claw_back(session, refund_of(session, order, fen=4_000), now=NOON)

    shown = phone_of(owner).get(f"/distributor/awards/{only.id}").get_json()

    assert (shown["amount_fen"], shown["net_fen"]) == (1_000, 600)
    assert any("¥40.00" in sentence["en"] for sentence in shown["explanation"])


def test_somebody_elses_award_is_the_same_as_none(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    foreign = earn(session, make_distributor(session), 1_000)
    phone = phone_of(make_distributor(session))

    for award_id in (foreign.id, 2**63 - 1):
        assert_problem(phone.get(f"/distributor/awards/{award_id}"), 404, "award_not_found")
