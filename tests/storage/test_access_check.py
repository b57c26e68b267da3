"""What a check says of the API keys, of bindings and of the audit trail: damage is named, and nothing else is."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.storage.audit_lines import audit_line
from tests.storage.examples import open_names
from windrow.domain.access import CreateKeyRequest
from windrow.domain.binding import BindRequest
from windrow.domain.integrity import IntegrityReport
from windrow.storage.audit_log import AuditLog
from windrow.storage.binding_store import BindingStore
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check
from windrow.storage.key_store import KEPT_FILES, KeyStore

DAY = "audit/2025-09-15"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data directory with keys that were changed often, and lines of two days, one of which is over."""
    files = LocalFiles(tmp_path)
    keys, audit = KeyStore(open_names(files)), AuditLog(files)
    for number in range(KEPT_FILES + 2):
        keys.create(CreateKeyRequest(name=f"key{number}", scopes=("read",)), None)
    BindingStore(open_names(files)).bind(BindRequest("Is it money?", "tickets_v1", "billing"))
    for second in range(3):
        audit.put([audit_line(second)])
    audit.tidy(datetime(2025, 9, 16, tzinfo=UTC), 365)
    audit.put([audit_line(86_400), audit_line(86_401)])
    audit.put([audit_line(86_402)])
    return tmp_path


def checked(root: Path) -> IntegrityReport:
    return check(root, open_names(LocalFiles(root)))


def found(root: Path) -> list[tuple[str, str, str]]:
    return [(each.severity, each.code, each.path) for each in checked(root).findings]


def test_what_is_sound_has_no_finding(root: Path) -> None:
    assert (root / "access/keys/000012.json").exists()
    assert checked(root).findings == ()


@pytest.mark.parametrize("place", ["access/keys/000012.json", "access/keys/000005.json"])
def test_a_file_of_the_keys_that_was_altered_is_damage(root: Path, place: str) -> None:
    path = root / place
    path.write_bytes(path.read_bytes().replace(b"read", b"rows"))
    (finding,) = checked(root).findings
    assert (finding.severity, finding.code, finding.path) == ("damage", "keys_unreadable", place)
    assert "was altered" in finding.detail
    assert not checked(root).sound


def test_bindings_that_were_altered_are_damage(root: Path) -> None:
    path = root / "questions/bindings/000001.json"
    path.write_bytes(path.read_bytes().replace(b"billing", b"refunds"))
    (finding,) = checked(root).findings
    assert (finding.severity, finding.code) == ("damage", "bindings_unreadable")
    assert "bind the questions anew" in finding.detail


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"format":1}\n'])
def test_a_file_of_the_trail_that_cannot_be_read_is_damage(root: Path, content: bytes) -> None:
    (joined,) = (root / DAY).iterdir()
    assert joined.name.startswith("whole-")
    joined.write_bytes(content)
    assert found(root) == [("damage", "audit_unreadable", f"{DAY}/{joined.name}")]


def test_a_line_that_was_taken_out_is_damage(root: Path) -> None:
    (joined,) = (root / DAY).iterdir()
    joined.write_bytes(re.sub(rb"\{\"id\".*?\n", b"", joined.read_bytes(), count=1))
    assert found(root) == [("damage", "audit_unreadable", f"{DAY}/{joined.name}")]


def test_files_of_a_newer_windrow_are_told_with_that_advice(root: Path) -> None:
    (joined,) = (root / DAY).iterdir()
    joined.write_bytes(joined.read_bytes().replace(b'"format":1', b'"format":2'))
    (finding,) = checked(root).findings
    assert finding.detail.endswith("is of a newer Windrow. Upgrade Windrow.")


@pytest.mark.parametrize("place", ["access/notes.txt", "access/keys/notes.txt", "audit/notes.txt", f"{DAY}/notes.txt"])
def test_what_is_foreign_is_a_notice(root: Path, place: str) -> None:
    (root / place).write_text("mine")
    assert found(root) == [("notice", "foreign_file", place)]


def test_a_repair_touches_none_of_it(root: Path) -> None:
    (joined,) = (root / DAY).iterdir()
    joined.write_bytes(b"{}\n")
    before = {path: path.read_bytes() for path in root.rglob("*.json*")}
    check(root, open_names(LocalFiles(root)), repair=True)
    assert {path: path.read_bytes() for path in root.rglob("*.json*")} == before
