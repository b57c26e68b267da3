"""Crash safety: whatever fails, and wherever the process dies, everything is in its old or in its new state."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.disk import FailingAt, each_writing_call
from tests.fakes.files import BreakingFiles, Killed
from tests.storage.crash_cases import REFUSALS, Case, check_what_is_left, every_case
from tests.storage.dying import Die, mortals
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from windrow.domain.errors import StorageFailed, StorageFull, StorageUncertain
from windrow.storage.files import LocalFiles

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("failure", "is_done"),
    [
        (StorageFull("The disk is full."), False),
        (StorageFailed("The disk failed."), False),
        (StorageUncertain("{file} was not confirmed ({why}).", {"file": "one", "why": "so"}), True),
        (Killed(), False),
        (Killed(), True),
    ],
    ids=["full disk", "failing disk", "not confirmed", "killed before the step", "killed after the step"],
)
@every_case
def test_a_failure_at_any_put_or_removal_leaves_the_old_or_the_new_state(
    case: Case, failure: BaseException, is_done: bool, parsing_once: None
) -> None:
    found = []
    for step in range(1, 50):
        files = case.prepared()
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
def copies(case: Case, unsynced: None, parsing_once: None) -> Iterator[Callable[[], LocalFiles]]:
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
    assert bool(outcomes & {(refusal, False) for refusal in (*REFUSALS, "")}) is not is_purge
