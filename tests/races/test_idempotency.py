"""Many threads, one key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.idempotency import Request, RequestInProgress, fingerprint, once
from app.stores.models import Store

pytestmark = pytest.mark.commits
THREADS = 20


def test_fifty_requests_with_one_key_act_once(app: Flask, session: Session, now: datetime) -> None:
    asked = Request("member:1", "POST /orders", "key-0001", fingerprint({}))

    def act(inner: Session) -> Store:
        store = Store(name="only one")
        inner.add(store)
        inner.flush()
        return store

    def ask(_: int) -> str:
        with app.app_context():
            try:
                answer = once(asked, act, render=lambda one: {"id": one.id}, status=201, now=now)
            except RequestInProgress:
                return "in progress"
            return f"answered {answer.body['id']}"

    with ThreadPoolExecutor(THREADS) as pool:
        answers = set(pool.map(ask, range(50)))

    only = session.scalars(sa.select(Store)).one()
    assert answers <= {"in progress", f"answered {only.id}"}
    assert f"answered {only.id}" in answers
