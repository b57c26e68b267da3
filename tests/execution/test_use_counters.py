"""Use counters: cheap in memory, stored, and summed up over all processes."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from windrow.domain.errors import StorageFailed
from windrow.execution import use_counters
from windrow.execution.use_counters import DAY_S, RECENT_DAYS, UseCounters
from windrow.storage.files import Files, LocalFiles
from windrow.storage.lock import DirectoryLock
from windrow.storage.use_store import KEPT_DAYS, KeyUse, UseStore

NOON_S = 20_000 * DAY_S + DAY_S / 2


class FailingDisk:
    """Files whose next put fails: before it is there, or because nobody confirms that it is.

    Args:
        files: The files.
        is_there: Whether it is there all the same.
    """

    def __init__(self, files: LocalFiles, *, is_there: bool) -> None:
        self._files = files
        self._is_there = is_there
        self._fails = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        if not self._fails or self._is_there:
            self._files.put_new(key, data, same_as)
        if self._fails:
            self._fails = False
            raise StorageFailed("The disk failed.")


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(use_counters, "_REREAD_S", 0.0)
    return Clock()


def counters(folder: Path, clock: Clock) -> UseCounters:
    return UseCounters(UseStore(LocalFiles(folder)), DirectoryLock(folder), clock)


def told(counted: UseCounters) -> dict[str, tuple[int, datetime]]:
    uses = counted.recent()
    return {name: (use.predictions, use.last_used_at) for name in ("a", "b", "c") if (use := uses.get(name))}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "usage").rglob("*.json"))


def time_of(now_s: float) -> datetime:
    return datetime.fromtimestamp(int(now_s), UTC)


def test_predictions_are_counted_for_each_classifier_with_the_time_of_the_last_one(
    tmp_path: Path, clock: Clock
) -> None:
    counted = counters(tmp_path, clock)
    counted.count_predictions(["a", "b"], 3)
    clock.now_s += 60
    counted.count_predictions(["a"], 1)
    assert told(counted) == {"a": (4, time_of(NOON_S + 60)), "b": (3, time_of(NOON_S))}
    assert files(tmp_path) == []


def test_a_process_keeps_one_file_a_day_however_often_it_writes(tmp_path: Path, clock: Clock) -> None:
    counted = counters(tmp_path, clock)
    for _ in range(3):
        counted.count_predictions(["a"], 1)
        counted.count_request("shop", texts=1)
        counted.update()
    assert len(files(tmp_path)) == 1
    counted.update()
    assert files(tmp_path)[0].endswith("-000003.json")
    fresh = counters(tmp_path, clock)
    fresh.update()
    assert told(fresh) == {"a": (3, time_of(NOON_S))}
    assert fresh.key_use("shop") == KeyUse(3, 3)
    fresh.close()
    assert len(files(tmp_path)) == 1


def test_several_processes_are_summed_up(tmp_path: Path, clock: Clock) -> None:
    first, second = counters(tmp_path, clock), counters(tmp_path, clock)
    first.count_predictions(["a"], 2)
    clock.now_s += 5
    second.count_predictions(["a", "b"], 1)
    first.update()
    second.update()
    whole = {"a": (3, time_of(NOON_S + 5)), "b": (1, time_of(NOON_S + 5))}
    assert told(first) == told(second) == whole


def test_a_day_that_is_over_is_kept_and_its_predictions_are_recent_for_thirty_days(
    tmp_path: Path, clock: Clock
) -> None:
    counted = counters(tmp_path, clock)
    counted.count_predictions(["a"], 2)
    counted.count_request("shop")
    clock.now_s += DAY_S
    counted.count_predictions(["a"], 1)
    assert counted.key_use("shop") == KeyUse()
    assert told(counted)["a"] == (3, time_of(clock.now_s))
    counted.update()
    assert told(counted)["a"] == (3, time_of(clock.now_s))
    clock.now_s += (RECENT_DAYS - 1) * DAY_S
    assert told(counted)["a"] == (1, time_of(NOON_S + DAY_S))
    clock.now_s += DAY_S
    assert told(counted)["a"] == (0, time_of(NOON_S + DAY_S))


def test_days_that_are_over_become_one_file_each_and_go_after_ninety_days(tmp_path: Path, clock: Clock) -> None:
    for _ in range(3):
        counted = counters(tmp_path, clock)
        counted.count_predictions(["a"], 1)
        counted.close()
    assert len(files(tmp_path)) == 3
    clock.now_s += 2 * DAY_S
    tidying = counters(tmp_path, clock)
    tidying.tidy()
    assert len(files(tmp_path)) == 1
    assert told(tidying) == {"a": (3, time_of(NOON_S))}
    clock.now_s = NOON_S + KEPT_DAYS * DAY_S
    tidying.tidy()
    assert len(files(tmp_path)) == 1
    clock.now_s += DAY_S
    tidying.tidy()
    assert files(tmp_path) == []
    assert told(tidying) == {}


def test_many_short_processes_leave_few_files(tmp_path: Path, clock: Clock) -> None:
    for _ in range(40):
        counted = counters(tmp_path, clock)
        counted.count_predictions(["a"], 1)
        counted.close()
    assert len(files(tmp_path)) < 20
    assert told(counters(tmp_path, clock)) == {"a": (40, time_of(NOON_S))}


def test_nothing_is_written_where_nothing_was_counted(tmp_path: Path, clock: Clock) -> None:
    counted = counters(tmp_path, clock)
    counted.update()
    counted.tidy()
    counted.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_there", [False, True])
def test_what_the_disk_refused_is_kept_with_what_comes_later_and_counts_once(
    tmp_path: Path, clock: Clock, is_there: bool, caplog: pytest.LogCaptureFixture
) -> None:
    failing = cast(Files, FailingDisk(LocalFiles(tmp_path), is_there=is_there))
    counted = UseCounters(UseStore(failing), DirectoryLock(tmp_path), clock)
    counted.count_predictions(["a"], 1)
    counted.update()
    assert "cannot be stored" in caplog.text
    counted.count_predictions(["a"], 1)
    counted.update()
    assert told(counters(tmp_path, clock))["a"][0] == 2
    assert len(files(tmp_path)) == 1


def test_threads_lose_no_count(tmp_path: Path, clock: Clock) -> None:
    counted = counters(tmp_path, clock)

    def count() -> None:
        for _ in range(500):
            counted.count_predictions(["a"], 1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(counted)["a"][0] == 4_000


def test_the_most_used_classifiers_of_this_process_are_told_the_most_used_one_first(
    tmp_path: Path, clock: Clock
) -> None:
    own = counters(tmp_path, clock)
    for name, texts in (("c", 1), ("b", 3), ("a", 3), ("d", 2), ("c", 1)):
        own.count_predictions([name], texts)
    assert list(own.most_used(3, lambda _: True).items()) == [("a", 3), ("b", 3), ("c", 2)]
    assert own.most_used(3, lambda name: name in "cd") == {"c": 2, "d": 2}


def test_a_day_that_is_over_changes_nothing_of_the_texts_since_the_start(tmp_path: Path, clock: Clock) -> None:
    own = counters(tmp_path, clock)
    own.count_predictions(["a"], 2)
    clock.now_s += DAY_S
    own.count_predictions(["a"], 5)
    assert own.most_used(1, lambda _: True) == {"a": 7}


def test_only_so_many_names_are_counted_since_the_start(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_counters, "MAX_COUNTED", 4)
    own = counters(tmp_path, clock)
    for number, name in enumerate("abcde"):
        own.count_predictions([name], 10 - number)
    assert own.most_used(9, lambda _: True) == {"a": 10, "b": 9}
