"""What is said of one table that holds data about people."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The rows of one table that are about one person."""

    table: str
    title: str = ""
    """What a copy calls them; none where a copy shows nothing of them."""
    whose: str = "member_id = :id"
    """The condition for rows about the person `:id`."""
    shown: str = ""
    """The columns that a copy shows."""
    opened: Mapping[str, str] = field(default_factory=dict)
    """Sealed columns that a copy shows in clear: column to its name there."""
    erased: Mapping[str, str] = field(default_factory=dict)
    """Columns that an erasure writes over, with what."""
    is_deleted: bool = False
    """Whether an erasure removes the rows."""
