"""Nicknames that WeChat did not clear: staff let them be shown, or take them away."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import joinedload

from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.scopes import by_member
from app.members import avatars
from app.members.avatar_models import DoubtfulNickname
from app.stores.permissions import Permission


def _clear(key: int, act: Act) -> None:
    joined(avatars.clear_nickname, key, actor=act.actor, now=act.now)


def _erase(key: int, act: Act) -> None:
    joined(avatars.erase_nickname, key, actor=act.actor, now=act.now)


def _nickname(row: DoubtfulNickname) -> str:
    return str(row.member.nickname)


class NicknamesView(ScopedView):
    """Nicknames that nobody outside sees until somebody has looked at them."""

    permission = Permission.REVIEWS_VIEW
    scope = by_member(DoubtfulNickname.member_id)
    icon = "user"
    intro = _(
        "WeChat did not say that these nicknames may be shown. Until somebody decides, posters and"
        " shared pages leave them out."
    )
    can_view_details = False

    column_list = ("nickname", "member_id", "found_at")
    computed: ClassVar = {"nickname": _nickname}
    loads: ClassVar[tuple[Any, ...]] = (joinedload(DoubtfulNickname.member),)
    decisions = (
        Decision(
            name="clear",
            label=_("May be shown"),
            permission=Permission.REVIEWS_DECIDE,
            question=_("Show these nicknames?"),
            run=_clear,
            is_primary=True,
        ),
        Decision(
            name="erase",
            label=_("Take away"),
            permission=Permission.REVIEWS_DECIDE,
            question=_("Take these nicknames away?"),
            warning=_("Their members are called by nothing until they choose another name."),
            run=_erase,
            is_danger=True,
        ),
    )
