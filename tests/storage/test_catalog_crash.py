"""Crash safety: whatever fails, and wherever the process dies, each name is in its old or in its new state."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.examples import blobs, record
from windrow.domain.classifier import Record
from windrow.domain.errors import ClassifierNotFound, StorageFull
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles

Verb = Callable[[Catalog], object]
State = Record | None

BEFORE = record(mark="a", revision=1)
VERBS: dict[str, tuple[bool, Verb, State]] = {
    "fit": (False, lambda catalog: catalog.publish(record(mark="b"), blobs(2)), record(mark="b", revision=1)),
    "refit": (True, lambda catalog: catalog.publish(record(mark="b"), blobs(2)), record(mark="b", revision=2)),
    "delete": (True, lambda catalog: catalog.delete("tickets"), None),
}


def prepare(files: Files, is_fitted: bool) -> State:
    Catalog(files).publish(record("bystander"), blobs(3))
    return Catalog(files).publish(BEFORE, blobs(1)).record if is_fitted else None


def state_after_restart(files: Files) -> State:
    """Return what a fresh catalog says of the name, having read each listed classifier to its last byte."""
    catalog = Catalog(files)
    for entry in catalog.live():
        for ref in entry.blobs.values():
            catalog.read_blob(entry.record.name, ref)
    assert catalog.current("bystander").record == record("bystander")
    try:
        return catalog.current("tickets").record
    except ClassifierNotFound:
        return None


@pytest.mark.parametrize("is_done", [False, True], ids=["before the step", "after the step"])
@pytest.mark.parametrize("failure", [StorageFull("The disk is full."), Killed()], ids=["full disk", "killed"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_failure_at_any_put_leaves_the_old_or_the_new_state(verb: str, failure: BaseException, is_done: bool) -> None:
    is_fitted, act, after = VERBS[verb]
    states = []
    for step in range(1, 20):
        files = MemoryFiles()
        before = prepare(files, is_fitted)
        breaking = BreakingFiles(files, step, failure, is_done)
        try:
            act(Catalog(breaking))
        except (StorageFull, Killed):
            states.append(state_after_restart(files))
            assert states[-1] in (before, after)
            act_again(files, act, after)
        else:
            assert state_after_restart(files) == after
            break
    puts = 1 if verb == "delete" else 3
    assert states == [before] * (puts - 1) + [after if is_done else before]


def act_again(files: Files, act: Verb, after: State) -> None:
    """Do the verb once more, as a person would; only a deletion may find that it is done already."""
    try:
        act(Catalog(files))
    except ClassifierNotFound:
        assert after is None
    again = state_after_restart(files)
    assert (again and again.data_sha256) == (after and after.data_sha256)


@pytest.mark.parametrize("verb", VERBS)
def test_a_process_that_dies_at_any_system_call_leaves_the_old_or_the_new_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    # What a dead process wrote, the system still holds, so syncing may be left out; its calls are counted all the same.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    is_fitted, act, after = VERBS[verb]
    states = []
    for step in range(1, 200):
        files = LocalFiles(tmp_path / str(step))
        before = prepare(files, is_fitted)
        has_died = die_at(step, lambda: act(Catalog(LocalFiles(files.root))))  # noqa: B023 - called at once
        states.append(state_after_restart(files))
        if not has_died:
            break
        assert states[-1] in (before, after)
        act_again(files, act, after)
    assert states[-1] == after
    changed_at = states.index(after)
    assert len(states) > changed_at >= 3
    assert states == [before] * changed_at + [after] * (len(states) - changed_at)


DEATH = 77


def die_at(step: int, act: Callable[[], object]) -> bool:
    """Run ``act`` in a process that ends without a word before its system call number ``step``, and say if it did."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _die_at_call(step)
            act()
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, DEATH)
    return status == DEATH


def _die_at_call(step: int) -> None:
    remaining = iter(range(step - 1, -1, -1))

    def mortal(call: Callable[..., object]) -> Callable[..., object]:
        def stepping(*args: object, **kwargs: object) -> object:
            if next(remaining, -1) == 0:
                os._exit(DEATH)
            return call(*args, **kwargs)

        return stepping

    for name in ("open", "mkdir", "fsync", "link", "unlink"):
        setattr(os, name, mortal(getattr(os, name)))


def test_a_full_disk_is_told_to_the_caller_and_the_old_revision_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = LocalFiles(tmp_path)
    prepare(files, True)
    catalog = Catalog(files)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        catalog.publish(record(mark="b"), blobs(2))
    monkeypatch.undo()
    assert catalog.current("tickets").record == state_after_restart(files) == BEFORE
