"""Whether what a member wrote may be shown to others: asked of WeChat before it is kept."""

import structlog

from app.kernel.db import atomic
from app.members.errors import MemberNotFound
from app.members.models import Member
from app.wechat.access import mini_program
from app.wechat.errors import ContentRefused, WeChatBusy, WeChatRefused, WeChatUnavailable
from app.wechat.texts import TEXT_LENGTH_MAX, Suggestion, TextScene

log = structlog.get_logger()


def may_be_shown(member_id: int, *, scene: TextScene, text: str) -> bool:
    """Return whether a text may be shown at once; False is kept but shown to staff only.

    False is also the answer while WeChat is silent or does not say, so that nothing a person wrote
    is lost. Call it before the transaction that keeps the text. A blank text needs no look.
    Raises `ContentRefused` for what must not be published, `MemberNotFound`.
    """
    if not text.strip():
        return True
    with atomic() as session:
        member = session.get(Member, member_id)
        if member is None or member.deleted_at is not None:
            raise MemberNotFound
        openid = member.wechat_openid
    found = [_suggestion(openid, scene, piece) for piece in _pieces(text)]
    if Suggestion.RISKY in found:
        raise ContentRefused
    return all(one is Suggestion.PASS for one in found)


def _pieces(text: str) -> list[str]:
    """Cut a text into what WeChat looks at in one call."""
    starts = range(0, len(text), TEXT_LENGTH_MAX)
    return [text[start : start + TEXT_LENGTH_MAX] for start in starts]


def _suggestion(openid: str, scene: TextScene, text: str) -> Suggestion:
    try:
        return mini_program().check_text(openid=openid, scene=scene, text=text).suggestion
    except (WeChatUnavailable, WeChatBusy, WeChatRefused) as error:
        log.warning("text_not_looked_at", error=error.code)
        return Suggestion.UNKNOWN
