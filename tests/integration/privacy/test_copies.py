"""The copy of one's data: whole, readable, and of nobody else."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.privacy import services
from app.privacy.errors import CopyGone, DataRequestNotFound, DataRequestOpen
from app.privacy.models import PrivacyCopy, PrivacyRequest
from app.privacy.services import Wish
from app.privacy.states import RequestKind, RequestState
from app.settings import Settings
from tests.factories.orders import make_order
from tests.factories.payouts import make_earner
from tests.factories.people import make_member, make_session, make_store
from tests.factories.privacy import NOON

MEMBER = Actor("member", 1)


def copied(session: Session, settings: Settings, member_id: int) -> tuple[PrivacyRequest, bytes]:
    wish = Wish(member_id, RequestKind.COPY)
    row = services.ask(session, wish, actor=MEMBER, settings=settings, now=NOON)
    done = services.carry_out(session, row.id, settings=settings, now=NOON)
    assert done is not None
    return done, services.take_copy(session, row.id, actor=MEMBER, now=NOON)


def read(content: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        texts = {name: files.read(name).decode("utf-8-sig") for name in files.namelist()}
    return json.loads(texts["data.json"]), texts


def test_a_copy_holds_everything_about_the_member_in_clear(
    session: Session, settings: Settings
) -> None:
    member = make_member(session, nickname="小美", phone="+8613800001111")
    make_session(session, member)
    order = make_order(session, member=member, price_fen=12_800)

    row, content = copied(session, settings, member.id)
    data, texts = read(content)

    assert row.state is RequestState.DONE
    assert data["members"][0]["nickname"] == "小美"
    assert data["members"][0]["phone"] == "+8613800001111"
    assert [one["number"] for one in data["orders"]] == [order.number]
    assert data["orders"][0]["payable_fen"] == 12_800
    assert {one["purpose"] for one in data["consents"]} == {"service", "phone"}
    assert "个人资料" in texts["README.txt"] or "Profile" in texts["README.txt"]
    rows = list(csv.DictReader(io.StringIO(texts["orders.csv"])))
    assert rows[0]["number"] == order.number


def test_a_copy_holds_nothing_of_anybody_else(session: Session, settings: Settings) -> None:
    member, other = make_member(session), make_member(session, nickname="Somebody else")
    theirs = make_order(session, member=other)

    _, content = copied(session, settings, member.id)

    text = read(content)[1]["data.json"]
    assert "Somebody else" not in text
    assert theirs.number not in text


def test_a_distributor_gets_real_name_commission_and_balances(
    session: Session, settings: Settings
) -> None:
    earner = make_earner(session, 1_000, real_name="王小明")

    data, _ = read(copied(session, settings, earner.member_id)[1])

    assert data["distributors"][0]["real_name"] == "王小明"
    assert [one["amount_fen"] for one in data["awards"]] == [1_000]
    assert {"name": "commission_available", "unit": "fen", "balance": 1_000} in data[
        "ledger_accounts"
    ]


def test_a_name_that_looks_like_a_formula_is_quoted_in_the_files(
    session: Session, settings: Settings
) -> None:
    member = make_member(session, nickname="=1+1")

    _, texts = read(copied(session, settings, member.id)[1])

    assert ",'=1+1," in texts["members.csv"]


def test_a_second_copy_waits_for_the_first(session: Session, settings: Settings) -> None:
    member = make_member(session)
    wish = Wish(member.id, RequestKind.COPY)
    services.ask(session, wish, actor=MEMBER, settings=settings, now=NOON)

    with pytest.raises(DataRequestOpen):
        services.ask(session, wish, actor=MEMBER, settings=settings, now=NOON)

    assert session.scalar(sa.select(sa.func.count()).select_from(PrivacyRequest)) == 1


def test_a_copy_is_for_its_member_only_and_for_its_time(
    session: Session, settings: Settings
) -> None:
    member, other = make_member(session), make_member(session)
    row, _ = copied(session, settings, member.id)
    later = NOON + timedelta(seconds=settings.privacy_copy_seconds)

    with pytest.raises(DataRequestNotFound):
        services.take_copy(session, row.id, actor=MEMBER, now=NOON, member_id=other.id)
    with pytest.raises(CopyGone):
        services.take_copy(session, row.id, actor=MEMBER, now=later)

    assert services.forget_copies(session, now=later) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(PrivacyCopy)) == 0


def test_who_took_a_copy_is_recorded_and_what_is_in_it_is_sealed_at_rest(
    session: Session, settings: Settings
) -> None:
    store = make_store(session)
    member = make_member(session, nickname="小美", origin_store_id=store.id)

    row, content = copied(session, settings, member.id)

    taken = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "privacy.copy_taken")
    ).one()
    assert (taken.subject_type, taken.subject_id) == ("member", member.id)
    sealed = session.scalar(sa.select(PrivacyCopy.content_sealed))
    assert sealed is not None
    assert content not in sealed.encode()
    assert row.ended_by == "system"
