"""Words for posters and pictures: states, kinds, columns and actions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.i18n import gettext
from admin.tones import Label, Tone
from app.posters.states import PosterKind, PosterState

STATES: Final[Mapping[type[StrEnum], Mapping[str, Label]]] = {
    PosterState: {
        "draft": (lazy_pgettext("poster", "Draft"), Tone.WAIT),
        "published": (lazy_pgettext("poster", "Published"), Tone.GOOD),
        "retired": (lazy_pgettext("poster", "Retired"), Tone.CALM),
    },
}
WORDS: Final[Mapping[type[StrEnum], Mapping[str, Any]]] = {
    PosterKind: {
        "personal": lazy_pgettext("poster", "Personal"),
        "product": lazy_pgettext("poster", "Product"),
        "guest_card": lazy_pgettext("poster", "Guest card"),
        "activity": lazy_pgettext("poster", "Activity"),
    },
}
COLUMNS: Final[Mapping[str, Any]] = {
    "published_version": _("Published version"),
    "changed_at": _("Changed"),
    "found_at": lazy_pgettext("nickname", "Taken"),
}


def actions() -> Mapping[str, str]:
    """Return actions of the audit trail with what people call them."""
    return {
        "poster_created": gettext("Poster set up"),
        "poster_revised": gettext("Poster edited"),
        "poster_published": gettext("Poster published"),
        "poster_retired": gettext("Poster retired"),
        "nickname_cleared": gettext("Nickname found to be fine"),
        "nickname_erased": gettext("Nickname taken away"),
    }
