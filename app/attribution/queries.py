"""Reading who belongs to whom, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.attribution.codes import code_by_text as code_by_text
from app.attribution.codes import live_code as live_code
from app.attribution.history import owner_of
from app.attribution.models import Binding, BindingStep, Channel, ChannelKind, ShareCode, Touch
from app.attribution.rules import BindingEvent, BindingState, Owner, TouchOutcome, TouchSource
from app.members.models import Member


def binding_in_force(session: Session, customer_id: int, *, at: datetime) -> Binding | None:
    """Return the binding of a customer whose period covers an instant."""
    return session.scalar(
        sa.select(Binding).where(
            Binding.customer_id == customer_id,
            Binding.valid_from_at <= at,
            Binding.valid_until_at > at,
        )
    )


@dataclass(frozen=True, slots=True)
class OwnerAnswer:
    """Who owned a customer at an instant, and why, as it was known then.

    Without an owner everything else is empty. `state` and `valid_until_at` are as they stood at
    that instant, whatever came later; `steps` are those taken by then, the first one first.
    `touch` won the customer, through `share_code` and its channel; a transfer has none, its step
    names who decided and why. `rule` holds the periods the binding lives by.
    """

    owner: Owner | None = None
    binding: Binding | None = None
    state: BindingState | None = None
    valid_until_at: datetime | None = None
    steps: Sequence[BindingStep] = ()
    touch: Touch | None = None
    share_code: ShareCode | None = None
    rule: dict[str, Any] | None = None


def owner_at(session: Session, customer_id: int, *, at: datetime) -> OwnerAnswer:
    """Answer who owned a customer at an instant, and why."""
    binding = binding_in_force(session, customer_id, at=at)
    if binding is None:
        return OwnerAnswer()
    steps = session.scalars(
        sa.select(BindingStep)
        .where(BindingStep.binding_id == binding.id, BindingStep.at <= at)
        .order_by(BindingStep.id)
    ).all()
    touch = session.get(Touch, steps[0].touch_id) if steps[0].touch_id is not None else None
    was_locked = any(step.event is BindingEvent.LOCKED for step in steps)
    return OwnerAnswer(
        owner=owner_of(binding),
        binding=binding,
        state=BindingState.LOCKED if was_locked else BindingState.SOFT,
        valid_until_at=steps[-1].valid_until_at,
        steps=steps,
        touch=touch,
        share_code=_code_of(session, touch) if touch else None,
        rule=binding.rule,
    )


def _code_of(session: Session, touch: Touch) -> ShareCode:
    return session.scalars(
        sa.select(ShareCode)
        .options(joinedload(ShareCode.channel))
        .where(ShareCode.id == touch.share_code_id)
    ).one()


def bindings_of(session: Session, customer_id: int) -> Sequence[Binding]:
    """Return every period of a customer, the latest first."""
    return session.scalars(
        sa.select(Binding)
        .where(Binding.customer_id == customer_id)
        .order_by(Binding.valid_from_at.desc(), Binding.id.desc())
    ).all()


def binding_steps(session: Session, binding_id: int) -> Sequence[BindingStep]:
    """Return what happened to a binding, the first step first."""
    return session.scalars(
        sa.select(BindingStep).where(BindingStep.binding_id == binding_id).order_by(BindingStep.id)
    ).all()


def codes_page(
    session: Session, distributor_id: int, *, after_id: int | None, limit: int
) -> Sequence[ShareCode]:
    """Return a page of a distributor's codes with their channels, the newest first."""
    statement = (
        sa.select(ShareCode)
        .options(joinedload(ShareCode.channel))
        .where(ShareCode.distributor_id == distributor_id)
        .order_by(ShareCode.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        statement = statement.where(ShareCode.id < after_id)
    return session.scalars(statement).all()


def code_of_distributor(session: Session, code_id: int, distributor_id: int) -> ShareCode | None:
    """Return a distributor's own code by id, with its channel."""
    return session.scalar(
        sa.select(ShareCode)
        .options(joinedload(ShareCode.channel))
        .where(ShareCode.id == code_id, ShareCode.distributor_id == distributor_id)
    )


def channels_of(session: Session, distributor_id: int) -> Sequence[Channel]:
    """Return the channels a distributor has opened, by name."""
    return session.scalars(
        sa.select(Channel).where(Channel.owner_id == distributor_id).order_by(Channel.name)
    ).all()


class ChannelRow(NamedTuple):
    """A channel of a distributor: codes that work, and whom it brought that are theirs now."""

    channel_id: int
    name: str
    kind: ChannelKind
    live_codes: int
    customers: int
    paying_customers: int


def channel_rows(
    session: Session, owner_id: int, *, at: datetime, after_id: int | None, limit: int
) -> list[ChannelRow]:
    """Return a page of the channels that a distributor has codes of, the latest opened first.

    A customer belongs to the channel of the code whose touch began the period in force at `at`.
    """
    is_live = ShareCode.revoked_at.is_(None)
    listed = (
        sa.select(Channel.id, Channel.name, Channel.kind, sa.func.count().filter(is_live))
        .join(ShareCode, ShareCode.channel_id == Channel.id)
        .where(ShareCode.distributor_id == owner_id)
        .group_by(Channel.id)
        .order_by(Channel.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        listed = listed.where(Channel.id < after_id)
    rows = session.execute(listed).all()
    brought = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            sa.select(
                ShareCode.channel_id,
                sa.func.count(),
                sa.func.count(Member.first_paid_at),
            )
            .join(Touch, Touch.share_code_id == ShareCode.id)
            .join(Binding, Binding.id == Touch.binding_id)
            .join(Member, Member.id == Binding.customer_id)
            .where(
                ShareCode.channel_id.in_([row[0] for row in rows]),
                Touch.outcome == TouchOutcome.BOUND,
                Binding.owner_id == owner_id,
                Binding.valid_from_at <= at,
                Binding.valid_until_at > at,
            )
            .group_by(ShareCode.channel_id)
        )
    }
    return [
        ChannelRow(row[0], row[1], row[2], row[3], *brought.get(row[0], (0, 0))) for row in rows
    ]


def live_codes(session: Session, distributor_id: int) -> int:
    """Count a distributor's share codes that have not been revoked."""
    wanted = sa.select(sa.func.count()).where(
        ShareCode.distributor_id == distributor_id, ShareCode.revoked_at.is_(None)
    )
    return session.scalar(wanted) or 0


class CustomerRow(NamedTuple):
    """One customer of a distributor, as that person may see them."""

    binding_id: int
    customer_id: int
    nickname: str
    state: BindingState
    source: TouchSource
    valid_from_at: datetime
    valid_until_at: datetime
    has_paid: bool


def customers_page(
    session: Session, owner_id: int, *, at: datetime, after_id: int | None, limit: int
) -> list[CustomerRow]:
    """Return a page of a distributor's customers at an instant, the latest won first.

    Pages follow the bindings' ids; `after_id` is the one where the last page ended.
    """
    statement = (
        sa.select(
            Binding.id,
            Binding.customer_id,
            Member.nickname,
            Binding.state,
            Binding.source,
            Binding.valid_from_at,
            Binding.valid_until_at,
            Member.first_paid_at.is_not(None),
        )
        .join(Member, Member.id == Binding.customer_id)
        .where(
            Binding.owner_id == owner_id, Binding.valid_from_at <= at, Binding.valid_until_at > at
        )
        .order_by(Binding.id.desc())
        .limit(limit)
    )
    if after_id is not None:
        statement = statement.where(Binding.id < after_id)
    return [CustomerRow(*row) for row in session.execute(statement)]
