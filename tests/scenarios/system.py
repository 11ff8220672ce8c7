"""The whole product as processes, with waiting times of nought."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

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
def whole_system(services: Services) -> Iterator[tuple[str, SandboxClient]]:
    """Run every process of the product as `scripts/run` does; give its URL and the sandbox."""
    base_url = services.env["PUBLIC_BASE_URL"]
    sandbox_url = services.env["WECHAT_PAY_BASE_URL"]
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
            process.start(QUICK)
            stack.callback(process.stop)
        running["story-sandbox"].wait_for(f"{sandbox_url}/healthz")
        running["story-web"].wait_for(f"{base_url}/readyz")
        sandbox = SandboxClient(sandbox_url)
        sandbox.reset()
        yield base_url, sandbox
