"""Personal data at rest: encrypted, with a keyed hash to look it up by.

AES-256-GCM with a fresh nonce for each value; the hash is HMAC-SHA256 under a key derived from the
same secret. Without `DATA_KEY` a stolen dump names nobody.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

NONCE_BYTES = 12
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens personal data with one key."""

    _key: bytes

    @classmethod
    def from_hex(cls, text: str) -> "Vault":
        """Take the key from its 64 hex digits."""
        key = bytes.fromhex(text)
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, not {len(key)}")
        return cls(key)

    def seal(self, plain: str) -> str:
        """Encrypt a text; the same text looks different each time."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(
            nonce + AESGCM(self._key).encrypt(nonce, plain.encode(), None)
        ).decode()

    def open(self, sealed: str) -> str:
        """Decrypt a text; a changed byte raises."""
        raw = base64.b64decode(sealed)
        return AESGCM(self._key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None).decode()

    def look_up(self, kind: str, plain: str) -> str:
        """Return the keyed hash by which a value of a kind is found and compared."""
        key = hmac.digest(self._key, b"look-up", "sha256")
        return hmac.new(key, f"{kind}\x00{plain}".encode(), hashlib.sha256).hexdigest()


def vault() -> Vault:
    """Return the vault of the running application."""
    found: Vault = current_app.extensions["vault"]
    return found


def mask_phone(phone: str) -> str:
    """Show a phone number as people may see it by default.

    >>> mask_phone("13800138000")
    '138****8000'
    """
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else "****"  # noqa: PLR2004
