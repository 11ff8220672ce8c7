"""The register of sharing shareholders: who has a seat at which store, and what staff decide."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.sql import Select
from wtforms import SelectField
from wtforms.validators import InputRequired

from admin import staff
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act
from admin.details import Section, sentences_section
from admin.filters import Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import LookupField, ScopedLoader
from admin.i18n import gettext, say
from admin.labels import label_of
from admin.lookups import distributors
from admin.scopes import by_store
from admin.seats import SEATS, counted, taken_of
from admin.spots import BySpot, history, is_under_review, place_of, review, rules_for, told
from admin.story import story_section
from admin.tables import Table
from admin.urls import as_id
from app.distribution import shareholders
from app.distribution.models import Award
from app.distribution.plan_records import ClosedMonth, PlanPlace
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.titles import title_of
from app.kernel.db import database_now, db, retrying
from app.plans.models import Plan
from app.stores.models import Store
from app.stores.permissions import Permission

POOLS_SHOWN: Final = 12
STORES = ScopedLoader(
    "stores",
    sa.select(Store.id, Store.name),
    (Store.name,),
    scope=by_store(Store.id),
    text=lambda row: str(row.name),
    permission=Permission.SHAREHOLDERS_DECIDE,
)
HOLDERS = distributors(Permission.SHAREHOLDERS_DECIDE)


def _holding(row: PlanPlace) -> HoldingPlace:
    place = place_of(row)
    assert isinstance(place, HoldingPlace), "only shareholders are listed here"
    return place


def _state(row: PlanPlace) -> HoldingState:
    return HoldingState(row.facts["state"])


def _level(row: PlanPlace) -> Badge | None:
    """Return the level held or waited for, by its name."""
    rules = rules_for(row.plan_id)
    level = rules.level(row.facts["level"]) if rules is not None else None
    return None if level is None else Badge(say(title_of(level.code)), "calm")


def _instant(name: str) -> Any:
    def read(row: PlanPlace) -> datetime | None:
        text = row.facts.get(name)
        return None if text is None else datetime.fromisoformat(text)

    return read


def _seats(row: PlanPlace) -> str:
    """Return how many seats of the store are taken, and of how many."""
    rules = rules_for(row.plan_id)
    if rules is None:
        return ""
    counts = {(one["plan_id"], one["store_id"]): one for one in counted(row.number)}
    found = counts.get((row.plan_id, row.number))
    return str(found["seats"]) if found else taken_of(0, rules.seats_per_store)


class EndForm(FlaskForm):
    """Nothing to fill in: ending is confirmed."""


def _choices() -> list[tuple[str, str]]:
    """Return the levels of the plans in force: the rank, and what it is called there."""
    names: dict[int, dict[str, None]] = {}
    for grounds in shareholders.all_grounds(db.session(), at=database_now()):
        for rank, level in enumerate(grounds.rules.shareholder_levels, start=1):
            names.setdefault(rank, {})[say(title_of(level.code))] = None
    return [(str(rank), f"{rank} · {' / '.join(known)}") for rank, known in sorted(names.items())]


class SeatForm(FlaskForm):
    """Who gets a seat, where, and at which level."""

    store_id = LookupField(_("Store"), loader=STORES, validators=[InputRequired()])
    member_id = LookupField(_("Distributor"), loader=HOLDERS, validators=[InputRequired()])
    level = SelectField(_("Level"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the levels of the plans in force."""
        super().__init__(*args, **kwargs)
        self.level.choices = [("", gettext("What their purchases reach")), *_choices()]


class LevelForm(FlaskForm):
    """Which level somebody is given."""

    offered: ClassVar[list[tuple[str, str]]] = []
    level = SelectField(_("Level"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the levels of the plan."""
        super().__init__(*args, **kwargs)
        self.level.choices = self.offered


def _form_about(*, may_be_open: bool) -> Any:
    """Make the form that asks for a level alone; the choices are those of the row's plan."""

    def make(row: PlanPlace) -> type[FlaskForm]:
        levels = rules_for(row.plan_id).shareholder_levels
        choices = [
            (str(rank), f"{rank} · {say(title_of(level.code))}")
            for rank, level in enumerate(levels, start=1)
        ]
        reached = [("", gettext("What their purchases reach"))] if may_be_open else []
        return type("LevelForm", (LevelForm,), {"offered": reached + choices})

    return make


def _chosen(act: Act) -> int | None:
    return as_id(act.form.level.data)


def _give_new(_row: Any, act: Act) -> str:
    store_id, member_id = act.form.store_id.data, act.form.member_id.data
    retrying(
        lambda: shareholders.grant(
            store_id, member_id, level=_chosen(act), actor=act.actor, now=act.now
        )
    )
    held = shareholders.holdings_of(db.session(), member_id)
    plan_id = max(plan_id for plan_id, place in held if place.number == store_id)
    return f"{plan_id}-{member_id}-{store_id}"


def _give(row: PlanPlace, act: Act) -> str:
    key, store_id, member_id = (row.plan_id, row.number, row.member_id)
    level = _chosen(act)
    retrying(
        lambda: shareholders.grant(
            store_id, member_id, level=level, actor=act.actor, now=act.now, plan_id=key
        )
    )
    return f"{key}-{member_id}-{store_id}"


def _change_level(row: PlanPlace, act: Act) -> str:
    key, store_id, member_id = (row.plan_id, row.number, row.member_id)
    level = int(act.form.level.data)
    retrying(
        lambda: shareholders.change_level(
            store_id, member_id, level=level, actor=act.actor, now=act.now, plan_id=key
        )
    )
    return f"{key}-{member_id}-{store_id}"


def _end(row: PlanPlace, act: Act) -> str:
    key, store_id, member_id = (row.plan_id, row.number, row.member_id)
    retrying(
        lambda: shareholders.end(store_id, member_id, actor=act.actor, now=act.now, plan_id=key)
    )
    return f"{key}-{member_id}-{store_id}"


def _is(*states: HoldingState) -> Any:
    return lambda row: _state(row) in states


def _of_state(state: HoldingState) -> tuple[Any, Any]:
    """Return what a state is called and the condition of its rows."""
    return label_of(state), lambda: PlanPlace.facts["state"].astext == state.value


class HoldingsView(BySpot, ScopedView):
    """Everybody who has, had or wants a seat at a store, or whose purchases count for one."""

    permission = Permission.SHAREHOLDERS_VIEW
    scope = by_store(PlanPlace.number)
    icon = "armchair"
    intro = _("Customers of a store who hold a seat, wait for one, or whose purchases count.")
    list_template = "backoffice/holdings.html"

    column_list = (
        "member_id",
        "number",
        "level",
        "state",
        "spent_fen",
        "until_at",
        "under_review",
        "plan_id",
    )
    labels: ClassVar = {
        "number": _("Store"),
        "spent_fen": _("Purchases that count"),
        "until_at": _("Seat until"),
        "under_review": _("Review"),
        "plan_id": _("Plan"),
    }
    details_labels: ClassVar = {
        "term_fen": _("Purchases in this term"),
        "wanted_at": _("Waiting since"),
        "seat_at": _("Seat since"),
        "seats": _("Seats taken at the store"),
    }
    references: ClassVar = {"number": "stores"}
    computed: ClassVar = {
        "level": _level,
        "state": _state,
        "spent_fen": lambda row: row.facts["spent_fen"],
        "until_at": _instant("until"),
        "under_review": review,
    }
    details_computed: ClassVar = {
        "term_fen": lambda row: row.facts["term_fen"],
        "wanted_at": _instant("wanted"),
        "seat_at": _instant("granted"),
        "seats": _seats,
    }
    search_hint = _("Nickname or no.")
    tabs = Options("state", _("State"), {one.value: _of_state(one) for one in HoldingState})
    filters = (
        OfStore("store", _("Store"), PlanPlace.number),
        Options("review", _("Review"), {"yes": (_("To be reviewed"), is_under_review)}),
        Exactly("member", _("Customer no."), PlanPlace.member_id, is_id=True),
    )
    facts = (
        "member_id",
        "number",
        "plan_id",
        "level",
        "seats",
        "seat_at",
        "until_at",
        "wanted_at",
        "spent_fen",
        "term_fen",
        "under_review",
    )
    badge = "state"
    lookups = (STORES, HOLDERS)
    form_pages = (
        FormPage(
            name="new",
            label=_("Give a seat"),
            title=_("Give a distributor a seat at a store"),
            intro=_("Only approved distributors, and only while the store has a seat left."),
            permission=Permission.SHAREHOLDERS_DECIDE,
            form=SeatForm,
            run=_give_new,
            done=_("The seat was given."),
            is_primary=True,
        ),
        FormPage(
            name="seat",
            label=_("Give a seat"),
            title=_("Give this customer a seat"),
            intro=_("It is held for the term of the plan, from now on."),
            permission=Permission.SHAREHOLDERS_DECIDE,
            form_for=_form_about(may_be_open=True),
            is_about_row=True,
            run=_give,
            done=_("The seat was given."),
            possible=_is(
                HoldingState.CANDIDATE,
                HoldingState.WAITING,
                HoldingState.EXPIRED,
                HoldingState.LEFT,
            ),
            is_primary=True,
        ),
        FormPage(
            name="level",
            label=_("Change level"),
            title=_("Give this holder another level"),
            intro=_("It counts for the orders and months from now on, and ends a review."),
            permission=Permission.SHAREHOLDERS_DECIDE,
            form_for=_form_about(may_be_open=False),
            begin=lambda row: {"level": str(row.facts["level"])},
            is_about_row=True,
            run=_change_level,
            done=_("The level was changed."),
            possible=_is(HoldingState.ACTIVE),
        ),
        FormPage(
            name="end",
            label=_("End holding"),
            title=_("End this holding before its term"),
            intro=_(
                "The seat is free at once, and nothing bought before counts any more. Customers"
                " stay bound until their binding runs out."
            ),
            permission=Permission.SHAREHOLDERS_DECIDE,
            form=EndForm,
            is_about_row=True,
            run=_end,
            done=_("The holding was ended."),
            possible=_is(HoldingState.ACTIVE, HoldingState.WAITING),
        ),
    )

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Keep to plans of shareholders."""
        return super().prepared(query).where(Plan.model == shareholders.MODEL)

    def seats(self) -> Table:
        """Return how many seats are taken, store by store."""
        return Table(counted(as_id(request.args.get("store", ""))), SEATS)

    def sections(self, row: PlanPlace) -> Iterable[Section | None]:
        """Tell what it means, what it earned from pools, and what happened."""
        yield sentences_section(_("As the customer reads it"), told(row))
        if staff.may(Permission.AWARDS_VIEW):
            yield self._pools(row)
        yield history(row, (), store_id=row.number)

    def _pools(self, row: PlanPlace) -> Section:
        awards = db.session.scalars(
            sa.select(Award)
            .join(ClosedMonth, ClosedMonth.id == Award.closed_month_id)
            .where(
                ClosedMonth.plan_id == row.plan_id,
                ClosedMonth.store_id == row.number,
                Award.beneficiary_id == row.member_id,
            )
            .order_by(Award.id.desc())
            .limit(POOLS_SHOWN)
        )
        return story_section(_("From monthly pools"), awards)
