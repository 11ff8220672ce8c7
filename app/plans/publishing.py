"""Putting versions in force, and ending them.

Publishing one ends the version of the same plan in force at the very instant at which the new one
begins. What was paid is never recomputed: a version begins in the future, and ends in it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT8RANGE, Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.engines.documents import load_rules
from app.engines.events import Joined
from app.engines.registry import MODELS
from app.kernel import outbox
from app.kernel.audit import Actor
from app.plans.errors import (
    AnotherVersionAhead,
    NotAhead,
    PlanNotChecked,
    PlanNotInState,
    ScopesOverlap,
)
from app.plans.models import Plan, PlanScope, PlanVersion
from app.plans.scopes import Scope
from app.plans.services import demand_approved, demand_lawful, lock_version, record_step
from app.plans.states import PlanVersionEvent, PlanVersionState

_PUBLISHING_LOCK: Final = 7_310_004
CHECK_LIVES: Final = timedelta(hours=1)
"""A version is only published on a check of the last hour: products and settings change too."""


def publish(
    session: Session,
    version_id: int,
    *,
    actor: Actor,
    effective_from_at: datetime,
    now: datetime,
) -> PlanVersion:
    """Put an approved version in force from an instant not before now.

    It ends the version of its own plan that is in force then. Raises ScopesOverlap where another
    plan is in force for one of its stores and products at the time.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHING_LOCK)))
    version = demand_approved(session, version_id)
    if effective_from_at < now:
        raise NotAhead
    check = demand_lawful(session, version)
    if check.checked_at < now - CHECK_LIVES:
        raise PlanNotChecked
    _end_former(session, version.plan_id, effective_from_at)
    version.advance(PlanVersionEvent.PUBLISH, now=now, actor=str(actor))
    version.effective_from_at = effective_from_at
    session.flush()
    _claim_scope(session, version)
    if Joined in MODELS[load_rules(version.rules).model].reacts_to:
        outbox.emit(session, "plan_published", version.id, now=now)
    record_step(session, actor, "plan.published", version, now=now)
    return version


def retire(
    session: Session,
    version_id: int,
    *,
    actor: Actor,
    now: datetime,
    until_at: datetime | None = None,
) -> PlanVersion:
    """End a published version, now or at a later instant; orders made from then on do not pay.

    One that was to end later may be ended sooner, never later.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHING_LOCK)))
    version = lock_version(session, version_id)
    if until_at is not None and until_at < now:
        raise NotAhead
    ended_at = version.effective_until_at
    if version.state is PlanVersionState.RETIRED and (
        ended_at is None or ended_at <= (until_at or now)
    ):
        raise PlanNotInState(version.state)
    version.advance(PlanVersionEvent.RETIRE, now=now, actor=str(actor))
    assert version.effective_from_at is not None
    end = max(until_at or now, version.effective_from_at)
    if version.effective_until_at is None or end < version.effective_until_at:
        _end(session, version, end)
    record_step(session, actor, "plan.retired", version, now=now)
    return version


def _claim_scope(session: Session, version: PlanVersion) -> None:
    """Write where the version is in force; the database refuses what overlaps."""
    during = Range(version.effective_from_at, None, bounds="[)")
    rows = [
        {"version_id": version.id, "store_ids": stores, "product_ids": products, "during": during}
        for stores, products in Scope.read(version.scope).rectangles()
    ]
    try:
        with session.begin_nested():
            session.execute(sa.insert(PlanScope), rows)
    except IntegrityError as error:
        raise ScopesOverlap(", ".join(_in_the_way(session, version, during))) from error


def _in_the_way(session: Session, version: PlanVersion, during: Range[datetime]) -> Sequence[str]:
    """Return the names of the other plans in force for some of the scope in some of a span."""
    rectangles = list(Scope.read(version.scope).rectangles())
    wanted = sa.func.unnest(
        sa.literal([stores for stores, _ in rectangles], sa.ARRAY(INT8RANGE)),
        sa.literal([products for _, products in rectangles], sa.ARRAY(INT8RANGE)),
    ).table_valued(sa.column("store_ids", INT8RANGE), sa.column("product_ids", INT8RANGE))
    wanted = wanted.render_derived(name="wanted")
    return session.scalars(
        sa.select(Plan.name)
        .distinct()
        .join(PlanVersion, PlanVersion.plan_id == Plan.id)
        .join(PlanScope, PlanScope.version_id == PlanVersion.id)
        .join(
            wanted,
            sa.and_(
                PlanScope.store_ids.overlaps(wanted.c.store_ids),
                PlanScope.product_ids.overlaps(wanted.c.product_ids),
            ),
        )
        .where(PlanScope.during.overlaps(during), Plan.id != version.plan_id)
        .order_by(Plan.name)
    ).all()


def _end_former(session: Session, plan_id: int, at: datetime) -> None:
    """End the plan's version in force at an instant; refuse where one is to begin later.

    One that was called off before it began is in force at no instant.
    """
    open_ones = session.scalars(
        sa.select(PlanVersion)
        .where(
            PlanVersion.plan_id == plan_id,
            PlanVersion.effective_from_at.is_not(None),
            sa.or_(PlanVersion.effective_until_at.is_(None), PlanVersion.effective_until_at > at),
            PlanVersion.effective_until_at.is_distinct_from(PlanVersion.effective_from_at),
        )
        .with_for_update()
    ).all()
    for former in open_ones:
        if former.effective_from_at is None or former.effective_from_at >= at:
            raise AnotherVersionAhead
        _end(session, former, at)


def _end(session: Session, version: PlanVersion, at: datetime) -> None:
    version.effective_until_at = at
    session.execute(
        sa.update(PlanScope)
        .where(PlanScope.version_id == version.id)
        .values(during=Range(version.effective_from_at, at, bounds="[)"))
        .execution_options(synchronize_session=False)
    )
    session.flush()
