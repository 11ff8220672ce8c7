"""What must hold at any moment, each as one statement that returns what breaks it.

The codes name them in reports; `flask audit` says each in words. Constraints and triggers
make most of these true by construction; the audit looks all the same, because a restore, a
migration or a person with more rights can get past them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import settings
from app.activities.states import TRANSITIONS as ACTIVITY_TRANSITIONS
from app.distribution import monitor
from app.guest_cards.states import CARD_TRANSITIONS
from app.kernel import audit
from app.ledger import seals
from app.members.models import TeamStop
from app.operations.activity_statements import ACTIVITY_STATEMENTS
from app.operations.card_statements import CARD_STATEMENTS
from app.operations.coupon_statements import COUPON_STATEMENTS
from app.operations.discount_statements import DISCOUNT_STATEMENTS
from app.operations.draw_statements import DRAW_STATEMENTS
from app.operations.invariant_statements import STATEMENTS
from app.operations.loyalty_statements import LOYALTY_STATEMENTS
from app.operations.plan_statements import PLAN_STATEMENTS
from app.operations.point_statements import POINT_STATEMENTS
from app.orders.states import ORDER_TRANSITIONS, REFUND_TRANSITIONS
from app.payouts.states import BILL_TRANSITIONS, PAYOUT_TRANSITIONS

EXAMPLES_MAX: Final = 20
NOTICED_WITHIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must hold; `violations` yields what breaks it, as ids or short texts."""

    code: str
    says: str
    violations: Callable[[Session], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the audit found of one invariant."""

    code: str
    says: str
    count: int
    examples: tuple[str, ...]


def check(session: Session, *, skip: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Check every invariant that applies, one after the other, in one snapshot of the database."""
    for invariant in INVARIANTS:
        if invariant.code in skip:
            continue
        examples: list[str] = []
        count = 0
        for one in invariant.violations(session):
            count += 1
            if len(examples) < EXAMPLES_MAX:
                examples.append(str(one))
        yield Finding(invariant.code, invariant.says, count, tuple(examples))


def _rows(statement: str) -> Callable[[Session], Iterable[object]]:
    def violations(session: Session) -> Iterator[object]:
        return iter(session.execute(sa.text(statement)).scalars())

    return violations


def _paths(
    steps: str, parent: str, rows: str, first: str, transitions: Mapping[tuple[Any, Any], Any]
) -> Callable[[Session], Iterable[object]]:
    """Return the check that each log is a path in its table and ends at the row's state."""
    allowed = ", ".join(
        f"('{state.value}', '{event.value}', '{target.value}')"
        for (state, event), target in transitions.items()
    )
    return _rows(
        f"WITH walked AS (SELECT {parent} AS parent_id, id, event, to_state,"  # noqa: S608
        f" lag(to_state, 1, '{first}') OVER (PARTITION BY {parent} ORDER BY id) AS from_state,"
        f" row_number() OVER (PARTITION BY {parent} ORDER BY id DESC) AS from_last FROM {steps})"
        " SELECT w.parent_id FROM walked w WHERE (w.from_state, w.event, w.to_state) NOT IN"
        f" (VALUES {allowed}) UNION ALL SELECT r.id FROM {rows} r LEFT JOIN walked w"
        f" ON w.parent_id = r.id AND w.from_last = 1"
        f" WHERE r.state <> coalesce(w.to_state, '{first}')"
    )


def _teams_let_grow(session: Session) -> Iterator[object]:
    """Yield teams that crossed the line of the law a day ago and were never stopped."""
    stopped = set(session.scalars(sa.select(TeamStop.root_id)))
    by = _clock(session) - NOTICED_WITHIN
    for size in monitor.over_the_line(session, settings=settings(), by=by):
        if size.root_id not in stopped:
            yield size.root_id


def _clock(session: Session) -> datetime:
    """Return the database's instant, inside the snapshot of the audit."""
    return session.execute(sa.select(sa.func.now())).scalar_one()


INVARIANTS: Final = (
    *(
        Invariant(code, says, _rows(statement))
        for code, says, statement in (
            *STATEMENTS,
            *PLAN_STATEMENTS,
            *POINT_STATEMENTS,
            *COUPON_STATEMENTS,
            *LOYALTY_STATEMENTS,
            *CARD_STATEMENTS,
            *DISCOUNT_STATEMENTS,
            *ACTIVITY_STATEMENTS,
            *DRAW_STATEMENTS,
        )
    ),
    Invariant("B6", "No ledger entry was edited after it was sealed.", seals.broken_seals),
    Invariant("C23", "A team over the line of the law was stopped within a day.", _teams_let_grow),
    Invariant("B34c", "The audit trail is an unbroken chain.", audit.broken_links),
    Invariant(
        "B10a",
        "An activity's log of states is a path in its table.",
        _paths("activity_steps", "activity_id", "activities", "draft", ACTIVITY_TRANSITIONS),
    ),
    Invariant(
        "B10o",
        "An order's log of states is a path in its table.",
        _paths("order_steps", "order_id", "orders", "created", ORDER_TRANSITIONS),
    ),
    Invariant(
        "B10r",
        "A refund's log of states is a path in its table.",
        _paths("refund_steps", "refund_id", "refunds", "requested", REFUND_TRANSITIONS),
    ),
    Invariant(
        "B10p",
        "A payout's log of states is a path in its table.",
        _paths("payout_steps", "payout_id", "payouts", "requested", PAYOUT_TRANSITIONS),
    ),
    Invariant(
        "B10g",
        "A guest card's log of states is a path in its table.",
        _paths("guest_card_steps", "card_id", "guest_cards", "shared", CARD_TRANSITIONS),
    ),
    Invariant(
        "B10b",
        "A bill's log of states is a path in its table.",
        _paths("bill_steps", "bill_id", "payout_bills", "created", BILL_TRANSITIONS),
    ),
)
