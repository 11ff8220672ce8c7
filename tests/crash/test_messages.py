"""A worker that dies around a message never tells anybody twice; the judge is the sandbox."""

import contextlib
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
import redis as redis_client
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import messages, sending
from app.interactions.jobs import send_messages
from app.interactions.message_models import Message
from app.interactions.states import MessageState
from app.kernel.db import database_now
from app.kernel.jobs import ring
from app.settings import Settings
from app.wechat.template_values import Value
from scripts.sandbox.client import SandboxClient
from tests.crash.conditions import wait_until
from tests.factories.interactions import allow, make_template, wechat_id
from tests.factories.people import NOON, make_member
from tests.servers import Process

pytestmark = pytest.mark.commits
SEND = "/cgi-bin/message"
Launch = Callable[..., Process]


def tell(session: Session, sandbox: SandboxClient, people: int) -> None:
    """Let so many people be told that they paid; each allowed two messages."""
    now = database_now()
    make_template(session, "order_paid")
    values: dict[str, Value] = {"number": "TK1", "store": "West Lake", "amount": 100, "at": NOON}
    for number in range(people):
        openid = sandbox.user()
        for _ in range(2):
            sandbox.allow(openid, wechat_id("order_paid"))
        member = make_member(session, openid=openid)
        allow(session, member, "order_paid", taps=2)
        key = f"order_paid:{number}"
        messages.notify(session, member.id, "order_paid", values, key=key, now=now)
    session.commit()


def states(session: Session) -> Counter[MessageState]:
    session.rollback()
    session.expire_all()
    return Counter(session.scalars(sa.select(Message.state)))


def let_leases_end(session: Session) -> None:
    session.execute(
        sa.update(Message)
        .where(Message.due_at.is_not(None))
        .values(due_at=database_now() - timedelta(seconds=1))
    )
    session.commit()


def told_twice(sandbox: SandboxClient) -> dict[str, int]:
    told = Counter(one["openid"] for one in sandbox.messages())
    return {openid: count for openid, count in told.items() if count > 1}


def kill(worker: Process) -> None:
    """End a worker together with the child in which it runs its job."""
    assert worker.popen is not None
    children = psutil.Process(worker.popen.pid).children(recursive=True)
    worker.stop(signal.SIGKILL)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=10)


def test_a_worker_that_dies_before_it_calls_tells_nobody(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    tell(session, sandbox, 1)
    _, errand = sending.begin_next(settings=settings, now=database_now())
    assert errand is not None

    let_leases_end(session)
    send_messages()

    assert states(session) == {MessageState.UNKNOWN: 1}
    assert sandbox.messages() == []


def test_a_worker_that_dies_after_wechat_took_it_does_not_tell_again(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    tell(session, sandbox, 1)
    _, errand = sending.begin_next(settings=settings, now=database_now())
    assert errand is not None
    sending.carry_out(errand)

    let_leases_end(session)
    send_messages()

    assert states(session) == {MessageState.UNKNOWN: 1}
    assert len(sandbox.messages()) == 1


def test_a_worker_that_is_killed_in_the_middle_tells_nobody_twice(
    session: Session,
    sandbox: SandboxClient,
    launch: Launch,
    redis: redis_client.Redis,
) -> None:
    tell(session, sandbox, 6)
    sandbox.fault(SEND, "delay", times=0, seconds=0.3)
    worker = launch("worker")
    ring(redis, send_messages.name, bucket=1)
    wait_until(lambda: len(sandbox.messages()) >= 2, "the second message")
    kill(worker)
    sandbox.clear_faults()

    let_leases_end(session)
    send_messages()

    found = states(session)
    assert told_twice(sandbox) == {}
    assert set(found) <= {MessageState.SENT, MessageState.UNKNOWN}
    assert found[MessageState.SENT] >= 4
    assert len(sandbox.messages()) >= found[MessageState.SENT]


def test_two_workers_at_once_tell_everybody_once(
    session: Session,
    sandbox: SandboxClient,
    launch: Launch,
    redis: redis_client.Redis,
) -> None:
    tell(session, sandbox, 10)
    for _ in range(2):
        launch("worker")
    ring(redis, send_messages.name, bucket=1, copies=2)

    wait_until(lambda: states(session)[MessageState.SENT] == 10, "the tenth message")

    assert len(sandbox.messages()) == 10
    assert told_twice(sandbox) == {}
