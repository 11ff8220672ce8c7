"""Levels set by staff and levels bought stand beside what growth reached."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import Actor, AuditRecord
from app.membership import by_hand, growth, reviewing
from app.membership.by_hand import LevelWish
from app.membership.errors import (
    GrowthShort,
    HoldingPeriodInvalid,
    LevelInvalid,
    LevelNotFound,
    LevelRankTaken,
    LevelRetired,
    LevelsOutOfOrder,
    PaidProductUnusable,
    ReasonMissing,
)
from app.membership.models import GrowthEntry, LevelHolding, LevelMove, LevelVersion
from app.membership.queries import standing_of
from tests.factories.membership import grow, make_ladder, make_level
from tests.factories.orders import make_goods, make_product
from tests.factories.people import make_member, make_staff, make_store

DAY = timedelta(days=1)


def level_of(session: Session, member_id: int, at: datetime) -> int | None:
    return standing_of(session, member_id, at=at).level_id


def staff(session: Session) -> Actor:
    return Actor("staff", make_staff(session, "operations").id)


def wish(level_id: int, until_at: datetime, reason: str = "long a friend") -> LevelWish:
    return LevelWish(level_id=level_id, until_at=until_at, reason=reason)


def test_a_level_set_by_hand_holds_until_its_day_and_is_on_record(
    session: Session, now: datetime
) -> None:
    base, _, gold = make_ladder(session)
    member, actor = make_member(session), staff(session)

    by_hand.set_level(session, member.id, wish(gold, now + 90 * DAY), actor=actor, now=now)

    assert level_of(session, member.id, now) == gold
    assert level_of(session, member.id, now + 90 * DAY - timedelta(seconds=1)) == gold
    assert level_of(session, member.id, now + 90 * DAY) == base
    session.commit()
    assert reviewing.end_due(now=now + 91 * DAY) == 1
    causes = session.scalars(sa.select(LevelMove.cause).order_by(LevelMove.id)).all()
    assert [one.value for one in causes] == ["hand", "hand_ended"]
    trail = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "membership_level_given")
    ).one()
    assert (trail.subject_id, trail.reason) == (member.id, "long a friend")


def test_growth_lifts_above_what_was_set_by_hand(session: Session, now: datetime) -> None:
    _, silver, gold = make_ladder(session)
    member, actor = make_member(session), staff(session)
    by_hand.set_level(session, member.id, wish(silver, now + 90 * DAY), actor=actor, now=now)

    grow(session, member.id, 5_000, key="a", now=now + DAY)

    assert level_of(session, member.id, now + DAY) == gold


def test_a_level_set_below_what_growth_deserves_is_not_lifted_until_it_ends(
    session: Session, now: datetime
) -> None:
    base, silver, gold = make_ladder(session)
    member, actor = make_member(session), staff(session)
    grow(session, member.id, 5_000, key="a", now=now)

    by_hand.set_level(session, member.id, wish(base, now + 30 * DAY), actor=actor, now=now + DAY)
    grow(session, member.id, 9_000, key="b", now=now + 2 * DAY)
    assert level_of(session, member.id, now + 2 * DAY) == base
    by_hand.set_level(
        session, member.id, wish(silver, now + 30 * DAY), actor=actor, now=now + 3 * DAY
    )
    assert level_of(session, member.id, now + 3 * DAY) == silver
    session.commit()
    reviewing.end_due(now=now + 30 * DAY)

    assert level_of(session, member.id, now + 30 * DAY) == gold


def test_what_was_set_by_hand_can_be_left_to_growth_again(session: Session, now: datetime) -> None:
    base, silver, gold = make_ladder(session)
    member, actor = make_member(session), staff(session)
    grow(session, member.id, 1_000, key="a", now=now)
    by_hand.set_level(session, member.id, wish(base, now + 30 * DAY), actor=actor, now=now + DAY)

    by_hand.leave_to_growth(session, member.id, reason="over", actor=actor, now=now + 2 * DAY)

    assert level_of(session, member.id, now + 2 * DAY) == silver
    with pytest.raises(LevelNotFound):
        by_hand.leave_to_growth(session, member.id, reason="over", actor=actor, now=now + 2 * DAY)
    assert gold


def test_a_level_is_not_set_without_reason_nor_for_a_day_gone_nor_where_it_was_retired(
    session: Session, now: datetime
) -> None:
    base, _, gold = make_ladder(session)
    make_level(session, 3, 5_000, level_id=gold, is_retired=True, now=now)
    member, actor = make_member(session), staff(session)

    for refused, error in (
        (wish(base, now + DAY, " "), ReasonMissing),
        (wish(base, now), HoldingPeriodInvalid),
        (wish(base, now + 3_651 * DAY), HoldingPeriodInvalid),
        (wish(gold, now + DAY), LevelRetired),
        (wish(999_999, now + DAY), LevelNotFound),
    ):
        with pytest.raises(error):
            by_hand.set_level(session, member.id, refused, actor=actor, now=now)

    assert session.scalar(sa.select(sa.func.count()).select_from(LevelHolding)) == 0


def test_what_is_bought_again_follows_what_runs(session: Session, now: datetime) -> None:
    base, _, gold = make_ladder(session)
    member = make_member(session)

    assert by_hand.grant_paid(session, member.id, gold, order_id=7, days=30, now=now)
    assert not by_hand.grant_paid(session, member.id, gold, order_id=7, days=30, now=now + DAY)
    assert by_hand.grant_paid(session, member.id, gold, order_id=8, days=30, now=now + DAY)

    assert level_of(session, member.id, now + 60 * DAY - timedelta(seconds=1)) == gold
    assert level_of(session, member.id, now + 60 * DAY) == base


def test_a_refund_ends_what_was_bought_and_moves_the_rest_forward(
    session: Session, now: datetime
) -> None:
    base, _, gold = make_ladder(session)
    member = make_member(session)
    by_hand.grant_paid(session, member.id, gold, order_id=7, days=30, now=now)
    by_hand.grant_paid(session, member.id, gold, order_id=8, days=30, now=now)

    by_hand.end_paid(session, member.id, gold, order_id=7, now=now + 10 * DAY)
    by_hand.end_paid(session, member.id, gold, order_id=7, now=now + 11 * DAY)

    assert level_of(session, member.id, now + 40 * DAY - timedelta(seconds=1)) == gold
    assert level_of(session, member.id, now + 40 * DAY) == base
    by_hand.end_paid(session, member.id, gold, order_id=8, now=now + 12 * DAY)
    assert level_of(session, member.id, now + 12 * DAY) == base


def test_what_is_partly_refunded_lasts_as_long_as_what_was_kept(
    session: Session, now: datetime
) -> None:
    base, _, gold = make_ladder(session)
    member = make_member(session)
    by_hand.grant_paid(session, member.id, gold, order_id=7, days=300, now=now)
    by_hand.grant_paid(session, member.id, gold, order_id=8, days=30, now=now)

    for _ in range(2):
        by_hand.shorten_paid(
            session, member.id, gold, order_id=7, days=30, now=now + timedelta(days=3)
        )

    assert level_of(session, member.id, now + 60 * DAY - timedelta(seconds=1)) == gold
    assert level_of(session, member.id, now + 60 * DAY) == base


def test_growth_is_given_and_taken_by_hand_but_never_below_nothing(
    session: Session, now: datetime
) -> None:
    base, silver, _ = make_ladder(session)
    member, actor = make_member(session), staff(session)

    growth.add_by_hand(session, member.id, 1_000, reason="excuse", actor=actor, now=now)
    assert level_of(session, member.id, now) == silver
    growth.add_by_hand(session, member.id, -400, reason="mistake", actor=actor, now=now)
    with pytest.raises(GrowthShort):
        growth.add_by_hand(session, member.id, -601, reason="mistake", actor=actor, now=now)
    with pytest.raises(ReasonMissing):
        growth.add_by_hand(session, member.id, 1, reason="", actor=actor, now=now)
    with pytest.raises(LevelInvalid):
        growth.add_by_hand(session, member.id, 0, reason="nothing", actor=actor, now=now)

    assert level_of(session, member.id, now) == base
    assert session.scalars(sa.select(GrowthEntry.amount).order_by(GrowthEntry.id)).all() == [
        1_000,
        -400,
    ]


def test_rules_of_levels_keep_their_order_and_their_bounds(session: Session, now: datetime) -> None:
    make_ladder(session)
    store = make_store(session)
    goods, service = make_goods(session, store), make_product(session)
    make_level(session, 9, paid_product_id=service.id, paid_days=365, now=now)
    count = session.scalar(sa.select(sa.func.count()).select_from(LevelVersion))

    with pytest.raises(LevelRankTaken):
        make_level(session, 2, 2_000, now=now)
    with pytest.raises(LevelsOutOfOrder):
        make_level(session, 4, 5_000, now=now)
    for rules in ({"discount_bp": 0}, {"discount_bp": 10_001}, {"paid_days": 3}):
        with pytest.raises(LevelInvalid):
            make_level(session, 5, 9_000, now=now, **rules)
    for product in (goods, service):
        with pytest.raises(PaidProductUnusable):
            make_level(session, 5, paid_product_id=product.id, paid_days=9, now=now)

    assert session.scalar(sa.select(sa.func.count()).select_from(LevelVersion)) == count
