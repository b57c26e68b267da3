"""The audit trail on the disk: it comes back, in pages, whole or not at all, and goes when it is old."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.audit_lines import NOON, audit_line
from windrow.domain.audit import AuditLine, AuditRequest
from windrow.domain.errors import InvalidArtifact
from windrow.storage.audit_log import AUDIT, AuditLog, audit_lines_from_bytes, audit_lines_to_bytes
from windrow.storage.files import Files, LocalFiles

DAY_S = 86_400
EVERYTHING = AuditRequest(limit=10_000)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
any_line = st.builds(
    AuditLine,
    id=st.from_regex("[0-9a-f]{14}-[0-9a-f]{6}", fullmatch=True),
    at=st.integers(0, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    key_name=st.none() | _texts,
    address=_texts,
    user=st.none() | _texts,
    verb=_texts,
    target=_texts,
    job_id=st.none() | _texts,
    revision_before=st.none() | st.integers(1, 10**6),
    revision_after=st.none() | st.integers(1, 10**6),
    points_from=st.none() | _texts,
    points_to=st.none() | _texts,
    outcome=_texts,
    count=st.integers(1, 10**9),
    request_id=_texts,
)


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return LocalFiles(tmp_path) if request.param == "local" else MemoryFiles()


@pytest.fixture
def log(files: Files) -> AuditLog:
    return AuditLog(files)


def verbs(log: AuditLog, request: AuditRequest = EVERYTHING) -> list[str]:
    return [line.verb for line in log.read(request)]


def names(files: Files) -> list[str]:
    return files.list(f"{AUDIT}/{NOON.date().isoformat()}")


@given(st.lists(any_line, max_size=5))
def test_any_lines_come_back_as_they_were_written(lines: list[AuditLine]) -> None:
    assert audit_lines_from_bytes(audit_lines_to_bytes(lines)) == lines


def test_a_file_is_a_line_for_each_change_that_any_tool_can_read() -> None:
    head, one, other, end = audit_lines_to_bytes([audit_line(), audit_line(1)]).split(b"\n")
    assert re.fullmatch(rb'\{"format":1,"sha256":"[0-9a-f]{64}"\}', head)
    assert {one[:7], other[:7]} == {b'{"id":"'}
    assert end == b""


def test_no_byte_changes_unnoticed() -> None:
    whole = audit_lines_to_bytes([audit_line(target="é")])
    for place, byte in enumerate(whole):
        for other in (byte ^ 1, byte ^ 32):
            with pytest.raises(InvalidArtifact):
                audit_lines_from_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        with pytest.raises(InvalidArtifact):
            audit_lines_from_bytes(whole[:place])


def test_a_file_of_a_newer_format_asks_for_an_upgrade() -> None:
    with pytest.raises(InvalidArtifact, match=r"Upgrade Windrow\.$"):
        audit_lines_from_bytes(audit_lines_to_bytes([]).replace(b'"format":1', b'"format":2'))


def test_lines_that_were_put_together_are_one_file_of_each_day(files: Files, log: AuditLog) -> None:
    log.put([audit_line(DAY_S, verb="c"), audit_line(0, verb="a"), audit_line(1, verb="b")])
    assert verbs(log) == ["c", "b", "a"]
    assert files.list(AUDIT) == ["2025-09-15", "2025-09-16"]
    assert names(files) == [f"{audit_line().id}.jsonl"]


def test_pages_hold_each_line_once_also_where_lines_come_in_between(log: AuditLog) -> None:
    log.put([audit_line(seconds * DAY_S / 3, verb=str(seconds)) for seconds in range(10)])
    request, seen = AuditRequest(limit=4), list[str]()
    while True:
        page = log.read(request)
        seen += [line.verb for line in page]
        if page.next_cursor is None:
            break
        log.put([audit_line(100 * DAY_S + len(seen), verb="late")])
        request = replace(request, cursor=page.next_cursor)
    assert seen == [str(number) for number in reversed(range(10))]


def test_only_lines_that_are_meant_are_read_and_days_before_not_at_all(files: Files, log: AuditLog) -> None:
    log.put([audit_line(day * DAY_S, verb=str(day), key_name=f"key{day % 2}") for day in range(6)])
    assert verbs(log, AuditRequest(key_name="key1", limit=2)) == ["5", "3"]
    assert log.read(AuditRequest(key_name="key1", limit=3)).next_cursor is None
    assert log.read(AuditRequest(target="nobody")).lines == ()
    assert isinstance(files, LocalFiles | MemoryFiles)
    if isinstance(files, MemoryFiles):
        files.calls.clear()
        assert verbs(log, AuditRequest(since="2025-09-19")) == ["5", "4"]
        assert sum(count for call, count in files.calls.items() if call.startswith("get")) == 2


def test_a_file_that_cannot_be_read_is_counted_and_the_others_are_told(files: Files, log: AuditLog) -> None:
    log.put([audit_line(0, verb="a")])
    log.put([audit_line(1, verb="b")])
    files.put_new(f"{AUDIT}/2025-09-15/{audit_line(2).id}.jsonl", b"{}\n")
    trail = log.read(EVERYTHING)
    assert ([line.verb for line in trail], trail.unreadable_files) == (["b", "a"], 1)


def test_once_a_day_is_over_its_files_are_joined(files: Files, log: AuditLog) -> None:
    for second in range(5):
        log.put([audit_line(second, verb=str(second))])
    before = log.read(EVERYTHING)
    log.tidy(NOON, 365)
    assert len(names(files)) == 5
    log.tidy(NOON + timedelta(days=1), 365)
    assert names(files) == [f"whole-{audit_line().id}.jsonl"]
    assert log.read(EVERYTHING) == before
    log.put([audit_line(7, verb="late")])
    log.tidy(NOON + timedelta(days=1), 365)
    log.put([audit_line(8, verb="later")])
    log.tidy(NOON + timedelta(days=1), 365)
    assert verbs(log) == ["later", "late", "4", "3", "2", "1", "0"]
    assert len(names(files)) == 2


def test_large_days_are_joined_to_several_files(files: Files, log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.storage.audit_log._WHOLE_BYTES", 600)
    for second in range(7):
        log.put([audit_line(second, verb=str(second))])
    log.tidy(NOON + timedelta(days=2), 365)
    assert 1 < len(names(files)) < 7
    assert len(verbs(log)) == 7


def test_what_cannot_be_read_is_never_joined_away(files: Files, log: AuditLog) -> None:
    damaged = f"{audit_line(9).id}.jsonl"
    files.put_new(f"{AUDIT}/2025-09-15/{damaged}", b"{}\n")
    for second in range(2):
        log.put([audit_line(second)])
    log.tidy(NOON + timedelta(days=1), 365)
    assert damaged in names(files)


def test_days_that_are_too_old_go(files: Files, log: AuditLog) -> None:
    log.put([audit_line(day * DAY_S) for day in range(4)])
    log.tidy(NOON + timedelta(days=4), 2)
    assert files.list(AUDIT) == ["2025-09-17", "2025-09-18"]


@pytest.mark.parametrize("is_done", [False, True])
def test_wherever_a_process_dies_while_it_joins_each_line_is_there_once(is_done: bool) -> None:
    whole = MemoryFiles()
    for second in range(4):
        AuditLog(whole).put([audit_line(second, verb=str(second))])
    for step in range(1, 6):
        files = whole.copy()
        with pytest.raises(Killed):
            AuditLog(BreakingFiles(files, step, Killed(), is_done)).tidy(NOON + timedelta(days=1), 365)
        assert verbs(AuditLog(files)) == ["3", "2", "1", "0"]
        AuditLog(files).tidy(NOON + timedelta(days=1), 365)
        assert verbs(AuditLog(files)) == ["3", "2", "1", "0"]
        assert len(names(files)) <= 2


class OvertakenFiles(MemoryFiles):
    """Files on which something else happens right before one of the calls, all of which count."""

    left = 0
    action: Callable[[], None] | None = None

    def overtake(self, step: int, action: Callable[[], None]) -> None:
        """Set what happens before the ``step``-th call from now on."""
        self.left, self.action = step, action

    def _count(self, verb: str, key: str) -> None:
        super()._count(verb, key)
        self.left -= 1
        if self.left == 0 and self.action is not None:
            self.action()


@pytest.mark.parametrize("step", range(1, 14))
def test_two_servers_that_join_a_day_at_the_same_time_lose_no_line(step: int) -> None:
    files = OvertakenFiles()
    for second in range(4):
        AuditLog(files).put([audit_line(second, verb=str(second))])
    files.overtake(step, lambda: AuditLog(files).tidy(NOON + timedelta(days=1), 365))
    AuditLog(files).tidy(NOON + timedelta(days=1), 365)
    assert verbs(AuditLog(files)) == ["3", "2", "1", "0"]
    AuditLog(files).tidy(NOON + timedelta(days=1), 365)
    assert verbs(AuditLog(files)) == ["3", "2", "1", "0"]
