"""Whether a message is WeChat Pay's: a signature over `timestamp, nonce, raw body`.

The same rules hold for its answers to us and for its callbacks. The key is chosen by serial from
those in the settings, never fetched: an unknown serial costs no work and no outgoing call. Rules:
WeChat Pay v3, "signature verification".
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from app.wechat.errors import NoticeFlaw

FRESH_SECONDS: Final = 300
SIGNATURE_TYPE: Final = "WECHATPAY2-SHA256-RSA2048"
PROBE_PREFIX: Final = "WECHATPAY/SIGNTEST/"
TIMESTAMP_DIGITS_MAX: Final = 12


class Headers(Protocol):
    """Headers of any library: what matters is their pairs."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return name and value of each header."""
        ...


class Untrusted(Exception):
    """The message is not proven to come from WeChat Pay."""

    def __init__(self, flaw: NoticeFlaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class _Stamp:
    """The five headers that vouch for a body."""

    serial: str
    signature: str
    signature_type: str
    timestamp: str
    nonce: str


class Verifier:
    """Knows WeChat Pay's public keys by serial and believes nobody else."""

    def __init__(self, keys_pem: Mapping[str, str]) -> None:
        """Load the keys; a PEM may hold a public key or a platform certificate."""
        self._keys = {serial: _load_public_key(pem) for serial, pem in keys_pem.items()}

    def check(self, headers: Headers, body: bytes, *, now: datetime) -> None:
        """Return if the body is WeChat Pay's and fresh, else raise `Untrusted`.

        The serial comes first: nothing is computed for a stranger.
        """
        stamp = _read_stamp(headers)
        key = self._keys.get(stamp.serial)
        if key is None:
            raise Untrusted(NoticeFlaw.SERIAL_UNKNOWN)
        if stamp.signature_type != SIGNATURE_TYPE:
            raise Untrusted(NoticeFlaw.SIGNATURE_TYPE)
        if not _is_fresh(stamp.timestamp, now):
            raise Untrusted(NoticeFlaw.NOT_FRESH)
        if stamp.signature.startswith(PROBE_PREFIX):
            raise Untrusted(NoticeFlaw.PROBE)
        message = f"{stamp.timestamp}\n{stamp.nonce}\n".encode() + body + b"\n"
        try:
            signature = base64.b64decode(stamp.signature, validate=True)
            key.verify(signature, message, PKCS1v15(), SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            raise Untrusted(NoticeFlaw.SIGNATURE) from None


def _load_public_key(pem: str) -> RSAPublicKey:
    data = pem.encode()
    is_certificate = "BEGIN CERTIFICATE" in pem
    key = (
        load_pem_x509_certificate(data).public_key()
        if is_certificate
        else load_pem_public_key(data)
    )
    if not isinstance(key, RSAPublicKey):
        raise TypeError("WeChat Pay's public keys are RSA keys")
    return key


def _read_stamp(headers: Headers) -> _Stamp:
    """Take the headers, whatever the case of their names; each must be there and not empty."""
    found = {name.lower(): value for name, value in headers.items()}
    values = {
        field: found.get(f"wechatpay-{field.replace('_', '-')}", "")
        for field in ("serial", "signature", "signature_type", "timestamp", "nonce")
    }
    if not all(values.values()):
        raise Untrusted(NoticeFlaw.HEADER_MISSING)
    return _Stamp(**values)


def _is_fresh(timestamp: str, now: datetime) -> bool:
    """Say whether the stamp is at most five minutes from now, before or after."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        return False
    return abs(int(now.timestamp()) - int(timestamp)) <= FRESH_SECONDS
