"""fsck on what was counted: what is sound is no finding, and what cannot be read is garbage that goes."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from windrow.domain.integrity import IntegrityReport
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace
from windrow.storage.use_store import ClassifierUse, DayUse, KeyUse, UseStore, file_name

DAY = date(2026, 11, 29)
FILE = f"usage/{DAY}/{file_name('1' * 12, 1)}"
USE = DayUse({"a": ClassifierUse(2, datetime(2026, 11, 29, tzinfo=UTC))}, {"shop": KeyUse(1, 2)})


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """Return a data directory in which something was counted."""
    UseStore(LocalFiles(tmp_path)).put(DAY, file_name("1" * 12, 1), USE)
    return tmp_path


def checked(folder: Path, *, repair: bool = False) -> IntegrityReport:
    return check(folder, Namespace(LocalFiles(folder), DirectoryLock(folder)), repair=repair)


def codes(report: IntegrityReport) -> list[tuple[str, str, str]]:
    return [(finding.severity, finding.code, finding.path) for finding in report.findings]


def test_what_was_counted_is_no_finding(counted: Path) -> None:
    assert codes(checked(counted)) == []


@pytest.mark.parametrize("content", [b"", b'{"format": 1}', b"\xff"])
def test_a_file_that_cannot_be_read_is_garbage_that_a_repair_removes(counted: Path, content: bytes) -> None:
    (counted / FILE).write_bytes(content)
    assert codes(checked(counted)) == [("garbage", "use_unreadable", FILE)]
    checked(counted, repair=True)
    assert not (counted / FILE).exists()
    assert codes(checked(counted)) == []


def test_an_altered_number_is_noticed(counted: Path) -> None:
    path = counted / FILE
    path.write_bytes(path.read_bytes().replace(b'"predictions": 2', b'"predictions": 3'))
    assert [code for _, code, _ in codes(checked(counted))] == ["use_unreadable"]


def test_whatever_else_lies_there_is_told_and_left_alone(counted: Path) -> None:
    (counted / "usage/notes.txt").write_text("mine")
    (counted / f"usage/{DAY}/notes.txt").write_text("mine")
    report = checked(counted, repair=True)
    assert {path for _, _, path in codes(report)} == {"usage/notes.txt", f"usage/{DAY}/notes.txt"}
    assert (counted / "usage/notes.txt").exists()
