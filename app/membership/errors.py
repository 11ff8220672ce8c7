"""What can go wrong with levels and growth."""

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class LevelNotFound(DomainError):
    """There is no level of that number."""

    code: ClassVar[str] = "membership_level_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such membership level.")


@dataclass(eq=False)
class LevelRetired(DomainError):
    """Nobody reaches a retired level any more."""

    code: ClassVar[str] = "membership_level_retired"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This level was retired.")


@dataclass(eq=False)
class LevelRankTaken(DomainError):
    """Two levels cannot have one rank."""

    code: ClassVar[str] = "membership_rank_taken"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("Another level has the rank %(rank)s.")

    rank: int


@dataclass(eq=False)
class LevelsOutOfOrder(DomainError):
    """A better level must ask for more growth than a lesser one."""

    code: ClassVar[str] = "membership_levels_out_of_order"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "A higher level must ask for more growth than %(lower)s and less than %(higher)s."
    )

    lower: str
    higher: str


@dataclass(eq=False)
class LevelInvalid(DomainError):
    """A rule of a level lies outside its bounds."""

    code: ClassVar[str] = "membership_level_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This cannot be a rule of a level: %(field)s.")

    field: str


@dataclass(eq=False)
class PaidProductUnusable(DomainError):
    """A level is bought by the order of a service that no other level is bought by."""

    code: ClassVar[str] = "membership_product_unusable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A level is sold as a service that no other level is sold as.")


@dataclass(eq=False)
class GrowthShort(DomainError):
    """Nobody takes by hand more growth than there is."""

    code: ClassVar[str] = "membership_growth_short"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("They have a growth of %(growth)s only.")

    growth: int


@dataclass(eq=False)
class HoldingPeriodInvalid(DomainError):
    """A level is set from now on, for ten years at most."""

    code: ClassVar[str] = "membership_period_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A level set by hand ends on a day to come, within ten years.")


@dataclass(eq=False)
class ReasonMissing(DomainError):
    """What is changed by hand is changed for a reason."""

    code: ClassVar[str] = "membership_reason_missing"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Say why.")


@dataclass(eq=False)
class BrandOnly(DomainError):
    """Levels and tasks are of the whole brand."""

    code: ClassVar[str] = "membership_brand_only"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_(
        "Levels and tasks are of the whole brand; whoever works for some stores cannot change them."
    )
