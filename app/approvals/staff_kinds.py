"""Matters about who may do what: duties of staff, and roles of the brand's own."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from app.approvals.contract import Kind, Topic, Values, Verdict, exactly
from app.approvals.errors import PayloadInvalid
from app.kernel.i18n import N_
from app.stores import roles, staff
from app.stores.errors import StaffNotFound
from app.stores.granting import lock_appointers
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.roles import RoleSpec
from app.stores.staff import Duties

NO_ROLE: Final[Values] = {
    "name": None,
    "description": "",
    "permissions": [],
    "is_active": False,
}
"""How a role stands that is still to be made."""


def _sorted(kinds: type, *names: str, **types: type) -> Callable[[Values], dict[str, Any]]:
    """Return a check of a payload whose lists hold one kind of value, sorted, each once."""
    check = exactly(**types)

    def clean(payload: Values) -> dict[str, Any]:
        held = check(payload)
        for name in names:
            if not all(type(one) is kinds for one in held[name]):
                raise PayloadInvalid(name)
            held[name] = sorted(set(held[name]))
        return held

    return clean


_CLEAN_IDS = _sorted(
    int,
    "store_ids",
    "region_ids",
    roles=list,
    store_ids=list,
    region_ids=list,
    sees_all_stores=bool,
)


def _clean_duties(payload: Values) -> dict[str, Any]:
    held = _CLEAN_IDS(payload)
    if not all(isinstance(one, str) for one in held["roles"]):
        raise PayloadInvalid("roles")
    return {**held, "roles": sorted(set(held["roles"]))}


def _staff_id(topic: Topic) -> int:
    if topic.subject_id is None:
        raise PayloadInvalid("subject_id")
    return topic.subject_id


def _duties_facts(session: Session, topic: Topic, _now: datetime) -> Values:
    person = session.get(Staff, _staff_id(topic), populate_existing=True)
    if person is None:
        raise StaffNotFound
    facts = staff.duties_of(person)
    return {name: facts[name] for name in ("roles", "store_ids", "region_ids", "sees_all_stores")}


def _lock_person(session: Session, topic: Topic) -> object:
    return lock_appointers(session, _staff_id(topic))


def _check_duties(session: Session, topic: Topic, _now: datetime) -> None:
    staff.require_possible(session, _staff_id(topic), Duties(**topic.payload))


def _set_duties(session: Session, topic: Topic, verdict: Verdict) -> object:
    return staff.set_duties(
        session,
        _staff_id(topic),
        Duties(**topic.payload),
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


STAFF_DUTIES: Final = Kind(
    name="staff_duties",
    label=N_("Set somebody's roles and stores"),
    subject_type="staff",
    ask=Permission.STAFF_EDIT,
    decide=Permission.STAFF_EDIT,
    view=Permission.STAFF_VIEW,
    clean=_clean_duties,
    lock=_lock_person,
    check=_check_duties,
    facts=_duties_facts,
    apply=_set_duties,
)

_clean_role = _sorted(
    str, "permissions", name=str, description=str, permissions=list, is_active=bool
)


def _role_facts(session: Session, topic: Topic, _now: datetime) -> Values:
    if topic.subject_id is None:
        return NO_ROLE
    facts = roles.facts_of(roles.own_role(session, topic.subject_id))
    return {**facts, "permissions": sorted(facts["permissions"])}


def _lock_role(session: Session, _topic: Topic) -> object:
    return lock_appointers(session)


def _check_role(session: Session, topic: Topic, _now: datetime) -> None:
    roles.require_possible(session, topic.subject_id, RoleSpec(**topic.payload))


def _put_role(session: Session, topic: Topic, verdict: Verdict) -> object:
    return roles.put_role(
        session,
        topic.subject_id,
        RoleSpec(**topic.payload),
        actor=verdict.maker,
        second_actor=verdict.checker,
        reason=verdict.reason,
        now=verdict.now,
    )


ROLE_PERMISSIONS: Final = Kind(
    name="role_permissions",
    label=N_("Make or change a role"),
    subject_type="role",
    ask=Permission.ROLES_EDIT,
    decide=Permission.ROLES_EDIT,
    view=Permission.STAFF_VIEW,
    clean=_clean_role,
    lock=_lock_role,
    check=_check_role,
    facts=_role_facts,
    apply=_put_role,
)
