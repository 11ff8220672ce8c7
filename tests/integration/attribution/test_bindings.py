"""Payment locks, staff transfer or end, and the history answers for any instant."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attribution import queries, services
from app.attribution.errors import NoBindingInForce, OwnerRefused
from app.attribution.models import Binding, BindingEvent, BindingState, BindingStep, TouchSource
from app.attribution.rules import Owner, OwnerKind, TouchReason
from app.kernel.audit import Actor, AuditRecord
from app.members.errors import MemberNotFound, ReasonRequired, SecondPersonRequired
from app.members.models import Distributor, Member, Standing
from app.settings import Settings
from tests.factories.people import (
    make_binding,
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_store,
)

DAY = timedelta(days=1)
ANN = Actor("staff", 1)
BEN = Actor("staff", 2)


def pay(session: Session, binding: Binding, settings: Settings, at: datetime) -> Binding | None:
    return services.lock_binding(
        session,
        customer_id=binding.customer_id,
        binding_id=binding.id,
        order_id=7,
        settings=settings,
        now=at,
    )


def transfer(
    session: Session, binding: Binding, to: Distributor, now: datetime, **changes: Any
) -> Binding:
    facts: dict[str, Any] = {"actor": ANN, "second_actor": BEN, "reason": "dispute 12"}
    return services.transfer_binding(
        session,
        customer_id=binding.customer_id,
        to_owner_id=to.member_id,
        now=now,
        **(facts | changes),
    )


def end(session: Session, binding: Binding, now: datetime, **changes: Any) -> Binding:
    facts: dict[str, Any] = {"actor": ANN, "second_actor": BEN, "reason": "owner asked"}
    return services.end_binding(
        session, customer_id=binding.customer_id, now=now, **(facts | changes)
    )


def count_steps(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(BindingStep)) or 0


def test_a_payment_locks_for_180_days_from_the_payment(
    session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session, valid_from_at=now - 5 * DAY)

    locked = pay(session, binding, settings, now)

    assert locked is binding
    assert (binding.state, binding.valid_until_at) == (BindingState.LOCKED, now + 180 * DAY)
    step = queries.binding_steps(session, binding.id)[-1]
    assert (step.event, step.order_id, step.valid_until_at, step.actor) == (
        BindingEvent.LOCKED,
        7,
        now + 180 * DAY,
        "system",
    )


def test_each_further_payment_protects_anew_and_never_for_less(
    session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session)
    pay(session, binding, settings, now)
    pay(session, binding, settings, now + 10 * DAY)
    assert binding.valid_until_at == now + 190 * DAY

    pay(session, binding, settings, now + 5 * DAY)

    assert binding.valid_until_at == now + 190 * DAY


def test_a_customer_of_nobody_stays_so_after_paying(
    session: Session, settings: Settings, now: datetime
) -> None:
    customer = make_member(session)

    locked = services.lock_binding(
        session, customer_id=customer.id, binding_id=None, order_id=7, settings=settings, now=now
    )

    assert locked is None
    assert queries.bindings_of(session, customer.id) == []


def test_paying_after_another_owner_took_over_protects_neither(
    session: Session, settings: Settings, now: datetime
) -> None:
    old = make_binding(session, source=TouchSource.LINK, valid_from_at=now - DAY)
    code = make_share_code(session)
    taken = services.record_touch(
        session,
        code=code.code,
        member_id=old.customer_id,
        source=TouchSource.GUEST_CARD,
        device_id=None,
        ip=None,
        settings=settings,
        now=now,
    )
    steps = count_steps(session)

    assert pay(session, old, settings, now + timedelta(minutes=5)) is None

    assert taken.binding_id is not None
    assert session.get_one(Binding, taken.binding_id).state is BindingState.SOFT
    assert count_steps(session) == steps


def test_an_order_paid_just_after_the_period_begins_a_protected_one(
    session: Session, settings: Settings, now: datetime
) -> None:
    old = make_binding(session, valid_from_at=now - 30 * DAY)
    assert old.valid_until_at == now

    new = pay(session, old, settings, now + timedelta(minutes=5))

    assert new is not None
    assert new.id != old.id
    assert (old.state, old.valid_until_at) == (BindingState.SOFT, now)
    assert (new.owner_id, new.state) == (old.owner_id, BindingState.LOCKED)
    assert new.valid_from_at == now + timedelta(minutes=5)
    assert new.valid_until_at == now + timedelta(minutes=5) + 180 * DAY
    assert [step.event for step in queries.binding_steps(session, new.id)] == [
        BindingEvent.BOUND,
        BindingEvent.LOCKED,
    ]
    at = now + timedelta(minutes=2)
    assert queries.binding_in_force(session, old.customer_id, at=at) is None


@pytest.mark.parametrize("standing", [Standing.FROZEN, Standing.QUIT])
def test_who_may_not_win_customers_is_not_protected_by_their_payments(
    session: Session, settings: Settings, now: datetime, standing: Standing
) -> None:
    owner = make_distributor(session, standing=standing)
    binding = make_binding(session, owner=owner)
    until_at = binding.valid_until_at

    assert pay(session, binding, settings, now) is None

    assert (binding.state, binding.valid_until_at) == (BindingState.SOFT, until_at)


def test_a_binding_that_staff_ended_is_not_revived_by_a_payment(
    session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session)
    end(session, binding, now)

    assert pay(session, binding, settings, now + timedelta(minutes=5)) is None

    assert queries.binding_in_force(session, binding.customer_id, at=now + DAY) is None


def test_a_transfer_hands_over_what_is_left_of_the_period(
    session: Session, settings: Settings, now: datetime
) -> None:
    old, heir = make_binding(session, state=BindingState.LOCKED), make_distributor(session)
    until_at = old.valid_until_at

    new = transfer(session, old, heir, now)

    assert (old.valid_until_at, old.state) == (now, BindingState.LOCKED)
    assert (new.owner_id, new.state, new.source) == (
        heir.member_id,
        BindingState.LOCKED,
        old.source,
    )
    assert (new.valid_from_at, new.valid_until_at, new.rule) == (now, until_at, old.rule)
    first = queries.binding_steps(session, new.id)[0]
    assert (first.event, first.actor, first.reason) == (
        BindingEvent.BOUND,
        "staff:1+staff:2",
        "dispute 12",
    )
    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (entry.action, entry.subject_id, entry.reason) == (
        "binding_transferred",
        old.customer_id,
        "dispute 12",
    )
    assert entry.before["owner_id"] == old.owner_id
    assert (entry.after["owner_id"], entry.after["second_actor"]) == (heir.member_id, "staff:2")


def test_a_transfer_needs_two_people_and_a_reason(session: Session, now: datetime) -> None:
    binding, heir = make_binding(session), make_distributor(session)
    steps = count_steps(session)

    with pytest.raises(SecondPersonRequired):
        transfer(session, binding, heir, now, second_actor=ANN)
    with pytest.raises(ReasonRequired):
        transfer(session, binding, heir, now, reason="  ")
    with pytest.raises(SecondPersonRequired):
        end(session, binding, now, second_actor=Actor("member", 5))

    assert count_steps(session) == steps
    assert session.scalars(sa.select(AuditRecord)).all() == []


def test_who_could_not_win_a_customer_is_not_given_them(session: Session, now: datetime) -> None:
    customer = make_distributor(session, make_member(session, device="device-1"))
    binding = make_binding(session, customer=session.get_one(Member, customer.member_id))
    owner = session.get_one(Distributor, binding.owner_id)
    won = make_distributor(session)
    make_binding(session, customer=session.get_one(Member, won.member_id), owner=customer)
    heirs = {
        TouchReason.SELF: customer,
        TouchReason.SAME_OWNER: owner,
        TouchReason.OWNER_NOT_ACTIVE: make_distributor(session, standing=Standing.FROZEN),
        TouchReason.HOUSEHOLD: make_distributor(session, make_member(session, device="device-1")),
        TouchReason.MUTUAL: won,
    }

    for reason, heir in heirs.items():
        with pytest.raises(OwnerRefused) as refused:
            transfer(session, binding, heir, now)
        assert refused.value.reason is reason

    assert binding.owner_id == owner.member_id
    assert binding.valid_until_at > now


def test_there_must_be_something_to_transfer_or_end(session: Session, now: datetime) -> None:
    lapsed = make_binding(session, valid_from_at=now - 30 * DAY)
    heir = make_distributor(session)

    with pytest.raises(NoBindingInForce):
        transfer(session, lapsed, heir, now)
    with pytest.raises(NoBindingInForce):
        end(session, lapsed, now)
    with pytest.raises(MemberNotFound):
        end(session, Binding(customer_id=10**15), now)


def test_an_ended_binding_leaves_the_customer_to_the_next_touch(
    session: Session, settings: Settings, now: datetime
) -> None:
    binding = make_binding(session, state=BindingState.LOCKED)
    end(session, binding, now)
    code = make_share_code(session)

    result = services.record_touch(
        session,
        code=code.code,
        member_id=binding.customer_id,
        source=TouchSource.SEARCH,
        device_id=None,
        ip=None,
        settings=settings,
        now=now,
    )

    assert (result.owner_id, result.reason) == (code.distributor_id, TouchReason.LAPSED)
    assert session.scalars(sa.select(AuditRecord.action)).all() == ["binding_ended"]


def test_the_past_is_answered_as_it_was_known_then(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner, customer = make_distributor(session), make_member(session)
    channel = make_channel(session, owner_id=owner.member_id, name="阳光花园业主群")
    code = make_share_code(session, distributor=owner, channel=channel)
    services.record_touch(
        session,
        code=code.code,
        member_id=customer.id,
        source=TouchSource.POSTER,
        device_id=None,
        ip=None,
        settings=settings,
        now=now,
    )
    [binding] = queries.bindings_of(session, customer.id)
    pay(session, binding, settings, now + 10 * DAY)
    heir = make_distributor(session)
    transfer(session, binding, heir, now + 20 * DAY)

    soft = queries.owner_at(session, customer.id, at=now + 9 * DAY)
    locked = queries.owner_at(session, customer.id, at=now + 19 * DAY)
    moved = queries.owner_at(session, customer.id, at=now + 20 * DAY)

    assert soft.owner == locked.owner == Owner(OwnerKind.DISTRIBUTOR, owner.member_id)
    assert (soft.state, soft.valid_until_at) == (BindingState.SOFT, now + 30 * DAY)
    assert (locked.state, locked.valid_until_at) == (BindingState.LOCKED, now + 190 * DAY)
    assert [step.event for step in soft.steps] == [BindingEvent.BOUND]
    assert soft.touch is not None
    assert soft.share_code is not None
    assert (soft.touch.source, soft.touch.reason) == (TouchSource.POSTER, "new_customer")
    assert (soft.share_code.code, soft.share_code.channel.name) == (code.code, "阳光花园业主群")
    assert soft.rule is not None
    assert soft.rule["binding_soft_seconds"] == 30 * 86_400
    assert moved.owner == Owner(OwnerKind.DISTRIBUTOR, heir.member_id)
    assert (moved.touch, moved.valid_until_at) == (None, now + 190 * DAY)
    assert moved.steps[0].reason == "dispute 12"
    for at in (now - timedelta(microseconds=1), now + 190 * DAY):
        assert queries.owner_at(session, customer.id, at=at) == queries.OwnerAnswer()


def test_the_database_refuses_two_owners_at_a_time(session: Session, now: datetime) -> None:
    binding = make_binding(session)

    with pytest.raises(IntegrityError), session.begin_nested():
        make_binding(
            session,
            customer=session.get_one(Member, binding.customer_id),
            valid_from_at=binding.valid_until_at - timedelta(microseconds=1),
        )

    make_binding(
        session,
        customer=session.get_one(Member, binding.customer_id),
        valid_from_at=binding.valid_until_at,
    )


def test_a_page_of_customers_shows_those_in_force_the_latest_first(
    session: Session, now: datetime
) -> None:
    owner = make_distributor(session)
    rows = [make_binding(session, owner=owner) for _ in range(3)]
    make_binding(session, owner=owner, valid_from_at=now - 31 * DAY)
    make_binding(session, store=make_store(session))
    make_binding(session)

    first = queries.customers_page(session, owner.member_id, at=now, after_id=None, limit=2)
    rest = queries.customers_page(
        session, owner.member_id, at=now, after_id=first[-1].binding_id, limit=2
    )

    assert [row.binding_id for row in (*first, *rest)] == [row.id for row in reversed(rows)]
    assert not first[0].has_paid
