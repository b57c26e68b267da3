"""Forgetting texts: where they are found, and that nothing of them is kept on the disk afterwards."""

import gzip
from pathlib import Path

import pytest

from tests.service.examples import ROWS, Open, ask, fit, show
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import CopyRequest, DeleteRequest, ModelRequest, RestoreRequest
from windrow.domain.dataset import Row
from windrow.domain.erasure import Erasure, ForgetRequest
from windrow.domain.errors import NothingToRollBack, TrainingDataNotKept
from windrow.domain.integrity import FsckRequest
from windrow.domain.listing import ListRequest
from windrow.service.service import Service
from windrow.storage.blobs import Blobs
from windrow.storage.revision import ClassifierState

SECRET = "Ana Ruiz of 5 Oak Street was charged twice"
WITH_SECRET = (*ROWS, Row(SECRET, "billing"))


def forget(service: Service, action: str = "find", *, force: bool = False, text: str = SECRET) -> Erasure:
    return service.forget(ForgetRequest(texts=(text,), action=action, force=force))


def told(erasure: Erasure) -> list[tuple[str, int, str]]:
    return [(each.model_name, each.revision, each.status) for each in erasure]


def kept_anywhere(folder: Path, text: str = SECRET) -> list[str]:
    """Return the files below a folder that hold a text, packed or not."""
    found = []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        if text.encode() in content:
            found.append(str(path.relative_to(folder)))
    return found


@pytest.fixture
def data_dir(service: Service) -> Path:
    """A data directory with two revisions that have learned a text, a copy, and classifiers that have not."""
    fit(service, "tickets_v1", WITH_SECRET)
    fit(service, "tickets_v1", (*WITH_SECRET, Row("Another one", "bug")))
    fit(service, "tickets_v1")
    service.copy(CopyRequest("tickets_v1@2", "copied_v1"))
    fit(service, "others_v1")
    return service.dependencies.settings.local_dir


def test_a_text_is_found_wherever_it_was_learned_and_nothing_changes(service: Service, data_dir: Path) -> None:
    before = kept_anywhere(data_dir)
    assert len(before) == 3
    erasure = forget(service, text=f" {SECRET.upper()}\n")
    assert told(erasure) == [("copied_v1", 1, "found"), ("tickets_v1", 1, "found"), ("tickets_v1", 2, "found")]
    assert [each.rows for each in erasure] == [(8,)] * 3
    assert [each.answers for each in erasure] == [True, False, False]
    assert (erasure.unknown, erasure.complete) == ((), False)
    assert kept_anywhere(data_dir) == before


def test_removed_rows_are_nowhere_on_the_disk_and_all_else_is_as_before(service: Service, data_dir: Path) -> None:
    answers = [ask(service, name, "charged twice").scores for name in ("tickets_v1@1", "tickets_v1@2", "copied_v1")]
    erasure = forget(service, "remove_rows")
    assert {each.status for each in erasure} == {"rows_removed"}
    assert erasure.complete
    assert kept_anywhere(data_dir) == []
    assert forget(service).revisions == ()
    names = ("tickets_v1@1", "tickets_v1@2", "copied_v1")
    assert [ask(service, name, "charged twice").scores for name in names] == answers
    assert [len(list(service.dependencies.store.training_rows(entry(service, name)) or ())) for name in names] == [
        8,
        9,
        9,
    ]
    assert show(service, "tickets_v1").revisions == (1, 2, 3)
    assert show(service, "tickets_v1@2").training_data_erased
    assert not show(service, "tickets_v1").training_data_erased
    assert service.fsck(FsckRequest()).findings == ()


def entry(service: Service, name: str) -> ClassifierState:
    return service.dependencies.store.find(name).entry


def test_what_is_left_of_the_rows_is_still_explained_by_and_trained_beside(service: Service, data_dir: Path) -> None:
    forget(service, "remove_rows")
    explanation = ask(service, "tickets_v1@1", "charged twice", explain=True).explanation
    assert explanation is not None
    assert explanation.nearest_rows
    assert all(SECRET not in row.text for row in explanation.nearest_rows)
    fit(service, "tickets_v1")
    assert show(service, "tickets_v1").revision > 3
    service.restore(RestoreRequest("tickets_v1@2"))
    assert show(service, "tickets_v1").training_data_erased
    assert kept_anywhere(data_dir) == []
    assert service.fsck(FsckRequest()).findings == ()


def test_rows_that_are_not_whole_are_neither_exported_nor_trained_on_again(service: Service, data_dir: Path) -> None:
    forget(service, "remove_rows")
    with pytest.raises(TrainingDataNotKept, match="erased"):
        service.export(ExportRequest("tickets_v1@1", include_training_data=True))
    with pytest.raises(TrainingDataNotKept, match="erased"):
        service.reproduce(ModelRequest("tickets_v1@1"))
    assert service.export(ExportRequest("tickets_v1@1")).size_bytes > 0


def test_rows_of_a_deleted_classifier_are_removed_and_it_stays_deleted(service: Service, data_dir: Path) -> None:
    service.delete(DeleteRequest("tickets_v1"))
    erasure = forget(service, "remove_rows")
    assert [each.deleted for each in erasure] == [False, True, True]
    assert kept_anywhere(data_dir) == []
    assert "tickets_v1" not in [each.name for each in service.list_classifiers(ListRequest()).models]
    service.restore(RestoreRequest("tickets_v1"))
    assert show(service, "tickets_v1").revisions == (1, 2, 3)
    assert show(service, "tickets_v1@1").training_data_erased
    assert service.fsck(FsckRequest()).findings == ()


def test_when_no_row_is_left_none_are_kept(service: Service) -> None:
    rows = (Row("only one", "a"), Row("only two", "b"))
    fit(service, "small_v1", rows)
    service.forget(ForgetRequest(texts=("only one", "only two"), action="remove_rows"))
    assert not show(service, "small_v1").keeps_training_data
    assert service.fsck(FsckRequest()).findings == ()


def test_a_purge_takes_what_has_learned_and_leaves_what_is_in_use_unless_forced(
    service: Service, data_dir: Path
) -> None:
    service.promote(PromoteRequest("pinned", "tickets_v1@1"))
    erasure = forget(service, "purge")
    assert told(erasure) == [("copied_v1", 1, "in_use"), ("tickets_v1", 1, "in_use"), ("tickets_v1", 2, "purged")]
    assert erasure[1].aliases == ("pinned",)
    assert not erasure.complete
    assert show(service, "tickets_v1").revisions == (1, 3)
    forced = forget(service, "purge", force=True)
    assert told(forced) == [("copied_v1", 1, "purged"), ("tickets_v1", 1, "purged")]
    assert kept_anywhere(data_dir) == []
    assert [each.name for each in service.list_classifiers(ListRequest()).models] == ["others_v1", "tickets_v1"]


def test_rows_that_an_alias_keeps_are_removed_with_the_steps_that_hold_them(service: Service, data_dir: Path) -> None:
    service.promote(PromoteRequest("tickets", "others_v1"))
    service.promote(PromoteRequest("tickets", "tickets_v1", must_pass=(ROWS[0], Row(SECRET, "billing"))))
    service.promote(PromoteRequest("tickets", "tickets_v1@2"))
    found = forget(service)
    assert [(each.alias, each.rows) for each in found.aliases] == [("tickets", 1)]
    removed = forget(service, "remove_rows")
    assert [each.status for each in removed.aliases] == ["rows_removed"]
    assert kept_anywhere(data_dir) == []
    (alias,) = service.list_aliases()
    assert (alias.points_to, alias.must_pass) == ("tickets_v1@2", (ROWS[0],))
    assert [change.number for change in service.alias_history(AliasRequest("tickets"))] == [1, 4]
    with pytest.raises(NothingToRollBack):
        service.rollback(AliasChangeRequest("tickets"))
    assert service.fsck(FsckRequest()).findings == ()


def test_revisions_whose_rows_are_not_kept_are_named_since_nobody_knows(opened: Open, tmp_path: Path) -> None:
    service = opened(tmp_path / "other", keep_training_data=False)
    fit(service, "tickets_v1", WITH_SECRET)
    erasure = forget(service, "remove_rows")
    assert (erasure.revisions, erasure.unknown) == ((), ("tickets_v1@1",))


def test_an_erasure_that_was_cut_short_is_finished_by_the_next_one(
    service: Service, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            forget(service, "remove_rows")
    assert kept_anywhere(data_dir) != []
    findings = service.fsck(FsckRequest()).findings
    assert {each.code for each in findings} == {"erasure_unfinished"}
    forget(service, "remove_rows")
    assert kept_anywhere(data_dir) == []
    assert service.fsck(FsckRequest()).findings == ()
