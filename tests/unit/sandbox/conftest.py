from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.sandbox.config import Config
from scripts.sandbox.control import Control
from scripts.sandbox.server import create_sandbox
from tests.unit.wechat.keys import key

OPENID = "oPerson0000000000000000000001"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        host="127.0.0.1",
        port=0,
        state_dir=tmp_path / "sandbox",
        app_id="wx1234567890abcdef",
        app_secret="app-secret",
        mch_id="1900000001",
        mch_cert_serial="5F1C72E2A8931B72",
        mch_public_key=key("merchant").public_key(),
        api_v3_key=b"0123456789abcdef0123456789ABCDEF",
        keys={"PUB_KEY_ID_1": key("wechat"), "PUB_KEY_ID_2": key("wechat2")},
        is_manual=True,
        retry_seconds=(1.0,) * 15,
        balance_fen=100_000,
        transfer_min_fen=10,
        transfer_max_fen=20_000,
        transfer_user_day_fen=200_000,
        transfer_merchant_day_fen=5_000_000,
    )


@pytest.fixture
def start(config: Config) -> Iterator[Callable[[], Control]]:
    """Start a sandbox without its HTTP server on the books that are there."""
    started: list[Control] = []

    def begin() -> Control:
        _, hands = create_sandbox(config)
        started.append(hands)
        return hands

    yield begin
    for hands in started:
        hands.books.close()


@pytest.fixture
def control(start: Callable[[], Control]) -> Control:
    """A sandbox with one person in it."""
    hands = start()
    hands.phones.register({"openid": OPENID, "nickname": "小红"})
    return hands
