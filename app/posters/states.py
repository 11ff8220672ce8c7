"""The life of a poster template, and what it is for."""

from enum import StrEnum


class PosterKind(StrEnum):
    """What a poster invites to."""

    PERSONAL = "personal"
    """The distributor invites; fits every code."""
    PRODUCT = "product"
    """Shows a product; fits codes of one."""
    GUEST_CARD = "guest_card"
    ACTIVITY = "activity"


class PosterState(StrEnum):
    """Whether distributors are offered a template."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class PosterLanguage(StrEnum):
    """The languages a poster can be drawn in."""

    ZH = "zh"
    EN = "en"


class CodeStyle(StrEnum):
    """What a poster lets people scan."""

    LINK = "link"
    """A QR of the public page; any camera reads it."""
    MINI_PROGRAM = "mini_program"
    """WeChat's own round code, which opens the mini-program at once."""
