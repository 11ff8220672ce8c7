"""Nobody decides what their own account in the mini-program gains by, bound to it now or before."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.attribution import bindings
from app.attribution.rules import Owner, OwnerKind
from app.kernel.audit import Actor
from app.payouts import services as payouts
from app.payouts.states import PayoutState
from app.risk import services as risk
from app.risk.states import FlagState
from app.settings import Settings
from app.stores.staff_errors import OwnMatter
from app.stores.staff_mode_models import StaffBinding
from tests.factories.approvals import as_actor, make_case
from tests.factories.payouts import make_actor, make_earner, make_payout

DAY = timedelta(days=1)


def tie(session: Session, actor: Actor, member_id: int, at: datetime, *, is_over: bool) -> None:
    assert actor.id is not None
    row = StaffBinding(staff_id=actor.id, member_id=member_id, bound_at=at - DAY)
    if is_over:
        row.ended_at, row.ended_by = at, str(actor)
    session.add(row)
    session.flush()


@pytest.mark.parametrize("is_over", [False, True])
def test_nobody_approves_their_own_payout(
    session: Session, settings: Settings, now: datetime, is_over: bool
) -> None:
    earner, actor = make_earner(session, 5_000), make_actor(session)
    payout = make_payout(session, earner, 5_000, settings=settings)
    tie(session, actor, earner.member_id, now, is_over=is_over)

    with pytest.raises(OwnMatter):
        payouts.approve(session, payout.id, actor=actor, settings=settings, now=now)

    assert (payout.state, payout.first_approver_id) == (PayoutState.REQUESTED, None)
    other = make_actor(session)
    done = payouts.approve(session, payout.id, actor=other, settings=settings, now=now)
    assert done.state is PayoutState.APPROVED


def test_nobody_releases_a_suspicion_about_themselves(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner, actor = make_earner(session, 5_000), make_actor(session)
    flag = risk.raise_flag(
        session,
        earner.member_id,
        reason="buys through a friend",
        holds_payouts=True,
        actor=make_actor(session),
        settings=settings,
        now=now,
    )
    tie(session, actor, earner.member_id, now, is_over=False)

    with pytest.raises(OwnMatter):
        risk.release(session, flag.id, actor=actor, reason="it is only me", now=now)

    assert flag.state is FlagState.OPEN


@pytest.mark.parametrize("is_second", [False, True])
def test_nobody_hands_a_customer_to_themselves(
    session: Session, now: datetime, is_second: bool
) -> None:
    case = make_case(session)
    concerned = case.checker if is_second else case.maker
    tie(session, as_actor(concerned), case.claimant.member_id, now, is_over=False)

    with pytest.raises(OwnMatter):
        bindings.hand_over(
            session,
            customer_id=case.customer.id,
            owner=Owner(OwnerKind.DISTRIBUTOR, case.claimant.member_id),
            actor=as_actor(case.maker),
            second_actor=as_actor(case.checker),
            reason="mine now",
            now=now,
        )
