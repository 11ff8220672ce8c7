"""The check itself, under a profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.engines.compliance.dossier import Dossier
from app.engines.compliance.findings import Finding, Severity
from app.engines.compliance.rules import RULES
from app.kernel.i18n import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How severely a brand judges itself: never more mildly than the rules do, only more severely.

    `raised` makes all of one severity another; `rules` makes single rules at least so severe. Both
    only ever lift: the severest of all counts.
    """

    code: str
    title: str
    raised: Mapping[Severity, Severity]
    rules: Mapping[str, Severity]

    def judge(self, rule: str, severity: Severity) -> Severity:
        """Return the severity of a violation under this profile."""
        at_least = (self.raised.get(severity, severity), self.rules.get(rule, severity))
        return max(severity, *at_least, key=lambda one: one.rank)


CN: Final = Profile(code="cn", title=N_("Mainland China"), raised={}, rules={})
CN_STRICT: Final = Profile(
    code="cn-strict",
    title=N_("Mainland China, one level only"),
    raised={Severity.WARN: Severity.HIGH},
    rules={"C4": Severity.BLOCK},
)
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.code: profile for profile in (CN, CN_STRICT)}
)


def check(dossier: Dossier, profile: str = CN.code) -> tuple[Finding, ...]:
    """Return everything that is wrong with a plan, in the order of the rules.

    The same dossier gives the same findings. Raises KeyError for a profile that there is not.
    No finding at all is no legal safe harbour either.
    """
    judge = PROFILES[profile].judge
    return tuple(
        Finding(rule.code, judge(rule.code, found.severity), found.message, rule.citation)
        for rule in RULES.values()
        for found in rule.when(dossier)
    )


def is_blocked(findings: tuple[Finding, ...]) -> bool:
    """Tell whether a plan with these findings cannot be published."""
    return any(finding.severity is Severity.BLOCK for finding in findings)


def to_confirm(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that a named officer has to confirm in writing."""
    return tuple(finding for finding in findings if finding.is_confirmable)
