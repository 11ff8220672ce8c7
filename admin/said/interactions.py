"""Words for reviews, questionnaires, messages and campaigns: states, kinds, columns, actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.interactions.states import (
    CampaignEvent,
    CampaignState,
    CareKind,
    DropReason,
    MessagePurpose,
    MessageState,
    QuestionnaireState,
    ReviewState,
)

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    MessageState: {
        "waiting": (lazy_pgettext("message", "Waiting"), Tone.WAIT),
        "sending": (lazy_pgettext("message", "Going out"), Tone.BUSY),
        "sent": (lazy_pgettext("message", "Sent"), Tone.GOOD),
        "no_permission": (lazy_pgettext("message", "Not allowed by the customer"), Tone.CALM),
        "invalid": (lazy_pgettext("message", "Refused by WeChat"), Tone.BAD),
        "unknown": (lazy_pgettext("message", "Not known whether it arrived"), Tone.WAIT),
        "dropped": (lazy_pgettext("message", "Not sent"), Tone.CALM),
    },
    CampaignState: {
        "draft": (lazy_pgettext("campaign", "Draft"), Tone.CALM),
        "checked": (lazy_pgettext("campaign", "Checked"), Tone.WAIT),
        "sending": (lazy_pgettext("campaign", "Going out"), Tone.BUSY),
        "paused": (lazy_pgettext("campaign", "Paused"), Tone.WAIT),
        "done": (lazy_pgettext("campaign", "Done"), Tone.GOOD),
        "cancelled": (lazy_pgettext("campaign", "Called off"), Tone.BAD),
    },
    ReviewState: {
        "waiting": (lazy_pgettext("review", "To be looked at"), Tone.WAIT),
        "shown": (lazy_pgettext("review", "Shown"), Tone.GOOD),
        "hidden": (lazy_pgettext("review", "Hidden"), Tone.BAD),
    },
    QuestionnaireState: {
        "draft": (lazy_pgettext("questionnaire", "Draft"), Tone.CALM),
        "published": (lazy_pgettext("questionnaire", "Published"), Tone.GOOD),
        "ended": (lazy_pgettext("questionnaire", "Ended"), Tone.CALM),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    CampaignEvent: {
        "edit": lazy_pgettext("campaign", "Edited"),
        "check": lazy_pgettext("campaign", "Checked"),
        "send": lazy_pgettext("campaign", "Sent"),
        "pause": lazy_pgettext("campaign", "Paused"),
        "resume": lazy_pgettext("campaign", "Resumed"),
        "finish": lazy_pgettext("campaign", "Finished"),
        "cancel": lazy_pgettext("campaign", "Called off"),
    },
    CareKind: {"birthday": _("Birthday"), "sleeping": _("Has not come for a while")},
    MessagePurpose: {"service": _("About their own business"), "marketing": _("To sell")},
    DropReason: {
        "no_consent": _("No consent to marketing"),
        "too_late": _("Too late to be read"),
        "called_off": _("The campaign was called off"),
        "member_gone": _("The customer has left"),
        "unfit": _("A value does not fit the template"),
        "switched_off": _("The message was switched off"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "stars": _("Stars"),
    "is_anonymous": _("Without a name"),
    "order_line_id": _("Order line"),
    "written_at": _("Written at"),
    "edited_at": _("Edited at"),
    "replied_at": _("Replied at"),
    "replied_by_id": _("Replied by"),
    "hidden_reason": _("Why hidden"),
    "wechat_label": _("WeChat's label"),
    "segment_id": _("Segment"),
    "campaign_id": _("Campaign"),
    "wechat_template_id": _("Template at WeChat"),
    "is_active": _("Switched on"),
    "audience": _("People"),
    "control_bp": _("Left alone to compare"),
    "checked_at": _("Checked at"),
    "sent_by_id": _("Sent by"),
    "created_by_id": _("Made by"),
    "purpose": _("Purpose"),
    "drop_reason": _("Why not sent"),
    "wechat_code": _("WeChat's code"),
    "wechat_field": _("Field"),
    "taken_at": _("Taken up at"),
    "clicked_at": _("Opened at"),
    "questionnaire_id": _("Questionnaire"),
    "answered_at": _("Answered at"),
    "retired_at": _("Retired at"),
    "updated_at": _("Changed at"),
    "follow_up": _("Follow-up"),
    "buyers": _("Who bought"),
    "answered": _("Answers"),
    "share": _("Share"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "message_template_saved": gettext("Message saved"),
        "message_template_on": gettext("Message switched on"),
        "message_template_off": gettext("Message switched off"),
        "segment_saved": gettext("Segment saved"),
        "segment_retired": gettext("Segment retired"),
        "campaign_saved": gettext("Campaign saved"),
        "campaign_sent": gettext("Campaign sent"),
        "campaign_paused": gettext("Campaign paused"),
        "campaign_resumed": gettext("Campaign resumed"),
        "campaign_cancelled": gettext("Campaign called off"),
        "care_rule_saved": gettext("Rule of care saved"),
        "review_replied": gettext("Review answered"),
        "review_hidden": gettext("Review hidden"),
        "review_shown": gettext("Review shown"),
        "questionnaire_saved": gettext("Questionnaire saved"),
        "questionnaire_published": gettext("Questionnaire published"),
        "questionnaire_ended": gettext("Questionnaire ended"),
    }


VALUES: Final[Mapping[str, Any]] = {
    "number": _("Number"),
    "store": _("Store"),
    "amount": _("Amount"),
    "at": _("When"),
    "title": lazy_pgettext("message", "Title"),
    "text": _("Text"),
    "note": _("Note"),
    "until": _("Until"),
    "friend": _("Friend"),
    "people": _("People"),
    "level": _("Level"),
    "points": _("Points"),
}
"""What the values of occasions are called."""
