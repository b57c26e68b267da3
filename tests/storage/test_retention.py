"""What was deleted is purged in its time, and a wrong clock takes nothing."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.storage.examples import open_catalog, open_names
from tests.storage.tickets import AT, publish
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check
from windrow.storage.retention import LAST_PURGE_CHECK, LocalLastCheck, Retention

WEEK = timedelta(days=7)


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


def look(root: Path, clock: Clock) -> list[str]:
    """Look as a server does that has just been started."""
    return Retention(LocalLastCheck(root, clock), open_catalog(LocalFiles(root)).purging, WEEK).purge_expired()


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Return a clock, of a place with something deleted that was looked through a moment later."""
    clock = Clock()
    catalog = open_catalog(LocalFiles(tmp_path), clock)
    publish(catalog, (1, 1))
    catalog.delete("tickets")
    assert look(tmp_path, clock) == []
    return clock


def test_what_was_deleted_is_purged_when_its_time_has_come(tmp_path: Path, clock: Clock) -> None:
    purged = []
    for _ in range(8):
        clock.now += timedelta(days=1)
        purged.append(look(tmp_path, clock))
    assert purged == [*([[]] * 7), ["tickets"]]


def test_a_jump_of_the_clock_postpones_purging_once_and_says_so(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now += timedelta(days=3650)
    assert look(tmp_path, clock) == []
    (message,) = caplog.messages
    assert f"{clock.now:%Y-%m-%d}" in message
    clock.now += timedelta(hours=1)
    assert look(tmp_path, clock) == ["tickets"]
    assert len(caplog.messages) == 1


def test_a_second_start_does_not_end_the_wait_after_a_jump(tmp_path: Path, clock: Clock) -> None:
    clock.now += timedelta(days=3650)
    for _ in range(3):
        assert look(tmp_path, clock) == []
        clock.now += timedelta(minutes=9)
    clock.now += timedelta(minutes=9)
    assert look(tmp_path, clock) == ["tickets"]


def test_a_clock_that_is_set_right_in_time_has_taken_nothing(tmp_path: Path, clock: Clock) -> None:
    clock.now += timedelta(days=3650)
    assert look(tmp_path, clock) == []
    clock.now = AT + timedelta(hours=2)
    assert look(tmp_path, clock) == []
    open_catalog(LocalFiles(tmp_path)).restore("tickets")


def test_the_note_of_the_last_look_is_nothing_foreign(tmp_path: Path, clock: Clock) -> None:
    assert (tmp_path / LAST_PURGE_CHECK).stat().st_size == 0
    places = {finding.path for finding in check(tmp_path, open_names(LocalFiles(tmp_path))).findings}
    assert LAST_PURGE_CHECK not in places


def test_where_the_look_cannot_be_noted_purging_goes_on(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / LAST_PURGE_CHECK).unlink()
    (tmp_path / LAST_PURGE_CHECK).symlink_to(tmp_path / "no" / "folder")
    clock.now += timedelta(days=8)
    assert look(tmp_path, clock) == ["tickets"]
