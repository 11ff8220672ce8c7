"""Levels are reached by growth, kept for a year, and lost by what is taken back."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import atomic
from app.kernel.outbox import OutboxEvent
from app.membership import reviewing
from app.membership.models import GrowthEntry, LevelHolding, LevelMove, Membership
from app.membership.queries import standing_of
from app.membership.rules import Step
from tests.factories.membership import grow, make_ladder, make_level
from tests.factories.people import make_member

DAY = timedelta(days=1)


def moves(session: Session, member_id: int) -> list[tuple[int | None, int | None, str]]:
    rows = session.execute(
        sa.select(LevelMove.from_level_id, LevelMove.to_level_id, LevelMove.cause)
        .where(LevelMove.member_id == member_id)
        .order_by(LevelMove.id)
    )
    return [(old, new, cause.value) for old, new, cause in rows]


def events(session: Session, name: str) -> list[int]:
    return list(session.scalars(sa.select(OutboxEvent.subject_id).where(OutboxEvent.name == name)))


def test_without_levels_everybody_pays_the_full_price(session: Session, now: datetime) -> None:
    held = standing_of(session, make_member(session).id, at=now)

    assert (held.level_id, held.discount_bp, held.points_multiplier_bp) == (None, 10_000, 10_000)


def test_whoever_never_grew_stands_at_the_level_that_asks_for_nothing(
    session: Session, now: datetime
) -> None:
    base, _, _ = make_ladder(session)
    member = make_member(session)

    assert standing_of(session, member.id, at=now).level_id == base
    assert session.get(Membership, member.id) is None


def test_growth_lifts_at_the_very_amount_a_level_asks_for(session: Session, now: datetime) -> None:
    base, silver, gold = make_ladder(session)
    member = make_member(session)

    grow(session, member.id, 999, key="a", now=now)
    assert standing_of(session, member.id, at=now).level_id == base
    grow(session, member.id, 1, key="b", now=now)
    held = standing_of(session, member.id, at=now)
    assert (held.level_id, held.discount_bp, held.points_multiplier_bp) == (silver, 9_500, 12_000)
    assert held.valid_until_at == now + 365 * DAY
    grow(session, member.id, 4_000, key="c", now=now + DAY)

    assert standing_of(session, member.id, at=now + DAY).level_id == gold
    assert standing_of(session, member.id, at=now).level_id == silver
    assert moves(session, member.id) == [(None, silver, "reached"), (silver, gold, "reached")]
    assert len(events(session, "level_raised")) == 2


def test_growth_of_one_fact_counts_once(session: Session, now: datetime) -> None:
    make_ladder(session)
    member = make_member(session)

    assert grow(session, member.id, 600, key="a", now=now)
    assert not grow(session, member.id, 600, key="a", now=now)

    assert session.get_one(Membership, member.id).growth == 600
    assert session.scalar(sa.select(sa.func.count()).select_from(GrowthEntry)) == 1


def test_growth_older_than_a_year_lifts_nobody(session: Session, now: datetime) -> None:
    base, _, _ = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 600, key="a", now=now - 366 * DAY)

    grow(session, member.id, 600, key="b", now=now)

    assert standing_of(session, member.id, at=now).level_id == base
    assert session.get_one(Membership, member.id).growth == 1_200


def test_a_level_is_kept_for_its_year_and_then_falls_to_what_the_year_deserves(
    session: Session, now: datetime
) -> None:
    _, silver, gold = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 5_000, key="a", now=now)
    grow(session, member.id, 1_500, key="b", now=now + 200 * DAY)
    over = now + 365 * DAY
    risen = len(events(session, "level_raised"))

    assert reviewing.end_due(now=over - timedelta(seconds=1)) == 0
    assert standing_of(session, member.id, at=over - timedelta(seconds=1)).level_id == gold
    assert reviewing.end_due(now=over) == 1
    assert reviewing.end_due(now=over) == 0

    held = standing_of(session, member.id, at=over)
    assert (held.level_id, held.valid_until_at) == (silver, over + 365 * DAY)
    assert moves(session, member.id)[-1] == (gold, silver, "not_kept")
    assert len(events(session, "level_raised")) == risen


def test_a_level_that_was_earned_again_is_kept_without_a_move(
    session: Session, now: datetime
) -> None:
    _, silver, _ = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)
    grow(session, member.id, 1_000, key="b", now=now + 300 * DAY)

    reviewing.end_due(now=now + 365 * DAY)

    held = standing_of(session, member.id, at=now + 365 * DAY)
    assert (held.level_id, held.valid_until_at) == (silver, now + 730 * DAY)
    assert moves(session, member.id) == [(None, silver, "reached")]


def test_nobody_loses_a_level_because_the_job_comes_late(session: Session, now: datetime) -> None:
    _, silver, _ = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)

    assert standing_of(session, member.id, at=now + 366 * DAY).level_id == silver


def test_taking_back_the_growth_that_reached_a_level_ends_it(
    session: Session, now: datetime
) -> None:
    _, silver, gold = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 2_000, key="a", now=now)
    grow(session, member.id, 3_000, key="b", now=now + DAY)

    grow(session, member.id, -3_000, key="c", now=now + 9 * DAY, counts_at=now + DAY)

    assert standing_of(session, member.id, at=now + 9 * DAY).level_id == silver
    assert moves(session, member.id)[-1] == (gold, silver, "taken_back")
    assert session.get_one(Membership, member.id).growth == 2_000


def test_later_growth_makes_up_for_what_is_taken_back(session: Session, now: datetime) -> None:
    _, silver, _ = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)
    grow(session, member.id, 900, key="b", now=now + 9 * DAY)

    grow(session, member.id, -900, key="c", now=now + 10 * DAY, counts_at=now)

    assert standing_of(session, member.id, at=now + 10 * DAY).level_id == silver


def test_a_change_of_rules_moves_nobody_until_they_are_looked_at_again(
    session: Session, now: datetime
) -> None:
    base, silver, _ = make_ladder(session)
    holder, other = make_member(session), make_member(session)
    grow(session, holder.id, 1_200, key="a", now=now)
    grow(session, other.id, 900, key="b", now=now)

    make_level(session, 2, 2_000, level_id=silver, discount_bp=9_800, now=now + DAY)

    held = standing_of(session, holder.id, at=now + DAY)
    assert (held.level_id, held.discount_bp) == (silver, 9_800)
    assert standing_of(session, holder.id, at=now).discount_bp == 9_500
    grow(session, holder.id, 1, key="c", now=now + 2 * DAY)
    assert standing_of(session, holder.id, at=now + 2 * DAY).level_id == silver
    reviewing.end_due(now=now + 365 * DAY)
    assert standing_of(session, holder.id, at=now + 365 * DAY).level_id == base


def test_the_preview_says_who_would_rise_and_who_would_fall(
    session: Session, now: datetime
) -> None:
    _, silver, gold = make_ladder(session)
    holder, other = make_member(session), make_member(session)
    grow(session, holder.id, 1_200, key="a", now=now)
    grow(session, other.id, 900, key="b", now=now)
    steps = [Step(2, silver, 800), Step(3, gold, 1_100)]

    found = reviewing.preview(session, steps, now=now + DAY)
    none = reviewing.preview(session, now=now + DAY)

    assert (found.rises, found.falls) == (2, 0)
    assert [(one.member_id, one.from_level_id, one.to_level_id) for one in found.shown] == [
        (holder.id, silver, gold),
        (other.id, None, silver),
    ]
    assert (none.rises, none.falls, none.shown) == (0, 0, ())
    fall = reviewing.preview(session, [Step(2, silver, 2_000)], now=now + DAY)
    assert (fall.rises, fall.falls) == (0, 1)


def test_everybody_is_lifted_by_new_rules_once_staff_ask_for_it(
    session: Session, now: datetime
) -> None:
    from_base, silver, _ = make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 900, key="a", now=now)
    make_level(session, 2, 800, level_id=silver, now=now + DAY)
    assert reviewing.raise_everybody(now=now + DAY) == 0
    assert standing_of(session, member.id, at=now + DAY).level_id == from_base
    session.execute(
        sa.text("UPDATE membership_levels SET evaluate_asked_at = :at WHERE rank = 1"), {"at": now}
    )
    session.commit()

    assert reviewing.raise_everybody(now=now + DAY) == 1
    assert reviewing.raise_everybody(now=now + DAY) == 0

    assert standing_of(session, member.id, at=now + DAY).level_id == silver


def test_a_holder_who_will_not_keep_a_level_is_told_once_thirty_days_before(
    session: Session, now: datetime
) -> None:
    make_ladder(session)
    leaving, staying = make_member(session), make_member(session)
    grow(session, leaving.id, 1_000, key="a", now=now)
    grow(session, staying.id, 1_000, key="b", now=now)
    grow(session, staying.id, 1_000, key="c", now=now + 100 * DAY)
    session.commit()

    assert reviewing.warn_due(now=now + 334 * DAY) == 0
    assert reviewing.warn_due(now=now + 335 * DAY) == 1
    assert reviewing.warn_due(now=now + 336 * DAY) == 0

    assert events(session, "level_ending") == [leaving.id]


def test_rows_of_history_are_never_changed(session: Session, now: datetime) -> None:
    make_ladder(session)
    member = make_member(session)
    grow(session, member.id, 1_000, key="a", now=now)
    session.commit()

    for table in ("growth_entries", "level_moves", "membership_level_versions"):
        with pytest.raises(sa.exc.IntegrityError), atomic() as inner:
            inner.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    assert session.scalar(sa.select(sa.func.count()).select_from(LevelHolding)) == 1
