"""What pages and tests load of others is what its authors published."""

from pathlib import Path

import pytest

from scripts import vendoring


def test_every_vendored_file_is_what_the_manifest_says() -> None:
    assert vendoring.differences() == []


@pytest.mark.parametrize("folder", vendoring.FOLDERS, ids=lambda one: one.parent.name)
def test_every_file_in_the_folder_of_a_package_is_in_the_manifest(folder: Path) -> None:
    for package, facts in vendoring.packages_of(folder).items():
        there = {one.name for one in (folder / package).iterdir()}
        assert there == set(facts["files"])
        assert "LICENSE" in there
