"""Several owners, a payment and staff at once: one customer, one owner, one history."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.attribution import queries, services
from app.attribution.errors import NoBindingInForce
from app.attribution.models import Binding, BindingState, TouchOutcome, TouchSource
from app.attribution.rules import TouchReason
from app.attribution.touches import TouchResult
from app.kernel.audit import Actor
from app.kernel.db import atomic, retrying
from app.members.models import Member, MemberSession
from app.members.services import sign_in
from app.settings import Settings
from scripts.sandbox.client import SandboxClient
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_share_code,
)
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
THREADS = 10


def touch(
    settings: Settings, now: datetime, code: str, member_id: int, source: TouchSource
) -> TouchResult:
    def act() -> TouchResult:
        with atomic() as session:
            return services.record_touch(
                session,
                code=code,
                member_id=member_id,
                source=source,
                device_id=None,
                ip=None,
                settings=settings,
                now=now,
            )

    return retrying(act)


def pay(settings: Settings, now: datetime, customer_id: int, binding_id: int) -> bool:
    def act() -> bool:
        with atomic() as session:
            locked = services.lock_binding(
                session,
                customer_id=customer_id,
                binding_id=binding_id,
                order_id=7,
                settings=settings,
                now=now,
            )
            return locked is not None

    return retrying(act)


def assert_is_one_history(session: Session, customer_id: int) -> list[Binding]:
    """Periods follow each other without overlap, and each ends where its last step says."""
    assert broken(session, "S2", "B34c") == []
    rows = sorted(queries.bindings_of(session, customer_id), key=lambda row: row.id)
    for earlier, later in pairwise(rows):
        assert earlier.valid_until_at <= later.valid_from_at
    for row in rows:
        steps = queries.binding_steps(session, row.id)
        assert steps[-1].valid_until_at == row.valid_until_at
        assert [step.at for step in steps] == sorted(step.at for step in steps)
    return rows


def test_ten_owners_at_once_win_a_customer_once(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    codes = [make_share_code(session).code for _ in range(THREADS)]
    customers = [make_member(session).id for _ in range(5)]
    session.commit()

    for customer_id in customers:
        answers = at_once(
            app,
            *[
                partial(touch, settings, now, code, customer_id, TouchSource.POSTER)
                for code in codes
            ],
        )

        reasons = [answer.reason for answer in answers if isinstance(answer, TouchResult)]
        assert reasons.count(TouchReason.NEW_CUSTOMER) == 1
        assert reasons.count(TouchReason.HELD_BY_OTHER) == THREADS - 1
        assert len(assert_is_one_history(session, customer_id)) == 1


def test_instants_that_overtake_each_other_still_make_one_history(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    sources = [TouchSource.SEARCH, TouchSource.LINK, TouchSource.GUEST_CARD, TouchSource.STAFF_SCAN]
    codes = [make_share_code(session).code for _ in sources]
    customers = [make_member(session).id for _ in range(10)]
    session.commit()

    for turn, customer_id in enumerate(customers):
        acts: list[Callable[[], TouchResult]] = [
            partial(
                touch,
                settings,
                now + timedelta(milliseconds=(place * 7 + turn) % 4),
                code,
                customer_id,
                source,
            )
            for place, (code, source) in enumerate(zip(codes, sources, strict=True))
        ]
        answers = at_once(app, *acts)

        assert all(isinstance(answer, TouchResult) for answer in answers)
        assert assert_is_one_history(session, customer_id)[-1].source is TouchSource.STAFF_SCAN


def test_a_payment_and_a_stronger_touch_at_once_end_in_one_of_two_ways(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    code = make_share_code(session).code
    bindings = [make_binding(session) for _ in range(10)]
    pairs = [(row.id, row.customer_id, row.owner_id) for row in bindings]
    session.commit()

    for binding_id, customer_id, owner_id in pairs:
        acts: list[Callable[[], object]] = [
            partial(pay, settings, now, customer_id, binding_id),
            partial(touch, settings, now, code, customer_id, TouchSource.STAFF_SCAN),
        ]
        paid, touched = at_once(app, *acts)

        assert isinstance(touched, TouchResult)
        rows = assert_is_one_history(session, customer_id)
        if paid is True:
            assert touched.reason is TouchReason.LOCKED_BY_OTHER
            assert [(row.owner_id, row.state) for row in rows] == [(owner_id, BindingState.LOCKED)]
        else:
            assert touched.reason is TouchReason.STRONGER_SOURCE
            assert [row.state for row in rows] == [BindingState.SOFT, BindingState.SOFT]


def test_two_who_touch_each_others_codes_at_once_do_not_both_win(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    pairs = []
    for _ in range(20):
        one, other = make_distributor(session), make_distributor(session)
        codes = [make_share_code(session, distributor=row).code for row in (one, other)]
        pairs.append((one.member_id, other.member_id, codes))
    session.commit()

    for one_id, other_id, (ones, others) in pairs:
        answers = at_once(
            app,
            partial(touch, settings, now, others, one_id, TouchSource.LINK),
            partial(touch, settings, now, ones, other_id, TouchSource.LINK),
        )

        outcomes = {
            (answer.outcome, answer.reason) for answer in answers if isinstance(answer, TouchResult)
        }
        assert outcomes == {
            (TouchOutcome.BOUND, TouchReason.NEW_CUSTOMER),
            (TouchOutcome.REFUSED, TouchReason.MUTUAL),
        }


def test_two_transfers_and_an_end_at_once_follow_each_other(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session)
    customer_id = binding.customer_id
    heirs = [make_distributor(session).member_id for _ in range(2)]
    session.commit()
    ann, ben = Actor("staff", 1), Actor("staff", 2)

    def hand_over(heir_id: int) -> int:
        with atomic() as inner:
            return services.transfer_binding(
                inner,
                customer_id=customer_id,
                to_owner_id=heir_id,
                actor=ann,
                second_actor=ben,
                reason="race",
                now=now,
            ).id

    def give_back() -> int:
        with atomic() as inner:
            return services.end_binding(
                inner, customer_id=customer_id, actor=ann, second_actor=ben, reason="race", now=now
            ).id

    acts: list[Callable[[], int]] = [partial(hand_over, heir_id) for heir_id in heirs]
    answers = at_once(app, *acts, give_back)

    refused = [answer for answer in answers if not isinstance(answer, int)]
    assert set(refused) <= {NoBindingInForce.code}
    assert isinstance(answers[2], int), "there is something to end whenever it comes"
    rows = assert_is_one_history(session, customer_id)
    assert len(rows) == 3 - len(refused)
    assert queries.binding_in_force(session, customer_id, at=now) is None


def test_two_first_sign_ins_at_once_make_one_member(
    app: Flask, session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    openid = sandbox.user(unionid="union-1")
    codes = [sandbox.login_code(openid) for _ in range(8)]

    def enter(code: str) -> tuple[int, bool]:
        signed_in = sign_in(
            code=code,
            consent_version="2026-11",
            device_id="device-1",
            device_name="iPhone",
            ip="203.0.113.7",
            settings=settings,
            now=now,
        )
        return signed_in.member_id, signed_in.is_new

    answers = at_once(app, *[partial(enter, code) for code in codes])

    assert broken(session, "B43") == []
    member = session.scalars(sa.select(Member)).one()
    assert sorted(map(str, answers)) == sorted(
        map(str, [(member.id, True)] + [(member.id, False)] * 7)
    )
    assert len(session.scalars(sa.select(MemberSession)).all()) == 8
