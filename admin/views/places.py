"""Teams and rounds: everybody's place in a plan that keeps any, as a tree, in words, with history.

Who has a place belongs to a store as a distributor does, so staff of a store see the places of
theirs; places of customers who are no distributors are for staff of the whole brand.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin.base import ScopedView
from admin.details import Section, rows_section, sentences_section
from admin.directory import Directory, Reference
from admin.filters import Days, Exactly, Options
from admin.i18n import pgettext
from admin.scopes import by_distributor
from admin.spots import BySpot, history, is_under_review, place_of, review, spot_of, told
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.distribution import shareholders
from app.distribution.plan_records import PlanPlace
from app.engines.fission.engine import FissionPlace, Referral
from app.engines.registry import MODELS
from app.kernel.db import db
from app.plans.models import Plan
from app.stores.permissions import Permission

CHILDREN_SHOWN: Final = 30
OF_ROUND: Final = Shape(
    ("round", "paid_at", "order_id", "member_id", "closed_at"),
    {
        "round": _("Round"),
        "paid_at": _("Order paid"),
        "member_id": _("New customer"),
        "closed_at": _("Round closed"),
    },
)


def _models() -> dict[str, tuple[Any, Any]]:
    """Return a condition for each model that keeps places, but for the register's own."""
    return {
        code: (_(model.title), lambda code=code: Plan.model == code)
        for code, model in MODELS.items()
        if model.place is not None and code != shareholders.MODEL
    }


def _order_ids(row: PlanPlace) -> set[int]:
    """Return the orders of other people that a place rests on."""
    found = {row.order_id, row.facts.get("promotion_order_id")}
    place = place_of(row)
    if isinstance(place, FissionPlace):
        closed = [one.order_id for round_ in place.rounds for one in round_.referrals]
        found |= {*closed, *(one.order_id for one in place.open_referrals)}
    return {one for one in found if one is not None}


def _rounds(place: FissionPlace) -> Section:
    """Return every referral of somebody: those of the open round first, then the newest rounds."""
    rounds: list[tuple[str, str | None, tuple[Referral, ...]]] = [
        (pgettext("round", "Open"), None, place.open_referrals)
    ]
    rounds += [(str(one.number), one.closed_at, one.referrals) for one in reversed(place.rounds)]
    rows = [
        {
            "round": name,
            "paid_at": datetime.fromisoformat(one.paid_at),
            "order_id": one.order_id,
            "member_id": one.buyer_id,
            "closed_at": None if closed_at is None else datetime.fromisoformat(closed_at),
        }
        for name, closed_at, referrals in rounds
        for one in referrals
    ]
    return rows_section(_("Rounds, and who was brought"), rows, OF_ROUND)


class PlacesView(BySpot, ScopedView):
    """Places in chains, matrices and rounds."""

    permission = Permission.DISTRIBUTORS_VIEW
    scope = by_distributor(PlanPlace.member_id)
    icon = "git-fork"
    intro = _("Who stands where in plans with teams, positions or rounds. Open one for its tree.")
    details_template = "backoffice/place.html"

    column_list = (
        "member_id",
        "plan_id",
        "number",
        "told",
        "under_review",
        "recommender_id",
        "parent_id",
        "made_at",
    )
    labels: ClassVar = {
        "plan_id": _("Plan"),
        "number": _("Place no."),
        "told": _("As the member reads it"),
        "under_review": _("Review"),
        "member_id": _("Member"),
        "parent_id": _("Stands below"),
        "made_at": _("Since"),
        "changed_at": _("Last changed"),
        "slot": _("Which place there"),
    }
    references: ClassVar = {"recommender_id": "members", "parent_id": "members"}
    computed: ClassVar = {
        "told": lambda row: next(iter(told(row)), None),
        "under_review": review,
    }
    search_hint = _("Nickname or no.")
    tabs = Options(
        "review",
        _("Review"),
        {"yes": (_("To be reviewed"), is_under_review)},
    )
    filters = (
        Options("model", _("Model"), _models()),
        Exactly("plan", _("Plan no."), PlanPlace.plan_id, is_id=True),
        Exactly("below", _("Stands below no."), PlanPlace.parent_id, is_id=True),
        Exactly("recommender", _("Recommender no."), PlanPlace.recommender_id, is_id=True),
        Days("made", _("Since"), PlanPlace.made_at),
    )
    facts = (
        "member_id",
        "plan_id",
        "number",
        "recommender_id",
        "parent_id",
        "slot",
        "order_id",
        "under_review",
        "made_at",
        "changed_at",
    )

    def prepared(self, query: Select[Any]) -> Select[Any]:
        """Leave the register of shareholders out: it has a page of its own."""
        return super().prepared(query).where(Plan.model != shareholders.MODEL)

    def sections(self, row: PlanPlace) -> Iterable[Section | None]:
        """Tell what the place means, who stands around it, whom it brought, what happened."""
        yield sentences_section(_("As the member reads it"), told(row))
        tree = self._tree(row)
        if tree is not None:
            template = "backoffice/place_tree.html"
            yield Section(_("Above and below"), "tree", template=template, facts=tree)
        place = place_of(row)
        if isinstance(place, FissionPlace):
            yield _rounds(place)
        else:
            yield self.related(
                "places",
                sa.and_(
                    PlanPlace.plan_id == row.plan_id, PlanPlace.recommender_id == row.member_id
                ),
                title=_("Brought by this member"),
                without=("plan_id", "recommender_id"),
                hides_empty=True,
                plan=row.plan_id,
                recommender=row.member_id,
            )
        yield history(row, _order_ids(row))

    def _tree(self, row: PlanPlace) -> dict[str, Any] | None:
        """Return who stands above, the place itself, and who stands directly below.

        Places that do not stand in a tree have none. What the reader may not see is left out.
        """
        above = None
        if row.parent_id is not None:
            above = self.get_one(f"{row.plan_id}-{row.parent_id}-{row.parent_number}")
        query = self.get_query().where(
            PlanPlace.plan_id == row.plan_id,
            PlanPlace.parent_id == row.member_id,
            PlanPlace.parent_number == row.number,
        )
        order = (PlanPlace.slot.nulls_last(), PlanPlace.made_at, PlanPlace.member_id)
        below = list(db.session.scalars(query.order_by(*order).limit(CHILDREN_SHOWN + 1)))
        if above is None and not below:
            return None
        shown = below[:CHILDREN_SHOWN]
        names = _names([one for one in (above, row, *shown) if one is not None])
        more = len(below) > CHILDREN_SHOWN
        return {
            "above": None if above is None else self._node(above, names),
            "here": self._node(row, names),
            "below": [self._node(one, names) for one in shown],
            "more_url": self._below_url(row) if more else "",
        }

    def _below_url(self, row: PlanPlace) -> str:
        url = self.get_url(".index_view", plan=row.plan_id, below=row.member_id)
        return str(url)

    def _node(self, row: PlanPlace, names: Directory) -> dict[str, Any]:
        return {
            "name": names.name(Reference("members", row.member_id)),
            "number": row.number,
            "note": next(iter(told(row)), ""),
            "is_reviewed": bool(row.facts.get("under_review")),
            "url": self.get_url(".details_view", id=spot_of(row)),
        }


def _names(rows: Iterable[PlanPlace]) -> Directory:
    references = {Reference("members", one.member_id) for one in rows}
    return Directory(db.session(), references, store_ids=visible_store_ids())
