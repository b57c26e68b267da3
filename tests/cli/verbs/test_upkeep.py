"""usage, fsck and base-models, in a terminal and as JSON."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.asking import Ended, Run, run
from tests.fakes.operations import FakeOperations
from tests.storage.examples import ROW_EXAMPLES, blobs, open_catalog, record
from windrow.domain.checkup import Finding
from windrow.domain.dataset import data_sha256
from windrow.storage.catalog import Draft
from windrow.storage.files import LocalFiles


def test_usage_shows_what_everything_takes(ask: Run, trained: FakeOperations) -> None:
    trained.delete("tickets_v1")
    lines = ask("usage").lines
    assert "tickets_v1 1.0 kB 1 deleted" in lines
    assert "together 2.3 kB" in lines
    assert ask("usage", "--json").document["total_bytes"] == 2_254


def test_base_models_lists_and_removes(ask: Run) -> None:
    lines = ask("base-models").lines
    assert "BAAI/bge-small-en-v1.5 data directory 150 B 0" in lines
    assert lines[-1].endswith("came with Windrow 100 B 0 the default")
    assert len(ask("base-models", "--json").document["base_models"]) == 2
    assert ask("base-models", "--remove", "BAAI/bge-small-en-v1.5").lines == [
        "Removed BAAI/bge-small-en-v1.5, which freed 150 B."
    ]
    assert ask("base-models", "--remove", "BAAI/bge-small-en-v1.5").code == 3
    assert ask("base-models", "--remove", "nonsense").code == 2


def test_fsck_asks_a_server_when_told_to(ask: Run, fake: FakeOperations) -> None:
    assert ask("fsck").lines[0].startswith("garbage: .aside/5f2b: ")
    assert ask("fsck", "--repair").lines[0].startswith("repaired: ")
    fake.findings = (Finding("damage", "blob_altered", "blobs/1", "It is altered. Restore it."),)
    damaged = ask("fsck", "--json")
    assert damaged.code == 1
    assert json.loads(damaged.out)["sound"] is False


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data directory with a classifier in it."""
    kept = replace(record(), data_sha256=data_sha256(ROW_EXAMPLES))
    open_catalog(LocalFiles(tmp_path)).publish(Draft(kept, blobs()))
    return tmp_path


@pytest.fixture
def fsck(kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Check the data directory without a server."""

    def fsck(*arguments: str) -> Ended:
        return run(monkeypatch, capsys, "fsck", "--data-dir", kept, *arguments)

    return fsck


def test_fsck_of_a_sound_directory_is_one_line_and_exit_code_0(fsck: Run) -> None:
    checked = fsck()
    assert (checked.code, checked.err) == (0, "")
    assert re.fullmatch(r"1 classifiers, 1 records, 2 blobs, 0.0 MB read: sound, nothing found\.\n", checked.out)


def test_fsck_names_damage_and_ends_with_exit_code_1(kept: Path, fsck: Run) -> None:
    [blob] = kept.glob("classifiers/*/blobs/*.safetensors")
    blob.write_bytes(b"something else")
    checked = fsck()
    assert checked.code == 1
    found, total = checked.out.splitlines()
    assert found.startswith(f"damage: {blob.relative_to(kept)}: ")
    assert "DAMAGED" in total


def test_fsck_repairs_garbage_when_asked_to_and_then_finds_nothing(kept: Path, fsck: Run) -> None:
    aside = kept / ".aside" / ("a" * 32)
    aside.write_bytes(b"left by a crash")
    assert fsck().out.startswith("garbage: .aside/")
    assert aside.exists()
    repaired = fsck("--repair")
    assert repaired.code == 0
    assert repaired.out.startswith("repaired: .aside/")
    assert not aside.exists()
    assert fsck().out.endswith("nothing found.\n")


def test_fsck_prints_json_for_programs(fsck: Run) -> None:
    told = fsck("--json").document
    assert (told["classifiers"], told["findings"], told["sound"]) == (1, [], True)
