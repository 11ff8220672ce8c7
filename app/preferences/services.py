"""Changing settings: now or from a day on, by people who say why, never backwards in time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.preferences import catalogue
from app.preferences.catalogue import BY_NAME
from app.preferences.errors import (
    SettingChangedMeanwhile,
    SettingChangeNotPlanned,
    SettingDateRefused,
    SettingNeedsSecondPerson,
    SettingOutOfRange,
    SettingPlannedTwice,
    SettingReasonRequired,
    SettingsOutOfOrder,
    SettingUnchanged,
    SettingValueInvalid,
    UnknownSetting,
)
from app.preferences.models import SettingChange
from app.preferences.overrides import overrides
from app.preferences.specs import Spec
from app.preferences.timeline import Planned, in_force, moments
from app.preferences.units import Unit, Value, is_kind_of
from app.settings import Settings

_LOCK: Final = 7_310_025
AHEAD_MAX: Final = timedelta(days=366)
SUBJECT: Final = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants of one setting."""

    name: str
    value: Value
    effective_at: datetime | None = None
    """None means at once."""
    reason: str
    seen: str | None = None
    """`version_of` the setting when the form was opened; None where nobody looked before."""


def spec_of(name: str) -> Spec:
    """Return the entry of the catalogue; raises `UnknownSetting`."""
    spec = BY_NAME.get(name)
    if spec is None:
        raise UnknownSetting(name)
    return spec


def check_value(spec: Spec, value: Any) -> None:
    """Raise `SettingValueInvalid` or `SettingOutOfRange` for what the setting cannot be."""
    if not is_kind_of(spec.unit, value):
        raise SettingValueInvalid(spec.name)
    if spec.unit is not Unit.SWITCH and not spec.least <= value <= spec.most:
        raise SettingOutOfRange(spec.name, spec.least, spec.most)


def change(
    session: Session,
    wish: Wish,
    *,
    environment: Settings,
    actor: Actor,
    second: Actor | None = None,
    now: datetime,
) -> SettingChange:
    """Give a setting a value, at once or from a day on; who asks again at use gets it.

    The system, which is an operator at the command line, needs no second person. Raises
    `UnknownSetting`, `SettingValueInvalid`, `SettingOutOfRange`, `SettingDateRefused`,
    `SettingReasonRequired`, `SettingNeedsSecondPerson`, `SettingChangedMeanwhile`,
    `SettingPlannedTwice`, `SettingUnchanged`, `SettingsOutOfOrder`.
    """
    effective_at = wish.effective_at or now
    _check_people(spec_of(wish.name), actor, second)
    take(session)
    if wish.seen is not None and wish.seen != version_of(session, wish.name):
        raise SettingChangedMeanwhile(wish.name)
    previous = require_possible(session, wish, environment=environment, now=now)

    row = SettingChange(
        name=wish.name,
        value=wish.value,
        previous=previous,
        effective_at=effective_at,
        set_at=now,
        set_by=str(actor),
        second_by=str(second) if second else None,
        reason=wish.reason.strip(),
    )
    session.add(row)
    session.flush()
    after: dict[str, Any] = {wish.name: wish.value, "effective_at": effective_at.isoformat()}
    if second:
        after["second_by"] = str(second)
    told = Change({wish.name: previous}, after, row.reason)
    audit.record(session, actor, "setting.changed", Subject(SUBJECT, row.id), told, now=now)
    _forget_after_commit(session)
    return row


def require_possible(
    session: Session, wish: Wish, *, environment: Settings, now: datetime
) -> Value:
    """Return what the setting is before the change; raise what `change` would refuse it with."""
    spec = spec_of(wish.name)
    effective_at = wish.effective_at or now
    _check(spec, wish, effective_at, now=now)
    plan = standing(session)
    if any(one.name == wish.name and one.effective_at == effective_at for one in plan):
        raise SettingPlannedTwice(wish.name)
    previous = values_at(plan, environment, at=effective_at)[wish.name]
    if previous == wish.value:
        raise SettingUnchanged(wish.name)
    changed = [*plan, Planned(wish.name, wish.value, effective_at)]
    _check_order(changed, environment, about=wish.name, since=effective_at)
    return previous


def withdraw(  # noqa: PLR0913 - one decision: which, by whom and whom else, why, when
    session: Session,
    change_id: int,
    *,
    environment: Settings,
    actor: Actor,
    second: Actor | None = None,
    reason: str,
    now: datetime,
) -> SettingChange:
    """Take back a change that is planned and not in force yet; what was before goes on.

    What takes two people to plan takes two to take back: it may be the end of an exception. Raises
    `SettingReasonRequired`, `SettingChangeNotPlanned`, `SettingNeedsSecondPerson`,
    `SettingsOutOfOrder` where another planned change rests on it.
    """
    if not reason.strip():
        raise SettingReasonRequired
    take(session)
    row = session.get(SettingChange, change_id, populate_existing=True)
    if row is None or row.withdrawn_at is not None or row.effective_at <= now:
        raise SettingChangeNotPlanned
    _check_people(spec_of(row.name), actor, second)
    gone = Planned(row.name, row.value, row.effective_at)
    rest = [one for one in standing(session) if one != gone]
    _check_order(rest, environment, about=row.name, since=row.effective_at)

    row.withdrawn_at = now
    row.withdrawn_by = str(actor)
    row.withdrawal_reason = reason.strip()
    session.flush()
    before = {row.name: row.value, "effective_at": row.effective_at.isoformat()}
    after: dict[str, Any] = {row.name: row.previous}
    if second:
        after["second_by"] = str(second)
    told = Change(before, after, reason.strip())
    audit.record(session, actor, "setting.withdrawn", Subject(SUBJECT, row.id), told, now=now)
    _forget_after_commit(session)
    return row


def standing(session: Session) -> list[Planned]:
    """Return every change that was not withdrawn, past and planned."""
    rows = session.execute(
        sa.select(SettingChange.name, SettingChange.value, SettingChange.effective_at).where(
            SettingChange.withdrawn_at.is_(None)
        )
    )
    return [Planned(*row) for row in rows if row.name in BY_NAME]


def values_at(
    changes: Iterable[Planned], environment: Settings, *, at: datetime
) -> dict[str, Value]:
    """Return every setting of the catalogue as it is at an instant."""
    return {name: getattr(environment, name) for name in BY_NAME} | in_force(changes, at)


def version_of(session: Session, name: str) -> str:
    """Return a text that is another one after each change of a setting, withdrawals included."""
    newest, withdrawn = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.max(SettingChange.id), 0),
            sa.func.count(SettingChange.withdrawn_at),
        ).where(SettingChange.name == name)
    ).one()
    return f"{newest}-{withdrawn}"


def _check(spec: Spec, wish: Wish, effective_at: datetime, *, now: datetime) -> None:
    check_value(spec, wish.value)
    if not now <= effective_at <= now + AHEAD_MAX:
        raise SettingDateRefused
    if not wish.reason.strip():
        raise SettingReasonRequired


def _check_people(spec: Spec, actor: Actor, second: Actor | None) -> None:
    """Two different people decide what moves money or owners; the system is an operator."""
    if second is not None and (second.kind, second.id) == (actor.kind, actor.id):
        raise SettingNeedsSecondPerson(spec.name)
    if spec.needs_second and second is None and actor.kind != audit.SYSTEM.kind:
        raise SettingNeedsSecondPerson(spec.name)


def _check_order(
    changes: list[Planned], environment: Settings, *, about: str, since: datetime
) -> None:
    """Look at every instant from the change on, so that no planned one comes to contradict it."""
    for instant in moments(changes, since=since):
        values = values_at(changes, environment, at=instant)
        for rule in catalogue.broken(values, about):
            raise SettingsOutOfOrder.of(rule, values)


def take(session: Session) -> None:
    """Let one change at a time look at all others: rules reach over several settings."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _forget_after_commit(session: Session) -> None:
    """Let this process look again as soon as others can see the change."""
    known = overrides()
    sa.event.listen(session, "after_commit", lambda _session: known.forget(), once=True)


def environment_values(environment: Settings) -> Iterator[tuple[str, Any, bool]]:
    """Yield each setting that only the environment decides: name, value, whether it is secret."""
    for one in fields(environment):
        if one.name not in BY_NAME:
            yield one.name, getattr(environment, one.name), not one.repr
