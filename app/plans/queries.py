"""Reading plans."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.contract import Family
from app.engines.documents import load_rules
from app.engines.parameters import PlanParameters
from app.engines.registry import MODELS
from app.kernel.db import db
from app.plans.models import Plan, PlanScope, PlanVersion

LEVEL_FAMILIES = frozenset({Family.CHANNEL})


def versions_for(
    session: Session, *, store_id: int, product_ids: Collection[int], at: datetime
) -> dict[int, int]:
    """Return the version that each product falls under in a store at an instant, by product.

    Scopes never overlap and are only ever published ahead, so the answer for a past instant never
    changes.
    """
    if not product_ids:
        return {}
    bought = sa.func.unnest(sa.literal(list(product_ids), sa.ARRAY(sa.BigInteger))).table_valued(
        "product_id"
    )
    bought = bought.render_derived(name="bought")
    product_id = sa.cast(bought.c.product_id, sa.BigInteger)
    rows = session.execute(
        sa.select(product_id, PlanScope.version_id).join_from(
            bought,
            PlanScope,
            sa.and_(
                PlanScope.store_ids.contains(sa.literal(store_id, sa.BigInteger)),
                PlanScope.product_ids.contains(product_id),
                PlanScope.during.contains(sa.literal(at, sa.DateTime(timezone=True))),
            ),
        )
    )
    return {int(product): int(version) for product, version in rows}


def versions_in_force(session: Session, *, at: datetime) -> list[PlanVersion]:
    """Return every version in force at an instant, by plan."""
    return list(
        session.scalars(
            sa.select(PlanVersion)
            .where(
                PlanVersion.effective_from_at <= at,
                sa.or_(
                    PlanVersion.effective_until_at.is_(None), PlanVersion.effective_until_at > at
                ),
            )
            .order_by(PlanVersion.plan_id)
        )
    )


def version_in_force_of(session: Session, plan_id: int) -> PlanVersion | None:
    """Return the version of a plan that is in force now, by the database's clock."""
    return session.scalar(
        sa.select(PlanVersion).where(
            PlanVersion.plan_id == plan_id,
            PlanVersion.effective_from_at <= sa.func.now(),
            sa.or_(
                PlanVersion.effective_until_at.is_(None),
                PlanVersion.effective_until_at > sa.func.now(),
            ),
        )
    )


def level_version(session: Session, *, at: datetime) -> PlanVersion | None:
    """Return the version whose levels distributors hold at an instant.

    A distributor has one level at the brand. Where several channel plans are in force, the plan
    that was opened first says how it is earned; the others only read it.
    """
    models = [code for code, model in MODELS.items() if model.family in LEVEL_FAMILIES]
    return session.scalar(
        sa.select(PlanVersion)
        .join(Plan, Plan.id == PlanVersion.plan_id)
        .where(
            Plan.model.in_(models),
            PlanVersion.effective_from_at <= at,
            sa.or_(PlanVersion.effective_until_at.is_(None), PlanVersion.effective_until_at > at),
        )
        .order_by(PlanVersion.plan_id)
        .limit(1)
    )


@lru_cache(maxsize=256)
def rules_of(version_id: int) -> PlanParameters:
    """Return the rules of a version that was published; they never change, so they are kept."""
    document = db.session.scalar(sa.select(PlanVersion.rules).where(PlanVersion.id == version_id))
    assert document is not None, f"no plan version {version_id}"
    return load_rules(document)


@lru_cache(maxsize=256)
def plan_of(version_id: int) -> int:
    """Return the plan of a version."""
    plan_id = db.session.scalar(sa.select(PlanVersion.plan_id).where(PlanVersion.id == version_id))
    assert plan_id is not None, f"no plan version {version_id}"
    return plan_id
