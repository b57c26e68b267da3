"""Blobs: kept once under their digest, and never handed out damaged."""

import hashlib
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from windrow.domain.errors import InvalidArtifact, StorageFailed, StorageUncertain
from windrow.storage.blobs import Blobs
from windrow.storage.files import Files, LocalFiles
from windrow.storage.revision import BlobRef

CONTENT = b"content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = f"classifiers/tickets/blobs/{SHA256}.jsonl.gz"


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def blobs(files: Files) -> Blobs:
    return Blobs(files)


def test_a_blob_lies_under_its_digest_in_its_classifiers_folder(files: Files, blobs: Blobs) -> None:
    assert blobs.keep("tickets", CONTENT, ".jsonl.gz") == BlobRef(SHA256, 7, ".jsonl.gz")
    assert files.get(KEY) == CONTENT


def test_a_blob_comes_back_as_it_was_kept(blobs: Blobs) -> None:
    for content in (b"", CONTENT, bytes(range(256))):
        assert blobs.read("tickets", blobs.keep("tickets", content, ".safetensors")) == content


def test_equal_contents_of_one_classifier_are_kept_once(files: Files, blobs: Blobs) -> None:
    assert blobs.keep("tickets", CONTENT, ".jsonl.gz") == blobs.keep("tickets", CONTENT, ".jsonl.gz")
    blobs.keep("moods", CONTENT, ".jsonl.gz")
    assert len(files.list("classifiers/tickets/blobs")) == len(files.list("classifiers/moods/blobs")) == 1


@pytest.mark.parametrize("damaged", [b"", b"c0ntent", b"content+"])
def test_a_damaged_blob_is_refused_and_replaced_by_what_is_kept_again(
    files: Files, blobs: Blobs, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    files.put_new(KEY, damaged)
    ref = BlobRef(SHA256, 7, ".jsonl.gz")
    with pytest.raises(InvalidArtifact, match=r"blobs/.* was altered.*train the classifier again"):
        blobs.read("tickets", ref)
    assert blobs.keep("tickets", CONTENT, ".jsonl.gz") == ref
    assert blobs.read("tickets", ref) == CONTENT
    assert caplog.messages == [f"Replacing {KEY}, which was damaged."]


def test_damage_does_not_spread_to_a_copy(files: Files, blobs: Blobs) -> None:
    blobs.keep("tickets", CONTENT, ".jsonl.gz")
    files.remove(KEY)
    files.put_new(KEY, b"c0ntent")
    ref = blobs.keep("moods", CONTENT, ".jsonl.gz", copied_from="tickets")
    assert blobs.read("moods", ref) == CONTENT


def test_a_link_to_nowhere_is_replaced_by_what_is_kept(tmp_path: Path) -> None:
    blobs = Blobs(LocalFiles(tmp_path))
    (tmp_path / KEY).parent.mkdir(parents=True)
    (tmp_path / KEY).symlink_to(tmp_path / "nowhere")
    assert blobs.read("tickets", blobs.keep("tickets", CONTENT, ".jsonl.gz")) == CONTENT
    assert not (tmp_path / KEY).is_symlink()


def test_a_missing_blob_is_refused(blobs: Blobs) -> None:
    with pytest.raises(InvalidArtifact, match=r"blobs/.* is missing"):
        blobs.read("tickets", BlobRef(SHA256, 7, ".jsonl.gz"))


def test_a_blob_of_another_size_than_the_recorded_one_is_refused(blobs: Blobs) -> None:
    blobs.keep("tickets", CONTENT, ".jsonl.gz")
    with pytest.raises(InvalidArtifact, match="was altered"):
        blobs.read("tickets", BlobRef(SHA256, 8, ".jsonl.gz"))


def test_blobs_are_listed_and_removed_by_their_files_names(tmp_path: Path) -> None:
    blobs = Blobs(LocalFiles(tmp_path))
    assert blobs.file_names("tickets") == []
    refs = [blobs.keep("tickets", content, ".jsonl.gz") for content in (b"a", b"b")]
    (tmp_path / KEY).with_name("notes").write_bytes(b"no blob")
    assert blobs.file_names("tickets") == sorted(ref.file_name for ref in refs)
    blobs.remove("tickets", refs[0].file_name)
    assert blobs.file_names("tickets") == [refs[1].file_name]
    blobs.remove("tickets", refs[0].file_name)


def test_a_blob_that_the_disk_does_not_confirm_is_a_failure_that_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_new = LocalFiles.put_new

    def put(self: LocalFiles, key: str, data: bytes, same_as: str | None = None) -> None:
        put_new(self, key, data, same_as)
        raise StorageUncertain("It holds now.", {"file": key, "why": "so"})

    monkeypatch.setattr(LocalFiles, "put_new", put)
    with pytest.raises(StorageFailed, match="nothing else was changed") as raised:
        Blobs(LocalFiles(tmp_path)).keep("tickets", b"content", "jsonl.gz")
    assert type(raised.value) is StorageFailed
