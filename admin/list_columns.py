"""Which columns of a list its reader sees, in which order, and how close its rows are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from admin.list_memory import Remembers
from admin.tables import Shape


@dataclass(frozen=True, slots=True)
class Offer:
    """One column as the menu of columns shows it."""

    name: str
    label: Any
    is_shown: bool
    place: int


class Arranged(Remembers):
    """The part of a view that shows the columns its reader chose; mixed into `ScopedView`."""

    extra_columns: ClassVar[tuple[str, ...]] = ()
    """Columns that readers may choose besides those of the list and of the file."""

    def offered_columns(self) -> tuple[str, ...]:
        """Return every column that a reader may choose, the list's own first."""
        every = (*self.column_list, *self.extra_columns, *self.exported)
        return tuple(dict.fromkeys(every))

    def known_columns(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return those of some names that are columns on offer, each once."""
        offered = set(self.offered_columns())
        return tuple(dict.fromkeys(name for name in names or () if name in offered))

    def chosen_columns(self, arguments: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Return the columns that the open view, or else the reader, chose; none where neither."""
        view = self.open_view(arguments)
        if view is not None and view.columns:
            return self.known_columns(view.columns)
        liked = self.choice()
        return self.known_columns(liked.columns) if liked is not None else ()

    def shown_columns(self) -> tuple[str, ...]:
        """Return the columns that the list shows."""
        return self.chosen_columns() or tuple(self.column_list)

    @property
    def list_shape(self) -> Shape:
        """Return what the list shows of each row, as its reader likes it."""
        return replace(self.shape, columns=self.shown_columns())

    def column_offers(self) -> list[Offer]:
        """Return the menu of columns: those that are shown, in order, then the others."""
        shown = self.shown_columns()
        names = tuple(dict.fromkeys((*shown, *self.offered_columns())))
        heads = replace(self.shape, columns=names).heads()
        return [
            Offer(head.name, head.label, head.name in shown, place)
            for place, head in enumerate(heads, start=1)
        ]

    def is_dense(self) -> bool:
        """Tell whether the reader wants rows set close together."""
        liked = self.choice()
        return liked is not None and liked.is_dense
