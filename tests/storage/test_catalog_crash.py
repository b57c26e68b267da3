"""Crash safety: whatever fails, and wherever the process dies, everything is in its old or in its new state."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.disk import FailingAt, each_writing_call
from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.dying import Die, mortals
from tests.storage.examples import fast_folder
from tests.storage.model import Model, Server, Verb, verb
from windrow.domain.errors import StorageFull
from windrow.storage.files import Files, LocalFiles

pytestmark = pytest.mark.slow

# What is there beforehand and must never be touched, with rows that other trainings share.
BYSTANDERS = (
    *(verb("fit", "bystander", seed, "stands by") for seed in (1, 2)),
    verb("promote", "live", "bystander@1", "it is good"),
)
FITTED = tuple(verb("fit", "tickets", seed, f"said {seed}") for seed in (11, 12, 14))
TRIMMED = (*FITTED, verb("purge_revision", "tickets", 1))
POINTED = (*FITTED, verb("promote", "best", "tickets@1", "first"), verb("promote", "best", "tickets", "second"))


@dataclass(frozen=True)
class Case:
    """A verb, and what was done before it."""

    before: tuple[Verb, ...]
    act: Verb

    def prepare(self, files: Files) -> None:
        """Bring a place into the state before the verb."""
        server, model = Server(files), Model()
        for one in (*BYSTANDERS, *self.before):
            assert one.on(server) == one.on(model)

    def model(self) -> Model:
        """Return the model in the state before the verb."""
        model = Model()
        for one in (*BYSTANDERS, *self.before):
            one.on(model)
        return model


CASES = {
    "fit": Case((), verb("fit", "tickets", 15, "new")),
    "refit": Case(FITTED, verb("fit", "tickets", 15)),
    "refit with what is there": Case(FITTED, verb("fit", "tickets", 12)),
    "refit of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("fit", "tickets", 15)),
    "import": Case((), verb("take_in", "tickets", 15)),
    "describe": Case(FITTED, verb("describe", "tickets", "another")),
    "measure": Case(FITTED, verb("measure", "tickets", 15)),
    "set a threshold": Case(FITTED, verb("set_threshold", "tickets", 13)),
    "measure anew": Case((*FITTED, verb("measure", "tickets", 15)), verb("measure", "tickets", 16)),
    "delete": Case(FITTED, verb("delete", "tickets")),
    "restore": Case((*TRIMMED, verb("delete", "tickets")), verb("restore", "tickets")),
    "restore a revision": Case(FITTED, verb("restore", "tickets", 1)),
    "purge": Case(FITTED, verb("purge", "tickets")),
    "purge of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("purge", "tickets")),
    "purge a revision": Case(FITTED, verb("purge_revision", "tickets", 2)),
    "purge a revision that was restored": Case(
        (*FITTED, verb("restore", "tickets", 1), verb("restore", "tickets", 3)), verb("purge_revision", "tickets", 1)
    ),
    "sweep of what was deleted": Case((*TRIMMED, verb("delete", "tickets")), verb("sweep")),
    "sweep of what was deleted before": Case(
        (*TRIMMED, verb("delete", "tickets"), verb("fit", "tickets", 15)), verb("sweep")
    ),
    "promote": Case(FITTED, verb("promote", "best", "tickets@2", "why")),
    "promote anew": Case(POINTED, verb("promote", "best", "tickets@3", "why")),
    "roll back": Case(POINTED, verb("roll_back", "best", "why")),
    "remove an alias": Case(POINTED, verb("remove", "best", "why")),
}
# What is said where the disk is full; a sweep tells the log, and then which names it purged: none.
REFUSALS = ("StorageFull", "")
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def check_what_is_left(files: Files, case: Case, outcome: object = None) -> bool:
    """See that a fresh server finds the old state or the new one, and can do the verb again; say if it is the new one.

    Args:
        files: What the failure left.
        case: What was being done.
        outcome: What the verb returned, or the name of its error; ``None`` where the process died.
    """
    old = case.model()
    new, server = old.copy(), Server(files)
    returned = case.act.on(new)
    state = server.state()
    assert state in (old.state(), new.state())
    is_new = state == new.state()
    assert outcome in (None, *REFUSALS) or (is_new and outcome == returned)
    model = new if is_new else old
    model.half_purged = server.half_purged()
    assert case.act.on(server) == case.act.on(model)
    assert server.state() == model.state()
    return is_new


@pytest.mark.parametrize("is_done", [False, True], ids=["before the step", "after the step"])
@pytest.mark.parametrize("failure", [StorageFull("The disk is full."), Killed()], ids=["full disk", "killed"])
@every_case
def test_a_failure_at_any_put_or_removal_leaves_the_old_or_the_new_state(
    case: Case, failure: BaseException, is_done: bool
) -> None:
    found = []
    for step in range(1, 50):
        files = MemoryFiles()
        case.prepare(files)
        breaking = BreakingFiles(files, step, failure, is_done)
        outcome = None
        with suppress(Killed):
            outcome = case.act.on(Server(breaking))
        found.append(check_what_is_left(files, case, outcome))
        if breaking.steps < step:
            break
    assert len(found) > 1
    assert found == sorted(found)
    assert found[-1]


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out syncing: what a dead process wrote, the system still holds. The calls are counted all the same."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def die() -> Iterator[Die]:
    with mortals() as die:
        yield die


@pytest.fixture
def copies(case: Case, unsynced: None) -> Iterator[Callable[[], LocalFiles]]:
    """Make places in the state before the verb."""
    with fast_folder() as folder:
        before, copy = Path(folder, "before"), Path(folder, "copy")
        case.prepare(LocalFiles(before))

        def make() -> LocalFiles:
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(before, copy)
            return LocalFiles(copy)

        yield make


@every_case
def test_a_process_that_dies_at_any_system_call_leaves_the_old_or_the_new_state(
    case: Case, copies: Callable[[], LocalFiles], die: Die
) -> None:
    found, garbage = [], set()
    for step in range(1, 500):
        files = copies()
        has_died = die(files.root, case.act, step)
        garbage |= Server(files).finding_codes()
        found.append(check_what_is_left(files, case))
        if not has_died:
            break
    assert len(found) > 5
    assert found == sorted(found)
    assert found[-1]
    assert garbage


@every_case
def test_a_disk_that_is_full_at_any_system_call_leaves_the_old_or_the_new_state(
    case: Case, copies: Callable[[], LocalFiles]
) -> None:
    outcomes = set()
    for step in range(1, 500):
        files = copies()
        failing = FailingAt(step, OSError(errno.ENOSPC, "No space left on device"))
        with each_writing_call(failing):
            outcome = case.act.on(Server(files))
        outcomes.add((outcome, check_what_is_left(files, case, outcome)))
        if failing.steps < step:
            break
    # Freeing room takes none: a purge is done all the same.
    is_purge = case.act.method in ("purge", "purge_revision", "sweep")
    assert bool(outcomes & {(refusal, False) for refusal in REFUSALS}) is not is_purge
