"""Logs of numbered files: which is the newest, what a look costs, and what other processes do meanwhile."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import wait_for_tick
from windrow.domain.errors import ConcurrentChange, InvalidArtifact, StorageFailed
from windrow.storage.files import CTIME_GRANULARITY_NS, MAX_BYTES, Files, KeyMissing, LocalFiles
from windrow.storage.log import Logs


def read(name: str, number: int, content: bytes) -> str:
    if content == b"damaged":
        raise InvalidArtifact("It is damaged.", {"number": number})
    return f"{name} {number} {content.decode()}"


def logs_of(files: Files) -> Logs[str]:
    return Logs(files, "logs", read)


def trusted(folder: Path) -> LocalFiles:
    """Return files seen from long after, when a folder's time is trusted; each change waits for the clock's tick."""

    class Ticking(LocalFiles):
        def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
            wait_for_tick(folder)
            super().put_new(key, data, same_as)

        def remove(self, key: str) -> None:
            wait_for_tick(folder)
            super().remove(key)

    return Ticking(folder, lambda: time.time_ns() + 10 * CTIME_GRANULARITY_NS)


@pytest.fixture(params=["local", "local, times trusted", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "memory":
        return MemoryFiles()
    return LocalFiles(tmp_path) if request.param == "local" else trusted(tmp_path)


@pytest.fixture
def logs(files: Files) -> Logs[str]:
    return logs_of(files)


class Meanwhile(MemoryFiles):
    """Lets another process act once, just after the next listing of ``logs/a``."""

    act: Callable[[], object] | None = None

    def list(self, prefix: str) -> list[str]:
        names = super().list(prefix)
        if self.act is not None and prefix == "logs/a":
            act, self.act = self.act, None
            act()
        return names


class TestNames:
    def test_are_sorted_and_see_what_comes_and_goes(self, logs: Logs[str]) -> None:
        assert logs.names() == ()
        for name in "bca":
            logs.append(name, 1, b"")
            assert name in logs.names()
        assert logs.names() == ("a", "b", "c")
        logs.remove("b", 1)
        assert logs.names() == ("a", "c")

    def test_cost_one_look_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        logs = logs_of(files)
        logs.append("a", 1, b"")
        logs.names()
        files.calls.clear()
        logs.names()
        assert files.calls == {"version_token": 1}

    def test_are_those_of_folders_that_can_be_names(self, tmp_path: Path) -> None:
        for folder in ("bad name", ".hidden", "-a", "a" * 129, "empty"):
            (tmp_path / "logs" / folder).mkdir(parents=True)
        assert logs_of(LocalFiles(tmp_path)).names() == ("empty",)


class TestNewest:
    def test_is_the_highest_number(self, logs: Logs[str]) -> None:
        for number in (1, 2, 10):
            logs.append("a", number, b"x")
            newest = logs.newest("a")
            assert (newest.number, newest.value) == (number, f"a {number} x")

    def test_goes_on_beyond_six_digits(self, logs: Logs[str]) -> None:
        for number in (999_999, 1_000_000, 1_000_001, 10**17):
            logs.append("a", number, b"x")
            assert logs.newest("a").number == number
        assert logs.numbers("a") == (999_999, 1_000_000, 1_000_001, 10**17)

    def test_of_nothing_is_nothing_and_takes_no_memory(self, logs: Logs[str]) -> None:
        for number in range(10):
            newest = logs.newest(f"guess_{number}")
            assert (newest.number, newest.value) == (0, None)
        assert logs._index == {}

    def test_is_forgotten_when_it_goes(self, logs: Logs[str]) -> None:
        logs.append("a", 1, b"x")
        logs.newest("a")
        logs.remove("a", 1)
        assert logs.newest("a").number == 0
        assert logs._index == {}

    def test_costs_one_look_while_nothing_changes(self) -> None:
        files = MemoryFiles()
        logs = logs_of(files)
        logs.append("a", 1, b"x")
        logs.newest("a")
        files.calls.clear()
        assert logs.newest("a") is logs.newest("a")
        assert files.calls == {"version_token": 2}

    def test_sees_a_commit_that_came_while_it_was_listing(self) -> None:
        files = Meanwhile()
        logs = logs_of(files)
        logs.append("a", 1, b"x")
        files.act = lambda: logs_of(files).append("a", 2, b"x")
        logs.newest("a")
        assert logs.newest("a").number == 2

    def test_is_what_is_there_when_the_highest_was_removed_while_it_was_listing(self) -> None:
        files = Meanwhile()
        logs = logs_of(files)
        logs.append("a", 1, b"x")
        logs.append("a", 2, b"x")
        files.act = lambda: logs_of(files).remove("a", 2)
        assert logs.newest("a").value == "a 1 x"
        files.act = lambda: logs_of(files).remove("a", 1)
        files._note_change("logs/a/x")
        assert logs.newest("a").value is None

    def test_sees_a_log_that_was_removed_and_begun_anew(self, files: Files, logs: Logs[str]) -> None:
        logs.append("a", 1, b"old")
        assert logs.newest("a").value == "a 1 old"
        assert logs.at("a", 1) == "a 1 old"
        logs_of(files).remove("a", 1)
        logs_of(files).append("a", 1, b"new")
        assert logs.newest("a").value == "a 1 new"
        assert logs.at("a", 1) == "a 1 new"

    def test_sees_a_folder_that_was_put_there_by_hand(self, tmp_path: Path) -> None:
        logs = logs_of(trusted(tmp_path))
        logs.append("a", 1, b"x")
        assert logs.newest("b").number == 0
        (tmp_path / "logs/a").rename(tmp_path / "logs/b")
        assert logs.newest("b").value == "b 1 x"
        assert logs.names() == ("b",)

    @pytest.mark.parametrize(
        "stray", ["2.json", "0000002.json", "000002", "000002.json.tmp", ".000002.json", "-2.json"]
    )
    def test_is_no_file_of_another_name(self, tmp_path: Path, stray: str) -> None:
        logs = logs_of(LocalFiles(tmp_path))
        logs.append("a", 1, b"x")
        (tmp_path / "logs/a" / stray).write_bytes(b"x")
        assert logs.numbers("a") == (1,)
        assert logs.newest("a").number == 1

    def test_that_is_damaged_is_an_error_which_the_log_tells_once(
        self, logs: Logs[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        logs.append("a", 1, b"x")
        logs.append("a", 2, b"damaged")
        with caplog.at_level(logging.WARNING, "windrow.storage"):
            for _ in range(2):
                error = logs.newest("a").value
                assert isinstance(error, InvalidArtifact)
                assert (error.detail, error.facts) == (
                    "logs/a/000002.json: It is damaged.",
                    {"number": 2, "file": "logs/a/000002.json"},
                )
        assert caplog.messages == ["a cannot be used. logs/a/000002.json: It is damaged."]

    def test_that_was_mended_in_place_is_seen_although_no_time_tells(self, tmp_path: Path) -> None:
        logs = logs_of(trusted(tmp_path))
        logs.append("a", 1, b"damaged")
        assert isinstance(logs.newest("a").value, InvalidArtifact)
        (tmp_path / "logs/a/000001.json").write_bytes(b"x")
        assert logs.newest("a").value == "a 1 x"

    def test_that_is_a_link_to_nowhere_is_an_error(self, tmp_path: Path) -> None:
        logs = logs_of(LocalFiles(tmp_path))
        logs.append("a", 1, b"x")
        (tmp_path / "logs/a/000002.json").symlink_to(tmp_path / "nowhere")
        for value in (logs.newest("a").value, logs.at("a", 2)):
            assert isinstance(value, InvalidArtifact)
            assert "is a link, which is not followed" in value.detail


class TestAt:
    def test_is_what_that_number_says(self, logs: Logs[str]) -> None:
        for number in (1, 2, 3):
            logs.append("a", number, b"damaged" if number == 2 else b"x")
        assert logs.at("a", 1) == "a 1 x"
        assert isinstance(logs.at("a", 2), InvalidArtifact)
        assert logs.at("a", 3) == "a 3 x"

    def test_of_what_is_not_there_is_nothing(self, logs: Logs[str]) -> None:
        assert logs.at("a", 1) is None
        logs.append("a", 2, b"x")
        assert logs.at("a", 1) is None

    def test_costs_one_look_the_second_time(self) -> None:
        files = MemoryFiles()
        logs = logs_of(files)
        for number in (1, 2):
            logs.append("a", number, b"x")
        logs.at("a", 1)
        files.calls.clear()
        logs.at("a", 1)
        assert files.calls == {"version_token": 1}

    def test_that_was_mended_in_place_is_seen_although_no_time_tells(self, tmp_path: Path) -> None:
        logs = logs_of(trusted(tmp_path))
        logs.append("a", 1, b"damaged")
        logs.append("a", 2, b"x")
        assert isinstance(logs.at("a", 1), InvalidArtifact)
        (tmp_path / "logs/a/000001.json").write_bytes(b"x")
        assert logs.at("a", 1) == "a 1 x"


class TestAppend:
    def test_never_replaces_a_number(self, logs: Logs[str]) -> None:
        logs.append("a", 1, b"first")
        with pytest.raises(ConcurrentChange, match="changed a at the same moment"):
            logs.append("a", 1, b"second")
        assert logs.at("a", 1) == "a 1 first"

    def test_puts_a_file_of_six_digits_or_more(self, files: Files, logs: Logs[str]) -> None:
        for number in (7, 1_234_567):
            logs.append("a", number, b"x")
            assert files.get(logs.key("a", number)) == b"x"
        assert files.list("logs/a") == ["000007.json", "1234567.json"]


class TestAgain:
    def test_a_number_that_is_removed_and_put_anew_between_two_looks_is_what_it_is_now(self) -> None:
        class Late(MemoryFiles):
            misses = 1

            def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
                if self.misses:
                    self.misses -= 1
                    raise KeyMissing(key)
                return super().get(key, max_bytes)

        files = Late()
        files.put_new("logs/a/000001.json", b"anew")
        assert logs_of(files).at("a", 1) == "a 1 anew"

    def test_what_is_listed_and_can_never_be_opened_is_damaged(self) -> None:
        class Closed(MemoryFiles):
            def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
                raise KeyMissing(key)

        files = Closed()
        files.put_new("logs/a/000001.json", b"there")
        value = logs_of(files).at("a", 1)
        assert isinstance(value, InvalidArtifact)
        assert "cannot be opened" in value.detail

    def test_what_is_too_large_is_damaged_and_names_its_file(self) -> None:
        files = MemoryFiles()
        files.put_new("logs/a/000001.json", bytes(MAX_BYTES + 1))
        value = logs_of(files).at("a", 1)
        assert isinstance(value, InvalidArtifact)
        assert value.facts["file"] == "logs/a/000001.json" and "too large" in value.detail

    def test_what_could_not_be_read_again_is_not_written(self) -> None:
        files = MemoryFiles()
        with pytest.raises(StorageFailed, match="fewer or shorter rows"):
            logs_of(files).append("a", 1, bytes(MAX_BYTES + 1))
        assert files.kept == {}
