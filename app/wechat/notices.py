"""Reading WeChat Pay's callbacks: proven, fresh, for us, and typed.

Nobody is believed for having reached our address. The order of the checks is the order of their
cost: size, headers, serial, age, signature, decryption, contents.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.wechat.errors import NoticeFlaw, NoticeRefused
from app.wechat.signatures import Headers, Untrusted, Verifier
from app.wechat.values import Notice, PaymentReport, RefundReport, TransferReport
from app.wechat.wire import (
    Envelope,
    Malformed,
    PaymentWire,
    RefundWire,
    Resource,
    TransferWire,
    parse,
)

BODY_BYTES_MAX: Final = 64 * 1024
ALGORITHM: Final = "AEAD_AES_256_GCM"
RESOURCE_TYPE: Final = "encrypt-resource"
Wire = TypeVar("Wire", PaymentWire, RefundWire, TransferWire)
WIRE_OF: Final[Mapping[str, type[PaymentWire] | type[RefundWire] | type[TransferWire]]] = {
    "TRANSACTION.SUCCESS": PaymentWire,
    "REFUND.SUCCESS": RefundWire,
    "REFUND.ABNORMAL": RefundWire,
    "REFUND.CLOSED": RefundWire,
    "MCHTRANSFER.BILL.FINISHED": TransferWire,
}

log = structlog.get_logger(__name__)


def decrypt(resource: Resource, api_v3_key: str) -> bytes:
    """Decrypt a resource with the APIv3 key; the last 16 bytes are the tag."""
    if resource.algorithm != ALGORITHM:
        raise Untrusted(NoticeFlaw.NOT_ENCRYPTED)
    try:
        ciphertext = base64.b64decode(resource.ciphertext, validate=True)
        return AESGCM(api_v3_key.encode()).decrypt(
            resource.nonce.encode(), ciphertext, resource.associated_data.encode()
        )
    except (binascii.Error, ValueError, InvalidTag):
        raise Untrusted(NoticeFlaw.NOT_ENCRYPTED) from None


@dataclass(frozen=True, slots=True)
class NoticeReader:
    """Reads callbacks for one merchant and one mini-program."""

    verifier: Verifier
    api_v3_key: str
    mchid: str
    appid: str

    def read(self, headers: Headers, body: bytes, *, now: datetime) -> Notice:
        """Return what a callback says, or raise `NoticeRefused` with the flaw found first."""
        try:
            return self._read(headers, body, now)
        except Untrusted as error:
            flaw = error.flaw
        except Malformed as error:
            log.warning("wechat_notice_malformed", fields=str(error))
            flaw = NoticeFlaw.CONTENTS
        log.warning("wechat_notice_refused", flaw=flaw)
        raise NoticeRefused(flaw)

    def _read(self, headers: Headers, body: bytes, now: datetime) -> Notice:
        if len(body) > BODY_BYTES_MAX:
            raise Untrusted(NoticeFlaw.TOO_LARGE)
        self.verifier.check(headers, body, now=now)
        envelope = parse(Envelope, body)
        if envelope.resource_type != RESOURCE_TYPE:
            raise Untrusted(NoticeFlaw.NOT_ENCRYPTED)
        contents = decrypt(envelope.resource, self.api_v3_key)
        return Notice(
            notice_id=envelope.id,
            event_type=envelope.event_type,
            created_at=envelope.create_time,
            report=self._report(envelope.event_type, contents),
        )

    def _report(
        self, event_type: str, contents: bytes
    ) -> PaymentReport | RefundReport | TransferReport | None:
        model = WIRE_OF.get(event_type)
        if model is None:
            log.info("wechat_notice_ignored", event_type=event_type)
            return None
        wire = parse(model, contents)
        if not is_ours(wire, mchid=self.mchid, appid=self.appid):
            raise Untrusted(NoticeFlaw.NOT_FOR_US)
        return wire.report()


def is_ours(wire: PaymentWire | RefundWire | TransferWire, *, mchid: str, appid: str) -> bool:
    """Say whether the merchant and mini-program named, where any are, are ours."""
    match wire:
        case PaymentWire():
            return (wire.mchid, wire.appid) == (mchid, appid)
        case RefundWire():
            return wire.mchid in {mchid, None}
        case TransferWire():
            return wire.mch_id in {mchid, None} and wire.appid in {appid, None}
