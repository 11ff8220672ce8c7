"""A change of a setting that moves money, owners or personal data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.access import environment
from app.approvals.contract import Kind, Topic, Values, Verdict
from app.approvals.errors import PayloadInvalid
from app.kernel.i18n import N_
from app.preferences import services
from app.preferences.catalogue import BY_NAME
from app.preferences.services import SUBJECT, Wish
from app.preferences.units import is_kind_of
from app.stores.permissions import Permission

EFFECTIVE_AT: Final = "effective_at"
VERSION: Final = "setting_version"


def asked_for(name: str, value: Any, effective_at: datetime | None) -> Topic:
    """Return what a request for a change of a setting is about; None means at once."""
    moment = effective_at.isoformat() if effective_at else None
    return Topic(None, {name: value, EFFECTIVE_AT: moment}, name)


def _clean(payload: Values) -> dict[str, Any]:
    """Keep the setting by its own name, so that its value explains itself, and the moment."""
    names = [one for one in payload if one != EFFECTIVE_AT]
    if len(names) != 1 or names[0] not in BY_NAME:
        raise PayloadInvalid("name")
    name = names[0]
    if not is_kind_of(BY_NAME[name].unit, payload[name]):
        raise PayloadInvalid(name)
    return {name: payload[name], EFFECTIVE_AT: _moment_text(payload)}


def _moment_text(payload: Values) -> str | None:
    text = payload.get(EFFECTIVE_AT)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise PayloadInvalid(EFFECTIVE_AT) from None
    if instant.tzinfo is None:
        raise PayloadInvalid(EFFECTIVE_AT)
    return instant.isoformat()


def _wish(topic: Topic, reason: str) -> Wish:
    text = topic.payload[EFFECTIVE_AT]
    return Wish(
        name=topic.subject_key,
        value=topic.payload[topic.subject_key],
        effective_at=datetime.fromisoformat(text) if text else None,
        reason=reason,
    )


def _check(session: Session, topic: Topic, now: datetime) -> None:
    if topic.subject_key not in topic.payload:
        raise PayloadInvalid("name")
    services.require_possible(session, _wish(topic, "-"), environment=environment(), now=now)


def _facts(session: Session, topic: Topic, now: datetime) -> Mapping[str, Any]:
    """Return the value in force, and a mark that every change of the setting makes another one."""
    name = topic.subject_key
    plan = services.standing(session)
    value = services.values_at(plan, environment(), at=now)[services.spec_of(name).name]
    return {name: value, EFFECTIVE_AT: None, VERSION: services.version_of(session, name)}


def _apply(session: Session, topic: Topic, verdict: Verdict) -> object:
    return services.change(
        session,
        _wish(topic, verdict.reason),
        environment=environment(),
        actor=verdict.maker,
        second=verdict.checker,
        now=verdict.now,
    )


SETTING_CHANGE: Final = Kind(
    name="setting_change",
    label=N_("Change a setting"),
    subject_type=SUBJECT,
    ask=Permission.SETTINGS_EDIT,
    decide=Permission.SETTINGS_EDIT,
    view=Permission.SETTINGS_VIEW,
    clean=_clean,
    lock=lambda session, _topic: services.take(session),
    check=_check,
    facts=_facts,
    apply=_apply,
)
