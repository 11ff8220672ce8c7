"""What stores owe each other for cards, and what cards bring.

A card that is used elsewhere is settled at the price its template named when it was shared: the
giver's store owes it to the store that did the work. This is a statement between stores of one
brand; no money moves here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.guest_cards.models import CardBooking, CardConversion, CardTemplate, CardUse, GuestCard
from app.members.models import Member
from app.stores.models import Store


class KpiBy(StrEnum):
    """What the figures of cards are told apart by."""

    GIVER = "giver"
    STORE = "store"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Owed:
    """What one store owes another for uses in a span of time."""

    payer_store_id: int
    store_id: int
    uses: int
    settle_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What became of the cards that were shared in a span of time, and what they cost and brought.

    `revenue_fen` is what converted customers paid in their first order, less what went back.
    """

    id: int | None
    name: str
    issued: int
    claimed: int
    booked: int
    used: int
    new_customers: int
    converted: int
    cost_fen: int
    revenue_fen: int

    @property
    def cost_per_new_fen(self) -> int | None:
        """Return what one new customer who came cost, in whole fen; None where nobody came."""
        return self.cost_fen // self.new_customers if self.new_customers else None

    @property
    def revenue_per_card_fen(self) -> int | None:
        """Return what a card that was shared brought, in whole fen."""
        return self.revenue_fen // self.issued if self.issued else None


_FIGURES: Final = (
    "issued",
    "claimed",
    "booked",
    "used",
    "new_customers",
    "converted",
    "cost_fen",
    "revenue_fen",
)


def statement(
    session: Session, *, from_at: datetime, until_at: datetime, store_ids: Collection[int] | None
) -> list[Owed]:
    """Return what stores owe each other for uses in [from, until), by payer and store.

    With some stores given, what those owe or are owed.
    """
    wanted = (
        sa.select(
            CardUse.payer_store_id,
            CardUse.store_id,
            sa.func.count(),
            sa.func.sum(CardUse.settle_fen),
        )
        .where(CardUse.payer_store_id.is_not(None), CardUse.at >= from_at, CardUse.at < until_at)
        .group_by(CardUse.payer_store_id, CardUse.store_id)
        .order_by(CardUse.payer_store_id, CardUse.store_id)
    )
    if store_ids is not None:
        wanted = wanted.where(
            CardUse.payer_store_id.in_(store_ids) | CardUse.store_id.in_(store_ids)
        )
    return [Owed(row[0] or 0, row[1], row[2], int(row[3])) for row in session.execute(wanted)]


def funnel(
    session: Session,
    by: KpiBy | None,
    *,
    from_at: datetime,
    until_at: datetime,
    store_ids: Collection[int] | None = None,
    only: sa.ColumnElement[bool] | None = None,
) -> list[Funnel]:
    """Return the figures of cards shared in [from, until), the most shared first.

    `by` None is one row for all. With some stores given, cards of givers of those stores;
    `only` is a condition on the cards besides.
    """
    cards = _cards(from_at, until_at, store_ids, only)
    key, name, joined = _told_apart(by, cards)
    figures = _figures(cards)
    rows = session.execute(
        sa.select(key, name, *figures)
        .select_from(joined)
        .group_by(key, name)
        .order_by(sa.desc("issued"), key)
    )
    return [
        Funnel(
            id=row[0],
            name=row[1] or "",
            **{figure: int(row[place] or 0) for place, figure in enumerate(_FIGURES, 2)},
        )
        for row in rows
    ]


def note_conversion(
    session: Session,
    *,
    card_id: int,
    order_id: int,
    store_id: int,
    paid_fen: int,
    paid_at: datetime,
) -> bool:
    """Note the first paid order after a card; once for each card, and for each order.

    Return whether it was noted now.
    """
    noted = session.scalar(
        insert(CardConversion)
        .values(
            card_id=card_id,
            order_id=order_id,
            store_id=store_id,
            paid_fen=paid_fen,
            paid_at=paid_at,
        )
        .on_conflict_do_nothing()
        .returning(CardConversion.card_id)
    )
    return noted is not None


def note_refunded(session: Session, *, order_id: int, refunded_fen: int) -> None:
    """Note how much of a converting order has gone back, in all."""
    session.execute(
        sa.update(CardConversion)
        .where(CardConversion.order_id == order_id)
        .values(refunded_fen=sa.func.least(refunded_fen, CardConversion.paid_fen))
        .execution_options(synchronize_session=False)
    )


def card_before(
    session: Session, member_id: int, *, paid_at: datetime, since: datetime
) -> GuestCard | None:
    """Return the card that a paid order counts for: the one first used last, not converted yet.

    It was first used after `since` and not after `paid_at`.
    """
    return session.scalar(
        sa.select(GuestCard)
        .where(
            GuestCard.member_id == member_id,
            GuestCard.first_used_at >= since,
            GuestCard.first_used_at <= paid_at,
            ~sa.exists().where(CardConversion.card_id == GuestCard.id),
        )
        .order_by(GuestCard.first_used_at.desc(), GuestCard.id.desc())
        .limit(1)
    )


def _cards(
    from_at: datetime,
    until_at: datetime,
    store_ids: Collection[int] | None,
    only: sa.ColumnElement[bool] | None,
) -> sa.Subquery:
    """Return each card of the span with what it cost and brought."""
    cost = (
        sa.select(sa.func.coalesce(sa.func.sum(CardUse.cost_fen), 0))
        .where(CardUse.card_id == GuestCard.id)
        .scalar_subquery()
    )
    was_booked = sa.exists().where(CardBooking.card_id == GuestCard.id)
    wanted = (
        sa.select(
            GuestCard.id,
            GuestCard.giver_id,
            GuestCard.giver_store_id,
            GuestCard.template_id,
            GuestCard.claimed_at,
            GuestCard.first_used_at,
            GuestCard.is_new,
            was_booked.label("was_booked"),
            cost.label("cost_fen"),
            CardConversion.card_id.label("converted_id"),
            (CardConversion.paid_fen - CardConversion.refunded_fen).label("revenue_fen"),
        )
        .outerjoin(CardConversion, CardConversion.card_id == GuestCard.id)
        .where(GuestCard.shared_at >= from_at, GuestCard.shared_at < until_at)
    )
    if store_ids is not None:
        wanted = wanted.where(GuestCard.giver_store_id.in_(store_ids))
    if only is not None:
        wanted = wanted.where(only)
    return wanted.subquery("cards")


def _figures(cards: sa.Subquery) -> Sequence[sa.ColumnElement[Any]]:
    came = cards.c.first_used_at.is_not(None)
    return (
        sa.func.count().label("issued"),
        sa.func.count(cards.c.claimed_at).label("claimed"),
        sa.func.count().filter(cards.c.was_booked).label("booked"),
        sa.func.count(cards.c.first_used_at).label("used"),
        sa.func.count().filter(came, cards.c.is_new).label("new_customers"),
        sa.func.count(cards.c.converted_id).label("converted"),
        sa.func.coalesce(sa.func.sum(cards.c.cost_fen), 0).label("cost_fen"),
        sa.func.coalesce(sa.func.sum(cards.c.revenue_fen), 0).label("revenue_fen"),
    )


def _told_apart(by: KpiBy | None, cards: sa.Subquery) -> tuple[Any, Any, sa.FromClause]:
    """Return id and name of what the figures are told apart by, and where both come from."""
    if by is KpiBy.GIVER:
        return Member.id, Member.nickname, cards.join(Member, Member.id == cards.c.giver_id)
    if by is KpiBy.STORE:
        stores = cards.outerjoin(Store, Store.id == cards.c.giver_store_id)
        return Store.id, Store.name, stores
    if by is KpiBy.TEMPLATE:
        templates = cards.join(CardTemplate, CardTemplate.id == cards.c.template_id)
        return CardTemplate.id, CardTemplate.name, templates
    nothing = sa.null().cast(sa.BigInteger)
    return nothing, sa.literal(""), cards
