"""Places in plans as pages show them: told apart by three numbers, told in words by their model.

A place has no number of its own: plan, member and which of the member's places tell it apart, and
stand in addresses as `3-125-1`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask import g
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin import listing
from admin.cells import Badge
from admin.details import Section, steps_section
from admin.directory import Directory, Reference
from admin.filters import contains
from admin.i18n import gettext, say
from admin.part import Part
from admin.plan_event_words import event_name, notes_in_words
from admin.staff import visible_store_ids
from admin.tables import Shape
from admin.urls import as_id
from app.distribution import personal
from app.distribution.encoding import place_from_row
from app.distribution.plan_records import PlanEvent, PlanPlace
from app.engines.places import Place
from app.engines.registry import MODELS
from app.kernel.db import db
from app.members.models import Member
from app.orders.models import Order
from app.plans.models import Plan
from app.plans.queries import rules_of

SPOT: Final = re.compile(r"([0-9]{1,9})-([0-9]{1,18})-([0-9]{1,18})")
EVENTS_SHOWN: Final = 30
JOINED: Final[sa.ColumnElement[str]] = sa.literal_column("'joined'")
DIRECTED: Final[sa.ColumnElement[str]] = sa.literal_column("'directed'")
"""Written out, so that the indexes of just these are used."""
EVENTS: Final = Shape(
    ("event", "at", "actor", "order_id", "refund_id", "note"), {"note": _("To look at")}
)


def spot_of(row: Any) -> str:
    """Return how an address names a place."""
    return f"{row.plan_id}-{row.member_id}-{row.number}"


class BySpot(Part):
    """The part of a view of places that finds them by their three numbers; mixed in."""

    model: type[Any]

    @property
    def key(self) -> Any:
        """Return the column that orders places within a plan."""
        return PlanPlace.member_id

    def key_of(self, row: Any) -> Any:
        """Return how an address names a row."""
        return spot_of(row)

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's name
        """Return one place, or None where it is absent or not the reader's to see."""
        found = SPOT.fullmatch(str(id))
        if found is None:
            return None
        plan_id, member_id, number = map(int, found.groups())
        query = self.loaded(self.get_query()).where(
            PlanPlace.plan_id == plan_id,
            PlanPlace.member_id == member_id,
            PlanPlace.number == number,
        )
        return db.session.scalar(query)

    def get_query(self) -> Select[Any]:
        """Return the rows that the reader may see; the view's own query."""
        query: Select[Any] = super().get_query()  # type: ignore[misc]  # the view's, mixed in
        return query

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Join the plan and the member, for model and name."""
        return query.join(Plan, Plan.id == PlanPlace.plan_id).join(
            Member, Member.id == PlanPlace.member_id
        )

    def search(self, query: Select[Any], text: str) -> Select[Any]:
        """Find a place by its member's nickname or number."""
        means: list[sa.ColumnElement[bool]] = [contains(Member.nickname, text)]
        if (key := as_id(text)) is not None:
            means.append(PlanPlace.member_id == key)
        return query.where(sa.or_(*means))

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return one page, the newest plan and member first, which an index serves."""
        order = (PlanPlace.plan_id, PlanPlace.member_id, PlanPlace.number)
        return listing.by_place(db.session(), query, order, wish)

    def title_of(self, row: PlanPlace) -> str:
        """Return whose place it is."""
        return member_name(row.member_id)


def member_name(member_id: int) -> str:
    """Return what the reader may call a member."""
    reference = Reference("members", member_id)
    directory = Directory(db.session(), [reference], store_ids=visible_store_ids())
    return directory.name(reference)


def rules_for(plan_id: int) -> Any:
    """Return the latest rules of a plan that was ever in force, None of any other."""
    known: dict[int, int | None] = g.setdefault("plan_versions_of_places", {})
    if plan_id not in known:
        known[plan_id] = personal.latest_versions(db.session(), {plan_id}).get(plan_id)
    version_id = known[plan_id]
    return None if version_id is None else rules_of(version_id)


def place_of(row: PlanPlace) -> Place | None:
    """Return a row as its model's place."""
    rules = rules_for(row.plan_id)
    kind = MODELS[rules.model].place if rules is not None else None
    return place_from_row(kind, row) if kind is not None else None


def told(row: PlanPlace) -> list[str]:
    """Return what a place means to whoever has it, as they read it themselves."""
    rules, place = rules_for(row.plan_id), place_of(row)
    tell = MODELS[rules.model].tell if rules is not None else None
    if place is None or tell is None:
        return []
    return [say(message) for message in tell(rules, place)]


def history(row: PlanPlace, order_ids: Iterable[int], *, store_id: int | None = None) -> Section:
    """Return the latest events of a plan about a place: those of the member and of some orders.

    `store_id` keeps to the member's own orders at one store.
    """
    own = sa.select(Order.id).where(Order.member_id == row.member_id)
    if store_id is not None:
        own = own.where(Order.store_id == store_id)
    is_theirs = PlanEvent.member_id == row.member_id
    about: list[sa.ColumnElement[bool]] = [
        PlanEvent.order_id.in_(own),
        PlanEvent.order_id.in_(list(order_ids)),
        sa.and_(is_theirs, PlanEvent.kind == JOINED),
        sa.and_(is_theirs, PlanEvent.kind == DIRECTED, _stands_at(store_id)),
    ]
    events: dict[int, PlanEvent] = {}
    for condition in about:
        query = sa.select(PlanEvent).where(PlanEvent.plan_id == row.plan_id, condition)
        newest = query.order_by(PlanEvent.id.desc()).limit(EVENTS_SHOWN)
        events |= {one.id: one for one in db.session.scalars(newest)}
    shown = sorted(events.values(), key=lambda one: one.id, reverse=True)[:EVENTS_SHOWN]
    return steps_section(_("What happened, the newest first"), _steps(shown), EVENTS)


def _stands_at(store_id: int | None) -> sa.ColumnElement[bool]:
    """Of words about holdings keep those about the one at this store."""
    if store_id is None:
        return sa.true()
    number = PlanEvent.inputs["place"]["number"].astext
    return sa.or_(number.is_(None), number == str(store_id))


def _steps(events: Sequence[PlanEvent]) -> list[dict[str, Any]]:
    return [
        {
            "event": event_name(one.kind),
            "at": one.at,
            "actor": one.actor,
            "order_id": one.order_id,
            "refund_id": one.refund_id,
            "note": notes_in_words(one.notes),
        }
        for one in events
    ]


def review(row: PlanPlace) -> Badge | None:
    """Return a mark for a place that people should look at."""
    return Badge(gettext("To be reviewed"), "wait") if row.facts.get("under_review") else None


def is_under_review() -> sa.ColumnElement[bool]:
    """Say which places people should look at."""
    condition: sa.ColumnElement[bool] = PlanPlace.facts["under_review"].astext == "true"
    return condition
