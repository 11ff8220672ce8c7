"""Every event has somebody who reacts to it, and every reaction an event."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.reactions import BELLS, TASKS

APP: Final = Path(__file__).parents[2] / "app"
EMITTERS: Final = {"emit", "emit_many"}


def emitted() -> Iterator[str]:
    """Yield the name of every event that a call in the product emits; it is always a literal."""
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in EMITTERS:
                said = node.args[1]
                assert isinstance(said, ast.Constant), f"{path.name}:{node.lineno}"
                yield str(said.value)


def test_every_event_has_a_reaction_and_every_reaction_an_event() -> None:
    assert set(emitted()) == TASKS.keys() | BELLS.keys()
