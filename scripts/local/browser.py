"""Find a Chromium on this machine for the tests that look at pages."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MACOS_PATHS: Final = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: $CHROMIUM, one on the PATH, or an application of macOS."""
    candidates = (os.environ.get("CHROMIUM") or "", *NAMES)
    found = next((path for name in candidates if name and (path := shutil.which(name))), None)
    if found is None and sys.platform == "darwin":
        found = next((str(path) for path in MACOS_PATHS if path.exists()), None)
    return found
