"""What pages load of others is what its authors published."""

from scripts import vendoring


def test_every_vendored_file_is_what_the_manifest_says() -> None:
    assert vendoring.differences() == []


def test_every_file_in_the_folder_of_a_package_is_in_the_manifest() -> None:
    for package, facts in vendoring.read_manifest().items():
        there = {one.name for one in (vendoring.VENDOR / package).iterdir()}
        assert there == set(facts["files"])
        assert {"LICENSE", "NOTICE"} <= there
