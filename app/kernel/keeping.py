"""Files that cost something to make again, kept on this machine's disk within bounds.

Losing them costs their making once more, so nothing is backed up and the oldest make room.
"""

import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder with 256 folders inside, each of which holds so many files at most."""

    root: Path
    per_folder_max: int

    def place_of(self, *facts: str) -> Path:
        """Return where the file of some facts stands, whether or not it is there."""
        name = sha256("\x00".join(facts).encode()).hexdigest()
        return self.root / name[:2] / name

    def read(self, place: Path) -> bytes | None:
        """Return a file that was kept, or None."""
        try:
            return place.read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, place: Path, content: bytes) -> None:
        """Put a file in its place in one step, so that nobody reads half of it."""
        place.parent.mkdir(parents=True, exist_ok=True)
        self._make_room(place.parent)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".new-", delete=False) as file:
            file.write(content)
        Path(file.name).replace(place)

    def forget(self, *, older_than_seconds: float) -> int:
        """Remove what was kept longer ago than that; return how many files went."""
        limit = time.time() - older_than_seconds
        old = [path for path in self.root.glob("*/*") if _modified(path) < limit]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _make_room(self, folder: Path) -> None:
        kept = sorted(folder.iterdir(), key=_modified)
        for oldest in kept[: max(0, len(kept) - self.per_folder_max + 1)]:
            oldest.unlink(missing_ok=True)


def _modified(path: Path) -> float:
    """Return when a file was written; one that somebody else removed is the oldest."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
