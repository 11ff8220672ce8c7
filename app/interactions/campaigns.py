"""Campaigns: from a draft to everybody of a segment, and what they brought.

A draft is checked before anybody may send it: the message against WeChat's limits, the coupon, and
how many it means. Sending takes people up in order of their number, a batch in a transaction with
the cursor, so that a crash or a pause loses nobody and takes nobody up twice.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.coupons.models import CouponTemplate
from app.interactions import messages
from app.interactions.audience_models import Campaign, CampaignRecipient, Segment
from app.interactions.errors import CampaignFlaw, CampaignInvalid, InteractionNotFound
from app.interactions.message_models import Message, MessageTemplate
from app.interactions.occasions import CAMPAIGN, OCCASIONS, compose
from app.interactions.rules import SegmentRule, members_of
from app.interactions.segments import clean_name
from app.interactions.states import CampaignEvent, CampaignState
from app.kernel import audit
from app.kernel.audit import SYSTEM, Actor, Change, Subject
from app.kernel.db import atomic, retrying, take_time
from app.loyalty import rewards
from app.loyalty.models import RewardSource, RewardState
from app.loyalty.rewards import Reward
from app.members.models import Member
from app.wechat.template_values import Value

AUDIENCE_MAX: Final = 1_000_000
BATCH: Final = 500
COUPONS: Final = 50
"""Coupons of one transaction: each takes a lock on what is left of its template."""
PAGE_PARAMETER: Final = "cm"
DUE: Final = "due"
GIVEN: Final = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDraft:
    """What staff enter: to whom, what is said, what is given, how many are left alone."""

    name: str
    segment_id: int
    says: Mapping[str, str]
    """Texts and, under `until`, an ISO instant; empty where no message goes out."""
    page: str = ""
    coupon_template_id: int | None = None
    control_bp: int = 0


def create_campaign(
    session: Session, draft: CampaignDraft, *, actor: Actor, now: datetime
) -> Campaign:
    """Prepare a campaign; of the store its segment is of. Raises `CampaignInvalid`."""
    assert actor.id is not None, "campaigns are made by staff"
    segment = _segment(session, draft.segment_id)
    row = Campaign(
        name=clean_name(draft.name),
        store_id=segment.store_id,
        segment_id=segment.id,
        state=CampaignState.DRAFT,
        created_by_id=actor.id,
        created_at=now,
        **_content(session, draft),
    )
    session.add(row)
    session.flush()
    _record(session, actor, "campaign_saved", row, now=now)
    return row


def change_campaign(
    session: Session, campaign_id: int, draft: CampaignDraft, *, actor: Actor, now: datetime
) -> Campaign:
    """Prepare it differently; a checked one has to be checked again."""
    row = locked(session, campaign_id)
    row.advance(CampaignEvent.EDIT, now=now, actor=str(actor))
    segment = _segment(session, draft.segment_id)
    if segment.store_id != row.store_id:
        raise CampaignInvalid(CampaignFlaw.SEGMENT)
    row.name, row.segment_id = clean_name(draft.name), segment.id
    for name, value in _content(session, draft).items():
        setattr(row, name, value)
    row.audience = row.checked_at = None
    session.flush()
    _record(session, actor, "campaign_saved", row, now=now)
    return row


def check_campaign(session: Session, campaign_id: int, *, actor: Actor, now: datetime) -> int:
    """Look at everything that could stop it, count whom it means, and let it be sent.

    Raises `CampaignInvalid` with the first flaw.
    """
    take_time(session)
    row = locked(session, campaign_id)
    _require_sendable(session, row, now=now)
    people = _people(session, row, now=now).limit(AUDIENCE_MAX + 1).subquery()
    count = session.scalar(sa.select(sa.func.count()).select_from(people)) or 0
    if count == 0:
        raise CampaignInvalid(CampaignFlaw.NOBODY)
    if count > AUDIENCE_MAX:
        raise CampaignInvalid(CampaignFlaw.TOO_MANY)
    row.advance(CampaignEvent.CHECK, now=now, actor=str(actor))
    row.audience, row.checked_at = count, now
    return count


def send_campaign(session: Session, campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Let a checked campaign go out. Its people are taken up by a job, batch by batch."""
    row = locked(session, campaign_id)
    row.advance(CampaignEvent.SEND, now=now, actor=str(actor))
    row.sent_by_id, row.begun_at = actor.id, now
    session.flush()
    _record(session, actor, "campaign_sent", row, now=now)


def pause_campaign(session: Session, campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Take nobody else up, and hold back what has not gone out yet."""
    _move(session, campaign_id, CampaignEvent.PAUSE, "campaign_paused", actor, now)


def resume_campaign(session: Session, campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Go on where it was paused."""
    _move(session, campaign_id, CampaignEvent.RESUME, "campaign_resumed", actor, now)


def cancel_campaign(session: Session, campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Call it off: nobody else is taken up, and what has not gone out never will."""
    row = _move(session, campaign_id, CampaignEvent.CANCEL, "campaign_cancelled", actor, now)
    row.ended_at = now


def locked(session: Session, campaign_id: int) -> Campaign:
    """Return a campaign with its row locked. Raises `InteractionNotFound`."""
    row = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise InteractionNotFound
    return row


def take_up(campaign_id: int, *, now: datetime) -> bool:
    """Take up the next people of a campaign; False where there are none, or none may be."""

    def act() -> bool:
        with atomic() as session:
            return _take_up(session, campaign_id, now=now)

    return retrying(act)


def give_coupons(campaign_id: int, *, now: datetime) -> int:
    """Give some of those taken up their coupon; return how many were looked at."""

    def act() -> int:
        with atomic() as session:
            return _give_coupons(session, campaign_id, now=now)

    return retrying(act)


def under_way(session: Session) -> list[int]:
    """Return the campaigns that are going out."""
    query = sa.select(Campaign.id).where(Campaign.state == CampaignState.SENDING)
    return list(session.scalars(query.order_by(Campaign.id)))


def note_click(session: Session, campaign_id: int, member_id: int, *, now: datetime) -> bool:
    """Note that somebody opened a campaign's message; only who was written to, and once."""
    noted = session.scalar(
        sa.update(CampaignRecipient)
        .where(
            CampaignRecipient.campaign_id == campaign_id,
            CampaignRecipient.member_id == member_id,
            CampaignRecipient.is_control.is_(False),
            CampaignRecipient.clicked_at.is_(None),
        )
        .values(clicked_at=now)
        .returning(CampaignRecipient.member_id)
        .execution_options(synchronize_session=False)
    )
    return noted is not None


def is_control(campaign_id: int, member_id: int, control_bp: int) -> bool:
    """Tell whether somebody is left alone to compare with: the same answer for ever.

    >>> sum(is_control(7, one, 1_000) for one in range(10_000))
    980
    """
    drawn = hashlib.sha256(f"{campaign_id}:{member_id}".encode()).digest()
    return int.from_bytes(drawn[:8]) % 10_000 < control_bp


def _take_up(session: Session, campaign_id: int, *, now: datetime) -> bool:
    row = locked(session, campaign_id)
    if row.state is not CampaignState.SENDING:
        return False
    take_time(session)
    people = _people(session, row, now=now).where(Member.id > row.cursor_id)
    ids = session.scalars(people.order_by(Member.id).limit(BATCH)).all()
    if not ids:
        if not _is_busy(session, row.id):
            row.advance(CampaignEvent.FINISH, now=now, actor=str(SYSTEM))
            row.ended_at = now
        return False
    controls = {one for one in ids if is_control(row.id, one, row.control_bp)}
    note = DUE if row.coupon_template_id is not None else ""
    session.execute(
        insert(CampaignRecipient),
        [
            {
                "campaign_id": row.id,
                "member_id": one,
                "is_control": one in controls,
                "taken_at": now,
                "coupon_note": "" if one in controls else note,
            }
            for one in ids
        ],
    )
    _write(session, row, [one for one in ids if one not in controls], now=now)
    row.cursor_id = ids[-1]
    return True


def _is_busy(session: Session, campaign_id: int) -> bool:
    """Tell whether a message has still to go out, or a coupon to be given."""
    message = sa.exists().where(Message.campaign_id == campaign_id, Message.due_at.is_not(None))
    coupon = sa.exists().where(
        CampaignRecipient.campaign_id == campaign_id, CampaignRecipient.coupon_note == DUE
    )
    return bool(session.scalar(sa.select(sa.or_(message, coupon))))


def _write(session: Session, row: Campaign, member_ids: list[int], *, now: datetime) -> None:
    if row.template_id is None or not member_ids:
        return
    template = session.get_one(MessageTemplate, row.template_id)
    messages.put(
        session,
        template,
        {one: f"campaign:{row.id}:{one}" for one in member_ids},
        values_of(row),
        now=now,
        campaign_id=row.id,
        page=page_of(row, template),
    )


def _give_coupons(session: Session, campaign_id: int, *, now: datetime) -> int:
    row = session.get_one(Campaign, campaign_id, with_for_update={"read": True})
    if row.state is not CampaignState.SENDING or row.coupon_template_id is None:
        return 0
    due = session.scalars(
        sa.select(CampaignRecipient)
        .where(CampaignRecipient.campaign_id == row.id, CampaignRecipient.coupon_note == DUE)
        .order_by(CampaignRecipient.member_id)
        .limit(COUPONS)
        .with_for_update(skip_locked=True)
    ).all()
    reward = Reward.coupon(row.coupon_template_id)
    for one in due:
        given = rewards.give(
            session,
            one.member_id,
            reward,
            key=f"campaign:{row.id}:{one.member_id}",
            source=RewardSource.INTERACTION,
            now=now,
        )
        one.coupon_note = GIVEN if given.state is RewardState.GIVEN else given.refusal
    return len(due)


def values_of(row: Campaign) -> dict[str, Value]:
    """Return what a campaign's message says."""
    return {
        name: datetime.fromisoformat(text) if name == "until" else text
        for name, text in row.values.items()
    }


def page_of(row: Campaign, template: MessageTemplate) -> str:
    """Return the page a campaign's message opens; it carries the campaign, to count who came."""
    page = row.page or template.page
    if not page:
        return ""
    return f"{page}{'&' if '?' in page else '?'}{PAGE_PARAMETER}={row.id}"


def _people(session: Session, row: Campaign, *, now: datetime) -> sa.Select[int]:
    segment = session.get_one(Segment, row.segment_id)
    return members_of(SegmentRule.read(segment.rule), store_id=row.store_id, now=now)


def _segment(session: Session, segment_id: int) -> Segment:
    row = session.get(Segment, segment_id)
    if row is None or row.retired_at is not None:
        raise InteractionNotFound
    return row


def _content(session: Session, draft: CampaignDraft) -> dict[str, Any]:
    """Return what a campaign says and gives. Raises `CampaignInvalid`."""
    says = {name: text.strip() for name, text in draft.says.items() if text.strip()}
    template = messages.template_of(session, CAMPAIGN) if says else None
    if says and (template is None or set(says) - set(OCCASIONS[CAMPAIGN].values)):
        raise CampaignInvalid(CampaignFlaw.TEMPLATE)
    if template is None and draft.coupon_template_id is None:
        raise CampaignInvalid(CampaignFlaw.NOTHING)
    return {
        "template_id": None if template is None else template.id,
        "values": says,
        "page": draft.page,
        "coupon_template_id": draft.coupon_template_id,
        "control_bp": draft.control_bp,
    }


def _require_sendable(session: Session, row: Campaign, *, now: datetime) -> None:
    if row.template_id is not None:
        template = session.get_one(MessageTemplate, row.template_id)
        try:
            compose(template.fields, values_of(row))
        except ValueError:
            raise CampaignInvalid(CampaignFlaw.TEMPLATE) from None
        if not template.is_active:
            raise CampaignInvalid(CampaignFlaw.TEMPLATE)
    if row.coupon_template_id is not None:
        coupon = session.get(CouponTemplate, row.coupon_template_id)
        if coupon is None or coupon.ended_at is not None or coupon.issued >= coupon.stock:
            raise CampaignInvalid(CampaignFlaw.COUPON)
        if coupon.valid_until_at is not None and coupon.valid_until_at <= now:
            raise CampaignInvalid(CampaignFlaw.COUPON)


def _move(
    session: Session,
    campaign_id: int,
    event: CampaignEvent,
    action: str,
    actor: Actor,
    now: datetime,
) -> Campaign:
    row = locked(session, campaign_id)
    row.advance(event, now=now, actor=str(actor))
    _record(session, actor, action, row, now=now)
    return row


def _record(session: Session, actor: Actor, action: str, row: Campaign, *, now: datetime) -> None:
    subject = Subject("campaign", row.id, row.store_id)
    change = Change({}, {"name": row.name, "state": row.state.value, "audience": row.audience})
    audit.record(session, actor, action, subject, change, now=now)
