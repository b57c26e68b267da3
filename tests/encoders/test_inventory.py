"""The base models on this machine: which are shown, what they take, and that removal is whole or not at all."""

import hashlib
import os
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.encoders.hub import Hub
from tests.encoders.ticks import wait_for_tick
from tests.encoders.tiny import edit_json
from tests.fakes.files import Killed
from windrow.domain.base_models import BaseModelLocation, StoredBaseModel
from windrow.domain.errors import (
    BaseModelInUse,
    BaseModelNotFound,
    BaseModelUnavailable,
    InvalidParameter,
    StorageFailed,
)
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel
from windrow.domain.values import recast
from windrow.encoders import hub_cache
from windrow.encoders import inventory as inventory_module
from windrow.encoders.downloads import COMMITS_FOLDER
from windrow.encoders.folder import EncoderFolder, find_encoder_folder
from windrow.encoders.inventory import Inventory
from windrow.encoders.removal import size_bytes

ID = "acme/tiny-encoder"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GRAPH = b"a graph"


@dataclass
class Place:
    """A data directory, and tiny folders to put into it."""

    data_dir: Path
    source: EncoderFolder

    @property
    def own(self) -> Path:
        return self.data_dir / "base_models"

    @property
    def digest(self) -> str:
        return self.source.base_model.digest

    def inventory(self, *allowed: str) -> Inventory:
        return Inventory(self.data_dir, allowed or ("*",))

    def put(self, model_id: str = ID) -> Path:
        return shutil.copytree(self.source.path, self.own / model_id.replace("/", "--"))

    def put_graphs(self, digest: str, version: int = 3) -> Path:
        graphs = self.own / "graphs" / f"{digest[:32]}-v{version}"
        graphs.mkdir(parents=True)
        (graphs / "trunk.onnx").write_bytes(GRAPH)
        return graphs

    def find(self, model_id: str = ID) -> EncoderFolder:
        return find_encoder_folder(model_id, data_dir=self.data_dir, allowed=("*",), offline=True)

    def names(self) -> list[str]:
        """Everything directly below base_models and its graphs, without the commits, which stay."""
        return sorted(
            path.name
            for folder in (self.own, self.own / "graphs")
            for path in folder.glob("*")
            if path.name not in ("graphs", COMMITS_FOLDER)
        )


@pytest.fixture
def place(tiny_folder: EncoderFolder, tmp_path: Path, hub: Hub, nothing_installed: None) -> Place:
    return Place(tmp_path / "data", tiny_folder)


@pytest.fixture
def place_with_default(place: Place, installed: Path) -> Place:
    return place


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was digested, by its name."""
    counts: Counter[str] = Counter()
    digest = hashlib.file_digest

    def counted(file: Any, algorithm: str) -> Any:
        counts[Path(file.name).name] += 1
        return digest(file, algorithm)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    return counts


def stored(base_model: BaseModel, place: BaseModelLocation, size: int, graphs: int) -> StoredBaseModel:
    return recast(StoredBaseModel, base_model, location=place, size_bytes=size, graph_bytes=graphs)


def test_nothing_is_shown_where_nothing_is(place: Place) -> None:
    assert place.inventory().stored_base_models() == ()
    assert place.inventory().leftover_bytes() == 0


def test_the_installed_one_is_shown_and_cannot_be_removed(place_with_default: Place, installed: Path) -> None:
    inventory = place_with_default.inventory()
    place_with_default.put_graphs(place_with_default.digest)
    (shown,) = inventory.stored_base_models()
    base_model = BaseModel(DEFAULT_BASE_MODEL, place_with_default.digest)
    assert shown == stored(base_model, "installed", size_bytes(installed), len(GRAPH))
    with pytest.raises(BaseModelInUse, match="came with Windrow"):
        inventory.remove(DEFAULT_BASE_MODEL)
    assert inventory.stored_base_models() == (shown,)


def test_an_altered_installation_says_so(place_with_default: Place, installed: Path) -> None:
    (installed / "model.safetensors").write_bytes(b"altered")
    (shown,) = place_with_default.inventory().stored_base_models()
    assert shown.problem is not None and "pip install --force-reinstall" in shown.problem
    assert str(installed) not in shown.problem


def test_copies_behind_the_installed_one_are_not_used_and_so_not_shown(place_with_default: Place, hub: Hub) -> None:
    folder = place_with_default.put(DEFAULT_BASE_MODEL)
    hub.put(DEFAULT_BASE_MODEL, folder, COMMIT)
    inventory = place_with_default.inventory()
    assert [each.location for each in inventory.stored_base_models()] == ["installed"]
    assert inventory.leftover_bytes() == size_bytes(folder)


def test_a_folder_in_the_data_directory_is_shown_with_its_graphs(place: Place) -> None:
    folder = place.put()
    place.put_graphs(place.digest, version=2)
    place.put_graphs(place.digest, version=3)
    place.put_graphs("0" * 64)
    (shown,) = place.inventory(ID).stored_base_models()
    assert shown == stored(BaseModel(ID, place.digest), "data_directory", size_bytes(folder), 2 * len(GRAPH))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda p: (p / "model.safetensors").unlink(), r"The base model's folder has no model\.safetensors\. Copy "),
        (
            lambda p: (p / "1_Pooling" / "config.json").unlink(),
            r"The base model's folder 1_Pooling has no config\.json",
        ),
        (lambda p: edit_json(p / "config.json", model_type="t5"), "holds a model of the kind 't5'. Choose "),
        (lambda p: edit_json(p / "config.json", layer_norm_eps="tiny"), "layer_norm_eps='tiny'"),
        (shutil.rmtree, "has no modules.json"),
    ],
)
def test_a_broken_folder_is_shown_with_its_problem_and_can_be_removed(
    spoil: Callable[[Path], object], problem: str, place: Place
) -> None:
    folder = place.put()
    spoil(folder)
    folder.mkdir(exist_ok=True)
    inventory = place.inventory()
    (shown,) = inventory.stored_base_models()
    assert shown.problem is not None
    assert (recast(BaseModel, shown), shown.location) == (BaseModel(ID, ""), "data_directory")
    assert (shown.size_bytes, shown.graph_bytes) == (size_bytes(folder), 0)
    assert re.search(problem, shown.problem)
    assert str(place.data_dir) not in shown.problem
    assert inventory.remove(ID) == shown.size_bytes
    assert place.names() == []


def test_a_folder_that_may_not_be_read_is_shown_with_its_problem(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> EncoderFolder:
        raise PermissionError(13, "Permission denied")

    place.put()
    monkeypatch.setattr(inventory_module, "read_encoder_folder", refuse)
    (shown,) = place.inventory().stored_base_models()
    assert shown.problem == "The base model's folder cannot be read (Permission denied). Check its rights."


def test_a_folder_that_is_not_allowed_says_so(place: Place) -> None:
    place.put()
    (shown,) = place.inventory(DEFAULT_BASE_MODEL).stored_base_models()
    assert shown.digest == place.digest
    assert shown.problem is not None and "WINDROW_ALLOWED_BASE_MODELS" in shown.problem


def test_what_cannot_be_asked_for_is_no_base_model(place: Place) -> None:
    for name in ("notes", ".acme--hidden", "acme--", "a--b--c", "graphs--"):
        (place.own / name).mkdir(parents=True)
    (place.own / "acme--file").write_text("")
    assert place.inventory().stored_base_models() == ()


def test_of_the_hub_cache_what_is_allowed_and_can_be_run_is_shown(place: Place, hub: Hub, tmp_path: Path) -> None:
    repository = hub.put(ID, place.source.path, COMMIT)
    hub.put(ID, place.source.path, "f" * 40, ref="former")
    hub.put("acme/other", place.source.path, "1" * 40)
    hub.put("acme/rows", place.source.path, "2" * 40, kind="datasets")
    chat = tmp_path / "chat"
    chat.mkdir()
    (chat / "config.json").write_text("{}")
    hub.put("acme/chat", chat, "3" * 40)
    hub.put("gpt2", place.source.path, "4" * 40)
    hub.put(".removed/0123", place.source.path, "5" * 40)
    shown = place.inventory(ID, "acme/rows", "acme/chat", "gpt2").stored_base_models()
    size = size_bytes(repository / "blobs")
    assert shown == (stored(BaseModel(ID, place.digest, COMMIT), "hub_cache", size, 0),)
    assert place.find().base_model == recast(BaseModel, shown[0])
    assert [each.id for each in place.inventory("*").stored_base_models()] == ["acme/other", ID]


def test_whether_one_is_held_is_said_without_a_look_at_others(
    place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch, digested: Counter[str]
) -> None:
    scans = _scans(monkeypatch)
    place.put()
    inventory = place.inventory("*")
    assert inventory.holds(ID)
    assert not inventory.holds("facebook/bart-large-mnli")
    assert not inventory.holds(DEFAULT_BASE_MODEL)
    hub.put("acme/other", place.source.path, "1" * 40)
    assert not inventory.holds("facebook/bart-large-mnli")
    assert not digested
    assert not scans
    assert inventory.holds("acme/other")


def test_a_cached_model_that_cannot_be_run_is_not_looked_at_again_for_some_seconds(
    place: Place, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = tmp_path / "chat"
    chat.mkdir()
    (chat / "config.json").write_text("{}")
    hub.put("acme/chat", chat, "3" * 40)
    scans, now = _scans(monkeypatch), [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    inventory = place.inventory("*")
    assert not any(inventory.holds("acme/chat") for _ in range(3))
    assert len(scans) == 1
    now[0] += 11
    assert not inventory.holds("acme/chat")
    assert len(scans) == 2


def _scans(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return a list that grows with each walk through the Hugging Face cache."""
    scans: list[None] = []

    def scan() -> object:
        scans.append(None)
        return hub_cache.cached_models()

    monkeypatch.setattr(inventory_module, "cached_models", scan)
    return scans


def test_the_installed_one_is_held(place_with_default: Place) -> None:
    assert place_with_default.inventory("*").holds(DEFAULT_BASE_MODEL)


def test_an_id_refers_to_the_copy_in_the_data_directory_then_to_that_in_the_cache(place: Place, hub: Hub) -> None:
    hub.put(ID, place.source.path, COMMIT)
    (place.put() / "tokenizer.json").unlink()
    inventory = place.inventory()
    (broken,) = inventory.stored_base_models()
    assert broken.location == "data_directory" and broken.problem is not None
    inventory.remove(ID)
    (behind,) = inventory.stored_base_models()
    assert behind.location == "hub_cache" and recast(BaseModel, behind) == place.find().base_model
    inventory.remove(ID)
    assert inventory.stored_base_models() == ()
    with pytest.raises(BaseModelUnavailable):
        place.find()


def test_a_second_scan_digests_nothing(place: Place, hub: Hub, digested: Counter[str]) -> None:
    place.put()
    place.put("acme/b")
    hub.put("acme/c", place.source.path, COMMIT)
    inventory = place.inventory()
    first = inventory.stored_base_models()
    assert digested["model.safetensors"] == 3
    with ThreadPoolExecutor(8) as pool:
        again = [each.result() for each in [pool.submit(inventory.stored_base_models) for _ in range(16)]]
    inventory.leftover_bytes()
    assert digested["model.safetensors"] == 3
    assert set(again) == {first}


def test_two_concurrent_scans_digest_each_file_once(
    place: Place, digested: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put()
    inventory = place.inventory()
    meeting = threading.Barrier(2)
    digest = hashlib.file_digest

    def meet_and_digest(file: Any, algorithm: str) -> Any:
        with suppress(threading.BrokenBarrierError):  # as it should be: no other thread comes here
            meeting.wait(0.2)
        return digest(file, algorithm)

    monkeypatch.setattr(hashlib, "file_digest", meet_and_digest)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(inventory.stored_base_models), pool.submit(inventory.stored_base_models)
        assert first.result() == second.result()
    assert digested["model.safetensors"] == 1


def test_a_changed_file_is_digested_again_also_where_its_time_was_set_back(place: Place) -> None:
    weights = place.put() / "model.safetensors"
    inventory = place.inventory()
    before = weights.stat()
    digests = {inventory.stored_base_models()[0].digest}
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    wait_for_tick(weights)
    weights.write_bytes(content)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    digests.add(inventory.stored_base_models()[0].digest)
    assert digests == {place.digest, place.find().base_model.digest}
    assert len(digests) == 2


def test_graphs_that_two_share_are_counted_once_and_go_with_the_last(place: Place) -> None:
    place.put("acme/a")
    place.put("acme/b")
    graphs = place.put_graphs(place.digest)
    inventory = place.inventory()
    assert [each.graph_bytes for each in inventory.stored_base_models()] == [len(GRAPH), 0]
    size = size_bytes(place.source.path)
    assert inventory.remove("acme/a") == size
    assert graphs.is_dir()
    assert inventory.remove("acme/b") == size + len(GRAPH)
    assert place.names() == []


def test_leftovers_are_what_belongs_to_no_base_model(place: Place) -> None:
    place.put()
    place.put_graphs(place.digest)
    assert place.inventory().leftover_bytes() == 0
    place.put_graphs("0" * 64)
    for left in (place.own / ".removed-0", place.own / "graphs" / ".building-0"):
        left.mkdir()
        (left / "part").write_bytes(b"12345")
    (place.own / "notes.txt").write_bytes(b"123")
    assert place.inventory().leftover_bytes() == len(GRAPH) + 5 + 5 + 3


@pytest.mark.parametrize("where", ["data_directory", "hub_cache"])
def test_a_removed_base_model_is_gone_with_its_graphs_and_its_bytes_are_returned(
    where: str, place: Place, hub: Hub
) -> None:
    folder = place.put() if where == "data_directory" else hub.put(ID, place.source.path, COMMIT)
    place.put("acme/unlike")
    edit_json(place.own / "acme--unlike" / "config.json", layer_norm_eps=1e-9)
    place.put_graphs(place.digest)
    other = place.put_graphs("0" * 64)
    inventory = place.inventory()
    (shown,) = [each for each in inventory.stored_base_models() if each.id == ID]
    assert inventory.remove(ID) == shown.size_bytes + shown.graph_bytes
    assert not folder.exists()
    assert place.names() == [other.name, "acme--unlike"]
    assert [each.id for each in inventory.stored_base_models()] == ["acme/unlike"]


def test_of_a_link_to_a_folder_only_the_link_is_removed(place: Place) -> None:
    place.own.mkdir(parents=True)
    (place.own / "acme--tiny-encoder").symlink_to(place.source.path)
    inventory = place.inventory()
    assert inventory.stored_base_models()[0].size_bytes == size_bytes(place.source.path)
    assert inventory.remove(ID) == 0
    assert inventory.stored_base_models() == ()
    assert place.source.weights_path.is_file()


def test_what_is_not_here_or_not_windrows_is_not_removed(place: Place, hub: Hub) -> None:
    place.put("acme/b")
    repository = hub.put("acme/of-others", place.source.path, COMMIT)
    inventory = place.inventory("acme/b")
    for model_id in ("acme/none", "acme/of-others", "graphs/graphs"):
        with pytest.raises(BaseModelNotFound, match="These are: acme/b") as caught:
            inventory.remove(model_id)
        assert caught.value.facts == {"base_model": model_id, "base_models": ["acme/b"]}
    for text in ("graphs", "../acme--b", "acme--b", ""):
        with pytest.raises(InvalidParameter, match="owner/name"):
            inventory.remove(text)
    assert place.find("acme/b")
    assert repository.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [False, True], ids=["before the step", "after the step"])
@pytest.mark.parametrize("where", ["data_directory", "hub_cache"])
def test_a_process_that_dies_at_any_step_of_a_removal_leaves_all_or_nothing(
    where: str, is_done: bool, place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put("acme/stays")
    edit_json(place.own / "acme--stays" / "config.json", layer_norm_eps=1e-9)
    for step in range(1, 1_000):
        place.put() if where == "data_directory" else hub.put(ID, place.source.path, COMMIT)
        place.put_graphs(place.digest)
        death = Death(step, is_done)
        with monkeypatch.context() as patch:
            for name in ("rename", "unlink", "remove", "rmdir"):
                patch.setattr(os, name, death.watch(getattr(os, name)))
            with suppress(Killed):
                place.inventory().remove(ID)
        assert is_whole_or_gone(place)
        with suppress(BaseModelNotFound):
            place.inventory().remove(ID)
        assert place.names() == ["acme--stays"]
        assert [path.name for path in hub.path.glob("*")] == []
        if death.steps < step:
            break
    assert step > len(list(place.source.path.rglob("*")))


def test_a_disk_that_refuses_leaves_all_as_it_was(place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put()
    place.put_graphs(place.digest)
    hub.put("acme/cached", place.source.path, COMMIT)
    inventory = place.inventory()
    before = inventory.stored_base_models()

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    for model_id in (ID, "acme/cached"):
        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", refuse)
            with pytest.raises(StorageFailed, match=r"Read-only file system.*try again"):
                inventory.remove(model_id)
    assert inventory.stored_base_models() == before


def test_a_removal_sweeps_what_dead_builds_left_but_no_build_that_goes_on(place: Place) -> None:
    place.put()
    graphs = place.own / "graphs"
    for name in (".building-old", ".building-new"):
        (graphs / name).mkdir(parents=True)
    os.utime(graphs / ".building-old", (0, 0))
    place.inventory().remove(ID)
    assert place.names() == [".building-new"]


@dataclass
class Death:
    """Ends the process at a chosen change of a name on the disk, before or after it."""

    step: int
    is_done: bool
    steps: int = 0

    def watch(self, change: Callable[..., None]) -> Callable[..., None]:
        def watched(*args: Any, **options: Any) -> None:
            self.steps += 1
            if self.steps > self.step or (self.steps == self.step and not self.is_done):
                raise Killed  # nothing is done after a death, by no finally clause either
            change(*args, **options)
            if self.steps == self.step:
                raise Killed

        return watched


def is_whole_or_gone(place: Place) -> bool:
    shown = {each.id: each for each in place.inventory().stored_base_models()}
    if (ours := shown.get(ID)) is None:
        with pytest.raises(BaseModelUnavailable):
            place.find()
        return shown.keys() == {"acme/stays"}
    found = place.find().base_model
    sizes = (ours.size_bytes, ours.problem) == (size_bytes(place.source.path), None)
    return sizes and recast(BaseModel, ours) == found and found.digest == place.digest
