"""One event after the other, in plans that keep places: decide, record, change places.

Everything happens in the caller's transaction, under the plan's lock. Each event is written down
with all that its decision rested on, so that replaying the events leads to the same places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.distribution.boards import StoredBoard, lock_plan
from app.distribution.encoding import DIRECTED, event_to_json, kind_of, place_to_row
from app.distribution.plan_records import PlanEvent
from app.distribution.recording import Decided, claim, record
from app.engines.events import Event, Joined, Settled, Sold
from app.engines.places import Place
from app.engines.registry import MODELS
from app.engines.results import Decisions, Facts
from app.kernel.audit import SYSTEM, Actor
from app.kernel.outbox import OutboxEvent, Task
from app.plans.models import PlanVersion
from app.plans.queries import rules_of

log = structlog.get_logger()

PUBLISHED: Final = "plan_published"
SEATING: Final = "seat_everybody"
"""The job that reacts to it."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event with the version it falls under; `at` is when it came to count."""

    event: Event
    version_id: int
    at: datetime
    order_id: int | None = None
    refund_id: int | None = None
    member_id: int | None = None
    place_no: int = 0
    """Who comes first among newcomers of one instant."""
    matures_at: datetime | None = None

    @property
    def key(self) -> tuple[str, int | None, int | None, int | None]:
        """What makes it one event of its plan."""
        return kind_of(self.event), self.order_id, self.refund_id, self.member_id

    @property
    def turn(self) -> tuple[datetime, datetime, int, int]:
        """Where it stands among the others: by instant, then payment and number of the order.

        Of one order, what was sold comes before what was settled.
        """
        event = self.event
        paid_at = event.sale.at if isinstance(event, Sold | Settled) else self.at
        rank = 1 if isinstance(event, Settled) else 0
        return self.at, paid_at, self.order_id or self.place_no, rank


@dataclass(frozen=True, slots=True)
class _Result:
    happened: Happened
    decisions: Decisions
    standings: dict[str, str]


def decide_events(
    session: Session, plan_id: int, happened: Sequence[Happened], *, now: datetime
) -> None:
    """Decide on events of one plan that were not decided before, and record what they bring.

    The caller holds the plan's lock.
    """
    known = _known(session, plan_id, happened)
    new = sorted((one for one in happened if one.key not in known), key=lambda one: one.turn)
    if not new:
        return
    model = MODELS[rules_of(new[0].version_id).model]
    assert model.place is not None, f"{model.code} keeps no places"
    board = StoredBoard(session, plan_id, model.place)
    board.prefetch({member_id for one in new for member_id in _people(one.event)})
    results = [_decide(one, board) for one in new]
    board.flush(now=now)
    ids = _write(session, plan_id, results, now=now)
    sold = [
        Decided(
            one.happened.order_id or 0,
            one.happened.version_id,
            sum(line.base_fen for line in one.happened.event.sale.lines),
            one.decisions,
            event_id,
            one.happened.matures_at,
        )
        for one, event_id in zip(results, ids, strict=True)
        if isinstance(one.happened.event, Sold)
    ]
    claimed = claim(session, sold, now=now)
    assert len(claimed) == len(sold), "an event and its decision are written together"
    record(session, claimed, now=now)


def plans_being_seated(session: Session, *, now: datetime) -> set[int]:
    """Return the plans in force in which those who were there before have no place yet.

    Whatever comes in meanwhile waits: it would be decided as if nobody stood above.
    """
    to_do = sa.select(Task.subject_id).where(Task.job == SEATING)
    to_come = sa.select(OutboxEvent.subject_id).where(OutboxEvent.name == PUBLISHED)
    return set(
        session.scalars(
            sa.select(PlanVersion.plan_id).where(
                PlanVersion.effective_from_at <= now,
                sa.or_(PlanVersion.id.in_(to_do), PlanVersion.id.in_(to_come)),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Word:
    """Who changes a place, under which version, and what people should know of it."""

    version_id: int
    actor: Actor
    notes: tuple[Facts, ...] = ()


def direct(session: Session, plan_id: int, place: Place, word: Word, *, now: datetime) -> None:
    """Change a place by the word of staff or of the clock, as an event like any other.

    Takes the plan's lock; call it before locking anything else.
    """
    lock_plan(session, plan_id)
    board: StoredBoard[Any] = StoredBoard(session, plan_id, type(place))
    board.apply([place])
    board.flush(now=now)
    session.add(
        PlanEvent(
            plan_id=plan_id,
            plan_version_id=word.version_id,
            kind=DIRECTED,
            member_id=place.member_id,
            inputs={"place": place_to_row(plan_id, place)},
            notes=list(word.notes),
            at=now,
            decided_at=now,
            actor=str(word.actor),
        )
    )
    session.flush()


def _decide(one: Happened, board: StoredBoard[Any]) -> _Result:
    rules = rules_of(one.version_id)
    board.begin_event()
    decisions = MODELS[rules.model].decide(rules, one.event, board)
    is_sale = isinstance(one.event, Sold)
    pays = decisions.awards or decisions.refusals or decisions.gifts
    assert is_sale or not pays, "only what was sold pays"
    board.apply(decisions.places)
    if decisions.notes:
        log.info("plan_note_left", kind=kind_of(one.event), order_id=one.order_id)
    return _Result(
        one, decisions, {str(who): standing.value for who, standing in board.asked.items()}
    )


def _write(
    session: Session, plan_id: int, results: Sequence[_Result], *, now: datetime
) -> list[int]:
    """Write the events down in the order in which they were decided; return their ids."""
    rows = [
        {
            "plan_id": plan_id,
            "plan_version_id": one.happened.version_id,
            "kind": kind_of(one.happened.event),
            "order_id": one.happened.order_id,
            "refund_id": one.happened.refund_id,
            "member_id": one.happened.member_id,
            "inputs": {"event": event_to_json(one.happened.event), "standings": one.standings},
            "notes": list(one.decisions.notes),
            "at": one.happened.at,
            "decided_at": now,
            "actor": str(SYSTEM),
        }
        for one in results
    ]
    returned = session.scalars(
        sa.insert(PlanEvent).returning(PlanEvent.id, sort_by_parameter_order=True), rows
    )
    return list(returned)


def _known(
    session: Session, plan_id: int, happened: Sequence[Happened]
) -> set[tuple[str, int | None, int | None, int | None]]:
    orders = {one.order_id for one in happened if one.order_id is not None}
    members = {one.member_id for one in happened if one.member_id is not None}
    rows = session.execute(
        sa.select(
            PlanEvent.kind, PlanEvent.order_id, PlanEvent.refund_id, PlanEvent.member_id
        ).where(
            PlanEvent.plan_id == plan_id,
            PlanEvent.kind != DIRECTED,
            sa.or_(PlanEvent.order_id.in_(orders), PlanEvent.member_id.in_(members)),
        )
    )
    return {tuple(row) for row in rows}  # type: ignore[misc]  # four columns, as written above


def _people(event: Event) -> Iterator[int]:
    """Yield whom an event names."""
    if isinstance(event, Sold | Settled):
        yield event.sale.buyer.member_id
        yield from (person.member_id for person in event.chain)
    elif isinstance(event, Joined):
        yield event.person.member_id
        if event.recommender_id is not None:
            yield event.recommender_id
    else:
        yield event.buyer_id
        if event.owner_id is not None:
            yield event.owner_id
