"""What classifiers take in an object store is what they take in a folder; and all else is counted, too."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.storage.examples import fast_folder
from tests.storage.model import Server
from tests.storage.object_store.stores import Store
from windrow.domain.base_models import StoredBaseModel
from windrow.domain.usage import Usage
from windrow.encoders.inventory import Inventory
from windrow.storage import disk_usage
from windrow.storage.files import LocalFiles
from windrow.storage.object_store.store_usage import measure

BASE_MODELS = (StoredBaseModel("owner/model", "5" * 64, location="data_directory", size_bytes=1_000, graph_bytes=200),)


class FakeInventory:
    """Base models that are nowhere, so that a test knows their sizes."""

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        return BASE_MODELS

    def leftover_bytes(self) -> int:
        return 7


INVENTORY = cast(Inventory, FakeInventory())


@pytest.fixture
def folder() -> Iterator[Path]:
    with fast_folder() as folder:
        yield Path(folder)


def fill(server: Server) -> None:
    server.fit("b", 1)
    server.fit("b", 2)
    server.describe("b", "described, which is no training")
    server.take_in("a", 3)
    server.delete("a")
    server.fit("trimmed", 4)
    server.fit("trimmed", 5)
    server.purge_revision("trimmed", 1)
    server.fit("purged", 6)
    server.purge("purged")
    server.promote("answer", "b")


def measured(store: Store) -> Usage:
    return measure(store.files, store.bucket, store.names, INVENTORY)


def bytes_of(store: Store, prefix: str = "") -> int:
    return sum(len(content) for key, (content, _) in store.bucket.objects_by_key.items() if key.startswith(prefix))


def test_an_empty_store_takes_nothing_and_tells_no_limit(folder: Path) -> None:
    usage = measured(Store(folder / "machine"))
    assert (usage.classifiers, usage.other_bytes, usage.total_bytes) == ((), 7, 1_207)
    assert (usage.free_bytes, usage.min_free_bytes) == (None, 0)
    assert usage.base_models == BASE_MODELS


def test_a_store_and_a_folder_with_the_same_classifiers_take_the_same(folder: Path) -> None:
    root, store = folder / "data", Store(folder / "machine")
    fill(Server(LocalFiles(root)))
    store.upload(root)
    local = disk_usage.measure(root, Server(LocalFiles(root)).names, INVENTORY, 0)
    for each in (store, store.other()):  # with the files on its machine, and without
        assert measured(each).classifiers == local.classifiers
        assert measured(each).shared_bytes == local.shared_bytes
    assert [each.name for each in local.classifiers] == ["a", "b", "trimmed"]


def test_every_object_counts_once(folder: Path) -> None:
    store = Store(folder / "machine")
    fill(store.server)
    store.bucket.put(f"files/classifiers/b/000001.json.{'a' * 32}", b"left behind")
    store.bucket.put("lost+found/classifiers/b/blobs/x", b"rows")
    store.bucket.put("loose/jobs/1/000001.json", b"{}")
    store.bucket.put("notes/today", b"foreign")
    usage = measured(store)
    assert usage.total_bytes == bytes_of(store) + 1_200 + 7
    assert usage.classifier_bytes + usage.deleted_bytes == bytes_of(store, "files/classifiers/") - len(b"left behind")


def test_what_happens_shows_at_once_also_to_others(folder: Path) -> None:
    store = Store(folder / "machine")
    other = store.other()
    store.server.fit("a", 1)
    assert [each.revisions for each in measured(other).classifiers] == [1]
    store.server.fit("a", 2)
    store.server.delete("a")
    assert [(each.revisions, each.deleted) for each in measured(other).classifiers] == [(2, True)]
    store.server.purge("a")
    assert measured(other).classifiers == ()


def test_a_damaged_file_counts_and_is_no_training(folder: Path) -> None:
    store = Store(folder / "machine")
    store.server.fit("a", 1)
    store.server.fit("a", 2)
    store.alter(store.object_of("classifiers/a/000002.json"), lambda content: b"?")
    store.bucket.remove(store.object_of("classifiers/a/000001.json"))
    (usage,) = measured(store.other()).classifiers
    assert (usage.revisions, usage.deleted) == (0, False)
    assert usage.size_bytes == sum(file.size_bytes for _, file in store.files.stored("classifiers/a"))


def test_what_is_no_classifier_counts_as_other(folder: Path) -> None:
    store = Store(folder / "machine")
    store.server.fit("a", 1)
    before = measured(store)
    store.files.put_new("classifiers/README", b"12345")
    store.files.put_new("classifiers/half/blobs/x", b"12345")
    after = measured(store)
    assert after.classifiers == before.classifiers
    assert after.other_bytes >= before.other_bytes + 10
