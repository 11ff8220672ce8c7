"""Members of staff who sign in for measurements, through the same pages as people do."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import pyotp
import requests

from scripts.benchmarks.lab import Bench
from scripts.local.ports import HOST

PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - of a database that is dropped
TIMEOUT_SECONDS: Final = 60
TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')

APPOINT: Final = """
import json, sys
import sqlalchemy as sa
from flask_security import hash_password
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.stores.staff import NewStaff, create_staff
from wsgi import application
wish = json.loads(sys.stdin.read())
with application.test_request_context():
    with atomic() as session:
        now = session.scalar(sa.select(sa.func.now()))
        new = NewStaff(name=wish["email"], email=wish["email"], roles=[wish["role"]],
            store_ids=wish["store_ids"], sees_all_stores=not wish["store_ids"],
            password_hash=hash_password(wish["password"]), must_change_password=False)
        staff = create_staff(session, new, actor=SYSTEM, now=now)
        staff.tf_primary_method = "authenticator"
        staff.tf_totp_secret = json.dumps({"key": wish["secret"], "type": "totp", "v": 1})
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with one role, at some stores or at all."""

    role: str
    store_ids: tuple[int, ...] = ()
    secret: str = field(default_factory=pyotp.random_base32)

    @property
    def email(self) -> str:
        """Return what they sign in with."""
        places = "-".join(map(str, self.store_ids)) or "all"
        return f"{self.role}.{places}@bench.example"


def appoint(bench: Bench, person: Person) -> None:
    """Make somebody who can sign in with both factors."""
    wish = {
        "email": person.email,
        "role": person.role,
        "store_ids": person.store_ids,
        "password": PASSWORD,
        "secret": person.secret,
    }
    bench.run("-c", APPOINT, given=json.dumps(wish))


def sign_in(port: int, person: Person) -> str:
    """Come in through both factors; return the cookies as a header holds them."""
    with requests.Session() as http:
        http.trust_env = False
        base = f"http://{HOST}:{port}/admin"
        _post(http, f"{base}/login", {"email": person.email, "password": PASSWORD})
        code = pyotp.TOTP(person.secret).at(datetime.now(UTC))
        _post(http, f"{base}/tf-validate", {"code": code})
        if (answer := http.get(f"{base}/", timeout=TIMEOUT_SECONDS)).url != f"{base}/":
            raise RuntimeError(f"{person.email} did not come in: {answer.url}")
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


def _post(http: requests.Session, url: str, data: dict[str, str]) -> None:
    found = TOKEN.search(http.get(url, timeout=TIMEOUT_SECONDS).text)
    token = found[1] if found else ""
    http.post(url, data={**data, "csrf_token": token}, timeout=TIMEOUT_SECONDS)
