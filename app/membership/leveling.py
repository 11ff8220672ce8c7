"""The levels of the brand: setting their rules, and seeing beforehand who would move.

A change writes a new version. Nobody moves by it: who holds a level keeps it for the time that was
promised, and rises or falls when they are looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductKind
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.outbox import emit
from app.membership.errors import (
    LevelInvalid,
    LevelNotFound,
    LevelRankTaken,
    LevelsOutOfOrder,
    PaidProductUnusable,
    ReasonMissing,
)
from app.membership.models import LevelVersion, MembershipLevel
from app.membership.queries import LevelTerms, levels_at

GROWTH_MAX: Final = 100_000_000
DAYS_MAX: Final = 3_650
TEXT_LENGTH_MAX: Final = 2_000
NAME_LENGTH_MAX: Final = 20
MULTIPLIER_MAX_BP: Final = 100_000
_RULES: Final = (
    *("name", "name_en", "growth_at_least", "discount_bp", "points_multiplier_bp"),
    *("benefits", "benefits_en", "upgrade_gift", "birthday_gift", "excluded_product_ids"),
    *("paid_product_id", "paid_days", "is_retired"),
)
_RANKS_LOCK: Final = 7_310_033


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSpec:
    """The rules of a level, as staff set them; see `LevelVersion`."""

    rank: int
    name: str
    name_en: str = ""
    growth_at_least: int | None = None
    discount_bp: int = 10_000
    points_multiplier_bp: int = 10_000
    benefits: str = ""
    benefits_en: str = ""
    upgrade_gift: Sequence[dict[str, Any]] = field(default_factory=tuple)
    birthday_gift: Sequence[dict[str, Any]] = field(default_factory=tuple)
    excluded_product_ids: Sequence[int] = field(default_factory=tuple)
    paid_product_id: int | None = None
    paid_days: int | None = None
    is_retired: bool = False


def put_level(
    session: Session,
    level_id: int | None,
    spec: LevelSpec,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> MembershipLevel:
    """Make a level, or give one new rules from now on; on record. Who holds what stays.

    Raises `LevelInvalid`, `LevelsOutOfOrder`, `LevelRankTaken`, `PaidProductUnusable`,
    `LevelNotFound`, `ReasonMissing`.
    """
    if not reason.strip():
        raise ReasonMissing
    _check_bounds(spec)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_RANKS_LOCK)))
    others = [one for one in levels_at(session, at=now) if one.level_id != level_id]
    _check_order(spec, others)
    _check_product(session, spec, others)
    level = _level(session, level_id, spec, now=now)
    before = _last(session, level.id)
    version = LevelVersion(
        level_id=level.id,
        from_at=max(now, before.from_at) if before else now,
        actor=str(actor),
        reason=reason.strip(),
        **_values(spec),
    )
    session.add(version)
    session.flush()
    change = Change(
        before=_told(before) if before else {},
        after=_told(version) | {"rank": level.rank},
        reason=reason.strip(),
    )
    subject = Subject("membership_level", level.id)
    record(session, actor, "membership_level_set", subject, change, now=now)
    return level


def ask_evaluation(session: Session, *, actor: Actor, reason: str, now: datetime) -> None:
    """Ask to look at everybody again, so that who deserves more by the rules of now rises.

    Nobody falls by it: a level is kept for its year. A job does it, in parts.
    """
    if not reason.strip():
        raise ReasonMissing
    lowest = session.scalar(
        sa.select(MembershipLevel).order_by(MembershipLevel.rank).limit(1).with_for_update()
    )
    if lowest is None:
        raise LevelNotFound
    lowest.evaluate_asked_at, lowest.evaluated_at = now, None
    session.flush()
    emit(session, "membership_evaluation_asked", lowest.id, now=now)
    subject, change = Subject("membership_level", lowest.id), Change(reason=reason.strip())
    record(session, actor, "membership_evaluation_asked", subject, change, now=now)


def _check_bounds(spec: LevelSpec) -> None:
    bounds = {
        "rank": 1 <= spec.rank <= 99,  # noqa: PLR2004 - the bound of the table
        "name": 1 <= len(spec.name.strip()) <= NAME_LENGTH_MAX,
        "name_en": len(spec.name_en) <= NAME_LENGTH_MAX,
        "growth_at_least": 0 <= (spec.growth_at_least or 0) <= GROWTH_MAX,
        "discount_bp": 1 <= spec.discount_bp <= 10_000,  # noqa: PLR2004 - the whole price
        "points_multiplier_bp": 0 <= spec.points_multiplier_bp <= MULTIPLIER_MAX_BP,
        "benefits": max(len(spec.benefits), len(spec.benefits_en)) <= TEXT_LENGTH_MAX,
        "paid_days": (spec.paid_days is None) == (spec.paid_product_id is None)
        and 1 <= (spec.paid_days or 1) <= DAYS_MAX,
    }
    for name, holds in bounds.items():
        if not holds:
            raise LevelInvalid(name)


def _check_order(spec: LevelSpec, others: Sequence[LevelTerms]) -> None:
    """Require that growth and rank rise together among the levels that growth reaches."""
    if spec.growth_at_least is None or spec.is_retired:
        return
    steps = [
        (one.rank, one.version.growth_at_least or 0, one.version.name)
        for one in others
        if one.is_reached_by_growth
    ]
    steps = sorted([*steps, (spec.rank, spec.growth_at_least, spec.name)])
    for (_, low, lower), (_, high, higher) in pairwise(steps):
        if low >= high:
            raise LevelsOutOfOrder(lower, higher)


def _check_product(session: Session, spec: LevelSpec, others: Sequence[LevelTerms]) -> None:
    if spec.paid_product_id is None:
        return
    product = session.get(Product, spec.paid_product_id)
    taken = {one.version.paid_product_id for one in others if not one.version.is_retired}
    if product is None or product.kind is not ProductKind.SERVICE or product.id in taken:
        raise PaidProductUnusable


def _level(
    session: Session, level_id: int | None, spec: LevelSpec, *, now: datetime
) -> MembershipLevel:
    holder = session.scalar(sa.select(MembershipLevel.id).where(MembershipLevel.rank == spec.rank))
    if holder is not None and holder != level_id:
        raise LevelRankTaken(spec.rank)
    if level_id is None:
        level = MembershipLevel(rank=spec.rank, created_at=now)
        session.add(level)
    else:
        found = session.get(MembershipLevel, level_id, with_for_update=True)
        if found is None:
            raise LevelNotFound
        level = found
        if level.rank != spec.rank:
            raise LevelInvalid("rank")
    session.flush()
    return level


def _last(session: Session, level_id: int) -> LevelVersion | None:
    return session.scalar(
        sa.select(LevelVersion)
        .where(LevelVersion.level_id == level_id)
        .order_by(LevelVersion.from_at.desc(), LevelVersion.id.desc())
        .limit(1)
    )


def _values(spec: LevelSpec) -> dict[str, Any]:
    listed = ("upgrade_gift", "birthday_gift", "excluded_product_ids")
    values = {name: getattr(spec, name) for name in _RULES if name not in listed}
    lists = {name: list(getattr(spec, name)) for name in listed}
    return values | lists | {"name": spec.name.strip(), "name_en": spec.name_en.strip()}


def _told(version: LevelVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in _RULES}
