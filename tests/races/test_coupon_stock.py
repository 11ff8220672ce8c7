"""Many hands in the slots of one stock: nobody waits in vain, and none too many are given (B29)."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.coupons import giving, services, templates
from app.coupons.giving import Gift
from app.coupons.models import Coupon, CouponChannel, CouponTemplate
from app.coupons.states import CouponKind
from app.coupons.templates import TemplateSpec
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, db
from app.kernel.errors import DomainError
from tests.factories.coupons import make_template
from tests.factories.people import make_member
from tests.races.crowd import at_once, broken

pytestmark = pytest.mark.commits
CLAIMERS = 16
STOCK = 100
ALL = ("B29t", "B29m", "B29p", "B30s")
WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def claim(template_id: int, member_id: int, *, now: datetime) -> str:
    """Claim once, and not again where PostgreSQL ends it; return what came of it."""
    try:
        with atomic() as inner:
            services.claim(inner, template_id, member_id=member_id, now=now)
    except DomainError as refusal:
        return refusal.code
    return "got"


def issued(session: Session, template_id: int) -> int:
    session.rollback()
    return session.get_one(CouponTemplate, template_id, populate_existing=True).issued


@contextmanager
def one_waits(app: Flask, session: Session, act: Callable[[], str]) -> Iterator[Future[str]]:
    """Let something begin elsewhere; go on once it waits for a lock that somebody here holds."""

    def run() -> str:
        with app.app_context():
            try:
                return act()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as pool, db.engine.connect() as looking:
        future = pool.submit(run)
        try:
            until = time.monotonic() + 20
            while not looking.scalar(WAITING) and not future.done():
                assert time.monotonic() < until, "nobody came to wait"
                looking.rollback()
            yield future
        finally:
            session.rollback()


def test_a_hundred_coupons_in_slots_are_a_hundred_and_who_is_refused_hears_that_they_are_gone(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session, stock=STOCK, per_member=99).id
    members = [make_member(session).id for _ in range(CLAIMERS)]
    session.commit()

    def client(member_id: int) -> Counter[str]:
        return Counter(claim(template_id, member_id, now=now) for _ in range(12))

    counts = at_once(app, *[partial(client, one) for one in members])
    answers = sum((one for one in counts if isinstance(one, Counter)), Counter[str]())

    assert answers == {"got": STOCK, "coupons_gone": CLAIMERS * 12 - STOCK}
    assert issued(session, template_id) == STOCK
    assert broken(session, *ALL) == []


@pytest.mark.parametrize(("is_kept", "told"), [(False, "got"), (True, "coupons_gone")])
def test_the_last_one_goes_to_who_waits_where_its_claim_is_undone(
    app: Flask, session: Session, now: datetime, is_kept: bool, told: str
) -> None:
    template_id = make_template(session, stock=1).id
    first, second = make_member(session).id, make_member(session).id
    session.commit()
    services.claim(session, template_id, member_id=first, now=now)

    with one_waits(app, session, partial(claim, template_id, second, now=now)) as other:
        if is_kept:
            session.commit()
        else:
            session.rollback()
        assert other.result(20) == told

    held = session.scalars(sa.select(Coupon.member_id)).all()
    assert held == [first if is_kept else second]
    assert issued(session, template_id) == 1
    assert broken(session, *ALL) == []


def test_who_is_at_their_limit_hears_so_while_others_take_the_last(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session, stock=2).id
    full, other = make_member(session).id, make_member(session).id
    services.claim(session, template_id, member_id=full, now=now)
    session.commit()
    services.claim(session, template_id, member_id=other, now=now)

    (answer,) = at_once(app, partial(claim, template_id, full, now=now))
    session.commit()

    assert answer == "coupon_limit_reached"
    assert issued(session, template_id) == 2


def test_stock_that_is_raised_while_others_claim_is_given_out_to_the_last(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session, stock=20, per_member=999).id
    members = [make_member(session).id for _ in range(6)]
    session.commit()
    is_raised = threading.Event()

    def client(member_id: int) -> int:
        count = 0
        while True:
            was_raised = is_raised.is_set()
            if claim(template_id, member_id, now=now) == "got":
                count += 1
            elif was_raised:
                return count

    def restock() -> int:
        try:
            for stock in range(30, 101, 10):
                with atomic() as inner:
                    templates.change_stock(
                        inner, template_id, stock, reason="more", actor=SYSTEM, now=now
                    )
        finally:
            is_raised.set()
        return 0

    counts = at_once(app, restock, *[partial(client, one) for one in members])

    assert sum(one for one in counts if isinstance(one, int)) == 100
    assert issued(session, template_id) == 100
    assert broken(session, *ALL) == []


def test_batches_beside_claims_lock_slots_and_members_in_one_order(
    app: Flask, session: Session, now: datetime
) -> None:
    """Nobody is ended by PostgreSQL here, which would raise: nothing is tried again."""
    template_id = make_template(session, stock=400, per_member=999).id
    members = [make_member(session).id for _ in range(20)]
    session.commit()

    def batches(name: str) -> int:
        count = 0
        for turn in range(8):
            gift = Gift(channel=CouponChannel.PUSH, actor="staff:1", key=f"{name}:{turn}")
            with atomic() as inner:
                given = giving.issue_many(inner, template_id, members, gift=gift, now=now)
                count += len(given)
        return count

    def client(member_id: int) -> int:
        return [claim(template_id, member_id, now=now) for _ in range(15)].count("got")

    counts = at_once(
        app,
        partial(batches, "a"),
        partial(batches, "b"),
        *[partial(client, one) for one in members[:4]],
    )

    assert counts[:2] == [160, 160]
    assert counts[2:] == [15, 15, 15, 15]
    assert issued(session, template_id) == 380
    assert broken(session, *ALL) == []


def spec(now: datetime, valid_seconds: int) -> TemplateSpec:
    return TemplateSpec(
        kind=CouponKind.AMOUNT_OFF,
        title="Ten off",
        amount_fen=1_000,
        stock=5,
        ways=("centre",),
        claim_from_at=now - timedelta(days=1),
        claim_until_at=now + timedelta(days=7),
        valid_seconds=valid_seconds,
    )


def test_a_claim_beside_a_change_of_terms_is_of_the_new_ones(
    app: Flask, session: Session, now: datetime
) -> None:
    old = spec(now, 86_400)
    template_id = templates.put_template(session, old, actor=SYSTEM, now=now).id
    member_id = make_member(session).id
    session.commit()
    new = replace(old, valid_seconds=172_800)
    templates.put_template(session, new, template_id=template_id, actor=SYSTEM, now=now)

    with one_waits(app, session, partial(claim, template_id, member_id, now=now)) as other:
        session.commit()
        assert other.result(20) == "got"

    coupon = session.scalars(sa.select(Coupon)).one()
    assert coupon.valid_until_at == now + timedelta(days=2)
    assert broken(session, *ALL) == []


def test_a_claim_beside_the_end_of_a_template_is_refused(
    app: Flask, session: Session, now: datetime
) -> None:
    template_id = make_template(session).id
    member_id = make_member(session).id
    session.commit()
    templates.end_template(session, template_id, reason="over", actor=SYSTEM, now=now)

    with one_waits(app, session, partial(claim, template_id, member_id, now=now)) as other:
        session.commit()
        assert other.result(20) == "coupons_ended"

    assert issued(session, template_id) == 0


def test_terms_do_not_change_under_a_claim_that_is_not_finished(
    app: Flask, session: Session, now: datetime
) -> None:
    wanted = spec(now, 86_400)
    template_id = templates.put_template(session, wanted, actor=SYSTEM, now=now).id
    member_id = make_member(session).id
    session.commit()
    services.claim(session, template_id, member_id=member_id, now=now)

    def change() -> str:
        other = replace(wanted, amount_fen=5)
        try:
            with atomic() as inner:
                templates.put_template(inner, other, template_id=template_id, actor=SYSTEM, now=now)
        except DomainError as refusal:
            return refusal.code
        return "changed"

    with one_waits(app, session, change) as staff:
        session.commit()
        assert staff.result(20) == "coupon_template_promised"

    assert session.get_one(CouponTemplate, template_id).amount_fen == 1_000
