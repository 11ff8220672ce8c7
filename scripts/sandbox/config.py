"""What the sandbox is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

API_V3_KEY_BYTES = 32
RETRY_SECONDS = "1,1,2,5,10,20,30,30,30,60,60,60,60,60,60"
"""WeChat repeats 15 times within a day and four minutes; so many times here, within minutes."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One merchant with one mini-program, and WeChat's own keys."""

    host: str
    port: int
    state_dir: Path
    app_id: str
    app_secret: str = field(repr=False)
    mch_id: str
    mch_cert_serial: str
    mch_public_key: RSAPublicKey
    api_v3_key: bytes = field(repr=False)
    keys: Mapping[str, RSAPrivateKey] = field(repr=False)
    """WeChat Pay's private keys by serial; the first signs callbacks."""
    is_manual: bool
    """Callbacks and refunds wait for `POST /sandbox/notices/flush`."""
    retry_seconds: tuple[float, ...]
    balance_fen: int
    transfer_min_fen: int
    transfer_max_fen: int
    transfer_user_day_fen: int
    transfer_merchant_day_fen: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read it, or raise KeyError or ValueError naming what is wrong."""
        api_v3_key = env["WECHAT_API_V3_KEY"].encode()
        if len(api_v3_key) != API_V3_KEY_BYTES:
            raise ValueError(f"WECHAT_API_V3_KEY has {API_V3_KEY_BYTES} bytes")
        mode = env.get("SANDBOX_NOTIFY", "auto")
        if mode not in {"auto", "manual"}:
            raise ValueError("SANDBOX_NOTIFY is auto or manual")
        pairs = (pair.split("=", 1) for pair in env["WECHAT_PAY_PRIVATE_KEY_FILES"].split(","))
        retries = env.get("SANDBOX_RETRY_SECONDS", RETRY_SECONDS).split(",")
        return cls(
            host=env.get("SANDBOX_HOST", "127.0.0.1"),
            port=int(env.get("SANDBOX_PORT", "8001")),
            state_dir=Path(env["SANDBOX_STATE_DIR"]),
            app_id=env["WECHAT_APP_ID"],
            app_secret=env["WECHAT_APP_SECRET"],
            mch_id=env["WECHAT_MCH_ID"],
            mch_cert_serial=env["WECHAT_MCH_CERT_SERIAL"],
            mch_public_key=load_private_key(env["WECHAT_MCH_PRIVATE_KEY_FILE"]).public_key(),
            api_v3_key=api_v3_key,
            keys={serial.strip(): load_private_key(path.strip()) for serial, path in pairs},
            is_manual=mode == "manual",
            retry_seconds=tuple(float(text) for text in retries),
            balance_fen=int(env.get("SANDBOX_BALANCE_FEN", "10000000")),
            transfer_min_fen=int(env.get("SANDBOX_TRANSFER_MIN_FEN", "10")),
            transfer_max_fen=int(env.get("SANDBOX_TRANSFER_MAX_FEN", "20000")),
            transfer_user_day_fen=int(env.get("SANDBOX_TRANSFER_USER_DAY_FEN", "200000")),
            transfer_merchant_day_fen=int(env.get("SANDBOX_TRANSFER_MERCHANT_DAY_FEN", "5000000")),
        )


def load_private_key(path: str) -> RSAPrivateKey:
    """Load an RSA private key from a PEM file."""
    key = load_pem_private_key(Path(path).read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key
