"""What the documents say must be true."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Final

from app.operations.invariants import INVARIANTS
from app.settings import Settings

ROOT: Final = Path(__file__).parents[2]


def test_every_setting_is_documented_and_nothing_else() -> None:
    table = re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.M)

    assert sorted(table) == sorted(spec.name.upper() for spec in fields(Settings))


def test_documented_defaults_are_the_defaults() -> None:
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| (?:`([^`]*)`|–) \|", (ROOT / "docs/settings.md").read_text(), re.M
    )
    documented = {name.lower(): text for name, text in rows if text and text != "PUBLIC_BASE_URL"}
    actual = {spec.name: spec.default for spec in fields(Settings)}

    for name, text in documented.items():
        default = actual[name]
        assert text == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_links_of_the_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_invariants_have_codes_of_their_own() -> None:
    codes = [one.code for one in INVARIANTS]

    assert len(codes) == len(set(codes))
