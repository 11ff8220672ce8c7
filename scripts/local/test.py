"""`scripts/test`: every check and every test, from a clean clone."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.local.arguments import test_parser
from scripts.local.browser import find_chromium

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
PROCESSES_MAX: Final = 8
SERIAL: Final = ("-n", "-s", "--pdb", "--trace", "--capture=no")
"""Arguments of pytest that decide about processes, or need the only one."""
SLOW: Final = ("tests/browser", "tests/crash")
THOROUGH: Final = "TUOKE_THOROUGH"
"""Read by tests/thoroughness.py."""


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


def parallel(for_pytest: list[str]) -> list[str]:
    """Return how to use the machine's cores for the whole suite; a selection runs in one process.

    Every process has servers of its own, so tests do not meet. Two more than there are cores run
    while others wait for a server to start or a page to load.
    """
    chosen = any(Path(word.partition("::")[0]).exists() for word in for_pytest)
    forced = any(word.startswith(SERIAL) for word in for_pytest)
    cores = os.cpu_count() or 1
    if chosen or forced or cores == 1:
        return []
    return ["-n", str(min(cores + 2, PROCESSES_MAX)), "--dist", "worksteal"]


def run(command: list[str], *, thorough: bool) -> int:
    """Run pytest to its end. Ctrl-C reaches it by itself; a SIGTERM to us is passed on as one."""
    signal.signal(signal.SIGINT, lambda *_: None)
    environment = os.environ | ({THOROUGH: "1"} if thorough else {})
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        return process.wait()


def main() -> int:
    """Run the checks, then pytest; pytest's summary comes last unless a check failed."""
    arguments, for_pytest = test_parser().parse_known_args()
    checks = subprocess.run([CHECKOUT / "scripts" / "check"], cwd=CHECKOUT, check=False)
    ignored = left_out(fast=arguments.fast, require_browser=arguments.require_browser)
    command = [sys.executable, "-m", "pytest", *(f"--ignore={path}" for path in ignored)]
    whole = [*command, *parallel(for_pytest), *for_pytest]
    status = run(whole, thorough=arguments.thorough)
    if checks.returncode:
        print("The checks before the tests failed; see scripts/check.", file=sys.stderr)
    return status or checks.returncode


if __name__ == "__main__":
    sys.exit(main())
