"""Who may import what, and where; asked again for every batch, because it may have changed."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.imports.contract import Kind, Scene
from app.imports.errors import ImportForbidden
from app.imports.models import ImportRun
from app.kernel.audit import SYSTEM, Actor
from app.stores.models import Staff
from app.stores.permissions import Permission
from app.stores.queries import staff_permissions, visible_store_ids


def staff_of(session: Session, actor: Actor) -> Staff | None:
    """Return the member of staff behind an actor, None for the system. Raises `ImportForbidden`."""
    if actor == SYSTEM:
        return None
    found = session.get(Staff, actor.id) if actor.kind == "staff" and actor.id else None
    if found is None:
        raise ImportForbidden
    return found


def demand_rights(
    session: Session, actor: Actor, kind: Kind, *, more: Permission | None = None
) -> None:
    """Raise `ImportForbidden` unless somebody may import rows of a kind; the system may."""
    staff = staff_of(session, actor)
    if staff is None:
        return
    needed = kind.permissions | {Permission.IMPORTS} | ({more} if more else set())
    if not needed <= staff_permissions(staff):
        raise ImportForbidden


def scene_of(
    session: Session, run: ImportRun, kind: Kind, *, now: datetime, is_trial: bool = False
) -> Scene:
    """Return who imports, and where they may at this moment. Raises `ImportForbidden`."""
    actor = SYSTEM if run.staff_id is None else Actor("staff", run.staff_id)
    demand_rights(session, actor, kind)
    staff = staff_of(session, actor)
    second = Actor("staff", run.second_staff_id) if run.second_staff_id else None
    if second is not None:
        for one in (actor, second):
            demand_rights(session, one, kind, more=Permission.DISTRIBUTORS_MOVE)
    return Scene(
        run_id=run.id,
        actor=actor,
        second_actor=second,
        store_ids=visible_store_ids(staff) if staff is not None else None,
        now=now,
        is_trial=is_trial,
    )
