"""What can go wrong when talking with customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from app.interactions.states import CampaignEvent, CampaignState
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class MessageTemplateInvalid(DomainError):
    """A template of messages cannot be sent as it is; `field` names where."""

    code = "message_template_invalid"
    kind = ErrorKind.INVALID
    text = N_("The message cannot be sent like this: %(field)s.")

    field: str


@dataclass(eq=False)
class MessageTemplateTaken(DomainError):
    """There is a template for this occasion already."""

    code = "message_template_taken"
    kind = ErrorKind.CONFLICT
    text = N_("There is a message for this occasion already. Please edit that one.")


@dataclass(eq=False)
class SegmentInvalid(DomainError):
    """The rule of a segment cannot be read."""

    code = "segment_invalid"
    kind = ErrorKind.INVALID
    text = N_("This choice of customers cannot be read: %(field)s.")

    field: str


@dataclass(eq=False)
class InteractionNotFound(DomainError):
    """No such segment, campaign, rule, review or questionnaire, or not for this person."""

    code = "interaction_not_found"
    kind = ErrorKind.NOT_FOUND
    text = N_("There is no such thing, or it belongs to somebody else.")


@dataclass(eq=False)
class CampaignInvalid(DomainError):
    """A campaign that cannot go out as it is."""

    code = "campaign_invalid"
    kind = ErrorKind.INVALID
    text = N_("The campaign cannot go out like this: %(reason)s.")
    words: ClassVar[Mapping[str, str]] = {
        "nobody": N_("it reaches nobody"),
        "too_many": N_("it reaches more people than one campaign may"),
        "template": N_("its message cannot be sent"),
        "coupon": N_("its coupon cannot be given"),
        "nothing": N_("it has neither a message nor a coupon"),
        "segment": N_("its customers belong to another store"),
    }

    reason: str


class CampaignFlaw(StrEnum):
    """The reasons of `CampaignInvalid`."""

    NOBODY = "nobody"
    TOO_MANY = "too_many"
    TEMPLATE = "template"
    COUPON = "coupon"
    NOTHING = "nothing"
    SEGMENT = "segment"


@dataclass(eq=False)
class CampaignNotInState(DomainError):
    """What is asked for cannot happen to a campaign in this state."""

    code = "campaign_not_in_state"
    kind = ErrorKind.CONFLICT
    text = N_("The campaign has moved on meanwhile. Please look at it again.")

    state: CampaignState
    event: CampaignEvent


@dataclass(eq=False)
class TextUnfit(DomainError):
    """A text is empty, too long or holds control characters."""

    code = "interaction_text_unfit"
    kind = ErrorKind.INVALID
    text = N_("Please write 1 to %(length_max)s characters, without control characters.")

    length_max: int


@dataclass(eq=False)
class ReviewNotAllowed(DomainError):
    """Nothing to review: not the caller's, not completed, given back, or too long ago."""

    code = "review_not_allowed"
    kind = ErrorKind.CONFLICT
    text = N_("Only what you received and kept can be reviewed, within %(days)s days.")

    days: int


@dataclass(eq=False)
class ReviewExists(DomainError):
    """One review for each product of an order."""

    code = "review_exists"
    kind = ErrorKind.CONFLICT
    text = N_("You have reviewed this already.")


@dataclass(eq=False)
class ReviewEdited(DomainError):
    """A review is edited once."""

    code = "review_edited"
    kind = ErrorKind.CONFLICT
    text = N_("A review can be changed once, and this one was.")


@dataclass(eq=False)
class TooManyPictures(DomainError):
    """A review has a limited number of pictures."""

    code = "review_too_many_pictures"
    kind = ErrorKind.INVALID
    text = N_("A review has at most %(pictures_max)s pictures.")

    pictures_max: int


@dataclass(eq=False)
class QuestionnaireInvalid(DomainError):
    """Questions that cannot be asked like this; `where` names the question."""

    code = "questionnaire_invalid"
    kind = ErrorKind.INVALID
    text = N_("Please look at question %(where)s again.")

    where: int


@dataclass(eq=False)
class AnswerInvalid(DomainError):
    """An answer that does not fit its question, or a required one that is missing."""

    code = "questionnaire_answer_invalid"
    kind = ErrorKind.INVALID
    text = N_("Please answer question %(where)s.")

    where: int


@dataclass(eq=False)
class QuestionnaireClosed(DomainError):
    """Not published, ended, changed meanwhile, or not for this customer."""

    code = "questionnaire_closed"
    kind = ErrorKind.CONFLICT
    text = N_("This questionnaire cannot be answered at the moment.")


@dataclass(eq=False)
class AlreadyAnswered(DomainError):
    """One answer for each customer."""

    code = "questionnaire_answered"
    kind = ErrorKind.CONFLICT
    text = N_("You have answered this already. Thank you!")


@dataclass(eq=False)
class CareRuleInvalid(DomainError):
    """A rule without an effect, or with days beyond what makes sense."""

    code = "care_rule_invalid"
    kind = ErrorKind.INVALID
    text = N_("The rule needs a message, a reward or a follow-up, and a sensible number of days.")
