"""Reading settings: what is in force, what is planned, and how it came to be so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.preferences.catalogue import SPECS
from app.preferences.models import SettingChange
from app.preferences.services import values_at
from app.preferences.specs import Spec
from app.preferences.timeline import Planned
from app.preferences.units import Value
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Standing:
    """One setting as it stands."""

    spec: Spec
    value: Value
    """In force now."""
    default: Value
    """What the environment says, which holds where staff set nothing."""
    last: SettingChange | None
    """The change that is in force, if staff ever made one."""
    planned: tuple[SettingChange, ...]
    """What will come, the next first."""


def standings(session: Session, *, environment: Settings, now: datetime) -> list[Standing]:
    """Return every setting of the catalogue as it stands, in its order."""
    rows = session.scalars(
        sa.select(SettingChange)
        .where(SettingChange.withdrawn_at.is_(None))
        .order_by(SettingChange.effective_at)
    ).all()
    plan = [Planned(one.name, one.value, one.effective_at) for one in rows]
    values = values_at(plan, environment, at=now)
    return [
        Standing(
            spec,
            values[spec.name],
            getattr(environment, spec.name),
            _last(rows, spec.name, now),
            tuple(one for one in rows if one.name == spec.name and one.effective_at > now),
        )
        for spec in SPECS
    ]


def history(session: Session, name: str) -> Sequence[SettingChange]:
    """Return every change of a setting, the newest first, withdrawn ones among them."""
    return session.scalars(
        sa.select(SettingChange)
        .where(SettingChange.name == name)
        .order_by(SettingChange.effective_at.desc(), SettingChange.id.desc())
    ).all()


def _last(rows: Sequence[SettingChange], name: str, now: datetime) -> SettingChange | None:
    begun = [one for one in rows if one.name == name and one.effective_at <= now]
    return begun[-1] if begun else None
