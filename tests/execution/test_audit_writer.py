"""The audit trail is on the disk before a change is told, refusals cost little, and nothing fails for it."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.audit_lines import audit_line
from windrow.domain.audit import AuditLine, AuditRequest
from windrow.domain.caller import Caller
from windrow.domain.errors import StorageFull
from windrow.execution import audit_writer
from windrow.execution.audit_writer import COUNT_INTERVAL_S, MAX_COUNTED, MAX_COUNTED_A_DAY, AuditWriter, line_of
from windrow.storage.audit_log import AUDIT, AuditLog

EVERYTHING = AuditRequest(limit=10_000)


@dataclass
class SlowFiles(MemoryFiles):
    """Files whose puts wait until they may go on."""

    has_begun: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    puts: list[str] = field(default_factory=list)

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(30)
        self.puts.append(key)
        super().put_new(key, data, same_as)


class FullFiles(MemoryFiles):
    """Files without room."""

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        raise StorageFull("There is no room for {key}.", {"key": key})


@dataclass
class Clock:
    """A clock that is set by hand."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(files: MemoryFiles, clock: Clock) -> Iterator[AuditWriter]:
    writer = AuditWriter(AuditLog(files), clock)
    yield writer
    writer.close()


def kept(files: MemoryFiles) -> list[AuditLine]:
    return list(AuditLog(files).read(EVERYTHING))


def refusal(address: str = "10.0.0.9", outcome: str = "unauthorized", **facts: Any) -> AuditLine:
    return line_of(Caller(address=address, request_id="r"), "", outcome=outcome, **facts)


def test_a_change_is_on_the_disk_once_it_is_recorded(files: MemoryFiles, writer: AuditWriter) -> None:
    writer.record(audit_line(0, verb="a"))
    assert [line.verb for line in kept(files)] == ["a"]


def test_lines_that_wait_together_go_into_one_file() -> None:
    files = SlowFiles()
    writer = AuditWriter(AuditLog(files))
    threads = [threading.Thread(target=writer.record, args=(audit_line(second),)) for second in range(9)]
    threads[0].start()
    assert files.has_begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(writer._waiting) < 8:
        pass
    files.may_go_on.set()
    for thread in threads:
        thread.join(30)
    assert (len(kept(files)), len(files.puts)) == (9, 2)
    writer.close()


def test_a_disk_that_hangs_holds_a_reply_up_for_a_while_and_the_log_has_the_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_writer, "WAIT_S", 0.05)
    files = SlowFiles()
    writer = AuditWriter(AuditLog(files))
    writer.record(audit_line(0, target="held_up"))
    (logged,) = caplog.records
    assert (logged.levelno, "held_up" in logged.getMessage()) == (logging.ERROR, True)
    files.may_go_on.set()
    monkeypatch.setattr(audit_writer, "WAIT_S", 30)
    writer.close()
    assert [line.target for line in kept(files)] == ["held_up"]


def test_what_cannot_be_written_goes_to_the_log_and_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    writer = AuditWriter(AuditLog(FullFiles()))
    writer.record(audit_line(0, target="tickets_v7"))
    (logged,) = caplog.records
    assert logged.levelno == logging.ERROR
    assert "There is no room" in logged.getMessage()
    assert '"target":"tickets_v7"' in logged.getMessage()
    writer.close()


def test_equal_refusals_are_one_line_with_their_number(files: MemoryFiles, writer: AuditWriter, clock: Clock) -> None:
    for _ in range(1_000):
        writer.count(refusal())
    writer.count(refusal("10.0.0.8"))
    writer.count(refusal(outcome="insufficient_scope"))
    assert kept(files) == []
    clock.now_s = COUNT_INTERVAL_S
    writer.record(audit_line(0))  # wakes the thread, which would have woken by itself
    writer.close()
    counted = {(line.address, line.outcome, line.count) for line in kept(files)}
    assert counted == {
        ("10.0.0.1", "ok", 1),
        ("10.0.0.9", "unauthorized", 1_000),
        ("10.0.0.8", "unauthorized", 1),
        ("10.0.0.9", "insufficient_scope", 1),
    }


def test_what_is_counted_is_written_when_the_minute_is_over(
    files: MemoryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_writer, "COUNT_INTERVAL_S", 0.01)
    writer = AuditWriter(AuditLog(files))
    writer.count(refusal())
    while not kept(files):
        pass
    writer.close()
    assert [line.count for line in kept(files)] == [1]


def test_a_flood_from_any_number_of_addresses_takes_bounded_room(files: MemoryFiles, writer: AuditWriter) -> None:
    for number in range(20 * MAX_COUNTED):
        writer.count(refusal(f"2001:db8::{number:x}"))
    assert len(writer._counted) == MAX_COUNTED + 1
    writer.flush()
    lines = kept(files)
    assert (len(lines), sum(line.count for line in lines)) == (MAX_COUNTED + 1, 20 * MAX_COUNTED)
    assert [line.count for line in lines if line.address == ""] == [19 * MAX_COUNTED]


def test_a_flood_of_a_day_takes_bounded_room(files: MemoryFiles, writer: AuditWriter) -> None:
    minutes = 3 * MAX_COUNTED_A_DAY // MAX_COUNTED
    for minute in range(minutes):
        for number in range(MAX_COUNTED):
            writer.count(refusal(f"2001:db8::{minute:x}:{number:x}"))
        writer.flush()
    lines = kept(files) + [line for line in AuditLog(files).read(EVERYTHING) if line.address == ""]
    whole = sum(len(content) for key, content in files.kept.items() if key.startswith(AUDIT))
    assert len(files.kept) == minutes
    assert whole < 400 * (MAX_COUNTED_A_DAY + minutes)
    assert any(line.count == MAX_COUNTED for line in lines)


def test_without_a_trail_nothing_is_written(files: MemoryFiles) -> None:
    writer = AuditWriter(None)
    writer.record(audit_line())
    writer.count(refusal())
    writer.close()
    assert files.kept == {}


def test_what_is_recorded_after_the_close_is_written_all_the_same(files: MemoryFiles) -> None:
    writer = AuditWriter(AuditLog(files))
    writer.count(refusal())
    writer.close()
    writer.record(audit_line(verb="late"))
    assert {line.verb for line in kept(files)} == {"", "late"}


def test_a_line_says_who_it_was_and_the_user_only_without_a_request() -> None:
    ours = line_of(Caller("shop", address="10.0.0.1", request_id="abc"), "describe", target="tickets")
    assert (ours.key_name, ours.address, ours.request_id, ours.user) == ("shop", "10.0.0.1", "abc", None)
    local = line_of(Caller(), "describe", target="tickets")
    assert (local.key_name, local.address, bool(local.user)) == (None, "", True)
    assert ours.id < local.id
