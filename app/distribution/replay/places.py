"""Plans with places decided again: every event from the first, and the places it led to.

Places rest on all that happened before, so a plan is always replayed whole. Events of orders that
were paid within the span are compared with the orders they tell of, and what they brought with the
books.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.encoding import DIRECTED, event_from_json, place_from_row
from app.distribution.gathering import Share, shares_of
from app.distribution.plan_events import Happened
from app.distribution.plan_records import PlanEvent, PlanPlace
from app.distribution.reacting import refunded
from app.distribution.recording import Decided
from app.distribution.replay.comparing import Expected, compare_part
from app.distribution.replay.orders import refunds_of
from app.distribution.replay.recorded import load
from app.distribution.replay.report import Report, Span
from app.distribution.settlement import happened
from app.engines.contract import Model
from app.engines.events import Event, Refunded, Sold
from app.engines.people import Standing
from app.engines.places import Board, Place
from app.engines.registry import MODELS
from app.engines.results import Decisions
from app.plans.models import Plan
from app.plans.queries import rules_of

BATCH: Final = 2_000


class _Board(Board[Any]):
    """Places in memory, with the standings that the event was decided on, and no others."""

    def standing(self, member_id: int) -> Standing:
        """Tell whether somebody could earn then; who was not asked for was nobody."""
        return self.standings.get(member_id, Standing.NONE)


@dataclass(frozen=True, slots=True)
class _Replayed:
    """One event of an order with what it led to."""

    row: Any
    event: Event
    decisions: Decisions


def replay_places(session: Session, span: Span, report: Report) -> Iterator[int]:
    """Replay every plan with places; yield how many events each batch had."""
    for plan_id, model in _plans(session, span):
        assert model.place is not None, "chosen so"
        board = _Board()
        for rows in _batches(session, plan_id):
            replayed = [_replay(row, model, board, report) for row in rows]
            _compare_with_orders(session, span, replayed, report)
            report.counts["events"] += len(rows)
            yield len(rows)
        _compare_places(session, plan_id, model.place, board, report)


def count_events(session: Session, span: Span) -> int:
    """Return how many events there are to replay."""
    plans = [plan_id for plan_id, _ in _plans(session, span)]
    wanted = sa.select(sa.func.count(PlanEvent.id)).where(PlanEvent.plan_id.in_(plans))
    return session.scalar(wanted) or 0


def _plans(session: Session, span: Span) -> list[tuple[int, Model]]:
    with_places = [code for code, model in MODELS.items() if model.place is not None]
    wanted = sa.select(Plan.id, Plan.model).where(Plan.model.in_(with_places)).order_by(Plan.id)
    if span.plan_id is not None:
        wanted = wanted.where(Plan.id == span.plan_id)
    return [(plan_id, MODELS[code]) for plan_id, code in session.execute(wanted)]


def _batches(session: Session, plan_id: int) -> Iterator[Sequence[Any]]:
    last_id = 0
    while True:
        rows: Sequence[Any] = session.execute(
            sa.select(
                PlanEvent.id,
                PlanEvent.plan_version_id,
                PlanEvent.kind,
                PlanEvent.order_id,
                PlanEvent.refund_id,
                PlanEvent.inputs,
                PlanEvent.notes,
            )
            .where(PlanEvent.plan_id == plan_id, PlanEvent.id > last_id)
            .order_by(PlanEvent.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        last_id = rows[-1].id
        yield rows


def _replay(row: Any, model: Model, board: _Board, report: Report) -> _Replayed | None:
    """Decide on one event and change the places; return what concerns an order."""
    if row.kind == DIRECTED:
        assert model.place is not None, "only plans with places have events"
        board.apply([place_from_row(model.place, SimpleNamespace(**row.inputs["place"]))])
        return None
    event = event_from_json(row.kind, row.inputs["event"])
    board.standings = {
        int(member_id): Standing(value) for member_id, value in row.inputs["standings"].items()
    }
    decisions = model.decide(rules_of(row.plan_version_id), event, board)
    board.apply(decisions.places)
    report.compare("plan_events", f"{row.id} notes", list(decisions.notes), row.notes)
    return _Replayed(row, event, decisions) if row.order_id is not None else None


def _compare_with_orders(
    session: Session, span: Span, replayed: Sequence[_Replayed | None], report: Report
) -> None:
    """Compare events of orders within the span with these orders, and what they brought."""
    of_orders = [one for one in replayed if one is not None]
    shares = {
        (share.order_id, share.version_id): share
        for share in shares_of(session, {one.row.order_id for one in of_orders})
        if span.from_at <= share.paid_at < span.to_at
    }
    sold = []
    for one in of_orders:
        share = shares.get((one.row.order_id, one.row.plan_version_id))
        if share is None:
            continue
        report.compare("plan_events", one.row.id, _told(one, share), one.event)
        if isinstance(one.event, Sold):
            sold.append(_expected(one, one.event, share))
    refund_ids = refunds_of([one.share for one in sold])
    recorded = load(session, [one.share.order_id for one in sold], refund_ids)
    for expected in sold:
        compare_part(expected, recorded, report)


def _told(one: _Replayed, share: Share) -> Event | None:
    """Return what the plan has to be told of the order, as an event of this kind."""
    if isinstance(one.event, Refunded):
        ended_at = next(
            (
                returned.ended_at
                for of_line in share.returned.values()
                for returned in of_line
                if returned.refund_id == one.row.refund_id
            ),
            None,
        )
        return None if ended_at is None else refunded(one.row.refund_id, ended_at, share).event
    told: Iterator[Happened] = happened(share)
    return next((told_of.event for told_of in told if type(told_of.event) is type(one.event)), None)


def _expected(one: _Replayed, event: Sold, share: Share) -> Expected:
    base_fen = sum(line.base_fen for line in event.sale.lines)
    decided = Decided(share.order_id, share.version_id, base_fen, one.decisions, one.row.id)
    return Expected(share, decided)


def _compare_places(
    session: Session, plan_id: int, kind: type[Place], board: _Board, report: Report
) -> None:
    """Compare every place that the events led to with the one that is stored."""
    left = {place.spot: place for place in board.all()}
    report.counts["places"] += len(left)
    last = 0, 0
    while True:
        rows: Sequence[Any] = session.execute(
            sa.select(*PlanPlace.__table__.columns)
            .where(
                PlanPlace.plan_id == plan_id,
                sa.tuple_(PlanPlace.member_id, PlanPlace.number) > sa.tuple_(*last),
            )
            .order_by(PlanPlace.member_id, PlanPlace.number)
            .limit(BATCH)
        ).all()
        if not rows:
            break
        last = rows[-1].member_id, rows[-1].number
        for row in rows:
            stored = place_from_row(kind, row)
            expected = left.pop(stored.spot, None)
            if expected != stored:
                _tell(plan_id, expected, stored, report)
    for expected in left.values():
        report.compare("plan_places", (plan_id, *expected.spot), expected, None)


def _tell(plan_id: int, expected: Place | None, stored: Place, report: Report) -> None:
    """Name the fields in which a place is another than the events led to."""
    key = plan_id, *stored.spot
    if expected is None:
        report.compare("plan_places", key, None, stored)
        return
    for one in fields(stored):
        report.compare(
            "plan_places",
            f"{key} {one.name}",
            getattr(expected, one.name),
            getattr(stored, one.name),
        )
