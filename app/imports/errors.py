"""What a caller of this slice must be ready to hear."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, Final

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, Message

STATE_WORDS: Final[Mapping[str, str]] = {
    "uploaded": N_("being checked"),
    "checked": N_("checked"),
    "running": N_("running"),
    "done": N_("done"),
    "cancelled": N_("called off"),
    "failed": N_("failed"),
}
NAMED_MAX: Final = 12
"""How many headings an error names."""


@dataclass(eq=False)
class FileNotReadable(DomainError):
    """The file is no table that we can read."""

    code: ClassVar[str] = "import_file_not_readable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "This file cannot be read. Please save it as .xlsx or as CSV (UTF-8) and try again."
    )


@dataclass(eq=False)
class FileLocked(DomainError):
    """The file is encrypted, or of the format that Excel wrote before 2007."""

    code: ClassVar[str] = "import_file_locked"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_(
        "This file has a password or is in the old .xls format. Please save it as .xlsx without a "
        "password."
    )


@dataclass(eq=False)
class FileHasMacros(DomainError):
    """The file brings programs along."""

    code: ClassVar[str] = "import_file_has_macros"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This file holds macros. Please save it as .xlsx without them.")


@dataclass(eq=False)
class FileEmpty(DomainError):
    """The file has no rows below its headings."""

    code: ClassVar[str] = "import_file_empty"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This file holds no rows below its headings.")


@dataclass(eq=False)
class FileTooLarge(DomainError):
    """The file is larger than anything that people fill in, packed or unpacked."""

    code: ClassVar[str] = "import_file_too_large"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This file is too large: at most %(most)s MB are taken.")

    most: int


@dataclass(eq=False)
class TooManyRows(DomainError):
    """The file holds more rows than are taken at once."""

    code: ClassVar[str] = "import_too_many_rows"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This file has more than %(most)s rows. Please split it.")

    most: int


@dataclass(eq=False)
class TooManyColumns(DomainError):
    """The file is wider than any of ours."""

    code: ClassVar[str] = "import_too_many_columns"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("This file has more than %(most)s columns.")

    most: int


@dataclass(eq=False)
class ColumnsWrong(DomainError):
    """Headings that are missing (ours), unknown (theirs) or there twice; one sentence for each."""

    code: ClassVar[str] = "import_columns_wrong"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("The columns of this file do not fit.")

    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    doubled: tuple[str, ...]

    def message(self) -> Message:
        """Return what does not fit, naming the columns."""
        found: tuple[tuple[str, list[str | Message]], ...] = (
            (N_("Missing columns: %(names)s."), [Message(one) for one in self.missing]),
            (N_("Unknown columns: %(names)s."), list(self.unknown)),
            (N_("Columns that are there twice: %(names)s."), list(self.doubled)),
        )
        told = [Message(text, {"names": _listed(names, ", ")}) for text, names in found if names]
        return _listed([Message(self.text), *told], " ")


def _listed(parts: Iterable[str | Message], between: str) -> Message:
    """Join texts and sentences into one message, each translated by itself."""
    some = list(parts)
    shown: list[str | Message] = some[:NAMED_MAX]
    if len(some) > NAMED_MAX:
        shown.append("…")
    pattern = f"%(left)s{between}%(right)s"
    whole = reduce(lambda left, right: Message(pattern, {"left": left, "right": right}), shown)
    return whole if isinstance(whole, Message) else Message("%(left)s", {"left": whole})


@dataclass(eq=False)
class ConsentNotDeclared(DomainError):
    """Nobody said that the people in the file agreed to it."""

    code: ClassVar[str] = "import_consent_not_declared"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Please confirm that the brand holds the consent of these people.")


@dataclass(eq=False)
class ImportNotFound(DomainError):
    """No run of that id exists."""

    code: ClassVar[str] = "import_not_found"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND
    text: ClassVar[str] = N_("There is no such import.")


@dataclass(eq=False)
class ImportNotInState(DomainError):
    """The run has gone on, or ended, meanwhile."""

    code: ClassVar[str] = "import_not_in_state"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This cannot be done: the import is %(state)s.")
    words: ClassVar[Mapping[str, str]] = STATE_WORDS

    state: str


@dataclass(eq=False)
class NothingToImport(DomainError):
    """Every row of the file is wrong."""

    code: ClassVar[str] = "import_nothing_valid"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("No row of this file can be imported. Please mend the file.")


@dataclass(eq=False)
class ImportForbidden(DomainError):
    """The person may not, or not any more, bring in rows of this kind."""

    code: ClassVar[str] = "import_forbidden"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("Your role does not allow importing this.")


@dataclass(eq=False)
class ImportNeedsSecond(DomainError):
    """A row of the file does what two people decide together."""

    code: ClassVar[str] = "import_needs_second"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN
    text: ClassVar[str] = N_("This file gives levels by hand, which two people decide together.")


@dataclass(eq=False)
class RowRefused(DomainError):
    """A row that was fine when it was checked is not any more; `faults` say why."""

    code: ClassVar[str] = "import_row_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT
    text: ClassVar[str] = N_("This row cannot be imported any more.")

    faults: tuple[Any, ...]
