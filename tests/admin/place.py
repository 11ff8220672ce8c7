"""A place of the world that tests of the back office look at."""

from dataclasses import dataclass, field

from app.members.models import Distributor
from app.stores.models import Store


@dataclass
class Place:
    """One store with its rows: by the endpoint of the view that lists them, id and visible mark."""

    store: Store
    ids: dict[str, int | str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    """Ids of what has no list of its own: `evidence` is a picture of the dispute."""
    owner: Distributor | None = None

    def put(self, endpoint: str, row_id: int | str, mark: str) -> None:
        """Remember the row of a view, and a text that its list shows of it alone."""
        self.ids[endpoint] = row_id
        self.marks[endpoint] = mark
