import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import messages, sending
from app.interactions.errors import MessageTemplateInvalid, MessageTemplateTaken
from app.interactions.message_models import Message, MessagePermission
from app.interactions.messages import TemplateDraft, note_answers, notify
from app.interactions.sending import Errand
from app.interactions.states import DropReason, MessageState
from app.kernel.audit import Actor
from app.members.models import Member
from app.settings import Settings
from app.wechat.template_values import Value
from scripts.sandbox.client import SandboxClient
from tests.factories.interactions import (
    agree_to_marketing,
    allow,
    make_campaign,
    make_template,
    wechat_id,
)
from tests.factories.people import NOON, make_member

SHANGHAI_NOON = datetime.fromisoformat("2026-03-01T12:00:00+08:00")
ACTOR = Actor("staff", 1)
VALUES: dict[str, Value] = {"number": "TK2026", "store": "West Lake", "amount": 12_300, "at": NOON}
Send = Callable[..., bool]


@pytest.fixture
def tell(session: Session) -> Callable[..., bool]:
    def act(member: Member, key: str = "one", occasion: str = "order_paid", **values: str) -> bool:
        told = values or VALUES
        return notify(session, member.id, occasion, told, key=key, now=SHANGHAI_NOON)

    return act


def send_all(settings: Settings, now: datetime = SHANGHAI_NOON) -> list[Errand]:
    errands: list[Errand] = []
    while True:
        found, errand = sending.begin_next(settings=settings, now=now)
        if not found:
            return errands
        if errand is not None:
            errands.append(errand)
            sending.conclude(errand, sending.carry_out(errand), now=now)


def message(session: Session) -> Message:
    session.expire_all()
    return session.scalars(sa.select(Message)).one()


def left(session: Session) -> int:
    session.expire_all()
    return session.scalars(sa.select(MessagePermission.left)).one()


def test_a_message_goes_out_to_who_allowed_it(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, wechat_id("order_paid"))
    member = make_member(session, openid=openid)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)

    send_all(settings)

    row = message(session)
    assert (row.state, row.due_at, row.attempts) == (MessageState.SENT, None, 1)
    (arrived,) = sandbox.messages()
    assert arrived["data"] == {
        "character_string1": "TK2026",
        "thing2": "West Lake",
        "amount3": "¥123.00",
    }
    assert left(session) == 0


def test_one_occasion_is_one_message_however_often_it_is_told(session: Session, tell: Send) -> None:
    member = make_member(session)
    make_template(session, "order_paid")

    assert [tell(member), tell(member)] == [True, False]
    assert message(session).key == "one"


def test_without_a_template_in_use_nobody_is_written_to(session: Session, tell: Send) -> None:
    member = make_member(session)
    row = make_template(session, "order_paid")
    messages.switch_template(session, row.id, is_active=False, actor=ACTOR, now=NOON)

    assert not tell(member)
    assert session.scalars(sa.select(Message)).all() == []


def test_who_allowed_nothing_is_not_written_to_and_wechat_not_asked(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    make_template(session, "order_paid")
    tell(make_member(session))

    assert send_all(settings) == []
    assert message(session).state is MessageState.NO_PERMISSION
    assert sandbox.calls() == {}


def test_what_wechat_knows_better_takes_the_rest_of_the_permissions(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    member = make_member(session, openid=sandbox.user())
    make_template(session, "order_paid")
    allow(session, member, "order_paid", taps=3)
    tell(member)

    send_all(settings)

    row = message(session)
    assert (row.state, row.wechat_code) == (MessageState.NO_PERMISSION, 43101)
    assert left(session) == 0


def test_a_message_that_wechat_never_takes_costs_no_permission(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    openid = sandbox.user()
    sandbox.template(wechat_id("order_paid"), "thing9")
    sandbox.allow(openid, wechat_id("order_paid"))
    member = make_member(session, openid=openid)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)

    send_all(settings)

    row = message(session)
    assert (row.state, row.wechat_code, row.wechat_field) == (
        MessageState.INVALID,
        47003,
        "thing9",
    )
    assert left(session) == 1


def test_an_unknown_outcome_stays_unknown_and_is_not_sent_again(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, wechat_id("order_paid"))
    member = make_member(session, openid=openid)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)
    sandbox.fault("/cgi-bin/message", "drop")

    send_all(settings)
    send_all(settings, now=SHANGHAI_NOON + timedelta(hours=3))

    assert message(session).state is MessageState.UNKNOWN
    assert sandbox.calls()["/cgi-bin/message/subscribe/send"] == 1


def test_a_wechat_that_asks_to_slow_down_gets_it_later(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    openid = sandbox.user()
    sandbox.allow(openid, wechat_id("order_paid"))
    member = make_member(session, openid=openid)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)
    sandbox.fault("/cgi-bin/message", "errcode", changes={"errcode": 45009})

    send_all(settings)
    row = message(session)
    assert (row.state, row.due_at) == (
        MessageState.WAITING,
        SHANGHAI_NOON + timedelta(seconds=30),
    )
    assert left(session) == 1

    send_all(settings, now=SHANGHAI_NOON + timedelta(seconds=31))
    assert message(session).state is MessageState.SENT


def test_a_worker_that_died_with_a_message_leaves_it_unknown(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    member = make_member(session, openid=sandbox.user())
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)
    _, errand = sending.begin_next(settings=settings, now=SHANGHAI_NOON)
    assert errand is not None

    assert send_all(settings, now=SHANGHAI_NOON + timedelta(seconds=5)) == []
    assert message(session).state is MessageState.SENDING
    assert send_all(settings, now=SHANGHAI_NOON + timedelta(hours=1)) == []

    assert message(session).state is MessageState.UNKNOWN
    assert sandbox.messages() == []


def test_a_worker_that_was_overtaken_has_nothing_to_say(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    member = make_member(session, openid=sandbox.user())
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)
    _, errand = sending.begin_next(settings=settings, now=SHANGHAI_NOON)
    assert errand is not None
    send_all(settings, now=SHANGHAI_NOON + timedelta(hours=1))
    late = dataclasses.replace(errand, until=0.0)

    outcome = sending.carry_out(late)
    sending.conclude(late, outcome, now=SHANGHAI_NOON + timedelta(hours=1))

    assert message(session).state is MessageState.UNKNOWN
    assert sandbox.calls() == {}


def test_nobody_reads_what_is_too_late(session: Session, settings: Settings, tell: Send) -> None:
    member = make_member(session)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)

    send_all(settings, now=SHANGHAI_NOON + timedelta(days=1))

    row = message(session)
    assert (row.state, row.drop_reason) == (MessageState.DROPPED, DropReason.TOO_LATE)
    assert left(session) == 1


def test_who_left_is_not_written_to(session: Session, settings: Settings, tell: Send) -> None:
    member = make_member(session)
    make_template(session, "order_paid")
    allow(session, member, "order_paid")
    tell(member)
    member.deleted_at = NOON
    session.flush()

    send_all(settings)

    assert message(session).drop_reason is DropReason.MEMBER_GONE


def test_what_sells_needs_consent(session: Session, settings: Settings, tell: Send) -> None:
    member = make_member(session)
    make_template(session, "care")
    allow(session, member, "care")
    tell(member, occasion="care", title="Happy birthday")

    send_all(settings)

    assert message(session).drop_reason is DropReason.NO_CONSENT


def test_what_sells_waits_for_the_morning(session: Session, settings: Settings, tell: Send) -> None:
    member = make_member(session)
    make_template(session, "care")
    agree_to_marketing(session, member)
    tell(member, occasion="care", title="Happy birthday")

    send_all(settings, now=datetime.fromisoformat("2026-03-01T22:00:00+08:00"))

    row = message(session)
    assert row.state is MessageState.WAITING
    assert row.due_at == datetime.fromisoformat("2026-03-02T09:00:00+08:00")


def test_what_sells_comes_so_often_a_day(
    session: Session, sandbox: SandboxClient, settings: Settings, tell: Send
) -> None:
    openid = sandbox.user()
    member = make_member(session, openid=openid)
    make_template(session, "care")
    agree_to_marketing(session, member)
    allow(session, member, "care", taps=3)
    for number in range(3):
        sandbox.allow(openid, wechat_id("care"))
        tell(member, key=f"care:{number}", occasion="care", title="Happy birthday")

    send_all(settings)

    rows = session.scalars(sa.select(Message).order_by(Message.id)).all()
    states = [row.state for row in rows]
    assert states == [MessageState.SENT, MessageState.SENT, MessageState.WAITING]
    assert rows[2].due_at == datetime.fromisoformat("2026-03-02T09:00:00+08:00")
    assert len(sandbox.messages()) == 2


def test_a_value_that_fits_nowhere_leaves_a_row_that_says_so(session: Session, tell: Send) -> None:
    make_template(session, "order_paid")

    notify(
        session,
        make_member(session).id,
        "order_paid",
        {**VALUES, "amount": 10**12},
        key="one",
        now=NOON,
    )

    row = message(session)
    assert (row.state, row.drop_reason, row.data) == (
        MessageState.DROPPED,
        DropReason.UNFIT,
        {},
    )


def test_taps_add_permissions_and_a_refusal_takes_them(session: Session) -> None:
    member = make_member(session)
    make_template(session, "order_paid")
    template_id = wechat_id("order_paid")

    for _ in range(2):
        note_answers(session, member.id, {template_id: True, "nobody's": True}, now=NOON)
    assert left(session) == 2
    assert note_answers(session, member.id, {template_id: False}, now=NOON) == {template_id: 0}


def test_taps_are_counted_up_to_a_limit(session: Session) -> None:
    member = make_member(session)
    make_template(session, "order_paid")

    for _ in range(25):
        found = note_answers(session, member.id, {wechat_id("order_paid"): True}, now=NOON)

    assert found == {wechat_id("order_paid"): 20}


@pytest.mark.parametrize(
    ("fields", "flaw"),
    [
        ({}, "fields"),
        ({"thing1": "amount"}, "thing1"),
        ({"amount1": "number"}, "amount1"),
        ({"thing1": "nothing"}, "thing1"),
        ({"nonsense": "number"}, "nonsense"),
        ({"time1": "number"}, "time1"),
    ],
)
def test_a_template_is_checked_before_it_is_used(
    session: Session, fields: dict[str, str], flaw: str
) -> None:
    with pytest.raises(MessageTemplateInvalid) as refused:
        make_template(session, "order_paid", fields=fields)

    assert refused.value.field == flaw


def test_an_occasion_has_one_template(session: Session) -> None:
    make_template(session, "order_paid")

    with pytest.raises(MessageTemplateTaken):
        make_template(session, "order_paid")


def test_a_template_keeps_its_occasion(session: Session) -> None:
    row = make_template(session, "order_paid")
    draft = TemplateDraft(
        key="care",
        name="x",
        wechat_template_id=wechat_id("care"),
        page="",
        fields={"thing1": "title"},
    )

    with pytest.raises(MessageTemplateInvalid):
        messages.change_template(session, row.id, draft, actor=ACTOR, now=NOON)


def test_a_paused_campaign_holds_its_messages_back_and_a_cancelled_one_drops_them(
    session: Session, settings: Settings
) -> None:
    campaign = make_campaign(session)
    member = make_member(session)
    agree_to_marketing(session, member)
    template = messages.template_of(session, "campaign")
    assert template is not None
    messages.put(
        session,
        template,
        {member.id: "one"},
        {"title": "x", "text": "y"},
        now=SHANGHAI_NOON,
        campaign_id=campaign.id,
    )
    session.execute(sa.text("UPDATE campaigns SET state = 'paused', sent_by_id = created_by_id"))

    send_all(settings)
    assert message(session).due_at == SHANGHAI_NOON + timedelta(minutes=5)

    session.execute(sa.text("UPDATE campaigns SET state = 'cancelled'"))
    send_all(settings, now=SHANGHAI_NOON + timedelta(minutes=6))
    assert message(session).drop_reason is DropReason.CALLED_OFF
