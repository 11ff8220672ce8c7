"""The audit finds whatever is left of somebody who was erased, and nothing of anybody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution import disputes, evidence
from app.attribution.dispute_models import EvidenceFile, OwnershipDispute
from app.kernel.audit import AuditRecord
from app.members import notes
from app.members.errors import MemberNotFound
from app.members.models import Distributor, Member, MemberDevice, MemberSession
from app.operations.invariants import check
from app.orders.states import OrderState
from app.payouts.models import Payout
from app.privacy import erasure
from app.settings import Settings
from tests.factories.approvals import CLAIM, as_actor, make_case, open_dispute, picture
from tests.factories.orders import make_order
from tests.factories.payouts import make_earner, make_payout
from tests.factories.people import make_member, make_session, make_staff
from tests.factories.privacy import NOON

LATER = NOON + timedelta(hours=1)
Leave = Callable[[Session, Member], None]


def found(session: Session) -> int:
    session.flush()
    return next(one.count for one in check(session) if one.code == "B42")


def erased(session: Session) -> Member:
    member = make_member(session, nickname="小美", phone="+8613800001111", device="phone")
    make_session(session, member)
    make_order(session, member=member, state=OrderState.SETTLED)
    notes.write_note(
        session, member.id, text="likes tea", actor=as_actor(make_staff(session)), now=NOON
    )
    erasure.erase(session, member.id, now=NOON)
    return session.get_one(Member, member.id)


def a_name(session: Session, member: Member) -> None:
    member.nickname = "小美"


def a_number(session: Session, member: Member) -> None:
    member.phone_sealed, member.phone_hash = "sealed", "hash"


def an_account(session: Session, member: Member) -> None:
    member.wechat_openid = "o-wechat"


def a_device(session: Session, member: Member) -> None:
    session.add(MemberDevice(member_id=member.id, device_hash="d", first_seen_at=NOON))


def a_session(session: Session, member: Member) -> None:
    make_session(session, member)


def a_real_name(session: Session, member: Member) -> None:
    session.add(
        Distributor(
            member_id=member.id,
            kind="person",
            standing="quit",
            level=1,
            real_name_sealed="sealed",
            real_name_hash="hash",
            agreement_version="1",
            applied_at=NOON,
            approved_at=NOON,
        )
    )


def a_payer(session: Session, member: Member) -> None:
    session.execute(sa.text("UPDATE payments SET payer_openid = 'o-wechat'"))


def test_nothing_is_left_of_somebody_who_was_erased(session: Session) -> None:
    erased(session)

    assert session.scalars(sa.select(MemberSession)).all() == []
    assert found(session) == 0


@pytest.mark.parametrize(
    "leave", [a_name, a_number, an_account, a_device, a_session, a_real_name, a_payer]
)
def test_whatever_is_left_is_found(session: Session, leave: Leave) -> None:
    member = erased(session)

    leave(session, member)

    assert found(session) == 1


def test_where_money_went_is_found_too(session: Session, settings: Settings) -> None:
    earner = make_earner(session, 5_000)
    make_payout(session, earner, 5_000, settings=settings)
    member = session.get_one(Member, earner.member_id)
    member.deleted_at, member.wechat_openid = NOON, f"erased:{member.id}"
    member.nickname, member.wechat_unionid = "", None
    member.phone_sealed = member.phone_hash = member.birthday_on = None
    earner.real_name_sealed = earner.real_name_hash = None
    session.flush()

    assert found(session) == 1

    session.execute(sa.text("SELECT erase_frozen(:id)"), {"id": member.id})
    assert found(session) == 0
    assert session.scalars(sa.select(Payout.amount_fen)).all() == [5_000]


def test_an_erasure_takes_the_words_and_pictures_of_a_dispute_and_leaves_its_outcome(
    session: Session,
) -> None:
    case = make_case(session)
    row = open_dispute(session, case, now=NOON)
    evidence.add_evidence(
        session, row.id, evidence.redraw(picture()), actor=as_actor(case.maker), now=NOON
    )
    disputes.dismiss_dispute(
        session, row.id, actor=as_actor(case.checker), reason="no scan on record", now=NOON
    )

    erasure.erase(session, case.customer.id, now=LATER)

    left = session.get_one(OwnershipDispute, row.id)
    assert (left.claim, left.state.value) == ("erased with the person", "dismissed")
    assert session.scalars(sa.select(EvidenceFile.id)).all() == []
    assert found(session) == 0


def test_what_is_claimed_stands_neither_in_the_trail_nor_in_the_log(session: Session) -> None:
    row = open_dispute(session, make_case(session), now=NOON)

    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "dispute_opened")
    ).one()
    assert CLAIM not in f"{trail.reason}{trail.before}{trail.after}"
    assert row.claim == CLAIM
    assert session.scalars(row.steps.select()).one().reason == ""


def test_nobody_writes_about_somebody_who_was_erased(session: Session) -> None:
    member, author = erased(session), as_actor(make_staff(session))

    with pytest.raises(MemberNotFound):
        notes.write_note(session, member.id, text="came by", actor=author, now=LATER)
    assert found(session) == 0
