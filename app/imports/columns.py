"""What a file of one kind consists of: its columns, how they are called, and how rows are read.

Headings may be ours in either language, the names of our fields, or what other systems call them,
in any order. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from app.imports.errors import ColumnsWrong
from app.imports.fields import CELL_LENGTH_MAX, CellWrong, Parse, tidy, wrong
from app.kernel.i18n import LOCALES, N_, Message, translate

REASON: Final = N_("What is wrong")
"""The heading of the extra column in files of wrong rows; passed over when they come back."""
REASON_NAME: Final = "what_is_wrong"
REQUIRED_MARKS: Final = "*＊"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it is called, whether it must be filled in, and how a cell is read."""

    name: str
    label: str
    """Marked with `N_`; the Chinese heading is its translation."""
    hint: str
    """What may stand there, in a sentence marked with `N_`."""
    example: str
    parse: Parse
    is_required: bool = False
    is_phone: bool = False
    """Shown with stars on pages."""
    aliases: tuple[str, ...] = ()
    """What the files of other systems call it."""

    def headings(self) -> set[str]:
        """Return every heading that means this column, as `normal` writes them."""
        told = {translate(self.label, locale) for locale in LOCALES}
        return {normal(one) for one in (self.name, *told, *self.aliases)}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, and in which column; an empty column means the row as a whole."""

    column: str
    code: str
    message: Message

    def to_json(self) -> dict[str, Any]:
        """Return the fault as a row stores it."""
        return {
            "column": self.column,
            "code": self.code,
            "text": self.message.text,
            "parameters": self.message.parameters,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Fault":
        """Read what `to_json` wrote."""
        message = Message(stored["text"], dict(stored["parameters"]))
        return cls(stored["column"], stored["code"], message)


Values: TypeAlias = Mapping[str, str]


@dataclass(slots=True)
class Row:
    """One row while it is worked on: what was typed, what that means, and what is wrong with it."""

    line: int
    texts: Values
    values: dict[str, Any] = field(default_factory=dict)
    """By column; those that were left empty, or cannot be read, are missing."""
    faults: list[Fault] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    """What the database knows of it: ids of the store, the customer and so on."""
    waits_for: str = ""
    """The key of an earlier row that must be written first."""

    def refuse(self, column: str, code: str, text: str, **parameters: Any) -> None:
        """Note what is wrong; `text` is marked with `N_`."""
        self.faults.append(Fault(column, code, Message(text, parameters)))


Rule: TypeAlias = Callable[[Row], None]


def read_row(columns: Sequence[Column], line: int, texts: Values, *, rule: Rule | None) -> Row:
    """Read the cells of a row; then `rule` looks at those that go together."""
    row = Row(line, texts)
    if _is_example(columns, texts):
        row.refuse("", "example", N_("This is the example of the template. Delete this row."))
        return row
    for column in columns:
        text = texts.get(column.name, "").strip()
        if not text:
            if column.is_required:
                row.refuse(column.name, "required", N_("This must be filled in."))
            continue
        try:
            row.values[column.name] = _read_cell(column, text)
        except CellWrong as error:
            row.faults.append(Fault(column.name, error.code, error.message))
    if rule is not None and not row.faults:
        rule(row)
    return row


def _read_cell(column: Column, text: str) -> Any:
    if len(text) > CELL_LENGTH_MAX:
        raise wrong(
            "too_long", N_("This is longer than %(most)s characters."), most=CELL_LENGTH_MAX
        )
    return column.parse(text)


def _is_example(columns: Sequence[Column], texts: Values) -> bool:
    told = {name: text.strip() for name, text in texts.items() if text.strip()}
    example = {one.name: one.example for one in columns if one.example}
    return bool(told) and told == {name: example.get(name) for name in told} and len(told) > 1


def normal(heading: str) -> str:
    """Return a heading as headings are compared: without case, space and marks of required ones.

    >>> normal("Phone_Number *"), normal(" phone number")
    ('phonenumber', 'phonenumber')
    """
    plain = tidy(heading).strip(REQUIRED_MARKS).replace("(必填)", "")
    return "".join(one for one in plain.casefold() if one not in " _-\t\n\r")


def match(columns: Sequence[Column], headings: Sequence[str]) -> list[str]:
    """Return the names of our columns in the order of a file; raises `ColumnsWrong`.

    The column that says what was wrong is named `REASON_NAME`, an empty heading is the empty name.
    """
    known = {heading: one.name for one in columns for heading in one.headings()}
    known |= {normal(translate(REASON, locale)): REASON_NAME for locale in LOCALES}
    known[normal(REASON_NAME)] = REASON_NAME
    names: list[str] = []
    unknown, doubled = [], []
    for heading in headings:
        name = known.get(normal(heading)) if heading.strip() else ""
        if name is None:
            unknown.append(heading.strip()[:40])
        elif name and name in names:
            doubled.append(heading.strip()[:40])
        names.append(name or "")
    missing = [one.label for one in columns if one.is_required and one.name not in names]
    if unknown or doubled or missing:
        raise ColumnsWrong(tuple(missing), tuple(unknown), tuple(doubled))
    return names
