"""Bargains (砍价): friends cut a price, each once, from the price of the product to a floor.

A piece is set aside when a bargain begins, so that whoever gets to the end can buy. What each cut
takes was drawn at the beginning (`bargain_plan`). The bargain's row lock decides between a cut and
a purchase at the same moment. New customers may take several parts at once (`newcomer_parts`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from app.activities import bargain_plan, dealing, entries, limits, queries, sweeping
from app.activities.bargain_models import Bargain, BargainCut
from app.activities.contract import Kind
from app.activities.dealing import Purchase, Terms
from app.activities.entries import OrderFate, Taking
from app.activities.errors import (
    ActivityInvalid,
    ActivityNotOpen,
    ActivitySoldOut,
    AtTheFloor,
    BargainAlreadyOpen,
    BargainNotFound,
    BargainNotOpen,
    CutAlready,
    NotAtTheFloor,
    OwnBargain,
)
from app.activities.models import Activity, ActivityEntry, ActivityItem
from app.activities.rules import TradeRules
from app.activities.states import ActivityKind, ActivityState, BargainState
from app.catalog.models import Product
from app.kernel.clock import business_day
from app.kernel.i18n import N_
from app.kernel.ids import random_text
from app.orders.models import Order
from app.settings import Settings

CODE_LENGTH: Final = 16
LIVE: Final = frozenset({BargainState.OPEN, BargainState.ORDERED})


class BargainRules(TradeRules):
    """How a price comes down."""

    parts: Annotated[
        int,
        Field(
            ge=1,
            le=200,
            title=N_("Parts to the floor"),
            description=N_("Into how many cuts the way to the lowest price is divided."),
        ),
    ] = 10
    newcomer_parts: Annotated[
        int,
        Field(
            ge=1,
            le=20,
            title=N_("Parts a new customer cuts"),
            description=N_("Others cut one part; who never bought here may cut several at once."),
        ),
    ] = 1
    cuts_per_day: Annotated[
        int,
        Field(
            ge=1,
            le=50,
            title=N_("Cuts for friends a day"),
            description=N_("How often one person may help others in this activity in a day."),
        ),
    ] = 3
    bargain_seconds: Annotated[
        int,
        Field(
            ge=600,
            le=7 * 86_400,
            title=N_("Time to bargain"),
            description=N_("After this the piece set aside is free for others."),
        ),
    ] = 86_400
    cuts_own: Annotated[
        bool,
        Field(
            title=N_("Own cut"),
            description=N_("Whether people may cut their own price once."),
        ),
    ] = True
    floor_only: Annotated[
        bool,
        Field(
            title=N_("At the lowest price only"),
            description=N_("Whether one can buy only once the price has come down to the end."),
        ),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A bargain after somebody cut it, and what they cut off."""

    bargain: Bargain
    amount_fen: int


def start(
    session: Session, item_id: int, *, member_id: int, store_id: int, now: datetime
) -> Bargain:
    """Begin to bargain for an item; a piece is set aside for as long as it lasts."""
    activity, item = queries.offered(session, item_id, kind=ActivityKind.BARGAIN)
    queries.require_open(activity, store_id=store_id, now=now)
    rules = BargainRules.model_validate(activity.rules)
    if item.sold >= item.stock:
        raise ActivitySoldOut
    _require_none(session, item_id, member_id)
    start_fen = dealing.regular_price(session, item)
    if start_fen <= item.price_fen:
        raise ActivityNotOpen
    taking = Taking(
        activity=activity,
        item=item,
        member_id=member_id,
        store_id=store_id,
        regular_fen=start_fen,
        price_fen=start_fen,
    )
    entries.begin(session, taking)
    _require_none(session, item_id, member_id)
    entry = entries.finish(session, taking, now=now)
    seed = secrets.token_hex(16)
    bargain = Bargain(
        code=random_text(CODE_LENGTH),
        activity_id=activity.id,
        item_id=item.id,
        entry_id=entry.id,
        member_id=member_id,
        store_id=store_id,
        state=BargainState.OPEN,
        start_fen=start_fen,
        floor_fen=item.price_fen,
        parts=min(rules.parts, start_fen - item.price_fen),
        parts_cut=0,
        cut_fen=0,
        seed=seed,
        commitment=bargain_plan.commitment(seed),
        begun_at=now,
        expires_at=now + timedelta(seconds=rules.bargain_seconds),
    )
    session.add(bargain)
    session.flush()
    return bargain


def cut(session: Session, code: str, *, helper_id: int, now: datetime) -> Cut:
    """Cut a price, once for each person: the next part of its plan, or several for a newcomer.

    Raises `CutAlready`, `AtTheFloor`, `BargainNotOpen`, `OwnBargain`, `DayLimitReached`.
    """
    bargain = _lock(session, Bargain.code == code)
    activity, rules = _require_going_on(session, bargain, now=now)
    is_own = helper_id == bargain.member_id
    if is_own and not rules.cuts_own:
        raise OwnBargain
    if has_cut(session, bargain.id, helper_id):
        raise CutAlready
    if bargain.parts_cut >= bargain.parts:
        raise AtTheFloor
    is_newcomer = entries.is_newcomer(session, helper_id)
    wanted = rules.newcomer_parts if is_newcomer and not is_own else 1
    plan = plan_of(bargain)
    parts, amount_fen = bargain_plan.next_cut(plan, first=bargain.parts_cut, wanted=wanted)
    if not is_own:
        day = business_day(now)
        limits.take_day(session, activity.id, helper_id, day=day, limit=rules.cuts_per_day)
    session.add(
        BargainCut(
            bargain_id=bargain.id,
            helper_id=helper_id,
            first_part=bargain.parts_cut,
            parts=parts,
            amount_fen=amount_fen,
            is_newcomer=is_newcomer,
            at=now,
        )
    )
    bargain.parts_cut += parts
    bargain.cut_fen += amount_fen
    session.flush()
    return Cut(bargain=bargain, amount_fen=amount_fen)


def buy(
    session: Session,
    code: str,
    purchase: Purchase,
    *,
    settings: Settings,
    now: datetime,
) -> Order:
    """Order the piece of one's own bargain at the price it has come down to."""
    bargain = _lock(session, sa.and_(Bargain.code == code, Bargain.member_id == purchase.member_id))
    activity, rules = _require_going_on(session, bargain, now=now)
    if rules.floor_only and bargain.parts_cut < bargain.parts:
        raise NotAtTheFloor
    terms = Terms(
        activity=activity,
        item=session.get_one(ActivityItem, bargain.item_id),
        rules=rules,
        price_fen=bargain.price_fen,
        pay_seconds=rules.pay_seconds,
    )
    order = dealing.order(session, purchase, terms, settings=settings, now=now)
    bargain.state, bargain.order_id = BargainState.ORDERED, order.id
    entry = session.get_one(ActivityEntry, bargain.entry_id)
    entry.order_id, entry.price_fen = order.id, bargain.price_fen
    session.flush()
    return order


def look_after(session: Session, bargain_id: int, *, now: datetime) -> BargainState:
    """Do what follows for a bargain from its order, its time and its activity as they are now.

    An order that was not paid lets friends go on cutting while there is time. Repeat it freely.
    """
    bargain = _lock(session, Bargain.id == bargain_id)
    if bargain.state is BargainState.ORDERED:
        order = session.get_one(Order, bargain.order_id, populate_existing=True)
        if order.paid_at is not None and order.closed_at is None:
            bargain.state, bargain.ended_at = BargainState.BOUGHT, now
            entries.keep(session, [bargain.entry_id])
        elif entries.fate_of(order) is OrderFate.GONE:
            bargain.state, bargain.order_id = BargainState.OPEN, None
            entry = session.get_one(ActivityEntry, bargain.entry_id, populate_existing=True)
            entry.order_id, entry.price_fen = None, entry.regular_fen
    if bargain.state is BargainState.OPEN and (
        now >= bargain.expires_at or _is_cancelled(session, bargain)
    ):
        bargain.state, bargain.ended_at = BargainState.EXPIRED, now
        session.flush()
        entries.release(session, [bargain.entry_id], now=now)
    session.flush()
    return bargain.state


def sweep(now: datetime) -> int:
    """Look after bargains whose time is over or whose activity was cancelled."""
    due = (
        sa.select(Bargain.id)
        .join(Activity, Activity.id == Bargain.activity_id)
        .where(
            Bargain.state == BargainState.OPEN,
            sa.or_(Bargain.expires_at <= now, Activity.state == ActivityState.CANCELLED),
        )
        .order_by(Bargain.expires_at, Bargain.id)
    )
    return sweeping.each(due, lambda session, one: look_after(session, one, now=now))


def plan_of(bargain: Bargain) -> tuple[int, ...]:
    """Return what each part of a bargain takes; for nobody's eyes before it is over."""
    total_fen = bargain.start_fen - bargain.floor_fen
    return bargain_plan.parts(bargain.seed, total_fen=total_fen, count=bargain.parts)


def bargain_by_code(session: Session, code: str) -> Bargain:
    """Return a bargain by what its link carries."""
    bargain = session.scalar(sa.select(Bargain).where(Bargain.code == code))
    if bargain is None:
        raise BargainNotFound
    return bargain


def cuts_of(session: Session, bargain_id: int) -> Sequence[BargainCut]:
    """Return the cuts of a bargain, the first one first."""
    return session.scalars(
        sa.select(BargainCut).where(BargainCut.bargain_id == bargain_id).order_by(BargainCut.id)
    ).all()


def has_cut(session: Session, bargain_id: int, helper_id: int) -> bool:
    """Tell whether somebody has cut a price already."""
    theirs = (BargainCut.bargain_id == bargain_id, BargainCut.helper_id == helper_id)
    return session.scalar(sa.select(sa.exists().where(*theirs))) is True


def _require_going_on(
    session: Session, bargain: Bargain, *, now: datetime
) -> tuple[Activity, BargainRules]:
    activity = session.get_one(Activity, bargain.activity_id, populate_existing=True)
    if activity.state is ActivityState.CANCELLED:
        raise ActivityNotOpen
    if bargain.state is not BargainState.OPEN or now >= bargain.expires_at:
        raise BargainNotOpen
    return activity, BargainRules.model_validate(activity.rules)


def _require_none(session: Session, item_id: int, member_id: int) -> None:
    code = session.scalar(
        sa.select(Bargain.code).where(
            Bargain.item_id == item_id,
            Bargain.member_id == member_id,
            Bargain.state.in_(LIVE),
        )
    )
    if code is not None:
        raise BargainAlreadyOpen(code)


def _is_cancelled(session: Session, bargain: Bargain) -> bool:
    state = session.scalar(sa.select(Activity.state).where(Activity.id == bargain.activity_id))
    return state is ActivityState.CANCELLED


def _lock(session: Session, which: sa.ColumnElement[bool]) -> Bargain:
    bargain = session.scalar(
        sa.select(Bargain)
        .where(which)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if bargain is None:
        raise BargainNotFound
    return bargain


def _order_moved(session: Session, entry: ActivityEntry, now: datetime) -> None:
    bargain_id = session.scalar(sa.select(Bargain.id).where(Bargain.entry_id == entry.id))
    assert bargain_id is not None, "an entry of a bargain has one"
    look_after(session, bargain_id, now=now)


def _check(session: Session, activity: Activity, rules: Any) -> None:
    """The way to the floor has to have as many fen as parts."""
    for item in activity.items:
        product = session.get_one(Product, item.product_id)
        if product.price_fen - item.price_fen < rules.parts:
            raise ActivityInvalid("price")


KIND: Final = Kind(
    code=ActivityKind.BARGAIN,
    title=N_("Bargain"),
    about=N_("Friends cut a price, each once, down to a floor."),
    counts=N_("bargains"),
    rules=BargainRules,
    sells=True,
    check=_check,
    order_moved=_order_moved,
    sweep=sweep,
)
