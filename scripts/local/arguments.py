"""What the two commands can be told. Standard library only: `--help` must not install anything."""

import argparse
from typing import Final

RUN_EPILOG: Final = """\
environment:
  PORT           the web server, on 127.0.0.1 (8000)
  SANDBOX_PORT   the WeChat sandbox, on 127.0.0.1 (8001)
  STATE_DIR      data, keys and logs (var in the checkout)
  DATABASE_URL   use this PostgreSQL instead of an own one; MIGRATION_DATABASE_URL: its owner's role
  REDIS_URL      use this Redis instead of an own Valkey
  WECHAT_API_BASE_URL, WECHAT_PAY_BASE_URL
                 use these instead of the sandbox; the other WECHAT_* settings go with them
  WORKER_COUNT   processes for jobs (2)        WEB_WORKERS   processes of the web server (2)
  DEMO           false: no demo brand and no demo logins
  PYTHON         the Python to make .venv with

Ctrl-C stops everything. Run it in a second clone, or with another STATE_DIR, PORT and SANDBOX_PORT,
for a second copy beside the first. In another terminal, `. var/env.sh` makes the commands of this
copy available, such as `flask audit`.
"""

TEST_EPILOG: Final = """\
Everything else goes to pytest: scripts/test tests/unit -k ledger -x. The whole suite runs in as
many processes as the machine has cores (-n 0: in one).
"""


def run_parser() -> argparse.ArgumentParser:
    """Return the arguments of scripts/run."""
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="Start Tuoke on this machine: servers, web, workers, WeChat sandbox, demo.",
        epilog=RUN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--services-only",
        action="store_true",
        help="start PostgreSQL, Valkey and the sandbox, migrate, and print their addresses",
    )
    parser.add_argument("--reset", action="store_true", help="remove the state directory and end")
    parser.add_argument("--yes", action="store_true", help="do not ask before --reset")
    return parser


def test_parser() -> argparse.ArgumentParser:
    """Return the arguments of scripts/test."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        usage="scripts/test [--fast] [--require-browser] [PYTEST ARGUMENTS]",
        description="Check format, style, types and imports, then run every test.",
        epilog=TEST_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--fast", action="store_true", help="leave out tests/browser, tests/crash")
    parser.add_argument("--require-browser", action="store_true", help="fail without a Chromium")
    parser.add_argument(
        "--thorough", action="store_true", help="try every property with all its examples"
    )
    return parser
