"""Touches against the database: what is gathered, what is written, what the caller learns."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import queries, services
from app.attribution.errors import CodeRevoked, CodeUnknown
from app.attribution.models import (
    Binding,
    BindingEvent,
    BindingState,
    BindingStep,
    ShareCode,
    Touch,
    TouchOutcome,
    TouchSource,
)
from app.attribution.rules import REASON_TEXTS, Owner, OwnerKind, TouchReason
from app.attribution.touches import TouchResult
from app.kernel.secrecy import vault
from app.members.errors import MemberNotFound
from app.members.models import Distributor, Member, MemberDevice, Standing
from app.settings import Settings
from app.stores.states import StoreState
from tests.factories.people import (
    make_binding,
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_store,
)

DAY = timedelta(days=1)
REFUSED = TouchOutcome.REFUSED


def touch(
    session: Session,
    code: ShareCode,
    member: Member,
    settings: Settings,
    now: datetime,
    **changes: Any,
) -> TouchResult:
    facts: dict[str, Any] = {"source": TouchSource.LINK, "device_id": None, "ip": None}
    return services.record_touch(
        session,
        code=code.code,
        member_id=member.id,
        settings=settings,
        now=now,
        **(facts | changes),
    )


def periods(session: Session, member: Member) -> list[tuple[int | None, datetime, datetime]]:
    rows = sorted(queries.bindings_of(session, member.id), key=lambda one: one.id)
    return [(row.owner_id, row.valid_from_at, row.valid_until_at) for row in rows]


def events(session: Session, binding_id: int | None) -> list[BindingEvent]:
    assert binding_id is not None
    return [step.event for step in queries.binding_steps(session, binding_id)]


def test_a_first_touch_binds_and_keeps_its_evidence(
    session: Session, settings: Settings, now: datetime
) -> None:
    code, customer = make_share_code(session, page="pages/product/detail"), make_member(session)

    result = touch(session, code, customer, settings, now, device_id="device-1", ip="203.0.113.7")

    assert result == TouchResult(
        outcome=TouchOutcome.BOUND,
        reason=TouchReason.NEW_CUSTOMER,
        binding_id=result.binding_id,
        owner_id=code.distributor_id,
        owner_store_id=None,
        valid_until_at=now + 30 * DAY,
        page="pages/product/detail",
        product_id=None,
    )
    kept = session.scalars(sa.select(Touch).where(Touch.member_id == customer.id)).one()
    assert (kept.share_code_id, kept.occurred_at, kept.binding_id) == (
        code.id,
        now,
        result.binding_id,
    )
    assert kept.device_hash == vault().look_up("device", "device-1")
    assert kept.ip_hash == vault().look_up("ip", "203.0.113.7")
    [step] = session.scalars(sa.select(BindingStep))
    assert (step.event, step.touch_id, step.actor, step.reason) == (
        BindingEvent.BOUND,
        kept.id,
        f"member:{customer.id}",
        "new_customer",
    )
    binding = session.get_one(Binding, result.binding_id)
    assert binding.rule == {
        "binding_soft_seconds": 30 * 86_400,
        "binding_lock_seconds": 180 * 86_400,
        "existing_customers_bindable": False,
    }


def test_the_same_owner_renews_by_any_of_their_codes(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner, customer = make_distributor(session), make_member(session)
    first = touch(session, make_share_code(session, distributor=owner), customer, settings, now)

    second = touch(
        session, make_share_code(session, distributor=owner), customer, settings, now + DAY
    )

    assert (second.outcome, second.reason) == (TouchOutcome.RENEWED, TouchReason.SAME_OWNER)
    assert second.binding_id == first.binding_id
    assert second.valid_until_at == now + 31 * DAY
    assert events(session, first.binding_id) == [BindingEvent.BOUND, BindingEvent.RENEWED]


def test_a_touch_that_changes_nothing_is_kept_as_a_touch_only(
    session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session, state=BindingState.LOCKED)
    code = session.scalars(sa.select(ShareCode)).one()
    customer = session.get_one(Member, binding.customer_id)

    result = touch(session, code, customer, settings, now)

    assert (result.outcome, result.binding_id) == (TouchOutcome.KEPT, binding.id)
    assert events(session, binding.id) == [BindingEvent.BOUND, BindingEvent.LOCKED]
    assert len(session.scalars(sa.select(Touch)).all()) == 2


def test_a_stronger_source_takes_over_exactly_where_the_old_period_ends(
    session: Session, settings: Settings, now: datetime
) -> None:
    old = make_binding(session, source=TouchSource.LINK, valid_from_at=now - DAY)
    customer = session.get_one(Member, old.customer_id)
    code = make_share_code(session)

    result = touch(session, code, customer, settings, now, source=TouchSource.STAFF_SCAN)

    assert (result.outcome, result.reason) == (TouchOutcome.BOUND, TouchReason.STRONGER_SOURCE)
    assert periods(session, customer) == [
        (old.owner_id, now - DAY, now),
        (code.distributor_id, now, now + 30 * DAY),
    ]
    assert events(session, old.id) == [BindingEvent.BOUND, BindingEvent.REPLACED]


def test_after_the_period_the_next_owner_binds_without_touching_the_past(
    session: Session, settings: Settings, now: datetime
) -> None:
    old = make_binding(session, state=BindingState.LOCKED, valid_from_at=now - 180 * DAY)
    customer = session.get_one(Member, old.customer_id)
    customer.first_paid_at = now - 180 * DAY
    code = make_share_code(session)

    result = touch(session, code, customer, settings, now)

    assert (result.outcome, result.reason) == (TouchOutcome.BOUND, TouchReason.LAPSED)
    assert periods(session, customer) == [
        (old.owner_id, now - 180 * DAY, now),
        (code.distributor_id, now, now + 30 * DAY),
    ]


def refused_cases(session: Session, now: datetime) -> dict[TouchReason, tuple[ShareCode, Member]]:
    def of(**facts: Any) -> ShareCode:
        return make_share_code(session, distributor=make_distributor(session, **facts))

    mine = make_distributor(session)
    kin = make_distributor(session, make_member(session, phone="+8613800001111"))
    won = make_distributor(session)
    make_binding(session, customer=session.get_one(Member, won.member_id), owner=mine)
    soft, locked = make_binding(session), make_binding(session, state=BindingState.LOCKED)
    return {
        TouchReason.SELF: (
            make_share_code(session, distributor=mine),
            session.get_one(Member, mine.member_id),
        ),
        TouchReason.HOUSEHOLD: (
            make_share_code(session, distributor=kin),
            make_member(session, phone="+8613800001111"),
        ),
        TouchReason.MUTUAL: (
            make_share_code(session, distributor=won),
            session.get_one(Member, mine.member_id),
        ),
        TouchReason.OWNER_NOT_ACTIVE: (of(standing=Standing.FROZEN), make_member(session)),
        TouchReason.EXISTING_CUSTOMER: (of(), make_member(session, first_paid_at=now - DAY)),
        TouchReason.HELD_BY_OTHER: (of(), session.get_one(Member, soft.customer_id)),
        TouchReason.LOCKED_BY_OTHER: (of(), session.get_one(Member, locked.customer_id)),
    }


@pytest.mark.parametrize(
    "reason",
    [
        TouchReason.SELF,
        TouchReason.HOUSEHOLD,
        TouchReason.MUTUAL,
        TouchReason.OWNER_NOT_ACTIVE,
        TouchReason.EXISTING_CUSTOMER,
        TouchReason.HELD_BY_OTHER,
        TouchReason.LOCKED_BY_OTHER,
    ],
)
def test_a_refused_touch_is_recorded_moves_nothing_and_tells_nothing_of_the_other(
    session: Session, settings: Settings, now: datetime, reason: TouchReason
) -> None:
    code, customer = refused_cases(session, now)[reason]
    before = (periods(session, customer), len(session.scalars(sa.select(BindingStep)).all()))

    result = touch(session, code, customer, settings, now)

    assert (result.outcome, result.reason) == (REFUSED, reason)
    assert (result.binding_id, result.owner_id, result.valid_until_at) == (None, None, None)
    assert before == (
        periods(session, customer),
        len(session.scalars(sa.select(BindingStep)).all()),
    )
    last = session.scalars(sa.select(Touch).order_by(Touch.id.desc())).first()
    assert last is not None
    assert (last.member_id, last.outcome, last.reason) == (customer.id, REFUSED, reason)
    assert REASON_TEXTS[reason]


def test_one_device_for_both_makes_a_household_at_the_touch_itself(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner = make_distributor(session, make_member(session, device="device-1"))
    code, customer = make_share_code(session, distributor=owner), make_member(session)

    result = touch(session, code, customer, settings, now, device_id="device-1")

    assert (result.outcome, result.reason) == (REFUSED, TouchReason.HOUSEHOLD)
    assert session.get(MemberDevice, (customer.id, vault().look_up("device", "device-1")))


def test_a_setting_opens_existing_customers(
    session: Session, settings: Settings, now: datetime
) -> None:
    customer = make_member(session, first_paid_at=now - DAY)
    opened = replace(settings, existing_customers_bindable=True)

    result = touch(session, make_share_code(session), customer, opened, now)

    assert (result.outcome, result.reason) == (
        TouchOutcome.BOUND,
        TouchReason.EXISTING_ALLOWED,
    )


def test_a_changed_setting_moves_nothing_that_was_bound(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner, customer = make_distributor(session), make_member(session)
    code = make_share_code(session, distributor=owner)
    touch(session, code, customer, settings, now)
    shorter = replace(settings, binding_soft_seconds=60, binding_lock_seconds=60)

    renewed = touch(session, code, customer, shorter, now + DAY)
    locked = services.lock_binding(
        session,
        customer_id=customer.id,
        binding_id=renewed.binding_id,
        order_id=7,
        settings=shorter,
        now=now + 2 * DAY,
    )

    assert renewed.valid_until_at == now + 31 * DAY
    assert locked is not None
    assert locked.valid_until_at == now + 182 * DAY


def test_a_store_owns_customers_while_it_is_open(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, customer = make_store(session), make_member(session)
    code = make_share_code(session, store=store)

    bound = touch(session, code, customer, settings, now)
    store.state = StoreState.PAUSED
    session.flush()
    closed = touch(session, code, make_member(session), settings, now)

    assert (bound.owner_id, bound.owner_store_id) == (None, store.id)
    assert customer.origin_store_id == store.id
    assert closed.reason is TouchReason.OWNER_NOT_ACTIVE


def test_the_store_of_origin_is_that_of_the_first_code_that_won_the_customer(
    session: Session, settings: Settings, now: datetime
) -> None:
    store, other = make_store(session), make_store(session)
    owner = make_distributor(session, store_id=store.id)
    customer, second = make_member(session), make_member(session)

    touch(session, make_share_code(session, distributor=owner), customer, settings, now)
    channel = make_channel(session, store_id=other.id)
    at_counter = make_share_code(session, distributor=owner, channel=channel)
    touch(session, at_counter, second, settings, now)
    touch(session, at_counter, customer, settings, now + DAY)

    assert (customer.origin_store_id, second.origin_store_id) == (store.id, other.id)


def test_a_touch_that_was_overtaken_happens_after_the_one_that_overtook_it(
    session: Session, settings: Settings, now: datetime
) -> None:
    customer = make_member(session)
    later = now + timedelta(seconds=1)
    first = touch(session, make_share_code(session), customer, settings, later)

    code = make_share_code(session)
    second = touch(session, code, customer, settings, now, source=TouchSource.STAFF_SCAN)

    assert first.binding_id is not None
    assert second.outcome is TouchOutcome.BOUND
    assert periods(session, customer)[0][1:] == (later, later)
    assert periods(session, customer)[1][1:] == (later, later + 30 * DAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "x" * 21,
        "x" * 23,
        "x" * 21 + "-",
        "x" * 21 + "\n",
        "中" * 22,
        "0" * 22,
        "x" * 999,
    ],
)
def test_what_is_no_code_is_unknown_and_leaves_no_touch(
    session: Session, settings: Settings, now: datetime, text: str
) -> None:
    make_share_code(session)

    with pytest.raises(CodeUnknown):
        services.record_touch(
            session,
            code=text,
            member_id=make_member(session).id,
            source=TouchSource.LINK,
            device_id=None,
            ip=None,
            settings=settings,
            now=now,
        )

    assert session.scalars(sa.select(Touch)).all() == []


def test_a_revoked_code_wins_nobody(session: Session, settings: Settings, now: datetime) -> None:
    code, customer = make_share_code(session, revoked_at=now - DAY), make_member(session)

    with pytest.raises(CodeRevoked):
        touch(session, code, customer, settings, now)

    assert periods(session, customer) == []


def test_only_members_are_won(session: Session, settings: Settings, now: datetime) -> None:
    code, gone = make_share_code(session), make_member(session)
    gone.deleted_at = now
    session.flush()

    with pytest.raises(MemberNotFound):
        touch(session, code, gone, settings, now)
    with pytest.raises(MemberNotFound):
        touch(session, code, Member(id=10**15), settings, now)


def test_a_customer_who_becomes_a_distributor_stays_with_their_owner(
    session: Session, settings: Settings, now: datetime
) -> None:
    code, customer = make_share_code(session), make_member(session)
    touch(session, code, customer, settings, now)

    row = services.apply_as_distributor(
        session, customer.id, agreement_version="d1", real_name=None, code=None, now=now + DAY
    )

    assert row.recommender_id == code.distributor_id
    answer = queries.owner_at(session, customer.id, at=now + DAY)
    assert answer.owner == Owner(OwnerKind.DISTRIBUTOR, code.distributor_id or 0)


def test_the_binding_in_force_comes_before_a_code_that_is_named(
    session: Session, settings: Settings, now: datetime
) -> None:
    won_by, named = make_share_code(session), make_share_code(session)
    customer, unbound = make_member(session), make_member(session)
    touch(session, won_by, customer, settings, now)

    rows = [
        services.apply_as_distributor(
            session,
            member.id,
            agreement_version="d1",
            real_name=None,
            code=named.code,
            now=now + DAY,
        )
        for member in (customer, unbound)
    ]

    assert [row.recommender_id for row in rows] == [won_by.distributor_id, named.distributor_id]


@pytest.mark.parametrize("revoked", [True, False])
def test_an_application_with_a_code_that_is_not_live_is_refused(
    session: Session, now: datetime, revoked: bool
) -> None:
    code = make_share_code(session, revoked_at=now if revoked else None)
    member = make_member(session)

    with pytest.raises(CodeRevoked if revoked else CodeUnknown):
        services.apply_as_distributor(
            session,
            member.id,
            agreement_version="d1",
            real_name=None,
            code=code.code if revoked else "0" * 22,
            now=now,
        )

    assert session.get(Distributor, member.id) is None
