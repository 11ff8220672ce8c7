"""Writing to customers: templates, permissions, and rows that say what is to be sent.

`notify` joins the transaction of what happened, so that nothing is written about what did not, and
a key makes every occasion one message however often it is told. Sending is `sending`'s matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.interactions.errors import MessageTemplateInvalid, MessageTemplateTaken
from app.interactions.message_models import Message, MessagePermission, MessageTemplate
from app.interactions.occasions import OCCASIONS, compose, flaw_of
from app.interactions.states import DropReason, MessagePurpose, MessageState
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.wechat.template_values import Value, ValueUnfit

PERMISSIONS_MAX = 20
"""So many permissions of one template are counted; nobody taps more often than that."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDraft:
    """What staff enter for an occasion."""

    key: str
    name: str
    wechat_template_id: str
    page: str
    fields: Mapping[str, str]


def save_template(
    session: Session, draft: TemplateDraft, *, actor: Actor, now: datetime
) -> MessageTemplate:
    """Say how an occasion is written about. Raises `MessageTemplateInvalid`, `…Taken`."""
    _require_sendable(draft)
    known = session.scalar(sa.select(MessageTemplate.id).where(MessageTemplate.key == draft.key))
    if known is not None:
        raise MessageTemplateTaken
    row = MessageTemplate(
        key=draft.key,
        name=draft.name,
        wechat_template_id=draft.wechat_template_id,
        page=draft.page,
        fields=dict(draft.fields),
        updated_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, actor, "message_template_saved", row, {}, now=now)
    return row


def change_template(
    session: Session, template_id: int, draft: TemplateDraft, *, actor: Actor, now: datetime
) -> MessageTemplate:
    """Say it differently from now on; the occasion stays. What waits goes out as it was."""
    row = session.get_one(MessageTemplate, template_id, with_for_update=True)
    if draft.key != row.key:
        raise MessageTemplateInvalid("key")
    _require_sendable(draft)
    before = _told(row)
    row.name, row.wechat_template_id = draft.name, draft.wechat_template_id
    row.page, row.fields, row.updated_at = draft.page, dict(draft.fields), now
    session.flush()
    _record(session, actor, "message_template_saved", row, before, now=now)
    return row


def switch_template(
    session: Session, template_id: int, *, is_active: bool, actor: Actor, now: datetime
) -> None:
    """Begin or stop writing about an occasion."""
    row = session.get_one(MessageTemplate, template_id, with_for_update=True)
    if row.is_active == is_active:
        return
    row.is_active, row.updated_at = is_active, now
    action = "message_template_on" if is_active else "message_template_off"
    _record(session, actor, action, row, {}, now=now)


def template_of(session: Session, key: str) -> MessageTemplate | None:
    """Return the template in use for an occasion."""
    return session.scalar(
        sa.select(MessageTemplate).where(MessageTemplate.key == key, MessageTemplate.is_active)
    )


def asked_for(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """Return WeChat's template ids for occasions, to ask the customer's permission for."""
    rows = session.execute(
        sa.select(MessageTemplate.key, MessageTemplate.wechat_template_id).where(
            MessageTemplate.key.in_(keys), MessageTemplate.is_active
        )
    )
    return {str(row.key): str(row.wechat_template_id) for row in rows}


def note_answers(
    session: Session, member_id: int, answers: Mapping[str, bool], *, now: datetime
) -> dict[str, int]:
    """Count the taps of one question for permission: True adds a message, False takes all back.

    Ids that no template in use has are passed over. Returns what is left of each.
    """
    known = set(
        session.scalars(
            sa.select(MessageTemplate.wechat_template_id).where(
                MessageTemplate.wechat_template_id.in_(answers), MessageTemplate.is_active
            )
        )
    )
    found = {}
    for template_id in sorted(known):
        accepts = answers[template_id]
        more = sa.func.least(MessagePermission.left + 1, PERMISSIONS_MAX) if accepts else 0
        found[template_id] = session.scalars(
            insert(MessagePermission)
            .values(
                member_id=member_id,
                wechat_template_id=template_id,
                left=int(accepts),
                asked_at=now,
            )
            .on_conflict_do_update(
                index_elements=["member_id", "wechat_template_id"],
                set_={"left": more, "asked_at": now},
            )
            .returning(MessagePermission.left)
        ).one()
    return found


def left_of(session: Session, member_id: int) -> dict[str, int]:
    """Return how many messages of each WeChat template a customer still allows."""
    rows = session.execute(
        sa.select(MessagePermission.wechat_template_id, MessagePermission.left).where(
            MessagePermission.member_id == member_id
        )
    )
    return {str(row[0]): int(row[1]) for row in rows}


def notify(
    session: Session,
    member_id: int,
    template_key: str,
    values: Mapping[str, Value],
    *,
    key: str,
    now: datetime,
) -> bool:
    """Have a customer written to about an occasion; False where nobody wants that to be done.

    `key` names what happened; told again, nothing more is sent. A value that cannot stand in its
    field leaves a row that says so, and holds up nothing.
    """
    template = template_of(session, template_key)
    if template is None:
        return False
    return put(session, template, {member_id: key}, values, now=now) > 0


def put(  # noqa: PLR0913 - one message to several people: what, to whom, why, for which campaign
    session: Session,
    template: MessageTemplate,
    keys: Mapping[int, str],
    values: Mapping[str, Value],
    *,
    now: datetime,
    campaign_id: int | None = None,
    page: str = "",
) -> int:
    """Write one message to several people, each under a key of its own; return how many are new."""
    if not keys:
        return 0
    occasion = OCCASIONS[template.key]
    data, drop = _composed(template, values)
    ended = drop is not None
    common: dict[str, Any] = {
        "template_id": template.id,
        "campaign_id": campaign_id,
        "purpose": occasion.purpose,
        "data": data,
        "page": page or template.page,
        "state": MessageState.DROPPED if ended else MessageState.WAITING,
        "drop_reason": drop,
        "created_at": now,
        "expires_at": now + occasion.lives,
        "due_at": None if ended else now,
        "ended_at": now if ended else None,
    }
    rows = [{"member_id": who, "key": key, **common} for who, key in sorted(keys.items())]
    made = session.scalars(
        insert(Message).on_conflict_do_nothing(index_elements=[Message.key]).returning(Message.id),
        rows,
    ).all()
    return len(made)


def waiting(session: Session) -> int:
    """Return how many messages are still to go out."""
    return session.scalar(sa.select(sa.func.count()).where(Message.due_at.is_not(None))) or 0


def is_marketing(template: MessageTemplate) -> bool:
    """Tell whether a template sells something."""
    return OCCASIONS[template.key].purpose is MessagePurpose.MARKETING


def _composed(
    template: MessageTemplate, values: Mapping[str, Value]
) -> tuple[dict[str, str], DropReason | None]:
    try:
        return compose(template.fields, values), None
    except ValueUnfit:
        log.warning("message_unfit", template=template.key)
        return {}, DropReason.UNFIT


def _require_sendable(draft: TemplateDraft) -> None:
    flaw = flaw_of(draft.key, draft.fields)
    if flaw is not None:
        raise MessageTemplateInvalid(flaw)


def _told(row: MessageTemplate) -> dict[str, Any]:
    return {
        "wechat_template_id": row.wechat_template_id,
        "page": row.page,
        "fields": dict(row.fields),
    }


def _record(
    session: Session,
    actor: Actor,
    action: str,
    row: MessageTemplate,
    before: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    change = Change(before, _told(row))
    audit.record(session, actor, action, Subject("message_template", row.id), change, now=now)
