"""What somebody who changes a setting must be ready to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message
from app.preferences.catalogue import BY_NAME, Order
from app.preferences.units import Value, worded

LABELS: Final[Mapping[str, str]] = {name: spec.label for name, spec in BY_NAME.items()}


@dataclass(eq=False)
class UnknownSetting(DomainError):
    """No setting of that name can be changed here; the environment may know it."""

    code: ClassVar[str] = "unknown_setting"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("%(name)s is no setting that staff change.")

    name: str


@dataclass(eq=False)
class SettingValueInvalid(DomainError):
    """The value is not of the setting's kind."""

    code: ClassVar[str] = "setting_value_invalid"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("“%(name)s” needs another kind of value.")
    words: ClassVar[Mapping[str, str]] = LABELS

    name: str


@dataclass(eq=False)
class SettingOutOfRange(DomainError):
    """The value lies outside what the law, a contract or reason allow."""

    code: ClassVar[str] = "setting_out_of_range"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("“%(name)s” must lie between %(least)s and %(most)s.")

    name: str
    least: int
    most: int

    def message(self) -> Message:
        """Write the bounds in the unit of the setting."""
        unit = BY_NAME[self.name].unit
        bounds = {"least": worded(unit, self.least), "most": worded(unit, self.most)}
        return Message(self.text, {"name": Message(LABELS[self.name]), **bounds})


@dataclass(eq=False)
class SettingsOutOfOrder(DomainError):
    """With that value two settings would contradict each other, now or at a planned change."""

    code: ClassVar[str] = "settings_out_of_order"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "“%(low)s” would be %(low_value)s, which may not be above “%(high)s”, %(high_value)s."
    )
    text_of_twice: ClassVar[str] = N_(
        "“%(low)s” would be %(low_value)s, of which twice may not be above “%(high)s”,"
        " %(high_value)s."
    )

    low: str
    high: str
    low_value: Value
    high_value: Value
    times: int

    @classmethod
    def of(cls, rule: Order, values: Mapping[str, Value]) -> "SettingsOutOfOrder":
        """Make the error from a rule and the values that break it."""
        return cls(rule.low, rule.high, values[rule.low], values[rule.high], rule.times)

    def message(self) -> Message:
        """Name both settings with their values in their units."""
        facts: dict[str, Any] = {
            "low": Message(LABELS[self.low]),
            "high": Message(LABELS[self.high]),
            "low_value": worded(BY_NAME[self.low].unit, self.low_value),
            "high_value": worded(BY_NAME[self.high].unit, self.high_value),
        }
        return Message(self.text if self.times == 1 else self.text_of_twice, facts)


@dataclass(eq=False)
class SettingUnchanged(DomainError):
    """The setting has that value then already."""

    code: ClassVar[str] = "setting_unchanged"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("“%(name)s” has this value already.")
    words: ClassVar[Mapping[str, str]] = LABELS

    name: str


@dataclass(eq=False)
class SettingDateRefused(DomainError):
    """A setting changes now or within a year, never in the past."""

    code: ClassVar[str] = "setting_date_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A setting changes now or within a year, never in the past.")


@dataclass(eq=False)
class SettingPlannedTwice(DomainError):
    """Another change of the setting is planned for the same instant."""

    code: ClassVar[str] = "setting_planned_twice"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "“%(name)s” changes at that moment already; withdraw the other change first."
    )
    words: ClassVar[Mapping[str, str]] = LABELS

    name: str


@dataclass(eq=False)
class SettingChangedMeanwhile(DomainError):
    """Somebody else changed the setting after the form was opened."""

    code: ClassVar[str] = "setting_changed_meanwhile"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_(
        "Somebody else changed “%(name)s” in the meantime. Look at the values below again."
    )
    words: ClassVar[Mapping[str, str]] = LABELS

    name: str


@dataclass(eq=False)
class SettingNeedsSecondPerson(DomainError):
    """The setting moves money, owners or personal data, so two different people decide."""

    code: ClassVar[str] = "setting_needs_second_person"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("“%(name)s” is changed by two different people.")
    words: ClassVar[Mapping[str, str]] = LABELS

    name: str


@dataclass(eq=False)
class SettingReasonRequired(DomainError):
    """A change of a setting is explained in writing."""

    code: ClassVar[str] = "setting_reason_required"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please say why.")


@dataclass(eq=False)
class SettingChangeNotPlanned(DomainError):
    """The change is in force already, was withdrawn, or never was."""

    code: ClassVar[str] = "setting_change_not_planned"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This change is in force already, or was withdrawn.")
