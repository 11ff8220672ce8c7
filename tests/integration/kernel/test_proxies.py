from dataclasses import replace

import pytest
from flask import Flask, request

from app.factory import create_app
from app.settings import Settings


def _address_seen(settings: Settings, forwarded: str) -> str:
    app: Flask = create_app(settings)
    app.add_url_rule("/who", "who", lambda: request.remote_addr or "")
    return app.test_client().get("/who", headers={"X-Forwarded-For": forwarded}).text


@pytest.mark.parametrize(
    ("proxies", "address"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")]
)
def test_only_as_many_proxies_are_believed_as_are_ours(
    settings: Settings, proxies: int, address: str
) -> None:
    forwarded = "192.0.2.1, 198.51.100.7, 203.0.113.9"

    assert _address_seen(replace(settings, trusted_proxies=proxies), forwarded) == address
