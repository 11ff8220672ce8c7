"""What WeChat published is what we compute. The sandbox's own crypto: tests/unit/sandbox."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from wechatpayv3.utils import aes_decrypt

from app.wechat.errors import NoticeFlaw
from app.wechat.notices import NoticeReader, decrypt
from app.wechat.signatures import Untrusted, Verifier
from app.wechat.wire import Resource
from tests.unit.wechat.vectors import vector, vectors

TYPE = "WECHATPAY2-SHA256-RSA2048"


def headers_of(sample: dict[str, Any], serial: str) -> dict[str, str]:
    return {
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sample["signature"],
        "Wechatpay-Signature-Type": TYPE,
        "Wechatpay-Timestamp": sample["timestamp"],
        "Wechatpay-Nonce": sample["nonce"],
    }


def test_the_documented_answer_is_believed_within_five_minutes_and_not_later() -> None:
    sample = vector("response_verify")
    verifier = Verifier({"PUB_KEY_ID_A": sample["public_key"]})
    headers, body = headers_of(sample, "PUB_KEY_ID_A"), sample["body"].encode()
    signed_at = datetime.fromtimestamp(int(sample["timestamp"]), UTC)

    verifier.check(headers, body, now=signed_at + timedelta(seconds=300))

    with pytest.raises(Untrusted) as late:
        verifier.check(headers, body, now=signed_at + timedelta(seconds=301))
    assert late.value.flaw is NoticeFlaw.NOT_FRESH


def test_the_notice_of_the_go_sdk_is_read_with_its_certificate_and_is_of_no_kind_we_know() -> None:
    sample = vector("notify")
    reader = NoticeReader(
        verifier=Verifier({sample["serial"]: sample["certificate"]}),
        api_v3_key=sample["apiv3_key"],
        mchid="1234567890",
        appid="",
    )

    notice = reader.read(
        headers_of(sample, sample["serial"]),
        sample["body"].encode(),
        now=datetime.fromtimestamp(int(sample["timestamp"]), UTC),
    )

    assert notice.notice_id == "3119dfba-e649-5eec-ab1e-3412bc4d2e17"
    assert notice.event_type == "PAYSCORE.USER_OPEN_SERVICE"
    assert notice.created_at == datetime(2021, 6, 24, 8, 37, 26, tzinfo=UTC)
    assert notice.report is None


@pytest.mark.parametrize("sample", vectors("aes_gcm"), ids=lambda sample: sample["key"])
def test_official_ciphertexts_decrypt(sample: dict[str, Any]) -> None:
    resource = Resource(
        algorithm="AEAD_AES_256_GCM",
        ciphertext=sample["ciphertext"],
        nonce=sample["nonce"],
        associated_data=sample["aad"],
    )

    assert decrypt(resource, sample["key"]) == sample["plaintext"].encode()


@pytest.mark.parametrize("sample", vectors("certificates"), ids=lambda sample: sample["key"])
def test_official_certificate_answers_decrypt(sample: dict[str, Any]) -> None:
    resource = Resource(
        algorithm="AEAD_AES_256_GCM",
        ciphertext=sample["ciphertext"],
        nonce=sample["nonce"],
        associated_data=sample["associated_data"],
    )

    plaintext = decrypt(resource, sample["key"])

    assert plaintext.startswith(b"-----BEGIN CERTIFICATE-----")
    assert plaintext.decode() == aes_decrypt(
        sample["nonce"], sample["ciphertext"], "certificate", sample["key"]
    )


def test_the_documented_pay_sign_is_over_the_four_lines_that_we_sign() -> None:
    sample = vector("pay_sign")
    lines = (sample["appid"], sample["timestamp"], sample["nonce"], sample["package"])
    message = "".join(f"{line}\n" for line in lines).encode()
    key = load_pem_public_key(sample["public_key"].encode())
    assert isinstance(key, RSAPublicKey)

    key.verify(base64.b64decode(sample["signature"]), message, PKCS1v15(), SHA256())
