from pathlib import Path

import pytest

from app.settings import Settings
from app.wechat.pay import Pay
from tests.unit.wechat.keys import private_pem, public_pem

API_V3_KEY = "0123456789abcdef0123456789ABCDEF"
MCHID = "1900000001"
APPID = "wx1234567890abcdef"
SERIAL = "PUB_KEY_ID_1"
SECOND_SERIAL = "PUB_KEY_ID_2"


@pytest.fixture
def wechat_settings(tmp_path: Path) -> Settings:
    """A merchant whose WeChat is at a port where nobody listens."""
    files = {
        "merchant": private_pem("merchant").decode(),
        "first": public_pem("wechat"),
        "second": public_pem("wechat2"),
    }
    for name, pem in files.items():
        (tmp_path / name).write_text(pem)
    return Settings(
        database_url="",
        redis_url="redis://127.0.0.1:9/0",
        secret_key="secret",
        data_key="00" * 32,
        wechat_api_base_url="http://127.0.0.1:9",
        wechat_pay_base_url="http://127.0.0.1:9",
        wechat_app_id=APPID,
        wechat_app_secret="app-secret",
        wechat_mch_id=MCHID,
        wechat_mch_cert_serial="5F1C72E2A8931B72",
        wechat_mch_private_key_file=str(tmp_path / "merchant"),
        wechat_api_v3_key=API_V3_KEY,
        wechat_pay_public_key_files=(
            f"{SERIAL}={tmp_path / 'first'},{SECOND_SERIAL}={tmp_path / 'second'}"
        ),
        wechat_timeout_seconds=1,
    )


@pytest.fixture
def pay(wechat_settings: Settings) -> Pay:
    return Pay(wechat_settings)
