"""Bindings and names in memory: what is seen at a look, and what damage does."""

from pathlib import Path

import pytest

from tests.storage.examples import open_names
from windrow.domain.binding import BindRequest
from windrow.domain.errors import InvalidArtifact
from windrow.execution.question_watch import QuestionWatch
from windrow.storage.binding_store import BindingStore
from windrow.storage.files import LocalFiles

FILE = "questions/bindings/000001.json"


@pytest.fixture
def store(tmp_path: Path) -> BindingStore:
    return BindingStore(open_names(LocalFiles(tmp_path)))


@pytest.fixture
def watch(tmp_path: Path) -> QuestionWatch:
    names = open_names(LocalFiles(tmp_path))
    return QuestionWatch(names, BindingStore(names))


def test_what_another_process_binds_is_seen_at_the_next_look(store: BindingStore, watch: QuestionWatch) -> None:
    watch.update()
    store.bind(BindRequest("a b", "tickets_v1"))
    assert watch.binding("a b") is None
    watch.update()
    bound = watch.binding("a b")
    assert bound is not None
    assert bound.model_name == "tickets_v1"
    store.bind(BindRequest("a b"))
    watch.update()
    assert watch.binding("a b") is None


def test_bindings_that_cannot_be_read_bind_nothing_silently(
    store: BindingStore, watch: QuestionWatch, tmp_path: Path
) -> None:
    store.bind(BindRequest("a", "tickets_v1"))
    sound = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(sound[:-10])
    watch.update()
    with pytest.raises(InvalidArtifact):
        watch.binding("a")
    (tmp_path / FILE).write_bytes(sound)
    watch.update()
    assert watch.binding("a") is not None


def test_a_text_may_be_a_name_until_it_is_known_that_none_is_called_so(watch: QuestionWatch, tmp_path: Path) -> None:
    assert watch.may_name("tickets_v1")
    assert not watch.may_name("is it true?")
    (tmp_path / "classifiers" / "tickets_v1").mkdir(parents=True)
    watch.update()
    assert watch.may_name("tickets_v1")
    assert not watch.may_name("other_v1")
