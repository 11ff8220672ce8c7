"""Examples that WeChat published, copied by value; `src` in the file says where each stands."""

import json
from pathlib import Path
from typing import Any

_ALL: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("official_vectors.json").read_text()
)


def vectors(kind: str) -> list[dict[str, Any]]:
    """All vectors of a kind; there is at least one."""
    found = [vector for vector in _ALL if vector["kind"] == kind]
    assert found
    return found


def vector(kind: str) -> dict[str, Any]:
    """The only vector of a kind."""
    (found,) = vectors(kind)
    return found
