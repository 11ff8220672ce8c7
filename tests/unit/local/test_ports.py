"""Ports: a taken one is named with its variable, and a free one is offered."""

import socket
from collections.abc import Iterator

import pytest

from scripts.local import ports
from scripts.local.problems import Problem


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server((ports.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_on_which_somebody_listens_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_a_private_port_is_free() -> None:
    assert ports.is_free(ports.private_port())


def test_a_taken_port_is_named_with_its_variable_and_an_alternative(taken: int) -> None:
    with pytest.raises(Problem) as refused:
        ports.require_free({"PORT": taken, "SANDBOX_PORT": ports.private_port()})

    first, last = str(refused.value).splitlines()
    assert first.startswith(f"Port {taken} (PORT) is taken by ")
    assert last.startswith("Choose another: PORT=")
    offered = int(last.removeprefix("Choose another: PORT=").removesuffix(" scripts/run"))
    assert ports.is_free(offered)


def test_two_servers_cannot_share_a_port() -> None:
    with pytest.raises(Problem, match="PORT=8123 and SANDBOX_PORT=8123: each needs a port"):
        ports.require_free({"PORT": 8123, "SANDBOX_PORT": 8123})


@pytest.mark.parametrize("text", ["eight", "0", "65536", "-1", "80.5", " 80"])
def test_what_is_not_a_port_is_refused_by_name(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)

    with pytest.raises(Problem, match=f"PORT={text} is not a port"):
        ports.chosen_port("PORT", 8000)


def test_an_empty_variable_means_the_default_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")

    assert ports.chosen_port("PORT", 8000) == 8000


def test_waiting_for_a_server_ends_when_its_time_is_over() -> None:
    url = f"http://{ports.HOST}:{ports.private_port()}/"

    assert not ports.wait_until_ok(url, seconds=0.01, check=lambda: None)
