from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.kernel.outbox import OutboxEvent
from app.ledger import services as ledger
from app.ledger.queries import Balances, balances
from app.ledger.transfers import COMMISSION_EXPENSE, Transfer, available
from app.members.errors import FreshSignInRequired, NotADistributor
from app.members.models import Distributor, Member, Standing
from app.payouts import services
from app.payouts.errors import (
    InsufficientBalance,
    PayoutAmountOutOfRange,
    PayoutDebtOpen,
    PayoutOnHold,
)
from app.payouts.models import Payout, PayoutAllocation, PayoutBill
from app.payouts.states import BillState, PayoutState
from app.settings import Settings
from tests.factories.payouts import (
    amounts_of,
    claw_back,
    make_award,
    make_earner,
    make_payout,
    openid_of,
)
from tests.factories.people import make_distributor, make_member


def held(session: Session, earner: Distributor) -> Balances:
    return balances(session, earner.member_id)


def count_payouts(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Payout)) or 0


def allocated(session: Session, payout: Payout) -> list[tuple[int, int]]:
    rows = session.execute(
        sa.select(PayoutAllocation.award_id, PayoutAllocation.amount_fen)
        .where(PayoutAllocation.payout_id == payout.id)
        .order_by(PayoutAllocation.award_id)
    )
    return [(row[0], row[1]) for row in rows]


def test_a_request_reserves_its_amount_and_fixes_payee_and_bills(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 50_000)

    payout = make_payout(session, earner, 45_000, settings=settings)

    assert held(session, earner) == Balances(0, 5_000, 45_000, 0)
    assert payout.state is PayoutState.REQUESTED
    assert payout.payee_openid == openid_of(session, earner)
    assert amounts_of(payout.bills) == [20_000, 20_000, 5_000]
    assert {bill.state for bill in payout.bills} == {BillState.CREATED}
    assert {bill.due_at for bill in payout.bills} == {None}
    assert len({bill.number for bill in payout.bills}) == 3
    assert session.scalars(sa.select(OutboxEvent.name)).all() == []


def test_the_oldest_awards_are_paid_first(session: Session, settings: Settings) -> None:
    earner = make_earner(session)
    first, second, third = (make_award(session, earner, fen) for fen in (3_000, 2_000, 4_000))

    payout = make_payout(session, earner, 4_500, settings=settings)

    assert allocated(session, payout) == [(first.id, 3_000), (second.id, 1_500)]
    session.expire_all()
    assert [award.allocated_fen for award in (first, second, third)] == [3_000, 1_500, 0]


def test_a_payout_pays_every_award_that_it_counts_however_many_there_are(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, *[100] * 70)

    payout = make_payout(session, earner, 7_000, settings=settings)

    parts = allocated(session, payout)
    assert len(parts) == 70
    assert sum(fen for _, fen in parts) == 7_000


@pytest.mark.parametrize("amount_fen", [-1, 0, 1, 99, 500_001, 10**18])
def test_an_amount_beyond_the_limits_is_refused_and_moves_nothing(
    session: Session, settings: Settings, amount_fen: int
) -> None:
    earner = make_earner(session, 600_000)

    with pytest.raises(PayoutAmountOutOfRange) as refusal:
        make_payout(session, earner, amount_fen, settings=settings)

    assert (refusal.value.min_fen, refusal.value.max_fen) == (100, 500_000)
    assert str(refusal.value) == "A withdrawal lies between ¥1.00 and ¥5,000.00."
    assert count_payouts(session) == 0
    assert held(session, earner) == Balances(0, 600_000, 0, 0)


def test_more_than_is_available_is_refused_with_the_figures(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 5_000)

    with pytest.raises(InsufficientBalance) as refusal:
        make_payout(session, earner, 5_001, settings=settings)

    assert (refusal.value.requested_fen, refusal.value.available_fen) == (5_001, 5_000)
    assert count_payouts(session) == 0
    assert held(session, earner) == Balances(0, 5_000, 0, 0)


def test_what_is_reserved_cannot_be_asked_for_again(session: Session, settings: Settings) -> None:
    earner = make_earner(session, 5_000)
    make_payout(session, earner, 3_000, settings=settings)

    with pytest.raises(InsufficientBalance) as refusal:
        make_payout(session, earner, 2_001, settings=settings)

    assert refusal.value.available_fen == 2_000
    assert held(session, earner) == Balances(0, 2_000, 3_000, 0)


def test_whoever_owes_for_refunded_orders_withdraws_nothing(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session)
    award = make_award(session, earner, 5_000)
    make_payout(session, earner, 5_000, settings=settings)
    claw_back(session, award, 50_000)

    with pytest.raises(PayoutDebtOpen) as refusal:
        make_payout(session, earner, 100, settings=settings)

    assert refusal.value.debt_fen == 5_000
    assert held(session, earner) == Balances(0, 0, 5_000, 5_000)


@pytest.mark.parametrize("standing", [Standing.FROZEN, Standing.QUIT])
def test_a_distributor_who_may_not_earn_keeps_their_balance_on_hold(
    session: Session, settings: Settings, standing: Standing
) -> None:
    earner = make_earner(session, 5_000, standing=standing)

    with pytest.raises(PayoutOnHold) as refusal:
        make_payout(session, earner, 5_000, settings=settings)

    assert refusal.value.code == "payout_on_hold"
    assert refusal.value.standing == standing
    assert held(session, earner) == Balances(0, 5_000, 0, 0)


@pytest.mark.parametrize("standing", [Standing.APPLIED, Standing.REFUSED])
def test_whoever_was_never_admitted_cannot_ask(
    session: Session, settings: Settings, standing: Standing
) -> None:
    applicant = make_distributor(session, standing=standing)

    with pytest.raises(NotADistributor):
        make_payout(session, applicant, 5_000, settings=settings)


def test_a_customer_cannot_ask(session: Session, settings: Settings, now: datetime) -> None:
    member = make_member(session)

    with pytest.raises(NotADistributor):
        services.request(
            session,
            member_id=member.id,
            amount_fen=100,
            fresh_at=now,
            settings=settings,
            now=now,
        )


def test_money_moves_only_soon_after_a_proof_of_presence(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    span = timedelta(seconds=settings.fresh_sign_in_seconds)

    with pytest.raises(FreshSignInRequired):
        services.request(
            session,
            member_id=earner.member_id,
            amount_fen=5_000,
            fresh_at=now - span - timedelta(microseconds=1),
            settings=settings,
            now=now,
        )

    assert held(session, earner) == Balances(0, 5_000, 0, 0)
    services.request(
        session,
        member_id=earner.member_id,
        amount_fen=5_000,
        fresh_at=now - span,
        settings=settings,
        now=now,
    )
    assert held(session, earner) == Balances(0, 0, 5_000, 0)


@pytest.mark.parametrize(
    ("real_name", "amounts_fen"),
    [(None, [199_999, 100_001]), ("欧阳丽", [250_000, 50_000])],
)
def test_bills_stay_below_the_amount_that_needs_a_name_we_do_not_have(
    session: Session, settings: Settings, real_name: str | None, amounts_fen: list[int]
) -> None:
    wide = replace(settings, transfer_max_fen=250_000, transfer_member_day_fen=1_000_000)
    earner = make_earner(session, 300_000, real_name=real_name)

    payout = make_payout(session, earner, 300_000, settings=wide)

    assert amounts_of(payout.bills) == amounts_fen


def test_no_bill_is_larger_than_the_limit_of_a_day(session: Session, settings: Settings) -> None:
    narrow = replace(settings, transfer_member_day_fen=7_000)
    earner = make_earner(session, 20_000)

    payout = make_payout(session, earner, 20_000, settings=narrow)

    assert amounts_of(payout.bills) == [7_000, 7_000, 6_000]


@pytest.mark.parametrize(("amount_fen", "needs_two"), [(49_999, False), (50_000, True)])
def test_the_need_of_a_second_approval_is_fixed_with_the_request(
    session: Session, settings: Settings, amount_fen: int, needs_two: bool
) -> None:
    earner = make_earner(session, 50_000)

    payout = make_payout(session, earner, amount_fen, settings=settings)

    assert payout.needs_second_approval is needs_two


def test_a_later_change_of_the_payee_moves_no_payout(session: Session, settings: Settings) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    before = payout.payee_openid

    session.get_one(Member, earner.member_id).wechat_openid = "someone-else"
    session.flush()

    session.expire_all()
    assert payout.payee_openid == before
    assert session.scalars(sa.select(PayoutBill.payee_openid)).all() == [before]


def test_awards_of_others_are_not_touched(session: Session, settings: Settings) -> None:
    earner, other = make_earner(session, 5_000), make_earner(session, 7_000)

    make_payout(session, earner, 5_000, settings=settings)

    taken = session.scalars(
        sa.select(Award.allocated_fen).where(Award.beneficiary_id == other.member_id)
    ).all()
    assert taken == [0]
    assert held(session, other) == Balances(0, 7_000, 0, 0)


def test_a_balance_without_awards_behind_it_is_not_paid(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    gift = Transfer(COMMISSION_EXPENSE, available(earner.member_id), 5_000)
    ledger.post(session, "test-gift", [gift], now=now)

    with pytest.raises(InsufficientBalance):
        make_payout(session, earner, 5_000, settings=settings, now=now)

    assert count_payouts(session) == 0
    assert held(session, earner) == Balances(0, 5_000, 0, 0)
