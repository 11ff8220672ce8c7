"""Messages to customers: how each occasion is written about, and what went out."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, rows_section
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.i18n import gettext
from admin.interaction_forms import EDIT, MessageForm
from admin.interaction_words import SAID, says
from admin.said.interactions import VALUES
from admin.scopes import brand_only, by_member
from admin.tables import Shape
from app.interactions import messages
from app.interactions.message_models import Message, MessageTemplate
from app.interactions.occasions import OCCASIONS, compose, example_of
from app.interactions.states import MessagePurpose, MessageState
from app.kernel.db import db
from app.stores.permissions import Permission

FIELDS = Shape(
    ("field", "value", "example"),
    {"field": _("Field"), "value": _("Value"), "example": _("For example")},
)


def _create(_row: None, act: Act) -> str:
    draft = act.form.draft()
    return str(joined(messages.save_template, draft, actor=act.actor, now=act.now).id)


def _change(row: MessageTemplate, act: Act) -> str:
    draft = act.form.draft()
    joined(messages.change_template, row.id, draft, actor=act.actor, now=act.now)
    return str(row.id)


def _switch(*, is_active: bool) -> Any:
    def run(key: int, act: Act) -> None:
        joined(messages.switch_template, key, is_active=is_active, actor=act.actor, now=act.now)

    return run


def _state(row: MessageTemplate) -> Badge:
    return Badge(gettext("On"), "good") if row.is_active else Badge(gettext("Off"), "calm")


def _occasion(row: MessageTemplate) -> str:
    return gettext(OCCASIONS[row.key].title)


class MessageTemplatesView(ScopedView):
    """How the brand writes about each occasion."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = brand_only
    icon = "bell"
    intro = _(
        "Which template of WeChat's is filled with what on each occasion. Without one, customers"
        " are not written to about it."
    )

    column_list = ("name", "occasion", "state", "updated_at")
    labels: ClassVar = {"occasion": _("Occasion"), "page": _("Page it opens")}
    computed: ClassVar = {"occasion": _occasion, "state": _state}
    searched = (MessageTemplate.name,)
    facts = ("occasion", "wechat_template_id", "page", "updated_at")
    badge = "state"
    form_pages = (
        FormPage(
            name="create",
            label=_("New message"),
            button=_("Save"),
            title=_("Write about an occasion"),
            permission=EDIT,
            form=MessageForm,
            run=_create,
            done=_("The message was saved."),
            is_primary=True,
        ),
        FormPage(
            name="change",
            label=_("Edit"),
            button=_("Save"),
            title=_("Write differently"),
            permission=EDIT,
            form=MessageForm,
            is_about_row=True,
            begin=lambda row: {
                "key": row.key,
                "name": row.name,
                "wechat_template_id": row.wechat_template_id,
                "page": row.page,
                "fields_text": "\n".join(f"{one} = {it}" for one, it in row.fields.items()),
            },
            run=_change,
            done=_("The message was saved."),
        ),
    )
    decisions = (
        Decision(
            name="on",
            label=_("Switch on"),
            permission=EDIT,
            question=_("Write about these occasions again?"),
            run=_switch(is_active=True),
            possible=lambda row: not row.is_active,
        ),
        Decision(
            name="off",
            label=_("Switch off"),
            permission=EDIT,
            question=_("Write about these occasions no more?"),
            run=_switch(is_active=False),
            possible=lambda row: row.is_active,
            is_danger=True,
        ),
    )

    def sections(self, row: MessageTemplate) -> Iterable[Section | None]:
        """Show what stands in each field."""
        shown = compose(row.fields, example_of(row.key))
        lines = [
            {"field": field, "value": VALUES.get(value, value), "example": shown[field]}
            for field, value in row.fields.items()
        ]
        yield rows_section(_("Fields"), lines, FIELDS)


class MessagesView(ScopedView):
    """Every message to a customer."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = by_member(Message.member_id)
    icon = "scroll-text"
    intro = _("What customers were written, and whether it went out.")
    is_counted = False

    column_list = ("occasion", "member_id", "state", "created_at", "sent_at")
    labels: ClassVar = {"occasion": _("Occasion")}
    computed: ClassVar = {
        "occasion": lambda row: _occasion(db.session.get_one(MessageTemplate, row.template_id))
    }
    tabs = Choice("state", _("State"), Message.state, MessageState)
    filters = (
        Choice("purpose", _("Purpose"), Message.purpose, MessagePurpose),
        Exactly("member", _("Customer no."), Message.member_id, is_id=True),
        Exactly("campaign", _("Campaign no."), Message.campaign_id, is_id=True),
        Days("created", _("Created"), Message.created_at),
    )
    facts = (
        "occasion",
        "member_id",
        "purpose",
        "created_at",
        "sent_at",
        "ended_at",
        "drop_reason",
        "wechat_code",
        "wechat_field",
    )
    badge = "state"

    def title_of(self, row: Message) -> str:
        """Return what it is and its number."""
        return gettext("Message %(id)s", id=row.id)

    def sections(self, row: Message) -> Iterable[Section | None]:
        """Show what it says."""
        template = db.session.get_one(MessageTemplate, row.template_id)
        yield rows_section(_("Text"), list(says(row.data, template.fields)), SAID)
