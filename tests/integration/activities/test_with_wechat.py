"""Groups and sales whose money goes through WeChat's signed interface, there and back."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import flash_sales, groups
from app.activities.models import ActivityItem
from app.activities.states import ActivityKind, GroupState
from app.orders import jobs as order_jobs
from app.orders import services as orders
from app.orders.models import Order, Payment, Refund
from app.orders.states import OrderState, RefundState
from app.settings import Settings
from app.stores.models import Store
from app.wechat.access import pay
from scripts.sandbox.client import SandboxClient
from tests.factories.activities import counts, follow, fresh, make_deal, purchase, sweep
from tests.factories.orders import pay_at_wechat
from tests.factories.people import make_member, make_store

DAY = timedelta(days=1)


def group_of_three(
    session: Session,
    sandbox: SandboxClient,
    item: ActivityItem,
    store: Store,
    settings: Settings,
    now: datetime,
) -> list[Order]:
    """Open a group and let two join it; all are offered to WeChat, none has paid."""
    people = [make_member(session, openid=sandbox.user()) for _ in range(3)]
    group, first = groups.open_group(
        session, item.id, purchase(people[0], store), settings=settings, now=now
    )
    bought = [first]
    for member in people[1:]:
        wanted = purchase(member, store)
        bought.append(groups.join(session, group.code, wanted, settings=settings, now=now)[1])
    session.commit()
    for order in bought:
        orders.offer_payment(order.number, member_id=order.member_id, settings=settings, now=now)
    return bought


def refunded(session: Session, sandbox: SandboxClient, now: datetime) -> set[RefundState]:
    """Send what is due, let WeChat finish it, and hear of it."""
    session.execute(sa.update(Refund).values(due_at=now))
    session.commit()
    order_jobs.send_refunds()
    for refund in session.scalars(sa.select(Refund)):
        sandbox.settle_refund(refund.number)
        refund.due_at = now
    session.commit()
    order_jobs.send_refunds()
    return set(session.scalars(sa.select(Refund.state)))


def test_three_people_pay_and_everybody_gets_theirs(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.GROUP_BUY, rules={"size": 3})
    bought = group_of_three(session, sandbox, item, store, settings, now)

    for order in bought:
        pay_at_wechat(session, sandbox, order, settings=settings, now=now)
    follow(session, now=now)

    assert [fresh(session, one).held_for for one in bought] == [None] * 3
    assert [fresh(session, one).paid_fen for one in bought] == [5_000] * 3
    assert counts(session, item) == (3, 3)


def test_too_few_paid_so_their_money_is_back_at_wechat_and_the_rest_closed_there(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.GROUP_BUY, rules={"size": 3})
    first, second, third = group_of_three(session, sandbox, item, store, settings, now)
    pay_at_wechat(session, sandbox, first, settings=settings, now=now)
    pay_at_wechat(session, sandbox, second, settings=settings, now=now)

    sweep(session, now=now + DAY)
    session.execute(sa.update(Payment).where(Payment.order_id == third.id).values(due_at=now))
    session.commit()
    order_jobs.close_unpaid_orders()
    states = refunded(session, sandbox, now)
    follow(session, now=now)

    assert states == {RefundState.SUCCEEDED}
    assert [fresh(session, one).state for one in (first, second, third)] == [
        OrderState.REFUNDED,
        OrderState.REFUNDED,
        OrderState.CLOSED,
    ]
    assert counts(session, item) == (0, 0)
    assert session.scalars(sa.select(sa.text("state FROM buying_groups"))).all() == [
        GroupState.FAILED.value
    ]


def test_money_that_wechat_took_while_the_group_failed_goes_back(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.GROUP_BUY, rules={"size": 3})
    first, *_ = group_of_three(session, sandbox, item, store, settings, now)
    sandbox.pay(out_trade_no=first.number)
    sweep(session, now=now + DAY)
    session.execute(sa.update(Payment).values(due_at=now))
    session.commit()

    order_jobs.close_unpaid_orders()
    follow(session, now=now)
    states = refunded(session, sandbox, now)
    follow(session, now=now)

    assert states == {RefundState.SUCCEEDED}
    assert fresh(session, first).state is OrderState.REFUNDED
    assert counts(session, item) == (0, 0)


def test_a_piece_that_was_not_paid_in_its_minutes_is_sold_to_another(
    session: Session, sandbox: SandboxClient, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.FLASH_SALE, stock=1)
    slow, quick = (make_member(session, openid=sandbox.user()) for _ in range(2))
    late = flash_sales.buy(session, item.id, purchase(slow, store), settings=settings, now=now)
    session.commit()
    orders.offer_payment(late.number, member_id=slow.id, settings=settings, now=now)
    session.execute(sa.update(Order).where(Order.id == late.id).values(pay_by_at=now))
    session.execute(sa.update(Payment).values(due_at=now))
    session.commit()

    order_jobs.close_unpaid_orders()
    follow(session, now=now)
    order = flash_sales.buy(session, item.id, purchase(quick, store), settings=settings, now=now)
    pay_at_wechat(session, sandbox, order, settings=settings, now=now)
    follow(session, now=now)

    assert fresh(session, late).state is OrderState.CLOSED
    assert pay().query_payment(order.number).state.value == "paid"
    assert fresh(session, order).state is OrderState.PAID
    assert counts(session, item) == (1, 1)
