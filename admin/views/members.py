"""Customers: the list, and everything about one customer on one page."""

from typing import Any, ClassVar

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired

from admin import phones, staff
from admin.actions import SecondPersonForm, joined
from admin.approving import or_ask
from admin.base import ScopedView
from admin.decisions import Act
from admin.filters import Days, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import REASON_MAX, LookupField
from admin.i18n import say_error
from admin.lookups import distributors
from admin.member_filters import BOUGHT, DUE, OfTag, OwnedBy
from admin.membership_file import MEMBERSHIP_PAGES, OfLevel
from admin.people import masked_phone, name_of, phone_hash
from admin.point_forms import MEMBER_PAGES
from admin.scopes import by_member
from admin.views.file_forms import COLLEAGUES, FILE_PAGES, TAGGING
from admin.views.member_file import MemberFile, last_order_at, owner_now, tag_names
from app.attribution import services
from app.kernel.db import database_now
from app.kernel.errors import DomainError
from app.members.decisions import require_reason
from app.members.models import Member
from app.stores.permissions import Permission

TRANSFER = Permission.BINDINGS_TRANSFER
OWNERS = distributors(TRANSFER)


class EndForm(SecondPersonForm):
    """Why a customer is given back, and who agrees."""

    permission = TRANSFER
    kind = "binding_end"


class TransferForm(SecondPersonForm):
    """To whom a customer is handed over, why, and who agrees."""

    permission = TRANSFER
    kind = "binding_transfer"
    to_owner_id = LookupField(_("New owner"), loader=OWNERS, validators=[InputRequired()])

    def payload(self, _row: Member) -> dict[str, Any]:
        """Return the distributor to hand over to."""
        return {"owner_id": self.to_owner_id.data, "owner_store_id": None}


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


class MembersView(MemberFile, ScopedView):
    """Everybody known to the mini-program."""

    permission = Permission.MEMBERS_VIEW
    scope = by_member(Member.id)
    icon = "users"
    intro = _("Everybody who has signed in to the mini-program. Phone numbers are masked.")

    column_list = (
        "nickname",
        "id",
        "phone",
        "tags",
        "owner",
        "origin_store_id",
        "registered_at",
        "last_order_at",
    )
    extra_columns = ("first_paid_at",)
    computed: ClassVar = {
        "nickname": name_of,
        "phone": masked_phone,
        "tags": tag_names,
        "owner": owner_now,
        "last_order_at": last_order_at,
    }
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
        BOUGHT,
        OfTag(),
        OfLevel(),
        OwnedBy(),
        DUE,
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
    details_template = "backoffice/member.html"
    lookups = (OWNERS, COLLEAGUES)
    decisions = TAGGING
    form_pages = (
        *FILE_PAGES,
        *MEMBERSHIP_PAGES,
        *MEMBER_PAGES,
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
            run=or_ask(_transfer),
            done=_("The customer was handed over."),
        ),
        FormPage(
            name="end-binding",
            is_rare=True,
            label=_("Give back to the brand"),
            title=_("End the ownership of this customer"),
            intro=_(
                "The customer belongs to the brand again, and the next touch may bind them. Two "
                "people decide it together."
            ),
            permission=TRANSFER,
            form=EndForm,
            is_about_row=True,
            run=or_ask(_end),
            done=_("The customer belongs to the brand again."),
        ),
    )

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


NOT_KEPT = frozenset({"csrf_token", "search", "phone", "after", "before", "page"})
