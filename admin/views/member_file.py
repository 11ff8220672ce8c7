"""The file of a customer: who they are to the brand, in figures, and all that happened, on a page.

Everything is read through the views that list it, so the page of a shared customer shows each
store its own part of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, g, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy.sql import Select

from admin import listing, staff, timeline
from admin.details import Section, Shown, rows_section
from admin.directory import Reference
from admin.dispute_links import disputes_section
from admin.i18n import listed, moment
from admin.imports_history import historic_orders_section
from admin.membership_file import membership_sections
from admin.ownership import orders_condition, ownership_section, sentences
from admin.point_parts import point_sections
from admin.tables import Shape
from admin.timeline_draws import draw_sections
from admin.timeline_sources import OF_MEMBER
from admin.views.attribution import owner_of
from app.attribution import queries as attribution
from app.attribution.models import Binding, Touch
from app.coupons.models import Coupon
from app.guest_cards.models import GuestCard
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.members import queries, tags
from app.members.file_models import FollowUp, FollowUpState, MemberNote
from app.members.models import Distributor, Member
from app.orders.models import Order
from app.stores.permissions import Permission

DAY_LENGTH: Final = len("2026-11-22")
NO_TIME: Final = Markup('<span class="none" aria-hidden="true">–</span>')


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure at the head of a file, and where its rows are."""

    name: Any
    value: Any
    note: Any = ""
    url: str = ""


def tag_names(member: Member) -> str:
    """Return the tags of a customer of this page, by name."""
    return listed(one.name for one in g.get("member_tags", {}).get(member.id, ()))


def last_order_at(member: Member) -> Any:
    """Return when a customer of this page last paid at a store that the reader sees."""
    return g.get("last_orders", {}).get(member.id)


def owner_now(member: Member) -> Reference | None:
    """Return whom a customer of this page belongs to at present."""
    owners: dict[int, Reference | None] = g.get("owners", {})
    return owners.get(member.id)


def orders_seen(condition: sa.ColumnElement[bool]) -> Select[Any] | None:
    """Return orders that meet a condition, as the reader sees them; None where they see none."""
    view = current_app.extensions["backoffice"]["orders"]
    return view.get_query().where(condition) if view.is_accessible() else None


class MemberFile(Shown):
    """The part of the customers' view that shows one of them; mixed in."""

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return a page, and read in one query each whom its people belong to, tags, orders."""
        page: listing.Page = super().page_of(query, wish)
        ids = [row.id for row in page.rows]
        g.owners = _owners(ids) if staff.may(Permission.BINDINGS_VIEW) else {}
        g.member_tags = tags.tags_of(db.session(), ids)
        g.last_orders = _last_orders(ids)
        return page

    def details(self, row: Member) -> dict[str, Any]:
        """Return everything the page needs, with figures, tags and the owner at its head."""
        g.member_tags = tags.tags_of(db.session(), [row.id])
        return {
            **super().details(row),
            "tags": g.member_tags[row.id],
            "owner_told": self._owner(row),
            "figures": list(self._figures(row)),
        }

    @expose("/timeline/")
    def timeline_view(self) -> str:
        """Show a page of everything that happened to a customer."""
        row: Member = self.wanted()
        after = timeline.Place.read(request.args.get("after", ""))
        page = timeline.page_of(OF_MEMBER, row.id, after=after, size=timeline.PAGE_ROWS)
        return self.render(
            "backoffice/timeline.html",
            row=row,
            title=self.title_of(row),
            section=_stream(page),
            is_first=after is None,
            more_url=self._timeline_url(row, page.more) if page.more else "",
        )

    def _timeline_url(self, row: Member, place: timeline.Place | None = None) -> str:
        return str(self.get_url(".timeline_view", id=row.id, after=place.text if place else None))

    def _owner(self, row: Member) -> Sequence[str]:
        if not staff.may(Permission.BINDINGS_VIEW):
            return ()
        now = utc_now()
        return sentences(row, attribution.owner_at(db.session(), row.id, at=now), now)

    def _figures(self, row: Member) -> Iterable[Figure]:
        """Yield what the customer is to the stores that the reader sees."""
        query = orders_seen(Order.member_id == row.id)
        if query is not None:
            mine = query.with_only_columns(
                Order.paid_fen, Order.refunded_fen, Order.paid_at, Order.completed_at
            ).subquery()
            count, paid, refunded, visit = db.session.execute(
                sa.select(
                    sa.func.count(mine.c.paid_at),
                    sa.func.coalesce(sa.func.sum(mine.c.paid_fen), 0),
                    sa.func.coalesce(sa.func.sum(mine.c.refunded_fen), 0),
                    sa.func.max(mine.c.completed_at),
                )
            ).one()
            rows = url_for("orders.index_view", member=row.id)
            yield Figure(_("Paid orders"), count, url=rows)
            yield Figure(_("Paid in all"), yuan(int(paid)), url=rows)
            yield Figure(_("Given back"), yuan(int(refunded)))
            yield Figure(_("Last visit"), moment(visit)[:DAY_LENGTH] if visit else NO_TIME)
        due = sa.select(sa.func.count()).where(
            FollowUp.member_id == row.id, FollowUp.state == FollowUpState.OPEN
        )
        yield Figure(
            _("To be done"),
            db.session.scalar(due) or 0,
            url=url_for("follow_ups.index_view", member=row.id, due="open"),
        )

    def sections(self, row: Member) -> Iterable[Section | None]:
        """Tell everything about a customer that the reader may see."""
        yield self._events(row)
        yield ownership_section(row)
        asked = orders_condition(row) if staff.may(Permission.BINDINGS_VIEW) else None
        if asked is not None and request.args.get("owned_at"):
            title = _("Orders that fell to that owner")
            yield self.related("orders", asked, title=title, without=("member_id",))
        yield from self._written(row)
        yield from membership_sections(row)
        yield self.related(
            "orders", Order.member_id == row.id, without=("member_id",), member=row.id
        )
        yield historic_orders_section(self, row.id)
        yield from point_sections(self, row)
        yield self.related(
            "coupons",
            Coupon.member_id == row.id,
            title=_("Coupons"),
            without=("member_id",),
            hides_empty=True,
            member=row.id,
        )
        yield self.related(
            "guest_cards",
            GuestCard.member_id == row.id,
            title=_("Guest cards"),
            without=("member_id",),
            hides_empty=True,
            member=row.id,
        )
        yield from draw_sections(self, row)
        yield self.related(
            "bindings",
            Binding.customer_id == row.id,
            title=_("Ownership, newest first"),
            without=("customer_id",),
            customer=row.id,
        )
        yield disputes_section(self, row.id)
        yield self.related(
            "touches", Touch.member_id == row.id, without=("member_id",), member=row.id
        )
        yield self.related(
            "distributors",
            Distributor.member_id == row.id,
            title=_("Is a distributor"),
            hides_empty=True,
        )
        yield from self._given(row)

    def _events(self, row: Member) -> Section:
        page = timeline.page_of(OF_MEMBER, row.id, after=None, size=timeline.FIRST_SHOWN)
        more = self._timeline_url(row) if page.more else ""
        return replace(_stream(page), more_url=more)

    def _written(self, row: Member) -> Iterable[Section | None]:
        """Yield what staff wrote and plan to do."""
        yield self.related(
            "follow_ups",
            FollowUp.member_id == row.id,
            title=_("Follow-ups"),
            without=("member_id",),
            member=row.id,
        )
        yield self.related(
            "notes",
            MemberNote.member_id == row.id,
            title=_("Notes"),
            without=("member_id",),
            member=row.id,
        )

    def _given(self, row: Member) -> Iterable[Section | None]:
        """Yield what the customer agreed to and signed in with."""
        session = db.session()
        if row.phone_sealed is not None and staff.may(Permission.MEMBERS_PHONE):
            yield Section(_("Phone number"), "phone", template="backoffice/phone.html")
        yield rows_section(
            _("Consents"),
            queries.consents(session, row.id),
            Shape(("purpose", "version", "granted_at", "withdrawn_at")),
        )
        yield rows_section(
            _("Signed-in devices"),
            queries.devices(session, row.id, at=utc_now()),
            Shape(("device_name", "signed_in_at", "expires_at")),
        )


def _stream(page: timeline.Page) -> Section:
    return Section(_("Timeline"), "stream", page.table, template="backoffice/timeline_items.html")


def _owners(ids: Sequence[int]) -> dict[int, Reference | None]:
    bindings = db.session.scalars(
        sa.select(Binding).where(
            Binding.customer_id.in_(ids),
            Binding.valid_from_at <= sa.func.now(),
            Binding.valid_until_at > sa.func.now(),
        )
    )
    return {binding.customer_id: owner_of(binding) for binding in bindings}


def _last_orders(ids: Sequence[int]) -> dict[int, Any]:
    """Return when customers last paid, of orders that the reader sees, by index of the customer."""
    query = orders_seen(sa.and_(Order.member_id.in_(ids), Order.paid_at.is_not(None)))
    if query is None:
        return {}
    last = query.with_only_columns(Order.member_id, sa.func.max(Order.paid_at)).group_by(
        Order.member_id
    )
    return {row[0]: row[1] for row in db.session.execute(last)}
