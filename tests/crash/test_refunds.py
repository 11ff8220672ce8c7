"""A process that dies around a refund never makes WeChat give the money back twice."""

import signal
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.operations import invariants
from app.orders import jobs, refund_sending, services
from app.orders.models import Order, Refund
from app.orders.services import RefundWish
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.crash.conditions import wait_until
from tests.factories.orders import make_order, pay_at_wechat
from tests.factories.people import make_member
from tests.servers import Process

pytestmark = pytest.mark.commits
REFUNDS = "/v3/refund/domestic/refunds"
Launch = Callable[..., Process]


def approved_refunds(
    session: Session, sandbox: SandboxClient, settings: Settings, count: int
) -> None:
    now = database_now()
    for _ in range(count):
        member = make_member(session, openid=sandbox.user())
        order = make_order(session, member=member, state=OrderState.CREATED, now=now)
        pay_at_wechat(session, sandbox, order, settings=settings, now=now)
        services.request_refund(
            session, order.id, wish=RefundWish(), actor=SYSTEM, settings=settings, now=now
        )
        session.commit()


def make_all_due(session: Session, *, sent_ago: timedelta = timedelta()) -> None:
    """Let the time pass that rows wait before they are due again."""
    now = database_now()
    session.execute(sa.update(Refund).where(Refund.due_at.is_not(None)).values(due_at=now))
    session.execute(
        sa.update(Refund).where(Refund.sent_at.is_not(None)).values(sent_at=now - sent_ago)
    )
    session.commit()


def states(session: Session) -> list[RefundState]:
    session.rollback()
    return list(session.scalars(sa.select(Refund.state).order_by(Refund.id)))


def booked(sandbox: SandboxClient) -> list[str]:
    return [one["out_refund_no"] for one in sandbox.books()["refunds"]]


def _has_booked(sandbox: SandboxClient, count: int) -> bool:
    return len(booked(sandbox)) == count


def end_all(session: Session, sandbox: SandboxClient) -> None:
    """Let WeChat finish every refund, and us hear of it."""
    for number in booked(sandbox):
        sandbox.settle_refund(number)
    make_all_due(session)
    jobs.send_refunds()


def assert_given_back_once(session: Session, sandbox: SandboxClient, count: int) -> None:
    people = sandbox.books()["per_openid"].values()
    numbers = set(session.scalars(sa.select(Refund.number)))
    assert [(one["paid_fen"], one["refunded_fen"]) for one in people] == [(10_000, 10_000)] * count
    assert (len(booked(sandbox)), set(booked(sandbox))) == (count, numbers)
    assert states(session) == [RefundState.SUCCEEDED] * count
    assert set(session.scalars(sa.select(Order.state))) == {OrderState.REFUNDED}
    wanted = {"B10o", "B10r", "B11", "B36"}
    found = [one.code for one in invariants.check(session) if one.code in wanted and one.count]
    assert found == []


def test_a_worker_killed_after_wechat_booked_and_before_our_commit_gives_back_once(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch
) -> None:
    approved_refunds(session, sandbox, settings, 1)
    sandbox.fault(REFUNDS, "delay", seconds=30)

    process = launch("run-job", "send_refunds")
    wait_until(partial(_has_booked, sandbox, 1), "the booking")
    status = process.stop(signal.SIGKILL)
    left_behind = states(session)
    sandbox.clear_faults()
    make_all_due(session)
    jobs.send_refunds()
    end_all(session, sandbox)

    assert status == -signal.SIGKILL
    assert left_behind == [RefundState.SENT]
    assert_given_back_once(session, sandbox, 1)


def test_a_worker_killed_before_the_call_leaves_what_is_sent_later_under_the_same_number(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    approved_refunds(session, sandbox, settings, 1)
    refund_id = session.scalars(sa.select(Refund.id)).one()

    refund_sending._begin(refund_id, settings=settings, now=database_now())
    make_all_due(session)
    asked_soon = (jobs.send_refunds(), booked(sandbox))
    make_all_due(session, sent_ago=timedelta(seconds=settings.refund_not_found_seconds))
    jobs.send_refunds()
    end_all(session, sandbox)

    assert asked_soon == (1, [])
    assert_given_back_once(session, sandbox, 1)


def test_workers_killed_again_and_again_give_each_refund_back_once(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings, launch: Launch
) -> None:
    count = 3
    approved_refunds(session, sandbox, settings, count)

    for kill in range(count):
        sandbox.clear_faults()
        sandbox.fault(REFUNDS, "delay", seconds=30)
        process = launch("run-job", "send_refunds")
        wait_until(partial(_has_booked, sandbox, kill + 1), "the booking")
        process.stop(signal.SIGKILL)
    killed_in_the_window = states(session)
    sandbox.clear_faults()
    make_all_due(session)
    jobs.send_refunds()
    end_all(session, sandbox)

    assert killed_in_the_window == [RefundState.SENT] * count
    assert_given_back_once(session, sandbox, count)
