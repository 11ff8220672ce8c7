"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.engines.compliance.dossier import Dossier
from app.kernel.i18n import Message


class Severity(StrEnum):
    """How bad a violation is, the mildest first.

    WARN is told. HIGH needs the written confirmation of a named officer, kept for ever. BLOCK
    cannot be published.
    """

    WARN = "WARN"
    HIGH = "HIGH"
    BLOCK = "BLOCK"

    @property
    def rank(self) -> int:
        """Where it stands, from 0 for the mildest."""
        return tuple(Severity).index(self)


class ActsAt(StrEnum):
    """When a rule stops something: when a plan is published, cash is withdrawn, or any time."""

    PUBLICATION = "PUBLICATION"
    WITHDRAWAL = "WITHDRAWAL"
    RUNTIME = "RUNTIME"


@dataclass(frozen=True, slots=True)
class Violation:
    """What in this plan breaks a rule, with figures, and how bad that is by itself."""

    severity: Severity
    message: Message


When: TypeAlias = Callable[[Dossier], Iterable[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: `grades` tells when it is how severe, `when` finds violations in a dossier.

    `citation` names the law, case or platform rule behind it, its Chinese name kept.
    """

    code: str
    title: str
    citation: str
    grades: Mapping[Severity, str]
    when: When
    acts_at: ActsAt = ActsAt.PUBLICATION


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation under a profile. `is_confirmable`: an officer may take it upon themselves."""

    rule: str
    severity: Severity
    message: Message
    citation: str

    @property
    def is_confirmable(self) -> bool:
        """Tell whether a written confirmation lets the plan pass, and is needed for that."""
        return self.severity is Severity.HIGH
