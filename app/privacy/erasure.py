"""Erasing what names or finds a person, and keeping what the books need without them.

Nothing is erased while something is owed in either direction: an order not at its end, money on its
way, commission that can still be withdrawn, an open dispute. Amounts and postings stay.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.guest_cards.models import GuestCard
from app.kernel.audit import SYSTEM
from app.kernel.i18n import N_
from app.members import former
from app.members import services as members
from app.members.former import CardsHad
from app.members.models import Distributor, Member
from app.members.states import Standing, StandingEvent, after_standing
from app.privacy.register import TRACES, Trace
from app.settings import Settings

OBSTACLES: Final[Mapping[str, tuple[str, str]]] = {
    "order_open": (
        N_("an order has not come to its end, its after-sale time included"),
        """SELECT EXISTS (SELECT 1 FROM orders WHERE member_id = :id
            AND state NOT IN ('settled', 'closed', 'refunded'))""",
    ),
    "refund_open": (
        N_("a refund is on its way"),
        """SELECT EXISTS (SELECT 1 FROM refunds r JOIN orders o ON o.id = r.order_id
            WHERE o.member_id = :id AND r.ended_at IS NULL)""",
    ),
    "commission_open": (
        N_("commission has not matured yet"),
        """SELECT EXISTS (SELECT 1 FROM awards WHERE beneficiary_id = :id
            AND state IN ('pending', 'frozen'))""",
    ),
    "money_left": (
        N_("money can still be withdrawn, or is on its way"),
        """SELECT EXISTS (SELECT 1 FROM ledger_accounts WHERE member_id = :id AND unit = 'fen'
            AND balance > 0)""",
    ),
    "debt_left": (
        N_("commission taken back has not been made up for"),
        """SELECT EXISTS (SELECT 1 FROM ledger_accounts WHERE member_id = :id AND unit = 'fen'
            AND balance < 0)""",
    ),
    "payout_open": (
        N_("a payout has not ended"),
        "SELECT EXISTS (SELECT 1 FROM payouts WHERE member_id = :id AND ended_at IS NULL)",
    ),
    "dispute_open": (
        N_("a dispute about who looks after a customer is open"),
        """SELECT EXISTS (SELECT 1 FROM ownership_disputes
            WHERE :id IN (customer_id, claimant_id) AND ended_at IS NULL)""",
    ),
}
"""What has to be settled first: its code to the words for it and the question to the database."""


def obstacles(session: Session, member_id: int) -> tuple[str, ...]:
    """Return the codes of what stands in the way of erasing a person's data."""
    return tuple(
        code
        for code, (_, question) in OBSTACLES.items()
        if session.scalar(sa.text(question), {"id": member_id})
    )


def remember(session: Session, member_id: int, *, settings: Settings, now: datetime) -> int:
    """Keep by what somebody is recognised who asks again for what new customers get.

    To be called before `erase`, with the member locked. Returns how many marks are kept; they run
    out by themselves.
    """
    had = session.execute(
        sa.select(GuestCard.template_id, GuestCard.device_hash, GuestCard.first_used_at).where(
            GuestCard.member_id == member_id
        )
    ).all()
    cards = CardsHad(
        template_ids=tuple(sorted({one.template_id for one in had})),
        has_used=any(one.first_used_at is not None for one in had),
        claims=Counter(one.device_hash for one in had if one.device_hash is not None),
    )
    until_at = now + timedelta(seconds=settings.former_customer_seconds)
    member = session.get_one(Member, member_id)
    return former.remember(session, member, cards, until_at=until_at, now=now)


def erase(session: Session, member_id: int, *, now: datetime) -> None:
    """Write over or remove everything that names or finds a person. Their row must be locked."""
    _end_career(session, member_id, now=now)
    values = {"id": member_id, "now": now}
    for trace in TRACES:
        if statement := _statement(trace):
            session.execute(sa.text(statement), values)
    session.execute(
        sa.text(
            "UPDATE staff_bindings SET ended_at = :now, ended_by = 'system'"
            " WHERE member_id = :id AND ended_at IS NULL"
        ),
        values,
    )
    session.execute(sa.text("UPDATE members SET deleted_at = :now WHERE id = :id"), values)
    session.execute(sa.text("SELECT erase_frozen(:id)"), values)
    session.expire_all()


def _end_career(session: Session, member_id: int, *, now: datetime) -> None:
    row = session.get(Distributor, member_id)
    if row is not None and after_standing(Standing(row.standing), StandingEvent.QUIT):
        members.quit_distributor(session, member_id, actor=SYSTEM, reason="erasure", now=now)
        session.flush()


def _statement(trace: Trace) -> str:
    if trace.is_deleted:
        return f"DELETE FROM {trace.table} WHERE {trace.whose}"  # noqa: S608 - our register
    if not trace.erased:
        return ""
    changes = ", ".join(f"{column} = {value}" for column, value in trace.erased.items())
    return f"UPDATE {trace.table} SET {changes} WHERE {trace.whose}"  # noqa: S608 - our register
