"""The secrets of one checkout."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.settings import Settings
from scripts.local.keys import ensure_keys
from scripts.local.problems import Problem


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "keys"


@pytest.fixture(scope="module")
def keys(directory: Path) -> dict[str, str]:
    return ensure_keys(directory)


def test_the_second_start_finds_the_same_secrets(directory: Path, keys: dict[str, str]) -> None:
    assert ensure_keys(directory) == keys


def test_only_their_user_can_read_the_secrets(directory: Path, keys: dict[str, str]) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}

    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_product_can_start_with_them(keys: dict[str, str]) -> None:
    settings = Settings.from_env(keys | {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://"})

    assert len(bytes.fromhex(settings.data_key)) == 32
    assert len(settings.wechat_api_v3_key.encode()) == 32
    assert len(settings.wechat_pay_public_keys()) == 2


def test_each_public_key_of_wechat_belongs_to_its_private_key(keys: dict[str, str]) -> None:
    private = dict(pair.split("=", 1) for pair in keys["WECHAT_PAY_PRIVATE_KEY_FILES"].split(","))
    public = dict(pair.split("=", 1) for pair in keys["WECHAT_PAY_PUBLIC_KEY_FILES"].split(","))

    assert private.keys() == public.keys()
    for serial, path in private.items():
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
        published = serialization.load_pem_public_key(Path(public[serial]).read_bytes())
        assert isinstance(published, RSAPublicKey)
        assert key.public_key() == published


def test_two_copies_have_different_secrets(tmp_path: Path, keys: dict[str, str]) -> None:
    other = ensure_keys(tmp_path / "keys")

    assert not set(other.values()) & set(keys.values())


def test_a_lost_data_key_is_not_replaced_while_data_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATA_KEY", raising=False)

    with pytest.raises(Problem, match="DATA_KEY is missing, but the database holds data"):
        ensure_keys(tmp_path / "keys", data_exists=True)

    assert not (tmp_path / "keys" / "DATA_KEY").exists()


def test_a_write_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    directory.mkdir()
    (directory / "DATA_KEY.part").write_text("half")

    keys = ensure_keys(directory)

    assert len(keys["DATA_KEY"]) == 64
    assert not (directory / "DATA_KEY.part").exists()
