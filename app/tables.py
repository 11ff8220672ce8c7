"""Every table there is: importing this module fills `Base.metadata`."""

from app.activities import bargain_models, draw_models, group_models
from app.activities import models as activities
from app.approvals import models as approvals
from app.attribution import dispute_models as disputes
from app.attribution import models as attribution
from app.catalog import models as catalog
from app.counter import models as counter
from app.coupons import models as coupons
from app.distribution import models as distribution
from app.distribution import plan_records
from app.guest_cards import models as guest_cards
from app.imports import models as imports
from app.insight import models as insight
from app.interactions import audience_models as audiences
from app.interactions import message_models, questionnaire_models, review_models
from app.kernel import audit, audit_checks, idempotency, inbox, outbox
from app.kernel.db import Base
from app.ledger import models as ledger
from app.loyalty import models as loyalty
from app.members import avatar_models
from app.members import expected as expected_members
from app.members import file_models as member_files
from app.members import former as former_customers
from app.members import models as members
from app.membership import models as membership
from app.orders import discount_models, handover_models
from app.orders import models as orders
from app.payouts import models as payouts
from app.plans import models as plans
from app.points import mall_models
from app.points import models as points
from app.posters import models as posters
from app.preferences import models as preferences
from app.privacy import models as privacy
from app.risk import models as risk
from app.stores import models as stores
from app.stores import session_models as staff_sessions
from app.stores import staff_mode_models
from app.stores import view_models as saved_views

__all__ = [
    "Base",
    "activities",
    "approvals",
    "attribution",
    "audiences",
    "audit",
    "audit_checks",
    "avatar_models",
    "bargain_models",
    "catalog",
    "counter",
    "coupons",
    "discount_models",
    "disputes",
    "distribution",
    "draw_models",
    "expected_members",
    "former_customers",
    "group_models",
    "guest_cards",
    "handover_models",
    "idempotency",
    "imports",
    "inbox",
    "insight",
    "ledger",
    "loyalty",
    "mall_models",
    "member_files",
    "members",
    "membership",
    "message_models",
    "orders",
    "outbox",
    "payouts",
    "plan_records",
    "plans",
    "points",
    "posters",
    "preferences",
    "privacy",
    "questionnaire_models",
    "review_models",
    "risk",
    "saved_views",
    "staff_mode_models",
    "staff_sessions",
    "stores",
]
