"""Keys for a WeChat of our own: `python -m scripts.sandbox.keys FOLDER`.

Makes, where they are missing, the merchant's key pair and two of WeChat Pay's (the second to
rehearse a rotation): `NAME.pem` private, readable by us only, and `NAME.pub.pem` public.
"""

import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

NAMES = ("merchant", "wechat", "wechat2")


def make_keys(folder: Path) -> None:
    """Write the missing pairs; a pair is complete once its private key has its final name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
        if private.exists() and public.exists():
            continue
        key = generate_private_key(public_exponent=65537, key_size=2048)
        spki = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        public.write_bytes(spki)
        half_done = private.with_suffix(".tmp")
        descriptor = os.open(half_done, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        half_done.rename(private)


if __name__ == "__main__":
    make_keys(Path(sys.argv[1]))
