"""Issuing, revoking and guessing share codes."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attribution import queries, services
from app.attribution.codes import live_code
from app.attribution.errors import (
    ChannelInvalid,
    ChannelKindDiffers,
    ChannelNotFound,
    CodeRevoked,
    CodesLocked,
    CodeUnknown,
    PageInvalid,
)
from app.attribution.guessing import PEOPLE_PER_ADDRESS
from app.attribution.jobs import forget_code_misses
from app.attribution.models import Channel, ChannelKind, CodeMiss, ShareCode
from app.attribution.services import ChannelChoice
from app.catalog.errors import ProductNotFound
from app.kernel.audit import Actor, AuditRecord
from app.kernel.db import database_now
from app.kernel.ids import random_text
from app.members.errors import NotADistributor
from app.members.models import Distributor, Standing
from app.settings import Settings
from app.stores.errors import StoreNotFound
from tests.factories.orders import make_product
from tests.factories.people import (
    make_channel,
    make_distributor,
    make_member,
    make_share_code,
    make_store,
)

GROUP = ChannelChoice("阳光花园业主群", ChannelKind.GROUP)
PAGE = "pages/product/detail"
STAFF = Actor("staff", 1)


def issue(session: Session, owner: Distributor, now: datetime, **changes: Any) -> ShareCode:
    facts: dict[str, Any] = {"channel": GROUP, "page": PAGE}
    return services.issue_code(
        session, distributor_id=owner.member_id, now=now, **(facts | changes)
    )


def test_a_code_is_22_random_letters_and_digits_that_fit_a_scene(
    session: Session, now: datetime
) -> None:
    owner = make_distributor(session)

    codes = [issue(session, owner, now, page=f"pages/{one}").code for one in range(50)]

    assert all(re.fullmatch(r"[0-9A-Za-z]{22}", code) for code in codes)
    assert len({code[:4] for code in codes}) == 50


def test_the_same_three_things_have_one_live_code(session: Session, now: datetime) -> None:
    owner, product = make_distributor(session), make_product(session)

    first = issue(session, owner, now, product_id=product.id)
    again = issue(session, owner, now, product_id=product.id)
    others = [
        issue(session, owner, now),
        issue(session, owner, now, page="pages/index/index"),
        issue(session, owner, now, channel=ChannelChoice("朋友圈", ChannelKind.PERSONAL)),
        issue(session, make_distributor(session), now, product_id=product.id),
    ]

    assert again is first
    assert len({first.id, *(code.id for code in others)}) == 5
    assert first.channel.name == "阳光花园业主群"


def test_a_channel_is_opened_once_by_name_for_each_owner(session: Session, now: datetime) -> None:
    owner, other = make_distributor(session), make_distributor(session)
    store, second_store = make_store(session), make_store(session)
    counter = ChannelChoice("前台", ChannelKind.COUNTER)

    codes = [issue(session, one, now, channel=counter) for one in (owner, owner, other)]
    codes += [
        services.issue_code(session, owner_store_id=one.id, channel=counter, page=PAGE, now=now)
        for one in (store, second_store)
    ]

    assert len({code.channel_id for code in codes}) == 4
    assert [one.id for one in queries.channels_of(session, owner.member_id)] == [
        codes[0].channel_id
    ]


def test_a_channel_by_id_is_ones_own_or_the_brands(session: Session, now: datetime) -> None:
    owner = make_distributor(session)
    mine = make_channel(session, owner_id=owner.member_id)
    brands = make_channel(session)
    foreign = make_channel(session, owner_id=make_distributor(session).member_id)
    counter = make_channel(session, store_id=make_store(session).id)

    assert issue(session, owner, now, channel=mine.id).channel_id == mine.id
    assert issue(session, owner, now, channel=brands.id).channel_id == brands.id
    for channel_id in (foreign.id, counter.id, 10**15):
        with pytest.raises(ChannelNotFound):
            issue(session, owner, now, channel=channel_id)


def test_a_channel_keeps_its_kind(session: Session, now: datetime) -> None:
    owner = make_distributor(session)
    issue(session, owner, now)

    with pytest.raises(ChannelKindDiffers):
        issue(session, owner, now, channel=ChannelChoice(GROUP.name, ChannelKind.KOL))

    assert session.scalars(sa.select(Channel.kind)).all() == [ChannelKind.GROUP]


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb"])
def test_what_is_no_name_opens_no_channel(session: Session, now: datetime, name: str) -> None:
    with pytest.raises(ChannelInvalid):
        issue(
            session,
            make_distributor(session),
            now,
            channel=ChannelChoice(name, ChannelKind.GROUP),
        )

    assert session.scalars(sa.select(Channel)).all() == []


@pytest.mark.parametrize(
    "page",
    ["", "/pages/index", "pages/index?x=1", "pages//index", "pages/", "页", "a" * 129, "a b"],
)
def test_what_is_no_path_of_a_page_is_refused(session: Session, now: datetime, page: str) -> None:
    with pytest.raises(PageInvalid):
        issue(session, make_distributor(session), now, page=page)


@pytest.mark.parametrize(
    "standing", [Standing.APPLIED, Standing.FROZEN, Standing.QUIT, Standing.REFUSED]
)
def test_only_active_distributors_get_codes(
    session: Session, now: datetime, standing: Standing
) -> None:
    with pytest.raises(NotADistributor):
        issue(session, make_distributor(session, standing=standing), now)

    assert session.scalars(sa.select(ShareCode)).all() == []


def test_a_code_leads_to_what_exists(session: Session, now: datetime) -> None:
    with pytest.raises(ProductNotFound):
        issue(session, make_distributor(session), now, product_id=10**15)
    with pytest.raises(StoreNotFound):
        services.issue_code(session, owner_store_id=10**15, channel=GROUP, page=PAGE, now=now)


def test_a_revoked_code_is_gone_for_good_and_makes_room_for_a_new_one(
    session: Session, now: datetime
) -> None:
    owner = make_distributor(session)
    member = Actor("member", owner.member_id)
    old = issue(session, owner, now)

    services.revoke_code(session, old.id, owner_id=owner.member_id, actor=member, now=now)
    services.revoke_code(
        session, old.id, owner_id=owner.member_id, actor=member, now=now + timedelta(days=1)
    )
    new = issue(session, owner, now)

    assert (old.revoked_at, new.revoked_at) == (now, None)
    assert new.code != old.code
    with pytest.raises(CodeRevoked):
        live_code(session, old.code)
    assert queries.code_by_text(session, old.code) is old
    assert live_code(session, new.code) is new


def test_a_new_code_in_place_of_an_old_stands_for_the_same(session: Session, now: datetime) -> None:
    owner, product = make_distributor(session), make_product(session)
    old = issue(session, owner, now, product_id=product.id)

    new = services.regenerate_code(session, old.id, owner_id=None, actor=STAFF, now=now)

    assert (old.revoked_at, new.revoked_at) == (now, None)
    assert (new.distributor_id, new.channel_id, new.page, new.product_id) == (
        old.distributor_id,
        old.channel_id,
        old.page,
        product.id,
    )
    assert session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all() == [
        "share_code_revoked",
        "share_code_issued",
    ]
    with pytest.raises(CodeRevoked):
        services.regenerate_code(session, old.id, owner_id=None, actor=STAFF, now=now)


def test_nobody_touches_the_codes_of_others(session: Session, now: datetime) -> None:
    code, stranger = make_share_code(session), make_distributor(session)
    actor = Actor("member", stranger.member_id)

    for change in (services.revoke_code, services.regenerate_code):
        for code_id in (code.id, 10**15):
            with pytest.raises(CodeUnknown):
                change(session, code_id, owner_id=stranger.member_id, actor=actor, now=now)

    assert queries.code_of_distributor(session, code.id, stranger.member_id) is None
    assert code.revoked_at is None


def test_staff_issue_codes_of_stores_on_record(session: Session, now: datetime) -> None:
    store = make_store(session)

    for _ in range(2):
        services.issue_code(
            session, owner_store_id=store.id, channel=GROUP, page=PAGE, actor=STAFF, now=now
        )

    entry = session.scalars(sa.select(AuditRecord)).one()
    assert (entry.action, entry.store_id) == ("share_code_issued", store.id)


def test_a_page_of_codes_comes_newest_first(session: Session) -> None:
    owner = make_distributor(session)
    codes = [make_share_code(session, distributor=owner) for _ in range(3)]
    make_share_code(session)

    first = queries.codes_page(session, owner.member_id, after_id=None, limit=2)
    rest = queries.codes_page(session, owner.member_id, after_id=first[-1].id, limit=2)

    assert [row.id for row in (*first, *rest)] == [row.id for row in reversed(codes)]


def test_the_database_refuses_two_live_codes_and_odd_texts(session: Session) -> None:
    code = make_share_code(session)
    twin = {
        "distributor_id": code.distributor_id,
        "channel_id": code.channel_id,
        "page": code.page,
        "created_at": code.created_at,
    }

    for text in (random_text(22), "short", "x" * 21 + "-"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(sa.insert(ShareCode).values(code=text, **twin))


def guess(
    session: Session,
    settings: Settings,
    now: datetime,
    *,
    member_id: int | None,
    ip: str | None = None,
    text: str | None = None,
) -> ShareCode:
    with services.counting_misses(member_id=member_id, ip=ip, settings=settings, now=now):
        return live_code(session, text or random_text(22))


def test_five_misses_lock_a_member_out_for_a_quarter_of_an_hour(
    session: Session, settings: Settings, now: datetime
) -> None:
    code, member = make_share_code(session), make_member(session)
    session.commit()
    for _ in range(5):
        with pytest.raises(CodeUnknown):
            guess(session, settings, now, member_id=member.id)

    with pytest.raises(CodesLocked) as locked:
        guess(session, settings, now, member_id=member.id, text=code.code)
    almost = now + timedelta(seconds=899.5)
    with pytest.raises(CodesLocked) as nearly_over:
        guess(session, settings, almost, member_id=member.id, text=code.code)

    assert locked.value.retry_after_seconds == 900
    assert nearly_over.value.retry_after_seconds == 1
    over = now + timedelta(seconds=900)
    assert guess(session, settings, over, member_id=member.id, text=code.code).id == code.id
    with pytest.raises(CodeUnknown):
        guess(session, settings, over, member_id=member.id)
    assert session.get_one(CodeMiss, f"member:{member.id}").misses == 1


def test_misses_far_apart_lock_nobody_out(
    session: Session, settings: Settings, now: datetime
) -> None:
    member = make_member(session)
    session.commit()

    for minutes in range(0, 200, 5):
        at = now + timedelta(minutes=minutes)
        with pytest.raises(CodeUnknown):
            guess(session, settings, at, member_id=member.id)


def test_a_good_code_and_a_revoked_one_are_no_misses(
    session: Session, settings: Settings, now: datetime
) -> None:
    live, old = make_share_code(session), make_share_code(session, revoked_at=now)
    member = make_member(session)
    session.commit()

    for _ in range(6):
        guess(session, settings, now, member_id=member.id, text=live.code)
        with pytest.raises(CodeRevoked):
            guess(session, settings, now, member_id=member.id, text=old.code)

    assert session.scalars(sa.select(CodeMiss)).all() == []


def test_many_accounts_behind_one_address_are_locked_out_together(
    session: Session, settings: Settings, now: datetime
) -> None:
    """A small version of ten thousand guesses from fifty accounts."""
    members = [make_member(session).id for _ in range(25)]
    session.commit()
    answers = {CodeUnknown: 0, CodesLocked: 0}

    for turn in range(200):
        with pytest.raises((CodeUnknown, CodesLocked)) as refused:
            guess(session, settings, now, member_id=members[turn % 25], ip="203.0.113.7")
        answers[refused.type] += 1

    most = settings.code_misses_max * PEOPLE_PER_ADDRESS
    assert answers == {CodeUnknown: most, CodesLocked: 200 - most}
    with pytest.raises(CodesLocked):
        guess(session, settings, now, member_id=None, ip="203.0.113.7")
    with pytest.raises(CodeUnknown):
        guess(session, settings, now, member_id=None, ip="203.0.113.8")


def test_addresses_are_kept_as_keyed_hashes_only(
    session: Session, settings: Settings, now: datetime
) -> None:
    for ip in ("203.0.113.7", "2001:db8:1:2::7", "2001:db8:1:2:ffff::8", "not an address"):
        with pytest.raises(CodeUnknown):
            guess(session, settings, now, member_id=None, ip=ip)

    principals = session.scalars(sa.select(CodeMiss.principal)).all()
    assert len(principals) == 3
    assert all(re.fullmatch(r"ip:[0-9a-f]{64}", one) for one in principals)


def test_counters_that_ran_out_are_forgotten(session: Session, settings: Settings) -> None:
    real_now = database_now()
    for member_id in range(1, 4):
        at = real_now - timedelta(minutes=16) if member_id > 1 else real_now
        with pytest.raises(CodeUnknown):
            guess(session, settings, at, member_id=member_id)

    assert forget_code_misses() == 2
    assert forget_code_misses() == 0
    assert session.scalars(sa.select(CodeMiss.principal)).all() == ["member:1"]
