"""The states of messages, campaigns, reviews and questionnaires, and what leads where. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class MessagePurpose(StrEnum):
    """Why a customer is written to; what sells something needs their consent to marketing."""

    SERVICE = "service"
    MARKETING = "marketing"


class MessageState(StrEnum):
    """How far a message came."""

    WAITING = "waiting"
    SENDING = "sending"
    """Committed before WeChat is called; left like this by a crash it becomes UNKNOWN."""
    SENT = "sent"
    NO_PERMISSION = "no_permission"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """WeChat was called and did not answer; it may have arrived, so it is not sent again."""
    DROPPED = "dropped"
    """Never sent: too late, no consent, or its campaign was called off."""


class DropReason(StrEnum):
    """Why a message was never sent."""

    NO_CONSENT = "no_consent"
    TOO_LATE = "too_late"
    CALLED_OFF = "called_off"
    MEMBER_GONE = "member_gone"
    UNFIT = "unfit"
    SWITCHED_OFF = "switched_off"


ENDED: Final = frozenset(
    {
        MessageState.SENT,
        MessageState.NO_PERMISSION,
        MessageState.INVALID,
        MessageState.UNKNOWN,
        MessageState.DROPPED,
    }
)


class CampaignState(StrEnum):
    """How far a campaign came."""

    DRAFT = "draft"
    CHECKED = "checked"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class CampaignEvent(StrEnum):
    """What happens to a campaign."""

    EDIT = "edit"
    CHECK = "check"
    SEND = "send"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CANCEL = "cancel"


_CAMPAIGNS: Final[Mapping[tuple[CampaignState, CampaignEvent], CampaignState]] = {
    (CampaignState.DRAFT, CampaignEvent.EDIT): CampaignState.DRAFT,
    (CampaignState.DRAFT, CampaignEvent.CHECK): CampaignState.CHECKED,
    (CampaignState.DRAFT, CampaignEvent.CANCEL): CampaignState.CANCELLED,
    (CampaignState.CHECKED, CampaignEvent.EDIT): CampaignState.DRAFT,
    (CampaignState.CHECKED, CampaignEvent.CHECK): CampaignState.CHECKED,
    (CampaignState.CHECKED, CampaignEvent.SEND): CampaignState.SENDING,
    (CampaignState.CHECKED, CampaignEvent.CANCEL): CampaignState.CANCELLED,
    (CampaignState.SENDING, CampaignEvent.PAUSE): CampaignState.PAUSED,
    (CampaignState.SENDING, CampaignEvent.FINISH): CampaignState.DONE,
    (CampaignState.SENDING, CampaignEvent.CANCEL): CampaignState.CANCELLED,
    (CampaignState.PAUSED, CampaignEvent.RESUME): CampaignState.SENDING,
    (CampaignState.PAUSED, CampaignEvent.CANCEL): CampaignState.CANCELLED,
}


def after_campaign(state: CampaignState, event: CampaignEvent) -> CampaignState | None:
    """Return where an event leads from a state; None where it cannot happen."""
    return _CAMPAIGNS.get((state, event))


class CareKind(StrEnum):
    """What the brand cares about."""

    BIRTHDAY = "birthday"
    SLEEPING = "sleeping"


class ReviewState(StrEnum):
    """Whether others see a review."""

    WAITING = "waiting"
    """WeChat was not sure or did not answer: staff look at it first."""
    SHOWN = "shown"
    HIDDEN = "hidden"


class QuestionnaireState(StrEnum):
    """Whether a questionnaire can be answered."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ENDED = "ended"
