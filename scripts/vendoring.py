"""Fetching the libraries of the back office's pages and of its tests, started by `scripts/vendor`.

A package is taken only where its checksum is the one in the manifest.
"""

import argparse
import base64
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import requests

ROOT: Final = Path(__file__).parents[1]
FOLDERS: Final = (ROOT / "admin" / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")
"""Folders of packages, each with a manifest: what pages load, and what tests look at pages with."""
TIMEOUT_SECONDS: Final = 60


def manifest_of(folder: Path) -> Path:
    """Return the file that says what a folder of packages holds."""
    return folder / "manifest.json"


def packages_of(folder: Path) -> dict[str, Any]:
    """Return what the manifest of a folder says of each package."""
    found: dict[str, Any] = json.loads(manifest_of(folder).read_text())["packages"]
    return found


def integrity_of(content: bytes) -> str:
    """Return the checksum of a package as registries write it.

    >>> integrity_of(b"")[:20]
    'sha512-z4PhNX7vuL3xV'
    """
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def sha256_of(content: bytes) -> str:
    """Return the checksum of a file."""
    return hashlib.sha256(content).hexdigest()


def differences() -> list[str]:
    """Return the files that are missing, or other than their manifest says."""
    return [
        f"{package}/{name}"
        for folder in FOLDERS
        for package, facts in packages_of(folder).items()
        for name, file in facts["files"].items()
        if not (path := folder / package / name).is_file()
        or sha256_of(path.read_bytes()) != file["sha256"]
    ]


def unpack(archive: bytes, files: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    """Return the wanted files of a package by the name they get here."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
        for name, file in files.items():
            member = package.extractfile(file["from"])
            if member is None:
                raise KeyError(file["from"])
            found[name] = member.read()
    return found


def fetch(folder: Path, *, is_written: bool) -> bool:
    """Fetch the packages of a folder; False where one is not what the manifest says."""
    packages = packages_of(folder)
    for name, facts in packages.items():
        archive = requests.get(facts["tarball"], timeout=TIMEOUT_SECONDS).content
        if integrity_of(archive) != facts["integrity"]:
            print(f"{name}: the package is not what the manifest says", file=sys.stderr)
            return False
        contents = unpack(archive, facts["files"])
        if is_written:
            put(folder / name, contents, facts["files"])
        print(f"{name} {facts['version']}: {len(contents)} files")
    if is_written:
        manifest_of(folder).write_text(f"{json.dumps({'packages': packages}, indent=2)}\n")
    return True


def put(folder: Path, contents: Mapping[str, bytes], facts: Mapping[str, dict[str, str]]) -> None:
    """Write the files of a package and note their checksums."""
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        facts[name]["sha256"] = sha256_of(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, compare and with `--write` put in place; 1 where something is other than it should."""
    parser = argparse.ArgumentParser(prog="scripts/vendor", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put files and checksums in place")
    options = parser.parse_args(arguments)
    for folder in FOLDERS:
        if not fetch(folder, is_written=options.write):
            return 1
    changed = differences()
    for one in changed:
        print(f"{one} is not what the manifest says", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
