"""What the parts of a view of rows may ask of the whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from sqlalchemy.sql import Select

    from admin import listing
    from admin.filters import Filter
    from admin.tables import Compute, Shape

    class Part:
        """The members of `ScopedView` that its parts use; the whole has them all."""

        endpoint: str
        name: Any
        column_list: ClassVar[tuple[str, ...]]
        sortable: ClassVar[tuple[str, ...]]
        exported: ClassVar[tuple[str, ...]]
        filters: ClassVar[tuple[Filter, ...]]
        tabs: ClassVar[Filter | None]
        page_size: int
        finds_by_post: ClassVar[bool]
        can_view_details: ClassVar[bool]
        can_export: ClassVar[bool]
        labels: ClassVar[Mapping[str, Any]]
        references: ClassVar[Mapping[str, str]]
        computed: ClassVar[Mapping[str, Compute]]

        def is_accessible(self) -> bool:
            """Tell whether the reader may open the view."""

        def is_seen_by(self, staff_id: int, row: Any) -> bool:
            """Tell whether a row lies within the stores of somebody else."""

        @property
        def shape(self) -> Shape:
            """What the list shows of each row."""

        def render(self, template: str, **context: Any) -> str:
            """Render a template of ours."""

        def get_url(self, endpoint: str, **values: Any) -> str:
            """Return the address of an endpoint."""

        def list_url(self, **changes: Any) -> str:
            """Return the address of the list."""

        def address_of(self, values: Mapping[str, Any]) -> str:
            """Return the address of the list with just these parameters."""

        def chosen_columns(self, arguments: Mapping[str, str] | None = None) -> tuple[str, ...]:
            """Return the columns that the reader chose."""

        def all_filters(self) -> list[Filter]:
            """Return every filter."""

        def url_of(self, row: Any) -> str:
            """Return the address of a row."""

        @property
        def key(self) -> Any:
            """The column that tells rows apart."""

        def key_of(self, row: Any) -> int:
            """Return the id of a row."""

        def title_of(self, row: Any) -> str:
            """Return what a row is called."""

        def offered(self, row: Any) -> list[Any]:
            """Return the decisions about a row."""

        def forms_about(self, row: Any) -> list[Any]:
            """Return the forms about a row."""

        def visible(self, ids: Iterable[int]) -> Sequence[Any]:
            """Return those rows that the reader sees."""

        def wanted(self) -> Any:
            """Return the row in the address."""

        def narrowed(self, search: str) -> Select[Any]:
            """Return the rows in the address."""

        def loaded(self, query: Select[Any]) -> Select[Any]:
            """Read along what cells need."""

        def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
            """Return one page."""


else:

    class Part:
        """Nothing at run time: the whole has it all."""
