"""Bindings on the disk: what is kept, how much, and what damage does."""

from pathlib import Path

import pytest

from windrow.bootstrap import open_store
from windrow.domain.binding import BindRequest
from windrow.domain.errors import InvalidArtifact, InvalidParameter
from windrow.settings import Settings
from windrow.storage import binding_store
from windrow.storage.binding_store import KEPT_FILES, BindingStore

ONE = BindRequest("Is it money?", "tickets_v1", "billing")


@pytest.fixture
def store(tmp_path: Path) -> BindingStore:
    return open_store(Settings(data_dir=tmp_path)).bindings


def questions(store: BindingStore) -> list[str]:
    return [each.question for each in store.known().bindings]


def test_a_binding_is_read_as_it_was_kept(store: BindingStore, tmp_path: Path) -> None:
    bound = store.bind(ONE)
    assert bound is not None
    assert store.bind(BindRequest("a", "b", levels=("c", "d"))) is not None
    there = open_store(Settings(data_dir=tmp_path)).bindings
    assert questions(there) == ["Is it money?", "a"]
    assert there.known().bindings[0] == bound
    assert there.known().bindings[1].levels == ("c", "d")


def test_what_is_bound_so_already_changes_nothing(store: BindingStore) -> None:
    first = store.bind(ONE)
    assert store.bind(ONE) == first
    assert store.known().number == 1
    assert store.bind(BindRequest("b")) is None
    assert store.known().number == 1


def test_a_binding_is_taken_away(store: BindingStore) -> None:
    store.bind(ONE)
    assert store.bind(BindRequest(ONE.question)) is None
    assert (questions(store), store.known().number) == ([], 2)


def test_older_files_of_the_log_are_removed(store: BindingStore, tmp_path: Path) -> None:
    for number in range(KEPT_FILES + 3):
        store.bind(BindRequest("a", f"b_v{number}"))
    assert len(list((tmp_path / "questions" / "bindings").iterdir())) == KEPT_FILES


def test_there_are_not_more_than_can_be_kept(store: BindingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding_store, "MAX_BINDINGS", 1)
    store.bind(ONE)
    with pytest.raises(InvalidParameter, match="1 bindings already"):
        store.bind(BindRequest("a", "b"))
    assert store.bind(BindRequest(ONE.question, "other_v1")) is not None


def test_damage_is_told_and_changes_nothing(store: BindingStore, tmp_path: Path) -> None:
    store.bind(ONE)
    file = tmp_path / "questions" / "bindings" / "000001.json"
    file.write_bytes(file.read_bytes().replace(b"billing", b"bullied"))
    there = open_store(Settings(data_dir=tmp_path)).bindings
    with pytest.raises(InvalidArtifact, match="sha256"):
        there.known()
    with pytest.raises(InvalidArtifact):
        there.bind(BindRequest("a", "b"))
