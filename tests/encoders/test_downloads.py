"""What comes from the hub is always of the same commit, with the real client and a hub on this machine."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.encoders.fake_hub import FakeHub, running_hub
from tests.encoders.tiny import edit_json
from tests.fakes.system_calls import error_for, fail_each
from windrow.domain.errors import BaseModelUnavailable, InvalidBaseModel, StorageFailed, StorageFull
from windrow.encoders import downloads
from windrow.encoders.downloads import COMMITS_FOLDER, find_snapshot, remembered_commit
from windrow.encoders.folder import EncoderFolder

pytestmark = pytest.mark.slow

ID = "acme/tiny-encoder"
# Its own process, since the client reads at its import where the hub is.
_FIND = """
import json, sys
from pathlib import Path
from windrow.domain.errors import WindrowError
from windrow.encoders.folder import find_encoder_folder
try:
    found = find_encoder_folder(sys.argv[1], data_dir=Path(sys.argv[2]), allowed=sys.argv[3].split(","), offline=False)
    print(json.dumps({"revision": found.base_model.revision, "digest": found.base_model.digest}))
except WindrowError as error:
    print(json.dumps({"code": error.code, "detail": error.detail}))
"""
Find = Callable[..., dict[str, Any]]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running_hub(ID) as running:
        yield running


@pytest.fixture
def find(hub: FakeHub, tmp_path: Path) -> Find:
    """Ask for the base model with some allow-list, data directory and cache."""

    def find(allowed: str = ID, *, data_dir: str = "data", cache: str = "cache", model_id: str = ID) -> dict[str, Any]:
        variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / cache), "HF_HUB_DISABLE_TELEMETRY": "1"}
        environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | variables
        command = [sys.executable, "-c", _FIND, model_id, str(tmp_path / data_dir), allowed]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return find


@pytest.fixture
def two_commits(hub: FakeHub, tiny_folder: EncoderFolder, tmp_path: Path) -> tuple[str, Path]:
    """A first commit on the hub, and the folder of a second one, which is not pushed yet."""
    source = shutil.copytree(tiny_folder.path, tmp_path / "one")
    changed = shutil.copytree(source, tmp_path / "two")
    edit_json(changed / "config.json", layer_norm_eps=1e-5)
    return hub.push(source), changed


def test_the_commit_that_was_taken_first_is_taken_ever_after(
    hub: FakeHub, find: Find, two_commits: tuple[str, Path]
) -> None:
    first, changed = two_commits
    taken = find()
    assert taken["revision"] == first
    second = hub.push(changed)
    assert find(cache="another_cache") == taken
    assert not [path for path in hub.asked if second in path]
    elsewhere = find(data_dir="another_data_directory", cache="a_third_cache")
    assert (elsewhere["revision"], elsewhere["digest"] == taken["digest"]) == (second, False)


def test_the_commit_of_the_allow_list_is_taken_whatever_was_taken_before(
    hub: FakeHub, find: Find, two_commits: tuple[str, Path]
) -> None:
    first, changed = two_commits
    second = hub.push(changed)
    assert find(f"other/model,{ID}@{first}")["revision"] == first
    assert not [path for path in hub.asked if second in path or "/main" in path]
    assert find(data_dir="another")["revision"] == second
    assert find(f"{ID}@{first}", data_dir="another")["revision"] == first


def test_a_commit_that_the_hub_has_not_is_told(find: Find, two_commits: tuple[str, Path]) -> None:
    told = find(f"{ID}@{'0' * 40}")
    assert told["code"] == "base_model_unavailable"
    assert "could not be downloaded" in told["detail"]


def test_nothing_is_asked_of_the_hub_for_an_id_that_is_not_allowed(hub: FakeHub, find: Find) -> None:
    told = find(f"other/model@{'0' * 40}")
    assert told["code"] == "base_model_not_allowed"
    assert "Use one of other/model, or add it" in told["detail"]
    assert hub.asked == []


@pytest.mark.parametrize("content", [b"", b"main\n", b"\xff", b"1" * 41, b"1" * 1_000])
def test_a_damaged_file_of_a_commit_is_told_with_its_name(tmp_path: Path, content: bytes) -> None:
    own = tmp_path / "base_models" / "acme--tiny-encoder"
    assert remembered_commit(own) is None
    (own.parent / COMMITS_FOLDER).mkdir(parents=True)
    (own.parent / COMMITS_FOLDER / own.name).write_bytes(content)
    with pytest.raises(InvalidBaseModel, match="commits/acme--tiny-encoder"):
        remembered_commit(own)


def test_offline_nothing_is_remembered_of_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    own = tmp_path / "base_models" / "acme--tiny-encoder"
    with pytest.raises(BaseModelUnavailable, match="WINDROW_OFFLINE"):
        find_snapshot(ID, own, None, offline=True)
    assert not own.parent.exists()


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.EROFS, None), (errno.EACCES, None), (errno.ENOSPC, StorageFull), (errno.EIO, StorageFailed)],
)
def test_what_is_here_serves_a_data_directory_that_is_only_read(
    number: int, error: type[Exception] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    snapshot = tmp_path / "snapshots" / ("a" * 40)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(snapshot))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    own = tmp_path / "base_models" / "acme--tiny-encoder"
    with nullcontext() if error is None else pytest.raises(error, match="cannot be kept"):
        assert find_snapshot(ID, own, None, offline=True) == snapshot
    assert not list((own.parent / COMMITS_FOLDER).iterdir())


def test_whichever_system_call_fails_a_commit_is_remembered_or_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = Path("hub", "a" * 40)
    monkeypatch.setattr(downloads, "_snapshot", lambda *_, **__: newest)

    def own(folder: Path) -> Path:
        return folder / "base_models" / "acme--tiny-encoder"

    def find(folder: Path) -> Path:
        return find_snapshot(ID, own(folder), None, offline=False)

    said = set()
    for number, folder, outcome in fail_each(tmp_path, find):
        said.add(type(outcome))
        left = remembered_commit(own(folder))
        assert left in (None, newest.name), number
        if outcome == newest:
            # Without the right to write, nothing can be trained either, so that it need not be remembered.
            assert left == newest.name or error_for(number) == errno.EACCES, number
        else:
            assert isinstance(outcome, StorageFailed | InvalidBaseModel), number
        assert find(folder) == newest
        assert remembered_commit(own(folder)) == newest.name
    assert {type(newest), StorageFailed} <= said


def test_whichever_system_call_fails_what_is_remembered_is_taken_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, newest = Path("hub", "a" * 40), "b" * 40
    monkeypatch.setattr(downloads, "_snapshot", lambda _, __, commit, ___: Path("hub", commit or newest))

    def own(folder: Path) -> Path:
        return folder / "base_models" / "acme--tiny-encoder"

    def prepare(folder: Path) -> None:
        path = own(folder).parent / COMMITS_FOLDER / own(folder).name
        path.parent.mkdir(parents=True)
        path.write_text(f"{first.name}\n")

    for number, folder, outcome in fail_each(
        tmp_path, lambda folder: find_snapshot(ID, own(folder), None, offline=False), prepare
    ):
        assert outcome == first or isinstance(outcome, InvalidBaseModel), number
        assert remembered_commit(own(folder)) == first.name
