"""Where customers come from and whom they belong to: codes, channels, touches, bindings."""

from collections.abc import Iterable
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section, steps_section
from admin.directory import Reference
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import LookupField
from admin.i18n import gettext
from admin.labels import label_of
from admin.lookups import distributors, products
from admin.scopes import StoreIds, by_distributor, by_member, by_store, either
from admin.store_choices import visible_stores as visible_stores
from admin.tables import Shape
from admin.words import rule_in_words, step_reason
from app.attribution import queries, services
from app.attribution.models import (
    Binding,
    BindingState,
    Channel,
    ChannelKind,
    ShareCode,
    Touch,
    TouchOutcome,
    TouchSource,
)
from app.attribution.rules import TouchReason
from app.insight.sources import SOURCES
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.stores.permissions import Permission

CODE_OWNERS = distributors(Permission.SHARE_CODES_ISSUE)
CODE_PRODUCTS = products(Permission.SHARE_CODES_ISSUE)


def owner_of(row: Any) -> Reference | None:
    """Return who owns a code, a channel or a customer: a distributor or a store."""
    distributor_id = getattr(row, "distributor_id", None) or getattr(row, "owner_id", None)
    if distributor_id is not None:
        return Reference("distributors", distributor_id)
    store_id = getattr(row, "owner_store_id", None) or getattr(row, "store_id", None)
    return Reference("stores", store_id) if store_id is not None else None


class IssueForm(FlaskForm):
    """For whom a share code is made, and where it leads."""

    distributor_id = LookupField(
        _("Distributor"), loader=CODE_OWNERS, description=_("Leave empty for a code of a store.")
    )
    owner_store_id = SelectField(_("Store"), description=_("For a code of a store."))
    channel_name = StringField(
        _("Channel"),
        validators=[InputRequired(), Length(max=40)],
        description=_("Where it will hang or be posted, such as “Counter of the store”."),
    )
    channel_kind = SelectField(_("Kind of channel"))
    page = StringField(
        _("Page of the mini-program"),
        default="pages/index/index",
        validators=[InputRequired(), Length(max=128)],
    )
    product_id = LookupField(_("Product"), loader=CODE_PRODUCTS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.owner_store_id.choices = [("", "–"), *visible_stores()]
        self.channel_kind.choices = [(one.value, label_of(one)) for one in ChannelKind]

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand exactly one owner."""
        is_valid: bool = super().validate(extra_validators)
        is_refused = bool(self.distributor_id.errors)
        if not is_refused and bool(self.distributor_id.data) == bool(self.owner_store_id.data):
            self.distributor_id.errors = [gettext("Choose either a distributor or a store.")]
            return False
        return is_valid


def _issue(_row: None, act: Act) -> str:
    form = act.form
    code = joined(
        services.issue_code,
        distributor_id=form.distributor_id.data,
        owner_store_id=int(form.owner_store_id.data) if form.owner_store_id.data else None,
        channel=services.ChannelChoice(form.channel_name.data, ChannelKind(form.channel_kind.data)),
        page=form.page.data.strip(),
        product_id=form.product_id.data,
        actor=act.actor,
        now=act.now,
    )
    return str(code.id)


def _code_state(row: ShareCode) -> Badge:
    if row.revoked_at is None:
        return Badge(gettext("Live"), "good")
    return Badge(gettext("Revoked"), "calm")


class ShareCodesView(ScopedView):
    """Codes that customers scan or click."""

    permission = Permission.SHARE_CODES_VIEW
    scope = either(by_store(ShareCode.owner_store_id), by_distributor(ShareCode.distributor_id))
    icon = "share-2"
    intro = _("Each code stands for one owner, one channel and one page. A revoked code stays.")

    column_list = ("code", "owner", "channel_id", "page", "product_id", "state", "created_at")
    computed: ClassVar = {"owner": owner_of, "state": _code_state}
    searched = (ShareCode.code,)
    search_hint = _("Code")
    filters = (
        Options(
            "state",
            _("State"),
            {
                "live": (_("Live"), lambda: ShareCode.revoked_at.is_(None)),
                "revoked": (_("Revoked"), lambda: ShareCode.revoked_at.is_not(None)),
            },
        ),
        Exactly("distributor", _("Distributor no."), ShareCode.distributor_id, is_id=True),
        OfStore("store", _("Store"), ShareCode.owner_store_id),
        Days("created", _("Created"), ShareCode.created_at),
    )
    facts = ("code", "owner", "channel_id", "page", "product_id", "created_at", "revoked_at")
    badge = "state"
    decisions = (
        Decision(
            name="regenerate",
            label=_("Replace"),
            permission=Permission.SHARE_CODES_REVOKE,
            question=_("Replace these codes by new ones?"),
            warning=_("The old codes stop working at once, also on posters that hang already."),
            run=lambda key, act: joined(
                services.regenerate_code, key, owner_id=None, actor=act.actor, now=act.now
            ),
            possible=lambda row: row.revoked_at is None,
        ),
        Decision(
            name="revoke",
            label=_("Revoke"),
            permission=Permission.SHARE_CODES_REVOKE,
            question=_("Revoke these codes?"),
            warning=_("They stop working at once, also on posters that hang already."),
            run=lambda key, act: joined(
                services.revoke_code, key, owner_id=None, actor=act.actor, now=act.now
            ),
            possible=lambda row: row.revoked_at is None,
            is_danger=True,
        ),
    )
    lookups = (CODE_OWNERS, CODE_PRODUCTS)
    form_pages = (
        FormPage(
            name="issue",
            label=_("Make a code"),
            title=_("Make a share code"),
            intro=_("Where a live code stands for the same already, that one is shown."),
            permission=Permission.SHARE_CODES_ISSUE,
            form=IssueForm,
            run=_issue,
            done=_("The share code is ready."),
            is_primary=True,
        ),
    )

    def title_of(self, row: ShareCode) -> str:
        """Return the beginning of the code."""
        return f"{row.code[:6]}…"

    def sections(self, row: ShareCode) -> Iterable[Section | None]:
        """Show who came through this code."""
        yield self.related(
            "touches", Touch.share_code_id == row.id, without=("share_code_id",), code=row.id
        )


class ChannelsView(ScopedView):
    """Places customers come from."""

    permission = Permission.SHARE_CODES_VIEW
    scope = either(by_store(Channel.store_id), by_distributor(Channel.owner_id))
    icon = "radio"
    intro = _("Groups, counters, opinion leaders and events that share codes belong to.")

    column_list = ("name", "kind", "owner", "created_at")
    computed: ClassVar = {"owner": owner_of}
    searched = (Channel.name,)
    filters = (Choice("kind", _("Kind"), Channel.kind, ChannelKind),)
    facts = ("id", "kind", "owner", "created_at")

    def sections(self, row: Channel) -> Iterable[Section | None]:
        """Show the codes of a channel."""
        yield self.related("share_codes", ShareCode.channel_id == row.id, without=("channel_id",))


def _touch_reason(row: Touch) -> Any:
    return label_of(TouchReason(row.reason)) if row.reason in set(TouchReason) else row.reason


def _of_own_code(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """A scan of a code of one's own is one's own, though who scanned may belong elsewhere."""
    found: sa.ColumnElement[bool] = SOURCES["touches"].store_id.in_(store_ids)
    return found


class TouchesView(ScopedView):
    """Scans and clicks, with what each did."""

    permission = Permission.BINDINGS_VIEW
    scope = either(by_member(Touch.member_id), _of_own_code)
    icon = "mouse-pointer-click"
    intro = _("Every scan and click of a share code, and what it did. Never changed.")
    is_counted = False
    can_view_details = False

    column_list = ("occurred_at", "member_id", "share_code_id", "source", "outcome", "reason")
    computed: ClassVar = {"reason": _touch_reason}
    filters = (
        Choice("outcome", _("Outcome"), Touch.outcome, TouchOutcome),
        Choice("source", _("Source"), Touch.source, TouchSource),
        Exactly("member", _("Customer no."), Touch.member_id, is_id=True),
        Exactly("code", _("Share code no."), Touch.share_code_id, is_id=True),
        Days("occurred", _("Time"), Touch.occurred_at),
    )


def _in_force() -> sa.ColumnElement[bool]:
    return sa.and_(Binding.valid_from_at <= sa.func.now(), Binding.valid_until_at > sa.func.now())


def _now_badge(row: Binding) -> Badge:
    if row.valid_from_at <= utc_now() < row.valid_until_at:
        return Badge(gettext("In force"), "good")
    return Badge(gettext("Over"), "calm")


class BindingsView(ScopedView):
    """Which distributor or store a customer belongs to, from when until when."""

    permission = Permission.BINDINGS_VIEW
    scope = by_member(Binding.customer_id)
    is_counted_by_store = False
    icon = "link"
    intro = _(
        "Whom each customer belonged to in which period. Open a customer to ask about a moment or "
        "to hand them over."
    )

    column_list = (
        "customer_id",
        "owner",
        "state",
        "now",
        "source",
        "valid_from_at",
        "valid_until_at",
    )
    labels: ClassVar = {"now": _("Now")}
    computed: ClassVar = {"owner": owner_of, "now": _now_badge}
    filters = (
        Options(
            "now",
            _("Now"),
            {
                "yes": (_("In force"), _in_force),
                "no": (_("Over"), lambda: sa.not_(_in_force())),
            },
        ),
        Choice("state", _("State"), Binding.state, BindingState),
        Choice("source", _("Source"), Binding.source, TouchSource),
        Exactly("customer", _("Customer no."), Binding.customer_id, is_id=True),
        Exactly("owner", _("Distributor no."), Binding.owner_id, is_id=True),
        Days("from", _("Begun"), Binding.valid_from_at),
    )
    facts = ("customer_id", "owner", "now", "source", "valid_from_at", "valid_until_at")
    badge = "state"

    def title_of(self, row: Binding) -> str:
        """Return what it is and its number."""
        return gettext("Binding %(id)s", id=row.id)

    def sections(self, row: Binding) -> Iterable[Section | None]:
        """Show how a binding came about and what became of it."""
        yield steps_section(
            _("What happened"),
            queries.binding_steps(db.session(), row.id),
            Shape(
                ("event", "at", "actor", "reason", "order_id", "valid_until_at"),
                computed={"reason": step_reason},
            ),
        )
        yield sentences_section(_("Rule it lives by"), rule_in_words(row.rule))
        yield self.related(
            "touches", Touch.binding_id == row.id, without=("member_id",), title=_("Touches")
        )
