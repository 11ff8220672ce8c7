"""What a replay looks at, what it leaves alone, and how it is asked for."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.distribution import months, shareholders
from app.distribution.months import Due
from app.distribution.plan_records import ClosedMonth
from app.distribution.replay import replay
from app.kernel.audit import Actor
from app.ledger import services as ledger
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, pending
from tests.factories.orders import NOON, make_product
from tests.factories.plans import make_plan
from tests.factories.trade import LATER, Trade

MANAGER = Actor("staff", 1)


@pytest.fixture
def trade(session: Session) -> Trade:
    return Trade(session)


def _accrue(trade: Trade, member_id: int) -> None:
    """Put a fen into the ledger that no plan has granted."""
    transfer = Transfer(COMMISSION_EXPENSE, pending(member_id), 1)
    ledger.post(trade.session, "nobody-decided-this", [transfer], now=trade.now)


def test_an_empty_brand_has_nothing_to_replay(trade: Trade) -> None:
    report = trade.replay()

    assert report.is_empty
    assert not report.counts


def test_a_range_chooses_orders_by_payment_with_all_that_came_of_them(
    trade: Trade, session: Session
) -> None:
    make_plan(session)
    product, owner = make_product(session), trade.join()
    first = trade.buy([(product, 1_000)], owner=owner)
    trade.now += timedelta(days=1)
    second = trade.buy([(product, 1_000)], owner=owner)
    refund = trade.refund(first, {0: 400})
    trade.work()
    assert first.paid_at is not None
    assert second.paid_at is not None

    of_first = replay(NOON, second.paid_at)
    of_second = replay(second.paid_at, LATER)
    of_neither = replay(first.paid_at + timedelta(seconds=1), second.paid_at)

    assert refund.ended_at is not None
    assert refund.ended_at > second.paid_at
    assert (of_first.counts["orders"], of_first.counts["refunds"]) == (1, 1)
    assert (of_second.counts["orders"], of_second.counts["refunds"]) == (1, 0)
    assert of_neither.counts["orders"] == 0
    assert of_first.is_empty
    assert of_second.is_empty


def test_what_is_still_to_be_worked_off_is_no_difference(trade: Trade, session: Session) -> None:
    plan_id = make_plan(session, model="CHAIN_2_1").plan_id
    owner = trade.join()
    decided = trade.buy([(make_product(session), 1_000)], owner=owner)
    trade.work()
    trade.receive(decided)
    trade.refund(decided, {0: 100})
    trade.buy([(make_product(session), 1_000)], owner=owner)

    report = trade.replay()

    assert report.is_empty
    assert (report.counts["orders"], report.counts["decisions"]) == (2, 1)
    assert trade.replay(plan_id).is_empty


def test_a_plan_without_orders_in_the_range_is_still_led_to_its_places(
    trade: Trade, session: Session
) -> None:
    plan_id = make_plan(session, model="CHAIN_2_1").plan_id
    top = trade.join()
    trade.join(top)
    trade.work()

    report = replay(LATER, LATER + timedelta(days=1), plan_id)

    assert report.counts == {"events": 2, "places": 2}
    assert report.is_empty


def test_months_and_seats_are_replayed_from_their_books_and_words(
    trade: Trade, session: Session
) -> None:
    plan_id = make_plan(session, model="SHARING_SHAREHOLDERS").plan_id
    holder, product = trade.join(), make_product(session, price_fen=2_000_000)
    trade.work()
    shareholders.grant(trade.store.id, holder.member_id, level=1, actor=MANAGER, now=trade.tick())
    bought = trade.buy([(product, 100_000)], buyer=trade.member(holder))
    sold = trade.buy([(product, 900_000)], owner=holder)
    for order in (bought, sold):
        trade.receive(order)
    for order in (bought, sold):
        trade.settle(order)
    trade.work()
    session.commit()
    closing = NOON + timedelta(days=40)
    months.close(Due(plan_id, "2026-03", trade.store.id), actor=MANAGER, now=closing)

    report = trade.replay()
    trade.now = closing
    trade.refund(sold, {0: 100_000})
    trade.work()
    after = trade.replay()

    closed = session.scalars(sa.select(ClosedMonth)).one()
    assert closed.awarded_fen > 0
    assert [str(one) for one in report.differences] == []
    assert [str(one) for one in after.differences] == []
    assert report.counts["months"] == 1


def test_a_fen_that_nobody_granted_is_found_in_the_balance(trade: Trade, session: Session) -> None:
    make_plan(session)
    owner = trade.join()
    trade.buy([(make_product(session), 1_000)], owner=owner)
    trade.work()
    _accrue(trade, owner.member_id)

    [difference] = trade.replay().differences

    assert difference.table == "ledger_accounts"
    assert (difference.expected, difference.found) == ("100", "101")


def test_the_command_prints_what_it_replayed_and_fails_on_differences(
    app: Flask, trade: Trade, session: Session
) -> None:
    version = make_plan(session)
    owner = trade.join()
    trade.buy([(make_product(session), 1_000)], owner=owner)
    trade.work()
    run = app.test_cli_runner().invoke

    days = ["--from", "2026-03-01", "--to", "2026-03-01"]
    whole = run(args=["replay", *days, "--plan", str(version.plan_id)])
    before = run(args=["replay", "--to", "2026-02-28"])
    _accrue(trade, owner.member_id)
    session.commit()
    broken = run(args=["replay", "--json"])

    summary = "1 awards, 1 decisions, 1 orders decided again, 0 differences\n"
    assert (whole.exit_code, whole.stdout) == (0, summary)
    assert (before.exit_code, before.stdout) == (0, "nothing decided again, 0 differences\n")
    printed = json.loads(broken.stdout)
    assert broken.exit_code == 1
    assert (printed["ok"], printed["difference_count"]) == (False, 1)
    assert printed["differences"][0]["table"] == "ledger_accounts"
