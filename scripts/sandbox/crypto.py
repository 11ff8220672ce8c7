"""Signing, verifying, encrypting as WeChat Pay v3 does, from its documents.

RSA PKCS#1 v1.5 with SHA-256 for signatures, RSA-OAEP with SHA-1 for single sensitive fields,
AES-256-GCM under the APIv3 key for callback resources.
"""

import base64
import re
import secrets
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH_SECONDS = 300
PROBE = "WECHATPAY/SIGNTEST/"
AUTHORIZATION_FIELDS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """Return the base64 signature of a message."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Say whether a base64 signature fits a message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def lines(*parts: str | bytes) -> bytes:
    r"""Join parts the way both signed messages are built: each ends in a newline.

    >>> lines("1722850421", "nonce", b"{}")
    b'1722850421\nnonce\n{}\n'
    """
    return b"".join((part.encode() if isinstance(part, str) else part) + b"\n" for part in parts)


def stamp(
    key: RSAPrivateKey, serial: str, body: bytes, *, timestamp: int | None = None
) -> dict[str, str]:
    """Return the five headers that vouch for a body."""
    at, nonce = str(timestamp or int(time.time())), secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": at,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(key, lines(at, nonce, body)),
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": SCHEME,
    }


def encrypt_resource(key: bytes, plaintext: bytes, associated_data: str) -> dict[str, str]:
    """Encrypt what a callback tells; the tag is the last 16 bytes."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(key).encrypt(nonce.encode(), plaintext, associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": associated_data,
        "nonce": nonce,
    }


def decrypt_resource(key: bytes, resource: dict[str, str]) -> bytes:
    """Undo `encrypt_resource`."""
    return AESGCM(key).decrypt(
        resource["nonce"].encode(),
        base64.b64decode(resource["ciphertext"]),
        resource.get("associated_data", "").encode(),
    )


def decrypt_field(key: RSAPrivateKey, ciphertext: str) -> str:
    """Decrypt a sensitive field; raises ValueError where it is not for this key."""
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - WeChat's choice
    return key.decrypt(base64.b64decode(ciphertext), padding).decode()


@dataclass(frozen=True)
class Authorization:
    """The header with which a merchant signs a request."""

    mchid: str
    nonce_str: str
    signature: str
    timestamp: str
    serial_no: str


def read_authorization(header: str) -> Authorization | None:
    """Take the header apart; None where a part is missing."""
    scheme, _, rest = header.partition(" ")
    pairs = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme != SCHEME or set(pairs) != AUTHORIZATION_FIELDS:
        return None
    return Authorization(**pairs)


def is_authorized(
    key: RSAPublicKey, header: Authorization, method: str, target: str, body: bytes
) -> bool:
    """Say whether a request is fresh and signed, over its raw target and raw body."""
    if not header.timestamp.isdigit():
        return False
    if abs(time.time() - int(header.timestamp)) > FRESH_SECONDS:
        return False
    message = lines(method, target, header.timestamp, header.nonce_str, body)
    return is_signed(key, message, header.signature)
