"""Segments of customers, campaigns to them, and care that goes out by itself."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.interactions.errors import CampaignNotInState
from app.interactions.states import CampaignEvent, CampaignState, CareKind, after_campaign
from app.kernel.db import Base, Id


class Segment(Base):
    """Which customers are meant: a rule that is asked anew each time. Of a store, or the brand."""

    __tablename__ = "segments"
    __table_args__ = (sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),)

    id: Mapped[Id]
    name: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    rule: Mapped[dict[str, Any]]
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    def __str__(self) -> str:
        return self.name


class Campaign(Base):
    """A message, coupons or both to everybody of a segment.

    `audience` is how many it meant when it was checked. `cursor_id` is the last customer that was
    taken up, so that a crash or a pause loses and repeats nobody.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
        sa.CheckConstraint("control_bp BETWEEN 0 AND 5000", name="control"),
        sa.CheckConstraint(
            "template_id IS NOT NULL OR coupon_template_id IS NOT NULL", name="something"
        ),
        sa.CheckConstraint(
            "(sent_by_id IS NULL) = (state IN ('draft', 'checked')) OR state = 'cancelled'",
            name="sent_by",
        ),
        sa.Index("ix_campaigns_sending", "id", postgresql_where=sa.text("state = 'sending'")),
    )

    id: Mapped[Id]
    name: Mapped[str]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    segment_id: Mapped[int] = mapped_column(sa.ForeignKey("segments.id"), index=True)
    state: Mapped[CampaignState]
    template_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message_templates.id"))
    values: Mapped[dict[str, Any]]
    page: Mapped[str] = mapped_column(server_default="")
    coupon_template_id: Mapped[int | None]
    control_bp: Mapped[int] = mapped_column(server_default=sa.text("0"))
    """The share of the audience that is left alone, to compare with."""
    audience: Mapped[int | None]
    cursor_id: Mapped[int] = mapped_column(server_default=sa.text("0"))
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    sent_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    steps: WriteOnlyMapped["CampaignStep"] = relationship(
        order_by="CampaignStep.id", cascade="save-update"
    )

    def advance(self, event: CampaignEvent, *, now: datetime, actor: str) -> None:
        """Move along the table of states and leave a trace. The row must be locked."""
        target = after_campaign(self.state, event)
        if target is None:
            raise CampaignNotInState(self.state, event)
        self.steps.add(CampaignStep(event=event, to_state=target, at=now, actor=actor))
        self.state = target

    def __str__(self) -> str:
        return self.name


class CampaignStep(Base):
    """One event in the life of a campaign. Never changed."""

    __tablename__ = "campaign_steps"

    id: Mapped[Id]
    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaigns.id"), index=True)
    event: Mapped[CampaignEvent]
    to_state: Mapped[CampaignState]
    at: Mapped[datetime]
    actor: Mapped[str]


class CampaignRecipient(Base):
    """That a campaign took somebody up: written to, or left alone to compare with."""

    __tablename__ = "campaign_recipients"
    __table_args__ = (
        sa.PrimaryKeyConstraint("campaign_id", "member_id"),
        sa.CheckConstraint("NOT is_control OR coupon_note = ''", name="control"),
        sa.Index("ix_campaign_recipients_member", "member_id", "campaign_id"),
        sa.Index(
            "ix_campaign_recipients_coupons",
            "campaign_id",
            "member_id",
            postgresql_where=sa.text("coupon_note = 'due'"),
        ),
    )

    campaign_id: Mapped[int] = mapped_column(sa.ForeignKey("campaigns.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    is_control: Mapped[bool]
    taken_at: Mapped[datetime]
    coupon_note: Mapped[str] = mapped_column(server_default="")
    """Nothing, `due`, `given`, or the code of why it could not be given."""
    clicked_at: Mapped[datetime | None]


class CareRule(Base):
    """What goes out by itself on a birthday, or to somebody who has not come for so many days.

    `days` before the birthday, or since the last paid order. A follow-up is for the staff of the
    customer's store, in the name of who wrote the rule.
    """

    __tablename__ = "care_rules"
    __table_args__ = (
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
        sa.CheckConstraint(
            "kind = 'birthday' AND days BETWEEN 0 AND 30"
            " OR kind = 'sleeping' AND days BETWEEN 7 AND 730",
            name="days",
        ),
        sa.CheckConstraint("char_length(follow_up) <= 300", name="follow_up"),
    )

    id: Mapped[Id]
    name: Mapped[str]
    kind: Mapped[CareKind]
    days: Mapped[int]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    message: Mapped[str] = mapped_column(server_default="")
    """What is said in the brand's template for care; nothing where no message goes out."""
    reward: Mapped[dict[str, Any] | None]
    follow_up: Mapped[str] = mapped_column(server_default="")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class CareMark(Base):
    """That a rule took somebody up, for one birthday or one absence."""

    __tablename__ = "care_marks"
    __table_args__ = (
        sa.UniqueConstraint("rule_id", "member_id", "occasion"),
        sa.Index("ix_care_marks_member", "member_id"),
        sa.Index("ix_care_marks_open", "id", postgresql_where=sa.text("done_at IS NULL")),
    )

    id: Mapped[Id]
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("care_rules.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("members.id"))
    occasion: Mapped[str]
    """The year of the birthday, or the day of the last visit."""
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")
    """Why the reward could not be given, where it could not."""
