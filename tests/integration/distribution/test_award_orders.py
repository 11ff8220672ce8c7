from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import AwardRefusal, AwardState, OrderDecision
from app.distribution.queries import order_explanation
from app.kernel.i18n import ENGLISH, translate
from app.ledger.queries import balance, balances
from app.ledger.transfers import COMMISSION_EXPENSE
from app.members.models import Standing
from app.orders.values import Seat
from tests.factories.orders import LineOf, make_order, make_product, paid_order
from tests.factories.people import make_distributor, make_member, make_team
from tests.factories.plans import make_plan
from tests.integration.distribution.cases import award, open_tasks


def test_the_two_above_a_buyer_earn_at_their_levels(session: Session, now: datetime) -> None:
    version = make_plan(session)
    above, owner = make_team(session, 2)
    above.level = 2
    order = paid_order(session, price_fen=25_999, owner=owner, plan_version_id=version.id)

    first, second = award(session, order, now=now)

    assert (first.beneficiary_id, first.amount_fen) == (owner.member_id, 2_599)
    assert (second.beneficiary_id, second.amount_fen) == (above.member_id, 1_299)
    assert {first.state, second.state} == {AwardState.PENDING}
    assert balances(session, owner.member_id).pending_fen == 2_599
    assert balances(session, above.member_id).pending_fen == 1_299
    assert balance(session, COMMISSION_EXPENSE) == -3_898


def test_a_repeated_task_awards_nothing_more(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    award(session, order, now=now)

    again = award(session, order, now=now)

    assert len(again) == 1
    assert balances(session, owner.member_id).pending_fen == 1_000
    assert open_tasks(session) == []


def test_an_order_of_several_lines_pays_each_line_once(session: Session, now: datetime) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    lines = [
        LineOf(product=make_product(session, price_fen=5_000)),
        LineOf(product=make_product(session, price_fen=3_000), quantity=2, net_fen=5_500),
        LineOf(product=make_product(session, is_distributable=False)),
    ]
    order = make_order(session, lines=lines, owner=owner, plan_version_id=version.id)

    awards = award(session, order, now=now)

    assert [one.amount_fen for one in awards] == [500, 550]
    assert balances(session, owner.member_id).pending_fen == 1_050


def test_the_level_at_payment_counts_though_it_rose_before_the_decision(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    owner.level = 3

    [only] = award(session, order, now=now)

    assert only.amount_fen == 1_000


def test_a_frozen_owner_gets_nothing_and_the_reason_is_kept(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    above = make_distributor(session)
    owner = make_distributor(session, recommender=above, standing=Standing.FROZEN)
    order = paid_order(session, owner=owner, plan_version_id=version.id)

    [only] = award(session, order, now=now)

    refusal = session.scalars(sa.select(AwardRefusal)).one()
    assert (only.beneficiary_id, only.seat) == (above.member_id, 2)
    assert (refusal.beneficiary_id, refusal.reason) == (owner.member_id, "FROZEN")
    assert balances(session, owner.member_id).pending_fen == 0


def test_an_order_nobody_owns_is_decided_and_says_why(session: Session, now: datetime) -> None:
    version = make_plan(session)
    order = paid_order(session, plan_version_id=version.id)

    assert award(session, order, now=now) == []

    reasons = set(session.scalars(sa.select(AwardRefusal.reason)))
    assert reasons == {"NO_OWNER"}
    assert session.get_one(OrderDecision, (order.id, version.id)).awarded_fen == 0


def test_an_order_made_without_a_plan_pays_nobody_and_says_so(
    session: Session, now: datetime
) -> None:
    order = paid_order(session, owner=make_distributor(session))

    assert award(session, order, now=now) == []

    [[message]] = order_explanation(session, order.id)
    assert translate(message, ENGLISH).startswith("No plan was in force")


def test_a_later_version_of_the_plan_does_not_touch_orders_made_before(
    session: Session, now: datetime
) -> None:
    version = make_plan(session)
    owner = make_distributor(session)
    order = paid_order(session, owner=owner, plan_version_id=version.id)
    make_plan(session, at=now, plan_id=version.plan_id, rates_first_bp=[100, 100, 100])

    [only] = award(session, order, now=now)

    assert (only.amount_fen, only.plan_version_id) == (1_000, version.id)


def test_someone_of_the_buyers_household_earns_nothing(session: Session, now: datetime) -> None:
    version = make_plan(session)
    above, owner = make_team(session, 2)
    buyer = make_member(session)
    seats = [
        Seat(buyer.id, None, None, is_household=False),
        Seat(owner.member_id, 1, "active", is_household=True),
        Seat(above.member_id, 1, "active", is_household=False),
    ]
    order = make_order(session, member=buyer, owner=owner, upline=seats, plan_version_id=version.id)

    [only] = award(session, order, now=now)

    refusal = session.scalars(sa.select(AwardRefusal)).one()
    assert only.beneficiary_id == above.member_id
    assert (refusal.beneficiary_id, refusal.reason) == (owner.member_id, "HOUSEHOLD")
    assert balances(session, owner.member_id).pending_fen == 0
