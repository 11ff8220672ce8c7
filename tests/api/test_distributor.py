from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import invites
from app.activities.states import ActivityKind
from app.attribution.models import Binding, CodeMiss, ShareCode, Touch
from app.guest_cards.sharing import month_of
from app.kernel.clock import day_begins_at
from app.kernel.ids import random_text
from app.members.models import Distributor, Standing
from app.orders.states import OrderState
from app.settings import Settings
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.activities import make_activity
from tests.factories.guest_cards import (
    claimed_card,
    make_template,
    open_hours,
    shared_card,
    used,
)
from tests.factories.orders import make_order
from tests.factories.payouts import make_earner
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_share_code,
    make_store,
    make_team,
)
from tests.factories.plans import make_plan


def test_an_application_names_the_owner_of_the_code_as_recommender(
    session: Session, phone: Phone
) -> None:
    owner = make_distributor(session)
    code = make_share_code(session, distributor=owner)

    response = phone.post(
        "/distributor/application",
        {"agreement_version": "2026-11", "real_name": "王小美", "recommender_code": code.code},
    )

    shown = response.get_json()
    assert response.status_code == 201
    assert (shown["standing"], shown["level"]) == ("applied", 1)
    assert shown["recommender_id"] == owner.member_id
    assert "王小美" not in response.get_data(as_text=True)
    row = session.get_one(Distributor, phone.member_id)
    assert "王小美" not in (row.real_name_sealed or "")


def test_who_is_somebodys_customer_joins_their_team_whatever_the_code_says(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    customer, owner = make_member(session), make_distributor(session)
    make_binding(
        session, customer=customer, owner=owner, valid_from_at=datetime.now(UTC) - timedelta(days=1)
    )
    other = make_share_code(session)

    shown = (
        phone_of(customer)
        .post(
            "/distributor/application",
            {"agreement_version": "2026-11", "recommender_code": other.code},
        )
        .get_json()
    )

    assert shown["recommender_id"] == owner.member_id


def test_an_application_with_an_unknown_code_counts_as_a_guess(
    session: Session, phone: Phone
) -> None:
    response = phone.post(
        "/distributor/application",
        {"agreement_version": "2026-11", "recommender_code": random_text(22)},
    )

    assert_problem(response, 404, "share_code_unknown")
    assert session.get(Distributor, phone.member_id) is None
    assert session.scalars(sa.select(CodeMiss.misses)).all() == [1, 1]


def test_nobody_applies_twice(session: Session, phone: Phone) -> None:
    phone.post("/distributor/application", {"agreement_version": "2026-11"})

    with nothing_moves(session):
        response = phone.post("/distributor/application", {"agreement_version": "2026-11"})

    assert_problem(response, 409, "already_a_distributor")


def test_the_dashboard_tells_balances_level_team_and_today(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    now = datetime.now(UTC)
    earner = make_earner(session, 3_000)
    make_distributor(session, recommender=make_distributor(session, recommender=earner))
    order = make_order(session, owner=earner, price_fen=120_000, state=OrderState.SETTLED)
    order.settled_at = now - timedelta(days=1)
    session.flush()

    shown = phone_of(earner).get("/distributor").get_json()

    assert shown["balances"] == {
        "pending_fen": 0,
        "available_fen": 3_000,
        "in_transit_fen": 0,
        "debt_fen": 0,
    }
    assert shown["total_earned_fen"] == 3_000
    assert shown["today"] == {"orders": 0, "earned_fen": 0}
    assert shown["team"] == {"direct": 1, "second": 1}
    assert shown["distributor"]["standing"] == "active"
    assert shown["progress"] == {
        "next_level": 2,
        "mode": "ALL",
        "conditions": [
            {
                "kind": "DIRECT_SALES",
                "window_days": 90,
                "required": 500_000,
                "reached": 120_000,
            }
        ],
    }


def test_at_the_top_or_without_a_plan_there_is_no_next_level(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    phone = phone_of(make_distributor(session, level=3))
    assert phone.get("/distributor").get_json()["progress"] is None

    make_plan(session)

    assert phone.get("/distributor").get_json()["progress"] is None


@pytest.mark.parametrize("standing", [Standing.APPLIED, Standing.FROZEN, Standing.QUIT])
def test_whoever_ever_applied_sees_where_they_stand(
    session: Session, phone_of: Callable[..., Phone], standing: Standing
) -> None:
    phone = phone_of(make_distributor(session, standing=standing))

    assert phone.get("/distributor").get_json()["distributor"]["standing"] == standing


def test_who_never_applied_has_no_dashboard(phone: Phone) -> None:
    assert_problem(phone.get("/distributor"), 403, "not_a_distributor")


def test_each_tier_of_the_team_is_listed_in_pages_and_counted(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    top = make_distributor(session)
    direct = [make_distributor(session, recommender=top, level=2) for _ in range(3)]
    second = make_distributor(session, make_member(session, nickname="Yan"), recommender=direct[0])
    make_distributor(session, recommender=second)
    phone = phone_of(top)

    first = phone.get("/distributor/team?limit=2").get_json()
    rest = phone.get(f"/distributor/team?limit=2&cursor={first['next_cursor']}").get_json()

    ids = [[item["member_id"] for item in page["items"]] for page in (first, rest)]
    assert ids == [[direct[2].member_id, direct[1].member_id], [direct[0].member_id]]
    assert phone.get("/distributor/team?tier=2").get_json()["items"] == [
        {
            "member_id": second.member_id,
            "nickname": "Yan",
            "standing": "active",
            "level": 1,
            "recommender_id": direct[0].member_id,
            "direct_count": 1,
            "applied_at": "2025-01-25T12:00:00Z",
            "approved_at": "2025-01-25T12:00:00Z",
        }
    ]
    assert phone.get("/distributor/team/counts").get_json() == {"direct": 3, "second": 1}


@pytest.mark.parametrize("tier", ["0", "3", "-1", "x", "1.0", ""])
def test_there_are_two_tiers_and_no_more(phone: Phone, tier: str) -> None:
    response = phone.get(f"/distributor/team?tier={tier}")

    assert_problem(response, 422, "invalid_request", "tier")


def test_nobody_sees_another_team(session: Session, phone_of: Callable[..., Phone]) -> None:
    line = make_team(session, 2)

    assert phone_of(line[1]).get("/distributor/team").get_json()["items"] == []


def test_customers_are_listed_while_they_belong_to_the_caller(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    owner = make_distributor(session)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    won = [make_member(session, nickname=f"C{number}") for number in range(3)]
    for customer in won:
        make_binding(session, customer=customer, owner=owner, valid_from_at=yesterday)
    make_binding(session, owner=owner, valid_from_at=yesterday - timedelta(days=90))
    make_binding(session, valid_from_at=yesterday)
    phone = phone_of(owner)

    first = phone.get("/distributor/customers?limit=2").get_json()
    rest = phone.get(f"/distributor/customers?limit=2&cursor={first['next_cursor']}").get_json()

    names = [[item["nickname"] for item in page["items"]] for page in (first, rest)]
    assert names == [["C2", "C1"], ["C0"]]
    assert set(first["items"][0]) == {
        "member_id",
        "nickname",
        "state",
        "source",
        "since_at",
        "until_at",
        "has_paid",
    }


def test_the_dashboard_tells_what_the_callers_tools_bring(
    session: Session, settings: Settings, phone_of: Callable[..., Phone]
) -> None:
    now = datetime.now(UTC)
    giver, other = make_distributor(session), make_distributor(session)
    store = open_hours(session, make_store(session))
    template = make_template(session, store=store, quota=5)
    before = day_begins_at(month_of(now)) - timedelta(seconds=1)
    shared_card(session, settings, giver=giver, template=template, now=before)
    shared_card(session, settings, giver=giver, template=template, now=now)
    card = claimed_card(session, settings, giver=giver, template=template, now=now)
    used(session, card, store, now=now)
    shared_card(session, settings, giver=other, template=template, now=now)
    make_share_code(session, distributor=giver)
    make_share_code(session, distributor=giver, revoked_at=now)
    long_ago = now - timedelta(days=9)
    activities = [
        make_activity(session, ActivityKind.INVITE_ROUNDS, rules={"days": days}, starts_at=long_ago)
        for days in (30, 1)
    ]
    for one in activities:
        invites.begin(session, one.id, member_id=giver.member_id, now=now - timedelta(days=2))
    invites.begin(session, activities[0].id, member_id=other.member_id, now=now)
    session.flush()

    shown = phone_of(giver).get("/distributor").get_json()["toolbox"]

    nothing = {"booked": 0, "converted": 0}
    assert shown == {
        "cards_this_month": {"issued": 2, "claimed": 1, "used": 1} | nothing,
        "cards_in_all": {"issued": 3, "claimed": 1, "used": 1} | nothing,
        "cards_left": 3,
        "live_codes": 2,
        "open_rounds": 1,
    }


def test_who_may_give_nothing_at_present_has_no_cards_left(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    make_template(session, quota=5)
    active, frozen = make_distributor(session), make_distributor(session, standing=Standing.FROZEN)

    left = [
        phone_of(one).get("/distributor").get_json()["toolbox"]["cards_left"]
        for one in (active, frozen)
    ]

    assert left == [5, 0]


def test_each_channel_tells_its_codes_and_the_customers_it_brought(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    now = datetime.now(UTC)
    owner = make_distributor(session)
    rows = [
        make_binding(session, customer=customer, owner=owner, valid_from_at=now - timedelta(days=1))
        for customer in (make_member(session), make_member(session, first_paid_at=now))
    ]
    lapsed = make_binding(session, owner=owner, valid_from_at=now - timedelta(days=90))
    make_binding(session, valid_from_at=now - timedelta(days=1))
    codes = [_code_of(session, one) for one in (*rows, lapsed)]
    (first, second, third), codes[1].page = [one.channel_id for one in codes], "pages/shop/index"
    codes[1].channel_id = first
    session.flush()
    phone = phone_of(owner)

    page = phone.get("/distributor/channels?limit=1").get_json()
    rest = phone.get(f"/distributor/channels?cursor={page['next_cursor']}").get_json()

    told = [
        (one["channel_id"], one["live_codes"], one["customers"], one["paying_customers"])
        for one in (*page["items"], *rest["items"])
    ]
    assert told == [(third, 1, 0, 0), (first, 2, 2, 1)]
    assert second not in [one[0] for one in told]
    assert rest["next_cursor"] is None


def _code_of(session: Session, binding: Binding) -> ShareCode:
    wanted = sa.select(ShareCode).join(Touch).where(Touch.binding_id == binding.id)
    return session.scalars(wanted).one()
