"""One coupon for each of many members, in batches that can stop and go on anywhere.

Who is meant is written down when the push begins, so that it reaches the same people however long
it takes. A batch gives and notes the outcome in one transaction; a coupon's key names push and
member, so nobody gets two. Who is at their limit is passed over; when the stock ends, so do all
who still wait.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.counter.duty import duty_of
from app.counter.errors import OwnAccount
from app.coupons.errors import (
    CouponsEnded,
    CouponsGone,
    CouponsNotOpen,
    PushInvalid,
    PushNotFound,
    TemplateNotFound,
)
from app.coupons.giving import Gift, issue_many, why_not
from app.coupons.models import (
    Coupon,
    CouponChannel,
    CouponPush,
    CouponPushMember,
    CouponTemplate,
    PushOutcome,
    PushState,
)
from app.coupons.templates import require_reach
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.db import atomic, retrying
from app.kernel.errors import DomainError
from app.kernel.outbox import emit, emit_many
from app.members.models import Member

BATCH_MAX: Final = 500
PEOPLE_MAX: Final = 5_000_000
TITLE_LENGTH_MAX: Final = 80


def push(
    session: Session,
    template_id: int,
    members: sa.Select[Any] | Sequence[int],
    *,
    title: str,
    actor: Actor,
    now: datetime,
) -> CouponPush:
    """Begin to give a coupon to each of these members: ids, or a SELECT of one column of ids.

    Those who are not there, or are deleted, are left out. Raises `TemplateNotFound`,
    `CouponsNotOpen` where the template is not for pushes, `CouponsEnded`, `CouponsGone`,
    `PushInvalid` for nobody at all, `OwnAccount` where whoever gives names themselves.
    """
    duty = None if isinstance(members, sa.Select) else duty_of(session, actor, now=now)
    if duty is not None and not isinstance(members, sa.Select) and duty.is_one_of(members):
        raise OwnAccount
    template = session.get(CouponTemplate, template_id)
    if template is None:
        raise TemplateNotFound
    if CouponChannel.PUSH not in template.ways:
        raise CouponsNotOpen
    gift = Gift(channel=CouponChannel.PUSH, actor=str(actor))
    refusal = why_not(session, template_id, gift=gift, now=now)
    if isinstance(refusal, CouponsEnded | CouponsNotOpen | CouponsGone):
        raise refusal
    row = CouponPush(
        template_id=template_id,
        title=title.strip(),
        state=PushState.RUNNING,
        people=0,
        begun_at=now,
        begun_by=str(actor),
    )
    if not 1 <= len(row.title) <= TITLE_LENGTH_MAX:
        raise PushInvalid(PEOPLE_MAX)
    session.add(row)
    session.flush()
    row.people = _write_down(session, row.id, members)
    if not 1 <= row.people <= PEOPLE_MAX:
        raise PushInvalid(PEOPLE_MAX)
    session.flush()
    after = {"template": template_id, "people": row.people}
    subject = Subject("coupon_push", row.id)
    record(session, actor, "coupon_pushed", subject, Change(after=after, reason=title), now=now)
    emit(session, "coupon_push_begun", row.id, now=now)
    return row


def stop(session: Session, push_id: int, *, reason: str, actor: Actor, now: datetime) -> CouponPush:
    """Give no more coupons of a push; those given stay. Once over, a repeat changes nothing.

    Somebody else's is stopped by staff of every store where its coupons are good. Raises
    `PushNotFound`, `TemplateNotFound`.
    """
    row = session.get(CouponPush, push_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise PushNotFound
    if row.begun_by != str(actor):
        template = session.get_one(CouponTemplate, row.template_id)
        require_reach(session, template.store_ids, actor=actor, now=now)
    if row.state is PushState.RUNNING:
        row.state, row.ended_at = PushState.STOPPED, now
        session.flush()
        change = Change(after={"given": row.given}, reason=reason)
        record(
            session, actor, "coupon_push_stopped", Subject("coupon_push", row.id), change, now=now
        )
    return row


def work_off(*, now: datetime) -> int:
    """Give the next batch of a push that runs; return how many members it was, 0 if none waits."""
    return retrying(lambda: _batch(now=now))


def _batch(*, now: datetime) -> int:
    with atomic() as session:
        row = session.scalar(
            sa.select(CouponPush)
            .where(CouponPush.state == PushState.RUNNING)
            .order_by(CouponPush.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return 0
        member_ids = session.scalars(
            sa.select(CouponPushMember.member_id)
            .where(CouponPushMember.push_id == row.id, CouponPushMember.outcome.is_(None))
            .order_by(CouponPushMember.member_id)
            .limit(BATCH_MAX)
        ).all()
        if not member_ids:
            row.state, row.ended_at = PushState.DONE, now
            return 1
        _give(session, row, member_ids, now=now)
        return len(member_ids)


def _give(session: Session, row: CouponPush, member_ids: Sequence[int], *, now: datetime) -> None:
    """Give as many as there are; the rest of these members find it gone."""
    gift = Gift(channel=CouponChannel.PUSH, actor=row.begun_by, source="push", key=f"push:{row.id}")
    live = sa.select(Member.id).where(Member.id.in_(member_ids), Member.deleted_at.is_(None))
    waiting = list(session.scalars(live.order_by(Member.id)))
    given, is_over = (
        _issue(session, row, waiting, gift=gift, now=now) if waiting else (set(), False)
    )
    _note(session, row, given, PushOutcome.GIVEN)
    missed = PushOutcome.GONE if is_over else PushOutcome.LIMIT
    _note(session, row, set(member_ids) - given, missed)
    row.given += len(given)
    row.passed_over += len(member_ids) - len(given)
    keys = [f"{gift.key}:{one}" for one in sorted(given)]
    coupon_ids = session.scalars(sa.select(Coupon.id).where(Coupon.key.in_(keys))).all()
    emit_many(session, "coupon_given", coupon_ids, now=now)


def _issue(
    session: Session, row: CouponPush, waiting: list[int], *, gift: Gift, now: datetime
) -> tuple[set[int], bool]:
    """Return who got one, and whether there are no more to give.

    Where there are not enough for the batch, it is one after the other while they last.
    """
    given: set[int] = set()
    for few in [waiting, *([one] for one in waiting)]:
        try:
            with session.begin_nested():
                given |= issue_many(session, row.template_id, few, gift=gift, now=now)
        except DomainError:
            if few is waiting and len(waiting) > 1:
                continue
            return given, True
        if few is waiting:
            break
    return given, False


def _write_down(session: Session, push_id: int, members: sa.Select[Any] | Sequence[int]) -> int:
    """Write down whom a push goes to; return how many they are."""
    is_meant: sa.ColumnElement[bool]
    if isinstance(members, sa.Select):
        wanted = members.subquery()
        is_meant = Member.id.in_(sa.select(wanted.c[0]))
    else:
        is_meant = Member.id == sa.any_(sa.cast(list(members), sa.ARRAY(sa.BigInteger)))
    people = sa.select(sa.literal(push_id), Member.id).where(is_meant, Member.deleted_at.is_(None))
    written = (
        sa.insert(CouponPushMember)
        .from_select(["push_id", "member_id"], people)
        .returning(CouponPushMember.member_id)
        .cte("written")
    )
    return session.scalars(sa.select(sa.func.count()).select_from(written)).one()


def _note(session: Session, row: CouponPush, member_ids: set[int], outcome: PushOutcome) -> None:
    if member_ids:
        session.execute(
            sa.update(CouponPushMember)
            .where(CouponPushMember.push_id == row.id, CouponPushMember.member_id.in_(member_ids))
            .values(outcome=outcome)
            .execution_options(synchronize_session=False)
        )
