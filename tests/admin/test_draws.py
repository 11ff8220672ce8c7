"""Lucky draws, check-ins and rounds of invitations in the back office."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import check_ins, draws, invites, prizes
from app.activities.draw_models import DrawPrize, DrawTicket
from app.activities.models import Activity
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityKind, ActivityState, TicketState
from app.kernel.audit import AuditRecord
from app.kernel.db import database_now
from app.loyalty.rewards import Reward
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.activities import make_activity, sweep
from tests.factories.coupons import make_template
from tests.factories.draws import end, make_draw
from tests.factories.people import make_member, make_store

Sit = Callable[..., Desk]
CREAM = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=9)


@pytest.fixture
def at(session: Session) -> datetime:
    """The database's instant: what the back office does happens then."""
    return database_now()


@pytest.fixture
def draft(session: Session, at: datetime) -> Activity:
    activity = make_activity(
        session,
        ActivityKind.LUCKY_DRAW,
        name="Wheel",
        state=ActivityState.DRAFT,
        starts_at=at + timedelta(days=1),
        ends_at=at + timedelta(days=9),
        limit_total=1_000,
    )
    session.commit()
    return activity


def lines(*prizes: tuple[Any, ...]) -> dict[str, Any]:
    named = ("title", "chance", "stock", "gives", "points", "template")
    told: dict[str, Any] = {}
    for number in range(1, 13):
        values = prizes[number - 1] if number <= len(prizes) else ("", "", "", "thing", "", 0)
        told |= {f"{name}_{number}": value for name, value in zip(named, values, strict=True)}
    return told


def held(session: Session, activity: Activity) -> list[tuple[Any, ...]]:
    session.expire_all()
    return [
        (one.title, one.chance_ppm, one.stock, one.reward)
        for one in draws.prizes_of(session, activity.id)
    ]


def put(desk: Desk, activity: Activity, told: dict[str, Any]) -> str:
    return text_of(desk.post(f"/activities/form/prizes/?id={activity.id}", told))


def test_prizes_are_said_line_by_line_and_looked_over(
    session: Session, owner: Desk, draft: Activity
) -> None:
    template = make_template(session, stock=5)
    session.commit()
    told = lines(
        ("Cream", "0.5", "20", "thing", "", 0),
        ("20 points", "40", "900", "points", "20", 0),
        ("Voucher", "12.5", "100", "coupon", "", template.id),
    )

    owner.post(f"/activities/form/prizes/?id={draft.id}", told)
    form = text_of(owner.get("/activities/form/prizes/", id=draft.id))
    page = text_of(owner.get("/activities/details/", id=draft.id))

    assert held(session, draft) == [
        ("Cream", 5_000, 20, None),
        ("20 points", 400_000, 900, {"kind": "points", "amount": 20}),
        ("Voucher", 125_000, 100, {"kind": "coupon", "amount": 1, "template_id": template.id}),
    ]
    assert "Chances together: 53 %. A draw wins nothing with 47 %." in form
    assert "12.5 %" in page
    assert f"Coupon: {template.title}" in page
    assert "All draws win about 5 of Cream; there are 20." in page
    assert "Of the coupon of Voucher there are only 5 left." in page
    assert "No prize may be worth more than 50,000 yuan" in page


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("A", "60", "1", "thing", "", 0), "together at most 100%"),
        (("A", "", "1", "thing", "", 0), "together at most 100%"),
        (("A", "0", "1", "thing", "", 0), "Please enter a chance in percent"),
        (("A", "1e1", "1", "points", "", 0), "what is given"),
        (("A", "1", "", "thing", "", 0), "their stock"),
        (("A", "0.00001", "1", "thing", "", 0), "Please enter a chance in percent"),
        (("A", "NaN", "1", "thing", "", 0), "Please enter a chance in percent"),
    ],
)
def test_prizes_that_make_no_sense_change_nothing(
    session: Session, owner: Desk, draft: Activity, line: tuple[Any, ...], said: str
) -> None:
    page = put(owner, draft, lines(("Cream", "50", "2", "thing", "", 0), line))

    assert said in page
    assert held(session, draft) == []


def test_prizes_stand_once_a_draw_has_begun(session: Session, owner: Desk, at: datetime) -> None:
    running = make_draw(session, prizes=[CREAM], now=at)
    session.commit()

    page = put(owner, running, lines(("Less", "1", "1", "thing", "", 0)))

    assert "This cannot be done" in page
    assert held(session, running) == [("Cream", 1_000_000, 9, None)]


def test_who_works_in_one_store_changes_no_prizes_of_all(
    session: Session, sit_down: Sit, draft: Activity
) -> None:
    desk = sit_down("operations", make_store(session))

    put(desk, draft, lines(("Less", "1", "1", "thing", "", 0)))

    assert held(session, draft) == []


def test_a_draw_that_is_over_is_computed_again_and_a_forged_ticket_named(
    session: Session, owner: Desk, at: datetime
) -> None:
    activity = make_draw(session, prizes=[CREAM], now=at)
    person = make_member(session)
    for _ in range(3):
        draws.draw(session, activity.id, member_id=person.id, now=at)
    session.commit()
    early = text_of(owner.post(f"/activities/form/check-draw/?id={activity.id}", {}))
    end(session, activity, now=at)
    sweep(session, now=at)

    sound = owner.post(f"/activities/form/check-draw/?id={activity.id}", {})
    told = text_of(owner.get("/activities/details/", id=activity.id))
    session.execute(sa.update(DrawPrize).values(stock=2, given=2))
    session.commit()
    forged = text_of(owner.post(f"/activities/form/check-draw/?id={activity.id}", {}))

    seed = draws.proof_of(session, activity.id).seed
    assert "This cannot be done" in early
    assert sound.status_code == 302
    assert "Every ticket is what the seed says" in told
    assert f"The seed, shown since it is over: {seed}" in told
    assert "Ticket 3 is not what the seed says." in forged


def test_a_prize_is_handed_over_once_in_a_store_of_the_draw(
    session: Session, sit_down: Sit, at: datetime
) -> None:
    store, elsewhere = make_store(session), make_store(session)
    activity = make_draw(session, prizes=[CREAM], stores=[store], now=at)
    person = make_member(session, nickname="Winner", origin_store_id=store.id)
    ticket = draws.draw(session, activity.id, member_id=person.id, now=at)
    session.commit()
    desk, stranger = sit_down("front_desk", store), sit_down("front_desk", elsewhere)

    refused = stranger.decide("draw_tickets", "hand-over", ticket.id, store_id=elsewhere.id)
    desk.decide("draw_tickets", "hand-over", ticket.id, store_id=store.id)
    again = desk.decide("draw_tickets", "hand-over", ticket.id, store_id=store.id)

    session.refresh(ticket)
    page = text_of(sit_down("store_manager", store).get("/members/details/", id=person.id))
    assert refused.status_code == 404
    assert (ticket.state, ticket.store_id) == (TicketState.HANDED_OVER, store.id)
    assert again.status_code == 302
    actions = session.scalars(sa.select(AuditRecord.action)).all()
    assert actions.count("draw_prize_handed_over") == 1
    assert "Won in a draw" in page
    assert "Prize handed over" in page


def test_the_code_on_the_customers_phone_hands_a_prize_over(
    session: Session, sit_down: Sit, at: datetime
) -> None:
    store = make_store(session)
    activity = make_draw(session, prizes=[CREAM], now=at)
    person = make_member(session)
    ticket = draws.draw(session, activity.id, member_id=person.id, now=at)
    code = prizes.show_code(session, ticket.id, member_id=person.id, now=at)
    session.commit()
    desk = sit_down("store_manager", store)

    desk.post("/draw_tickets/form/hand-over/", {"code": "nonsense", "store_id": store.id})
    session.refresh(ticket)
    before = ticket.state
    desk.post("/draw_tickets/form/hand-over/", {"code": str(code), "store_id": store.id})

    session.refresh(ticket)
    assert (before, ticket.state) == (TicketState.WAITING, TicketState.HANDED_OVER)


def test_each_kind_shows_what_it_brought(session: Session, owner: Desk, at: datetime) -> None:
    host, friend = make_member(session, nickname="Hostess"), make_member(session, nickname="Pal")
    points = PrizeSpec(title="P", chance_ppm=1_000_000, stock=9, reward=Reward.points(30))
    wheel = make_draw(session, prizes=[points], now=at)
    draws.draw(session, wheel.id, member_id=host.id, now=at)
    daily = make_activity(session, ActivityKind.CHECK_IN)
    check_ins.check_in(session, daily.id, member_id=host.id, now=at)
    rounds = make_activity(session, ActivityKind.INVITE_ROUNDS, rules={"friends": 2})
    row = invites.begin(session, rounds.id, member_id=host.id, now=at)
    invites.accept(session, row.code, friend_id=friend.id, now=at)
    invites.arrived(session, friend.id, "first_order_kept", now=at)
    session.commit()

    pages = [
        text_of(owner.get("/activities/details/", id=one.id)) for one in (wheel, daily, rounds)
    ]
    told = text_of(owner.get("/invite_rounds/details/", id=row.id))
    file = text_of(owner.get("/members/details/", id=host.id))

    assert "A thousand draws give points and coupons worth about ¥300.00." in pages[0]
    assert "Points given" in pages[0]
    assert "Most days in a row" in pages[1]
    assert "Friends who counted" in pages[2]
    assert "Their first order was kept" in pages[2]
    assert all("Hostess" in page for page in pages)
    assert "Pal" in told
    assert "Began to invite friends" in file


def figures_of(page: str) -> list[str]:
    """Return the figures below "What it brought"."""
    row = re.search(r"What it brought.*?<tbody>(.*?)</tr>", page, re.DOTALL)
    assert row is not None, page
    return [re.sub(r"<[^>]*>", "", one).strip() for one in re.findall(r"<td.*?</td>", row[1], re.S)]


def test_staff_of_a_store_see_what_its_customers_did(
    session: Session, sit_down: Sit, at: datetime, store: Store
) -> None:
    daily = make_activity(session, ActivityKind.CHECK_IN)
    rounds = make_activity(session, ActivityKind.INVITE_ROUNDS, rules={"friends": 9})
    stores = [store, make_store(session), make_store(session)]
    session.commit()
    for friends, known_by in enumerate(stores, start=1):
        member = make_member(session, origin_store_id=known_by.id)
        check_ins.check_in(session, daily.id, member_id=member.id, now=at)
        row = invites.begin(session, rounds.id, member_id=member.id, now=at)
        for _ in range(friends):
            invites.accept(session, row.code, friend_id=make_member(session).id, now=at)
    session.commit()

    told = {
        role: [
            figures_of(desk.get("/activities/details/", id=one.id).get_data(as_text=True))
            for one in (daily, rounds)
        ]
        for role, desk in (
            ("store_manager", sit_down("store_manager", store)),
            ("owner", sit_down("owner")),
        )
    }

    assert told["store_manager"] == [["1", "1", "1", "1"], ["1", "1", "0", "1", "1", "0", "0"]]
    assert told["owner"] == [["3", "3", "1", "3"], ["3", "3", "0", "3", "6", "0", "0"]]


@pytest.mark.parametrize("kind", ["lucky-draw", "check-in", "invite-rounds"])
def test_each_kind_has_a_form(session: Session, owner: Desk, kind: str, store: Store) -> None:
    code = ActivityKind(kind.replace("-", "_"))
    every: dict[str, dict[str, Any]] = {
        "lucky_draw": {"draws_a_day": 3, "free_a_day": 1, "points_a_draw": 20},
        "check_in": {"points_a_day": 1, "streak_days": 7, "streak_points": 10},
        "invite_rounds": {
            "friends": 3,
            "days": 30,
            "counts_when": "card_used",
            "reward_points": 300,
            "reward_coupon_id": 0,
            "friend_points": 50,
        },
    }
    rules = every[code.value]
    told = {
        "name": "Spring",
        "starts_at": "2026-12-01T20:00",
        "ends_at": "2026-12-09T20:00",
        **{f"rule_{name}": value for name, value in rules.items()},
    }

    owner.post(f"/activities/form/new-{kind}/", told)

    activity = session.scalars(sa.select(Activity)).one()
    assert (activity.kind, activity.rules) == (code, rules)
    assert session.scalars(sa.select(DrawTicket)).all() == []


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)
