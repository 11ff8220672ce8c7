"""The sandbox's crypto against what WeChat published, independently of the product's."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from wechatpayv3.utils import build_authorization, rsa_encrypt

from scripts.sandbox.crypto import (
    SCHEME,
    decrypt_field,
    decrypt_resource,
    encrypt_resource,
    is_authorized,
    is_signed,
    lines,
    read_authorization,
    sign,
    stamp,
)
from tests.unit.wechat.keys import key
from tests.unit.wechat.vectors import vector, vectors


def public(pem: str) -> RSAPublicKey:
    found = load_pem_public_key(pem.encode())
    assert isinstance(found, RSAPublicKey)
    return found


def certified(pem: str) -> RSAPublicKey:
    found = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(found, RSAPublicKey)
    return found


def test_the_documented_request_is_signed_over_the_lines_we_check() -> None:
    sample = vector("request_sign")
    message = lines(
        sample["method"], sample["path"], sample["timestamp"], sample["nonce"], sample["body"]
    )

    assert is_signed(public(sample["public_key"]), message, sample["signature"])
    assert not is_signed(public(sample["public_key"]), message + b"\n", sample["signature"])


def test_the_documented_pay_sign_is_over_the_lines_a_phone_checks() -> None:
    sample = vector("pay_sign")
    message = lines(sample["appid"], sample["timestamp"], sample["nonce"], sample["package"])

    assert is_signed(public(sample["public_key"]), message, sample["signature"])


def test_the_documented_answer_is_stamped_over_the_lines_we_stamp() -> None:
    sample = vector("response_verify")
    message = lines(sample["timestamp"], sample["nonce"], sample["body"])

    assert is_signed(public(sample["public_key"]), message, sample["signature"])


def test_the_notice_of_the_go_sdk_is_stamped_and_encrypted_as_ours_are() -> None:
    sample = vector("notify")
    message = lines(sample["timestamp"], sample["nonce"], sample["body"])

    assert is_signed(certified(sample["certificate"]), message, sample["signature"])


@pytest.mark.parametrize("sample", [*vectors("rsa_sign"), *vectors("rsa_verify_cert")])
def test_published_signatures_fit_their_messages(sample: dict[str, Any]) -> None:
    key_of_it = public(sample["public_key"])

    assert is_signed(key_of_it, sample["message"].encode(), sample["signature"])
    assert not is_signed(key_of_it, b"another message", sample["signature"])


@pytest.mark.parametrize("sample", vectors("aes_gcm"), ids=lambda sample: sample["key"])
def test_published_ciphertexts_decrypt(sample: dict[str, Any]) -> None:
    resource = {
        "ciphertext": sample["ciphertext"],
        "nonce": sample["nonce"],
        "associated_data": sample["aad"],
    }

    assert decrypt_resource(sample["key"].encode(), resource) == sample["plaintext"].encode()


def test_what_is_encrypted_decrypts() -> None:
    secret = b"0123456789abcdef0123456789ABCDEF"

    sealed = encrypt_resource(secret, "退款".encode(), "refund")

    assert decrypt_resource(secret, sealed) == "退款".encode()


def test_a_field_encrypted_by_the_common_library_is_read() -> None:
    sealed = rsa_encrypt("王小红", key("wechat").public_key())

    assert decrypt_field(key("wechat"), sealed) == "王小红"
    with pytest.raises(ValueError, match="ecryption"):
        decrypt_field(key("wechat2"), sealed)


def test_a_request_signed_by_the_common_library_is_authorized_once_and_as_it_is() -> None:
    text = build_authorization(
        "/v3/a?b=%E4%B8%AD", "POST", "1900000001", "AB12", key("merchant"), data='{"a": "中"}'
    )
    header, merchant = read_authorization(text), key("merchant").public_key()
    body = '{"a": "中"}'.encode()

    assert header is not None
    assert (header.mchid, header.serial_no) == ("1900000001", "AB12")
    assert is_authorized(merchant, header, "POST", "/v3/a?b=%E4%B8%AD", body)
    assert not is_authorized(merchant, header, "POST", "/v3/a?b=中", body)
    assert not is_authorized(merchant, header, "GET", "/v3/a?b=%E4%B8%AD", body)
    assert not is_authorized(merchant, header, "POST", "/v3/a?b=%E4%B8%AD", body + b" ")
    assert not is_authorized(
        key("stranger").public_key(), header, "POST", "/v3/a?b=%E4%B8%AD", body
    )


def test_a_request_of_six_minutes_ago_is_not_authorized(monkeypatch: pytest.MonkeyPatch) -> None:
    header = read_authorization(
        f'{SCHEME} mchid="1",nonce_str="n",timestamp="1000000000",serial_no="S",'
        f'signature="{sign(key("merchant"), lines("GET", "/", "1000000000", "n", b""))}"'
    )
    merchant = key("merchant").public_key()
    assert header is not None

    monkeypatch.setattr("scripts.sandbox.crypto.time.time", lambda: 1_000_000_300.0)
    assert is_authorized(merchant, header, "GET", "/", b"")
    monkeypatch.setattr("scripts.sandbox.crypto.time.time", lambda: 1_000_000_301.0)
    assert not is_authorized(merchant, header, "GET", "/", b"")


@pytest.mark.parametrize("text", ["", "Basic abc", SCHEME, f'{SCHEME} mchid="1"'])
def test_a_header_that_is_no_authorization_is_none(text: str) -> None:
    assert read_authorization(text) is None


def test_a_stamp_has_the_five_headers() -> None:
    headers = stamp(key("wechat"), "PUB_KEY_ID_1", b"{}", timestamp=1_722_850_421)

    assert headers.keys() == {
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Signature",
        "Wechatpay-Serial",
        "Wechatpay-Signature-Type",
    }
    message = lines("1722850421", headers["Wechatpay-Nonce"], b"{}")
    assert is_signed(key("wechat").public_key(), message, headers["Wechatpay-Signature"])
