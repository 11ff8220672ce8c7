"""A member of staff at the real back office, over HTTP: pages are read, forms are sent back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pyotp
import requests

from scripts.phone import TIMEOUT_SECONDS, wait_until
from tests.admin.pages import fields_of

PASSWORD: Final = "correct horse battery"
TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
ROW_ID: Final = re.compile(r"[?&]id=(\d+)")


@dataclass
class Desk:
    """Somebody with a browser, a password and an authenticator app."""

    base_url: str
    email: str
    secret: str
    http: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **query: Any) -> str:
        """Open a page and return it."""
        answer = self.http.get(
            f"{self.base_url}/admin{path}", params=query, timeout=TIMEOUT_SECONDS
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def send(self, path: str, data: Mapping[str, Any], **query: Any) -> str:
        """Send a form; returns the address it leads to."""
        answer = self.http.post(
            f"{self.base_url}/admin{path}",
            params=query,
            data=data,
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 302, f"{path}: {answer.status_code} {answer.text}"
        return answer.headers["Location"]

    def sign_in(self) -> None:
        """Come in through both factors."""
        self.http.trust_env = False
        self.http.headers["Accept-Language"] = "en"
        words = {"email": self.email, "password": PASSWORD}
        self.send("/login", {**words, "csrf_token": self._token("/login")})
        code = pyotp.TOTP(self.secret).at(datetime.now(UTC))
        self.send("/tf-validate", {"code": code, "csrf_token": self._token("/tf-validate")})

    def fill(self, endpoint: str, form: str, changes: Mapping[str, Any], **query: Any) -> int:
        """Fill in a form as it stands but for `changes`; returns the row that came of it."""
        path = f"/{endpoint}/form/{form}/"
        data = {**fields_of(self.get(path, **query)), **changes}
        found = ROW_ID.search(self.send(path, data, **query))
        assert found is not None, f"{path} leads to no row"
        return int(found[1])

    def decide(self, endpoint: str, name: str, row_id: int, **fields: str) -> None:
        """Decide about a row, with its confirmation; the page afterwards says that it was done."""
        data = {"action": name, "rowid": row_id, "confirmed": "1", **fields}
        address = self.send(
            f"/{endpoint}/action/", {**data, "csrf_token": self._token("/account/")}
        )
        page = self.get(address.partition("/admin")[2])
        assert "Done for 1 row." in page, re.findall(r"data-flash>.*?<p>(.*?)</p>", page, re.DOTALL)

    def find(self, endpoint: str, text: str) -> int:
        """Search a list for a text; returns the first row."""
        found = ROW_ID.search(self.get(f"/{endpoint}/", search=text))
        assert found is not None, f"no {text} among {endpoint}"
        return int(found[1])

    def _token(self, path: str) -> str:
        found = TOKEN.search(self.get(path))
        assert found is not None, path
        return found[1]

    # Plans

    def draft_plan(self, name: str, model: str, rules: Mapping[str, Any], *, store_id: int) -> int:
        """Open a plan and write its first version: for one store, in the editor's text."""
        version_id = self.fill("plan_versions", "plan", {"name": name, "model": model})
        written = {
            "tab": "json",
            "note": "first draft",
            "rules": json.dumps({"model": model, **rules}),
            "store_choice": "some",
            "store_ids": [str(store_id)],
        }
        return self.fill("plan_versions", "edit", written, id=version_id)

    def simulate(self, version_id: int, **growth: int) -> int:
        """Try a version on a small invented brand, and wait for the result."""
        asked = {name: str(one) for name, one in growth.items()}
        asked |= {"version_id": str(version_id), "kind": "growth"}
        simulation_id = self.fill("simulations", "new", asked, version=version_id)

        def is_done() -> bool:
            told = json.loads(self.get("/simulations/status/", id=simulation_id))
            assert told["state"] != "failed", told
            return bool(told["state"] == "done")

        wait_until("simulated", is_done)
        return simulation_id

    def answer_for_risks(self, version_id: int) -> list[str]:
        """Answer in writing for every high risk; returns the rules answered for."""
        page = self.get("/plan_versions/form/confirm/", id=version_id)
        names = re.findall(r'name="(answer_\w+)"', page)
        answers = dict.fromkeys(names, "Looked at, and taken upon myself.")
        self.fill("plan_versions", "confirm", answers, id=version_id)
        return [name.removeprefix("answer_") for name in names]
