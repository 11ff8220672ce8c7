"""Two stores with one row of everything each, and rows that belong to the brand as a whole."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.attribution.models import Touch
from app.distribution import settlement
from app.distribution.models import Award, AwardRefusal, AwardReversal, LevelPeriod
from app.distribution.plan_records import LevelWarning
from app.engines.documents import dump_rules
from app.engines.two_level.rules import TwoLevelRules
from app.kernel import audit
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.kernel.ids import random_text
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.ledger.models import LedgerAccount, LedgerEntry
from app.members.file_models import FollowUp, FollowUpState, MemberNote, Tag
from app.members.models import Distributor, Standing, TeamStop
from app.orders.models import Refund
from app.orders.states import OrderState, RefundState
from app.plans import services as plans
from app.risk.models import RiskFlag
from app.risk.states import FlagState, RiskKind
from app.settings import Settings
from app.stores.models import Region, Role, Store
from app.stores.roles import ensure_roles
from app.stores.session_models import StaffSession
from tests.factories.approvals import ask_transfer, make_case, open_dispute
from tests.factories.imports import make_expected, make_historic_order, make_run
from tests.factories.orders import make_goods, make_order, make_refund
from tests.factories.payouts import claw_back, make_award, make_payout, plan_version_id
from tests.factories.people import (
    make_binding,
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_staff,
    make_staff_session,
    make_store,
)
from tests.factories.plan_rows import (
    CHAIN,
    FISSION,
    SHAREHOLDERS,
    make_chain_place,
    make_closed_month,
    make_gift,
    make_holding,
    version_of,
)
from tests.factories.privacy import make_data_request
from tests.factories.simulations import make_simulation
from tests.factories.trail import make_look

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Place:
    """One store with its rows: by the endpoint of the view that lists them, id and visible mark."""

    store: Store
    ids: dict[str, int | str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    owner: Distributor | None = None

    def put(self, endpoint: str, row_id: int | str, mark: str) -> None:
        """Remember the row of a view, and a text that its list shows of it alone."""
        self.ids[endpoint] = row_id
        self.marks[endpoint] = mark


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
        _put_plans(session, place)
    brand = Place(here.store)
    _put_brand(session, brand)
    session.commit()
    return World(here, there, brand)


def _place(session: Session, name: str, settings: Settings) -> Place:
    place = Place(make_store(session, f"{name} store"))
    _put_people(session, place, name)
    _put_levels(session, place, name)
    _put_file(session, place, name)
    _put_trade(session, place, name)
    _put_money(session, place, settings)
    _put_house(session, place, name)
    _put_imports(session, place, name)
    _put_disputed(session, place, name)
    return place


def _put_disputed(session: Session, place: Place, name: str) -> None:
    """A request that waits for a second person, and a dispute about another customer."""
    request = ask_transfer(session, make_case(session, store=place.store), reason=f"{name} request")
    dispute = open_dispute(
        session, make_case(session, store=place.store), claim=f"{name} claim of the seller"
    )
    place.put("approvals", request.id, f"{name} request")
    place.put("disputes", dispute.id, f"{name} claim of the seller")


def _put_imports(session: Session, place: Place, name: str) -> None:
    """A file brought in by somebody of the store, what came of it, and a wish about data."""
    run = make_run(session, store=place.store, name=f"{name} rows.csv")
    phone = f"+86139000{place.store.id % 100_000:05d}"
    known = make_expected(session, phone=phone, store=place.store, old_number=f"{name} VIP")
    number = f"{name} old order"
    order = make_historic_order(
        session, run=run, store=place.store, expected_id=known.id, number=number
    )
    place.put("imports", run.id, f"{name} rows.csv")
    place.put("expected_members", known.id, f"{name} VIP")
    place.put("historic_orders", order.id, number)
    asking = make_member(session, nickname=f"{name} asks", origin_store_id=place.store.id)
    place.put("privacy_requests", make_data_request(session, asking).id, f"{name} asks")


def _put_people(session: Session, place: Place, name: str) -> None:
    store = place.store
    member = make_member(
        session, nickname=f"{name} customer", phone="+8613800001111", origin_store_id=store.id
    )
    place.put("members", member.id, f"{name} customer")
    seller = make_member(session, nickname=f"{name} seller")
    place.owner = make_distributor(session, seller, store_id=store.id)
    place.put("team", seller.id, "")
    applicant = make_distributor(
        session,
        make_member(session, nickname=f"{name} applicant"),
        store_id=store.id,
        standing=Standing.APPLIED,
    )
    place.put("distributors", applicant.member_id, f"{name} applicant")
    channel = make_channel(session, store_id=store.id, name=f"{name} counter")
    place.put("channels", channel.id, f"{name} counter")
    code = make_share_code(session, store=store, channel=channel)
    place.put("share_codes", code.id, code.code)
    binding = make_binding(
        session,
        customer=member,
        owner=place.owner,
        valid_from_at=NOON,
        valid_until_at=datetime(2999, 1, 1, tzinfo=UTC),
    )
    place.put("bindings", binding.id, f"{name} customer")
    touch = session.scalars(sa.select(Touch).where(Touch.binding_id == binding.id)).one()
    place.put("touches", touch.id, f"{name} customer")


def _put_levels(session: Session, place: Place, name: str) -> None:
    """A level, a warning and a stop of the seller."""
    assert place.owner is not None
    owner, mark = place.owner, f"{name} seller"
    period = LevelPeriod(
        member_id=owner.member_id,
        level=1,
        from_at=NOON,
        cause="approved",
        facts={},
        actor="system",
    )
    warning = LevelWarning(
        member_id=owner.member_id,
        level=1,
        plan_version_id=plan_version_id(session),
        period="2026-02",
        facts={"level": 1, "period": "2026-02", "share_bp": 5_000, "conditions": []},
        given_at=NOON,
        until_at=datetime(2999, 1, 1, tzinfo=UTC),
    )
    stop = TeamStop(
        root_id=owner.member_id, paid_people=30, tiers=3, stops_joining=False, raised_at=NOON
    )
    session.add_all([period, warning, stop])
    session.flush()
    place.put("levels", period.id, mark)
    place.put("level_warnings", warning.id, mark)
    place.put("team_stops", stop.id, mark)


def _put_file(session: Session, place: Place, name: str) -> None:
    """A note and a follow-up about the customer, and a suspicion about the seller."""
    assert place.owner is not None
    author = make_staff(session, "store_manager", stores=[place.store], name=f"{name} author")
    note = MemberNote(
        member_id=int(place.ids["members"]),
        text=f"{name} note",
        author_id=author.id,
        written_at=NOON,
    )
    task = FollowUp(
        member_id=int(place.ids["members"]),
        what=f"{name} task",
        due_on=NOON.date(),
        store_id=place.store.id,
        state=FollowUpState.OPEN,
        author_id=author.id,
        created_at=NOON,
    )
    flag = RiskFlag(
        distributor_id=place.owner.member_id,
        kind=RiskKind.BY_HAND,
        evidence={"said": f"{name} suspicion"},
        holds_payouts=False,
        state=FlagState.OPEN,
        raised_at=NOON,
        raised_by=f"staff:{author.id}",
        expires_at=datetime(2999, 1, 1, tzinfo=UTC),
    )
    session.add_all([note, task, flag])
    session.flush()
    place.put("notes", note.id, f"{name} note")
    place.put("follow_ups", task.id, f"{name} task")
    place.put("risk_flags", flag.id, f"{name} suspicion")


def _put_trade(session: Session, place: Place, name: str) -> None:
    product = make_goods(session, place.store)
    product.title = f"{name} serum"
    place.put("stock", product.id, f"{name} serum")
    place.put("stock_movements", product.id, f"{name} serum")
    member = make_member(session, nickname=f"{name} buyer")
    order = make_order(session, member=member, store=place.store, state=OrderState.PAID)
    place.put("orders", order.id, order.number)
    refunded = make_order(session, member=member, store=place.store, state=OrderState.COMPLETED)
    refund = make_refund(session, refunded, state=RefundState.REQUESTED)
    place.put("refunds", refund.id, refund.number)


def _put_money(session: Session, place: Place, settings: Settings) -> None:
    """One award and one refusal as the job decides them, and one payout of an earner."""
    assert place.owner is not None
    order = make_order(
        session,
        member=make_member(session, nickname="Paying customer"),
        store=place.store,
        owner=place.owner,
        plan_version_id=plan_version_id(session),
    )
    task = Task(job="award_orders", subject_id=order.id, created_at=NOON, due_at=NOON)
    session.add(task)
    session.flush()
    settlement.award_orders(session, [task], NOON)
    session.flush()
    award = session.scalars(sa.select(Award).where(Award.order_id == order.id)).one()
    place.put("awards", award.id, order.number)
    refusal = session.scalars(
        sa.select(AwardRefusal).where(AwardRefusal.order_id == order.id)
    ).one()
    place.put("award_refusals", refusal.id, order.number)
    _put_clawback(session, place, award)
    name = f"{place.store.name} earner"
    earner = make_distributor(session, make_member(session, nickname=name), store_id=place.store.id)
    make_award(session, earner, 5_000)
    payout = make_payout(session, earner, 2_000, settings=settings)
    place.put("payouts", payout.id, payout.number)
    account_id = session.scalars(
        sa.select(LedgerAccount.id).where(
            LedgerAccount.member_id == earner.member_id, LedgerAccount.name == "payout_in_transit"
        )
    ).one()
    place.put("ledger_accounts", account_id, name)


def _put_clawback(session: Session, place: Place, award: Award) -> None:
    """What a refund of a part of its order took back of the award."""
    claw_back(session, award, 1_000, now=NOON)
    reversal = session.scalars(
        sa.select(AwardReversal).where(AwardReversal.award_id == award.id)
    ).one()
    refund = session.get_one(Refund, reversal.refund_id)
    place.put("clawbacks", reversal.id, refund.number)


def _put_plans(session: Session, place: Place) -> None:
    """A place in a chain, a holding, a gift and a closed month of the seller."""
    assert place.owner is not None
    owner = session.scalars(
        sa.select(Distributor)
        .where(Distributor.member_id == place.owner.member_id)
        .options(joinedload(Distributor.member))
    ).one()
    mark = owner.member.nickname
    chain, held = make_chain_place(session, owner), make_holding(session, owner, place.store)
    place.put("places", chain, mark)
    place.put("holdings", held, mark)
    gift = make_gift(session, owner.member, place.store, item=f"{place.store.name} voucher")
    place.put("gifts", gift.id, gift.item)
    closed = make_closed_month(session, place.store)
    place.put("months", closed.id, f"{closed.net_fen // 100}.00")


def _put_house(session: Session, place: Place, name: str) -> None:
    region = Region(name=f"{name} region")
    session.add(region)
    session.flush()
    place.store.region_id = region.id
    place.put("regions", region.id, f"{name} region")
    place.put("stores", place.store.id, f"{name} store")
    colleague = make_staff(session, "front_desk", stores=[place.store], name=f"{name} colleague")
    place.put("staff", colleague.id, f"{name} colleague")
    make_staff_session(session, colleague)
    newest = sa.select(StaffSession.id).order_by(StaffSession.id.desc()).limit(1)
    place.put("staff_sessions", session.scalars(newest).one(), f"{name} colleague")
    audit.record(
        session,
        Actor("staff", colleague.id),
        "product_put",
        Subject("product", 1, place.store.id),
        Change(reason=f"{name} reason"),
        now=NOON,
    )
    record_id = session.scalars(
        sa.select(AuditRecord.id).order_by(AuditRecord.id.desc()).limit(1)
    ).one()
    place.put("audit", record_id, f"{name} reason")


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
    role = Role(name="Regional manager", permissions=["orders.view", "stores.view"])
    session.add(role)
    session.flush()
    brand.put("roles", role.id, "Regional manager")
    brand.put("audit_checks", make_look(session, seal="seal of all", now=NOON), "seal of all")
    brand.put("settings", "payout_min_fen", "Least payout")
