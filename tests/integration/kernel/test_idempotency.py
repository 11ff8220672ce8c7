from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import idempotency
from app.kernel.db import atomic
from app.kernel.errors import DomainError
from app.kernel.idempotency import (
    Answer,
    IdempotencyKeyReused,
    IdempotencyRecord,
    Request,
    RequestInProgress,
    fingerprint,
    once,
)
from app.stores.models import Store
from tests.servers import Services

ASKED = Request("member:1", "POST /orders", "key-0001", fingerprint({"a": 1}))


def _open_store(session: Session) -> Store:
    store = Store(name="Jing'an")
    session.add(store)
    session.flush()
    return store


def _ask(now: datetime, request: Request = ASKED) -> Answer:
    return once(
        request, _open_store, render=lambda store: {"name": store.name}, status=201, now=now
    )


def test_a_repeat_acts_no_more_and_is_answered_the_same(session: Session, now: datetime) -> None:
    first = _ask(now)

    again = _ask(now + timedelta(hours=1))

    assert (first.repeated, again.repeated) == (False, True)
    assert (again.status, again.body) == (first.status, first.body) == (201, {"name": "Jing'an"})
    assert session.scalar(sa.select(sa.func.count(Store.id))) == 1


def test_the_same_key_with_another_body_is_refused_and_acts_not(
    session: Session, now: datetime
) -> None:
    _ask(now)

    with pytest.raises(IdempotencyKeyReused):
        _ask(now, Request("member:1", "POST /orders", "key-0001", fingerprint({"a": 2})))

    assert session.scalar(sa.select(sa.func.count(Store.id))) == 1


def test_keys_of_others_and_of_other_routes_are_other_keys(session: Session, now: datetime) -> None:
    _ask(now)

    for principal, route in (("member:2", "POST /orders"), ("member:1", "POST /payouts")):
        other = Request(principal, route, "key-0001", ASKED.fingerprint)
        answer = once(other, lambda _: 5, render=lambda n: {"n": n}, status=200, now=now)
        assert answer == Answer(200, {"n": 5})


def test_a_refusal_stores_nothing_so_the_key_may_be_tried_again(
    session: Session, now: datetime
) -> None:
    def refuse(_: Session) -> Store:
        raise RequestInProgress

    with pytest.raises(DomainError):
        once(ASKED, refuse, render=lambda store: {"name": store.name}, status=201, now=now)

    assert not _ask(now).repeated


def test_the_order_of_members_makes_no_other_request() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_answers_are_forgotten_after_their_time_only(session: Session, now: datetime) -> None:
    _ask(now)

    with atomic() as transaction:
        assert idempotency.forget_old(transaction, now=now + timedelta(hours=72)) == 0
    with atomic() as transaction:
        assert idempotency.forget_old(transaction, now=now + timedelta(hours=73)) == 1

    assert session.scalar(sa.select(sa.func.count(IdempotencyRecord.id))) == 0


@pytest.mark.commits
def test_while_the_first_request_runs_the_second_is_told_to_wait(
    session: Session, now: datetime, services: Services
) -> None:
    other = sa.create_engine(services.database_url)
    with other.connect() as connection:
        name = "member:1|POST /orders|key-0001"
        connection.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 7)))
        )

        with pytest.raises(RequestInProgress):
            _ask(now)

        connection.rollback()
    other.dispose()

    assert not _ask(now).repeated
