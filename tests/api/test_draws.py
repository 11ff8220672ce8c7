"""Lucky draws, check-ins and rounds of invitations from the mini-program."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import invites
from app.activities.draw_models import CheckIn, DrawTicket, InvitedFriend
from app.activities.models import Activity
from app.activities.prize_specs import PrizeSpec
from app.activities.states import ActivityKind, ActivityState, TicketState
from app.attribution.models import CodeMiss
from app.counter import codes
from app.kernel.clock import business_day, utc_now
from app.loyalty.rewards import Reward
from app.members.models import Member
from app.points.queries import held
from app.stores.models import Store
from app.stores.staff_mode_models import StaffBinding
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.activities import make_activity, sweep
from tests.factories.draws import end, make_draw
from tests.factories.guest_cards import make_friend
from tests.factories.people import make_member, make_staff, make_store
from tests.factories.points import make_points

Sign = Callable[..., Phone]
DAY = timedelta(days=1)
CREAM = PrizeSpec(title="Cream", chance_ppm=1_000_000, stock=5)
POINTS = PrizeSpec(title="20 points", chance_ppm=1_000_000, stock=5, reward=Reward.points(20))


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session)


def desk_of(session: Session, phone_of: Sign, store: Store, **member: Any) -> Phone:
    """The phone of somebody who stands at a store's counter."""
    person = make_staff(session, "front_desk", stores=[store])
    phone = phone_of(make_member(session, **member))
    session.add(StaffBinding(staff_id=person.id, member_id=phone.member_id, bound_at=utc_now()))
    session.commit()
    return phone


def running(session: Session, kind: ActivityKind, **rules: object) -> Activity:
    now = utc_now()
    return make_activity(session, kind, rules=rules, starts_at=now - DAY, ends_at=now + 60 * DAY)


def draw(phone: Phone, activity: Activity, key: str = "") -> Any:
    return phone.post(f"/activities/{activity.id}/tickets", {}, key=key or new_key())


def redeem(desk: Phone, code: str, store: Store) -> Any:
    return desk.post("/staff/redemptions", {"code": code, "store_id": store.id}, key=new_key())


def won(session: Session, phone: Phone, store: Store) -> tuple[int, str]:
    """Return a ticket that won something to fetch in a store, and the code that is shown for it."""
    activity = make_draw(session, prizes=[CREAM], stores=[store], now=utc_now())
    ticket_id = draw(phone, activity).get_json()["id"]
    shown = phone.post(f"/me/prizes/{ticket_id}/code")
    assert shown.status_code == 201
    return ticket_id, shown.get_json()["code"]


def test_a_draw_is_one_ticket_however_often_it_is_sent(session: Session, phone: Phone) -> None:
    activity = make_draw(session, prizes=[POINTS], now=utc_now())
    key = new_key()

    first = draw(phone, activity, key)
    with nothing_moves(session):
        again = draw(phone, activity, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    told = first.get_json()
    assert (told["number"], told["prize_title"], told["state"]) == (1, "20 points", "given")
    assert session.scalar(sa.select(sa.func.count()).select_from(DrawTicket)) == 1
    assert held(session, phone.member_id).available == 20
    mine = phone.get("/me/prizes").get_json()["items"]
    assert [one["id"] for one in mine] == [told["id"]]


def test_who_has_tried_often_enough_today_is_told_so(session: Session, phone: Phone) -> None:
    rules = {"draws_a_day": 2, "free_a_day": 1, "points_a_draw": 30}
    activity = make_draw(session, prizes=[CREAM], rules=rules, now=utc_now())
    path = f"/activities/{activity.id}/draw"

    costs = [phone.get(path).get_json()["next_costs_points"]]
    assert draw(phone, activity).status_code == 201
    costs.append(phone.get(path).get_json()["next_costs_points"])
    with nothing_moves(session):
        assert_problem(draw(phone, activity), 409, "points_short")
    make_points(session, session.get_one(Member, phone.member_id), 100, now=utc_now())
    paid = draw(phone, activity)
    costs.append(phone.get(path).get_json()["next_costs_points"])
    with nothing_moves(session):
        assert_problem(draw(phone, activity), 409, "activity_day_limit_reached")

    assert costs == [0, 30, None]
    assert (paid.status_code, paid.get_json()["points"]) == (201, 30)
    assert held(session, phone.member_id).available == 70


def drawn_again(
    seed: str, activity_id: int, prizes: Sequence[dict[str, Any]], tickets: int
) -> list[tuple[int, int | None, int | None]]:
    """Compute a draw whose chances are whole as the API's document says, without code of ours."""
    left = {one["id"]: one["stock"] for one in prizes}
    rows = []
    for number in range(1, tickets + 1):
        text = f"{activity_id}:{number}".encode()
        told = hmac.new(seed.encode(), text, hashlib.sha256).digest()
        where = int.from_bytes(told[:8], "big") % 1_000_000
        ends = [sum(one["chance_ppm"] for one in prizes[: at + 1]) for at in range(len(prizes))]
        hit = next((one["id"] for one, end_at in zip(prizes, ends, strict=True) if where < end_at))
        rows.append((number, hit, hit if left[hit] else None))
        left[hit] -= bool(left[hit])
    return rows


def test_anybody_computes_a_draw_again_once_it_is_over(session: Session, phone: Phone) -> None:
    specs = [
        PrizeSpec(title="Cream", chance_ppm=400_000, stock=2),
        PrizeSpec(title="20 points", chance_ppm=600_000, stock=50, reward=Reward.points(20)),
    ]
    activity = make_draw(session, prizes=specs, now=utc_now())
    path = f"/activities/{activity.id}"
    for _ in range(12):
        assert draw(phone, activity).status_code == 201
    before = phone.get(f"{path}/draw").get_json()

    end(session, activity, now=utc_now())
    sweep(session, now=utc_now())
    after = phone.get(f"{path}/draw").get_json()
    first = phone.get(f"{path}/tickets?limit=7").get_json()
    rest = phone.get(f"{path}/tickets?limit=7&cursor={first['next_cursor']}").get_json()

    assert (before["seed"], before["tickets"]) == (None, 12)
    assert after["commitment"] == before["commitment"]
    assert hashlib.sha256(after["seed"].encode()).hexdigest() == before["commitment"]
    rows = [
        (one["number"], one["drawn_id"], one["prize_id"])
        for page in (first, rest)
        for one in page["items"]
    ]
    assert rows == drawn_again(after["seed"], activity.id, after["prizes"], 12)
    given = {one["id"]: one["stock"] - one["left"] for one in after["prizes"]}
    assert given == {prize_id: sum(prize_id == row[2] for row in rows) for prize_id in given}
    assert_problem(draw(phone, activity), 409, "activity_not_open")


def test_whose_tickets_they_are_is_nobody_elses_business(session: Session, phone: Phone) -> None:
    activity = make_draw(session, now=utc_now())
    draw(phone, activity)

    [row] = phone.get(f"/activities/{activity.id}/tickets").get_json()["items"]

    assert set(row) == {"number", "drawn_id", "prize_id"}


def test_a_draw_is_found_by_its_own_kind_and_not_as_a_draft(session: Session, phone: Phone) -> None:
    other = running(session, ActivityKind.CHECK_IN)
    draft = make_activity(session, ActivityKind.LUCKY_DRAW, state=ActivityState.DRAFT)

    for activity in (other, draft):
        for way in ("draw", "tickets"):
            answer = phone.get(f"/activities/{activity.id}/{way}")
            assert_problem(answer, 404, "activity_not_found")
        with nothing_moves(session):
            assert_problem(draw(phone, activity), 404, "activity_not_found")


def test_a_prize_is_handed_over_for_its_code_and_that_once(
    session: Session, phone: Phone, phone_of: Sign, store: Store
) -> None:
    ticket_id, code = won(session, phone, store)
    desk = desk_of(session, phone_of, store)

    seen = desk.post("/staff/redemptions/look", {"code": code}).get_json()
    done = redeem(desk, code, store)

    assert (seen["kind"], seen["title"], seen["left"]) == ("prize", "Cream", 1)
    assert (done.status_code, done.get_json()["left"]) == (201, 0)
    ticket = session.get_one(DrawTicket, ticket_id, populate_existing=True)
    assert (ticket.state, ticket.store_id) == (TicketState.HANDED_OVER, store.id)
    with nothing_moves(session):
        assert_problem(redeem(desk, code, store), 409, "prize_not_waiting")
        assert_problem(phone.post(f"/me/prizes/{ticket_id}/code"), 409, "prize_not_waiting")


def test_a_prize_is_no_prize_in_a_foreign_store(
    session: Session, phone: Phone, phone_of: Sign, store: Store
) -> None:
    _, code = won(session, phone, store)
    there = make_store(session)
    elsewhere = desk_of(session, phone_of, there)

    with nothing_moves(session):
        assert_problem(redeem(elsewhere, code, store), 404, "store_not_found")
        assert_problem(redeem(elsewhere, code, there), 404, "ticket_not_found")
        seen = elsewhere.post("/staff/redemptions/look", {"code": code})
        assert_problem(seen, 404, "ticket_not_found")


def test_no_code_is_bent_shown_late_or_used_for_another_prize(
    session: Session, phone: Phone, phone_of: Sign, store: Store
) -> None:
    first_id, code = won(session, phone, store)
    other_id, _ = won(session, phone, store)
    late = codes.show(
        f"prize:{first_id}", member_id=phone.member_id, now=utc_now() - timedelta(minutes=5)
    )
    desk = desk_of(session, phone_of, store)
    bent = [
        code.replace(f"prize:{first_id}", f"prize:{other_id}"),
        code[:-1] + ("0" if code[-1] != "0" else "1"),
        str(late),
    ]

    with nothing_moves(session):
        answers = [redeem(desk, one, store) for one in bent]

    assert [(one.status_code, one.get_json()["code"]) for one in answers] == [
        (422, "pickup_code_invalid"),
        (422, "pickup_code_invalid"),
        (409, "pickup_code_expired"),
    ]


def test_staff_hand_over_no_prize_of_their_own(
    session: Session, phone_of: Sign, store: Store
) -> None:
    desk = desk_of(session, phone_of, store)
    _, code = won(session, desk, store)

    with nothing_moves(session):
        assert_problem(redeem(desk, code, store), 403, "prize_of_staff")


def test_a_day_counts_once(session: Session, phone: Phone) -> None:
    activity = running(session, ActivityKind.CHECK_IN, points_a_day=3, streak_days=2)
    path = f"/activities/{activity.id}/check-in"

    before = phone.get(path).get_json()
    first = phone.post(path).get_json()
    with nothing_moves(session):
        again = phone.post(path).get_json()

    today = business_day(utc_now()).isoformat()
    assert (before["has_checked_in"], before["streak"], before["days"]) == (False, 0, [])
    assert (first["is_new"], first["streak"], first["points"]) == (True, 1, 3)
    assert (first["days"], first["days_to_bonus"]) == ([today], 1)
    assert again == first | {"is_new": False}
    assert held(session, phone.member_id).available == 3


def test_the_last_day_in_a_row_brings_more(session: Session, phone: Phone) -> None:
    rules = {"points_a_day": 3, "streak_days": 2, "streak_points": 10}
    activity = running(session, ActivityKind.CHECK_IN, **rules)
    now = utc_now()
    session.add(
        CheckIn(
            activity_id=activity.id,
            member_id=phone.member_id,
            day=business_day(now) - DAY,
            streak=1,
            points=3,
            at=now - DAY,
        )
    )
    session.commit()

    shown = phone.post(f"/activities/{activity.id}/check-in").get_json()

    assert (shown["streak"], shown["points"], len(shown["days"])) == (2, 13, 2)


def begin(phone: Phone, activity: Activity) -> dict[str, Any]:
    answer = phone.post(f"/activities/{activity.id}/rounds")
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_friend_accepts_an_invitation_once(
    session: Session, phone: Phone, phone_of: Sign
) -> None:
    activity = running(session, ActivityKind.INVITE_ROUNDS, friends=2, friend_points=30)
    mine = begin(phone, activity)
    friend = phone_of(make_friend(session))
    path = f"/invitations/{mine['code']}"

    seen = friend.get(path).get_json()
    taken = friend.post(f"{path}/accept")
    with nothing_moves(session):
        again = friend.post(f"{path}/accept")

    assert begin(phone, activity) == mine
    assert (mine["needed"], mine["arrived"], mine["state"]) == (2, 0, "open")
    assert (seen["is_open"], seen["friend_points"]) == (True, 30)
    assert seen["counts_when"] == "first_order_kept"
    assert (taken.status_code, again.status_code) == (200, 200)
    assert [one["code"] for one in phone.get("/me/rounds").get_json()["items"]] == [mine["code"]]
    assert friend.get("/me/rounds").get_json()["items"] == []
    assert session.scalars(sa.select(InvitedFriend.friend_id)).all() == [friend.member_id]


def test_who_cannot_be_invited_is_told_why(session: Session, phone_of: Sign) -> None:
    activity = running(session, ActivityKind.INVITE_ROUNDS)
    host = phone_of(make_member(session, phone="+8613911112222"))
    other = phone_of(make_member(session))
    code, others = begin(host, activity)["code"], begin(other, activity)["code"]
    relative = phone_of(make_member(session, phone="+8613911112222"))
    customer = phone_of(make_member(session, first_paid_at=utc_now() - DAY))
    friend = phone_of(make_friend(session))
    assert friend.post(f"/invitations/{others}/accept").status_code == 200

    with nothing_moves(session):
        for phone, problem in (
            (host, "invite_own"),
            (relative, "invite_own"),
            (customer, "activity_newcomers_only"),
            (friend, "invite_taken"),
        ):
            assert_problem(phone.post(f"/invitations/{code}/accept"), 409, problem)


def test_an_invitation_that_is_over_says_so(session: Session, phone: Phone, phone_of: Sign) -> None:
    begun_at = utc_now() - 2 * DAY
    rules = {"days": 1}
    activity = make_activity(
        session, ActivityKind.INVITE_ROUNDS, rules=rules, starts_at=begun_at - DAY
    )
    code = invites.begin(session, activity.id, member_id=phone.member_id, now=begun_at).code
    session.commit()
    friend = phone_of(make_friend(session))

    with nothing_moves(session):
        assert_problem(friend.post(f"/invitations/{code}/accept"), 409, "invite_over")
        assert friend.get(f"/invitations/{code}").get_json()["is_open"] is False


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/invitations/{}", "invite_not_found"),
        ("POST", "/invitations/{}/accept", "invite_not_found"),
        ("GET", "/groups/{}", "group_not_found"),
        ("POST", "/groups/{}/orders", "group_not_found"),
        ("GET", "/bargains/{}", "bargain_not_found"),
        ("POST", "/bargains/{}/cuts", "bargain_not_found"),
        ("POST", "/bargains/{}/orders", "bargain_not_found"),
    ],
)
def test_guessing_at_links_shuts_the_guesser_out(
    session: Session,
    phone: Phone,
    settings_of: Callable[..., None],
    method: str,
    path: str,
    code: str,
) -> None:
    settings_of(code_misses_max=2)
    body = {"fulfilment": "pickup"} if path.endswith("orders") else None
    body = {} if path.endswith("cuts") else body

    def guess(word: str) -> Any:
        headers = {"Idempotency-Key": new_key()} if body is not None else {}
        return phone.ask(method, path.format(word * 16), json=body, headers=headers)

    assert_problem(guess("A"), 404, code)
    assert_problem(guess("B"), 404, code)
    shut = guess("C")

    assert_problem(shut, 429, "share_codes_locked")
    assert int(shut.headers["Retry-After"]) > 0
    assert session.scalars(sa.select(CodeMiss.misses)).all() == [2, 2]
