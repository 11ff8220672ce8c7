"""The stock of a template, dealt over slots so that claims do not wait for each other (ADR 40).

A claim of one takes from any slot that nobody else holds: `free_slot` is part of its statement. Who
gives many holds slots in their order and takes from one after the other. Staff deal anew whatever
they change: all slots are locked, so nothing is being given out meanwhile, and written again, so a
claim that looked at the template before finds no slot any more and looks again.
"""

from collections.abc import Mapping
from typing import Final, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import SLOTS, CouponStock, CouponTemplate

TABLE: Final = cast("sa.Table", CouponStock.__table__)
OF: Final = TABLE.c
ONE: Final = sa.literal_column("1", sa.BigInteger)


def free_slot(template_id: sa.ColumnElement[int], *, waits: bool) -> sa.FromClause:
    """Return the part of a statement that locks a slot with coupons left, if there is one.

    Connections begin at different slots, and slots that somebody holds are passed over. One that
    `waits` learns what became of the last coupons that others are just taking. It goes through the
    slots in the order of everybody who waits, as one that was given empty meanwhile stays locked.
    """
    some = TABLE.alias("s")
    begin = sa.func.mod(some.c.slot + sa.func.pg_backend_pid(), sa.literal_column(str(SLOTS)))
    return (
        sa.select(some.c.slot)
        .where(some.c.template_id == template_id, some.c.issued < some.c.stock)
        .order_by(some.c.slot if waits else begin)
        .limit(ONE)
        .with_for_update(key_share=True, skip_locked=not waits)
        .lateral("free")
    )


def hold(session: Session, template_id: int, count: int) -> dict[int, int]:
    """Lock slots until so many coupons are there to give, or no more are; return how many in each.

    The template is held first, so that nobody deals anew meanwhile.
    """
    template = sa.select(CouponTemplate.id).where(CouponTemplate.id == template_id)
    session.execute(template.with_for_update(read=True))
    held: dict[int, int] = {}
    while sum(held.values()) < count:
        following = (
            sa.select(OF.slot, OF.stock - OF.issued)
            .where(OF.template_id == template_id, OF.issued < OF.stock)
            .where(OF.slot > max(held, default=-1))
            .order_by(OF.slot)
            .limit(1)
            .with_for_update(key_share=True)
        )
        found = session.execute(following).one_or_none()
        if found is None:
            break
        held[found[0]] = found[1]
    return held


def take(session: Session, template_id: int, count: int, *, held: Mapping[int, int]) -> None:
    """Count coupons as given out of slots that are held, and hold enough."""
    for slot, left in held.items():
        taken = min(count, left)
        session.execute(
            sa.update(TABLE)
            .where(OF.template_id == template_id, OF.slot == slot)
            .values(issued=OF.issued + taken)
        )
        count -= taken
        if count == 0:
            return
    raise AssertionError("more coupons were written than the held slots have")


def lock(session: Session, template_id: int) -> dict[int, int]:
    """Lock all slots, once nobody gives out of them any more; return what each has issued."""
    rows = session.execute(
        sa.select(OF.slot, OF.issued)
        .where(OF.template_id == template_id)
        .order_by(OF.slot)
        .with_for_update()
    )
    return {row[0]: row[1] for row in rows}


def deal(session: Session, template_id: int, stock: int, *, issued: Mapping[int, int]) -> None:
    """Write the slots of a template: what each has issued, and an even share of what is left.

    `issued` is what `lock` returned, or empty for a new template; no more than the stock.
    """
    session.execute(sa.delete(TABLE).where(OF.template_id == template_id))
    each, over = divmod(stock - sum(issued.values()), SLOTS)
    session.execute(
        sa.insert(TABLE),
        [
            {
                "template_id": template_id,
                "slot": slot,
                "stock": issued.get(slot, 0) + each + (slot < over),
                "issued": issued.get(slot, 0),
            }
            for slot in range(SLOTS)
        ],
    )
