"""Views of lists that staff keep under a name, and how each person likes each list.

A view belongs to who made it. Shared ones can be opened by everybody who may open the list; they
are changed by their owner only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.stores.models import Staff
from app.stores.view_errors import (
    SavedViewNameInvalid,
    SavedViewNameTaken,
    SavedViewNotFound,
    SavedViewsFull,
)
from app.stores.view_models import NAME_MAX, VIEWS_MAX, ListChoice, SavedView

SHOWN_MAX: Final = 100
"""Views that a list offers, one's own first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a view asks of its list: parameters of the address, and columns in order."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] | None = None


def offered(session: Session, staff_id: int, *, list_name: str) -> Sequence[SavedView]:
    """Return the views of a list that somebody may open: their own, then those shared by others."""
    is_mine = SavedView.staff_id == staff_id
    query = (
        sa.select(SavedView)
        .where(SavedView.list == list_name, sa.or_(is_mine, SavedView.is_shared))
        .order_by(is_mine.desc(), SavedView.name, SavedView.id)
    )
    return session.scalars(query.limit(SHOWN_MAX)).all()


def choice(session: Session, staff_id: int, *, list_name: str) -> ListChoice | None:
    """Return how somebody likes a list, or None where they never said."""
    return session.get(ListChoice, (staff_id, list_name))


def save(
    session: Session, staff_id: int, *, list_name: str, name: str, wish: Wish, now: datetime
) -> SavedView:
    """Keep a view under a name of its own. Raises SavedViewNameInvalid, -NameTaken, SavedViewsFull.

    The row of the person is locked, so that two tabs cannot take one slot.
    """
    session.execute(sa.select(Staff.id).where(Staff.id == staff_id).with_for_update(key_share=True))
    query = sa.select(SavedView.slot).where(
        SavedView.staff_id == staff_id, SavedView.list == list_name
    )
    free = sorted(set(range(1, VIEWS_MAX + 1)) - set(session.scalars(query)))
    said = _checked(session, name, staff_id=staff_id, list_name=list_name)
    if not free:
        raise SavedViewsFull(VIEWS_MAX)
    view = SavedView(
        staff_id=staff_id,
        list=list_name,
        name=said,
        slot=free[0],
        wish=dict(wish.parameters),
        columns=list(wish.columns) if wish.columns else None,
        is_shared=False,
        created_at=now,
        changed_at=now,
    )
    session.add(view)
    session.flush()
    return view


def overwrite(
    session: Session, view_id: int, *, staff_id: int, wish: Wish, now: datetime
) -> SavedView:
    """Let one's own view ask for something else. Raises SavedViewNotFound."""
    view = own(session, view_id, staff_id=staff_id)
    view.wish = dict(wish.parameters)
    view.columns = list(wish.columns) if wish.columns else None
    view.changed_at = now
    return view


def rename(session: Session, view_id: int, *, staff_id: int, name: str, now: datetime) -> SavedView:
    """Give one's own view another name. Raises SavedViewNotFound, and as `save` does of names."""
    session.execute(sa.select(Staff.id).where(Staff.id == staff_id).with_for_update(key_share=True))
    view = own(session, view_id, staff_id=staff_id)
    if name.strip() != view.name:
        view.name = _checked(session, name, staff_id=staff_id, list_name=view.list)
        view.changed_at = now
    return view


def share(
    session: Session, view_id: int, *, staff_id: int, actor: Actor, now: datetime
) -> SavedView:
    """Show one's own view to everybody who may open the list. Raises SavedViewNotFound."""
    view = own(session, view_id, staff_id=staff_id)
    if not view.is_shared:
        view.is_shared, view.changed_at = True, now
        _audit(session, view, "saved_view_shared", actor=actor, now=now)
    return view


def withdraw(session: Session, view_id: int, *, actor: Actor, now: datetime) -> SavedView:
    """Show a shared view to its owner only; whoever had it as a default loses that.

    Raises SavedViewNotFound. Whether the actor may is the caller's to check: the owner, or whoever
    answers for what everybody sees.
    """
    view = session.get(SavedView, view_id, with_for_update=True)
    if view is None or not view.is_shared:
        raise SavedViewNotFound
    view.is_shared, view.changed_at = False, now
    session.execute(
        sa.update(ListChoice)
        .where(ListChoice.default_view_id == view_id, ListChoice.staff_id != view.staff_id)
        .values(default_view_id=None)
    )
    _audit(session, view, "saved_view_withdrawn", actor=actor, now=now)
    return view


def delete(session: Session, view_id: int, *, staff_id: int, actor: Actor, now: datetime) -> None:
    """Delete one's own view. Raises SavedViewNotFound."""
    view = own(session, view_id, staff_id=staff_id)
    if view.is_shared:
        _audit(session, view, "saved_view_withdrawn", actor=actor, now=now)
    session.delete(view)


def open_with(
    session: Session, view_id: int | None, *, staff_id: int, list_name: str, now: datetime
) -> None:
    """Let a list open with a view that somebody may open, or none. Raises SavedViewNotFound."""
    if view_id is not None:
        view = session.get(SavedView, view_id)
        is_theirs = view is not None and (view.staff_id == staff_id or view.is_shared)
        if view is None or not is_theirs or view.list != list_name:
            raise SavedViewNotFound
    _choose(session, staff_id, list_name, default_view_id=view_id, changed_at=now)


def arrange(
    session: Session,
    staff_id: int,
    *,
    list_name: str,
    columns: Sequence[str] | None,
    is_dense: bool,
    now: datetime,
) -> None:
    """Keep which columns somebody wants of a list, None for its own, and how close its rows are."""
    wanted = list(columns) if columns else None
    _choose(session, staff_id, list_name, columns=wanted, is_dense=is_dense, changed_at=now)


def own(session: Session, view_id: int, *, staff_id: int) -> SavedView:
    """Return somebody's own view, locked. Raises SavedViewNotFound for any other."""
    view = session.get(SavedView, view_id, with_for_update=True)
    if view is None or view.staff_id != staff_id:
        raise SavedViewNotFound
    return view


def _choose(session: Session, staff_id: int, list_name: str, **values: Any) -> None:
    statement = insert(ListChoice).values(staff_id=staff_id, list=list_name, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ListChoice.staff_id, ListChoice.list], set_=values
        )
    )


def _checked(session: Session, name: str, *, staff_id: int, list_name: str) -> str:
    said = " ".join(name.split())
    if not 1 <= len(said) <= NAME_MAX or not said.isprintable():
        raise SavedViewNameInvalid(NAME_MAX)
    is_taken = session.scalar(
        sa.select(SavedView.id).where(
            SavedView.staff_id == staff_id, SavedView.list == list_name, SavedView.name == said
        )
    )
    if is_taken is not None:
        raise SavedViewNameTaken
    return said


def _audit(session: Session, view: SavedView, action: str, *, actor: Actor, now: datetime) -> None:
    facts = {"name": view.name, "filters": view.wish, "staff_id": view.staff_id}
    audit.record(session, actor, action, Subject(view.list, view.id), Change(after=facts), now=now)
