"""Fetching the libraries of the back office's pages, started by `scripts/vendor`.

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

VENDOR: Final = Path(__file__).parents[1] / "admin" / "static" / "vendor"
MANIFEST: Final = VENDOR / "manifest.json"
TIMEOUT_SECONDS: Final = 60


def read_manifest() -> dict[str, Any]:
    """Return what the manifest says of each package."""
    found: dict[str, Any] = json.loads(MANIFEST.read_text())["packages"]
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
    """Return the files that are missing, or other than the manifest says."""
    return [
        f"{package}/{name}"
        for package, facts in read_manifest().items()
        for name, file in facts["files"].items()
        if not (path := VENDOR / package / name).is_file()
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, compare and with `--write` put in place; 1 where something is other than it should."""
    parser = argparse.ArgumentParser(prog="scripts/vendor", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put files and checksums in place")
    options = parser.parse_args(arguments)
    manifest = json.loads(MANIFEST.read_text())
    for name, facts in manifest["packages"].items():
        archive = requests.get(facts["tarball"], timeout=TIMEOUT_SECONDS).content
        if integrity_of(archive) != facts["integrity"]:
            print(f"{name}: the package is not what the manifest says", file=sys.stderr)
            return 1
        contents = unpack(archive, facts["files"])
        for file, content in contents.items():
            if options.write:
                (VENDOR / name / file).write_bytes(content)
                facts["files"][file]["sha256"] = sha256_of(content)
        print(f"{name} {facts['version']}: {len(contents)} files")
    if options.write:
        MANIFEST.write_text(f"{json.dumps(manifest, indent=2)}\n")
    changed = differences()
    for one in changed:
        print(f"{one} is not what the manifest says", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
