"""Base models, disk usage and checks on this machine: who uses what, and what may go."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.fakes.system_calls import Forbid, each_call
from tests.service.examples import ROWS, SHOUTING, Open, alter, altered, ask, blob_of, fit
from windrow.bootstrap import open_service
from windrow.domain.base_models import BaseModelRemoval, BaseModelRequest, BaseModelUse
from windrow.domain.classifier import DeleteRequest
from windrow.domain.errors import (
    BaseModelInUse,
    BaseModelNotFound,
    BaseModelUnavailable,
    InvalidParameter,
    StorageFailed,
)
from windrow.domain.integrity import FsckRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.inventory import Inventory
from windrow.encoders.onnx_encoder import OnnxEncoder, TextEncoder
from windrow.service.service import Service
from windrow.settings import Settings

TINY = "tests/tiny"


@pytest.fixture
def encoders(tiny: OnnxEncoder) -> dict[str, TextEncoder]:
    return {DEFAULT_BASE_MODEL: FakeEncoder(), TINY: tiny}


@pytest.fixture
def service(encoders: dict[str, TextEncoder], tiny_folder: EncoderFolder, opened: Open, tmp_path: Path) -> Service:
    """A service whose data directory has a second base model, with the real inventory."""
    shutil.copytree(tiny_folder.path, tmp_path / "data" / "base_models" / "tests--tiny")
    service = opened(encoders=encoders)
    inventory = Inventory(tmp_path / "data", (DEFAULT_BASE_MODEL, TINY))
    return altered(service, inventory=inventory)


def use_of(service: Service, base_model: str) -> BaseModelUse:
    (found,) = (use for use in service.base_models().base_models if use.id == base_model)
    return found


def test_a_classifier_that_may_not_be_read_is_not_counted_and_keeps_its_base_model(
    service: Service,
) -> None:
    fit(service, "a", base_model=TINY)
    fit(service, "b", base_model=TINY)
    data_dir = service.dependencies.settings.local_dir
    with each_call(data_dir, Forbid(data_dir / "classifiers" / "b")):
        assert use_of(service, TINY).classifiers == 1
        with pytest.raises(StorageFailed):
            service.remove_base_model(BaseModelRequest(TINY))
    assert use_of(service, TINY).classifiers == 2


def test_base_models_say_where_they_are_what_they_take_and_who_needs_them(
    service: Service, tiny_folder: EncoderFolder
) -> None:
    fit(service, "a")
    fit(service, "b", base_model=TINY)
    default, tiny = use_of(service, DEFAULT_BASE_MODEL), use_of(service, TINY)
    assert (default.classifiers, default.is_default, default.location) == (1, True, "installed")
    assert (tiny.classifiers, tiny.is_default, tiny.location) == (1, False, "data_directory")
    assert tiny.digest == tiny_folder.base_model.digest
    assert tiny.size_bytes == bytes_below(tiny_folder.path)
    assert tiny.problem is None


def test_each_classifier_is_counted_once_also_if_it_is_deleted_or_only_an_older_revision_needs_it(
    service: Service,
) -> None:
    for _ in range(2):
        fit(service, "a", base_model=TINY)
    fit(service, "a")
    fit(service, "b", base_model=TINY)
    service.delete(DeleteRequest("b"))
    assert use_of(service, TINY).classifiers == 2
    assert use_of(service, DEFAULT_BASE_MODEL).classifiers == 1
    service.delete(DeleteRequest("b", purge=True))
    for revision in (1, 2):
        service.delete(DeleteRequest(f"a@{revision}", purge=True))
    assert use_of(service, TINY).classifiers == 0


def test_a_base_model_that_a_classifier_needs_stays_until_the_last_one_is_purged(service: Service) -> None:
    fit(service, "a", base_model=TINY)
    fit(service, "a")
    service.delete(DeleteRequest("a"))
    with pytest.raises(BaseModelInUse) as caught:
        service.remove_base_model(BaseModelRequest(TINY))
    assert caught.value.facts == {"base_model": TINY, "classifiers": 1}
    service.delete(DeleteRequest("a", purge=True))
    size_bytes = use_of(service, TINY).size_bytes
    assert service.remove_base_model(BaseModelRequest(TINY)) == BaseModelRemoval(TINY, size_bytes)
    assert [use.id for use in service.base_models().base_models] == [DEFAULT_BASE_MODEL]


def test_a_removed_base_model_leaves_memory_with_all_that_was_loaded_for_it(
    service: Service, encoders: dict[str, TextEncoder]
) -> None:
    fit(service, "a", base_model=TINY)
    fit(service, "b")
    entries = {name: service.dependencies.store.catalog.current(name) for name in ("a", "b")}
    service.delete(DeleteRequest("a", purge=True))
    service.remove_base_model(BaseModelRequest(TINY))
    assert [name for name, entry in entries.items() if service.dependencies.predictor.is_loaded(entry)] == ["b"]
    del encoders[TINY]
    with pytest.raises(BaseModelUnavailable):
        fit(service, "a", base_model=TINY)


@pytest.mark.parametrize(
    ("base_model", "error"),
    [("tiny", InvalidParameter), ("tests/elsewhere", BaseModelNotFound), (DEFAULT_BASE_MODEL, BaseModelInUse)],
)
def test_what_cannot_be_removed_says_why(service: Service, base_model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        service.remove_base_model(BaseModelRequest(base_model))
    assert len(service.base_models().base_models) == 2


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_usage_says_what_is_shared_what_is_each_ones_own_and_what_purging_would_free(service: Service) -> None:
    fit(service, "a")
    fit(service, "a", rows=SHOUTING)
    fit(service, "b")
    service.delete(DeleteRequest("b"))
    folder = service.dependencies.settings.local_dir / "classifiers"
    usage = service.usage()
    assert [(each.name, each.size_bytes, each.revisions, each.deleted) for each in usage.classifiers] == [
        ("a", bytes_below(folder / "a"), 2, False),
        ("b", bytes_below(folder / "b"), 1, True),
    ]
    assert [model.id for model in usage.base_models] == [DEFAULT_BASE_MODEL, TINY]
    assert usage.classifier_bytes + usage.deleted_bytes == bytes_below(folder)
    assert usage.free_bytes is not None and usage.free_bytes > 0
    service.delete(DeleteRequest("b", purge=True))
    assert service.usage().deleted_bytes == 0


def test_a_report_of_a_sound_directory_reads_everything_and_finds_nothing(service: Service) -> None:
    fit(service, "a")
    fit(service, "a", rows=ROWS[1:])
    fit(service, "b")
    service.delete(DeleteRequest("b"))
    report = service.fsck(FsckRequest())
    assert report.findings == ()
    assert (report.classifiers, report.records, report.blobs) == (2, 4, 6)
    assert report.size_bytes == bytes_below(service.dependencies.settings.local_dir / "classifiers")


def test_a_report_names_damage_and_repairs_garbage_and_nothing_else(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(service, "a")
    fit(service, "broken", rows=ROWS[1:])
    path = blob_of(service, "broken")
    alter(path)
    damaged = path.read_bytes()
    garbage = service.dependencies.settings.local_dir / ".aside" / ("a" * 32)
    garbage.write_bytes(b"half")
    report = service.fsck(FsckRequest())
    found = {(finding.severity, finding.path, finding.repaired) for finding in report.findings}
    place = str(path.relative_to(service.dependencies.settings.local_dir))
    assert found == {("damage", place, False), ("garbage", f".aside/{'a' * 32}", False)}
    assert not report.sound
    young = service.fsck(FsckRequest(repair=True))
    assert [finding.repaired for finding in young.findings if finding.severity == "garbage"] == [False]
    monkeypatch.setattr("windrow.storage.fsck.GRACE_PERIOD_S", -60)
    repaired = service.fsck(FsckRequest(repair=True))
    assert [finding.repaired for finding in repaired.findings if finding.severity == "garbage"] == [True]
    assert not garbage.exists()
    assert path.read_bytes() == damaged
    assert [finding.severity for finding in service.fsck(FsckRequest()).findings] == ["damage"]
    assert ask(service, "a", "error").label == "bug"


def test_a_purge_that_was_cut_off_is_finished_by_a_repair_or_by_the_next_sweep(service: Service) -> None:
    for name in ("repaired", "swept"):
        fit(service, name)
        folder = service.dependencies.settings.local_dir / "classifiers" / name
        (folder / "000002.json").write_text('{"format": 1, "kind": "purged", "at": "2025-09-23T08:00:00Z"}')
        assert [finding.code for finding in service.fsck(FsckRequest()).findings] == ["purge_unfinished"]
        if name == "repaired":
            assert service.fsck(FsckRequest(repair=True)).sound
        else:
            service.dependencies.purge_task._action()
        assert not folder.exists()
        assert service.fsck(FsckRequest()).findings == ()


def test_a_graph_is_counted_with_its_base_model(opened: Open, tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    """With the real way of finding encoders, which builds a graph on first use."""
    shutil.copytree(tiny_folder.path, tmp_path / "real" / "base_models" / "tests--tiny")
    service = open_service(Settings(data_dir=tmp_path / "real", allowed_base_models=(TINY,), offline=True))
    assert use_of(service, TINY).graph_bytes == 0
    encoder = service.dependencies.encoders.get(TINY)
    assert encoder.folder.base_model == read_encoder_folder(tiny_folder.path, TINY).base_model
    graph_bytes = use_of(service, TINY).graph_bytes
    assert graph_bytes > 0
    assert service.remove_base_model(BaseModelRequest(TINY)).freed_bytes > graph_bytes
    assert bytes_below(tmp_path / "real" / "base_models") == 0
    with pytest.raises(BaseModelUnavailable):
        service.dependencies.encoders.get(TINY)
    service.close()
