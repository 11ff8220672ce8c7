"""What a kind of request has to say of itself. New kinds are entered in `app.approvals.kinds`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import UnionType
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app.approvals.errors import PayloadInvalid
from app.kernel.audit import Actor
from app.stores.permissions import Permission

Values: TypeAlias = Mapping[str, Any]
"""Ids and plain values by name, as JSON holds them; names are those of columns where they can be,
because the back office looks up their labels and links by name."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a request is about, and what is asked for."""

    subject_id: int | None
    payload: Values = field(default_factory=dict)
    subject_key: str = ""
    """The name of a subject that is no row, such as a setting."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who asked, who agreed, why, and when."""

    maker: Actor
    checker: Actor
    reason: str
    now: datetime


def exactly(**types: type | UnionType) -> Callable[[Values], dict[str, Any]]:
    """Return a check that a payload has just these names, with values of these types.

    >>> exactly(owner_id=int | None)({"owner_id": 4})
    {'owner_id': 4}
    """

    def clean(payload: Values) -> dict[str, Any]:
        for name in payload.keys() ^ types.keys():
            raise PayloadInvalid(name)
        for name, expected in types.items():
            value = payload[name]
            is_odd = isinstance(value, bool) and expected is not bool
            if is_odd or not isinstance(value, expected):
                raise PayloadInvalid(name)
        return {name: payload[name] for name in types}

    return clean


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of matter that takes two people.

    `apply` runs in the transaction that approves the request, after `lock` and after the facts
    have been compared. It calls the service that does the work, which writes its own audit record
    with both people; whatever it raises rolls the approval back, and the request goes on waiting.
    """

    name: str
    label: str
    """What people call it; marked with `N_`."""
    subject_type: str
    """As the audit trail names it: `member`, `distributor`, `staff`, `setting` ..."""
    ask: Permission
    decide: Permission
    view: Permission
    """Who may see the matter may see requests about it; deciding takes more."""
    clean: Callable[[Values], dict[str, Any]]
    """Returns the payload as it is to be kept; raises `PayloadInvalid`."""
    facts: Callable[[Session, Topic, datetime], Values]
    """How the subject stands. Raises a DomainError where there is no such subject."""
    apply: Callable[[Session, Topic, Verdict], object]
    lock: Callable[[Session, Topic], object] = lambda _session, _topic: None
    """Locks the subject, in the order of its own slice, so that the facts cannot change."""
    check: Callable[[Session, Topic, datetime], object] = lambda _session, _topic, _now: None
    """Raises a DomainError where it could not be done even now; asked before a request is made."""
    store_of: Callable[[Session, Topic], int | None] = lambda _session, _topic: None
    """The store whose staff may see requests about it; None is the brand."""
    outcome: Callable[[Values, Values], Values] = lambda facts, payload: {**facts, **payload}
    """From facts and payload to the facts as they are to be: what people see as before and after.
    """
