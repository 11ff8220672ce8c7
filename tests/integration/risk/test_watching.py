"""What the watch finds in the tables, and what it leaves alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.secrecy import vault
from app.members import services as members
from app.members.models import Distributor, Member, MemberDevice
from app.orders.models import Order, Payment
from app.orders.states import OrderState
from app.payouts import holds
from app.risk.models import RiskFlag
from app.risk.states import FlagState, RiskKind
from app.risk.watching import watch_risk
from app.settings import Settings
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import make_actor
from tests.factories.people import make_binding, make_distributor, make_member

PHONE = "+8613900000001"
HOUR = timedelta(hours=1)


@pytest.fixture
def strict(settings: Settings) -> Settings:
    """Small thresholds, so that a handful of rows crosses each."""
    return replace(
        settings,
        risk_binds_hour=3,
        risk_binds_day=5,
        risk_shared_people=2,
        risk_unpaid_device_people=2,
        risk_refund_bp=3_000,
        risk_refund_orders_min=3,
        risk_pair_orders=1,
    )


def flags(session: Session) -> list[tuple[int, RiskKind]]:
    rows = session.scalars(sa.select(RiskFlag).order_by(RiskFlag.distributor_id, RiskFlag.kind))
    return [(row.distributor_id, row.kind) for row in rows]


def win(
    session: Session, owner: Distributor, now: datetime, *, minutes_ago: int = 10, **facts: object
) -> Member:
    """A customer bound to an owner of late."""
    customer = make_member(session, **facts)  # type: ignore[arg-type]
    make_binding(
        session,
        customer=customer,
        owner=owner,
        valid_from_at=now - timedelta(minutes=minutes_ago),
    )
    return customer


def sell(
    session: Session, owner: Distributor, customer: Member, now: datetime, **facts: object
) -> Order:
    order = make_order(
        session,
        member=customer,
        owner=owner,
        now=now - HOUR,
        **{"state": OrderState.PAID, **facts},  # type: ignore[arg-type]
    )
    customer.first_paid_at = now - HOUR
    session.flush()
    return order


def test_customers_won_faster_than_people_scan_raise_a_flag_that_holds_payouts(
    session: Session, strict: Settings, now: datetime
) -> None:
    fast, slow = make_distributor(session), make_distributor(session)
    for minute in (1, 20, 40):
        win(session, fast, now, minutes_ago=minute)
    for minute in (1, 100, 200):
        win(session, slow, now, minutes_ago=minute)
    session.commit()

    assert watch_risk(settings=strict, now=now) == 1

    (flag,) = session.scalars(sa.select(RiskFlag)).all()
    assert (flag.distributor_id, flag.kind) == (fast.member_id, RiskKind.BIND_RATE)
    assert (flag.evidence["hour"], flag.evidence["day"]) == (3, 3)
    assert len(flag.evidence["bindings"]) == 3
    assert (flag.raised_by, flag.expires_at) == ("system", now + timedelta(days=30))
    assert holds.held(session, [fast.member_id, slow.member_id]) == {fast.member_id}


def test_a_second_run_finds_nothing_new(session: Session, strict: Settings, now: datetime) -> None:
    fast = make_distributor(session)
    for minute in (1, 2, 3):
        win(session, fast, now, minutes_ago=minute)
    session.commit()
    watch_risk(settings=strict, now=now)

    assert watch_risk(settings=strict, now=now) == 0
    assert len(flags(session)) == 1


def test_buyers_with_one_phone_are_told_from_families_below_the_threshold(
    session: Session, strict: Settings, now: datetime
) -> None:
    ring, family = make_distributor(session), make_distributor(session)
    buyers = [win(session, ring, now, phone=PHONE) for _ in range(2)]
    for one in buyers:
        sell(session, ring, one, now)
    sell(session, family, win(session, family, now, phone="+8613900000002"), now)
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [(ring.member_id, RiskKind.SHARED_IDENTITY)]
    evidence = session.scalars(sa.select(RiskFlag.evidence)).one()
    assert evidence["members"] == [one.id for one in buyers]
    assert evidence["what"] == ["phone"]
    assert PHONE not in str(evidence)
    assert str(buyers[0].phone_hash) not in str(evidence)


@pytest.mark.parametrize("what", ["phone", "device", "payer", "name"])
def test_one_buyer_who_shares_something_with_the_distributor_is_enough(
    session: Session, strict: Settings, now: datetime, what: str
) -> None:
    owner = make_distributor(
        session,
        make_member(session, phone=PHONE, device="tablet"),
        real_name="Lin Mei",
    )
    facts = {"phone": {"phone": PHONE}, "device": {"device": "tablet"}}.get(what, {})
    customer = win(session, owner, now, **facts)  # type: ignore[arg-type]
    order = sell(session, owner, customer, now)
    if what == "payer":
        openid = session.get_one(Member, owner.member_id).wechat_openid
        payment = session.get_one(Payment, order.id)
        payment.payer_openid = openid
    if what == "name":
        make_distributor(session, customer, real_name="Lin Mei")
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [(owner.member_id, RiskKind.SHARED_IDENTITY)]
    evidence = session.scalars(sa.select(RiskFlag.evidence)).one()
    assert evidence == {
        "members": [customer.id],
        "people": 1,
        "what": [what],
        "with_owner": True,
    }


def test_customers_of_one_device_who_never_bought_raise_a_flag(
    session: Session, strict: Settings, now: datetime
) -> None:
    owner = make_distributor(session)
    customers = [win(session, owner, now, device="farm") for _ in range(2)]
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [(owner.member_id, RiskKind.UNPAID_DEVICE)]
    found = session.scalars(sa.select(RiskFlag.evidence)).one()
    assert found == {"members": [one.id for one in customers], "people": 2}


def test_people_of_different_distributors_are_not_compared(
    session: Session, strict: Settings, now: datetime
) -> None:
    for _ in range(2):
        owner = make_distributor(session)
        sell(session, owner, win(session, owner, now, phone=PHONE, device="shared"), now)
    session.commit()

    assert watch_risk(settings=strict, now=now) == 0


def test_a_high_share_of_refunded_orders_raises_a_flag_and_a_low_one_does_not(
    session: Session, strict: Settings, now: datetime
) -> None:
    bad, good = make_distributor(session), make_distributor(session)
    returned = {}
    for owner, orders in ((bad, 3), (good, 4)):
        customer = make_member(session)
        sold = [sell(session, owner, customer, now) for _ in range(orders)]
        make_refund(session, sold[0], now=now - HOUR / 2)
        returned[owner.member_id] = sold[0].id
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [(bad.member_id, RiskKind.REFUND_RATE)]
    found = session.scalars(sa.select(RiskFlag.evidence)).one()
    assert found == {"paid": 3, "refunded": 1, "orders": [returned[bad.member_id]]}


def test_two_distributors_who_buy_as_each_others_customers_are_both_flagged(
    session: Session, strict: Settings, now: datetime
) -> None:
    one, two, third = (make_distributor(session) for _ in range(3))
    for owner, buyer in ((one, two), (two, one), (third, one)):
        sell(session, owner, session.get_one(Member, buyer.member_id), now)
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [
        (one.member_id, RiskKind.PAIR),
        (two.member_id, RiskKind.PAIR),
    ]


def test_the_active_team_of_somebody_frozen_is_flagged_without_a_hold(
    session: Session, strict: Settings, now: datetime
) -> None:
    above = make_distributor(session)
    below = make_distributor(session, recommender=above)
    members.freeze_distributor(
        session, above.member_id, actor=make_actor(session), reason="fraud", now=now
    )
    session.commit()

    watch_risk(settings=strict, now=now)

    assert flags(session) == [(below.member_id, RiskKind.FROZEN_ABOVE)]
    assert holds.held(session, [below.member_id]) == set()


def test_what_happened_before_the_window_counts_no_more(
    session: Session, strict: Settings, now: datetime
) -> None:
    owner = make_distributor(session)
    for _ in range(2):
        old = win(session, owner, now, minutes_ago=91 * 24 * 60, device="farm")
        session.execute(
            sa.update(MemberDevice)
            .where(MemberDevice.member_id == old.id)
            .values(device_hash=vault().look_up("device", "farm"))
        )
    win(session, owner, now)
    session.commit()

    assert watch_risk(settings=strict, now=now) == 0


def test_the_watch_ends_flags_that_nobody_decided(
    session: Session, strict: Settings, now: datetime
) -> None:
    owner = make_distributor(session)
    for minute in (1, 2, 3):
        win(session, owner, now, minutes_ago=minute)
    session.commit()
    watch_risk(settings=strict, now=now)

    watch_risk(settings=strict, now=now + timedelta(days=30))

    assert session.scalars(sa.select(RiskFlag.state)).all() == [FlagState.EXPIRED]
    assert holds.held(session, [owner.member_id]) == set()
