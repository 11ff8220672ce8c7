"""The register of sharing shareholders: who has a seat at which store, from when, until when.

What purchases bring is the engine's (`engines.shareholders`); here people apply, staff grant,
change and end, and the clock ends terms and fills free seats. Every change is an event of the plan,
made under its lock, so seats are counted right and replay leads to the same register.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.boards import lock_plan
from app.distribution.encoding import place_from_row
from app.distribution.plan_events import Word, direct
from app.distribution.plan_records import PlanPlace
from app.engines.shareholders import holdings
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.rules import ShareholderRules
from app.kernel.audit import SYSTEM, Actor, Change, Subject, record
from app.kernel.db import atomic
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.members.models import Distributor
from app.members.states import Standing
from app.plans.models import Plan, PlanScope
from app.plans.queries import rules_of, versions_in_force

MODEL: Final = "SHARING_SHAREHOLDERS"


@dataclass(eq=False)
class NoShareholderPlan(DomainError):
    """No plan of shareholders is in force for this store."""

    code: ClassVar[str] = "no_shareholder_plan"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no shareholder plan at this store.")


@dataclass(eq=False)
class HoldingNotFound(DomainError):
    """Nobody of that number has a holding there."""

    code: ClassVar[str] = "holding_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such holding.")


@dataclass(eq=False)
class OnlyDistributors(DomainError):
    """Who is to be paid has signed the agreement and given their real name first."""

    code: ClassVar[str] = "only_distributors"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Only approved distributors can be shareholders.")


@dataclass(frozen=True, slots=True)
class Grounds:
    """The shareholder plan of one store: the version in force and its rules."""

    plan_id: int
    version_id: int
    rules: ShareholderRules


@dataclass(frozen=True, slots=True)
class _Where:
    """Whose holding, at which store; of which plan, where that is told."""

    store_id: int
    member_id: int
    plan_id: int | None = None


def grounds_of(
    session: Session, store_id: int, *, at: datetime, plan_id: int | None = None
) -> Grounds:
    """Return the plan that gives seats at a store; raises NoShareholderPlan.

    Where several do, each for products of its own, it is the one named, or else the first.
    """
    found = [
        one
        for one in all_grounds(session, at=at)
        if plan_id in {None, one.plan_id} and _covers(session, one, store_id, at=at)
    ]
    if not found:
        raise NoShareholderPlan
    return found[0]


def all_grounds(session: Session, *, at: datetime) -> list[Grounds]:
    """Return every shareholder plan in force."""
    return [
        Grounds(version.plan_id, version.id, rules)
        for version in versions_in_force(session, at=at)
        if isinstance(rules := rules_of(version.id), ShareholderRules)
    ]


def apply_for(member_id: int, store_id: int, *, now: datetime) -> HoldingPlace:
    """Ask for a seat at a store, where the store decides. Raises as `holdings.apply_for` does."""

    def asked(_rules: ShareholderRules, place: HoldingPlace, _taken: int) -> HoldingPlace:
        return holdings.apply_for(place, now=now)

    actor = Actor("member", member_id)
    return _change(_Where(store_id, member_id), asked, actor=actor, now=now, begins=True)


def grant(
    store_id: int,
    member_id: int,
    *,
    level: int | None,
    actor: Actor,
    now: datetime,
    plan_id: int | None = None,
) -> HoldingPlace:
    """Give somebody a seat; raises SeatsTaken, NotQualified, OnlyDistributors."""

    def granted(rules: ShareholderRules, place: HoldingPlace, taken: int) -> HoldingPlace:
        return holdings.grant(rules, place, now=now, seats_taken=taken, level=level)

    where = _Where(store_id, member_id, plan_id)
    return _change(where, granted, actor=actor, now=now, begins=True)


def change_level(
    store_id: int,
    member_id: int,
    *,
    level: int,
    actor: Actor,
    now: datetime,
    plan_id: int | None = None,
) -> HoldingPlace:
    """Give a holder another level by the word of the store."""

    def changed(rules: ShareholderRules, place: HoldingPlace, _taken: int) -> HoldingPlace:
        return holdings.change_level(rules, place, level=level)

    return _change(_Where(store_id, member_id, plan_id), changed, actor=actor, now=now)


def end(
    store_id: int, member_id: int, *, actor: Actor, now: datetime, plan_id: int | None = None
) -> HoldingPlace:
    """End a holding before its term; customers stay bound until their binding runs out."""

    def ended(_rules: ShareholderRules, place: HoldingPlace, _taken: int) -> HoldingPlace:
        return holdings.leave(place, now=now)

    return _change(_Where(store_id, member_id, plan_id), ended, actor=actor, now=now)


def allot(plan_id: int, store_id: int, *, now: datetime) -> int:
    """End terms that are over and fill free seats at one store; return how many holdings changed.

    Only approved and active distributors get a seat; others keep their turn.
    """
    with atomic() as session:
        lock_plan(session, plan_id)
        version = next(
            (one for one in all_grounds(session, at=now) if one.plan_id == plan_id), None
        )
        if version is None:
            return 0
        places = holdings_at(session, plan_id, store_id)
        active = _active(session, [place.member_id for place in places])
        able = [
            place
            for place in places
            if place.state != HoldingState.WAITING or place.member_id in active
        ]
        changes = holdings.allot(version.rules, able, now=now)
        for place in changes:
            direct(session, plan_id, place, Word(version.version_id, SYSTEM), now=now)
        return len(changes)


def stores_to_look_at(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """Return plans and stores where somebody waits for a seat or a term is over."""
    rows = session.execute(
        sa.select(PlanPlace.plan_id, PlanPlace.number)
        .distinct()
        .where(
            PlanPlace.plan_id.in_([one.plan_id for one in all_grounds(session, at=now)]),
            sa.or_(
                PlanPlace.facts["state"].astext == HoldingState.WAITING.value,
                sa.and_(
                    PlanPlace.facts["state"].astext == HoldingState.ACTIVE.value,
                    sa.cast(PlanPlace.facts["until"].astext, sa.DateTime(timezone=True)) <= now,
                ),
            ),
        )
        .order_by(PlanPlace.plan_id, PlanPlace.number)
    )
    return [(plan_id, store_id) for plan_id, store_id in rows]


def holdings_at(session: Session, plan_id: int, store_id: int) -> list[HoldingPlace]:
    """Return every holding of one store."""
    rows: Sequence[Any] = session.execute(
        sa.select(*PlanPlace.__table__.columns)
        .where(PlanPlace.plan_id == plan_id, PlanPlace.number == store_id)
        .order_by(PlanPlace.member_id)
    ).all()
    return [place_from_row(HoldingPlace, row) for row in rows]


def holdings_of(session: Session, member_id: int) -> list[tuple[int, HoldingPlace]]:
    """Return a member's holdings, each with its plan."""
    rows: Sequence[Any] = session.execute(
        sa.select(*PlanPlace.__table__.columns)
        .join(Plan, Plan.id == PlanPlace.plan_id)
        .where(PlanPlace.member_id == member_id, Plan.model == MODEL)
        .order_by(PlanPlace.plan_id, PlanPlace.number)
    ).all()
    return [(row.plan_id, place_from_row(HoldingPlace, row)) for row in rows]


def _change(
    where: _Where,
    step: Callable[[ShareholderRules, HoldingPlace, int], HoldingPlace],
    *,
    actor: Actor,
    now: datetime,
    begins: bool = False,
) -> HoldingPlace:
    store_id, member_id = where.store_id, where.member_id
    with atomic() as session:
        grounds = grounds_of(session, store_id, at=now, plan_id=where.plan_id)
        lock_plan(session, grounds.plan_id)
        places = {one.member_id: one for one in holdings_at(session, grounds.plan_id, store_id)}
        place = places.get(member_id)
        if begins:
            if member_id not in _active(session, [member_id]):
                raise OnlyDistributors
            place = place or HoldingPlace(member_id=member_id, number=store_id)
        if place is None:
            raise HoldingNotFound
        taken = sum(one.is_in_force(now) for one in places.values() if one.member_id != member_id)
        after = step(grounds.rules, place, taken)
        direct(session, grounds.plan_id, after, Word(grounds.version_id, actor), now=now)
        if actor.kind == "staff":
            change = Change(before=_told(place), after=_told(after))
            subject = Subject("holding", member_id, store_id)
            record(session, actor, "holding.changed", subject, change, now=now)
        return after


def _told(place: HoldingPlace) -> dict[str, Any]:
    return {
        "member_id": place.member_id,
        "state": HoldingState(place.state).value,
        "level": place.level,
        "until": place.until,
    }


def _active(session: Session, member_ids: Sequence[int]) -> set[int]:
    return set(
        session.scalars(
            sa.select(Distributor.member_id).where(
                Distributor.member_id.in_(member_ids), Distributor.standing == Standing.ACTIVE
            )
        )
    )


def _covers(session: Session, grounds: Grounds, store_id: int, *, at: datetime) -> bool:
    found = session.scalar(
        sa.select(PlanScope.id)
        .where(
            PlanScope.version_id == grounds.version_id,
            PlanScope.store_ids.contains(sa.literal(store_id, sa.BigInteger)),
            PlanScope.during.contains(sa.literal(at, sa.DateTime(timezone=True))),
        )
        .limit(1)
    )
    return found is not None
