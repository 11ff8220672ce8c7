"""Tables of a page: rows of any kind, read column by column, named and formatted together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup

from admin import cells
from admin.cells import Plain, Who
from admin.column_names import COLUMNS
from admin.directory import BY_COLUMN, Directory, Reference
from admin.staff import visible_store_ids
from app.kernel.db import db

ACTORS: Final = frozenset({"actor", "requested_by"})
Compute = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the head of a table shows it."""

    name: str
    label: Any
    is_number: bool
    is_long: bool
    sort: str = ""
    """The value of `?sort=` that orders by this column, if it can."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its source, and its values in the order of the columns."""

    source: Any
    values: tuple[Any, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """What to read from each row: columns in order, with what deviates from the conventions."""

    columns: tuple[str, ...]
    labels: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Compute] = field(default_factory=dict)
    sortable: tuple[str, ...] = ()

    def heads(self) -> list[Column]:
        """Return the columns with their labels."""
        return [
            Column(
                name,
                self.labels.get(name) or COLUMNS.get(name) or name,
                cells.is_number(name),
                cells.is_long(name),
                name if name in self.sortable else "",
            )
            for name in self.columns
        ]

    def value(self, source: Any, name: str) -> Any:
        """Read one value and tell ids and actors from plain numbers and texts."""
        if name in self.computed:
            return self.computed[name](source)
        found = source[name] if isinstance(source, Mapping) else getattr(source, name)
        register = self.references.get(name, BY_COLUMN.get(name))
        if register and isinstance(found, int):
            return Reference(register, found)
        return Who(found) if name in ACTORS and isinstance(found, str) else found


class Table:
    """A table whose names are loaded; templates ask it for cells."""

    def __init__(
        self, sources: Iterable[Any], shape: Shape, *, url: Callable[[Any], str] | None = None
    ) -> None:
        """Read every value, then load all names that occur."""
        self.columns: Sequence[Column] = shape.heads()
        self.rows = [
            Row(
                source,
                tuple(shape.value(source, name) for name in shape.columns),
                url(source) if url else "",
            )
            for source in sources
        ]
        self.directory = Directory(db.session(), self._references(), store_ids=visible_store_ids())

    def _references(self) -> Iterable[Reference]:
        for row in self.rows:
            for value in row.values:
                if isinstance(value, Reference):
                    yield value
                elif isinstance(value, Who):
                    yield from (one for one in value.people() if isinstance(one, Reference))

    def cells(self, row: Row) -> list[tuple[Column, Markup]]:
        """Return the row as a page shows it."""
        pairs = zip(self.columns, row.values, strict=True)
        return [(column, cells.html(column.name, value, self.directory)) for column, value in pairs]

    def plain(self, row: Row) -> list[Plain]:
        """Return the row as a file holds it."""
        pairs = zip(self.columns, row.values, strict=True)
        return [cells.plain(column.name, value, self.directory) for column, value in pairs]
