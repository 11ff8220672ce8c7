"""A mini-program without a phone: a person who talks to our API; the sandbox plays WeChat.

The story script, the scenario test and the benchmarks use it; it knows nothing that a real
mini-program would not know.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import requests

from scripts.sandbox.client import SandboxClient

TIMEOUT_SECONDS: Final = 30
PATIENCE_SECONDS: Final = 60


class Refused(Exception):
    """The API said no; `problem` is its problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem


class Phone:
    """One person's WeChat, with the mini-program open."""

    def __init__(self, base_url: str, sandbox: SandboxClient, **user: str) -> None:
        self.base_url = f"{base_url}/api/v1"
        self.sandbox = sandbox
        self.openid = sandbox.user(**user)
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept-Language"] = "en"

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """Call the API; returns the answer's JSON, an empty object where there is none."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.http.request(
            method, self.base_url + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS
        )
        document: dict[str, Any] = answer.json() if answer.content else {}
        if not answer.ok:
            raise Refused(answer.status_code, document)
        return document

    def picture(self, path: str) -> bytes:
        """Return what the API answers as bytes, such as a QR code."""
        answer = self.http.get(self.base_url + path, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.content

    def sign_in(self, consent_version: str = "2026-11", **device: str) -> dict[str, Any]:
        """Do what `wx.login` and the sign-in of the mini-program do."""
        code = self.sandbox.login_code(self.openid)
        body = {"code": code, "consent_version": consent_version, **device}
        signed_in = self.call("POST", "/session", body)
        self.http.headers["Authorization"] = f"Bearer {signed_in['token']}"
        return signed_in

    def prove_presence(self) -> None:
        """Show that the person still holds the phone, as withdrawals ask for."""
        self.call("POST", "/session/refresh", {"code": self.sandbox.login_code(self.openid)})

    def scan(self, code: str, source: str = "poster") -> dict[str, Any]:
        """Scan a share code."""
        return self.call("POST", "/touches", {"code": code, "source": source})

    def buy(
        self, product_id: int, *, store_id: int, fulfilment: str = "service", quantity: int = 1
    ) -> dict[str, Any]:
        """Order and pay for something; returns the order as it was made."""
        line = {"product_id": product_id, "quantity": quantity}
        basket = {"store_id": store_id, "fulfilment": fulfilment, "lines": [line]}
        order = self.call("POST", "/orders", basket, key=uuid.uuid4().hex)
        offered = self.call("POST", f"/orders/{order['number']}/payment")
        self.sandbox.pay(prepay_id=offered["package"].removeprefix("prepay_id="))
        return order

    def order(self, number: str) -> dict[str, Any]:
        """Return an order as its buyer sees it."""
        return self.call("GET", f"/orders/{number}")

    def withdraw(self, amount_fen: int) -> dict[str, Any]:
        """Ask for a payout."""
        self.prove_presence()
        body = {"amount_fen": amount_fen}
        return self.call("POST", "/distributor/payouts", body, key=uuid.uuid4().hex)

    def confirm_bills(self, payout_id: int) -> int:
        """Accept, in WeChat, every transfer of a payout that waits for it; returns how many."""
        payout = self.call("GET", f"/distributor/payouts/{payout_id}")
        waiting = [bill for bill in payout["bills"] if bill["confirmation"]]
        for bill in waiting:
            self.sandbox.confirm(bill["number"])
        return len(waiting)


def wait_until(what: str, holds: Callable[[], bool]) -> None:
    """Ask again and again until something holds; give up after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.2)
