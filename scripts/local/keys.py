"""The secrets of one checkout: made on the first start, kept in `var/keys`, readable by its user.

The product and the sandbox share them: the sandbox signs with WeChat Pay's keys, the product
verifies with their public halves, and the other way round for the merchant.
"""

import contextlib
import os
import secrets
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scripts.local.problems import Problem

RSA_BITS: Final = 2048
ALPHANUMERIC: Final = string.ascii_letters + string.digits
WECHAT_PAY_KEYS: Final = 2
"""WeChat rotates its keys; two from the start keep the choice by serial honest."""


def _public_key_id() -> str:
    return "PUB_KEY_ID_" + "".join(secrets.choice(string.digits) for _ in range(32))


TEXTS: Final[Mapping[str, Callable[[], str]]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "DATA_KEY": lambda: secrets.token_hex(32),
    "WECHAT_APP_ID": lambda: "wx" + secrets.token_hex(8),
    "WECHAT_APP_SECRET": lambda: secrets.token_hex(16),
    "WECHAT_MCH_ID": lambda: "1" + "".join(secrets.choice(string.digits) for _ in range(9)),
    "WECHAT_MCH_CERT_SERIAL": lambda: secrets.token_hex(20).upper(),
    "WECHAT_API_V3_KEY": lambda: "".join(secrets.choice(ALPHANUMERIC) for _ in range(32)),
} | {f"wechat_pay_{n}.id": _public_key_id for n in range(1, WECHAT_PAY_KEYS + 1)}
"""Each text by the name of its file; capitals are settings of the same name."""


def ensure_keys(directory: Path, *, data_exists: bool = False) -> dict[str, str]:
    """Make what is missing and return the settings that carry or point to the secrets.

    Raises `Problem` where data encrypted with a lost DATA_KEY exists: a new key could not read it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data_exists and not (directory / "DATA_KEY").exists() and "DATA_KEY" not in os.environ:
        raise Problem(
            f"{directory / 'DATA_KEY'} is missing, but the database holds data encrypted with it.\n"
            "Restore the file, or start anew with scripts/run --reset."
        )
    texts = {name: _text(directory / name, make) for name, make in TEXTS.items()}
    settings = {name: text for name, text in texts.items() if name.isupper()}
    merchant = _private_key(directory / "merchant.pem")
    settings["WECHAT_MCH_PRIVATE_KEY_FILE"] = str(merchant)
    public, private = [], []
    for number in range(1, WECHAT_PAY_KEYS + 1):
        serial = texts[f"wechat_pay_{number}.id"]
        path = _private_key(directory / f"wechat_pay_{number}.pem")
        private.append(f"{serial}={path}")
        public.append(f"{serial}={_public_key(path)}")
    settings["WECHAT_PAY_PUBLIC_KEY_FILES"] = ",".join(public)
    settings["WECHAT_PAY_PRIVATE_KEY_FILES"] = ",".join(private)
    return settings


def _text(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        _write(path, make().encode())
    return path.read_text().strip()


def _private_key(path: Path) -> Path:
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        encoded = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write(path, encoded)
    return path


def _public_key(private: Path) -> Path:
    path = private.with_suffix(".pub.pem")
    if not path.exists():
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        encoded = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write(path, encoded)
    return path


def _write(path: Path, content: bytes) -> None:
    """Write a secret whole or not at all, even if the machine stops here."""
    half = path.with_name(path.name + ".part")
    with contextlib.suppress(FileNotFoundError):
        half.unlink()
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
