"""Giving coupons: one at a time to who asks, and many at once; always within stock and limit.

A coupon is counted among the member's own and written with its first step; nobody else waits for
that. What comes last is one conditional update of the template, and only from there to the commit
do others wait for its row; for one coupon both are one statement. Where either finds nothing left,
the caller's transaction must end, and nothing of it remains (D15, B29).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.coupons.errors import (
    CouponLimitReached,
    CouponsEnded,
    CouponsGone,
    CouponsNotOpen,
    TemplateNotFound,
)
from app.coupons.models import (
    Coupon,
    CouponChannel,
    CouponHolding,
    CouponStep,
    CouponTemplate,
)
from app.coupons.states import CouponEvent, CouponState
from app.kernel.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """How coupons are handed out: by which channel, by whom, and for what reason."""

    channel: CouponChannel
    actor: str
    source: str = ""
    key: str | None = None

    @property
    def is_open_to_all(self) -> bool:
        """Tell whether members help themselves, and so keep to its ways and window."""
        return self.channel in {CouponChannel.CENTRE, CouponChannel.CODE}

    @property
    def is_for_many(self) -> bool:
        """Tell whether its key is the beginning of the keys of many coupons."""
        return self.channel is CouponChannel.PUSH

    def writing(self) -> sa.Executable:
        """Return the statement that writes such coupons; their stock is to be counted after it."""
        return _writing(is_open_to_all=self.is_open_to_all, is_for_many=self.is_for_many)

    def writing_one(self) -> sa.Executable:
        """Return the statement that writes one such coupon and counts it."""
        return _writing_one(is_open_to_all=self.is_open_to_all, is_for_many=self.is_for_many)


def give(
    session: Session, template_id: int, member_id: int, *, key: str, source: str, now: datetime
) -> Coupon:
    """Give a member a coupon as a reward; once for each key, whatever is called how often.

    Raises `TemplateNotFound`, `CouponsEnded`, `CouponsNotOpen` after a fixed end of validity,
    `CouponsGone`, `CouponLimitReached`; the caller's transaction then rolls back.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))
    given = session.scalar(sa.select(Coupon).where(Coupon.key == key))
    if given is not None:
        return given
    gift = Gift(channel=CouponChannel.REWARD, actor="system", source=source, key=key)
    return issue(session, template_id, member_id, gift=gift, now=now)


def issue(
    session: Session, template_id: int, member_id: int, *, gift: Gift, now: datetime
) -> Coupon:
    """Give a member one coupon of a template.

    Raises what `give` raises, and `CouponsNotOpen` where members may not help themselves.
    """
    asked = _asked(template_id, [member_id], gift=gift, now=now)
    coupon: Coupon | None = session.scalar(gift.writing_one(), asked)
    if coupon is None:
        raise why_not(session, template_id, gift=gift, now=now)
    return coupon


def issue_many(
    session: Session, template_id: int, member_ids: Collection[int], *, gift: Gift, now: datetime
) -> set[int]:
    """Give each of these members a coupon; return who got one, the rest are at their limit.

    The gift's key is followed by each member's number. Raises `CouponsGone` where there are not
    enough for all, and what `give` raises; then the transaction, or savepoint, must end.
    """
    asked = _asked(template_id, sorted(member_ids), gift=gift, now=now)
    written = session.scalars(gift.writing(), asked).all()
    if written:
        _take_stock(session, template_id, len(written), gift=gift, now=now)
        return {one.member_id for one in written}
    refusal = why_not(session, template_id, gift=gift, now=now)
    if isinstance(refusal, CouponLimitReached):
        return set()
    raise refusal


def why_not(session: Session, template_id: int, *, gift: Gift, now: datetime) -> DomainError:
    """Return why nothing was given of a template; where it has coupons to give, the limit."""
    template = session.get(CouponTemplate, template_id, populate_existing=True)
    if template is None:
        return TemplateNotFound()
    if template.ended_at is not None:
        return CouponsEnded()
    if not is_claimable(template, gift=gift, now=now):
        return CouponsNotOpen()
    if template.issued >= template.stock:
        return CouponsGone()
    return CouponLimitReached(template.per_member)


def is_claimable(template: CouponTemplate, *, gift: Gift, now: datetime) -> bool:
    """Tell whether a template that has not ended gives coupons out now, this way."""
    if template.valid_until_at is not None and template.valid_until_at <= now:
        return False
    return not gift.is_open_to_all or (
        gift.channel.value in template.ways
        and template.claim_from_at <= now < template.claim_until_at
    )


def _take_stock(
    session: Session, template_id: int, count: int, *, gift: Gift, now: datetime
) -> None:
    """Count coupons that were just written; raises where there are not so many, or not open."""
    asked = {"template": template_id, "count": count, "way": gift.channel.value, "now": now}
    issued = session.scalar(_counting(is_open_to_all=gift.is_open_to_all), asked)
    if issued is None:
        refusal = why_not(session, template_id, gift=gift, now=now)
        raise CouponsGone if isinstance(refusal, CouponLimitReached) else refusal


def _asked(template_id: int, member_ids: list[int], *, gift: Gift, now: datetime) -> dict[str, Any]:
    """Return what `_writing` is to be run with."""
    return {
        "template": template_id,
        "members": member_ids,
        "way": gift.channel.value,
        "source": gift.source,
        "key": gift.key,
        "actor": gift.actor,
        "now": now,
    }


TABLE: Final = cast("sa.Table", CouponTemplate.__table__)
OF: Final = TABLE.c
TEMPLATE: Final = sa.bindparam("template", type_=sa.BigInteger)
MEMBERS: Final = sa.bindparam("members", type_=sa.ARRAY(sa.BigInteger))
WAY: Final = sa.bindparam("way", type_=sa.Text)
KEY: Final = sa.cast(sa.bindparam("key", type_=sa.Text), sa.Text)
NOW: Final = sa.bindparam("now", type_=sa.DateTime(timezone=True))


def _open(*, is_open_to_all: bool) -> list[sa.ColumnElement[bool]]:
    """Return the condition for a template that gives coupons out, at `NOW` and by `WAY`."""
    rules: list[sa.ColumnElement[bool]] = [
        OF.id == TEMPLATE,
        OF.ended_at.is_(None),
        sa.or_(OF.valid_until_at.is_(None), OF.valid_until_at > NOW),
    ]
    if is_open_to_all:
        rules += [
            sa.cast(WAY, sa.Text) == sa.any_(OF.ways),
            OF.claim_from_at <= NOW,
            OF.claim_until_at > NOW,
        ]
    return rules


@cache
def _counting(*, is_open_to_all: bool) -> sa.UpdateBase:
    """Return the statement that takes coupons from the stock of a template, where they are there.

    Built once, and on the table rather than the model: it is run while others wait.
    """
    count = sa.bindparam("count", type_=sa.BigInteger)
    return (
        sa.update(TABLE)
        .where(
            *_open(is_open_to_all=is_open_to_all),
            OF.issued + count <= OF.stock,
        )
        .values(issued=OF.issued + count)
        .returning(OF.issued)
    )


@cache
def _writing(*, is_open_to_all: bool, is_for_many: bool) -> sa.Executable:
    """Return the statement that writes coupons of an open template that has some left.

    Counts them among each member's own, writes them and their first steps. Gives the coupons; who
    is at their limit gets none.
    """
    made, stepped = _made(is_open_to_all=is_open_to_all, is_for_many=is_for_many)
    return sa.select(Coupon).from_statement(sa.select(*made.c).add_cte(stepped))


@cache
def _writing_one(*, is_open_to_all: bool, is_for_many: bool) -> sa.Executable:
    """Return the statement that writes one coupon and then takes it from the stock.

    The template's row is locked last, by the update itself, which looks again at what is left once
    it has the lock.
    """
    made, stepped = _made(is_open_to_all=is_open_to_all, is_for_many=is_for_many)
    taken = (
        sa.update(TABLE)
        .where(
            *_open(is_open_to_all=is_open_to_all),
            OF.issued < OF.stock,
            made.c.template_id == OF.id,
        )
        .values(issued=OF.issued + 1)
        .returning(*made.c)
        .add_cte(stepped)
    )
    return sa.select(Coupon).from_statement(taken)


def _made(*, is_open_to_all: bool, is_for_many: bool) -> tuple[sa.CTE, sa.CTE]:
    """Return the parts of a statement that write coupons, and their first steps."""
    template = (
        sa.select(OF.id, OF.per_member, OF.valid_from_at, OF.valid_until_at, OF.valid_seconds)
        .where(*_open(is_open_to_all=is_open_to_all), OF.issued < OF.stock)
        .cte("template")
    )
    people = sa.func.unnest(MEMBERS).table_valued("member_id", name="people").render_derived()
    wanted = (
        sa.select(template.c.id, people.c.member_id, sa.literal(1))
        .select_from(template)
        .join(people, sa.true())
    )
    counting = insert(CouponHolding).from_select(["template_id", "member_id", "issued"], wanted)
    counted = (
        counting.on_conflict_do_update(
            index_elements=[CouponHolding.template_id, CouponHolding.member_id],
            set_={"issued": CouponHolding.issued + 1},
            where=CouponHolding.issued < sa.select(template.c.per_member).scalar_subquery(),
        )
        .returning(CouponHolding.member_id, CouponHolding.issued)
        .cte("counted")
    )
    values = _values(template, counted, is_for_many=is_for_many)
    chosen = sa.select(*values.values()).select_from(template).join(counted, sa.true())
    made = (
        sa.insert(Coupon)
        .from_select(list(values), chosen)
        .returning(*Coupon.__table__.columns)
        .cte("made")
    )
    actor = sa.cast(sa.bindparam("actor", type_=sa.Text), sa.Text)
    traces = sa.select(
        made.c.id,
        sa.literal_column(f"'{CouponEvent.CLAIM}'"),
        sa.literal_column(f"'{CouponState.UNUSED}'"),
        NOW,
        actor,
    )
    stepped = (
        sa.insert(CouponStep)
        .from_select(["coupon_id", "event", "to_state", "at", "actor"], traces)
        .cte("stepped")
    )
    return made, stepped


def _values(
    template: sa.CTE, counted: sa.CTE, *, is_for_many: bool
) -> dict[str, sa.ColumnElement[Any]]:
    """Return the columns of a new coupon."""
    ends = NOW + template.c.valid_seconds * sa.text("interval '1 second'")
    of_one = KEY + ":" + sa.cast(counted.c.member_id, sa.Text)
    return {
        "template_id": template.c.id,
        "member_id": counted.c.member_id,
        "seq": counted.c.issued,
        "state": sa.literal_column(f"'{CouponState.UNUSED}'"),
        "channel": sa.cast(WAY, sa.Text),
        "source": sa.cast(sa.bindparam("source", type_=sa.Text), sa.Text),
        "key": of_one if is_for_many else KEY,
        "claimed_at": NOW,
        "valid_from_at": sa.func.coalesce(template.c.valid_from_at, NOW),
        "valid_until_at": sa.func.coalesce(template.c.valid_until_at, ends),
    }
