"""Commits and checkpoints are read as they were written, or refused with a sentence."""

import gzip
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidArtifact
from windrow.storage.format import FORMAT
from windrow.storage.object_store.documents import (
    Checkpoint,
    Commit,
    StoredFile,
    checkpoint_from_bytes,
    checkpoint_to_bytes,
    commit_from_bytes,
    commit_to_bytes,
)

HEX = "0123456789abcdef"
KEYS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}(/[A-Za-z0-9][A-Za-z0-9._-]{0,9}){0,3}", fullmatch=True)
ATTEMPTS = st.text(HEX, min_size=32, max_size=32)
FILES = st.builds(StoredFile, st.integers(0, 10**12), st.text(HEX, min_size=64, max_size=64), ATTEMPTS)
COMMITS = st.builds(
    Commit,
    st.integers(1, 10**12 - 1),
    ATTEMPTS,
    ATTEMPTS | st.just(""),
    st.dictionaries(KEYS, FILES, max_size=5),
    st.lists(KEYS, max_size=5, unique=True).map(tuple),
    st.integers(0, 10**12 - 1),
    st.dictionaries(KEYS, st.none() | FILES, max_size=5),
)
FILE = StoredFile(12, "a" * 64, "b" * 32)
COMMIT = Commit(7, "c" * 32, "d" * 32, {"a/b": FILE}, ("a/c",), 3, {"a/b": FILE, "a/c": None})
CHECKPOINT = Checkpoint(7, {"a/b": FILE, "a/c.json": FILE})


@given(COMMITS)
def test_a_commit_is_read_as_it_was_written(commit: Commit) -> None:
    assert commit_from_bytes("key", commit_to_bytes(commit)) == commit


@given(st.builds(Checkpoint, st.integers(0, 10**12 - 1), st.dictionaries(KEYS, FILES, max_size=20)))
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert checkpoint_from_bytes("key", checkpoint_to_bytes(checkpoint)) == checkpoint


def test_two_writers_of_one_checkpoint_write_the_same() -> None:
    turned = Checkpoint(7, dict(reversed([*CHECKPOINT.files.items()])))
    assert checkpoint_to_bytes(turned) == checkpoint_to_bytes(CHECKPOINT)


def refuses(read: Callable[[str, bytes], object], data: bytes) -> str:
    """Return how a document is refused: with its key and what to do."""
    with pytest.raises(InvalidArtifact) as raised:
        read("folder/7.json", data)
    assert raised.value.detail.startswith("folder/7.json in the object store")
    assert raised.value.detail.endswith(".")
    return raised.value.detail


def test_a_commit_of_which_any_byte_was_altered_is_refused() -> None:
    data = commit_to_bytes(COMMIT)
    for position in range(len(data)):
        altered = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        refuses(commit_from_bytes, altered)


@pytest.mark.parametrize("size", [0, 1, 100, -20])
def test_half_a_document_is_refused(size: int) -> None:
    assert "Restore" in refuses(commit_from_bytes, commit_to_bytes(COMMIT)[:size])
    assert "Restore" in refuses(checkpoint_from_bytes, checkpoint_to_bytes(CHECKPOINT)[:size])


def test_a_checkpoint_whose_lines_were_altered_is_refused() -> None:
    text = gzip.decompress(checkpoint_to_bytes(CHECKPOINT))
    for before, after in ((b"a/b 12", b"a/b 13"), (b"a/c.json", b"a/d.json"), (b"a/b", b"")):
        assert "sha256" in refuses(checkpoint_from_bytes, gzip.compress(text.replace(before, after)))


def test_documents_of_a_newer_windrow_are_refused_with_what_to_do() -> None:
    commit = commit_to_bytes(COMMIT).replace(b'"format": %d' % FORMAT, b'"format": 99')
    newer = "folder/7.json in the object store has format 99, of a newer Windrow; this one reads up to format "
    assert refuses(commit_from_bytes, commit) == f"{newer}{FORMAT}. Upgrade Windrow."
    checkpoint = gzip.decompress(checkpoint_to_bytes(CHECKPOINT)).replace(b'"format": 1', b'"format": 99')
    assert refuses(checkpoint_from_bytes, gzip.compress(checkpoint)) == f"{newer}1. Upgrade Windrow."
