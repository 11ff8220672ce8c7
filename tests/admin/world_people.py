"""What a store of the world knows about people, and who works there."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import evidence
from app.attribution.models import Touch
from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning
from app.imports.models import ImportRow
from app.imports.sealing import seal_texts
from app.imports.states import RowState
from app.kernel import audit
from app.kernel.audit import SYSTEM, Actor, AuditRecord, Change, Subject
from app.members.file_models import FollowUp, FollowUpState, MemberNote
from app.members.models import Standing, TeamStop
from app.risk.models import RiskFlag
from app.risk.states import FlagState, RiskKind
from app.stores.models import Region
from app.stores.session_models import StaffSession
from tests.admin.place import Place
from tests.factories.approvals import ask_transfer, make_case, open_dispute, picture
from tests.factories.imports import make_expected, make_historic_order, make_run
from tests.factories.payouts import plan_version_id
from tests.factories.people import (
    make_binding,
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_staff,
    make_staff_session,
)
from tests.factories.privacy import make_data_request

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put_people(session: Session, place: Place, name: str) -> None:
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


def put_levels(session: Session, place: Place, name: str) -> None:
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


def put_file(session: Session, place: Place, name: str) -> None:
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


def put_disputed(session: Session, place: Place, name: str) -> None:
    """A request that waits for a second person, and a dispute about another customer."""
    request = ask_transfer(session, make_case(session, store=place.store), reason=f"{name} request")
    dispute = open_dispute(
        session, make_case(session, store=place.store), claim=f"{name} claim of the seller"
    )
    picture_id = evidence.add_evidence(
        session, dispute.id, evidence.redraw(picture()), actor=SYSTEM, now=NOON
    ).id
    place.parts["evidence"] = picture_id
    place.put("approvals", request.id, f"{name} request")
    place.put("disputes", dispute.id, f"{name} claim of the seller")


def put_imports(session: Session, place: Place, name: str) -> None:
    """A file brought in by somebody of the store, what came of it, and a wish about data."""
    run = make_run(session, store=place.store, name=f"{name} rows.csv")
    phone = f"+86139000{place.store.id % 100_000:05d}"
    known = make_expected(session, phone=phone, store=place.store, old_number=f"{name} VIP")
    number = f"{name} old order"
    order = make_historic_order(
        session, run=run, store=place.store, expected_id=known.id, number=number
    )
    session.add(
        ImportRow(
            run_id=run.id,
            line=2,
            values_sealed=seal_texts({"store": f"{name} store"}),
            state=RowState.WRONG,
            faults=[{"column": "store", "code": "x", "text": "Wrong.", "parameters": {}}],
        )
    )
    place.put("imports", run.id, f"{name} rows.csv")
    place.put("expected_members", known.id, f"{name} VIP")
    place.put("historic_orders", order.id, number)
    asking = make_member(session, nickname=f"{name} asks", origin_store_id=place.store.id)
    place.put("privacy_requests", make_data_request(session, asking).id, f"{name} asks")


def put_house(session: Session, place: Place, name: str, region: Region | None = None) -> None:
    """The store itself, in a region of its own unless another is given, and a colleague."""
    region = region or Region(name=f"{name} region")
    session.add(region)
    session.flush()
    place.store.region_id = region.id
    place.put("regions", region.id, region.name)
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
