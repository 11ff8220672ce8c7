"""The file of a distributor: standing, way up, what they brought and earn, what is doubted."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, g, url_for
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin import listing, staff
from admin.cells import Badge
from admin.details import Section, Shown, pairs_of, rows_section, sentences_section, steps_section
from admin.i18n import gettext, say
from admin.people import level_name
from admin.poster_links import posters_section
from admin.staff import visible_store_ids
from admin.story import story_section
from admin.tables import Shape
from admin.views.levels import cause_in_words
from admin.views.member_file import Figure
from admin.views.statements import Statements
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding, ShareCode
from app.distribution import performance
from app.distribution.levels import figures_of
from app.distribution.models import Award, LevelPeriod
from app.engines.documents import load_rules
from app.engines.level_wording import condition_in_words
from app.engines.levels import Figure as LevelFigure
from app.engines.parameters import Mode
from app.guest_cards.models import GuestCard
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.ledger.queries import balances
from app.members import queries
from app.members.models import Distributor
from app.payouts import holds
from app.payouts.models import Payout
from app.plans.queries import level_version
from app.risk.models import RiskFlag
from app.risk.queries import flagged
from app.stores.permissions import Permission

MONTHS_SHOWN: Final = 12
STORIES_SHOWN: Final = 5
MONEY_OF_MONTH: Final = ("awarded_fen", "taken_back_fen")
PERFORMANCE: Final = (
    "month",
    "bound_count",
    "payers_count",
    "orders_count",
    "sales_fen",
    "refunded_fen",
    *MONEY_OF_MONTH,
)
LABELS: Final = {
    "month": _("Month"),
    "bound_count": _("Customers won"),
    "payers_count": _("Who paid"),
    "orders_count": _("Paid orders"),
    "sales_fen": _("Sales"),
    "refunded_fen": _("Given back"),
    "awarded_fen": _("Commission"),
    "taken_back_fen": _("Taken back"),
    "touch_count": _("Touches"),
    "paid_count": _("Who paid"),
}
CODES: Final = Shape(
    ("share_code_id", "channel_id", "touch_count", "bound_count", "paid_count"),
    LABELS,
    computed={"touch_count": lambda one: f"{one.touch_count}{'+' if one.is_cut else ''}"},
)


def risk_badge(row: Distributor) -> Badge | None:
    """Return what is doubted about a distributor of this page."""
    if row.member_id in g.get("held_ids", ()):
        return Badge(gettext("Payouts held"), "bad")
    if row.member_id in g.get("flagged_ids", ()):
        return Badge(gettext("Suspected"), "wait")
    return None


class DistributorFile(Shown, Statements):
    """The part of the distributors' view that shows one of them; mixed in."""

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return a page, and read in two queries what is doubted about its people."""
        page: listing.Page = super().page_of(query, wish)
        _read_doubts([row.member_id for row in page.rows])
        return page

    def details(self, row: Distributor) -> dict[str, Any]:
        """Return everything the page needs, with figures and doubts at its head."""
        _read_doubts([row.member_id])
        return {
            **super().details(row),
            "figures": list(self._figures(row)),
            "doubt": risk_badge(row),
        }

    def _figures(self, row: Distributor) -> Iterable[Figure]:
        """Yield what a distributor has earned, whom they brought, and who belongs to them."""
        key = row.member_id
        if staff.may(Permission.AWARDS_VIEW):
            held = balances(db.session(), key)
            yield Figure(_("Can be withdrawn"), yuan(held.available_fen))
            yield Figure(_("Not yet matured"), yuan(held.pending_fen))
            if held.debt_fen:
                yield Figure(_("To be given back"), yuan(held.debt_fen))
        tree = url_for("team.index_view", focus=key)
        yield Figure(
            _("Team"),
            f"{row.direct_count} + {row.second_count}",
            _("direct and second, in the tree"),
            tree,
        )
        bindings = current_app.extensions["backoffice"]["bindings"]
        if bindings.is_accessible():
            yield Figure(
                _("Customers"),
                listing.counted(db.session(), bindings.get_query().where(_in_force(key))),
                _("who belong to them now"),
                url_for("bindings.index_view", owner=key, now="yes"),
            )

    def sections(self, row: Distributor) -> Iterable[Section | None]:
        """Tell everything about a distributor that the reader may see."""
        key = row.member_id
        yield self.related(
            "risk_flags",
            RiskFlag.distributor_id == key,
            without=("distributor_id",),
            hides_empty=True,
            distributor=key,
        )
        yield self._performance(key)
        yield self._next_level(row)
        yield self._levels(key)
        yield from self._earned(key)
        yield from self._won(key)
        yield self._contested(key)
        yield steps_section(
            _("Standing, step by step"),
            queries.distributor_steps(db.session(), key),
            Shape(("to_standing", "at", "actor", "reason", "recommender_id")),
        )

    def _performance(self, key: int) -> Section | None:
        if not staff.may(Permission.ORDERS_VIEW):
            return None
        rows = performance.by_month(
            db.session(),
            key,
            months=MONTHS_SHOWN,
            now=utc_now(),
            store_ids=visible_store_ids(),
        )
        hidden = () if staff.may(Permission.AWARDS_VIEW) else MONEY_OF_MONTH
        columns = tuple(name for name in PERFORMANCE if name not in hidden)
        return rows_section(_("Month by month"), rows, Shape(columns, LABELS))

    def _next_level(self, row: Distributor) -> Section | None:
        """Tell what the next level asks for and what is there of it."""
        version = level_version(db.session(), at=utc_now())
        if version is None:
            return None
        levels = load_rules(version.rules).levels
        title = _("The way to the next level")
        upgrade = next((one for one in levels.upgrades if one.level == row.level + 1), None)
        if upgrade is None:
            return sentences_section(title, [gettext("There is no higher level.")])
        found = figures_of(db.session(), levels, [row.member_id], now=utc_now())[row.member_id]
        needs = (
            gettext("Level %(level)s asks for all of this:", level=upgrade.level)
            if upgrade.mode is Mode.ALL
            else gettext("Level %(level)s asks for one of these:", level=upgrade.level)
        )
        told = [needs]
        for one in upgrade.conditions:
            reached = found.get(LevelFigure(one.kind, one.window_days), 0)
            facts = {
                "kind": one.kind.value,
                "window_days": one.window_days,
                "at_least": one.at_least,
                "found": reached,
            }
            mark = "✓" if reached >= one.at_least else "✗"
            told.append(f"{mark} {say(condition_in_words(facts))}")
        return sentences_section(title, told)

    def _levels(self, key: int) -> Section:
        periods = db.session.scalars(
            sa.select(LevelPeriod)
            .where(LevelPeriod.member_id == key)
            .order_by(LevelPeriod.id.desc())
        ).all()
        shape = Shape(
            ("level", "from_at", "until_at", "cause", "actor"),
            computed={"level": lambda one: level_name(one.level), "cause": cause_in_words},
        )
        return rows_section(_("Level history"), periods, shape)

    def _earned(self, key: int) -> Iterable[Section | None]:
        """Yield what they earn: balances, statements, payouts, and commission with its reasons."""
        yield self._balances(key)
        yield self.statements_section(key)
        yield self.related(
            "payouts", Payout.member_id == key, without=("member_id",), distributor=key
        )
        view = current_app.extensions["backoffice"]["awards"]
        if view.is_accessible():
            query = view.get_query().where(Award.beneficiary_id == key)
            latest = db.session.scalars(query.order_by(Award.id.desc()).limit(STORIES_SHOWN)).all()
            url = url_for("awards.index_view", distributor=key)
            yield story_section(_("Latest commission, and why"), latest, url=url)
        yield self.related(
            "awards", Award.beneficiary_id == key, without=("beneficiary_id",), distributor=key
        )

    def _won(self, key: int) -> Iterable[Section | None]:
        """Yield through what they win customers, whom, and whom they brought into the team."""
        yield self._codes(key)
        yield posters_section(key)
        yield self.related(
            "guest_cards",
            GuestCard.giver_id == key,
            title=_("Guest cards given"),
            without=("giver_id",),
            hides_empty=True,
            giver=key,
        )
        yield self.related(
            "bindings",
            Binding.owner_id == key,
            title=_("Customers"),
            without=("owner",),
            owner=key,
        )
        yield self.related(
            "distributors",
            Distributor.recommender_id == key,
            title=_("Direct members"),
            without=("recommender_id",),
            recommender=key,
        )

    def _codes(self, key: int) -> Section | None:
        """Return what each share code did, for those who may see touches."""
        if not (staff.may(Permission.SHARE_CODES_VIEW) and staff.may(Permission.BINDINGS_VIEW)):
            return self.related(
                "share_codes", ShareCode.distributor_id == key, without=("owner",), distributor=key
            )
        section = rows_section(_("Share codes"), performance.codes(db.session(), key), CODES)
        return replace(section, more_url=url_for("share_codes.index_view", distributor=key))

    def _contested(self, key: int) -> Section | None:
        if "disputes" not in current_app.extensions["backoffice"]:
            return None
        return self.related(
            "disputes",
            OwnershipDispute.claimant_id == key,
            title=_("Ownerships they contest"),
            hides_empty=True,
        )

    def _balances(self, key: int) -> Section | None:
        if not staff.may(Permission.AWARDS_VIEW):
            return None
        held = balances(db.session(), key)
        values = {
            "available_fen": held.available_fen,
            "pending_fen": held.pending_fen,
            "in_transit_fen": held.in_transit_fen,
            "debt_fen": held.debt_fen,
        }
        labels = {
            "available_fen": _("Can be withdrawn"),
            "pending_fen": _("Not yet matured"),
            "in_transit_fen": _("Payout on its way"),
            "debt_fen": _("To be given back"),
        }
        return Section(_("Balance"), "facts", facts=pairs_of(values, labels))


def _read_doubts(ids: list[int]) -> None:
    """Remember for this page whose payouts are held, and who is suspected by whoever may know."""
    g.held_ids = holds.held(db.session(), ids) if staff.may(Permission.PAYOUTS_VIEW) else set()
    g.flagged_ids = flagged(db.session(), ids) if staff.may(Permission.RISK_VIEW) else set()


def _in_force(owner_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        Binding.owner_id == owner_id,
        Binding.valid_from_at <= sa.func.now(),
        Binding.valid_until_at > sa.func.now(),
    )
