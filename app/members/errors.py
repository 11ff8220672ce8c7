"""What a caller of this slice must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_
from app.members.states import Standing, StandingEvent

STANDING_WORDS: Final[Mapping[str, str]] = {
    "applied": N_("Waiting for a decision"),
    "active": N_("In good standing"),
    "frozen": N_("Frozen"),
    "quit": N_("Quit"),
    "refused": N_("Refused"),
}


@dataclass(eq=False)
class SessionInvalid(DomainError):
    """The token is unknown, ended or revoked."""

    code: ClassVar[str] = "session_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAUTHORIZED
    text: ClassVar[str] = N_("Please sign in.")


@dataclass(eq=False)
class SessionNotFound(DomainError):
    """The member has no such signed-in device."""

    code: ClassVar[str] = "session_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such signed-in device.")


@dataclass(eq=False)
class AvatarMissing(DomainError):
    """The member has no picture."""

    code: ClassVar[str] = "avatar_missing"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no picture.")


@dataclass(eq=False)
class SignInMismatch(DomainError):
    """The code proves the presence of another person than the one who is signed in."""

    code: ClassVar[str] = "sign_in_mismatch"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This sign-in code belongs to a different account.")


@dataclass(eq=False)
class FreshSignInRequired(DomainError):
    """What was asked moves money, and the last proof of presence is too old."""

    code: ClassVar[str] = "fresh_sign_in_required"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Please confirm that it is you by signing in again.")


@dataclass(eq=False)
class ConsentRequired(DomainError):
    """The person has not agreed to what this needs; `version` is the text to agree to, if known."""

    code: ClassVar[str] = "consent_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please agree to the current terms first.")

    purpose: str
    version: str | None = None


@dataclass(eq=False)
class AccountDeleted(DomainError):
    """The person asked for the account to be deleted."""

    code: ClassVar[str] = "account_deleted"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This account was deleted.")


@dataclass(eq=False)
class MemberNotFound(DomainError):
    """No member of that id exists, or not any more."""

    code: ClassVar[str] = "member_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such member.")


@dataclass(eq=False)
class PhoneUnusable(DomainError):
    """What WeChat gave for a phone number is not one in international form."""

    code: ClassVar[str] = "phone_unusable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This phone number cannot be used.")


@dataclass(eq=False)
class ProfileInvalid(DomainError):
    """A fact of the profile lies outside what is allowed; `field` names it."""

    code: ClassVar[str] = "profile_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The profile cannot be saved: check the field %(field)s.")

    field: str


@dataclass(eq=False)
class TooYoung(DomainError):
    """Children under fourteen need a guardian's consent, which we have no way to take."""

    code: ClassVar[str] = "too_young"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Children under fourteen cannot use this service.")


@dataclass(eq=False)
class NotADistributor(DomainError):
    """The caller must be an active distributor for this."""

    code: ClassVar[str] = "not_a_distributor"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This is for active distributors only.")


@dataclass(eq=False)
class DistributorNotFound(DomainError):
    """The member has never applied to be a distributor, or does not exist."""

    code: ClassVar[str] = "distributor_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such distributor.")


@dataclass(eq=False)
class AlreadyADistributor(DomainError):
    """The member is a distributor, or waits to be."""

    code: ClassVar[str] = "already_a_distributor"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("You are a distributor or have applied already.")

    standing: Standing


@dataclass(eq=False)
class AgreementRequired(DomainError):
    """An application names the version of the distributor agreement it accepts."""

    code: ClassVar[str] = "agreement_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please accept the distributor agreement first.")


@dataclass(eq=False)
class StandingConflict(DomainError):
    """The distributor's standing does not allow that."""

    code: ClassVar[str] = "standing_conflict"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the distributor is %(standing)s.")
    words: ClassVar[Mapping[str, str]] = STANDING_WORDS

    standing: Standing
    event: StandingEvent


@dataclass(eq=False)
class ReasonRequired(DomainError):
    """A decision about a person or their money says why."""

    code: ClassVar[str] = "reason_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please give a reason.")


@dataclass(eq=False)
class SecondPersonRequired(DomainError):
    """Two different members of staff decide this together."""

    code: ClassVar[str] = "second_person_required"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("A second member of staff must approve this.")


@dataclass(eq=False)
class RecommenderNotActive(DomainError):
    """Only an active distributor can be made somebody's recommender."""

    code: ClassVar[str] = "recommender_not_active"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("The new recommender is not an active distributor.")


@dataclass(eq=False)
class RecommenderCycle(DomainError):
    """The new recommender stands below the distributor, or is the same person."""

    code: ClassVar[str] = "recommender_cycle"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("A distributor cannot stand below themselves.")


@dataclass(eq=False)
class RecommenderUnchanged(DomainError):
    """The distributor stands there already."""

    code: ClassVar[str] = "recommender_unchanged"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This is the recommender already.")


@dataclass(eq=False)
class TeamClosed(DomainError):
    """The team has grown past the line of the law and takes nobody until somebody lifts that."""

    code: ClassVar[str] = "team_closed"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This team takes no new members at present.")
