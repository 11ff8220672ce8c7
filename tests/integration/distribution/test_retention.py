"""Keeping a level: warned once about a period, made good in time or lowered by one."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution import levels, retention, warnings
from app.distribution.models import LevelPeriod
from app.distribution.plan_records import LevelWarning, WarningOutcome
from app.distribution.warnings import WarningNotOpen
from app.engines.documents import load_rules
from app.engines.level_wording import explain_move
from app.engines.parameters import Levels
from app.kernel.audit import Actor, AuditRecord
from app.members import services
from app.members.errors import ReasonRequired, SecondPersonRequired
from app.members.models import Distributor, Standing
from app.orders.states import OrderState
from app.plans.queries import level_version
from tests.factories.orders import make_order, make_refund
from tests.factories.people import make_distributor
from tests.factories.plans import make_plan

ANN: Final = Actor("staff", 1)
BEN: Final = Actor("staff", 2)
DAY: Final = timedelta(days=1)
FEBRUARY: Final = datetime(2026, 2, 10, tzinfo=UTC)
REVIEW: Final = datetime(2026, 3, 1, tzinfo=UTC)
MONTHLY: Final[dict[str, Any]] = {
    "levels": {"retention": {"every": "MONTH", "share_bp": 5_000, "grace_days": 30}}
}


@pytest.fixture
def holder(session: Session) -> Distributor:
    """At level 2 since long ago, which asks for sales of 2,500 yuan in each month."""
    make_plan(session, **MONTHLY)
    return make_distributor(session, level=2)


def sell(session: Session, owner: Distributor, fen: int, at: datetime = FEBRUARY) -> Any:
    return make_order(session, owner=owner, price_fen=fen, state=OrderState.SETTLED, now=at)


def open_ones(session: Session) -> list[LevelWarning]:
    return list(session.scalars(sa.select(LevelWarning).where(LevelWarning.ended_at.is_(None))))


def level(session: Session, one: Distributor) -> int:
    session.expire_all()
    return session.get_one(Distributor, one.member_id).level


def test_whoever_misses_the_share_is_warned_once_with_what_is_missing(
    session: Session, holder: Distributor
) -> None:
    sell(session, holder, 249_999)

    assert retention.review_levels(now=REVIEW) == 1
    assert retention.review_levels(now=REVIEW + DAY) == 0

    (one,) = open_ones(session)
    assert (one.member_id, one.level, one.period) == (holder.member_id, 2, "2026-02")
    assert (one.given_at, one.until_at) == (REVIEW, REVIEW + 30 * DAY)
    (asked,) = one.facts["conditions"]
    assert (asked["threshold"], asked["at_least"], asked["found"]) == (500_000, 250_000, 249_999)
    shown = warnings.open_warning(session, holder.member_id)
    assert shown is not None
    assert [message.text for message in shown.explanation]
    assert level(session, holder) == 2


def test_whoever_earns_the_share_is_left_alone(session: Session, holder: Distributor) -> None:
    sell(session, holder, 250_000)

    assert retention.review_levels(now=REVIEW) == 0

    assert open_ones(session) == []


def test_what_refunds_took_back_does_not_count(session: Session, holder: Distributor) -> None:
    order = sell(session, holder, 250_000)
    make_refund(session, order, amounts={order.lines[0].id: 1}, now=FEBRUARY)

    assert retention.review_levels(now=REVIEW) == 1


def test_nobody_is_warned_about_the_period_in_which_they_rose(session: Session) -> None:
    make_plan(session, **MONTHLY)
    riser = make_distributor(session)
    order = sell(session, riser, 500_000)
    levels.evaluate(session, [riser.member_id], now=FEBRUARY + DAY)
    make_refund(session, order, now=FEBRUARY + 2 * DAY)

    assert retention.review_levels(now=REVIEW) == 0
    assert level(session, riser) == 2

    assert retention.review_levels(now=REVIEW + 31 * DAY) == 1


@pytest.mark.parametrize("standing", [Standing.FROZEN, Standing.QUIT])
def test_whoever_may_not_earn_is_not_reviewed(session: Session, standing: Standing) -> None:
    make_plan(session, **MONTHLY)
    make_distributor(session, level=2, standing=standing)

    assert retention.review_levels(now=REVIEW) == 0


def test_whoever_was_frozen_in_the_period_is_not_reviewed(
    session: Session, holder: Distributor
) -> None:
    for act, at in (
        (services.freeze_distributor, FEBRUARY),
        (services.unfreeze_distributor, FEBRUARY + DAY),
    ):
        act(session, holder.member_id, actor=ANN, reason="a complaint", now=at)

    assert retention.review_levels(now=REVIEW) == 0
    assert retention.review_levels(now=REVIEW + 31 * DAY) == 1


def test_no_plan_asks_for_anything_after_the_fact(session: Session) -> None:
    earlier = make_plan(session)
    make_distributor(session, level=2)
    make_plan(session, plan_id=earlier.plan_id, at=FEBRUARY, **MONTHLY)

    assert retention.review_levels(now=REVIEW) == 0
    assert retention.review_levels(now=REVIEW + 31 * DAY) == 1


def test_a_plan_without_retention_warns_nobody(session: Session) -> None:
    make_plan(session)
    make_distributor(session, level=3)

    assert retention.review_levels(now=REVIEW) == 0


def test_a_quarter_is_reviewed_as_a_whole(session: Session) -> None:
    make_plan(session, levels={"retention": {"every": "QUARTER"}})
    kept, missed = make_distributor(session, level=2), make_distributor(session, level=2)
    sell(session, kept, 250_000, at=datetime(2026, 1, 5, tzinfo=UTC))
    sell(session, missed, 249_999, at=datetime(2026, 3, 5, tzinfo=UTC))

    assert retention.review_levels(now=REVIEW) == 2
    session.execute(sa.delete(LevelWarning))
    assert retention.review_levels(now=datetime(2026, 4, 1, tzinfo=UTC)) == 1

    (one,) = open_ones(session)
    assert (one.member_id, one.period) == (missed.member_id, "2026-Q1")


def test_what_is_missing_can_be_made_good_in_the_time_of_grace(
    session: Session, holder: Distributor
) -> None:
    sell(session, holder, 200_000)
    retention.review_levels(now=REVIEW)
    sell(session, holder, 49_999, at=REVIEW + DAY)
    assert retention.end_warnings(now=REVIEW + 2 * DAY) == 0
    sell(session, holder, 1, at=REVIEW + 3 * DAY)

    assert retention.end_warnings(now=REVIEW + 4 * DAY) == 1

    session.expire_all()
    (one,) = session.scalars(sa.select(LevelWarning))
    assert (one.outcome, one.ended_at) == (WarningOutcome.KEPT, REVIEW + 4 * DAY)
    assert level(session, holder) == 2


def test_after_the_grace_the_level_falls_by_one_with_its_reason(
    session: Session, holder: Distributor
) -> None:
    third = make_distributor(session, level=3)
    retention.review_levels(now=REVIEW)
    sell(session, holder, 250_000, at=REVIEW + 31 * DAY)

    assert retention.end_warnings(now=REVIEW + 30 * DAY - DAY) == 0
    assert retention.end_warnings(now=REVIEW + 32 * DAY) == 2
    assert retention.end_warnings(now=REVIEW + 33 * DAY) == 0

    assert (level(session, holder), level(session, third)) == (1, 2)
    last = session.scalars(
        sa.select(LevelPeriod).where(
            LevelPeriod.member_id == third.member_id, LevelPeriod.until_at.is_(None)
        )
    ).one()
    assert (last.level, last.cause, last.from_at) == (2, "downgrade", REVIEW + 32 * DAY)
    first, *conditions = explain_move(last.cause, last.facts)
    assert (first.parameters["from_level"], first.parameters["to_level"]) == (3, 2)
    assert len(conditions) == 2
    assert open_ones(session) == []


def test_whoever_rises_has_made_the_warning_good(session: Session, holder: Distributor) -> None:
    retention.review_levels(now=REVIEW)
    for _ in range(10):
        sell(session, holder, 200_000, at=REVIEW)

    levels.evaluate(session, [holder.member_id], now=REVIEW + DAY)

    assert level(session, holder) == 3
    assert [one.outcome for one in session.scalars(sa.select(LevelWarning))] == [
        WarningOutcome.KEPT
    ]


def test_whoever_is_frozen_when_the_grace_ends_keeps_the_level(
    session: Session, holder: Distributor
) -> None:
    retention.review_levels(now=REVIEW)
    services.freeze_distributor(
        session, holder.member_id, actor=ANN, reason="a complaint", now=REVIEW + DAY
    )

    assert retention.end_warnings(now=REVIEW + 40 * DAY) == 1

    session.expire_all()
    assert [one.outcome for one in session.scalars(sa.select(LevelWarning))] == [
        WarningOutcome.LIFTED
    ]
    assert level(session, holder) == 2


def test_staff_lift_a_warning_once_with_a_reason(session: Session, holder: Distributor) -> None:
    retention.review_levels(now=REVIEW)
    (one,) = open_ones(session)

    with pytest.raises(ReasonRequired):
        warnings.lift_warning(session, one.id, actor=ANN, reason=" ", now=REVIEW)
    warnings.lift_warning(session, one.id, actor=ANN, reason="was ill", now=REVIEW + DAY)
    with pytest.raises(WarningNotOpen):
        warnings.lift_warning(session, one.id, actor=ANN, reason="again", now=REVIEW + DAY)

    assert retention.end_warnings(now=REVIEW + 40 * DAY) == 0
    assert retention.review_levels(now=REVIEW + 2 * DAY) == 0
    assert level(session, holder) == 2
    assert session.scalars(
        sa.select(AuditRecord.reason).where(AuditRecord.action == "level_warning_lifted")
    ).all() == ["was ill"]


def test_two_people_give_a_level_by_hand(session: Session, holder: Distributor) -> None:
    def give(to: int, second: Actor = BEN, reason: str = "a promise") -> None:
        levels.set_level(
            session,
            holder.member_id,
            level=to,
            actor=ANN,
            second_actor=second,
            reason=reason,
            now=REVIEW,
        )

    with pytest.raises(SecondPersonRequired):
        give(3, second=ANN)
    with pytest.raises(ReasonRequired):
        give(3, reason="")
    for unknown in (0, 2, 4):
        with pytest.raises(levels.LevelUnknown):
            give(unknown)
    assert level(session, holder) == 2
    give(3)

    assert level(session, holder) == 3
    last = session.scalars(sa.select(LevelPeriod).where(LevelPeriod.until_at.is_(None))).one()
    assert (last.cause, last.actor) == ("set_by_hand", "staff:1+staff:2")
    assert last.facts == {"from_level": 2, "to_level": 3, "reason": "a promise"}


def test_a_run_over_everybody_lifts_by_the_highest_level_met(session: Session) -> None:
    make_plan(session)
    rising = [make_distributor(session) for _ in range(3)]
    staying = make_distributor(session)
    for one in rising:
        sell(session, one, 500_000)
    sell(session, staying, 499_999)

    assert levels.evaluate_everybody(now=REVIEW) == 3
    assert levels.evaluate_everybody(now=REVIEW) == 0

    assert [level(session, one) for one in (*rising, staying)] == [2, 2, 2, 1]


def test_who_is_at_risk_is_counted_before_the_period_ends(
    session: Session, holder: Distributor
) -> None:
    earned = make_distributor(session, level=2)
    make_distributor(session, level=3)
    make_distributor(session)
    sell(session, earned, 250_000)
    version = level_version(session, at=FEBRUARY)
    assert version is not None
    rules = load_rules(version.rules).levels

    assert retention.at_risk(session, rules, now=FEBRUARY + DAY) == {2: 1, 3: 1}
    assert retention.at_risk(session, rules, now=FEBRUARY + DAY, store_ids=[10**9]) == {}
    assert retention.at_risk(session, Levels(), now=FEBRUARY) == {}
    assert open_ones(session) == []
    assert holder.level == 2
