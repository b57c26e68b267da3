"""Keeping API keys: what is created, revoked and limited, what is kept of a key, and that damage opens nothing."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.files import BreakingFiles, MemoryFiles
from tests.storage.examples import open_names
from windrow.domain.access import CreatedKey, CreateKeyRequest
from windrow.domain.errors import (
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    KeyExists,
    KeyNotFound,
    KeysUnavailable,
    StorageFailed,
    StorageFull,
    StorageUncertain,
)
from windrow.domain.key_limits import LimitKeyRequest
from windrow.storage import key_store
from windrow.storage.files import LocalFiles
from windrow.storage.key_store import KEPT_FILES, KeyStore, digest_of

NOW = datetime(2025, 9, 22, 12, tzinfo=UTC)
SHOP = CreateKeyRequest(name="shop", scopes=("predict", "read"), only=("tickets_*",), expires_in_days=3)
LOG = "access/keys"


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def keys(files: MemoryFiles) -> KeyStore:
    return KeyStore(open_names(files, lambda: NOW))


def names_of(keys: KeyStore) -> list[str]:
    return [each.name for each in keys.known().keys]


def test_a_place_without_a_log_has_no_key(keys: KeyStore) -> None:
    assert (keys.known().number, keys.known().keys) == (0, ())


def test_a_key_is_told_once_and_kept_as_its_digest(keys: KeyStore, files: MemoryFiles) -> None:
    created = keys.create(SHOP, "root")
    assert (created.name, created.scopes, created.only, created.created_by) == (
        "shop",
        SHOP.scopes,
        SHOP.only,
        "root",
    )
    assert (created.created_at, created.expires_at) == (NOW, NOW + timedelta(days=3))
    assert created.key.startswith(created.hint)
    assert len(created.key.removeprefix("wdr_")) == 43  # 256 bits in base64
    (kept,) = keys.known().keys
    assert kept.sha256 == digest_of(created.key) == hashlib.sha256(created.key.encode()).hexdigest()
    content = files.get(f"{LOG}/000001.json")
    assert created.key.encode() not in content
    assert created.key[len(created.hint) :].encode() not in content


def test_no_two_keys_are_alike(keys: KeyStore) -> None:
    created = {keys.create(replace(SHOP, name=f"key{number}"), None).key for number in range(20)}
    assert len(created) == 20


def test_keys_are_sorted_by_name_and_one_without_an_end_has_none(keys: KeyStore) -> None:
    for name in ("b", "C", "a"):
        keys.create(replace(SHOP, name=name, expires_in_days=None), None)
    assert names_of(keys) == ["C", "a", "b"]
    assert keys.known().keys[0].expires_at is None


def test_a_name_is_given_once_also_that_of_a_revoked_key(keys: KeyStore) -> None:
    keys.create(SHOP, None)
    for _ in range(2):
        with pytest.raises(KeyExists, match="shop"):
            keys.create(SHOP, None)
        keys.revoke("shop")
    assert len(keys.known().keys) == 1


def test_a_revoked_key_stays_so_and_keeps_the_time(files: MemoryFiles) -> None:
    times = iter([NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2)])
    keys = KeyStore(open_names(files, lambda: next(times)))
    keys.create(SHOP, None)
    assert keys.revoke("shop").revoked_at == NOW + timedelta(hours=1)
    number = keys.known().number
    assert keys.revoke("shop").revoked_at == NOW + timedelta(hours=1)
    assert keys.known().number == number
    assert not hasattr(keys.revoke("shop"), "sha256")


def test_limits_are_set_all_together(keys: KeyStore) -> None:
    keys.create(replace(SHOP, texts_per_day=7), None)
    limited = keys.limit(LimitKeyRequest(name="shop", requests_per_day=5))
    assert (limited.requests_per_day, limited.texts_per_day, limited.only) == (5, None, SHOP.only)
    assert keys.known().keys[0].requests_per_day == 5


@pytest.mark.parametrize(
    "change", [lambda keys, name: keys.revoke(name), lambda keys, name: keys.limit(LimitKeyRequest(name=name))]
)
def test_a_key_that_there_is_not_is_not_found(keys: KeyStore, change: Callable[[KeyStore, str], object]) -> None:
    with pytest.raises(KeyNotFound, match="nobody"):
        change(keys, "nobody")
    with pytest.raises(InvalidName):
        change(keys, "no name")
    assert keys.known().number == 0


def test_there_are_only_so_many_keys(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_store, "MAX_KEYS", 2)
    for name in ("a", "b"):
        keys.create(replace(SHOP, name=name), None)
    with pytest.raises(InvalidParameter, match="2 keys"):
        keys.create(replace(SHOP, name="c"), None)
    assert names_of(keys) == ["a", "b"]


def test_what_could_not_be_read_again_is_not_written(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(SHOP, None)

    def refuse(*_: object) -> None:
        raise InvalidArtifact("it has too many values.")

    monkeypatch.setattr(key_store, "keys_from_json", refuse)
    with pytest.raises(InvalidParameter, match="fewer or shorter patterns"):
        keys.create(replace(SHOP, name="b", only=("tickets_*",) * 50), None)
    assert names_of(keys) == ["shop"]


def test_the_newest_file_has_all_keys_and_old_ones_go(keys: KeyStore, files: MemoryFiles) -> None:
    for number in range(KEPT_FILES + 5):
        keys.create(replace(SHOP, name=f"key{number:02}"), None)
    numbers = sorted(int(name.removesuffix(".json")) for name in files.list(LOG))
    assert numbers == list(range(6, KEPT_FILES + 6))
    newest = json.loads(files.get(f"{LOG}/{KEPT_FILES + 5:06}.json"))
    assert [each["name"] for each in newest["keys"]] == names_of(keys)
    assert len(names_of(keys)) == KEPT_FILES + 5


def test_another_process_sees_what_was_changed(files: MemoryFiles, keys: KeyStore) -> None:
    other = KeyStore(open_names(files))
    keys.create(SHOP, None)
    assert names_of(other) == ["shop"]
    other.revoke("shop")
    assert keys.known().keys[0].revoked_at is not None


def test_the_token_changes_with_the_keys_alone(keys: KeyStore, files: MemoryFiles) -> None:
    keys.create(SHOP, None)
    before = keys.version_token()
    files.put_new("classifiers/a/000001.json", b"{}")
    assert keys.version_token() == before is not None
    keys.revoke("shop")
    assert keys.version_token() != before


def test_many_create_at_once_and_none_is_lost(tmp_path: Path) -> None:
    stores = [KeyStore(open_names(LocalFiles(tmp_path))) for _ in range(4)]
    created: list[CreatedKey] = []

    def create(number: int) -> None:
        created.extend(stores[number].create(replace(SHOP, name=f"key{number}{each}"), None) for each in range(5))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = {each.sha256 for each in stores[0].known().keys}
    assert kept == {digest_of(each.key) for each in created}
    assert len(kept) == 20


def damaged(content: bytes) -> Iterator[bytes]:
    """Yield what may become of a file: each byte another one, in several ways, and each shorter file."""
    for place in range(len(content)):
        for change in (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF):
            yield content[:place] + bytes((content[place] ^ change,)) + content[place + 1 :]
        yield content[:place]
    for number in range(256):  # the number of the format
        yield content.replace(b'"format": 7', b'"format": ' + bytes((number,)), 1)


def test_whatever_byte_of_the_newest_file_is_damaged_no_key_is_known(keys: KeyStore, files: MemoryFiles) -> None:
    keys.create(SHOP, None)
    keys.revoke("shop")
    sound, place = files.get(f"{LOG}/000002.json"), f"{LOG}/000002.json"
    read = keys.known()
    survivors = []
    for content in damaged(sound):
        try:
            known = key_store.keys_from_json("keys", 2, content)
        except InvalidArtifact:
            continue
        if content != sound:
            survivors.append((content, known))
    assert survivors == []
    files.kept[place] = sound[:-1]
    other = KeyStore(open_names(files))
    for act in (other.known, lambda: other.create(replace(SHOP, name="b"), None), lambda: other.revoke("shop")):
        with pytest.raises(KeysUnavailable, match="every key is refused") as caught:
            act()
        assert "access/keys" in caught.value.detail
    files.kept[place] = sound
    assert KeyStore(open_names(files)).known() == read


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("failure", [StorageFull("full"), StorageFailed("failed"), StorageUncertain("uncertain")])
def test_where_the_disk_fails_all_keys_are_as_before_or_as_after(
    files: MemoryFiles, keys: KeyStore, failure: Exception, is_done: bool
) -> None:
    keys.create(SHOP, None)
    breaking = KeyStore(open_names(BreakingFiles(files, 1, failure, is_done)))
    with pytest.raises(type(failure)):
        breaking.revoke("shop")
    (kept,) = KeyStore(open_names(files)).known().keys
    assert (kept.revoked_at is not None) is is_done
