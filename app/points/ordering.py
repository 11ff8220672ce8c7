"""Points in an order: how many may pay, set aside when it is made, spent when it is paid.

A point takes `POINTS_PER_YUAN_OFF`-ths of a yuan off, together never a fraction of a fen, never
more than `POINTS_DEDUCTION_MAX_BP` of what the goods still cost, and never the last fen.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.money import share_of
from app.points import lots, spending
from app.points.errors import PointsAboveLimit, PointsShort
from app.points.states import SpendState
from app.settings import Settings

FEN_PER_YUAN = 100


@dataclass(frozen=True, slots=True)
class Spend:
    """So many points take so much off, in fen."""

    points: int
    amount_fen: int


NOTHING = Spend(0, 0)


def quote(
    session: Session,
    *,
    member_id: int,
    points: int,
    payable_fen: int,
    settings: Settings,
    now: datetime,
) -> Spend:
    """Return what so many points take off goods that cost `payable_fen` after other discounts.

    Points that buy no whole fen stay with the member, so fewer may be used than were offered.
    Raises `PointsShort`, `PointsAboveLimit`.
    """
    if points <= 0:
        return NOTHING
    limit = _limit(payable_fen, settings)
    if points > limit.points:
        raise PointsAboveLimit(limit.points)
    free = lots.spendable(session, member_id, now=now)
    if points > free:
        raise PointsShort(free)
    return _worth(points, settings)


def most(
    session: Session, *, member_id: int, payable_fen: int, settings: Settings, now: datetime
) -> Spend:
    """Return the most that this member could use for goods of that cost."""
    free = lots.spendable(session, member_id, now=now)
    return _worth(min(free, _limit(payable_fen, settings).points), settings)


def reserve(
    session: Session, order_id: int, spend: Spend, *, member_id: int, now: datetime
) -> None:
    """Set points aside for an order, once; nothing where none are used.

    Raises `PointsShort` where another order was faster.
    """
    if spend.points:
        spending.hold(
            session,
            _key(order_id),
            spend.points,
            member_id=member_id,
            order_id=order_id,
            now=now,
        )


def spend(session: Session, order_id: int, *, now: datetime) -> None:
    """Spend what an order set aside: it is paid. Nothing where it set none aside."""
    spending.spend_held(session, _key(order_id), now=now)


def release(session: Session, order_id: int, *, now: datetime) -> None:
    """Give back what an order set aside: it will not be paid."""
    spending.let_go(session, _key(order_id), now=now)


def give_back(
    session: Session, order_id: int, *, refunded_fen: int, paid_fen: int, now: datetime
) -> None:
    """Give back the share of an order's points that its refunds so far are of what was paid.

    Rounded down over all refunds together, so the last of them brings the rest. Repeating it, or
    a refund that is worked off late, changes nothing.
    """
    found = spending.find(session, _key(order_id))
    if found is not None:
        assert 0 <= refunded_fen <= paid_fen, "no more is refunded than was paid"
        share = found.points * refunded_fen // paid_fen
        spending.give_back_up_to(session, _key(order_id), share, now=now)


def used_by(session: Session, order_id: int) -> int:
    """Return how many points an order holds or has spent, less what came back."""
    found = spending.find(session, _key(order_id))
    if found is None or found.state is SpendState.RELEASED:
        return 0
    return found.points - found.given_back_points


def _limit(payable_fen: int, settings: Settings) -> Spend:
    """Return the most that points may pay; the last fen is always paid in money."""
    most_fen = min(share_of(max(payable_fen, 0), settings.points_deduction_max_bp), payable_fen - 1)
    return _of_fen(max(most_fen, 0), settings)


def _worth(points: int, settings: Settings) -> Spend:
    return _of_fen(points * FEN_PER_YUAN // settings.points_per_yuan_off, settings)


def _of_fen(amount_fen: int, settings: Settings) -> Spend:
    """Return the fewest points that take this amount off."""
    return Spend(-(-amount_fen * settings.points_per_yuan_off // FEN_PER_YUAN), amount_fen)


def _key(order_id: int) -> str:
    return f"order:{order_id}"
