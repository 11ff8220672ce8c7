"""What can be imported, and the states of a run and of its rows. Pure."""

from enum import StrEnum
from typing import Final


class ImportKind(StrEnum):
    """What the rows of a file are."""

    MEMBERS = "members"
    DISTRIBUTORS = "distributors"
    PRODUCTS = "products"
    STOCK = "stock"
    HISTORIC_ORDERS = "historic_orders"


class ImportState(StrEnum):
    """How far a run is."""

    UPLOADED = "uploaded"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RowState(StrEnum):
    """What is known, or has become, of one row."""

    READ = "read"
    VALID = "valid"
    WRONG = "wrong"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


OPEN: Final = frozenset({ImportState.UPLOADED, ImportState.CHECKED, ImportState.RUNNING})
"""A run in these can still be called off."""
WORKING: Final = frozenset({ImportState.UPLOADED, ImportState.RUNNING})
"""A run in these waits for a worker, or has one."""
TROUBLED: Final = frozenset({RowState.WRONG, RowState.FAILED})
"""A row in these says what is wrong with it."""
