"""`scripts/test`: every check and every test, from a clean clone."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.local.arguments import test_parser
from scripts.local.browser import find_chromium

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
SLOW: Final = ("tests/browser", "tests/crash")


def left_out(*, fast: bool, require_browser: bool) -> list[str]:
    """Return the directories that cannot or shall not run, and say so."""
    if fast:
        print("Left out (--fast): " + ", ".join(SLOW), flush=True)
        return list(SLOW)
    if find_chromium():
        return []
    if require_browser:
        sys.exit("No Chromium was found, and --require-browser wants one: apt install chromium")
    print(
        "Left out: tests/browser, because this machine has no Chromium"
        " (apt install chromium, or CHROMIUM=/path)",
        flush=True,
    )
    return ["tests/browser"]


def main() -> int:
    """Run the checks, then pytest; pytest's summary comes last unless a check failed."""
    arguments, for_pytest = test_parser().parse_known_args()
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the child's: it sums up and ends
    checks = subprocess.run([CHECKOUT / "scripts" / "check"], cwd=CHECKOUT, check=False)
    ignored = left_out(fast=arguments.fast, require_browser=arguments.require_browser)
    command = [sys.executable, "-m", "pytest", *(f"--ignore={path}" for path in ignored)]
    tests = subprocess.run([*command, *for_pytest], cwd=CHECKOUT, check=False)
    if checks.returncode:
        print("The checks before the tests failed; see scripts/check.", file=sys.stderr)
    return tests.returncode or checks.returncode


if __name__ == "__main__":
    sys.exit(main())
