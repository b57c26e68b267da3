"""Every system call of every verb, reading or writing, that fails or takes long: nothing is lost, nothing is untrue."""

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.system_calls import Call, FailAt, each_call, error_for
from tests.storage.crash_cases import CASES, Case, check_what_is_left, check_what_was_said, every_case
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from windrow.storage.files import STAGING, LocalFiles

pytestmark = pytest.mark.slow

MAX_CALLS = 2_000


class Place:
    """A folder in the state before a verb, made anew where the verb has changed it.

    Files never change, so that the names of all of them say what is there: each such state is looked at once.
    """

    def __init__(self, folder: Path, case: Case) -> None:
        self.case = case
        self._before, self._copy = folder / "before", folder / "copy"
        case.prepare(LocalFiles(self._before))
        self._known: dict[tuple[str, ...], bool] = {_names(self._before): False}

    def files(self) -> LocalFiles:
        """Return it in the state before the verb."""
        if not self._copy.is_dir() or _names(self._copy) != _names(self._before):
            shutil.rmtree(self._copy, ignore_errors=True)
            shutil.copytree(self._before, self._copy)
        return LocalFiles(self._copy)

    def check(self, files: LocalFiles, outcome: object) -> bool:
        """See that what is there is the old state or the new one, and that what was said is true; say which it is."""
        names = _names(files.root)
        if names not in self._known:
            Server(files).finding_codes()
            self._known[names] = check_what_is_left(files, self.case, outcome)
        is_new = self._known[names]
        check_what_was_said(self.case, outcome, is_new=is_new)
        return is_new


def _names(root: Path) -> tuple[str, ...]:
    start = len(str(root)) + 1
    found = (f"{folder}/{name}"[start:] for folder, _, names in os.walk(root) for name in names)
    return tuple(sorted(name for name in found if not name.startswith(STAGING)))


@pytest.fixture
def place(case: Case, parsing_once: None) -> Iterator[Place]:
    with fast_folder() as folder:
        yield Place(Path(folder), case)


def fail_everywhere(place: Place, error_of: Callable[[int], int], *, is_lasting: bool = False) -> set[object]:
    """Let each call fail in turn, and return what was said."""
    said: Counter[object] = Counter()
    for number in range(1, MAX_CALLS):
        files = place.files()
        failing = FailAt(number, error_of(number), is_lasting=is_lasting)
        with each_call(files.root, failing):
            outcome = place.case.act.on(Server(files))
        try:
            is_new = place.check(files, outcome)
        except AssertionError as error:
            error.add_note(f"call {number} failed, and it said {outcome}")
            raise
        said[outcome] += 1
        if failing.calls < number:
            assert is_new
            return set(said)
    raise AssertionError("it never ends")


@every_case
def test_a_call_that_fails_leaves_the_old_or_the_new_state_and_is_told_truly(place: Place) -> None:
    said = fail_everywhere(place, error_for)
    assert "StorageFailed" in said or place.case.act.method == "sweep"


@every_case
def test_a_disk_that_fails_from_some_call_on_leaves_the_old_or_the_new_state_and_is_told_truly(place: Place) -> None:
    said = fail_everywhere(place, lambda _: errno.EIO, is_lasting=True)
    assert "StorageUncertain" in said or place.case.act.method == "sweep"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_while_any_call_takes_long_others_read_the_old_or_the_new_state(place: Place) -> None:
    case, files = place.case, place.files()
    old = case.model()
    new = old.copy()
    case.act.on(new)
    other, seen = Server(files), []

    def look(call: Call, do: Callable[[], Any]) -> Any:
        if call.is_writing:
            seen.append(other.state() == new.state())
            assert seen[-1] or other.state() == old.state()
        return do()

    with each_call(files.root, look):
        case.act.on(Server(files))
    assert seen == sorted(seen)
    assert not seen[0]
    assert other.state() == new.state()
