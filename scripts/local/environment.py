"""The settings that this machine's processes get: the user's environment first, ours beneath it."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

from app.settings import Settings
from scripts.local.keys import ensure_keys
from scripts.local.layout import Layout
from scripts.local.ports import HOST
from scripts.local.problems import Problem
from scripts.local.processes import OWNER_VARIABLE

WECHAT_ADDRESSES: Final = ("WECHAT_API_BASE_URL", "WECHAT_PAY_BASE_URL")
SANDBOX_ONLY: Final = "WECHAT_PAY_PRIVATE_KEY_FILES"
"""WeChat's own private keys are nothing that the product may know."""

PROCESSES_MAX: Final = 64
SETTINGS: Final = {field.name.upper() for field in fields(Settings)} | {"MIGRATION_DATABASE_URL"}
OURS: Final = "export "
"""Begins a line of `env.sh` that says what we chose."""


def given(name: str) -> str | None:
    """Return what the user's environment says; an empty variable says nothing."""
    return os.environ.get(name) or None


def needs_sandbox() -> bool:
    """Tell whether WeChat's part is played here; raises `Problem` where one address is missing."""
    found = [name for name in WECHAT_ADDRESSES if given(name)]
    if len(found) == 1:
        missing = next(name for name in WECHAT_ADDRESSES if name not in found)
        raise Problem(f"{found[0]} is set and {missing} is not; set both or neither.")
    return not found


def count(env: Mapping[str, str], name: str, default: int) -> int:
    """Return how many processes a variable asks for."""
    text = env.get(name, str(default))
    if not (text.isdecimal() and 0 < int(text) <= PROCESSES_MAX):
        raise Problem(f"{name}={text} is not a number of processes from 1 to {PROCESSES_MAX}.")
    return int(text)


def user_environment() -> dict[str, str]:
    """Return the user's environment without empty settings and without an outer copy's mark."""
    env = {name: value for name, value in os.environ.items() if value}
    env.pop(OWNER_VARIABLE, None)
    return env


def secrets_for(layout: Layout, *, sandbox: bool) -> dict[str, str]:
    """Return the secrets of this copy, made where missing; without WeChat's where it is real.

    Before PostgreSQL is started: data without the key that encrypted it must be noticed.
    """
    keys = ensure_keys(layout.state / "keys", data_exists=(layout.pgdata / "PG_VERSION").exists())
    return {name: text for name, text in keys.items() if sandbox or not name.startswith("WECHAT_")}


def build(
    layout: Layout, addresses: Mapping[str, str], *, port: int, sandbox_port: int | None
) -> dict[str, str]:
    """Return the environment of the product's processes.

    `addresses` are secrets and our own servers; `sandbox_port` is None where WeChat is elsewhere.
    """
    ours = {
        **addresses,
        "STATE_DIR": str(layout.state),
        "PUBLIC_BASE_URL": f"http://{HOST}:{port}",
        "DEMO": "true",
        "LOG_FORMAT": "console",
        "FLASK_APP": "wsgi",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    if sandbox_port is not None:
        ours |= dict.fromkeys(WECHAT_ADDRESSES, f"http://{HOST}:{sandbox_port}")
        ours |= {"SANDBOX_PORT": str(sandbox_port)}
        ours |= {"SANDBOX_STATE_DIR": str(layout.state / "sandbox")}
    theirs = user_environment()
    theirs.pop("PATH", None)
    return ours | theirs


def for_product(env: Mapping[str, str], state: Path) -> dict[str, str]:
    """Return what a supervised process of the product gets."""
    visible = {name: value for name, value in env.items() if name != SANDBOX_ONLY}
    return visible | {OWNER_VARIABLE: str(state)}


def for_sandbox(env: Mapping[str, str], state: Path) -> dict[str, str]:
    """Return what the sandbox gets: no address and no secret of the product's own."""
    hidden = {"DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEY"}
    visible = {name: value for name, value in env.items() if name not in hidden}
    return visible | {OWNER_VARIABLE: str(state)}


def forget_exports(path: Path) -> None:
    """Drop from our environment what an earlier start wrote and the user's shell has sourced.

    Taken for the user's own wishes, such a DATABASE_URL would keep our own server from starting.
    """
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        if line.startswith(OURS):
            name, _, value = shlex.split(line.removeprefix(OURS))[0].partition("=")
            if name != "PATH" and os.environ.get(name) == value:
                del os.environ[name]


def write_exports(env: Mapping[str, str], path: Path) -> list[str]:
    """Write the settings of this copy as a file to source; returns what we set ourselves.

    What the user set comes along in another form, by which `forget_exports` leaves it alone.
    """
    hidden = {SANDBOX_ONLY, "PYTHONUNBUFFERED"}
    ours, theirs = [], []
    for name, value in sorted(env.items()):
        quoted = f"{name}={shlex.quote(value)}"
        if name not in hidden and os.environ.get(name) != value:
            ours.append(OURS + quoted)
        elif name in SETTINGS:
            theirs.append(f"{quoted}; export {name}")
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join([*ours, *theirs, ""]))
    return ours
