"""The Chinese catalogue: collect what is to be translated, compile it, and say what is missing.

    python -m scripts.translations            # collect, merge, compile; lists what is missing
    python -m scripts.translations --check    # change nothing; status 1 where something is to do

English in the code is the key, so English needs no catalogue. Where one English word needs two in
Chinese, the code gives a context (`pgettext`), which is part of the key.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = CHECKOUT / "app" / "translations"
PO: Final = FOLDER / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
MO: Final = PO.with_suffix(".mo")
HEADER: Final = "# Chinese texts of Tuoke. Collected and compiled by scripts/translations.py."
SOURCES: Final = ("app", "admin", "miniprogram_api")
KEYWORDS: Final = ("N_", "lazy_gettext", "lazy_pgettext:1c,2")
PARAMETER: Final = re.compile(r"%\((\w+)\)[sd]")


def collect() -> Catalog:
    """Return every text marked in the code and templates."""
    with tempfile.TemporaryDirectory() as folder:
        pot = Path(folder) / "messages.pot"
        command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract"]
        command += ["-F", str(FOLDER / "babel.cfg"), "-o", str(pot), "--no-location"]
        command += [part for keyword in KEYWORDS for part in ("-k", keyword)]
        subprocess.run([*command, *SOURCES], cwd=CHECKOUT, check=True)
        with pot.open("rb") as file:
            return read_po(file)


def load() -> Catalog:
    """Return the Chinese catalogue as it is, an empty one where there is none."""
    if not PO.exists():
        return Catalog(locale="zh_Hans_CN", domain="messages")
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans_CN", domain="messages")


def merge(catalogue: Catalog, collected: Catalog) -> Catalog:
    """Bring the catalogue up to date; what is no longer used goes, nothing is guessed.

    The header's instants stay as they are, so that the file changes only where its texts do.
    """
    created_at = catalogue.creation_date
    catalogue.update(collected, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = created_at
    catalogue.project, catalogue.version = "Tuoke", "1"
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.header_comment, catalogue.fuzzy = HEADER, False
    return catalogue


def keys(catalogue: Catalog) -> set[tuple[str | None, str]]:
    """Return context and text of everything in a catalogue."""
    return {(one.context, str(one.id)) for one in catalogue if one.id}


def save(catalogue: Catalog) -> None:
    """Write the catalogue, for people and for programs."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalogue, omit_header=False, sort_output=True, width=100)
    MO.write_bytes(compiled(load()))


def missing(catalogue: Catalog) -> list[str]:
    """Return the texts without a translation, or whose parameters it changes."""
    return [str(one.id) for one in catalogue if one.id and not _is_good(one)]


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue in the form in which programs read it."""
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def _is_good(message: Message) -> bool:
    ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    wanted = {name for text in ids for name in PARAMETER.findall(text)}
    return (
        not message.fuzzy
        and all(texts)
        and all(set(PARAMETER.findall(text or "")) == wanted for text in texts)
    )


def main() -> int:
    """Do what the module says."""
    parser = argparse.ArgumentParser(description="Keep the Chinese catalogue complete.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    known = keys(load())
    catalogue = merge(load(), collect())
    left = missing(catalogue)
    for text in left:
        print(f"not translated: {text}")
    if arguments.check:
        obsolete = known - keys(catalogue)
        for _context, text in sorted(obsolete, key=str):
            print(f"not used any more: {text}")
        is_compiled = MO.exists() and MO.read_bytes() == compiled(load())
        if not is_compiled:
            print("not compiled: run it without --check")
        return 1 if left or obsolete or not is_compiled else 0
    save(catalogue)
    print(f"{len(keys(catalogue))} texts, {len(left)} not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
