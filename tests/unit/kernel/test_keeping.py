import os
from pathlib import Path

from app.kernel.keeping import Shelf


def test_what_was_kept_is_found_by_its_facts(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 4)
    place = shelf.place_of("a", "b")

    assert shelf.read(place) is None
    shelf.keep(place, b"image")

    assert shelf.read(shelf.place_of("a", "b")) == b"image"
    assert shelf.read(shelf.place_of("ab", "")) is None


def test_no_fact_leads_out_of_the_shelf(tmp_path: Path) -> None:
    place = Shelf(tmp_path, 4).place_of("../../etc/passwd", "\x00")

    assert place.resolve().is_relative_to(tmp_path.resolve())


def test_a_folder_does_not_grow_without_end(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 8)
    for number in range(13):
        place = tmp_path / "ab" / f"{number:03}"
        shelf.keep(place, b"image")
        os.utime(place, (number, number))

    kept = sorted(path.name for path in (tmp_path / "ab").iterdir())
    assert kept == [f"{number:03}" for number in range(5, 13)]


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 8)
    old, fresh = shelf.place_of("old"), shelf.place_of("fresh")
    shelf.keep(old, b"old")
    shelf.keep(fresh, b"fresh")
    os.utime(old, (0, 0))

    assert shelf.forget(older_than_seconds=3600) == 1
    assert (shelf.read(old), shelf.read(fresh)) == (None, b"fresh")
