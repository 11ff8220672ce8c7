"""What the demo's brand says to its customers, and what they say."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import campaigns, care, messages, questionnaires, segments
from app.interactions.campaigns import CampaignDraft
from app.interactions.care import CareDraft
from app.interactions.message_models import MessageTemplate
from app.interactions.messages import TemplateDraft
from app.interactions.questionnaires import QuestionnaireDraft
from app.interactions.review_models import Review
from app.interactions.states import CareKind, ReviewState
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.loyalty.rewards import Reward
from app.orders.models import Order, OrderLine
from app.orders.states import OrderState
from app.stores.models import Staff

REVIEWS: Final = (
    (5, "手法很专业，环境也安静，下次还来。", "谢谢您的信任，期待再见！"),
    (5, "预约很方便，接待热情。", ""),
    (4, "整体不错，等了十分钟左右。", "给您添麻烦了，我们已经增加了晚间的人手。"),
    (3, "效果还可以，价格偏高。", ""),
    (5, "朋友推荐来的，没有失望。", ""),
    (2, "房间有点冷，已经跟店里反映了。", "非常抱歉，空调已经检修。"),
)
TEMPLATES: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    (
        "order_paid",
        "付款成功通知",
        {"character_string1": "number", "thing2": "store", "amount3": "amount", "time4": "at"},
    ),
    (
        "order_refunded",
        "退款到账通知",
        {"character_string1": "number", "amount2": "amount", "time3": "at"},
    ),
    ("booking_reminder", "预约到店提醒", {"thing1": "title", "thing2": "store", "time3": "at"}),
    ("guest_card_claimed", "好友领取通知", {"thing1": "title", "name2": "friend", "time3": "at"}),
    ("coupon_expiring", "优惠券到期提醒", {"thing1": "title", "time2": "until"}),
    ("points_expiring", "积分到期提醒", {"number1": "points", "time2": "until"}),
    ("review_replied", "评价回复通知", {"thing1": "title", "thing2": "text", "time3": "at"}),
    ("care", "生日与关怀", {"thing1": "title"}),
    ("campaign", "活动通知", {"thing1": "title", "thing2": "text", "time3": "until"}),
)
QUESTIONS: Final[list[dict[str, Any]]] = [
    {
        "kind": "choice",
        "title": "您从哪里知道我们？",
        "is_required": True,
        "options": ["朋友介绍", "路过门店", "朋友圈", "其他"],
    },
    {"kind": "scale", "title": "您对这次服务满意吗？", "is_required": True, "scale_to": 5},
    {"kind": "multi", "title": "您还想体验什么？", "options": ["面部护理", "肩颈", "足疗", "美甲"]},
    {"kind": "text", "title": "有什么想对我们说的？"},
]


def load_interactions() -> Iterator[str]:
    """Give the brand messages, reviews, segments, a campaign, care and a questionnaire, once."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(MessageTemplate.id).limit(1)) is not None:
            return
        staff = session.scalars(
            sa.select(Staff).where(Staff.sees_all_stores).order_by(Staff.id).limit(1)
        ).one()
        actor = Actor("staff", staff.id)
        _say(session, actor, now)
        _ask(session, actor, now)
        count = _review(session, actor, now)
    yield f"interactions: {count} reviews, {len(TEMPLATES)} messages, a campaign and care"


def _say(session: Session, actor: Actor, now: datetime) -> None:
    """Set up what is said when, and a campaign that somebody has still to check and send."""
    for key, name, fields in TEMPLATES:
        draft = TemplateDraft(
            key=key,
            name=name,
            wechat_template_id=f"demo_{key}_".ljust(43, "0"),
            page="pages/me/me",
            fields=fields,
        )
        messages.save_template(session, draft, actor=actor, now=now)
    named = {
        "三十天未到店": {"not_paid_days": 30},
        "从未消费": {"paid": "never"},
        "累计消费满五百元": {"spent_from_fen": 50_000},
    }
    made = [
        segments.create_segment(
            session, name=name, store_id=None, document=rule, actor=actor, now=now
        )
        for name, rule in named.items()
    ]
    says = {
        "title": "老友回店礼",
        "text": "本周到店即享护理加时",
        "until": (now + timedelta(days=7)).replace(microsecond=0).isoformat(),
    }
    campaign = CampaignDraft(name="老友回店", segment_id=made[0].id, says=says, control_bp=1_000)
    campaigns.create_campaign(session, campaign, actor=actor, now=now)
    for care_draft in (
        CareDraft(
            name="生日祝福",
            kind=CareKind.BIRTHDAY,
            days=0,
            message="生日快乐，礼物在等您",
            reward=Reward.points(100),
        ),
        CareDraft(
            name="六十天未到店",
            kind=CareKind.SLEEPING,
            days=60,
            message="好久不见，想您了",
            follow_up="致电问候，邀请回店体验新品。",
        ),
    ):
        care.save_rule(session, care_draft, actor=actor, now=now)


def _ask(session: Session, actor: Actor, now: datetime) -> None:
    draft = QuestionnaireDraft(title="到店体验回访", questions=QUESTIONS, reward=Reward.points(20))
    row = questionnaires.create(session, draft, actor=actor, now=now)
    questionnaires.publish(session, row.id, actor=actor, now=now)


def _review(session: Session, actor: Actor, now: datetime) -> int:
    """Let customers who received something say what they think; return how many."""
    rows = session.execute(
        sa.select(OrderLine, Order)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.state.in_((OrderState.COMPLETED, OrderState.SETTLED)),
            OrderLine.refunded_quantity == 0,
        )
        .order_by(OrderLine.id)
        .limit(len(REVIEWS))
    ).all()
    for number, ((line, order), (stars, text, reply)) in enumerate(
        zip(rows, REVIEWS, strict=False)
    ):
        written_at = (order.completed_at or now) + timedelta(hours=5)
        session.add(
            Review(
                member_id=order.member_id,
                order_line_id=line.id,
                order_id=order.id,
                product_id=line.product_id,
                store_id=order.store_id,
                stars=stars,
                text=text,
                is_anonymous=number % 3 == 2,  # noqa: PLR2004 - every third
                state=ReviewState.SHOWN,
                written_at=written_at,
                reply=reply,
                replied_at=written_at + timedelta(hours=2) if reply else None,
                replied_by_id=actor.id if reply else None,
            )
        )
    return len(rows)
