"""Giving coupons: one at a time to who asks, and many at once; always within stock and limit.

Stock lies in slots (`stock`). First a slot that has coupons left is locked, then the coupon is
counted among the member's own and written with its first step, then taken from the slot. For one
coupon that is one statement, and others who claim take other slots; for many it is one for each
part. A refusal says what was true when nothing was left to wait for: that all are gone, or that the
member is at their limit. The caller's transaction then ends, and nothing of it remains (D15, B29).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session, make_transient_to_detached

from app.coupons import stock
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

DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy types it not
LOOKS: Final = 4
"""How often a claim looks for stock; the first time it waits for nobody."""


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

    def writing(self) -> sa.Select[Any]:
        """Return the statement that writes such coupons; their stock is held before, and taken."""
        return _writing(is_open_to_all=self.is_open_to_all, is_for_many=self.is_for_many)

    def writing_one(self, *, waits: bool) -> str:
        """Return the text that takes one such coupon and writes it; see `stock.free_slot`."""
        return _writing_one(
            is_open_to_all=self.is_open_to_all, is_for_many=self.is_for_many, waits=waits
        )


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

    Raises what `give` raises, and `CouponsNotOpen` where members may not help themselves. A look
    that found nothing may have locked slots that were given empty under its eyes; it lets go of
    them before the next one waits for others, who may wait for these.
    """
    session.flush()
    connection = session.connection()
    asked = _asked(template_id, gift=gift, now=now) | {"member": member_id}
    connection.exec_driver_sql("SAVEPOINT looking")
    for look in range(LOOKS):
        text = gift.writing_one(waits=look > 0)
        written = connection.exec_driver_sql(text, asked).one_or_none()
        if written is not None:
            return _written(session, written, asked, gift=gift)
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT looking")
        refusal = why_not(session, template_id, gift=gift, now=now)
        if not isinstance(refusal, CouponLimitReached) or (
            _held(session, template_id, member_id) >= refusal.most
        ):
            raise refusal
    raise CouponsGone


def issue_many(
    session: Session, template_id: int, member_ids: Collection[int], *, gift: Gift, now: datetime
) -> set[int]:
    """Give each of these members a coupon; return who got one, the rest are at their limit.

    The gift's key is followed by each member's number. Raises `CouponsGone` where there are not
    enough for all, and what `give` raises; then the transaction, or savepoint, must end.
    """
    held = stock.hold(session, template_id, len(member_ids))
    asked = _asked(template_id, gift=gift, now=now) | {"members": sorted(member_ids)}
    given = set(session.scalars(gift.writing(), asked)) if held else set()
    if len(given) > sum(held.values()):
        raise CouponsGone
    if given:
        stock.take(session, template_id, len(given), held=held)
        return given
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


def _written(session: Session, row: sa.Row[Any], asked: Mapping[str, Any], *, gift: Gift) -> Coupon:
    """Return a coupon that was just written, of which the database said what only it knows.

    To read it back would take the ORM as long as the whole claim takes the database.
    """
    coupon = Coupon(
        id=row.id,
        template_id=asked["template"],
        member_id=asked["member"],
        seq=row.seq,
        state=CouponState.UNUSED,
        channel=gift.channel,
        source=gift.source,
        key=gift.key,
        claimed_at=asked["now"],
        valid_from_at=row.valid_from_at,
        valid_until_at=row.valid_until_at,
        extended_at=None,
        order_id=None,
        reserved_until_at=None,
        amount_fen=None,
        used_at=None,
        store_id=None,
    )
    make_transient_to_detached(coupon)
    session.add(coupon)
    return coupon


def _held(session: Session, template_id: int, member_id: int) -> int:
    """Return how many coupons of a template a member has got."""
    found = session.scalar(
        sa.select(CouponHolding.issued).where(
            CouponHolding.template_id == template_id, CouponHolding.member_id == member_id
        )
    )
    return found or 0


def _asked(template_id: int, *, gift: Gift, now: datetime) -> dict[str, Any]:
    """Return what a statement is to be run with, but for who gets something."""
    return {
        "template": template_id,
        "way": gift.channel.value,
        "source": gift.source,
        "key": gift.key,
        "actor": gift.actor,
        "now": now,
    }


OF: Final = cast("sa.Table", CouponTemplate.__table__).alias("t").c
"""The columns of the template; names are short, as the driver keeps no statement beyond 4,096."""
TEMPLATE: Final = sa.bindparam("template", type_=sa.BigInteger)
MEMBER: Final = sa.bindparam("member", type_=sa.BigInteger)
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
def _writing(*, is_open_to_all: bool, is_for_many: bool) -> sa.Select[Any]:
    """Return the statement that writes coupons of an open template, whose stock is held.

    Counts them among each member's own, writes them and their first steps. Gives the members who
    got one; who is at their limit gets none.
    """
    template = _template(is_open_to_all=is_open_to_all).cte("template")
    people = sa.func.unnest(MEMBERS).table_valued("member_id", name="people").render_derived()
    wanted = (
        sa.select(template.c.id, people.c.member_id, stock.ONE)
        .select_from(template)
        .join(people, sa.true())
    )
    made, stepped = _made(template, wanted, is_for_many=is_for_many)
    return sa.select(made.c.member_id).add_cte(stepped)


@cache
def _writing_one(*, is_open_to_all: bool, is_for_many: bool, waits: bool) -> str:
    """Return the text that locks a slot, writes one coupon and takes it from the slot.

    Where it gives nothing, it has written nothing. It is said to the driver as it is: to look up
    the text of a statement of so many parts takes SQLAlchemy a quarter of the claim's time.
    """
    free = stock.free_slot(OF.id, waits=waits)
    whole = _template(is_open_to_all=is_open_to_all)
    template = whole.add_columns(free.c.slot).join(free, sa.true()).cte("template")
    wanted = sa.select(template.c.id, MEMBER, stock.ONE)
    made, stepped = _made(template, wanted, is_for_many=is_for_many)
    statement = (
        sa.update(stock.TABLE)
        .where(
            stock.OF.template_id == TEMPLATE,
            stock.OF.slot == template.c.slot,
            made.c.template_id == template.c.id,
        )
        .values(issued=stock.OF.issued + stock.ONE)
        .returning(made.c.id, made.c.seq, made.c.valid_from_at, made.c.valid_until_at)
        .add_cte(stepped)
    )
    return str(statement.compile(dialect=DIALECT))


def _template(*, is_open_to_all: bool) -> sa.Select[Any]:
    """Return the question for what a coupon takes from its template, where that is open."""
    return sa.select(
        OF.id, OF.per_member, OF.valid_from_at, OF.valid_until_at, OF.valid_seconds
    ).where(*_open(is_open_to_all=is_open_to_all))


def _made(template: sa.CTE, wanted: sa.Select[Any], *, is_for_many: bool) -> tuple[sa.CTE, sa.CTE]:
    """Return the parts of a statement that write coupons, and their first steps."""
    counting = insert(CouponHolding).from_select(["template_id", "member_id", "issued"], wanted)
    counted = (
        counting.on_conflict_do_update(
            index_elements=[CouponHolding.template_id, CouponHolding.member_id],
            set_={"issued": CouponHolding.issued + stock.ONE},
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
        .returning(
            Coupon.id,
            Coupon.template_id,
            Coupon.member_id,
            Coupon.seq,
            Coupon.valid_from_at,
            Coupon.valid_until_at,
        )
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
