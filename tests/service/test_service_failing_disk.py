"""What every verb says of a disk that is full or cannot be read, and that nothing has changed then."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.execution.examples import queued_job
from tests.fakes.files import MemoryFiles
from tests.service.examples import SHOUTING, Open, ask, fake_service, fit, revisions, show
from tests.storage.job_folders import open_jobs
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import DeleteRequest, DescribeRequest, ModelRequest, RestoreRequest
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Row
from windrow.domain.errors import StorageFailed, StorageFull
from windrow.domain.job import JobRequest
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.report import EvaluateRequest
from windrow.service.service import Service
from windrow.storage.files import MAX_BYTES
from windrow.storage.namespace import Namespace

Verb = Callable[[Service], object]


class FailingFiles(MemoryFiles):
    """A disk that is full after some more writes, or that cannot be read."""

    free_writes = 1_000
    is_readable = True

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        """Store, while there is room."""
        if self.free_writes == 0:
            raise StorageFull("The disk is full. Free some space.")
        self.free_writes -= 1
        super().put_new(key, data, same_as)

    def remove(self, key: str) -> None:
        """Remove, which makes room."""
        super().remove(key)
        self.free_writes += 1

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Read, if that is possible."""
        self._check()
        return super().get(key, max_bytes)

    def list(self, prefix: str) -> "list[str]":
        """List, if that is possible."""
        self._check()
        return super().list(prefix)

    def version_token(self, prefix: str) -> str | None:
        """Return no token where the disk says nothing."""
        return super().version_token(prefix) if self.is_readable else None

    def _check(self) -> None:
        if not self.is_readable:
            raise StorageFailed("The disk cannot be read. Check it.")


def import_again(service: Service) -> object:
    file = io.BytesIO(b"".join(service.export(ExportRequest("a")).chunks))
    return service.import_classifier(file, ImportRequest("imported"))


CHANGES: Mapping[str, Verb] = {
    "fit a new one": lambda service: fit(service, "new"),
    "fit again": lambda service: fit(service, "a", rows=SHOUTING),
    "describe": lambda service: service.describe(DescribeRequest("a", description="new")),
    "delete": lambda service: service.delete(DeleteRequest("b")),
    "delete all": lambda service: service.delete_all(DeleteAllRequest(prefix="b")),
    "restore": lambda service: service.restore(RestoreRequest("deleted")),
    "restore a revision": lambda service: service.restore(RestoreRequest("a@1")),
    "promote": lambda service: service.promote(PromoteRequest("alias", "b")),
    "roll back": lambda service: service.rollback(AliasChangeRequest("alias")),
    "take away": lambda service: service.remove_alias(AliasChangeRequest("alias")),
    "import": import_again,
}
PURGES: Mapping[str, Verb] = {
    "purge": lambda service: service.delete(DeleteRequest("b", purge=True)),
    "purge a revision": lambda service: service.delete(DeleteRequest("a@1", purge=True)),
    "purge all": lambda service: service.delete_all(DeleteAllRequest(prefix="b", purge=True)),
    "purge what was deleted": lambda service: service.delete(DeleteRequest("deleted", purge=True)),
}
LOOKS: Mapping[str, Verb] = {
    "predict": lambda service: ask(service, "a", "error"),
    "predict by an alias": lambda service: ask(service, "alias", "error"),
    "list": lambda service: service.list_classifiers(ListRequest()),
    "show": lambda service: show(service, "a"),
    "list aliases": lambda service: service.list_aliases().aliases,
    "history": lambda service: service.alias_history(AliasRequest("alias")).changes,
    "export": lambda service: service.export(ExportRequest("a")),
    "reproduce": lambda service: service.reproduce(ModelRequest("a")),
    "base models": lambda service: service.base_models().base_models,
}


@pytest.fixture
def files(tmp_path: Path) -> FailingFiles:
    """Two classifiers, one with two revisions, a deleted one, and an alias that has pointed elsewhere before."""
    files = FailingFiles()
    service = fake_service(tmp_path, names=Namespace(files, files.lock))
    for name in ("a", "a", "b", "deleted", "old"):
        fit(service, name)
    service.delete(DeleteRequest("deleted"))
    service.promote(PromoteRequest("alias", "old"))
    service.promote(PromoteRequest("alias", "a"))
    service.close()
    return files


@pytest.mark.parametrize("verb", CHANGES)
def test_a_full_disk_is_told_and_nothing_has_changed(verb: str, files: FailingFiles, opened: Open) -> None:
    service = opened(names=Namespace(files, files.lock))
    files.free_writes = 0
    kept = dict(files.kept)
    with pytest.raises(StorageFull):
        CHANGES[verb](service)
    assert files.kept == kept
    assert ask(service, "alias", "error").model_name == "a"
    files.free_writes = 1_000
    CHANGES[verb](service)
    assert files.kept != kept


@pytest.mark.parametrize("verb", PURGES)
def test_a_full_disk_is_purged_all_the_same(verb: str, files: FailingFiles, opened: Open) -> None:
    service = opened(names=Namespace(files, files.lock))
    files.free_writes, kept = 0, set(files.kept)
    PURGES[verb](service)
    assert kept - set(files.kept)
    assert ask(service, "alias", "error").model_name == "a"


def test_an_evaluation_whose_score_cannot_be_kept_is_told_all_the_same(files: FailingFiles, opened: Open) -> None:
    service = opened(names=Namespace(files, files.lock))
    files.free_writes = 0
    report = service.evaluate(EvaluateRequest("a", (Row("error", "bug"),)))
    assert report.total == 1
    assert report.saved is False
    (warning,) = (each for each in report.warnings if each.code == "not_saved")
    assert "The disk is full" in warning.message
    assert show(service, "a").test is None


@pytest.mark.parametrize("verb", [*CHANGES, *PURGES, *LOOKS])
def test_a_disk_that_cannot_be_read_is_told_by_every_verb_and_forgotten_once_it_can(
    verb: str, files: FailingFiles, opened: Open
) -> None:
    service = opened(names=Namespace(files, files.lock))
    files.is_readable = False
    with pytest.raises(StorageFailed):
        {**CHANGES, **PURGES, **LOOKS}[verb](service)
    files.is_readable = True
    {**CHANGES, **PURGES, **LOOKS}[verb](service)


@pytest.mark.parametrize("free_writes", range(5))
def test_a_disk_that_fills_up_in_the_midst_of_a_fit_never_leaves_a_half_written_classifier(
    free_writes: int, opened: Open
) -> None:
    """That takes five writes: the job as it begins and as its turn comes, two blobs, the record."""
    files = FailingFiles()
    files.free_writes = free_writes
    first = opened(names=Namespace(files, files.lock))
    with pytest.raises(StorageFull):
        fit(first)
    first.dependencies.jobs.wait(60)  # after its answer, it still tries to write down what became of the job
    files.free_writes = 5
    again = opened(names=Namespace(files, files.lock))
    assert revisions(again) == []
    assert fit(again) == 1


def test_a_service_starts_on_a_full_disk_that_holds_a_job_of_a_dead_process(
    files: FailingFiles, opened: Open, tmp_path: Path
) -> None:
    dead = open_jobs(tmp_path, files)
    job_id = dead.new_id()
    dead.put(replace(queued_job(job_id), state="running", started_at=utc_now()), 1)
    dead.close()
    files.free_writes = 0
    service = opened(names=Namespace(files, files.lock))
    service.start()
    assert service.job(JobRequest(job_id)).state == "interrupted"
    assert ask(service, "a", "error").model_name == "a"


# More than any disk has.
ALL_ROOM = 10**18


@pytest.mark.parametrize("verb", ["fit a new one", "fit again", "import"])
def test_trainings_and_imports_leave_room(verb: str, files: FailingFiles, opened: Open) -> None:
    service = opened(names=Namespace(files, files.lock), min_free_bytes=ALL_ROOM)
    kept = dict(files.kept)
    with pytest.raises(StorageFull, match="WINDROW_MIN_FREE_BYTES") as raised:
        CHANGES[verb](service)
    assert files.kept == kept
    assert raised.value.facts["min_free_bytes"] == ALL_ROOM
    CHANGES[verb](opened(names=Namespace(files, files.lock), min_free_bytes=0))


@pytest.mark.parametrize("verb", [*sorted(CHANGES.keys() - {"fit a new one", "fit again", "import"}), *PURGES, *LOOKS])
def test_all_else_goes_on_where_little_room_is_left(verb: str, files: FailingFiles, opened: Open) -> None:
    {**CHANGES, **PURGES, **LOOKS}[verb](opened(names=Namespace(files, files.lock), min_free_bytes=ALL_ROOM))


def test_a_dry_run_of_an_import_takes_no_room(files: FailingFiles, opened: Open) -> None:
    service = opened(names=Namespace(files, files.lock), min_free_bytes=ALL_ROOM)
    file = io.BytesIO(b"".join(service.export(ExportRequest("a")).chunks))
    assert service.import_classifier(file, ImportRequest("imported", dry_run=True)).status == "dry_run"


def test_monitors_are_told_how_much_room_is_left(opened: Open) -> None:
    service = opened(min_free_bytes=5)
    service.start()
    service.dependencies.free_space.update()
    assert service.server_stats().free_bytes > 0
