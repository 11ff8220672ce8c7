"""One message on its way: commit that it goes out, talk to WeChat, commit what came of it.

WeChat cannot be asked about a message, so what was once begun is never begun again: a worker that
died with one in its hand leaves it SENDING, and when its lease is over it becomes UNKNOWN. Messages
are told to nobody twice; a few may never be told. (Money has other rules: see `payouts`.)
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.interactions import pacing
from app.interactions.audience_models import Campaign
from app.interactions.message_models import Message, MessagePermission, MessageTemplate
from app.interactions.states import CampaignState, DropReason, MessagePurpose, MessageState
from app.kernel.clock import business_day, day_begins_at
from app.kernel.db import atomic, retrying
from app.members.models import Consent, ConsentPurpose, Member
from app.settings import Settings
from app.wechat.access import mini_program
from app.wechat.subscribing import SendOutcome, SendState

CALLS_MAX = 4
"""Requests that one message can make: the token, the message, both once more."""
SPARE = timedelta(seconds=15)
PAUSED_FOR = timedelta(minutes=5)
BACKOFF_SECONDS = (30, 120, 600, 1800)

log = structlog.get_logger()

ENDINGS = {
    SendState.SENT: MessageState.SENT,
    SendState.NO_PERMISSION: MessageState.NO_PERMISSION,
    SendState.INVALID: MessageState.INVALID,
    SendState.UNKNOWN: MessageState.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A message that was committed to go out, the try it is, and until when it may begin."""

    message_id: int
    attempt: int
    until: float
    openid: str
    template_id: str
    page: str
    data: dict[str, str]


def begin_next(*, settings: Settings, now: datetime) -> tuple[bool, Errand | None]:
    """Take up the message that has been due longest; return whether there was one, and its errand.

    Those that may not go out end here, or wait: at night, too many today, no permission left.
    """
    return retrying(lambda: _begin_next(settings=settings, now=now))


def carry_out(errand: Errand) -> SendOutcome:
    """Send it. Call this outside any transaction; nothing remote is raised."""
    if time.monotonic() >= errand.until:
        log.warning("message_too_late", message_id=errand.message_id)
        return SendOutcome(SendState.NOT_NOW)
    return mini_program().send_subscribe_message(
        openid=errand.openid,
        template_id=errand.template_id,
        page=errand.page,
        data=errand.data,
    )


def conclude(errand: Errand, outcome: SendOutcome, *, now: datetime) -> None:
    """Write down what came of it; a worker that was overtaken has nothing to say."""

    def act() -> None:
        with atomic() as session:
            _conclude(session, errand, outcome, now=now)

    retrying(act)


def _begin_next(*, settings: Settings, now: datetime) -> tuple[bool, Errand | None]:
    with atomic() as session:
        row = session.scalar(
            sa.select(Message)
            .where(Message.due_at <= now)
            .order_by(Message.due_at, Message.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if row is None:
            return False, None
        return True, _begin(session, row, settings=settings, now=now)


def _begin(session: Session, row: Message, *, settings: Settings, now: datetime) -> Errand | None:
    if row.state is MessageState.SENDING:
        _end(row, MessageState.UNKNOWN, now=now)
        return None
    member = session.get_one(Member, row.member_id, with_for_update={"key_share": True})
    template = session.get_one(MessageTemplate, row.template_id)
    dropped = _drop_reason(session, row, member, template, now=now)
    if dropped is not None:
        row.drop_reason = dropped
        _end(row, MessageState.DROPPED, now=now)
        return None
    later = _later(session, row, settings=settings, now=now)
    if later is not None:
        row.due_at = later
        return None
    if not _take_permission(session, row.member_id, template.wechat_template_id):
        _end(row, MessageState.NO_PERMISSION, now=now)
        return None
    span = timedelta(seconds=settings.wechat_timeout_seconds * CALLS_MAX) + SPARE
    row.state, row.sent_at, row.due_at = MessageState.SENDING, now, now + span
    row.attempts += 1
    session.flush()
    return Errand(
        message_id=row.id,
        attempt=row.attempts,
        until=time.monotonic() + SPARE.total_seconds(),
        openid=member.wechat_openid,
        template_id=template.wechat_template_id,
        page=row.page,
        data={name: str(text) for name, text in row.data.items()},
    )


def _drop_reason(
    session: Session, row: Message, member: Member, template: MessageTemplate, *, now: datetime
) -> DropReason | None:
    """Return why a message is not to go out at all."""
    if member.deleted_at is not None:
        return DropReason.MEMBER_GONE
    if row.expires_at <= now:
        return DropReason.TOO_LATE
    if not template.is_active:
        return DropReason.SWITCHED_OFF
    if row.purpose is MessagePurpose.MARKETING and not _agrees(session, row.member_id):
        return DropReason.NO_CONSENT
    return DropReason.CALLED_OFF if _is_called_off(session, row) else None


def _agrees(session: Session, member_id: int) -> bool:
    """Tell whether a customer agreed to be told what sells something (PIPL art. 24)."""
    found = session.scalar(
        sa.select(Consent.id).where(
            Consent.member_id == member_id,
            Consent.purpose == ConsentPurpose.MARKETING,
            Consent.withdrawn_at.is_(None),
        )
    )
    return found is not None


def _campaign_state(session: Session, row: Message) -> CampaignState | None:
    if row.campaign_id is None:
        return None
    return session.scalar(sa.select(Campaign.state).where(Campaign.id == row.campaign_id))


def _is_called_off(session: Session, row: Message) -> bool:
    return _campaign_state(session, row) is CampaignState.CANCELLED


def _later(session: Session, row: Message, *, settings: Settings, now: datetime) -> datetime | None:
    """Return until when a message that sells something waits; None where it may go out now.

    The member's row is locked, so that two workers cannot both find room for the last of a day.
    """
    if row.purpose is not MessagePurpose.MARKETING:
        return None
    if _campaign_state(session, row) is CampaignState.PAUSED:
        return now + PAUSED_FOR
    quiet = pacing.quiet_until(
        now,
        from_seconds=settings.message_quiet_from_seconds,
        until_seconds=settings.message_quiet_until_seconds,
    )
    if quiet is not None:
        return quiet
    today = session.scalar(
        sa.select(sa.func.count()).where(
            Message.member_id == row.member_id,
            Message.sent_at >= day_begins_at(business_day(now)),
            Message.purpose == MessagePurpose.MARKETING,
        )
    )
    if (today or 0) < settings.messages_per_day_max:
        return None
    return pacing.next_day_from(now, until_seconds=settings.message_quiet_until_seconds)


def _take_permission(session: Session, member_id: int, template_id: str) -> bool:
    taken = session.scalar(
        sa.update(MessagePermission)
        .where(
            MessagePermission.member_id == member_id,
            MessagePermission.wechat_template_id == template_id,
            MessagePermission.left > 0,
        )
        .values(left=MessagePermission.left - 1)
        .returning(MessagePermission.left)
        .execution_options(synchronize_session=False)
    )
    return taken is not None


def _conclude(session: Session, errand: Errand, outcome: SendOutcome, *, now: datetime) -> None:
    row = session.get_one(Message, errand.message_id, with_for_update=True, populate_existing=True)
    if row.state is not MessageState.SENDING or row.attempts != errand.attempt:
        return
    row.wechat_code, row.wechat_field = outcome.wechat_code, outcome.field
    if outcome.state is SendState.NO_PERMISSION:
        _set_permission(session, row.member_id, errand.template_id, left=0)
    elif outcome.state in {SendState.INVALID, SendState.NOT_NOW}:
        _set_permission(session, row.member_id, errand.template_id, left=None)
    if outcome.state in ENDINGS:
        if outcome.state is SendState.INVALID:
            row.sent_at = None
        _end(row, ENDINGS[outcome.state], now=now)
        return
    wait = BACKOFF_SECONDS[min(row.attempts, len(BACKOFF_SECONDS)) - 1]
    row.state, row.sent_at = MessageState.WAITING, None
    row.due_at = now + timedelta(seconds=wait)


def _set_permission(
    session: Session, member_id: int, template_id: str, *, left: int | None
) -> None:
    """Set what is left of a permission, or give one back that was not used."""
    session.execute(
        sa.update(MessagePermission)
        .where(
            MessagePermission.member_id == member_id,
            MessagePermission.wechat_template_id == template_id,
        )
        .values(left=MessagePermission.left + 1 if left is None else left)
        .execution_options(synchronize_session=False)
    )


def _end(row: Message, state: MessageState, *, now: datetime) -> None:
    row.state, row.due_at, row.ended_at = state, None, now
