"""What the toolbox hands out and runs: cards, coupons, points, levels, activities, messages."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from admin.i18n import gettext
from admin.registers.kinds import Register, title_of
from admin.scopes import (
    brand_only,
    by_member,
    by_store,
    by_store_else_member,
    everybody,
    touching_stores,
)
from app.activities import draws
from app.activities.bargain_models import Bargain
from app.activities.draw_models import DrawPrize, DrawTicket, InviteRound
from app.activities.group_models import BuyingGroup
from app.activities.models import Activity
from app.coupons.models import Coupon, CouponTemplate
from app.guest_cards import queries as guest_cards
from app.guest_cards.models import CardTemplate, GuestCard
from app.interactions.audience_models import Campaign, CareRule, Segment
from app.interactions.message_models import MessageTemplate
from app.interactions.questionnaire_models import Questionnaire
from app.interactions.review_models import Review
from app.loyalty.models import GivenReward, MemberTask
from app.membership.models import LEVEL_NAME, MembershipLevel
from app.points.mall_models import MallExchange, MallItem
from app.posters.models import PosterTemplate

REGISTERS: Final[Mapping[str, Register]] = {
    "segments": Register(
        "segments",
        Segment.id,
        sa.select(Segment.id, Segment.name),
        lambda row: str(row.name),
        by_store(Segment.store_id),
    ),
    "campaigns": Register(
        "campaigns",
        Campaign.id,
        sa.select(Campaign.id, Campaign.name),
        lambda row: str(row.name),
        by_store(Campaign.store_id),
    ),
    "care_rules": Register(
        "care_rules",
        CareRule.id,
        sa.select(CareRule.id, CareRule.name),
        lambda row: str(row.name),
        by_store(CareRule.store_id),
    ),
    "questionnaires": Register(
        "questionnaires",
        Questionnaire.id,
        sa.select(Questionnaire.id, Questionnaire.title),
        lambda row: str(row.title),
        by_store(Questionnaire.store_id),
    ),
    "reviews": Register(
        "reviews",
        Review.id,
        sa.select(Review.id),
        lambda row: gettext("Review %(id)s", id=row[0]),
        by_store(Review.store_id),
    ),
    "message_templates": Register(
        "message_templates",
        MessageTemplate.id,
        sa.select(MessageTemplate.id, MessageTemplate.name),
        lambda row: str(row.name),
        brand_only,
    ),
    "coupon_templates": Register(
        "coupon_templates",
        CouponTemplate.id,
        sa.select(CouponTemplate.id, CouponTemplate.title, CouponTemplate.title_en),
        title_of,
        touching_stores(CouponTemplate.store_ids),
    ),
    "poster_templates": Register(
        "poster_templates",
        PosterTemplate.id,
        sa.select(PosterTemplate.id, PosterTemplate.name),
        lambda row: str(row.name),
        touching_stores(PosterTemplate.store_ids),
    ),
    "coupons": Register(
        "coupons",
        Coupon.id,
        sa.select(Coupon.id),
        lambda row: gettext("Coupon %(id)s", id=row[0]),
        by_member(Coupon.member_id),
    ),
    "card_templates": Register(
        "card_templates",
        CardTemplate.id,
        sa.select(CardTemplate.id, CardTemplate.name),
        lambda row: str(row.name),
        touching_stores(CardTemplate.store_ids),
    ),
    "guest_cards": Register(
        "guest_cards",
        GuestCard.id,
        sa.select(GuestCard.id),
        lambda row: gettext("Guest card %(id)s", id=row[0]),
        guest_cards.tied_to,
    ),
    "mall_items": Register(
        "mall_items",
        MallItem.id,
        sa.select(MallItem.id, MallItem.title, MallItem.title_en),
        title_of,
        touching_stores(MallItem.store_ids),
    ),
    "mall_exchanges": Register(
        "mall_exchanges",
        MallExchange.id,
        sa.select(MallExchange.id, MallExchange.number),
        lambda row: str(row.number),
        by_store_else_member(MallExchange.store_id, MallExchange.member_id),
    ),
    "activities": Register(
        "activities",
        Activity.id,
        sa.select(Activity.id, Activity.name),
        lambda row: str(row.name),
        touching_stores(Activity.store_ids),
    ),
    "buying_groups": Register(
        "buying_groups",
        BuyingGroup.id,
        sa.select(BuyingGroup.id),
        lambda row: gettext("Group %(id)s", id=row[0]),
        by_store(BuyingGroup.store_id),
    ),
    "bargains": Register(
        "bargains",
        Bargain.id,
        sa.select(Bargain.id),
        lambda row: gettext("Bargain %(id)s", id=row[0]),
        by_store(Bargain.store_id),
    ),
    "draw_tickets": Register(
        "draw_tickets",
        DrawTicket.id,
        sa.select(DrawTicket.id, DrawTicket.number, DrawTicket.activity_id),
        lambda row: gettext("Ticket %(number)s of draw %(id)s", number=row[1], id=row[2]),
        draws.seen_in,
    ),
    "invite_rounds": Register(
        "invite_rounds",
        InviteRound.id,
        sa.select(InviteRound.id),
        lambda row: gettext("Round of invitations %(id)s", id=row[0]),
        by_member(InviteRound.member_id),
    ),
    "draw_prizes": Register(
        "draw_prizes",
        DrawPrize.id,
        sa.select(DrawPrize.id, DrawPrize.title),
        lambda row: str(row.title),
        everybody,
    ),
    "membership_levels": Register(
        "membership_levels",
        MembershipLevel.id,
        sa.select(MembershipLevel.id, LEVEL_NAME),
        lambda row: str(row[1]),
        everybody,
    ),
    "member_tasks": Register(
        "member_tasks",
        MemberTask.id,
        sa.select(MemberTask.id, MemberTask.title, MemberTask.title_en),
        title_of,
        everybody,
    ),
    "given_rewards": Register(
        "given_rewards",
        GivenReward.id,
        sa.select(GivenReward.id),
        lambda row: gettext("Reward %(id)s", id=row[0]),
        by_member(GivenReward.member_id),
    ),
}
