"""Every system call of the verbs, of a start and of a repair that fails once: what is said is true, a restart works."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.fakes.system_calls import FailAt, each_call, error_for
from tests.service.examples import fake_service, fit, listed
from tests.storage.examples import fast_folder
from windrow.domain.alias import AliasChangeRequest, PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.classifier import CopyRequest, DeleteRequest, DescribeRequest, RestoreRequest
from windrow.domain.errors import WindrowError
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import Job, JobListRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.service.service import Service

pytestmark = pytest.mark.slow

MAX_CALLS = 2_000
# What each classifier and each alias is.
State = tuple[Mapping[str, object], Mapping[str, object]]
# The files of a data directory, with their contents.
Contents = frozenset[tuple[str, bytes]]
# Nothing was changed; and all or a part may have been.
REFUSED = {"storage_failed", "storage_full", "data_directory_unavailable", "invalid_artifact"}
UNCERTAIN = {"storage_uncertain"}


def import_again(service: Service) -> object:
    archive = b"".join(service.export(ExportRequest("a")).chunks)
    return service.import_classifier(io.BytesIO(archive), ImportRequest("imported"))


CHANGES: Mapping[str, Callable[[Service], object]] = {
    "fit": lambda service: fit(service, "new"),
    "fit again": lambda service: fit(service, "a"),
    "import": import_again,
    "copy": lambda service: service.copy(CopyRequest("a", "copied")),
    "describe": lambda service: service.describe(DescribeRequest("a", description="new")),
    "set a threshold": lambda service: service.set_threshold(SetThresholdRequest("a", abstain_below=0.5)),
    "promote": lambda service: service.promote(PromoteRequest("live", "b")),
    "roll back": lambda service: service.rollback(AliasChangeRequest("live")),
    "delete": lambda service: service.delete(DeleteRequest("b")),
    "restore": lambda service: service.restore(RestoreRequest("gone")),
    "purge": lambda service: service.delete(DeleteRequest("b", purge=True)),
}


@pytest.fixture(scope="module")
def before() -> Iterator[Path]:
    """Three classifiers, one of them deleted, an alias that can be rolled back, and garbage of a dead process."""
    with fast_folder() as folder:
        root = Path(folder, "before")
        with closing(fake_service(root)) as service:
            for name in ("a", "b", "gone"):
                fit(service, name)
            service.delete(DeleteRequest("gone"))
            service.promote(PromoteRequest("live", "b"))
            service.promote(PromoteRequest("live", "a"))
            service.promote(PromoteRequest("other", "a"))
        yield root


def names_of(found: State) -> set[str]:
    """Return the names of the classifiers that answer."""
    return set(found[0])


def state(service: Service) -> State:
    """Return everything that the changes change."""
    classifiers = {
        one.name: (one.revision, one.description, one.threshold and one.threshold.abstain_below)
        for one in listed(service)
    }
    return classifiers, {one.alias: (one.points_to, one.answers) for one in service.list_aliases().aliases}


def contents(root: Path) -> Contents:
    """Return what is in a folder: most calls that fail leave what others left, to the byte, and that is tried once."""
    found = set()
    for folder, _, names in os.walk(root):
        for file in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):  # the audit trail was just writing it, and has it elsewhere now
                found.add((str(file.relative_to(root)), file.read_bytes()))
    return frozenset(found)


def started_again(root: Path) -> tuple[State, tuple[Job, ...]]:
    """Start a service on what a failure left, and return the state and the jobs that it finds, which must be sound."""
    with closing(fake_service(root)) as again:
        again.start()
        found = state(again)
        assert again.fsck(FsckRequest()).sound
        return found, again.list_jobs(JobListRequest()).jobs


def each_failure(before: Path, act: Callable[[Service], object]) -> Iterator[tuple[str, Path]]:
    """Let each call fail in turn, and yield what was said of it, and where it was; at last that all went well."""
    for number in range(1, MAX_CALLS):
        # A thread of the last service may still write into its own, also after it is removed.
        root = Path(tempfile.mkdtemp(dir=before.parent), "copy")
        shutil.copytree(before, root)
        failing, said = FailAt(number, error_for(number)), "done"
        with closing(fake_service(root)) as service:
            with each_call(root, failing):
                try:
                    act(service)
                except WindrowError as error:
                    said = error.code
            yield said, root
        shutil.rmtree(root.parent, ignore_errors=True)
        if failing.calls < number:
            assert said == "done"
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_truly_wherever_the_disk_fails_and_the_next_start_finds_it(
    change: Callable[[Service], object], before: Path
) -> None:
    with closing(fake_service(before)) as service:
        old = state(service)
    heard: set[str] = set()
    found: list[tuple[str, State]] = []
    known: dict[Contents, tuple[State, tuple[Job, ...]]] = {}
    for said, root in each_failure(before, change):
        heard.add(said)
        if (left := contents(root)) not in known:
            known[left] = started_again(root)
        what, jobs = known[left]
        found.append((said, what))
        assert all(job.is_finished for job in jobs)
        if said not in UNCERTAIN:
            is_told = {job.model_name for job in jobs if job.state == "succeeded"}
            assert ("new" in is_told) is ("new" in names_of(what))
    new = found[-1][1]
    assert new != old
    for number, (said, what) in enumerate(found, 1):
        expected = {"done": (new,)}.get(said, (old, new) if said in UNCERTAIN else (old,))
        assert what in expected, f"call {number} failed, and it said {said}"
    assert heard <= {"done"} | REFUSED | UNCERTAIN
    assert "storage_failed" in heard


def test_a_start_succeeds_or_says_why_not_wherever_the_disk_fails(before: Path) -> None:
    with closing(fake_service(before)) as service:
        old = state(service)
    heard, known = set(), set()
    for said, root in each_failure(before, lambda service: service.start()):
        heard.add(said)
        if (left := contents(root)) not in known:
            known.add(left)
            assert started_again(root)[0] == old
    assert heard <= {"done"} | REFUSED


def test_a_repair_loses_nothing_wherever_the_disk_fails(before: Path) -> None:
    root = before.with_name("garbage")
    shutil.copytree(before, root)
    stray = root / "classifiers" / "a" / "blobs" / f"{'0' * 64}.jsonl.gz"
    stray.write_bytes(b"rows of somebody")
    for path in (stray, stray.parent, stray.parent.parent):
        path.touch()
    with closing(fake_service(before)) as service:
        old = state(service)
    known = set()
    for said, place in each_failure(root, lambda service: service.fsck(FsckRequest(repair=True))):
        assert said in {"done"} | REFUSED
        kept = [path.read_bytes() for path in place.rglob(stray.name)]
        assert kept == [b"rows of somebody"]
        if (left := contents(place)) not in known:
            known.add(left)
            assert started_again(place)[0] == old
