"""Which settings the processes get."""

import subprocess
from pathlib import Path

import pytest

from scripts.local import environment
from scripts.local.binaries import postgres_binaries
from scripts.local.layout import Layout
from scripts.local.problems import Problem
from scripts.local.processes import OWNER_VARIABLE


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, tmp_path, tmp_path / "run", postgres_binaries(), None)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WECHAT_API_BASE_URL", "WECHAT_PAY_BASE_URL", "DATABASE_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_the_users_setting_wins_over_ours(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "theirs")

    env = environment.build(layout, {"SECRET_KEY": "ours"}, port=8000, sandbox_port=8001)

    assert env["SECRET_KEY"] == "theirs"


def test_an_empty_variable_does_not_hide_ours(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "")

    env = environment.build(layout, {"SECRET_KEY": "ours"}, port=8000, sandbox_port=8001)

    assert env["SECRET_KEY"] == "ours"


def test_without_addresses_of_wechat_the_sandbox_plays_it(layout: Layout) -> None:
    assert environment.needs_sandbox()
    env = environment.build(layout, {}, port=8000, sandbox_port=8123)
    assert env["WECHAT_API_BASE_URL"] == env["WECHAT_PAY_BASE_URL"] == "http://127.0.0.1:8123"


def test_with_both_addresses_of_wechat_no_sandbox_and_no_made_up_keys(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHAT_API_BASE_URL", "https://api.weixin.qq.com")
    monkeypatch.setenv("WECHAT_PAY_BASE_URL", "https://api.mch.weixin.qq.com")

    assert not environment.needs_sandbox()
    secrets = environment.secrets_for(layout, sandbox=False)
    assert set(secrets) == {"SECRET_KEY", "DATA_KEY"}


def test_one_address_of_wechat_without_the_other_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WECHAT_PAY_BASE_URL", "https://api.mch.weixin.qq.com")

    with pytest.raises(Problem, match="WECHAT_PAY_BASE_URL is set and WECHAT_API_BASE_URL is not"):
        environment.needs_sandbox()


def test_the_product_does_not_get_wechats_private_keys(layout: Layout) -> None:
    env = {environment.SANDBOX_ONLY: "A=a.pem", "DATABASE_URL": "postgresql://"}

    assert environment.SANDBOX_ONLY not in environment.for_product(env, layout.state)


def test_the_sandbox_gets_no_address_of_the_products_servers(layout: Layout) -> None:
    env = {environment.SANDBOX_ONLY: "A=a.pem", "DATABASE_URL": "postgresql://"}

    assert environment.for_sandbox(env, layout.state) == {
        environment.SANDBOX_ONLY: "A=a.pem",
        OWNER_VARIABLE: str(layout.state),
    }


def test_exports_can_be_sourced_and_are_private(layout: Layout) -> None:
    path = layout.state / "env.sh"

    lines = environment.write_exports({"TUOKE_EXAMPLE": "it's $HOME"}, path)

    assert lines == ["export TUOKE_EXAMPLE='it'\"'\"'s $HOME'"]
    assert path.read_text() == lines[0] + "\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_sourced_from_an_earlier_start_is_not_taken_for_the_users_wish(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layout.state / "env.sh"
    monkeypatch.setenv("REDIS_URL", "theirs")
    environment.write_exports({"DATABASE_URL": "ours", "REDIS_URL": "theirs"}, path)
    monkeypatch.setenv("DATABASE_URL", "ours")

    environment.forget_exports(path)

    assert environment.given("DATABASE_URL") is None
    assert environment.given("REDIS_URL") == "theirs"


def test_a_shell_that_sources_the_file_knows_the_users_settings_too(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layout.state / "env.sh"
    monkeypatch.setenv("REDIS_URL", "redis://it's/theirs")
    environment.write_exports(
        {"DATABASE_URL": "ours", "REDIS_URL": "redis://it's/theirs", "EDITOR": "vi"}, path
    )

    shown = subprocess.run(
        ["/bin/sh", "-c", '. "$1"; exec /usr/bin/env', "sh", path],
        env={},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert {"DATABASE_URL=ours", "REDIS_URL=redis://it's/theirs"} <= set(shown)


@pytest.mark.parametrize("text", ["0", "65", "two", "-1", "1.5"])
def test_a_number_of_processes_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem, match=f"WORKER_COUNT={text} is not a number of processes"):
        environment.count({"WORKER_COUNT": text}, "WORKER_COUNT", 2)
