"""Customers: the list, and everything about one customer on one page."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired

from admin import listing, phones, staff
from admin.actions import SecondPersonForm, joined
from admin.base import ScopedView
from admin.decisions import Act
from admin.details import Section, pairs_of, rows_section
from admin.directory import Reference
from admin.filters import Days, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import REASON_MAX, LookupField
from admin.i18n import say_error
from admin.lookups import distributors
from admin.people import masked_phone, name_of, phone_hash
from admin.scopes import by_member
from admin.tables import Shape
from admin.views.attribution import owner_of
from admin.words import rule_in_words, step_reason
from app.attribution import queries as attribution
from app.attribution import services
from app.attribution.models import Binding, Touch
from app.kernel.clock import SHANGHAI, utc_now
from app.kernel.db import database_now, db
from app.kernel.errors import DomainError
from app.members import queries
from app.members.decisions import require_reason
from app.members.models import Distributor, Member
from app.orders.models import Order
from app.stores.permissions import Permission

TRANSFER = Permission.BINDINGS_TRANSFER
OWNERS = distributors(TRANSFER)


STEPS = Shape(("event", "at", "actor", "reason"), computed={"reason": step_reason})


class EndForm(SecondPersonForm):
    """Why a customer is given back, and who agrees."""

    permission = TRANSFER


class TransferForm(SecondPersonForm):
    """To whom a customer is handed over, why, and who agrees."""

    permission = TRANSFER
    to_owner_id = LookupField(_("New owner"), loader=OWNERS, validators=[InputRequired()])


class AskForm:
    """The question who owned a customer at an instant, as the address holds it."""

    def __init__(self) -> None:
        """Read the instant; none or nonsense asks about now."""
        text = request.args.get("owned_at", "")
        try:
            self.at = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        except ValueError:
            self.at = utc_now()
        self.typed = self.at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def _transfer(member: Member, act: Act) -> str:
    joined(
        services.transfer_binding,
        customer_id=member.id,
        to_owner_id=act.form.to_owner_id.data,
        actor=act.actor,
        second_actor=act.form.second_actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(member.id)


def _end(member: Member, act: Act) -> str:
    joined(
        services.end_binding,
        customer_id=member.id,
        actor=act.actor,
        second_actor=act.form.second_actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(member.id)


def _owner_now(row: Member) -> Reference | None:
    """Return whom a customer of this page belongs to at present."""
    owners: dict[int, Reference | None] = g.get("owners", {})
    return owners.get(row.id)


class MembersView(ScopedView):
    """Everybody known to the mini-program."""

    permission = Permission.MEMBERS_VIEW
    scope = by_member(Member.id)
    icon = "users"
    intro = _("Everybody who has signed in to the mini-program. Phone numbers are masked.")

    column_list = (
        "nickname",
        "id",
        "phone",
        "owner",
        "origin_store_id",
        "registered_at",
        "first_paid_at",
    )
    computed: ClassVar = {"nickname": name_of, "phone": masked_phone, "owner": _owner_now}
    searched = (Member.nickname,)
    search_hint = _("Nickname, whole phone number, or customer no.")
    finds_by_post = True
    is_counted_by_store = False
    sortable = ("registered_at", "first_paid_at")
    filters = (
        Options(
            "bought",
            _("Has bought"),
            {
                "yes": (_("Yes"), lambda: Member.first_paid_at.is_not(None)),
                "no": (_("Not yet"), lambda: Member.first_paid_at.is_(None)),
            },
        ),
        OfStore("store", _("Store of origin"), Member.origin_store_id),
        Days("registered", _("Registered"), Member.registered_at),
    )
    facts = (
        "id",
        "phone",
        "origin_store_id",
        "registered_at",
        "first_paid_at",
        "birthday_on",
        "deleted_at",
    )
    lookups = (OWNERS,)
    form_pages = (
        FormPage(
            name="transfer",
            label=_("Hand over"),
            title=_("Hand this customer over to another distributor"),
            intro=_(
                "Orders made before keep their owner; nothing is recomputed. Two people decide it "
                "together."
            ),
            permission=TRANSFER,
            form=TransferForm,
            is_about_row=True,
            run=_transfer,
            done=_("The customer was handed over."),
        ),
        FormPage(
            name="end-binding",
            label=_("Give back to the brand"),
            title=_("End the ownership of this customer"),
            intro=_(
                "The customer belongs to the brand again, and the next touch may bind them. Two "
                "people decide it together."
            ),
            permission=TRANSFER,
            form=EndForm,
            is_about_row=True,
            run=_end,
            done=_("The customer belongs to the brand again."),
        ),
    )

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return a page, and read whom its customers belong to in one query."""
        page = super().page_of(query, wish)
        g.owners = {}
        if staff.may(Permission.BINDINGS_VIEW):
            bindings = db.session.scalars(
                sa.select(Binding).where(
                    Binding.customer_id.in_([row.id for row in page.rows]),
                    Binding.valid_from_at <= sa.func.now(),
                    Binding.valid_until_at > sa.func.now(),
                )
            )
            g.owners = {binding.customer_id: owner_of(binding) for binding in bindings}
        return page

    def title_of(self, row: Member) -> str:
        """Return the nickname."""
        return name_of(row)

    @expose("/find/", methods=("POST",))
    def find_view(self) -> Response:
        """Search without putting a phone number into an address: its keyed hash goes there."""
        text = request.form.get("search", "").strip()
        kept = {name: value for name, value in request.form.items() if name not in NOT_KEPT}
        hashed = phone_hash(text)
        wish = {"phone": hashed} if hashed else {"search": text}
        return redirect(self.address_of({**kept, **wish}))

    @expose("/phone/", methods=("POST",))
    def phone_view(self) -> str:
        """Show one whole phone number once, for a reason; the page is kept by no cache."""
        if not staff.may(Permission.MEMBERS_PHONE):
            abort(403)
        row = self.get_one(request.form.get("id", ""))
        if row is None:
            abort(404)
        key, who, now = row.id, staff.actor(), database_now()
        reason = request.form.get("reason", "").strip()[:REASON_MAX]
        revealed = None
        try:
            require_reason(reason)
            revealed = joined(phones.reveal, key, reason=reason, actor=who, now=now)
        except DomainError as error:
            flash(say_error(error), "error")
        row = self.get_one(key)
        return self.render(
            self.details_template, row=row, **self.details(row), revealed_phone=revealed
        )

    def narrowed(self, search: str) -> Select[Any]:
        """Return the wanted rows, by the hash of a phone number where one was searched."""
        query = super().narrowed(search)
        hashed = request.args.get("phone")
        return query.where(Member.phone_hash == hashed) if hashed else query

    def sections(self, row: Member) -> Iterable[Section | None]:
        """Tell everything about a customer that the reader may see."""
        session = db.session()
        if row.phone_sealed is not None and staff.may(Permission.MEMBERS_PHONE):
            yield Section(_("Phone number"), "phone", template="backoffice/phone.html")
        yield self._ownership(row)
        yield self.related(
            "bindings",
            Binding.customer_id == row.id,
            title=_("Ownership, newest first"),
            without=("customer_id",),
            customer=row.id,
        )
        yield self.related(
            "orders", Order.member_id == row.id, without=("member_id",), member=row.id
        )
        yield self.related(
            "touches", Touch.member_id == row.id, without=("member_id",), member=row.id
        )
        yield self.related(
            "distributors",
            Distributor.member_id == row.id,
            title=_("Is a distributor"),
            hides_empty=True,
        )
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

    def _ownership(self, row: Member) -> Section | None:
        """Answer who owned the customer at the instant in the address, and by which step."""
        if not staff.may(Permission.BINDINGS_VIEW):
            return None
        asked = AskForm()
        answer = attribution.owner_at(db.session(), row.id, at=asked.at)
        facts: dict[str, Any] = {}
        if answer.binding is not None:
            facts = {
                "owner_id": answer.binding.owner_id,
                "owner_store_id": answer.binding.owner_store_id,
                "state": answer.state,
                "source": answer.binding.source,
                "valid_from_at": answer.binding.valid_from_at,
                "valid_until_at": answer.valid_until_at,
                "channel_id": answer.share_code.channel_id if answer.share_code else None,
            }
        shown = {name: value for name, value in facts.items() if value is not None}
        return Section(
            _("Who owned this customer?"),
            "own",
            template="backoffice/ownership.html",
            facts={
                "asked": asked,
                "pairs": pairs_of(shown, {}) if shown else [],
                "steps": rows_section("", answer.steps, STEPS).table,
                "rule": rule_in_words(answer.rule) if answer.rule else [],
            },
        )


NOT_KEPT = frozenset({"csrf_token", "search", "phone", "after", "before", "page"})
