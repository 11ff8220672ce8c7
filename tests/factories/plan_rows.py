"""Rows that plans leave besides awards: places, holdings, gifts and closed months.

Each function takes the session, fills in what the test does not care about and flushes. Where no
plan of the model is there yet, one is made that was in force for a day long ago; make it before any
plan that goes on (`version_of`).
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.encoding import place_to_row
from app.distribution.month_books import books_to_json, bounds
from app.distribution.plan_records import ClosedMonth, Gift, GiftState, PlanEvent, PlanPlace
from app.engines.chain.teams import ChainPlace
from app.engines.months import MonthBooks
from app.engines.places import Place
from app.engines.shareholders import pool
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.kernel.audit import SYSTEM
from app.members.models import Distributor, Member
from app.plans import publishing
from app.plans.models import Plan, PlanScope, PlanVersion
from app.plans.queries import rules_of
from app.stores.models import Store
from tests.factories.orders import make_order
from tests.factories.plans import make_plan

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHAIN: Final = "CHAIN_2_1"
FISSION: Final = "THREE_FISSION"
SHAREHOLDERS: Final = "SHARING_SHAREHOLDERS"
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def version_of(session: Session, model: str) -> PlanVersion:
    """The first version of a plan of this model."""
    found = session.scalar(
        sa.select(PlanVersion)
        .join(Plan, Plan.id == PlanVersion.plan_id)
        .where(Plan.model == model)
        .order_by(PlanVersion.id)
        .limit(1)
    )
    if found is not None:
        return found
    # Each begins where the one before it ended: what ran in this process earlier plays no part.
    ended = session.scalar(sa.select(sa.func.max(sa.func.upper(PlanScope.during))))
    at = ended or LONG_AGO
    version = make_plan(session, model=model, at=at)
    return publishing.retire(session, version.id, actor=SYSTEM, now=at, until_at=at + DAY)


def put_place(session: Session, plan_id: int, place: Place) -> str:
    """Write a place down; return how an address names it."""
    row = PlanPlace(**place_to_row(plan_id, place), made_at=NOON, changed_at=NOON)
    session.add(row)
    session.flush()
    return f"{plan_id}-{place.member_id}-{place.number}"


def make_chain_place(session: Session, person: Distributor, **facts: Any) -> str:
    """Somebody's place in a chain; `facts` as of `ChainPlace`."""
    place = ChainPlace(member_id=person.member_id, **facts)
    return put_place(session, version_of(session, CHAIN).plan_id, place)


def make_holding(session: Session, person: Distributor, store: Store, **facts: Any) -> str:
    """Somebody's seat at a store, in force; `facts` as of `HoldingPlace`."""
    told: dict[str, Any] = {
        "level": 1,
        "state": HoldingState.ACTIVE,
        "spent_fen": 120_000,
        "granted": NOON.isoformat(),
        "until": "2999-01-01T00:00:00+00:00",
    }
    place = HoldingPlace(member_id=person.member_id, number=store.id, **told | facts)
    return put_place(session, version_of(session, SHAREHOLDERS).plan_id, place)


def make_gift(session: Session, member: Member, store: Store, *, item: str = "Voucher") -> Gift:
    """A welcome gift that is due, for an order at a store."""
    version = version_of(session, FISSION)
    order = make_order(session, member=member, store=store)
    event = PlanEvent(
        plan_id=version.plan_id,
        plan_version_id=version.id,
        kind="sold",
        order_id=order.id,
        inputs={},
        notes=[],
        at=NOON,
        decided_at=NOON,
        actor="system",
    )
    session.add(event)
    session.flush()
    gift = Gift(
        event_id=event.id,
        plan_version_id=version.id,
        order_id=order.id,
        beneficiary_id=member.id,
        kind="NEWCOMER",
        item=item,
        amount=1,
        state=GiftState.DUE,
        explanation={
            "schema": 1,
            "model": FISSION,
            "kind": "NEWCOMER",
            "outcome": "AWARD",
            "form": "COUPON",
            "order_id": order.id,
            "buyer_id": member.id,
            "owner_id": member.id,
            "beneficiary_id": member.id,
            "item": item,
            "amount": 1,
        },
        created_at=NOON,
    )
    session.add(gift)
    session.flush()
    return gift


def make_closed_month(session: Session, store: Store, *, month: str = "2026-02") -> ClosedMonth:
    """A month of a store's pool in which nobody took part; what was settled differs by store."""
    version = version_of(session, SHAREHOLDERS)
    rules = rules_of(version.id)
    books = MonthBooks(
        plan_id=version.plan_id,
        month=month,
        ends_at=bounds(month)[1],
        net_fen=11_100 + 1_000 * (store.id % 80),
        people=(),
        store_id=store.id,
    )
    outcome = pool.close_month(rules, books)  # type: ignore[arg-type]  # the rules of this model
    closed = ClosedMonth(
        plan_id=version.plan_id,
        plan_version_id=version.id,
        store_id=store.id,
        month=month,
        net_fen=books.net_fen,
        pool_fen=outcome.pool_fen,
        awarded_fen=outcome.total_fen,
        carried_fen=outcome.carried_fen,
        deficit_fen=outcome.deficit_fen,
        inputs=books_to_json(books),
        facts=outcome.facts,
        closed_at=NOON,
        actor="system",
    )
    session.add(closed)
    session.flush()
    return closed
