"""Every view of rows, in the order of the navigation."""

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.base import ScopedView
from admin.navigation import (
    ACTIVITIES,
    CARDS,
    CUSTOMERS,
    DATA,
    DISTRIBUTION,
    MONEY,
    ORDERS,
    POINTS,
    REACH,
    SETTINGS,
    WORK,
)
from admin.views.activities import ActivitiesView, BargainsView, BuyingGroupsView
from admin.views.approvals import ApprovalsView
from admin.views.attribution import BindingsView, ChannelsView, ShareCodesView, TouchesView
from admin.views.audit import AuditChecksView, AuditView
from admin.views.campaigns import CampaignsView, CareRulesView
from admin.views.card_visits import CardBookingsView, CardUsesView
from admin.views.catalog import ProductsView, StockMovementsView, StockView
from admin.views.clawbacks import ClawbacksView
from admin.views.coupon_templates import CouponTemplatesView
from admin.views.coupons import CouponPushesView, CouponsView
from admin.views.disputes import DisputesView
from admin.views.distributors import DistributorsView
from admin.views.draws import CheckInsView, DrawTicketsView, InviteRoundsView
from admin.views.follow_ups import FollowUpsView
from admin.views.gifts import GiftsView
from admin.views.guest_cards import CardTemplatesView, GuestCardsView
from admin.views.holdings import HoldingsView
from admin.views.imports import ExpectedMembersView, HistoricOrdersView, ImportsView
from admin.views.ledger import AccountsView, EntriesView
from admin.views.levels import LevelsView, LevelWarningsView
from admin.views.loyalty import GivenRewardsView, MemberTasksView
from admin.views.members import MembersView
from admin.views.membership import GrowthView, LevelMovesView, MembershipLevelsView
from admin.views.messages import MessagesView, MessageTemplatesView
from admin.views.money import AwardRefusalsView, AwardsView, PayoutsView
from admin.views.monitor import TeamStopsView
from admin.views.months import MonthsView
from admin.views.nicknames import NicknamesView
from admin.views.notes import NotesView, TagsView
from admin.views.operations import NoticesView, TasksView
from admin.views.orders import OrdersView, RefundsView
from admin.views.places import PlacesView
from admin.views.plans import PlanVersionsView
from admin.views.points import (
    MallExchangesView,
    MallItemsView,
    PointEntriesView,
    PointLotsView,
)
from admin.views.posters import PostersView
from admin.views.preferences import SettingsView
from admin.views.privacy import PrivacyRequestsView
from admin.views.questionnaires import QuestionnaireAnswersView, QuestionnairesView
from admin.views.regions import RegionsView
from admin.views.reviews import ReviewsView
from admin.views.risk import RiskFlagsView
from admin.views.roles import RolesView
from admin.views.segments import SegmentsView
from admin.views.simulations import SimulationsView
from admin.views.staff import StaffView
from admin.views.staff_sessions import StaffSessionsView
from admin.views.stores import StoresView
from admin.views.team import TeamView
from app.activities.bargain_models import Bargain
from app.activities.draw_models import CheckIn, DrawTicket, InviteRound
from app.activities.group_models import BuyingGroup
from app.activities.models import Activity
from app.approvals.models import Approval
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding, Channel, ShareCode, Touch
from app.catalog.models import Product, StockLevel, StockMovement
from app.coupons.models import Coupon, CouponPush, CouponTemplate
from app.distribution.models import Award, AwardRefusal, AwardReversal, LevelPeriod
from app.distribution.plan_records import (
    ClosedMonth,
    Gift,
    LevelWarning,
    PlanPlace,
    PlanSimulation,
)
from app.guest_cards.models import CardBooking, CardTemplate, CardUse, GuestCard
from app.imports.models import HistoricOrder, ImportRun
from app.interactions.audience_models import Campaign, CareRule, Segment
from app.interactions.message_models import Message, MessageTemplate
from app.interactions.questionnaire_models import Questionnaire, QuestionnaireAnswer
from app.interactions.review_models import Review
from app.kernel.audit import AuditRecord
from app.kernel.audit_checks import AuditCheck
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.ledger.models import LedgerAccount, LedgerEntry
from app.loyalty.models import GivenReward, MemberTask
from app.members.avatar_models import DoubtfulNickname
from app.members.expected import ExpectedMember
from app.members.file_models import FollowUp, MemberNote, Tag
from app.members.models import Distributor, Member, TeamStop
from app.membership.models import GrowthEntry, LevelMove, MembershipLevel
from app.orders.models import Order, Refund
from app.payouts.models import Payout
from app.plans.models import PlanVersion
from app.points.mall_models import MallExchange, MallItem
from app.points.models import PointEntry, PointLot
from app.posters.models import PosterTemplate
from app.preferences.models import SettingChange
from app.privacy.models import PrivacyRequest
from app.risk.models import RiskFlag
from app.stores.models import Region, Role, Staff, Store
from app.stores.session_models import StaffSession

VIEWS = (
    (ApprovalsView, Approval, _("Approvals"), WORK, "approvals"),
    (FollowUpsView, FollowUp, _("Follow-ups"), WORK, "follow_ups"),
    (OrdersView, Order, _("Orders"), ORDERS, "orders"),
    (HistoricOrdersView, HistoricOrder, _("Historic orders"), ORDERS, "historic_orders"),
    (RefundsView, Refund, _("Refunds"), ORDERS, "refunds"),
    (GiftsView, Gift, _("Gifts"), ORDERS, "gifts"),
    (ProductsView, Product, _("Products"), ORDERS, "products"),
    (StockView, StockLevel, _("Stock"), ORDERS, "stock"),
    (StockMovementsView, StockMovement, _("Stock movements"), ORDERS, "stock_movements"),
    (MembersView, Member, _("Customers"), CUSTOMERS, "members"),
    (NotesView, MemberNote, _("Notes"), CUSTOMERS, "notes"),
    (TagsView, Tag, _("Tags"), CUSTOMERS, "tags"),
    (BindingsView, Binding, _("Ownership"), CUSTOMERS, "bindings"),
    (DisputesView, OwnershipDispute, _("Disputes"), CUSTOMERS, "disputes"),
    (TouchesView, Touch, _("Touches"), CUSTOMERS, "touches"),
    (ExpectedMembersView, ExpectedMember, _("Expected customers"), CUSTOMERS, "expected_members"),
    (DistributorsView, Distributor, _("Distributors"), DISTRIBUTION, "distributors"),
    (TeamView, Distributor, _("Team tree"), DISTRIBUTION, "team"),
    (LevelsView, LevelPeriod, _("Levels"), DISTRIBUTION, "levels"),
    (LevelWarningsView, LevelWarning, _("Level warnings"), DISTRIBUTION, "level_warnings"),
    (TeamStopsView, TeamStop, _("Teams under watch"), DISTRIBUTION, "team_stops"),
    (RiskFlagsView, RiskFlag, _("Risk flags"), DISTRIBUTION, "risk_flags"),
    (PlacesView, PlanPlace, _("Teams and rounds"), DISTRIBUTION, "places"),
    (HoldingsView, PlanPlace, _("Shareholders"), DISTRIBUTION, "holdings"),
    (ShareCodesView, ShareCode, _("Share codes"), DISTRIBUTION, "share_codes"),
    (ChannelsView, Channel, _("Channels"), DISTRIBUTION, "channels"),
    (PlanVersionsView, PlanVersion, _("Plans"), DISTRIBUTION, "plan_versions"),
    (SimulationsView, PlanSimulation, _("Simulations"), DISTRIBUTION, "simulations"),
    (CardTemplatesView, CardTemplate, _("Guest cards"), CARDS, "card_templates"),
    (GuestCardsView, GuestCard, _("Cards of friends"), CARDS, "guest_cards"),
    (CardBookingsView, CardBooking, _("Bookings"), CARDS, "card_bookings"),
    (CardUsesView, CardUse, _("Uses of guest cards"), CARDS, "card_uses"),
    (CouponTemplatesView, CouponTemplate, _("Coupons"), CARDS, "coupon_templates"),
    (CouponsView, Coupon, _("Coupons of customers"), CARDS, "coupons"),
    (CouponPushesView, CouponPush, _("Pushes of coupons"), CARDS, "coupon_pushes"),
    (ActivitiesView, Activity, _("Activities"), ACTIVITIES, "activities"),
    (BuyingGroupsView, BuyingGroup, _("Groups"), ACTIVITIES, "buying_groups"),
    (BargainsView, Bargain, _("Bargains"), ACTIVITIES, "bargains"),
    (DrawTicketsView, DrawTicket, _("Draws and prizes"), ACTIVITIES, "draw_tickets"),
    (InviteRoundsView, InviteRound, _("Rounds with friends"), ACTIVITIES, "invite_rounds"),
    (CheckInsView, CheckIn, _("Check-ins"), ACTIVITIES, "check_ins"),
    (PointEntriesView, PointEntry, _("Points"), POINTS, "point_entries"),
    (PointLotsView, PointLot, _("Lots of points"), POINTS, "point_lots"),
    (MallItemsView, MallItem, _("Points mall"), POINTS, "mall_items"),
    (MallExchangesView, MallExchange, _("Exchanges"), POINTS, "mall_exchanges"),
    (MembershipLevelsView, MembershipLevel, _("Membership levels"), POINTS, "membership_levels"),
    (LevelMovesView, LevelMove, _("Changes of level"), POINTS, "level_moves"),
    (GrowthView, GrowthEntry, _("Growth"), POINTS, "growth_entries"),
    (MemberTasksView, MemberTask, _("Tasks for customers"), POINTS, "member_tasks"),
    (GivenRewardsView, GivenReward, _("Rewards"), POINTS, "given_rewards"),
    (PostersView, PosterTemplate, _("Posters"), REACH, "poster_templates"),
    (SegmentsView, Segment, _("Segments"), REACH, "segments"),
    (CampaignsView, Campaign, _("Campaigns"), REACH, "campaigns"),
    (CareRulesView, CareRule, _("Care"), REACH, "care_rules"),
    (QuestionnairesView, Questionnaire, _("Questionnaires"), REACH, "questionnaires"),
    (QuestionnaireAnswersView, QuestionnaireAnswer, _("Answers"), REACH, "questionnaire_answers"),
    (ReviewsView, Review, _("Reviews"), REACH, "reviews"),
    (NicknamesView, DoubtfulNickname, _("Nicknames to look at"), REACH, "nicknames"),
    (MessageTemplatesView, MessageTemplate, _("Occasions"), REACH, "message_templates"),
    (MessagesView, Message, _("Messages"), REACH, "messages"),
    (AwardsView, Award, _("Commission"), MONEY, "awards"),
    (AwardRefusalsView, AwardRefusal, _("Not paid"), MONEY, "award_refusals"),
    (ClawbacksView, AwardReversal, _("Taken back"), MONEY, "clawbacks"),
    (MonthsView, ClosedMonth, lazy_pgettext("closed", "Months"), MONEY, "months"),
    (PayoutsView, Payout, _("Payouts"), MONEY, "payouts"),
    (AccountsView, LedgerAccount, _("Accounts"), MONEY, "ledger_accounts"),
    (EntriesView, LedgerEntry, _("Ledger"), MONEY, "ledger_entries"),
    (ImportsView, ImportRun, _("Imports"), DATA, "imports"),
    (PrivacyRequestsView, PrivacyRequest, _("Personal data"), DATA, "privacy_requests"),
    (StoresView, Store, _("Stores"), SETTINGS, "stores"),
    (RegionsView, Region, _("Regions"), SETTINGS, "regions"),
    (StaffView, Staff, _("Staff"), SETTINGS, "staff"),
    (RolesView, Role, _("Roles"), SETTINGS, "roles"),
    (StaffSessionsView, StaffSession, _("Sessions"), SETTINGS, "staff_sessions"),
    (SettingsView, SettingChange, _("Settings"), SETTINGS, "settings"),
    (AuditView, AuditRecord, _("Audit trail"), SETTINGS, "audit"),
    (AuditChecksView, AuditCheck, _("Proof of the trail"), SETTINGS, "audit_checks"),
    (TasksView, Task, _("Tasks"), SETTINGS, "tasks"),
    (NoticesView, InboxNotice, _("WeChat notices"), SETTINGS, "notices"),
)


def views() -> list[ScopedView]:
    """Make every view for one application."""
    return [
        kind(model, name=name, category=category, endpoint=endpoint)
        for kind, model, name, category, endpoint in VIEWS
    ]
