"""Phone, profile and consents."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.ids import digest
from app.kernel.secrecy import vault
from app.members import queries, services
from app.members.errors import (
    ConsentRequired,
    MemberNotFound,
    PhoneUnusable,
    ProfileInvalid,
    TooYoung,
)
from app.members.models import Consent, ConsentPurpose
from app.wechat.errors import PhoneCodeInvalid
from scripts.sandbox.client import SandboxClient
from tests.factories.people import make_member, make_session

PURE = "13800001111"
PHONE = f"+86{PURE}"


def versions(session: Session, member_id: int, purpose: ConsentPurpose) -> list[str]:
    return list(
        session.scalars(
            sa.select(Consent.version)
            .where(
                Consent.member_id == member_id,
                Consent.purpose == purpose,
                Consent.withdrawn_at.is_(None),
            )
            .order_by(Consent.id)
        )
    )


def test_a_phone_is_sealed_found_by_hash_and_agreed_to(
    session: Session, sandbox: SandboxClient, now: datetime
) -> None:
    openid = sandbox.user(phone=PURE)
    member = make_member(session, openid=openid)
    session.commit()

    services.set_phone(member.id, code=sandbox.phone_code(openid), consent_version="p1", now=now)

    session.refresh(member)
    assert member.phone_sealed is not None
    assert PHONE[3:] not in member.phone_sealed
    assert vault().open(member.phone_sealed) == PHONE
    assert member.phone_hash == vault().look_up("phone", PHONE)
    assert versions(session, member.id, ConsentPurpose.PHONE) == ["p1"]


def test_two_members_of_a_household_may_have_one_number(
    session: Session, sandbox: SandboxClient, now: datetime
) -> None:
    openids = [
        sandbox.user(phone=PURE),
        sandbox.user(phone=PURE),
    ]
    members = [make_member(session, openid=openid) for openid in openids]
    session.commit()

    for member in members:
        code = sandbox.phone_code(member.wechat_openid)
        services.set_phone(member.id, code=code, consent_version="p1", now=now)

    session.expire_all()
    assert members[0].phone_hash == members[1].phone_hash
    assert members[0].phone_sealed != members[1].phone_sealed
    assert queries.household_of(session, members[0].id, {members[1].id}) == {members[1].id}


@pytest.mark.parametrize("version", [None, ""])
def test_no_phone_without_consent_and_wechat_is_not_even_asked(
    session: Session, sandbox: SandboxClient, now: datetime, version: str | None
) -> None:
    openid = sandbox.user(phone=PURE)
    member = make_member(session, openid=openid)
    session.commit()
    code = sandbox.phone_code(openid)

    with pytest.raises(ConsentRequired):
        services.set_phone(member.id, code=code, consent_version=version, now=now)

    session.refresh(member)
    assert member.phone_hash is None
    services.set_phone(member.id, code=code, consent_version="p1", now=now)


def test_a_phone_code_works_once(session: Session, sandbox: SandboxClient, now: datetime) -> None:
    openid = sandbox.user(phone=PURE)
    member = make_member(session, openid=openid)
    session.commit()
    code = sandbox.phone_code(openid)
    services.set_phone(member.id, code=code, consent_version="p1", now=now)

    with pytest.raises(PhoneCodeInvalid):
        services.set_phone(member.id, code=code, consent_version="p1", now=now)


def test_withdrawing_the_consent_erases_the_phone_at_once(session: Session, now: datetime) -> None:
    member = make_member(session, phone=PHONE)

    services.withdraw_consent(session, member.id, purpose=ConsentPurpose.PHONE, now=now)
    services.withdraw_consent(session, member.id, purpose=ConsentPurpose.PHONE, now=now)

    session.refresh(member)
    assert (member.phone_sealed, member.phone_hash) == (None, None)
    assert versions(session, member.id, ConsentPurpose.PHONE) == []
    assert versions(session, member.id, ConsentPurpose.SERVICE) == ["2026-11"]


def test_withdrawing_from_the_service_signs_every_device_out(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    tokens = [make_session(session, member) for _ in range(2)]

    services.withdraw_consent(session, member.id, purpose=ConsentPurpose.SERVICE, now=now)

    assert [queries.session_by_token(session, digest(token)) for token in tokens] == [None, None]


def test_a_consent_is_kept_once_per_version_with_its_whole_past(
    session: Session, now: datetime
) -> None:
    member = make_member(session)
    later = now + timedelta(days=1)

    for version, at in (("m1", now), ("m1", later), ("m2", later)):
        services.grant_consent(
            session, member.id, purpose=ConsentPurpose.MARKETING, version=version, now=at
        )

    new, old, _ = queries.consents(session, member.id)
    assert (old.version, old.granted_at, old.withdrawn_at) == ("m1", now, later)
    assert (new.version, new.granted_at, new.withdrawn_at) == ("m2", later, None)


def test_a_profile_changes_only_in_what_is_given(session: Session, now: datetime) -> None:
    member = make_member(session, nickname="小美")

    services.update_profile(session, member.id, birthday_on=date(1990, 5, 17), now=now)
    services.update_profile(session, member.id, nickname=" 小丽 👩‍👧 ", now=now)

    session.refresh(member)
    assert (member.nickname, member.birthday_on) == ("小丽 👩‍👧", date(1990, 5, 17))


@pytest.mark.parametrize("nickname", ["", "   ", "x" * 41, "a\nb", "a\x00b", "Li\u202eaM"])
def test_what_is_no_name_is_refused(session: Session, now: datetime, nickname: str) -> None:
    member = make_member(session, nickname="小美")

    with pytest.raises(ProfileInvalid) as refused:
        services.update_profile(session, member.id, nickname=nickname, now=now)

    session.refresh(member)
    assert (refused.value.field, member.nickname) == ("nickname", "小美")


@pytest.mark.parametrize("birthday", [date(2026, 3, 2), date(1899, 12, 31)])
def test_a_birthday_lies_in_this_or_the_last_century(
    session: Session, now: datetime, birthday: date
) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        services.update_profile(session, make_member(session).id, birthday_on=birthday, now=now)

    assert refused.value.field == "birthday_on"


def test_children_are_refused_until_the_day_they_turn_fourteen(
    session: Session, now: datetime
) -> None:
    member = make_member(session)

    with pytest.raises(TooYoung):
        services.update_profile(session, member.id, birthday_on=date(2012, 3, 2), now=now)
    services.update_profile(session, member.id, birthday_on=date(2012, 3, 1), now=now)

    session.refresh(member)
    assert member.birthday_on == date(2012, 3, 1)


def test_who_does_not_exist_or_was_deleted_has_no_profile(session: Session, now: datetime) -> None:
    gone = make_member(session)
    gone.deleted_at = now
    session.flush()

    for member_id in (gone.id, 10**15):
        with pytest.raises(MemberNotFound):
            services.update_profile(session, member_id, nickname="x", now=now)
        with pytest.raises(MemberNotFound):
            queries.get_member(session, member_id)


@pytest.mark.parametrize("number", ["12", "12345678901234567", "1380000x111"])
def test_what_is_no_international_number_is_refused(
    session: Session, sandbox: SandboxClient, now: datetime, number: str
) -> None:
    openid = sandbox.user(phone=number)
    member = make_member(session, openid=openid)
    session.commit()
    code = sandbox.phone_code(openid)

    with pytest.raises(PhoneUnusable):
        services.set_phone(member.id, code=code, consent_version="p1", now=now)

    session.refresh(member)
    assert member.phone_hash is None
    assert versions(session, member.id, ConsentPurpose.PHONE) == []
