"""A giver's quota of the month, and cards on their way to a friend."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import Channel, ChannelKind
from app.guest_cards import ending, sharing, templates
from app.guest_cards.errors import CardQuotaUsedUp, CardTemplateEnded, CardTemplateNotFound
from app.guest_cards.models import CardQuota, CardStep, GuestCard
from app.guest_cards.states import CardEvent, CardState
from app.kernel.audit import SYSTEM
from app.members.errors import NotADistributor
from app.members.states import Standing
from app.settings import Settings
from tests.factories.guest_cards import make_template, shared_card
from tests.factories.people import make_channel, make_distributor, make_store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LAST_DAY = datetime(2026, 3, 31, 12, tzinfo=UTC)
"""Eight in the evening of the last day of March, by the shops' clock."""


def test_a_shared_card_copies_its_template_and_counts_against_the_month(
    session: Session, settings: Settings, now: datetime
) -> None:
    store = make_store(session)
    giver = make_distributor(session, store_id=store.id)
    template = make_template(session, uses=3, quota=2)

    card = shared_card(session, settings, giver=giver, template=template)

    assert card.state is CardState.SHARED
    assert len(card.token) == 22
    assert (card.giver_store_id, card.share_until_at) == (store.id, now + DAY)
    assert (card.title, card.face_value_fen, card.cost_fen) == (template.name, 19_800, 3_000)
    assert [(one.granted, one.remaining) for one in card.items] == [(3, 3)]
    shown = sharing.allowances(session, giver.member_id, now=now)
    assert [(one.granted, one.taken, one.left) for one in shown] == [(2, 1, 1)]
    quota = session.get_one(CardQuota, card.quota_id)
    assert quota.month_on == date(2026, 3, 1)


def test_a_quota_gives_so_many_and_no_more(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, template = make_distributor(session), make_template(session, quota=2)
    for _ in range(2):
        shared_card(session, settings, giver=giver, template=template)

    with pytest.raises(CardQuotaUsedUp), session.begin_nested():
        shared_card(session, settings, giver=giver, template=template)

    assert session.scalar(sa.select(sa.func.count(GuestCard.id))) == 2
    assert session.scalars(sa.select(CardQuota.taken)).one() == 2


def test_a_level_without_a_quota_gives_none(session: Session, settings: Settings) -> None:
    giver, template = make_distributor(session, level=2), make_template(session, quota=2)

    with pytest.raises(CardQuotaUsedUp), session.begin_nested():
        shared_card(session, settings, giver=giver, template=template)

    assert session.scalars(sa.select(CardQuota)).all() == []


def test_a_higher_level_gives_more_in_the_same_month(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver = make_distributor(session)
    template = make_template(session, quotas={1: 1, 2: 2})
    shared_card(session, settings, giver=giver, template=template)
    giver.level = 2
    session.flush()

    shared_card(session, settings, giver=giver, template=template)

    shown = sharing.allowances(session, giver.member_id, now=now)
    assert [(one.granted, one.taken) for one in shown] == [(2, 2)]


def test_a_smaller_quota_counts_from_the_next_month_on(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, template = make_distributor(session), make_template(session, quota=2)
    shared_card(session, settings, giver=giver, template=template)
    smaller = templates.spec_of(session.scalars(templates.loaded()).one())
    less = templates.TemplateSpec(
        **{name: getattr(smaller, name) for name in smaller.__slots__} | {"quotas": {1: 1}}
    )
    templates.change_template(session, template.id, less, scope=None, actor=SYSTEM, now=now)

    this_month = sharing.allowances(session, giver.member_id, now=now)
    next_month = sharing.allowances(session, giver.member_id, now=now + 40 * DAY)

    assert [(one.granted, one.left) for one in this_month] == [(2, 1)]
    assert [(one.granted, one.left) for one in next_month] == [(1, 1)]


def test_what_is_not_given_does_not_carry_on_into_the_next_month(
    session: Session, settings: Settings
) -> None:
    giver, template = make_distributor(session), make_template(session, quota=1)
    shared_card(session, settings, giver=giver, template=template, now=LAST_DAY)

    shared_card(session, settings, giver=giver, template=template, now=LAST_DAY + 5 * HOUR)

    months = session.scalars(sa.select(CardQuota.month_on).order_by(CardQuota.month_on)).all()
    assert months == [date(2026, 3, 1), date(2026, 4, 1)]


@pytest.mark.parametrize("standing", [Standing.APPLIED, Standing.FROZEN, Standing.QUIT])
def test_only_active_distributors_give(
    session: Session, settings: Settings, now: datetime, standing: Standing
) -> None:
    giver, template = make_distributor(session, standing=standing), make_template(session)

    with pytest.raises(NotADistributor):
        shared_card(session, settings, giver=giver, template=template)
    with pytest.raises(NotADistributor):
        sharing.allowances(session, giver.member_id, now=now)

    assert session.scalars(sa.select(GuestCard)).all() == []


def test_cards_of_an_ended_template_are_not_given(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, over = make_distributor(session), make_template(session, ends_at=now)
    ended = make_template(session)
    templates.end_template(session, ended.id, reason="full", scope=None, actor=SYSTEM, now=now)

    for template in (over, ended):
        with pytest.raises(CardTemplateEnded), session.begin_nested():
            shared_card(session, settings, giver=giver, template=template)
    with pytest.raises(CardTemplateNotFound):
        sharing.share(
            session, giver_id=giver.member_id, template_id=999_999, settings=settings, now=now
        )

    assert sharing.allowances(session, giver.member_id, now=now) == []


def test_a_giver_who_calls_a_group_the_same_shares_all_the_same(
    session: Session, settings: Settings
) -> None:
    giver = make_distributor(session)
    mine = make_channel(
        session, owner_id=giver.member_id, name=sharing.CHANNEL, kind=ChannelKind.GROUP
    )

    shared_card(session, settings, giver=giver)

    assert session.scalars(sa.select(Channel.id)).all() == [mine.id]


def test_an_unclaimed_card_goes_back_to_the_quota_after_a_day(
    session: Session, settings: Settings, now: datetime
) -> None:
    giver, template = make_distributor(session), make_template(session, quota=1)
    card = shared_card(session, settings, giver=giver, template=template)

    early = ending.lapse(session, now=now + 23 * HOUR, limit=10)
    lapsed = ending.lapse(session, now=now + DAY, limit=10)
    again = ending.lapse(session, now=now + DAY, limit=10)

    assert (early, lapsed, again) == (0, 1, 0)
    assert (card.state, card.over_at) == (CardState.RETURNED, now + DAY)
    assert [(one.remaining, one.voided) for one in card.items] == [(0, 1)]
    session.expire_all()
    assert session.scalars(sa.select(CardQuota.taken)).one() == 0
    assert session.scalars(sa.select(CardStep.event)).all() == [CardEvent.RETURN]
    shared_card(session, settings, giver=giver, template=template, now=now + DAY)


def test_an_unclaimed_card_expires_with_the_month_of_its_quota(
    session: Session, settings: Settings
) -> None:
    giver, template = make_distributor(session), make_template(session, quota=1)
    card = shared_card(session, settings, giver=giver, template=template, now=LAST_DAY)

    ending.lapse(session, now=LAST_DAY + DAY, limit=10)

    assert card.state is CardState.EXPIRED
    session.expire_all()
    assert session.scalars(sa.select(CardQuota.taken)).one() == 1


def test_a_share_does_not_outlast_its_template(
    session: Session, settings: Settings, now: datetime
) -> None:
    template = make_template(session, ends_at=now + HOUR)

    card = shared_card(session, settings, template=template)

    assert card.share_until_at == now + HOUR
