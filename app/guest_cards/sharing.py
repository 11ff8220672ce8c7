"""What a giver may share in a month, and cards on their way to a friend.

A quota counts for one month of the brand's calendar and is not carried on. The count is kept in
the quota's own row by one conditional statement, so that two shares of the last card are one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.attribution.codes import ChannelChoice, issue_code
from app.attribution.models import Channel, ChannelKind
from app.catalog.models import Product
from app.guest_cards.errors import CardQuotaUsedUp, CardTemplateEnded, CardTemplateNotFound
from app.guest_cards.models import CardItem, CardLevelQuota, CardQuota, CardTemplate, GuestCard
from app.guest_cards.states import CardState
from app.guest_cards.templates import loaded
from app.kernel.clock import business_day
from app.kernel.ids import random_text
from app.members.models import Distributor
from app.members.queries import active_distributor
from app.settings import Settings

TOKEN_LENGTH: Final = 22
"""131 random bits; nobody guesses one."""
CHANNEL: Final = "客卡"
"""The channel of the giver's share code that a claim counts for."""
PAGE: Final = "pages/card/index"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a giver may share of a template this month."""

    template: CardTemplate
    granted: int
    taken: int

    @property
    def left(self) -> int:
        """Return how many more they can share."""
        return self.granted - self.taken


def month_of(instant: datetime) -> date:
    """Return the first day of the month of the brand's calendar that an instant falls into.

    >>> from datetime import UTC
    >>> month_of(datetime(2026, 10, 31, 16, tzinfo=UTC))
    datetime.date(2026, 11, 1)
    """
    return business_day(instant).replace(day=1)


def allowances(session: Session, giver_id: int, *, now: datetime) -> list[Allowance]:
    """Return what an active distributor may share this month, by template.

    Raises `NotADistributor`.
    """
    giver = active_distributor(session, giver_id)
    quotas = {
        row.template_id: row
        for row in session.scalars(
            sa.select(CardQuota).where(
                CardQuota.giver_id == giver_id, CardQuota.month_on == month_of(now)
            )
        )
    }
    shown = []
    for template in session.scalars(loaded().where(*_is_given(now)).order_by(CardTemplate.id)):
        kept = quotas.get(template.id)
        by_level = {row.level: row.count for row in template.level_quotas}.get(giver.level, 0)
        granted = max(by_level, kept.granted if kept else 0)
        if granted:
            shown.append(Allowance(template, granted, kept.taken if kept else 0))
    return shown


def share(
    session: Session, *, giver_id: int, template_id: int, settings: Settings, now: datetime
) -> GuestCard:
    """Take one card out of the giver's quota, for a friend to claim while its link lasts.

    Raises `NotADistributor`, `CardTemplateNotFound`, `CardTemplateEnded`, `CardQuotaUsedUp`.
    """
    giver = active_distributor(session, giver_id)
    template = session.scalar(loaded().where(CardTemplate.id == template_id))
    if template is None:
        raise CardTemplateNotFound
    if template.ended_at is not None or (template.ends_at is not None and template.ends_at <= now):
        raise CardTemplateEnded
    quota_id = _take(session, giver, template, now=now)
    code_id = share_code_of(session, giver_id, now=now)
    card = GuestCard(
        token=random_text(TOKEN_LENGTH),
        template=template,
        items=_items(session, template),
        quota_id=quota_id,
        giver_id=giver_id,
        giver_store_id=giver.store_id,
        share_code_id=code_id,
        state=CardState.SHARED,
        title=template.name,
        face_value_fen=template.face_value_fen,
        cost_fen=template.cost_fen,
        settle_price_fen=template.settle_price_fen,
        store_ids=template.store_ids,
        valid_days=template.valid_days,
        ends_at=template.ends_at,
        is_new_only=template.is_new_only,
        shared_at=now,
        share_until_at=_until(template, now + timedelta(seconds=settings.card_share_seconds)),
    )
    session.add(card)
    session.flush()
    return card


def give_back(session: Session, quota_ids: Sequence[int]) -> None:
    """Return cards that nobody claimed to the quotas they were taken from, once for each id."""
    counts: dict[int, int] = {}
    for quota_id in quota_ids:
        counts[quota_id] = counts.get(quota_id, 0) + 1
    for quota_id in sorted(counts):
        session.execute(
            sa.update(CardQuota)
            .where(CardQuota.id == quota_id)
            .values(taken=CardQuota.taken - counts[quota_id])
            .execution_options(synchronize_session=False)
        )


def share_code_of(session: Session, giver_id: int, *, now: datetime) -> int:
    """Return the giver's live share code for cards, made where there is none."""
    known = session.scalar(
        sa.select(Channel.id).where(
            Channel.owner_id == giver_id, Channel.store_id.is_(None), Channel.name == CHANNEL
        )
    )
    channel = known if known is not None else ChannelChoice(CHANNEL, ChannelKind.PERSONAL)
    return issue_code(session, distributor_id=giver_id, channel=channel, page=PAGE, now=now).id


def _is_given(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        CardTemplate.ended_at.is_(None),
        sa.or_(CardTemplate.ends_at.is_(None), CardTemplate.ends_at > now),
    )


def _until(template: CardTemplate, instant: datetime) -> datetime:
    return instant if template.ends_at is None else min(instant, template.ends_at)


def _take(session: Session, giver: Distributor, template: CardTemplate, *, now: datetime) -> int:
    """Count one more card against the giver's quota of this month; return the quota's row."""
    by_level = session.scalar(
        sa.select(CardLevelQuota.count).where(
            CardLevelQuota.template_id == template.id, CardLevelQuota.level == giver.level
        )
    )
    granted = by_level or 0
    row = insert(CardQuota).values(
        template_id=template.id,
        giver_id=giver.member_id,
        month_on=month_of(now),
        granted=granted,
        taken=min(granted, 1),
    )
    most = sa.func.greatest(CardQuota.granted, granted)
    taken_now: int | None = session.scalar(
        row.on_conflict_do_update(
            index_elements=[CardQuota.giver_id, CardQuota.template_id, CardQuota.month_on],
            set_={"granted": most, "taken": CardQuota.taken + 1},
            where=CardQuota.taken < most,
        ).returning(CardQuota.id)
    )
    if taken_now is None or (granted == 0 and _has_taken_nothing(session, taken_now)):
        raise CardQuotaUsedUp
    return taken_now


def _has_taken_nothing(session: Session, quota_id: int) -> bool:
    """Tell whether the row was made just now, for a level that grants nothing."""
    taken = session.scalar(sa.select(CardQuota.taken).where(CardQuota.id == quota_id))
    return taken == 0


def _items(session: Session, template: CardTemplate) -> list[CardItem]:
    """Return what a new card of a template grants, under the names that services have now."""
    products = session.scalars(
        sa.select(Product).where(Product.id.in_([row.product_id for row in template.services]))
    )
    titles = {one.id: one.title for one in products}
    return [
        CardItem(
            product_id=row.product_id,
            title=titles[row.product_id],
            granted=row.count,
            remaining=row.count,
        )
        for row in template.services
    ]
