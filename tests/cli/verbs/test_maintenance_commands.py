"""usage, fsck and base-models, in a terminal and as JSON."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.asking import Ended, Run, run
from tests.toy import Toy
from windrow.cli.formats import size
from windrow.domain.classifier import DeleteRequest, FitRequest
from windrow.domain.dataset import Row
from windrow.settings import Settings


def test_usage_shows_what_everything_takes(ask: Run, trained: Toy) -> None:
    trained.delete(DeleteRequest("tickets_v1"))
    lines, found = ask("usage").lines, trained.usage()
    assert f"tickets_v1 {size(found.classifiers[0].size_bytes)} 1 deleted" in lines
    assert f"together {size(found.total_bytes)}" in lines
    assert ask("usage", "--json").document["total_bytes"] == found.total_bytes


def test_usage_of_an_object_store_tells_of_no_disk(ask: Run, trained: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = replace(trained.usage(), free_bytes=None, min_free_bytes=0)
    assert any(line.startswith("still free") for line in ask("usage").lines)
    monkeypatch.setattr("windrow.service.service.Service.usage", lambda service: usage)
    lines = ask("usage").lines
    assert f"together {size(usage.total_bytes)}" in lines
    assert not any(line.startswith(("still free", "of that")) for line in lines)
    assert ask("usage", "--json").document["free_bytes"] is None


def test_base_models_lists_and_removes(ask: Run) -> None:
    lines = ask("base-models").lines
    assert "BAAI/bge-small-en-v1.5 data directory 130 B 0" in lines
    assert lines[-1].endswith("came with Windrow 90 B 0 the default")
    assert len(ask("base-models", "--json").document["base_models"]) == 2
    assert ask("base-models", "--remove", "BAAI/bge-small-en-v1.5").lines == [
        "Removed BAAI/bge-small-en-v1.5, which freed 130 B."
    ]
    assert ask("base-models", "--remove", "BAAI/bge-small-en-v1.5").code == 3
    assert ask("base-models", "--remove", "nonsense").code == 2


def test_fsck_asks_a_server_when_told_to(ask: Run, trained: Toy) -> None:
    assert ask("fsck").lines[-1].endswith("sound, nothing found.")
    [blob, *_] = trained.settings.local_dir.glob("classifiers/*/blobs/*.safetensors")
    blob.write_bytes(b"something else")
    assert ask("fsck", "--repair").code == 1
    damaged = ask("fsck", "--json")
    assert damaged.code == 1
    assert json.loads(damaged.out)["sound"] is False


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data directory with a classifier in it."""
    toy = Toy(Settings(data_dir=tmp_path))
    rows = (Row("I want my money back", "refund"), Row("Send me the bill", "invoice"))
    toy.fit(FitRequest("tickets_v1", rows, num_iterations=0))
    toy.close()
    return tmp_path


@pytest.fixture
def fsck(kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Check the data directory without a server."""

    def fsck(*arguments: str) -> Ended:
        return run(monkeypatch, capsys, "fsck", "--data-dir", kept, *arguments)

    return fsck


def test_fsck_and_serve_alike_refuse_a_directory_of_which_a_part_is_a_link(
    fsck: Run, kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept / "classifiers").rename(kept.parent / "moved")
    (kept / "classifiers").symlink_to(kept.parent / "moved")
    refused = fsck()
    served = run(monkeypatch, capsys, "serve", "--data-dir", kept, "--port", 0)
    assert refused.code == served.code != 0
    assert refused.refusal == served.refusal
    assert "classifiers in the data directory is a link" in refused.refusal


def test_fsck_of_a_sound_directory_is_one_line_and_exit_code_0(fsck: Run) -> None:
    checked = fsck()
    assert (checked.code, checked.err) == (0, "")
    assert re.fullmatch(r"1 classifier, 1 record, 2 blobs, 0.0 MB read: sound, nothing found\.\n", checked.out)


def test_fsck_names_damage_and_ends_with_exit_code_1(kept: Path, fsck: Run) -> None:
    [blob] = kept.glob("classifiers/*/blobs/*.safetensors")
    blob.write_bytes(b"something else")
    checked = fsck()
    assert checked.code == 1
    found, total = checked.out.splitlines()
    assert found.startswith(f"damage: {blob.relative_to(kept)}: ")
    assert "DAMAGED" in total


def test_fsck_repairs_garbage_when_asked_to_and_then_finds_nothing(
    kept: Path, fsck: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = kept / ".aside" / ("a" * 32)
    aside.write_bytes(b"left by a crash")
    assert fsck().out.startswith("garbage: .aside/")
    assert "stays for an hour" in fsck("--repair").out
    assert aside.exists()
    monkeypatch.setattr("windrow.storage.fsck.GRACE_PERIOD_S", -60)
    repaired = fsck("--repair")
    assert repaired.code == 0
    assert repaired.out.startswith("repaired: .aside/")
    assert not aside.exists()
    assert fsck().out.endswith("nothing found.\n")


def test_fsck_prints_json_for_programs(fsck: Run) -> None:
    told = fsck("--json").document
    assert (told["classifiers"], told["findings"], told["sound"]) == (1, [], True)
