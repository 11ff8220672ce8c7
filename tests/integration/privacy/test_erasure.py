"""Erasing what names a person: nothing owed, nothing left, and the books as they were."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attribution.models import Touch
from app.kernel.audit import Actor
from app.kernel.db import Base, database_now
from app.ledger.models import LedgerEntry, LedgerTransfer
from app.members.models import Distributor, Member, MemberDevice, MemberSession, Standing
from app.orders.models import Order
from app.orders.states import OrderState, RefundState
from app.payouts.models import Payout
from app.privacy import jobs, services
from app.privacy.erasure import OBSTACLES
from app.privacy.errors import DataRequestEnded, DataRequestNotFound, ErasureObstructed
from app.privacy.models import PrivacyRequest
from app.privacy.services import Wish
from app.privacy.states import RequestKind, RequestState
from app.settings import Settings
from tests.factories.orders import make_order, make_refund
from tests.factories.payouts import (
    broken_invariants,
    make_award,
    make_earner,
    make_payout,
)
from tests.factories.people import (
    make_binding,
    make_distributor,
    make_member,
    make_session,
    make_share_code,
)
from tests.factories.privacy import NOON, make_data_request

MEMBER = Actor("member", 1)
AFTER = NOON + timedelta(days=30)
Ask = Callable[[int], PrivacyRequest]


@pytest.fixture
def ask(session: Session, settings: Settings) -> Ask:
    def ask_for(member_id: int) -> PrivacyRequest:
        wish = Wish(member_id, RequestKind.ERASURE)
        return services.ask(session, wish, actor=MEMBER, settings=settings, now=NOON)

    return ask_for


def books(session: Session) -> list[Any]:
    moved = sa.select(LedgerTransfer.entry_id, LedgerTransfer.source_id, LedgerTransfer.target_id)
    keys = sa.select(LedgerEntry.id, LedgerEntry.key)
    return [session.execute(one.order_by(sa.text("1"))).all() for one in (moved, keys)]


def test_nothing_names_the_member_afterwards_and_the_books_stay(
    session: Session, settings: Settings, ask: Ask
) -> None:
    earner = make_distributor(
        session, make_member(session, nickname="小美", phone="+8613800001111"), real_name="王小明"
    )
    member = session.get_one(Member, earner.member_id)
    openid = member.wechat_openid
    make_session(session, member)
    session.add(MemberDevice(member_id=member.id, device_hash="d", first_seen_at=NOON))
    order = make_order(session, member=member, state=OrderState.SETTLED)
    before, broken = books(session), broken_invariants(session)
    row = ask(member.id)

    done = services.carry_out(session, row.id, settings=settings, now=AFTER)

    assert done is not None
    assert done.state is RequestState.DONE
    session.refresh(member)
    assert (member.nickname, member.phone_sealed, member.phone_hash) == ("", None, None)
    assert member.deleted_at == AFTER
    assert member.wechat_openid == f"erased:{member.id}"
    assert session.get_one(Distributor, member.id).real_name_sealed is None
    assert session.get_one(Distributor, member.id).standing is Standing.QUIT
    for kind in (MemberSession, MemberDevice):
        assert session.scalars(sa.select(kind).where(kind.member_id == member.id)).all() == []
    assert session.get_one(Order, order.id).member_id == member.id
    assert books(session) == before
    assert openid not in everything(session)
    assert broken_invariants(session) == broken


def everything(session: Session) -> str:
    """Return all rows of all tables as one text."""
    return "\n".join(
        str(row)
        for table in Base.metadata.sorted_tables
        for row in session.execute(sa.select(table))
    )


def test_columns_of_rows_that_never_change_are_erased_and_nothing_else_of_them(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    code = make_share_code(session, distributor=earner)
    touch = Touch(
        share_code_id=code.id,
        member_id=earner.member_id,
        source="poster",
        device_hash="device",
        ip_hash="address",
        occurred_at=NOON,
        outcome="refused",
        reason="own_code",
    )
    session.add(touch)
    session.flush()
    session.execute(sa.update(Member).where(Member.id == earner.member_id).values(deleted_at=NOON))

    session.execute(sa.text("SELECT erase_frozen(:id)"), {"id": earner.member_id})

    session.expire_all()
    assert (touch.device_hash, touch.ip_hash, touch.reason) == (None, None, "own_code")
    assert session.get_one(Payout, payout.id).payee_openid == f"erased:{earner.member_id}"
    assert session.get_one(Payout, payout.id).amount_fen == 5_000


def test_the_database_erases_nobody_who_is_not_deleted(session: Session) -> None:
    member = make_member(session)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.text("SELECT erase_frozen(:id)"), {"id": member.id})


def test_the_product_cannot_change_frozen_rows_by_pretending_to_erase(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 5_000)
    payout = make_payout(session, earner, 5_000, settings=settings)
    session.execute(sa.text("SELECT set_config('tuoke.erasing', 'yes', true)"))

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(
            sa.update(Payout).where(Payout.id == payout.id).values(payee_openid="somebody")
        )


def open_order(session: Session, earner: Distributor) -> None:
    make_order(session, member=session.get_one(Member, earner.member_id), state=OrderState.PAID)


def running_refund(session: Session, earner: Distributor) -> None:
    member = session.get_one(Member, earner.member_id)
    order = make_order(session, member=member, state=OrderState.SETTLED)
    make_refund(session, order, state=RefundState.SENT)


def money_left(session: Session, earner: Distributor) -> None:
    make_award(session, earner, 1_000)


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        (open_order, "order_open"),
        (running_refund, "refund_open"),
        (money_left, "money_left"),
    ],
)
def test_nothing_is_erased_while_something_is_owed(
    session: Session,
    ask: Ask,
    arrange: Callable[[Session, Distributor], None],
    code: str,
) -> None:
    earner = make_earner(session)
    arrange(session, earner)

    with pytest.raises(ErasureObstructed) as refused:
        ask(earner.member_id)

    assert code in refused.value.obstacles
    assert session.scalars(sa.select(PrivacyRequest)).all() == []


@pytest.mark.parametrize("code", OBSTACLES)
def test_every_obstacle_is_a_question_that_the_database_answers(
    session: Session, code: str
) -> None:
    member = make_member(session)

    assert session.scalar(sa.text(OBSTACLES[code][1]), {"id": member.id}) is False


def test_what_comes_between_puts_the_erasure_off_and_says_so(
    session: Session, settings: Settings, ask: Ask
) -> None:
    member = make_member(session, nickname="小美")
    row = ask(member.id)
    make_order(session, member=member, state=OrderState.PAID)

    services.carry_out(session, row.id, settings=settings, now=AFTER)

    assert row.state is RequestState.WAITING
    assert row.obstacles == ["order_open"]
    assert row.due_at == AFTER + timedelta(days=1)
    assert session.get_one(Member, member.id).nickname == "小美"


def test_an_erasure_waits_and_can_be_taken_back_meanwhile(
    session: Session, settings: Settings, ask: Ask
) -> None:
    member = make_member(session)
    row = ask(member.id)
    assert row.due_at == NOON + timedelta(seconds=settings.privacy_cooling_seconds)
    assert services.carry_out(session, row.id, settings=settings, now=NOON) is None

    services.withdraw(session, row.id, actor=MEMBER, now=NOON, member_id=member.id)

    assert services.carry_out(session, row.id, settings=settings, now=AFTER) is None
    assert session.get_one(Member, member.id).deleted_at is None
    with pytest.raises(DataRequestEnded):
        services.withdraw(session, row.id, actor=MEMBER, now=NOON)


def test_nobody_takes_back_the_request_of_another(session: Session, ask: Ask) -> None:
    row, other = ask(make_member(session).id), make_member(session)

    with pytest.raises(DataRequestNotFound):
        services.withdraw(session, row.id, actor=MEMBER, now=NOON, member_id=other.id)

    assert row.state is RequestState.WAITING


def test_doing_it_twice_does_it_once(session: Session, settings: Settings, ask: Ask) -> None:
    member = make_member(session)
    row = ask(member.id)

    first = services.carry_out(session, row.id, settings=settings, now=AFTER)
    ended_at = row.ended_at

    assert first is not None
    assert ended_at == AFTER


def test_customers_of_an_erased_distributor_stay_bound_to_nobody_named(
    session: Session, settings: Settings, ask: Ask
) -> None:
    seller = make_distributor(session, make_member(session, nickname="小美"))
    customer = make_member(session)
    binding = make_binding(session, customer=customer, owner=seller)
    row = ask(seller.member_id)

    services.carry_out(session, row.id, settings=settings, now=AFTER)

    session.refresh(binding)
    assert binding.owner_id == seller.member_id
    assert broken_invariants(session) == []


def test_an_erasure_ends_what_else_the_member_asked_for(
    session: Session, settings: Settings, ask: Ask
) -> None:
    member = make_member(session)
    copy = make_data_request(session, member)
    row = ask(member.id)

    services.carry_out(session, row.id, settings=settings, now=AFTER)

    assert (copy.state, copy.due_at) == (RequestState.WITHDRAWN, None)
    assert services.due_ids(session, now=AFTER, limit=10) == []


def test_a_request_that_fails_is_put_off_and_the_next_is_answered(session: Session) -> None:
    broken, whole = make_member(session, phone="+8613800001111"), make_member(session)
    broken.phone_sealed = "no seal of ours"
    failing, fine = make_data_request(session, broken), make_data_request(session, whole)
    session.commit()

    assert jobs.answer_data_requests() == 1

    session.expire_all()
    assert fine.state is RequestState.DONE
    assert failing.state is RequestState.WAITING
    assert failing.due_at is not None
    assert failing.due_at > database_now()
