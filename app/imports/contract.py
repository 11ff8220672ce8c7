"""What each kind of import says of itself, so that one machine can check and write them all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from app.imports.columns import Column, Row, Rule
from app.imports.states import ImportKind
from app.kernel.audit import Actor
from app.stores.permissions import Permission


@dataclass(frozen=True, slots=True)
class Scene:
    """Who imports, where they may, in which run and when."""

    run_id: int
    actor: Actor
    second_actor: Actor | None
    store_ids: frozenset[int] | None
    """None stands for all stores."""
    now: datetime
    is_trial: bool = False
    """In a trial a row may wait for an earlier row of its file; when it is written it must not."""

    @property
    def source(self) -> str:
        """Return what histories say of where a row came from."""
        return f"import:{self.run_id}"


Check: TypeAlias = Callable[[Session, Sequence[Row], Scene], None]
"""Looks rows up in sets: fills `found`, notes faults. Writes nothing."""
Write: TypeAlias = Callable[[Session, Row, Scene], int | None]
"""Writes one checked row by a service; returns the id of what it made or changed, None where
there was nothing to do. Raises DomainError where it is refused after all."""
Key: TypeAlias = Callable[[Row], str]
"""What must not be twice in one file; an empty text where a row has none."""


Settle: TypeAlias = Callable[[Row, Collection[str]], None]
"""Refuses a row that waits for one which no earlier row, known by its key, makes."""


def never(_row: Row) -> bool:
    """Tell of no row that two people decide it."""
    return False


def stands_alone(_row: Row, _earlier: Collection[str]) -> None:
    """Let a row be that waits for no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of import."""

    code: ImportKind
    title: str
    """What the rows are, marked with `N_`."""
    intro: str
    """What becomes of them, in a sentence or two marked with `N_`."""
    permissions: frozenset[Permission]
    """What somebody must hold besides the right to import."""
    columns: tuple[Column, ...]
    check: Check
    write: Write
    key: Key
    rule: Rule | None = None
    needs_second: Callable[[Row], bool] = never
    settle_waiting: Settle = stands_alone
    needs_consent: bool = False
    by_name: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.columns})
