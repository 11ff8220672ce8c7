from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.coupons.models import Coupon
from app.interactions import campaigns, messages
from app.interactions.audience_models import Campaign, CampaignRecipient
from app.interactions.campaign_figures import figures_of
from app.interactions.campaigns import CampaignDraft, is_control
from app.interactions.errors import CampaignInvalid, CampaignNotInState, InteractionNotFound
from app.interactions.jobs import run_campaigns
from app.interactions.message_models import Message
from app.interactions.states import CampaignState, MessageState
from app.kernel.audit import Actor
from app.orders.states import OrderState
from tests.factories.coupons import make_template as make_coupon_template
from tests.factories.interactions import actor_of, make_campaign, make_segment, make_template
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff, make_store

WEEK = timedelta(days=7)


@pytest.fixture
def actor(session: Session) -> Actor:
    return actor_of(make_staff(session))


def sent(session: Session, campaign: Campaign, actor: Actor, now: datetime = NOON) -> Campaign:
    campaigns.check_campaign(session, campaign.id, actor=actor, now=now)
    campaigns.send_campaign(session, campaign.id, actor=actor, now=now)
    session.commit()
    return campaign


def take_up_all(campaign: Campaign, now: datetime = NOON) -> int:
    batches = 0
    while campaigns.take_up(campaign.id, now=now):
        batches += 1
    return batches


def recipients(session: Session) -> list[CampaignRecipient]:
    session.expire_all()
    return list(session.scalars(sa.select(CampaignRecipient).order_by(CampaignRecipient.member_id)))


def test_a_campaign_writes_to_everybody_of_its_segment_once(session: Session, actor: Actor) -> None:
    store, other = make_store(session), make_store(session)
    ours = [make_member(session, origin_store_id=store.id).id for _ in range(3)]
    make_member(session, origin_store_id=other.id)
    segment = make_segment(session, store=store)
    campaign = sent(session, make_campaign(session, segment=segment), actor)

    assert take_up_all(campaign) == 1
    assert take_up_all(campaign) == 0

    rows = session.scalars(sa.select(Message).order_by(Message.member_id)).all()
    assert [row.member_id for row in rows] == ours
    assert rows[0].data == {"thing1": "Spring", "thing2": "A pot of tea is wai…"}
    assert rows[0].page == f"pages/me/me?cm={campaign.id}"
    assert [row.member_id for row in recipients(session)] == ours


def test_a_checked_campaign_says_how_many_it_means(session: Session, actor: Actor) -> None:
    make_member(session)
    make_member(session)
    campaign = make_campaign(session)

    count = campaigns.check_campaign(session, campaign.id, actor=actor, now=NOON)

    assert (count, campaign.audience, campaign.state) == (2, 2, CampaignState.CHECKED)


def test_nothing_goes_out_unchecked(session: Session, actor: Actor) -> None:
    make_member(session)
    campaign = make_campaign(session)

    with pytest.raises(CampaignNotInState):
        campaigns.send_campaign(session, campaign.id, actor=actor, now=NOON)


def test_an_edited_campaign_has_to_be_checked_again(session: Session, actor: Actor) -> None:
    make_member(session)
    campaign = make_campaign(session)
    campaigns.check_campaign(session, campaign.id, actor=actor, now=NOON)
    draft = CampaignDraft(name="x", segment_id=campaign.segment_id, says={"title": "x"})

    campaigns.change_campaign(session, campaign.id, draft, actor=actor, now=NOON)

    assert (campaign.state, campaign.audience) == (CampaignState.DRAFT, None)
    with pytest.raises(CampaignNotInState):
        campaigns.send_campaign(session, campaign.id, actor=actor, now=NOON)


def test_a_campaign_to_nobody_is_refused(session: Session, actor: Actor) -> None:
    make_member(session)
    segment = make_segment(session, rule={"points_from": 1})
    campaign = make_campaign(session, segment=segment)

    with pytest.raises(CampaignInvalid) as refused:
        campaigns.check_campaign(session, campaign.id, actor=actor, now=NOON)

    assert refused.value.reason == "nobody"
    assert campaign.state is CampaignState.DRAFT


def test_a_campaign_that_says_and_gives_nothing_is_refused(session: Session, actor: Actor) -> None:
    with pytest.raises(CampaignInvalid) as refused:
        make_campaign(session, says={})

    assert refused.value.reason == "nothing"


def test_a_campaign_whose_message_was_switched_off_is_refused(
    session: Session, actor: Actor
) -> None:
    make_member(session)
    row = make_template(session)
    campaign = make_campaign(session)
    messages.switch_template(session, row.id, is_active=False, actor=actor, now=NOON)

    with pytest.raises(CampaignInvalid) as refused:
        campaigns.check_campaign(session, campaign.id, actor=actor, now=NOON)

    assert refused.value.reason == "template"


def test_a_campaign_whose_coupons_are_gone_is_refused(session: Session, actor: Actor) -> None:
    make_member(session)
    coupon = make_coupon_template(session, stock=0)
    campaign = make_campaign(session, says={}, coupon_template_id=coupon.id)

    with pytest.raises(CampaignInvalid) as refused:
        campaigns.check_campaign(session, campaign.id, actor=actor, now=NOON)

    assert refused.value.reason == "coupon"


def test_a_retired_segment_serves_nothing_new(session: Session) -> None:
    segment = make_segment(session)
    segment.retired_at = NOON

    with pytest.raises(InteractionNotFound):
        make_campaign(session, segment=segment)


def test_a_paused_campaign_takes_nobody_up_and_goes_on_where_it_stopped(
    session: Session, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "BATCH", 2)
    ids = [make_member(session).id for _ in range(5)]
    campaign = sent(session, make_campaign(session), actor)
    assert campaigns.take_up(campaign.id, now=NOON)

    campaigns.pause_campaign(session, campaign.id, actor=actor, now=NOON)
    session.commit()
    assert not campaigns.take_up(campaign.id, now=NOON)
    assert [one.member_id for one in recipients(session)] == ids[:2]

    campaigns.resume_campaign(session, campaign.id, actor=actor, now=NOON)
    session.commit()
    assert take_up_all(campaign) == 2
    assert [one.member_id for one in recipients(session)] == ids


def test_a_cancelled_campaign_is_over(session: Session, actor: Actor) -> None:
    make_member(session)
    campaign = sent(session, make_campaign(session), actor)

    campaigns.cancel_campaign(session, campaign.id, actor=actor, now=NOON)
    session.commit()

    assert take_up_all(campaign) == 0
    assert recipients(session) == []
    with pytest.raises(CampaignNotInState):
        campaigns.resume_campaign(session, campaign.id, actor=actor, now=NOON)


def test_a_campaign_is_done_when_its_last_message_has_ended(session: Session, actor: Actor) -> None:
    make_member(session)
    campaign = sent(session, make_campaign(session), actor)
    take_up_all(campaign)
    session.expire_all()
    assert campaign.state is CampaignState.SENDING

    session.execute(
        sa.update(Message).values(state=MessageState.NO_PERMISSION, due_at=None, ended_at=NOON)
    )
    session.commit()
    take_up_all(campaign)

    session.expire_all()
    assert (campaign.state, campaign.ended_at) == (CampaignState.DONE, NOON)


def test_coupons_are_given_once_to_each_and_refusals_are_kept(
    session: Session, actor: Actor
) -> None:
    ids = [make_member(session).id for _ in range(3)]
    template = make_coupon_template(session, stock=2)
    campaign = make_campaign(session, says={}, coupon_template_id=template.id)
    sent(session, campaign, actor)

    run_campaigns()
    run_campaigns()

    owners = session.scalars(sa.select(Coupon.member_id).order_by(Coupon.member_id)).all()
    assert list(owners) == ids[:2]
    notes = [one.coupon_note for one in recipients(session)]
    assert notes == ["given", "given", "coupons_gone"]
    assert session.get_one(Campaign, campaign.id).state is CampaignState.DONE


def test_a_share_of_the_audience_is_left_alone(session: Session, actor: Actor) -> None:
    ids = [make_member(session).id for _ in range(20)]
    campaign = sent(session, make_campaign(session, control_bp=5_000), actor)

    take_up_all(campaign)

    alone = {one for one in ids if is_control(campaign.id, one, 5_000)}
    assert {one.member_id for one in recipients(session) if one.is_control} == alone
    written = set(session.scalars(sa.select(Message.member_id)))
    assert written == set(ids) - alone
    assert 0 < len(alone) < 20


def test_figures_compare_who_was_written_to_with_who_was_left_alone(
    session: Session, actor: Actor
) -> None:
    members = [make_member(session) for _ in range(12)]
    campaign = sent(session, make_campaign(session, control_bp=5_000), actor)
    take_up_all(campaign)
    alone = [one for one in members if is_control(campaign.id, one.id, 5_000)]
    reached = [one for one in members if one not in alone]
    soon, late = NOON + timedelta(days=1), NOON + WEEK
    make_order(session, member=reached[0], price_fen=1_000, now=soon)
    make_order(session, member=reached[0], price_fen=2_000, now=soon)
    make_order(session, member=reached[1], price_fen=4_000, now=late)
    make_order(session, member=alone[0], price_fen=8_000, now=soon)
    make_order(session, member=alone[0], state=OrderState.CREATED, now=soon)
    campaigns.note_click(session, campaign.id, reached[0].id, now=soon)

    found = figures_of(session, campaign.id)

    assert (found.reached.people, found.reached.buyers) == (len(reached), 1)
    assert (found.reached.paid_fen, found.control.paid_fen) == (3_000, 8_000)
    assert (found.control.people, found.control.buyers) == (len(alone), 1)
    assert found.messages == {MessageState.WAITING: len(reached)}
    assert found.clicked == 1


def test_a_click_counts_once_and_only_of_who_was_written_to(session: Session, actor: Actor) -> None:
    member, stranger = make_member(session), make_member(session)
    campaign = make_campaign(session, segment=make_segment(session))
    session.add(
        CampaignRecipient(
            campaign_id=campaign.id, member_id=member.id, is_control=False, taken_at=NOON
        )
    )
    session.flush()

    told = [
        campaigns.note_click(session, campaign.id, one, now=NOON)
        for one in (member.id, member.id, stranger.id)
    ]

    assert told == [True, False, False]
