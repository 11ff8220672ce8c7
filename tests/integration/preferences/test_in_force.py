"""Processes work with what staff set, and what was bound or ordered before stays as it was."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import access
from app.attribution.models import Binding
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now, db
from app.orders.models import Order
from app.preferences import services
from app.preferences.models import SettingChange
from app.preferences.overrides import KNOWN_SECONDS, Overrides, read_in_force
from app.preferences.services import Wish, version_of
from app.preferences.units import Value
from app.settings import Settings
from tests.factories.orders import make_order
from tests.factories.people import make_binding, make_distributor, make_member
from tests.races.crowd import at_once

DAY = timedelta(days=1)


def set_to(
    name: str, value: Value, *, effective_at: datetime | None = None, seen: str | None = None
) -> int:
    """Change a setting in a transaction of its own, as the back office does."""
    now = database_now()
    with atomic() as session:
        row = services.change(
            session,
            Wish(name=name, value=value, reason="why", effective_at=effective_at, seen=seen),
            environment=access.environment(),
            actor=SYSTEM,
            now=now,
        )
        return row.id


def change_and_fail(environment: Settings) -> None:
    """Change a setting in a transaction that does not end well."""
    now = database_now()
    with atomic() as session:
        services.change(
            session,
            Wish(name="payout_min_fen", value=700, reason="why"),
            environment=environment,
            actor=SYSTEM,
            now=now,
        )
        session.execute(sa.text("DELETE FROM setting_changes"))


@pytest.fixture
def other_process(app: Flask, session: Session) -> tuple[Overrides, list[float]]:
    """What another process knows, and its clock."""
    clock = [1_000.0]
    return Overrides(read_in_force, clock=lambda: clock[0]), clock


def test_who_wrote_works_with_it_at_once(session: Session, settings: Settings) -> None:
    before = access.settings()

    set_to("payout_min_fen", 700)

    assert before is settings
    assert access.settings().payout_min_fen == 700
    assert access.settings().payout_max_fen == settings.payout_max_fen
    assert access.environment().payout_min_fen == 100


def test_a_change_that_was_rolled_back_is_nowhere(session: Session, settings: Settings) -> None:
    access.settings()

    with pytest.raises(IntegrityError):
        change_and_fail(settings)

    assert access.settings().payout_min_fen == 100
    assert session.scalars(sa.select(SettingChange)).all() == []


def test_another_process_works_with_it_after_five_seconds_at_the_latest(
    session: Session, settings: Settings, other_process: tuple[Overrides, list[float]]
) -> None:
    known, clock = other_process
    assert known.over(settings).payout_min_fen == 100

    set_to("payout_min_fen", 700)

    clock[0] += KNOWN_SECONDS
    assert known.over(settings).payout_min_fen == 700


def test_a_planned_change_is_not_in_force_before_its_day(
    session: Session, settings: Settings
) -> None:
    set_to("payout_min_fen", 700, effective_at=database_now() + DAY)

    assert access.settings() is settings


def test_settings_can_be_asked_for_inside_a_transaction_and_inside_a_broken_one(
    session: Session, settings: Settings
) -> None:
    set_to("payout_min_fen", 700)

    with atomic():
        assert access.settings().payout_min_fen == 700


@pytest.mark.commits
def test_a_broken_transaction_still_learns_the_settings_and_stays_its_callers(
    app: Flask, session: Session, settings: Settings
) -> None:
    set_to("payout_min_fen", 700)
    known = Overrides(read_in_force)

    with pytest.raises(sa.exc.ProgrammingError):
        session.execute(sa.text("SELECT nonsense"))
    assert known.over(settings).payout_min_fen == 700
    session.rollback()

    assert db.session.scalar(sa.select(sa.func.count()).select_from(SettingChange)) == 1


def test_what_a_newer_version_of_the_product_set_is_passed_over(
    session: Session, settings: Settings
) -> None:
    now = database_now()
    for name, value in (("of_tomorrow", 5), ("payout_min_fen", True)):
        session.add(
            SettingChange(
                name=name,
                value=value,
                previous=0,
                effective_at=now,
                set_at=now,
                set_by="system",
                reason="why",
            )
        )
    session.commit()

    assert Overrides(read_in_force).over(settings) is settings


def test_bindings_and_orders_made_before_a_change_keep_their_periods(
    session: Session, settings: Settings, now: datetime
) -> None:
    owner, customer = make_distributor(session), make_member(session)
    binding = make_binding(session, customer=customer, owner=owner, valid_from_at=now)
    order = make_order(session, member=customer)
    session.commit()
    facts = [
        sa.select(Binding.valid_until_at, Binding.rule).where(Binding.id == binding.id),
        sa.select(Order.pay_by_at, Order.after_sale_until_at).where(Order.id == order.id),
    ]
    before = [session.execute(one).one() for one in facts]

    for name, value in (
        ("binding_soft_seconds", 3_600),
        ("binding_lock_seconds", 86_400),
        ("existing_customers_bindable", True),
        ("order_pay_seconds", 300),
        ("after_sale_seconds", 86_400),
    ):
        set_to(name, value)

    session.expire_all()
    assert access.settings().binding_soft_seconds == 3_600
    assert [session.execute(one).one() for one in facts] == before


@pytest.mark.commits
def test_of_two_people_who_change_a_setting_at_once_one_is_told(
    app: Flask, session: Session
) -> None:
    seen = version_of(session, "code_misses_max")
    session.rollback()

    results = at_once(
        app,
        lambda: str(set_to("code_misses_max", 7, seen=seen)),
        lambda: str(set_to("code_misses_max", 9, seen=seen)),
    )

    assert sorted(one.isdigit() for one in results) == [False, True]
    assert "setting_changed_meanwhile" in results
    (kept,) = session.scalars(sa.select(SettingChange)).all()
    assert kept.value in {7, 9}


@pytest.mark.commits
def test_two_changes_at_once_cannot_contradict_each_other(app: Flask, session: Session) -> None:
    """Either alone is right: 100 to 5,000 yuan. Both together would leave nothing to ask for."""
    results = at_once(
        app,
        lambda: str(set_to("payout_min_fen", 300_000)),
        lambda: str(set_to("payout_max_fen", 200_000)),
    )

    assert "settings_out_of_order" in results
    assert session.scalar(sa.select(sa.func.count()).select_from(SettingChange)) == 1
