"""Two stores with one row of everything each, and rows that belong to the brand as a whole."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.engines.documents import dump_rules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel.audit import Actor
from app.kernel.ids import random_text
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.ledger.models import LedgerEntry
from app.members.file_models import Tag
from app.plans import services as plans
from app.settings import Settings
from app.stores.models import Region, Role
from app.stores.permissions import Permission
from app.stores.roles import ensure_roles
from tests.admin.place import Place
from tests.admin.world_activities import put_activities
from tests.admin.world_cards import put_cards
from tests.admin.world_coupons import put_coupons
from tests.admin.world_draws import put_draws
from tests.admin.world_interactions import put_interactions, put_occasion
from tests.admin.world_membership import put_brand_membership, put_membership
from tests.admin.world_people import (
    put_disputed,
    put_file,
    put_house,
    put_imports,
    put_levels,
    put_people,
)
from tests.admin.world_points import put_points
from tests.admin.world_posters import put_posters
from tests.admin.world_trade import put_money, put_plans, put_trade
from tests.factories.orders import make_goods
from tests.factories.people import (
    make_staff,
    make_store,
)
from tests.factories.plan_rows import (
    CHAIN,
    FISSION,
    SHAREHOLDERS,
    version_of,
)
from tests.factories.simulations import make_simulation
from tests.factories.trail import make_look

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN_ROLE: Final = "Regional manager"
"""A role that the brand made for itself."""
OWN_PERMISSIONS: Final = frozenset(
    {
        Permission.ORDERS_VIEW,
        Permission.STORES_VIEW,
        Permission.STAFF_VIEW,
        Permission.STOCK_EDIT,
        Permission.STOCK_VIEW,
        Permission.BINDINGS_VIEW,
        Permission.DISPUTES_OPEN,
        Permission.PAYOUTS_VIEW,
        Permission.APPROVALS_VIEW,
        Permission.RISK_DECIDE,
        Permission.PRIVACY_VIEW,
        Permission.AUDIT_VIEW,
        Permission.EXPORTS,
        Permission.IMPORTS,
        Permission.SETTINGS_EDIT,
    }
)
"""A choice that no built-in role makes, with rights whose views it may not open."""
FORGED: Final = ("staff.edit", "roles.edit", "fly")
"""Words in its row that must not count."""


@dataclass
class World:
    """Two stores and the brand."""

    here: Place
    there: Place
    brand: Place


def build(session: Session, settings: Settings) -> World:
    """Fill two stores and the brand with one row of everything."""
    ensure_roles(session)
    for model in (CHAIN, FISSION, SHAREHOLDERS):
        version_of(session, model)
    here, there = (_place(session, name, settings) for name in ("Here", "There"))
    for place in (here, there):
        put_plans(session, place)
    brand = Place(here.store)
    _put_brand(session, brand)
    put_occasion(session, brand)
    session.commit()
    return World(here, there, brand)


def add_beside(session: Session, settings: Settings, world: World) -> Place:
    """Fill a third store, which lies in the region of the first."""
    region = session.get(Region, world.here.store.region_id)
    place = _place(session, "Beside", settings, region)
    put_plans(session, place)
    session.commit()
    return place


def _place(session: Session, name: str, settings: Settings, region: Region | None = None) -> Place:
    place = Place(make_store(session, f"{name} store"))
    put_people(session, place, name)
    put_levels(session, place, name)
    put_file(session, place, name)
    put_trade(session, place, name)
    put_money(session, place, settings)
    put_house(session, place, name, region)
    put_imports(session, place, name)
    put_disputed(session, place, name)
    put_coupons(session, place, name)
    put_interactions(session, place, name)
    put_cards(session, place, name)
    put_posters(session, place, name)
    put_membership(session, place, name)
    put_activities(session, place, name)
    put_draws(session, place, name)
    put_points(session, place, name)
    return place


def _put_brand(session: Session, brand: Place) -> None:
    """What has no store: for staff who see all stores, or for everybody who may see its kind."""
    product = make_goods(session, brand.store)
    brand.put("products", product.id, product.title)
    tag = Tag(name="Tag of the brand", created_at=NOON)
    session.add(tag)
    session.flush()
    brand.put("tags", tag.id, "Tag of the brand")
    plan = plans.create_plan(session, "Brand plan", model="CHANNEL_TWO_LEVEL", now=NOON)
    author = make_staff(session, "operations", name="Author")
    version = plans.draft(
        session,
        plan.id,
        plans.Draft(rules=dump_rules(TwoLevelRules()), note="draft of the brand"),
        actor=Actor("staff", author.id),
        now=NOON,
    )
    brand.put("plan_versions", version.id, "draft of the brand")
    brand.put("simulations", make_simulation(session, version).id, "Brand plan v1")
    entry = session.scalars(sa.select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    brand.put("ledger_entries", entry.id, "")
    task = Task(
        job="award_orders",
        subject_id=77_001,
        created_at=NOON,
        due_at=NOON,
        attempts=8,
        last_error="broken on purpose",
        quarantined_at=NOON,
    )
    notice = InboxNotice(
        notice_id=random_text(20),
        event_type="TRANSACTION.SUCCESS",
        subject_number="T-notice-of-brand",
        outcome="mismatch",
        facts={},
        received_at=NOON,
    )
    session.add_all([task, notice])
    session.flush()
    brand.put("tasks", task.id, "broken on purpose")
    brand.put("notices", notice.id, "T-notice-of-brand")
    role = Role(name=OWN_ROLE, permissions=sorted({*OWN_PERMISSIONS, *FORGED}))
    session.add(role)
    session.flush()
    brand.put("roles", role.id, OWN_ROLE)
    brand.put("audit_checks", make_look(session, seal="seal of all", now=NOON), "seal of all")
    brand.put("settings", "payout_min_fen", "Least payout")
    put_brand_membership(session, brand)
