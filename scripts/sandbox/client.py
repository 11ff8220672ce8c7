"""Driving the sandbox from tests, the demo and the bench, as people with phones would."""

from typing import Any, cast

import requests

TIMEOUT_SECONDS = 60


class SandboxRefused(Exception):
    """The sandbox said no; `code` is WeChat's where there is one."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class SandboxClient:
    """One sandbox server by its base URL. Proxies in the environment are ignored."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = self._session.request(
            method, self.base_url + path, json=body, timeout=TIMEOUT_SECONDS
        )
        data = cast("dict[str, Any]", response.json())
        if not response.ok:
            raise SandboxRefused(response.status_code, data["code"], data["message"])
        return data

    def user(self, **fields: str) -> str:
        """Register a person, or bring one up to date, and return the openid."""
        return str(self._call("POST", "/sandbox/users", dict(fields))["openid"])

    def users(self, users: list[dict[str, str]]) -> None:
        """Register many people at once."""
        self._call("POST", "/sandbox/users", {"users": users})

    def people(self) -> list[dict[str, Any]]:
        """Return everybody, oldest first."""
        return list(self._call("GET", "/sandbox/users")["users"])

    def login_code(self, openid: str) -> str:
        """Return a new code of `wx.login`."""
        return str(self._call("POST", f"/sandbox/users/{openid}/login-code")["code"])

    def phone_code(self, openid: str) -> str:
        """Return a new code of the phone number button."""
        return str(self._call("POST", f"/sandbox/users/{openid}/phone-code")["code"])

    def allow(self, openid: str, *template_ids: str, accepts: bool = True) -> dict[str, int]:
        """Tap "allow" (or "refuse") for messages of templates; return what is left of each."""
        body = {"template_ids": template_ids, "accepts": accepts}
        left = self._call("POST", f"/sandbox/users/{openid}/subscriptions", body)["left"]
        return cast("dict[str, int]", left)

    def template(self, template_id: str, *fields: str) -> None:
        """Make a template's fields known, so that messages must have just these."""
        body = {"template_id": template_id, "fields": fields}
        self._call("POST", "/sandbox/templates", body)

    def messages(self) -> list[dict[str, Any]]:
        """Return the subscribe messages that arrived, oldest first."""
        return list(self._call("GET", "/sandbox/messages")["messages"])

    def pay(
        self,
        *,
        prepay_id: str | None = None,
        out_trade_no: str | None = None,
        openid: str | None = None,
        force: bool = False,
    ) -> dict[str, Any]:
        """Pay an order on the payer's phone; `force` pays one that is closed or expired."""
        names = {"prepay_id": prepay_id, "out_trade_no": out_trade_no, "openid": openid}
        return self._call("POST", "/sandbox/pay", {**names, "force": force})

    def confirm(self, out_bill_no: str) -> dict[str, Any]:
        """Accept a transfer on the receiver's phone."""
        return self._call("POST", f"/sandbox/transfers/{out_bill_no}/confirm")

    def fail(self, out_bill_no: str, reason: str = "PAYEE_ACCOUNT_ABNORMAL") -> dict[str, Any]:
        """Let a transfer fail."""
        return self._call("POST", f"/sandbox/transfers/{out_bill_no}/fail", {"reason": reason})

    def settle_refund(self, out_refund_no: str, status: str = "SUCCESS") -> dict[str, Any]:
        """End a refund under way as SUCCESS, ABNORMAL or CLOSED."""
        return self._call("POST", f"/sandbox/refunds/{out_refund_no}", {"status": status})

    def books(self) -> dict[str, Any]:
        """Return what WeChat believes happened to money."""
        return self._call("GET", "/sandbox/books")

    def fault(self, path_prefix: str, fault: str, **more: Any) -> int:
        """Arm a fault (`times`, `seconds`, `changes`) and return its number."""
        body = {"path_prefix": path_prefix, "fault": fault, **more}
        return int(self._call("POST", "/sandbox/faults", body)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the armed and spent faults with their hits."""
        return list(self._call("GET", "/sandbox/faults")["faults"])

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self._call("DELETE", "/sandbox/faults")

    def calls(self) -> dict[str, int]:
        """Return how often each path of WeChat's APIs was called."""
        return cast("dict[str, int]", self._call("GET", "/sandbox/calls")["calls"])

    def notices(self) -> list[dict[str, Any]]:
        """Return all callbacks and how far they came."""
        return list(self._call("GET", "/sandbox/notices")["notices"])

    def flush(
        self,
        *,
        copies: int = 1,
        parallel: bool = False,
        shuffle: bool = False,
        event_type: str = "",
    ) -> list[dict[str, Any]]:
        """Deliver waiting callbacks now and return id, event type and status of each copy."""
        how = {
            "copies": copies,
            "parallel": parallel,
            "shuffle": shuffle,
            "event_type": event_type,
        }
        return list(self._call("POST", "/sandbox/notices/flush", how)["results"])

    def notice_key(self, serial: str) -> None:
        """Sign callbacks with another of WeChat's keys from now on."""
        self._call("POST", "/sandbox/notice-key", {"serial": serial})

    def advance(self, seconds: float) -> None:
        """Let time pass at WeChat."""
        self._call("POST", "/sandbox/clock", {"advance_seconds": seconds})

    def balance(self, amount_fen: int) -> None:
        """Set what the merchant has on account."""
        self._call("POST", "/sandbox/balance", {"amount_fen": amount_fen})

    def limits(self, **limits: int) -> None:
        """Set limits of transfers: min_fen, max_fen, user_day_fen, merchant_day_fen."""
        self._call("POST", "/sandbox/limits", dict(limits))

    def reset(self) -> None:
        """Forget people, money, faults and time."""
        self._call("POST", "/sandbox/reset")
