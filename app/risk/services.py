"""Raising, confirming and releasing suspicions, and the holds that stand with them.

Every function joins its caller's transaction. Order of locks: the flag, then the distributor
(`payouts.holds`), then the audit trail.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import SYSTEM, Actor, Change, Subject
from app.members.decisions import require_reason
from app.members.errors import DistributorNotFound
from app.members.models import Distributor
from app.payouts import holds
from app.risk.errors import RiskFlagNotFound, RiskFlagNotInState, RiskFlagOpen
from app.risk.models import RiskFlag
from app.risk.rules import Suspicion, ids_in
from app.risk.states import FlagEvent, FlagState, RiskKind, after_flag
from app.settings import Settings
from app.stores.independence import require_unconcerned

REMEMBERED_MAX: Final = 20
"""So many decided flags of a kind are compared with a new suspicion."""
ACTIONS: Final[Mapping[FlagEvent, str]] = {
    FlagEvent.CONFIRM: "risk_flag_confirmed",
    FlagEvent.RELEASE: "risk_flag_released",
    FlagEvent.EXPIRE: "risk_flag_expired",
}


def raise_flag(  # noqa: PLR0913 - one decision: about whom, whether money waits, by whom, why, when
    session: Session,
    distributor_id: int,
    *,
    reason: str,
    holds_payouts: bool,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> RiskFlag:
    """Suspect a distributor by hand, saying why.

    Raises `ReasonRequired`, `DistributorNotFound`, `RiskFlagOpen` where staff suspect them already.
    """
    require_reason(reason)
    if session.get(Distributor, distributor_id) is None:
        raise DistributorNotFound
    flag_id = _insert(
        session,
        Suspicion(distributor_id, RiskKind.BY_HAND, {"said": reason}),
        holds_payouts=holds_payouts,
        reason=reason,
        actor=actor,
        settings=settings,
        now=now,
    )
    if flag_id is None:
        raise RiskFlagOpen
    return session.get_one(RiskFlag, flag_id)


def note(session: Session, found: Iterable[Suspicion], *, settings: Settings, now: datetime) -> int:
    """Record what the rules suspect; return how many flags are new.

    An open flag of the kind gets the evidence of now. Where a person has decided on all of this
    evidence, or let it expire, the same is not held against anybody again.
    """
    return sum(_note(session, one, settings=settings, now=now) for one in found)


def confirm(
    session: Session, flag_id: int, *, actor: Actor, reason: str, now: datetime
) -> RiskFlag:
    """Say that a suspicion is right; a hold stays until somebody releases it.

    Raises `ReasonRequired`, `RiskFlagNotFound`, `RiskFlagNotInState`, `OwnMatter`.
    """
    return _decide(session, flag_id, FlagEvent.CONFIRM, actor=actor, reason=reason, now=now)


def release(
    session: Session, flag_id: int, *, actor: Actor, reason: str, now: datetime
) -> RiskFlag:
    """Let a suspicion go, saying why; payouts go on unless another hold stands.

    Raises `ReasonRequired`, `RiskFlagNotFound`, `RiskFlagNotInState`, `OwnMatter`.
    """
    flag = _decide(session, flag_id, FlagEvent.RELEASE, actor=actor, reason=reason, now=now)
    holds.lift(session, cause=cause_of(flag.id), now=now)
    return flag


def expire_due(session: Session, *, now: datetime, limit: int) -> int:
    """End open flags whose time is over, and their holds; return how many."""
    ids = session.scalars(
        sa.select(RiskFlag.id)
        .where(RiskFlag.state == FlagState.OPEN, RiskFlag.expires_at <= now)
        .order_by(RiskFlag.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for flag_id in ids:
        _advance(session, flag_id, FlagEvent.EXPIRE, actor=SYSTEM, reason="", now=now)
        holds.lift(session, cause=cause_of(flag_id), now=now)
    return len(ids)


def cause_of(flag_id: int) -> str:
    """Return what payouts call the hold of a flag.

    >>> cause_of(12)
    'risk_flag:12'
    """
    return f"risk_flag:{flag_id}"


def _note(session: Session, one: Suspicion, *, settings: Settings, now: datetime) -> int:
    earlier = session.scalars(
        sa.select(RiskFlag)
        .where(RiskFlag.distributor_id == one.distributor_id, RiskFlag.kind == one.kind)
        .order_by(RiskFlag.id.desc())
        .limit(REMEMBERED_MAX)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    current = next((flag for flag in earlier if flag.state is FlagState.OPEN), None)
    if current is not None:
        current.evidence = dict(one.evidence)
        session.flush()
        return 0
    known: set[tuple[str, int]] = set().union(*(ids_in(flag.evidence) for flag in earlier))
    if earlier and ids_in(one.evidence) <= known:
        return 0
    made = _insert(
        session,
        one,
        holds_payouts=one.holds_payouts,
        reason="",
        actor=SYSTEM,
        settings=settings,
        now=now,
    )
    return int(made is not None)


def _insert(  # noqa: PLR0913 - the facts of one row
    session: Session,
    one: Suspicion,
    *,
    holds_payouts: bool,
    reason: str,
    actor: Actor,
    settings: Settings,
    now: datetime,
) -> int | None:
    """Write a flag, its hold and its trace; None where one of the kind is open already."""
    values: dict[str, Any] = {
        "distributor_id": one.distributor_id,
        "kind": one.kind,
        "evidence": dict(one.evidence),
        "holds_payouts": holds_payouts,
        "state": FlagState.OPEN,
        "raised_at": now,
        "raised_by": str(actor),
        "expires_at": now + timedelta(seconds=settings.risk_hold_seconds),
        "reason": reason,
    }
    flag_id: int | None = session.scalar(
        insert(RiskFlag).values(values).on_conflict_do_nothing().returning(RiskFlag.id)
    )
    if flag_id is None:
        return None
    if holds_payouts:
        holds.place(session, one.distributor_id, cause=cause_of(flag_id), now=now)
    after = {"flag_id": flag_id, "kind": one.kind.value, "holds_payouts": holds_payouts}
    change = Change({}, after, reason)
    _audit(session, actor, "risk_flag_raised", one.distributor_id, change, now=now)
    return flag_id


def _decide(
    session: Session,
    flag_id: int,
    event: FlagEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> RiskFlag:
    require_reason(reason)
    flag = session.get(RiskFlag, flag_id)
    require_unconcerned(session, [actor], flag.distributor_id if flag else None)
    return _advance(session, flag_id, event, actor=actor, reason=reason, now=now)


def _advance(
    session: Session,
    flag_id: int,
    event: FlagEvent,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> RiskFlag:
    flag = session.get(RiskFlag, flag_id, with_for_update=True, populate_existing=True)
    if flag is None:
        raise RiskFlagNotFound
    before = flag.state
    target = after_flag(before, event)
    if target is None:
        raise RiskFlagNotInState(before, event)
    flag.state, flag.decided_at, flag.decided_by = target, now, str(actor)
    flag.reason = reason or flag.reason
    session.flush()
    kind = {"flag_id": flag.id, "kind": flag.kind.value}
    change = Change({**kind, "state": before.value}, {**kind, "state": target.value}, reason)
    _audit(session, actor, ACTIONS[event], flag.distributor_id, change, now=now)
    return flag


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    distributor_id: int,
    change: Change,
    *,
    now: datetime,
) -> None:
    store_id = session.scalar(
        sa.select(Distributor.store_id).where(Distributor.member_id == distributor_id)
    )
    subject = Subject("distributor", distributor_id, store_id)
    audit.record(session, actor, action, subject, change, now=now)
