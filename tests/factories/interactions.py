"""Templates of messages, permissions, segments, campaigns and reviews for tests."""

import io
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any, Final

from PIL import Image
from sqlalchemy.orm import Session

from app.interactions import campaigns, messages, segments
from app.interactions.audience_models import Campaign, Segment
from app.interactions.campaigns import CampaignDraft
from app.interactions.message_models import MessagePermission, MessageTemplate
from app.interactions.messages import TemplateDraft
from app.interactions.occasions import CAMPAIGN
from app.interactions.review_models import Review, ReviewPicture
from app.interactions.states import ReviewState
from app.kernel.audit import Actor
from app.members.models import Consent, ConsentPurpose, Member
from app.orders.models import Order
from app.stores.models import Staff, Store
from tests.factories.people import NOON, make_staff

SAID: Final = {"thing1": "title", "thing2": "text", "time3": "until"}
PAID: Final = {"character_string1": "number", "thing2": "store", "amount3": "amount"}
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "campaign": {"thing1": "title", "thing2": "text"},
    "care": {"thing1": "title"},
    "order_paid": PAID,
    "order_refunded": PAID,
    "review_replied": {"thing1": "title", "thing2": "text"},
    "booking_reminder": {"thing1": "title", "thing2": "store", "time3": "at"},
    "coupon_expiring": {"thing1": "title", "time2": "until"},
    "points_expiring": {"number1": "points", "time2": "until"},
    "level_warned": {"number1": "level", "time2": "until"},
    "team_stopped": {"number1": "people", "time2": "at"},
    "payout_to_confirm": {"character_string1": "number", "amount2": "amount"},
    "guest_card_claimed": {"thing1": "title", "name2": "friend"},
    "guest_card_used": {"thing1": "title", "name2": "friend"},
    "booking_made": {"thing1": "title", "thing2": "store", "time3": "at"},
    "booking_missed": {"thing1": "title", "thing2": "store", "time3": "at"},
    "invite_complete": {"thing1": "title", "number2": "people"},
    "coupon_given": {"thing1": "title", "time2": "until"},
    "group_completed": {"thing1": "title", "number2": "people"},
    "group_failed": {"thing1": "title", "number2": "people"},
}
_numbers = count(1)


def wechat_id(key: str) -> str:
    """A template id as WeChat gives them: 43 letters, digits and signs."""
    return f"TMPL-{key}".ljust(43, "x")[:43]


def actor_of(staff: Staff) -> Actor:
    return Actor("staff", staff.id)


def make_template(session: Session, key: str = "campaign", **changes: Any) -> MessageTemplate:
    values = {
        "key": key,
        "name": key,
        "wechat_template_id": wechat_id(key),
        "page": "pages/me/me",
        "fields": FIELDS[key],
        **changes,
    }
    draft = TemplateDraft(**values)
    return messages.save_template(session, draft, actor=Actor("staff", 1), now=NOON)


def allow(session: Session, member: Member, key: str, taps: int = 1) -> None:
    """Let somebody have tapped "allow" so often, as far as we know."""
    session.add(
        MessagePermission(
            member_id=member.id, wechat_template_id=wechat_id(key), left=taps, asked_at=NOON
        )
    )
    session.flush()


def agree_to_marketing(session: Session, member: Member, now: datetime = NOON) -> None:
    session.add(
        Consent(
            member_id=member.id,
            purpose=ConsentPurpose.MARKETING,
            version="2026-11",
            granted_at=now,
        )
    )
    session.flush()


def make_segment(
    session: Session,
    *,
    rule: Mapping[str, Any] | None = None,
    store: Store | None = None,
    staff: Staff | None = None,
    name: str | None = None,
) -> Segment:
    """Everybody, unless a rule says whom."""
    return segments.create_segment(
        session,
        name=name or f"Segment {next(_numbers)}",
        store_id=None if store is None else store.id,
        document=dict(rule or {}),
        actor=actor_of(staff or make_staff(session)),
        now=NOON,
    )


def make_campaign(
    session: Session,
    *,
    segment: Segment | None = None,
    staff: Staff | None = None,
    says: Mapping[str, str] | None = None,
    coupon_template_id: int | None = None,
    control_bp: int = 0,
    name: str | None = None,
) -> Campaign:
    """A draft; it needs a template for campaigns where it says something."""
    staff = staff or make_staff(session)
    if messages.template_of(session, CAMPAIGN) is None:
        make_template(session)
    draft = CampaignDraft(
        name=name or f"Campaign {next(_numbers)}",
        segment_id=(segment or make_segment(session, staff=staff)).id,
        says={"title": "Spring", "text": "A pot of tea is waiting"} if says is None else says,
        coupon_template_id=coupon_template_id,
        control_bp=control_bp,
    )
    return campaigns.create_campaign(session, draft, actor=actor_of(staff), now=NOON)


def make_review(
    session: Session,
    order: Order,
    *,
    stars: int = 5,
    text: str = "Good",
    state: ReviewState = ReviewState.SHOWN,
    is_anonymous: bool = False,
) -> Review:
    """A review of the first line of an order."""
    line = order.lines[0]
    row = Review(
        member_id=order.member_id,
        order_line_id=line.id,
        order_id=order.id,
        product_id=line.product_id,
        store_id=order.store_id,
        stars=stars,
        text=text,
        is_anonymous=is_anonymous,
        state=state,
        hidden_reason="insults" if state is ReviewState.HIDDEN else "",
        written_at=NOON,
    )
    session.add(row)
    session.flush()
    return row


def make_picture(session: Session, review: Review) -> ReviewPicture:
    """A red dot."""
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 60)).save(drawn, "JPEG")
    row = ReviewPicture(review_id=review.id, position=1, content=drawn.getvalue(), added_at=NOON)
    session.add(row)
    session.flush()
    return row
