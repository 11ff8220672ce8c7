"""Make the checkout's virtual environment, then hand over to it.

Runs under whatever Python >= 3.11 the machine has, so it uses the standard library only. A stamp
in `.venv` holds the digest of the requirements it was made from: while they agree, nothing is
installed and the command starts at once. An install that was interrupted leaves its mark behind,
and the next start makes the environment anew instead of trusting half of it.
"""

import fcntl
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
VENV: Final = CHECKOUT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
MARK: Final = VENV / ".installing"

# A command's requirements file and the module that takes over.
COMMANDS: Final = {
    "run": ("requirements.txt", "scripts.local.run"),
    "test": ("requirements-dev.txt", "scripts.local.test"),
}


def digest(requirements: str) -> str:
    """Return what a stamp must say: every pin, and the Python that the environment stands on."""
    text = os.fsencode(PYTHON.resolve())
    for name in sorted({"requirements.txt", requirements}):
        text += (CHECKOUT / name).read_bytes()
    return hashlib.sha256(text).hexdigest()


def stamp(requirements: str) -> Path:
    """Return the file that remembers what was last installed from these requirements."""
    return VENV / f".installed-{requirements}"


def is_current(requirements: str) -> bool:
    """Tell whether the environment was completely made from these very requirements."""
    path = stamp(requirements)
    if MARK.exists() or not PYTHON.exists() or not path.exists():
        return False
    return path.read_text() == digest(requirements)


def is_usable() -> bool:
    """Tell whether the environment that is there can be brought up to date with pip."""
    if MARK.exists() or not PYTHON.exists():
        return False
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        found = subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


def make_venv() -> None:
    """Make an empty virtual environment; says which system package is missing where it cannot."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{sys.executable} lacks the module {' and '.join(missing)}, so no virtual environment"
            f" can be made.\nOn Debian or Ubuntu: apt install python{version}-venv"
        )
    if VENV.exists():
        shutil.rmtree(VENV)
    say("Making the virtual environment .venv")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("The virtual environment could not be made; see the message above.")


def install(requirements: str) -> None:
    """Install the pinned packages; the mark stays behind when this is interrupted."""
    MARK.touch()
    total = count_pins("requirements.txt") + (
        count_pins(requirements) if requirements != "requirements.txt" else 0
    )
    say(f"Installing {total} pinned packages (once; about a minute)")
    begun = time.monotonic()
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    process = subprocess.Popen(
        [*pip, "-r", str(CHECKOUT / requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    seen = 0
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            seen += 1
            progress(seen, total)
    if process.wait():
        told = [line for line in said if not line.startswith(("WARNING:", "Collecting ", "  "))]
        sys.exit(
            "".join(told[-15:]) + "pip could not install the packages; see the message above.\n"
            "Run the command again once the cause is gone: it starts over."
        )
    say(f"Installed in {time.monotonic() - begun:.0f} s")
    for name in {"requirements.txt", requirements}:
        stamp(name).write_text(digest(name))
    MARK.unlink()


def count_pins(name: str) -> int:
    """Return how many packages a requirements file pins."""
    return sum("==" in line for line in (CHECKOUT / name).read_text().splitlines())


def progress(seen: int, total: int) -> None:
    """Show on a terminal how far pip has come."""
    if sys.stderr.isatty():
        end = "\n" if seen == total else ""
        print(f"\r  {min(seen, total)}/{total}", end=end, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Tell the user what takes time; results go to stdout, this does not."""
    print(text, file=sys.stderr, flush=True)


def prepare(requirements: str) -> None:
    """Bring the environment up to date; of several starts at once, one works and others wait."""
    if is_current(requirements):
        return
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(requirements):
            return
        if not is_usable():
            make_venv()
        install(requirements)


def answer_at_once(command: str, arguments: list[str]) -> None:
    """Show help, or refuse what scripts/run does not know, before anything is installed."""
    sys.path[0] = str(CHECKOUT)
    parsers = importlib.import_module("scripts.local.arguments")
    if command == "run":
        parsers.run_parser().parse_args(arguments)
    else:
        parsers.test_parser().parse_known_args(arguments)


def main() -> None:
    """Prepare the environment for `run` or `test` and become that command."""
    requirements, module = COMMANDS[sys.argv[1]]
    answer_at_once(sys.argv[1], sys.argv[2:])
    if state := os.environ.get("STATE_DIR"):
        os.environ["STATE_DIR"] = str(Path(state).absolute())
    try:
        prepare(requirements)
    except PermissionError as error:
        sys.exit(f"{error}\nThis checkout belongs to another user; work in a clone of your own.")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the next start begins the installation anew.")
    os.chdir(CHECKOUT)
    os.execv(PYTHON, [str(PYTHON), "-m", module, *sys.argv[2:]])  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
