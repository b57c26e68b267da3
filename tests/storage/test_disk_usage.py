"""What the data directory takes: each byte counted once, and where it belongs."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.fakes.system_calls import Forbid, each_call
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from windrow.domain.base_models import StoredBaseModel
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.encoders.inventory import Inventory
from windrow.storage.disk_usage import measure
from windrow.storage.files import LocalFiles
from windrow.storage.lock import DirectoryLock

BASE_MODELS = (StoredBaseModel("owner/model", "5" * 64, location="data_directory", size_bytes=1_000, graph_bytes=200),)


@dataclass(frozen=True)
class FakeInventory:
    """Base models that are nowhere, so that a test knows their sizes."""

    stored: tuple[StoredBaseModel, ...] = BASE_MODELS
    left_bytes: int = 7

    def stored_base_models(self) -> tuple[StoredBaseModel, ...]:
        return self.stored

    def leftover_bytes(self) -> int:
        return self.left_bytes


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield Path(folder, "data")


def measured(root: Path, server: Server | None = None) -> Usage:
    names = (server or Server(LocalFiles(root))).names
    return measure(root, names, cast(Inventory, FakeInventory()), 7)


def bytes_below(path: Path) -> int:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file() and not each.is_symlink())


def usage_of(root: Path, name: str) -> ClassifierUsage | None:
    return {each.name: each for each in measured(root).classifiers}.get(name)


def test_nothing_is_there_before_the_first_training(root: Path) -> None:
    usage = measured(root)
    assert usage.base_models == BASE_MODELS
    assert (usage.classifiers, usage.other_bytes, usage.total_bytes) == ((), 7, 1_207)
    assert usage.free_bytes is not None and usage.free_bytes > 0
    assert usage.min_free_bytes == 7
    assert not root.exists()


def test_each_classifier_is_shown_with_all_that_lies_in_its_folder(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("b", 1)
    server.fit("b", 2)
    server.describe("b", "described, which is no training")
    server.take_in("a", 3)
    server.delete("a")
    usage = measured(root)
    sizes = {name: bytes_below(root / "classifiers" / name) for name in "ab"}
    assert usage.classifiers == (
        ClassifierUsage("a", sizes["a"], revisions=1, deleted=True),
        ClassifierUsage("b", sizes["b"], revisions=2, deleted=False),
    )
    assert (usage.deleted_bytes, usage.classifier_bytes) == (sizes["a"], sizes["b"])
    assert usage.total_bytes == bytes_below(root) + 1_200 + 7


def test_what_happens_shows_at_once(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("a", 1)
    server.fit("a", 2)
    before = usage_of(root, "a")
    server.purge_revision("a", 1)
    after = usage_of(root, "a")
    assert before is not None and after is not None
    assert (before.revisions, after.revisions) == (2, 1)
    server.delete("a")
    assert [each.deleted for each in measured(root, server).classifiers] == [True]
    server.restore("a")
    assert [each.deleted for each in measured(root, server).classifiers] == [False]
    server.purge("a")
    assert measured(root, server).classifiers == ()


def test_all_that_is_no_classifier_and_no_base_model_counts_as_other(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("a", 1)
    server.promote("answer", "a")
    alias_bytes = bytes_below(root / "aliases")
    others = ("notes", ".aside/x", "classifiers/README", "classifiers/half/blobs/x", "classifiers/.copy/000001.json")
    for place in others:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(b"12345")
    (root / "base_models").mkdir()
    (root / "base_models/model").write_bytes(b"the inventory's business")
    usage = measured(root)
    assert [each.name for each in usage.classifiers] == ["a"]
    assert usage.other_bytes == alias_bytes + 5 * len(others) + 7


def test_a_half_purged_classifier_is_none(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("a", 1)
    dying = BreakingFiles(cast(MemoryFiles, LocalFiles(root)), 2, Killed(), is_done=False)
    with pytest.raises(Killed):
        Server(dying, DirectoryLock(root)).purge("a")
    assert measured(root).classifiers == ()
    assert measured(root).other_bytes == bytes_below(root) + 7


def test_a_damaged_file_counts_and_is_no_training(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("a", 1)
    server.fit("a", 2)
    (root / "classifiers/a/000002.json").write_bytes(b"?")
    assert usage_of(root, "a") == ClassifierUsage("a", bytes_below(root / "classifiers/a"), 1, deleted=False)


def test_a_file_that_may_not_be_read_counts_and_is_no_training(root: Path) -> None:
    server = Server(LocalFiles(root))
    server.fit("a", 1)
    server.fit("a", 2)
    with each_call(root, Forbid(root / "classifiers/a/000002.json")):
        usage = usage_of(root, "a")
    assert usage == ClassifierUsage("a", bytes_below(root / "classifiers/a"), 1, deleted=False)


def test_a_file_that_another_program_wrote_is_read_as_a_whole(root: Path) -> None:
    older = Path(__file__).parent / "golden/format-1/classifiers/anew"
    shutil.copytree(older, root / "classifiers/anew")
    place = root / "classifiers/anew"
    for path in place.glob("*.json"):
        said = json.loads(path.read_bytes())
        path.write_text(json.dumps({**said, "kind": said.pop("kind")}))
    assert usage_of(root, "anew") == ClassifierUsage("anew", bytes_below(place), 2, deleted=False)


def test_links_and_pipes_are_neither_followed_nor_waited_for(root: Path) -> None:
    Server(LocalFiles(root)).fit("a", 1)
    outside = root.parent / "outside"
    shutil.copytree(root / "classifiers", outside)
    before = measured(root)
    (root / "classifiers/b").symlink_to(outside / "a")
    (root / "classifiers/a/more").symlink_to(outside)
    (root / "classifiers/a/000002.json").symlink_to(outside / "a/000001.json")
    (root / "elsewhere").symlink_to(outside)
    os.mkfifo(root / "classifiers/a/000003.json")
    after = measured(root)
    assert (after.classifiers, after.other_bytes) == (before.classifiers, before.other_bytes)
