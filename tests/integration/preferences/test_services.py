"""Settings change from a day on, by people who say why, and move nothing that exists."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM, Actor, AuditRecord
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH, translate
from app.preferences import queries, services
from app.preferences.models import SettingChange
from app.preferences.services import Wish, standing, values_at, version_of
from app.settings import Settings

ANNA, BEN = Actor("staff", 1, "req-1"), Actor("staff", 2, "req-1")
DAY = timedelta(days=1)


def wish(name: str, value: Any, **more: Any) -> Wish:
    return Wish(**{"name": name, "value": value, "reason": "a new contract", **more})


def set_to(
    session: Session, settings: Settings, now: datetime, name: str, value: Any, **more: Any
) -> SettingChange:
    return services.change(
        session,
        wish(name, value, **more),
        environment=settings,
        actor=ANNA,
        second=BEN,
        now=now,
    )


def value_at(session: Session, settings: Settings, name: str, at: datetime) -> Any:
    return values_at(standing(session), settings, at=at)[name]


def count(session: Session, model: Any = SettingChange) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(model)).one()


def test_a_change_keeps_what_was_before_who_decided_and_why(
    session: Session, settings: Settings, now: datetime
) -> None:
    row = set_to(session, settings, now, "payout_min_fen", 700)

    assert (row.value, row.previous, row.effective_at) == (700, 100, now)
    assert (row.set_by, row.second_by, row.reason) == ("staff:1", "staff:2", "a new contract")
    record = session.scalars(sa.select(AuditRecord)).one()
    assert (record.action, record.subject_type, record.subject_id) == (
        "setting.changed",
        "setting",
        row.id,
    )
    assert record.before == {"payout_min_fen": 100}
    assert record.after == {
        "payout_min_fen": 700,
        "effective_at": now.isoformat(),
        "second_by": "staff:2",
    }


def test_a_planned_change_holds_from_its_instant_on_and_not_before(
    session: Session, settings: Settings, now: datetime
) -> None:
    set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)

    before, after = now + DAY - timedelta(microseconds=1), now + DAY
    assert value_at(session, settings, "code_misses_max", before) == 5
    assert value_at(session, settings, "code_misses_max", after) == 9


def test_a_planned_change_takes_over_from_one_that_was_set_later_and_begins_earlier(
    session: Session, settings: Settings, now: datetime
) -> None:
    set_to(session, settings, now, "code_misses_max", 9, effective_at=now + 2 * DAY)
    set_to(session, settings, now + DAY, "code_misses_max", 7)

    assert value_at(session, settings, "code_misses_max", now + DAY) == 7
    assert value_at(session, settings, "code_misses_max", now + 2 * DAY) == 9


def test_a_withdrawn_plan_never_comes_and_stays_in_the_history(
    session: Session, settings: Settings, now: datetime
) -> None:
    row = set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)

    services.withdraw(
        session, row.id, environment=settings, actor=BEN, reason="not needed", now=now
    )

    assert value_at(session, settings, "code_misses_max", now + 2 * DAY) == 5
    (kept,) = queries.history(session, "code_misses_max")
    assert (kept.withdrawn_by, kept.withdrawal_reason) == ("staff:2", "not needed")
    actions = session.scalars(sa.select(AuditRecord.action).order_by(AuditRecord.id)).all()
    assert actions == ["setting.changed", "setting.withdrawn"]


def test_the_instant_of_a_withdrawn_plan_is_free_again(
    session: Session, settings: Settings, now: datetime
) -> None:
    row = set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)
    services.withdraw(session, row.id, environment=settings, actor=BEN, reason="no", now=now)

    set_to(session, settings, now, "code_misses_max", 8, effective_at=now + DAY)

    assert value_at(session, settings, "code_misses_max", now + DAY) == 8


@pytest.mark.parametrize("later", [timedelta(0), DAY])
def test_what_is_in_force_cannot_be_withdrawn(
    session: Session, settings: Settings, now: datetime, later: timedelta
) -> None:
    row = set_to(session, settings, now, "code_misses_max", 9)

    with pytest.raises(DomainError) as refused:
        services.withdraw(
            session, row.id, environment=settings, actor=ANNA, reason="no", now=now + later
        )

    assert refused.value.code == "setting_change_not_planned"
    assert row.withdrawn_at is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "database_url", "value": 1}, "unknown_setting"),
        ({"name": "nonsense", "value": 1}, "unknown_setting"),
        ({"name": "transfer_name_required_fen", "value": 100_000}, "unknown_setting"),
        ({"value": "7"}, "setting_value_invalid"),
        ({"value": True}, "setting_value_invalid"),
        ({"value": 2}, "setting_out_of_range"),
        ({"value": 101}, "setting_out_of_range"),
        ({"value": -7}, "setting_out_of_range"),
        ({"name": "refund_auto_approve", "value": 0}, "setting_value_invalid"),
        ({"name": "tree_stop_people", "value": 31}, "setting_out_of_range"),
        ({"name": "tree_stop_tiers", "value": 4}, "setting_out_of_range"),
        ({"value": 5}, "setting_unchanged"),
        ({"reason": "  "}, "setting_reason_required"),
        ({"effective_at": timedelta(microseconds=-1)}, "setting_date_refused"),
        ({"effective_at": timedelta(days=367)}, "setting_date_refused"),
        ({"seen": "7-0"}, "setting_changed_meanwhile"),
        ({"name": "payout_min_fen", "value": 500_001}, "settings_out_of_order"),
        ({"name": "payout_max_fen", "value": 49_999}, "settings_out_of_order"),
        ({"name": "payout_second_approval_fen", "value": 500_001}, "settings_out_of_order"),
        ({"name": "transfer_min_fen", "value": 101}, "settings_out_of_order"),
        ({"name": "transfer_max_fen", "value": 200_001}, "settings_out_of_order"),
        ({"name": "transfer_member_day_fen", "value": 19_999}, "settings_out_of_order"),
        ({"name": "transfer_merchant_day_fen", "value": 199_999}, "settings_out_of_order"),
        ({"name": "binding_soft_seconds", "value": 181 * 86_400}, "settings_out_of_order"),
        ({"name": "binding_lock_seconds", "value": 29 * 86_400}, "settings_out_of_order"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_moves(
    session: Session, settings: Settings, now: datetime, change: dict[str, Any], code: str
) -> None:
    wanted = {"name": "code_misses_max", "value": 9, "reason": "why", **change}
    if "effective_at" in change:
        wanted["effective_at"] = now + change["effective_at"]

    with pytest.raises(DomainError) as refused:
        services.change(
            session, Wish(**wanted), environment=settings, actor=ANNA, second=BEN, now=now
        )

    assert refused.value.code == code
    assert translate(refused.value.message(), ENGLISH)
    assert count(session) == count(session, AuditRecord) == 0


def test_a_refusal_names_the_values_in_their_units(
    session: Session, settings: Settings, now: datetime
) -> None:
    with pytest.raises(DomainError) as refused:
        set_to(session, settings, now, "payout_max_fen", 40_000)

    assert translate(refused.value.message(), ENGLISH) == (
        "“Payouts that two people approve” would be ¥500.00, which may not be above"
        " “Largest payout”, ¥400.00."
    )


def test_a_plan_may_not_come_to_contradict_another_plan(
    session: Session, settings: Settings, now: datetime
) -> None:
    set_to(session, settings, now, "payout_max_fen", 60_000, effective_at=now + 2 * DAY)

    with pytest.raises(DomainError) as refused:
        set_to(session, settings, now, "payout_min_fen", 70_000)

    assert refused.value.code == "settings_out_of_order"
    assert count(session) == 1


def test_a_plan_on_which_another_rests_is_not_withdrawn(
    session: Session, settings: Settings, now: datetime
) -> None:
    first = set_to(session, settings, now, "payout_max_fen", 900_000, effective_at=now + DAY)
    set_to(session, settings, now, "payout_min_fen", 800_000, effective_at=now + 2 * DAY)

    with pytest.raises(DomainError) as refused:
        services.withdraw(
            session, first.id, environment=settings, actor=ANNA, second=BEN, reason="no", now=now
        )

    assert refused.value.code == "settings_out_of_order"
    assert first.withdrawn_at is None


def test_a_second_plan_for_the_same_instant_is_refused(
    session: Session, settings: Settings, now: datetime
) -> None:
    set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)

    with pytest.raises(DomainError) as refused:
        set_to(session, settings, now, "code_misses_max", 8, effective_at=now + DAY)

    assert refused.value.code == "setting_planned_twice"


@pytest.mark.parametrize("second", [None, ANNA, replace(ANNA, request_id="other")])
def test_what_moves_money_needs_two_different_people(
    session: Session, settings: Settings, now: datetime, second: Actor | None
) -> None:
    with pytest.raises(DomainError) as refused:
        services.change(
            session,
            wish("payout_min_fen", 700),
            environment=settings,
            actor=ANNA,
            second=second,
            now=now,
        )

    assert refused.value.code == "setting_needs_second_person"
    assert count(session) == 0


def test_an_operator_and_what_only_protects_need_no_second_person(
    session: Session, settings: Settings, now: datetime
) -> None:
    money, guard = wish("payout_min_fen", 700), wish("code_misses_max", 9)

    services.change(session, money, environment=settings, actor=SYSTEM, now=now)
    services.change(session, guard, environment=settings, actor=ANNA, now=now)

    assert value_at(session, settings, "payout_min_fen", now) == 700
    assert value_at(session, settings, "code_misses_max", now) == 9


def test_a_form_that_was_opened_before_another_change_is_refused(
    session: Session, settings: Settings, now: datetime
) -> None:
    seen = version_of(session, "code_misses_max")
    set_to(session, settings, now, "code_misses_max", 9, seen=seen)

    with pytest.raises(DomainError) as refused:
        set_to(session, settings, now + DAY, "code_misses_max", 7, seen=seen)

    assert refused.value.code == "setting_changed_meanwhile"
    assert value_at(session, settings, "code_misses_max", now + DAY) == 9


def test_a_form_that_was_opened_before_a_withdrawal_is_refused(
    session: Session, settings: Settings, now: datetime
) -> None:
    row = set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)
    seen = version_of(session, "code_misses_max")
    services.withdraw(session, row.id, environment=settings, actor=BEN, reason="no", now=now)

    with pytest.raises(DomainError) as refused:
        set_to(session, settings, now, "code_misses_max", 7, seen=seen)

    assert refused.value.code == "setting_changed_meanwhile"


def test_standings_tell_what_is_in_force_what_was_set_last_and_what_comes(
    session: Session, settings: Settings, now: datetime
) -> None:
    done = set_to(session, settings, now, "code_misses_max", 9)
    plan = set_to(session, settings, now, "code_misses_max", 7, effective_at=now + 2 * DAY)

    found = queries.standings(session, environment=settings, now=now + DAY)

    one = next(one for one in found if one.spec.name == "code_misses_max")
    assert (one.value, one.default, one.last, one.planned) == (9, 5, done, (plan,))
    other = next(one for one in found if one.spec.name == "payout_min_fen")
    assert (other.value, other.default, other.last, other.planned) == (100, 100, None, ())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE setting_changes SET value = '8'",
        "UPDATE setting_changes SET reason = 'another'",
        "UPDATE setting_changes SET effective_at = effective_at + interval '1 day'",
        "UPDATE setting_changes SET set_by = 'staff:9'",
        "DELETE FROM setting_changes",
        "TRUNCATE setting_changes",
        """UPDATE setting_changes
           SET withdrawn_at = effective_at, withdrawn_by = 'x', withdrawal_reason = 'y'""",
        "UPDATE setting_changes SET withdrawn_at = set_at",
        """INSERT INTO setting_changes
               (name, value, previous, effective_at, set_at, set_by, reason)
           SELECT name, '6', '5', effective_at, set_at, 'x', 'y' FROM setting_changes""",
    ],
)
def test_the_database_itself_keeps_the_history(
    session: Session, settings: Settings, now: datetime, statement: str
) -> None:
    set_to(session, settings, now, "code_misses_max", 9, effective_at=now + DAY)

    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(sa.text(statement))

    (kept,) = queries.history(session, "code_misses_max")
    session.refresh(kept)
    assert (kept.value, kept.effective_at, kept.withdrawn_at) == (9, now + DAY, None)


@pytest.mark.parametrize("second", [None, ANNA])
def test_one_alone_does_not_take_back_what_two_planned(
    session: Session, settings: Settings, now: datetime, second: Actor | None
) -> None:
    row = set_to(
        session, settings, now, "payout_second_approval_fen", 10_000, effective_at=now + DAY
    )

    with pytest.raises(DomainError) as refused:
        services.withdraw(
            session,
            row.id,
            environment=settings,
            actor=ANNA,
            second=second,
            reason="convenient",
            now=now,
        )

    assert refused.value.code == "setting_needs_second_person"
    assert row.withdrawn_at is None
    services.withdraw(
        session, row.id, environment=settings, actor=ANNA, second=BEN, reason="both say", now=now
    )
    assert row.withdrawn_at == now
