"""From ids to the names people know, a page at a time, and only within the reader's stores.

A page gathers every id it shows, asks for all names of a kind in one query, and links to the page
behind each. What lies outside the reader's stores is neither named nor linked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.i18n import gettext, locale
from admin.labels import label_of
from admin.scopes import (
    AnySelect,
    Scope,
    brand_only,
    by_distributor,
    by_member,
    by_store,
    by_store_else_member,
    either,
    everybody,
    of_order_or_month,
    region_of_store,
    touching_stores,
    within_stores,
)
from app.activities.bargain_models import Bargain
from app.activities.group_models import BuyingGroup
from app.activities.models import Activity
from app.approvals.models import Approval
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding, Channel, ShareCode
from app.catalog.models import Product
from app.coupons.models import Coupon, CouponTemplate
from app.distribution.models import Award
from app.distribution.plan_records import ClosedMonth
from app.guest_cards import queries as guest_cards
from app.guest_cards.models import CardTemplate, GuestCard
from app.imports.models import HistoricOrder, ImportRun
from app.interactions.audience_models import Campaign, CareRule, Segment
from app.interactions.message_models import MessageTemplate
from app.interactions.questionnaire_models import Questionnaire
from app.interactions.review_models import Review
from app.kernel.i18n import ENGLISH
from app.ledger.models import LedgerAccount
from app.members.expected import ExpectedMember
from app.members.file_models import FollowUp, MemberNote
from app.members.models import Distributor, Member
from app.membership.models import LEVEL_NAME, MembershipLevel
from app.orders.models import Order, Refund
from app.payouts.models import Payout
from app.plans.models import Plan, PlanVersion
from app.points.mall_models import MallExchange, MallItem
from app.posters.models import PosterTemplate
from app.preferences.catalogue import BY_NAME
from app.preferences.models import SettingChange
from app.stores.models import Region, Staff, Store

CODE_SHOWN: Final = 6
"""Enough of a share code to tell two apart on a page, too little to use."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of another kind: which register it is in, and its id there."""

    register: str
    id: int


@dataclass(frozen=True, slots=True)
class Register:
    """How rows of one kind are named, who may know them, and where their page is."""

    endpoint: str
    id: InstrumentedAttribute[int]
    facts: AnySelect
    """The id first, then what the name is made of."""
    name: Callable[[Any], str]
    scope: Scope


def _member_name(row: Any) -> str:
    return row.nickname or gettext("Customer %(id)s", id=row[0])


def _product_name(row: Any) -> str:
    return str(row.title_en or row.title) if locale() == ENGLISH else str(row.title)


def _account_name(row: Any) -> str:
    name = str(label_of(row.name))
    return f"{name} · {row.nickname}" if row.nickname else name


_OF_ORDER: Final[Scope] = by_store(Order.store_id)

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
    "members": Register(
        "members",
        Member.id,
        sa.select(Member.id, Member.nickname),
        _member_name,
        by_member(Member.id),
    ),
    "distributors": Register(
        "distributors",
        Distributor.member_id,
        sa.select(Distributor.member_id, Member.nickname).join(Distributor.member),
        _member_name,
        by_store(Distributor.store_id),
    ),
    "stores": Register(
        "stores",
        Store.id,
        sa.select(Store.id, Store.name),
        lambda row: str(row.name),
        by_store(Store.id),
    ),
    "coupon_templates": Register(
        "coupon_templates",
        CouponTemplate.id,
        sa.select(CouponTemplate.id, CouponTemplate.title, CouponTemplate.title_en),
        _product_name,
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
        _product_name,
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
    "regions": Register(
        "regions",
        Region.id,
        sa.select(Region.id, Region.name),
        lambda row: str(row.name),
        region_of_store(Region.id),
    ),
    "orders": Register(
        "orders",
        Order.id,
        sa.select(Order.id, Order.number),
        lambda row: str(row.number),
        _OF_ORDER,
    ),
    "refunds": Register(
        "refunds",
        Refund.id,
        sa.select(Refund.id, Refund.number).join(Order, Order.id == Refund.order_id),
        lambda row: str(row.number),
        _OF_ORDER,
    ),
    "products": Register(
        "products",
        Product.id,
        sa.select(Product.id, Product.title, Product.title_en),
        _product_name,
        everybody,
    ),
    "membership_levels": Register(
        "membership_levels",
        MembershipLevel.id,
        sa.select(MembershipLevel.id, LEVEL_NAME),
        lambda row: str(row[1]),
        everybody,
    ),
    "channels": Register(
        "channels",
        Channel.id,
        sa.select(Channel.id, Channel.name),
        lambda row: str(row.name),
        either(by_store(Channel.store_id), by_distributor(Channel.owner_id)),
    ),
    "share_codes": Register(
        "share_codes",
        ShareCode.id,
        sa.select(ShareCode.id, ShareCode.code),
        lambda row: f"{row.code[:CODE_SHOWN]}…",
        either(by_store(ShareCode.owner_store_id), by_distributor(ShareCode.distributor_id)),
    ),
    "bindings": Register(
        "bindings",
        Binding.id,
        sa.select(Binding.id),
        lambda row: gettext("Binding %(id)s", id=row[0]),
        by_member(Binding.customer_id),
    ),
    "disputes": Register(
        "disputes",
        OwnershipDispute.id,
        sa.select(OwnershipDispute.id),
        lambda row: gettext("Dispute %(id)s", id=row[0]),
        by_member(OwnershipDispute.customer_id),
    ),
    "approvals": Register(
        "approvals",
        Approval.id,
        sa.select(Approval.id),
        lambda row: gettext("Request %(id)s", id=row[0]),
        by_store(Approval.store_id),
    ),
    "notes": Register(
        "notes",
        MemberNote.id,
        sa.select(MemberNote.id),
        lambda row: gettext("Note %(id)s", id=row[0]),
        by_member(MemberNote.member_id),
    ),
    "follow_ups": Register(
        "follow_ups",
        FollowUp.id,
        sa.select(FollowUp.id),
        lambda row: gettext("Follow-up %(id)s", id=row[0]),
        by_member(FollowUp.member_id),
    ),
    "awards": Register(
        "awards",
        Award.id,
        sa.select(Award.id),
        lambda row: gettext("Commission %(id)s", id=row[0]),
        of_order_or_month(Award.order_id, Award.closed_month_id),
    ),
    "closed_months": Register(
        "months",
        ClosedMonth.id,
        sa.select(ClosedMonth.id, ClosedMonth.month, Plan.name).join(
            Plan, Plan.id == ClosedMonth.plan_id
        ),
        lambda row: f"{row.name} · {row.month}",
        by_store(ClosedMonth.store_id),
    ),
    "payouts": Register(
        "payouts",
        Payout.id,
        sa.select(Payout.id, Payout.number),
        lambda row: str(row.number),
        by_distributor(Payout.member_id),
    ),
    "plan_versions": Register(
        "plan_versions",
        PlanVersion.id,
        sa.select(PlanVersion.id, PlanVersion.number, Plan.name).join(PlanVersion.plan),
        lambda row: f"{row.name} v{row.number}",
        everybody,
    ),
    "plans": Register(
        "plans", Plan.id, sa.select(Plan.id, Plan.name), lambda row: str(row.name), everybody
    ),
    "accounts": Register(
        "ledger_accounts",
        LedgerAccount.id,
        sa.select(LedgerAccount.id, LedgerAccount.name, Member.nickname).outerjoin(
            Member, Member.id == LedgerAccount.member_id
        ),
        _account_name,
        by_distributor(LedgerAccount.member_id),
    ),
    "expected_members": Register(
        "expected_members",
        ExpectedMember.id,
        sa.select(ExpectedMember.id, ExpectedMember.old_number),
        lambda row: row.old_number or gettext("Expected customer %(id)s", id=row[0]),
        by_store(ExpectedMember.origin_store_id),
    ),
    "historic_orders": Register(
        "historic_orders",
        HistoricOrder.id,
        sa.select(HistoricOrder.id, HistoricOrder.number),
        lambda row: str(row.number),
        by_store(HistoricOrder.store_id),
    ),
    "imports": Register(
        "imports",
        ImportRun.id,
        sa.select(ImportRun.id, ImportRun.file_name),
        lambda row: str(row.file_name),
        within_stores(ImportRun.store_ids),
    ),
    "settings": Register(
        "settings",
        SettingChange.id,
        sa.select(SettingChange.id, SettingChange.name),
        lambda row: gettext(BY_NAME[row.name].label) if row.name in BY_NAME else str(row.name),
        brand_only,
    ),
    "staff": Register(
        "staff",
        Staff.id,
        sa.select(Staff.id, Staff.name),
        lambda row: str(row.name),
        everybody,
    ),
}

BY_COLUMN: Final[Mapping[str, str]] = {
    "member_id": "members",
    "customer_id": "members",
    "owner_id": "distributors",
    "beneficiary_id": "distributors",
    "distributor_id": "distributors",
    "recommender_id": "distributors",
    "store_id": "stores",
    "origin_store_id": "stores",
    "owner_store_id": "stores",
    "region_id": "regions",
    "order_id": "orders",
    "refund_id": "refunds",
    "payout_id": "payouts",
    "product_id": "products",
    "binding_id": "bindings",
    "award_id": "awards",
    "channel_id": "channels",
    "share_code_id": "share_codes",
    "plan_id": "plans",
    "plan_version_id": "plan_versions",
    "closed_month_id": "closed_months",
    "source_id": "accounts",
    "target_id": "accounts",
    "asked_by_id": "staff",
    "decided_by_id": "staff",
    "claimant_id": "distributors",
    "claimant_store_id": "stores",
    "author_id": "staff",
    "assignee_id": "staff",
    "ended_by_id": "staff",
    "approver_id": "staff",
    "first_approver_id": "staff",
    "second_approver_id": "staff",
}
"""Which register a column of this name points into, unless a view says otherwise."""


class Directory:
    """The names of one page, loaded once."""

    def __init__(
        self,
        session: Session,
        wanted: Iterable[Reference],
        *,
        store_ids: frozenset[int] | None,
    ) -> None:
        """Ask for the names of everything wanted, one query a kind."""
        by_register: defaultdict[str, set[int]] = defaultdict(set)
        for reference in wanted:
            by_register[reference.register].add(reference.id)
        self._names: dict[Reference, str] = {}
        self._sees_all = store_ids is None
        for kind, ids in by_register.items():
            register = REGISTERS[kind]
            query = register.facts.where(register.id.in_(ids))
            if store_ids is not None:
                query = query.where(register.scope(store_ids))
            for row in session.execute(query):
                self._names[Reference(kind, row[0])] = register.name(row)

    def knows(self, reference: Reference) -> bool:
        """Tell whether the row exists and is the reader's to know."""
        return reference in self._names

    def name(self, reference: Reference) -> str:
        """Return what the reader may call it; of what is not theirs, not even the number."""
        unknown = f"#{reference.id}" if self._sees_all else gettext("Other store")
        return self._names.get(reference) or unknown

    def link(self, reference: Reference) -> Markup:
        """Return the name, linked to its page where the reader may open it."""
        name = self.name(reference)
        endpoint = REGISTERS[reference.register].endpoint
        view = current_app.extensions["backoffice"].get(endpoint)
        if reference not in self._names or view is None or not view.is_accessible():
            return Markup('<span class="ref">{}</span>').format(name)
        url = url_for(f"{endpoint}.details_view", id=reference.id)
        return Markup('<a class="ref" href="{}">{}</a>').format(url, name)
