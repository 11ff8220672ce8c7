import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session

from app.kernel.ids import digest
from miniprogram_api.limits import SLIDING_WINDOW
from tests.api.conftest import Phone, assert_problem, nothing_moves
from tests.factories.people import make_member, make_share_code

WINDOW_MS = 60_000


def test_sign_in_is_limited_by_address(
    anonymous: Phone, redis: Redis, settings_of: Callable[..., None]
) -> None:
    settings_of(sign_in_limit_per_minute=3)
    for _ in range(3):
        assert anonymous.post("/session", {}).status_code == 422

    response = anonymous.post("/session", {})

    problem = assert_problem(response, 429, "too_many_requests")
    seconds = int(response.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert problem["facts"] == {"retry_after_seconds": seconds}


def test_a_limited_write_has_no_effect_and_others_are_not_held_up(
    session: Session,
    redis: Redis,
    phone: Phone,
    phone_of: Callable[..., Phone],
    settings_of: Callable[..., None],
) -> None:
    other = phone_of(make_member(session))
    settings_of(rate_limit_per_minute=2)
    for name in ("A", "B"):
        assert phone.patch("/me", {"nickname": name}).status_code == 200

    with nothing_moves(session):
        response = phone.patch("/me", {"nickname": "C"})

    assert_problem(response, 429, "too_many_requests")
    assert other.patch("/me", {"nickname": "D"}).status_code == 200


def test_each_class_is_counted_by_itself_and_reads_not_at_all(
    session: Session, redis: Redis, phone: Phone, settings_of: Callable[..., None]
) -> None:
    settings_of(rate_limit_per_minute=1)
    code = make_share_code(session).code

    assert phone.patch("/me", {"nickname": "A"}).status_code == 200
    assert phone.post("/touches", {"code": code}).status_code == 200
    assert_problem(phone.post("/touches", {"code": code}), 429, "too_many_requests")
    for _ in range(5):
        assert phone.get("/me").status_code == 200


def test_an_opened_link_is_limited_by_address_and_says_so_on_a_page(
    client: FlaskClient, redis: Redis, settings_of: Callable[..., None]
) -> None:
    settings_of(rate_limit_per_minute=1)
    code = "a" * 22

    assert client.get(f"/s/{code}/open").status_code == 302
    limited = client.get(f"/s/{code}/open")

    assert (limited.status_code, limited.mimetype) == (429, "text/html")


def test_a_key_names_nobody_and_goes_away_by_itself(
    redis: Redis, phone: Phone, settings_of: Callable[..., None]
) -> None:
    settings_of(rate_limit_per_minute=5)
    phone.patch("/me", {"nickname": "A"})

    key = f"limit:write:{digest(f'member:{phone.member_id}')[:32]}"
    assert redis.keys("limit:*") == [key.encode()]
    assert 0 < redis.pttl(key) <= 2 * WINDOW_MS


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_exactly_so_many_are_let_through(redis: Redis, limit: int) -> None:
    script = redis.register_script(SLIDING_WINDOW)
    span = 86_400 * 365

    waits = [script(["limit:test"], [limit, span]) for _ in range(limit + 5)]

    assert waits[:limit] == [0] * limit
    assert all(0 < wait <= span for wait in waits[limit:])


def test_what_the_window_before_has_used_counts_for_what_is_left_of_it(redis: Redis) -> None:
    script = redis.register_script(SLIDING_WINDOW)
    span = 86_400 * 365 * 10
    seconds, _ = redis.time()
    window = seconds // span
    left = (span - seconds % span) / span
    redis.hset("limit:test", mapping={"window": window - 1, "current": 100, "previous": 0})
    allowed = int(100 - 100 * left)

    passed = 0
    while script(["limit:test"], [100, span]) == 0:
        passed += 1

    assert passed == allowed


def test_windows_long_past_are_forgotten(redis: Redis) -> None:
    script = redis.register_script(SLIDING_WINDOW)
    window = int(time.time()) // 60
    redis.hset("limit:test", mapping={"window": window - 5, "current": 100, "previous": 100})

    assert script(["limit:test"], [1, 60]) == 0
