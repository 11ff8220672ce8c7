"""Words for what members are given: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.loyalty.models import RewardKind, RewardSource, RewardState, TaskKind

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    RewardState: {
        "given": (lazy_pgettext("reward", "Given"), Tone.GOOD),
        "refused": (lazy_pgettext("reward", "Refused"), Tone.BAD),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    RewardKind: {
        "coupon": lazy_pgettext("reward", "Coupon"),
        "points": lazy_pgettext("reward", "Points"),
        "growth": lazy_pgettext("reward", "Growth"),
    },
    RewardSource: {
        "upgrade": lazy_pgettext("reward", "Reaching a level"),
        "birthday": lazy_pgettext("reward", "Birthday"),
        "task": lazy_pgettext("reward", "Task"),
        "activity": lazy_pgettext("reward", "Activity"),
        "check_in": lazy_pgettext("reward", "Check-in"),
        "draw": lazy_pgettext("reward", "Draw"),
        "invite": lazy_pgettext("reward", "Invitation"),
        "interaction": lazy_pgettext("reward", "Review or questionnaire"),
        "plan": lazy_pgettext("reward", "Distribution plan"),
        "hand": lazy_pgettext("reward", "Given by staff"),
    },
    TaskKind: {
        "join": lazy_pgettext("task", "Sign in for the first time"),
        "bind_phone": lazy_pgettext("task", "Give a phone number"),
        "complete_profile": lazy_pgettext("task", "Complete the profile"),
        "first_order": lazy_pgettext("task", "First order"),
        "bring_a_friend": lazy_pgettext("task", "Bring friends who buy"),
        "follow": lazy_pgettext("task", "Follow the brand"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "target": _("How many times"),
    "rewards": _("Rewards"),
    "refusal": _("Why refused"),
    "asked_at": _("When"),
    "given_at": _("Given"),
    "key": _("Key"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "member_task_set": gettext("Task for customers set up or changed"),
        "member_task_ended": gettext("Task for customers ended"),
        "member_task_marked": gettext("Task marked as done"),
        "reward_tried_again": gettext("Reward tried again"),
    }
