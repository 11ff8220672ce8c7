"""The whole product as processes, with waiting times of nought."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from scripts.local.ports import HOST, private_port
from scripts.sandbox.client import SandboxClient
from tests.servers import Process, Services, web_command

QUICK: Final = {
    "AFTER_SALE_SECONDS": "0",
    "SWEEP_SECONDS": "1",
    "RELAY_SECONDS": "0.1",
    "SANDBOX_NOTIFY": "auto",
    "PAYOUT_QUERY_SECONDS": "1",
}


@contextmanager
def whole_system(services: Services, **settings: str) -> Iterator[tuple[str, SandboxClient]]:
    """Run every process of the product as `scripts/run` does; give its URL and the sandbox.

    On ports of its own: the session's own sandbox and web server may be up beside it. `settings`
    stand above `QUICK`.
    """
    base_url = f"http://{HOST}:{private_port()}"
    sandbox_url = f"http://{HOST}:{private_port()}"
    env = QUICK | {
        "PUBLIC_BASE_URL": base_url,
        "WECHAT_API_BASE_URL": sandbox_url,
        "WECHAT_PAY_BASE_URL": sandbox_url,
        "SANDBOX_PORT": sandbox_url.rpartition(":")[2],
        "SANDBOX_STATE_DIR": str(services.layout.state / "story-sandbox"),
        **settings,
    }
    commands = {
        "story-sandbox": ["-m", "scripts.sandbox"],
        "story-web": web_command(base_url.rpartition(":")[2]),
        "story-worker": ["-m", "flask", "worker"],
        "story-relay": ["-m", "flask", "relay"],
        "story-scheduler": ["-m", "flask", "scheduler"],
    }
    with ExitStack() as stack:
        running = {name: Process(services, name, command) for name, command in commands.items()}
        for process in running.values():
            process.start(env)
            stack.callback(process.stop)
        running["story-sandbox"].wait_for(f"{sandbox_url}/healthz")
        running["story-web"].wait_for(f"{base_url}/readyz")
        yield base_url, SandboxClient(sandbox_url)
