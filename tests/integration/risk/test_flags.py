"""Flags by hand and by rule, their holds, and what becomes of payouts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.ledger.queries import Balances, balances
from app.members.errors import DistributorNotFound, ReasonRequired
from app.payouts import holds
from app.payouts import services as payouts
from app.payouts.errors import PayoutHeld
from app.payouts.models import PayoutHold
from app.payouts.states import PayoutState
from app.risk import queries, services
from app.risk.errors import RiskFlagNotFound, RiskFlagNotInState, RiskFlagOpen
from app.risk.models import RiskFlag
from app.risk.rules import Suspicion
from app.risk.states import FlagState, RiskKind
from app.settings import Settings
from tests.factories.payouts import broken_invariants, make_actor, make_earner, make_payout

HOUR = timedelta(hours=1)


def suspect(
    session: Session,
    member_id: int,
    settings: Settings,
    now: datetime,
    *,
    holds_payouts: bool = True,
) -> RiskFlag:
    return services.raise_flag(
        session,
        member_id,
        reason="Bought through a friend's shop",
        holds_payouts=holds_payouts,
        actor=make_actor(session),
        settings=settings,
        now=now,
    )


def ring(member_id: int, *customers: int) -> Suspicion:
    return Suspicion(member_id, RiskKind.SHARED_IDENTITY, {"members": list(customers)})


def test_a_flag_holds_payouts_and_releasing_it_lets_them_go_on_whole(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    flag = suspect(session, earner.member_id, settings, now)
    finance = make_actor(session)
    with pytest.raises(PayoutHeld):
        payouts.approve(session, payout.id, actor=finance, settings=settings, now=now)

    services.release(session, flag.id, actor=finance, reason="It was a wedding party", now=now)
    payouts.approve(session, payout.id, actor=finance, settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED
    assert (flag.state, flag.decided_by) == (FlagState.RELEASED, str(finance))
    assert balances(session, earner.member_id) == Balances(0, 0, 5_000, 0)
    assert broken_invariants(session) == []


def test_a_confirmed_flag_goes_on_holding_until_it_is_released(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    flag = suspect(session, earner.member_id, settings, now)

    services.confirm(session, flag.id, actor=make_actor(session), reason="Proven", now=now)

    with pytest.raises(PayoutHeld):
        payouts.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)
    services.release(session, flag.id, actor=make_actor(session), reason="Paid back", now=now)
    assert holds.held(session, [earner.member_id]) == set()


def test_a_flag_that_holds_nothing_only_warns(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    suspect(session, earner.member_id, settings, now, holds_payouts=False)

    payouts.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)

    assert payout.state is PayoutState.APPROVED
    assert queries.flagged(session, [earner.member_id]) == {earner.member_id}


def test_each_step_of_a_flag_is_audited_with_its_reason(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    flag = suspect(session, earner.member_id, settings, now)
    services.confirm(session, flag.id, actor=make_actor(session), reason="Proven", now=now)
    services.release(session, flag.id, actor=make_actor(session), reason="Settled", now=now)

    rows = session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.subject_id == earner.member_id)
        .order_by(AuditRecord.id)
    )
    assert [(row.action, row.reason) for row in rows] == [
        ("risk_flag_raised", "Bought through a friend's shop"),
        ("risk_flag_confirmed", "Proven"),
        ("risk_flag_released", "Settled"),
    ]


@pytest.mark.parametrize("decide", [services.confirm, services.release])
def test_a_released_flag_cannot_be_decided_again(
    session: Session, settings: Settings, now: datetime, decide: object
) -> None:
    flag = suspect(session, make_earner(session).member_id, settings, now)
    services.release(session, flag.id, actor=make_actor(session), reason="Wrong", now=now)

    with pytest.raises(RiskFlagNotInState):
        decide(session, flag.id, actor=make_actor(session), reason="again", now=now)  # type: ignore[operator]

    assert (flag.state, flag.reason) == (FlagState.RELEASED, "Wrong")


def test_what_cannot_be_decided_is_refused_and_leaves_nothing(
    session: Session, settings: Settings, now: datetime
) -> None:
    actor, earner = make_actor(session), make_earner(session)
    facts = {"holds_payouts": True, "actor": actor, "settings": settings, "now": now}

    with pytest.raises(ReasonRequired):
        services.raise_flag(session, earner.member_id, reason=" ", **facts)  # type: ignore[arg-type]
    with pytest.raises(DistributorNotFound):
        services.raise_flag(session, 999_999, reason="none", **facts)  # type: ignore[arg-type]
    with pytest.raises(RiskFlagNotFound):
        services.release(session, 999_999, actor=actor, reason="none", now=now)

    assert session.scalars(sa.select(RiskFlag)).all() == []
    assert session.scalars(sa.select(PayoutHold)).all() == []


def test_a_second_flag_of_a_kind_waits_until_the_first_is_decided(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    first = suspect(session, earner.member_id, settings, now)

    with pytest.raises(RiskFlagOpen):
        suspect(session, earner.member_id, settings, now)
    services.release(session, first.id, actor=make_actor(session), reason="Wrong", now=now)
    second = suspect(session, earner.member_id, settings, now)

    assert second.id != first.id
    assert holds.held(session, [earner.member_id]) == {earner.member_id}


def test_an_open_flag_gets_the_newest_evidence_and_is_not_raised_twice(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    assert services.note(session, [ring(earner.member_id, 1)], settings=settings, now=now) == 1

    again = services.note(session, [ring(earner.member_id, 1, 2)], settings=settings, now=now)

    (flag,) = queries.flags_of(session, earner.member_id)
    assert again == 0
    assert (flag.raised_by, flag.evidence) == ("system", {"members": [1, 2]})
    assert len(session.scalars(sa.select(PayoutHold)).all()) == 1


def test_evidence_that_was_let_go_is_not_held_against_anybody_again(
    session: Session, settings: Settings, now: datetime
) -> None:
    earner = make_earner(session)
    services.note(session, [ring(earner.member_id, 1, 2)], settings=settings, now=now)
    (flag,) = queries.flags_of(session, earner.member_id)
    services.release(session, flag.id, actor=make_actor(session), reason="Sisters", now=now)

    same = services.note(session, [ring(earner.member_id, 2)], settings=settings, now=now)
    more = services.note(session, [ring(earner.member_id, 2, 3)], settings=settings, now=now)

    assert (same, more) == (0, 1)


def test_a_flag_that_nobody_decides_ends_with_its_hold_and_not_before(
    session: Session, settings: Settings, now: datetime
) -> None:
    short = replace(settings, risk_hold_seconds=3_600)
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    flag = suspect(session, earner.member_id, short, now)

    early = services.expire_due(session, now=now + HOUR - timedelta(seconds=1), limit=10)
    assert early == 0
    assert services.expire_due(session, now=now + HOUR, limit=10) == 1

    assert (flag.state, flag.decided_by) == (FlagState.EXPIRED, str(SYSTEM))
    payouts.approve(session, payout.id, actor=make_actor(session), settings=settings, now=now)
    assert payout.state is PayoutState.APPROVED


def test_a_confirmed_flag_never_expires(
    session: Session, settings: Settings, now: datetime
) -> None:
    flag = suspect(session, make_earner(session).member_id, settings, now)
    services.confirm(session, flag.id, actor=Actor("staff", 1), reason="Proven", now=now)

    assert services.expire_due(session, now=now + timedelta(days=365), limit=10) == 0
    assert flag.state is FlagState.CONFIRMED
