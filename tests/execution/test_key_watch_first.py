"""The first key of a data directory, which comes from a secret file, once."""

import logging
import secrets
from pathlib import Path

import pytest

from tests.toy import Toy
from windrow.domain.access import SCOPES, CreateKeyRequest, KeyRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.errors import InvalidParameter, Unauthorized
from windrow.settings import Settings

SETTING = "WINDROW_FIRST_KEY_FILE"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(Settings(data_dir=tmp_path / "data"))


@pytest.fixture
def key() -> str:
    return f"wdr_{secrets.token_hex(32)}"


@pytest.fixture
def file(tmp_path: Path, key: str) -> Path:
    file = tmp_path / "first"
    file.write_text(f"{key}\n")
    return file


def test_the_first_key_has_every_scope_and_is_known_at_once(
    toy: Toy, file: Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        toy.keys.prepare(str(file))
    assert toy.keys.is_needed
    found = toy.keys.find(key)
    assert (found.name, found.scopes, found.only, found.expires_at) == ("first", SCOPES, (), None)
    assert key not in caplog.text
    assert "first" in caplog.text
    assert all(key.encode() not in each.read_bytes() for each in toy.settings.local_dir.rglob("*") if each.is_file())


def test_it_is_created_once_and_never_comes_back(toy: Toy, file: Path, key: str) -> None:
    toy.keys.prepare(str(file))
    toy.revoke_key(KeyRequest("first"))
    other = f"wdr_{secrets.token_hex(32)}"
    file.write_text(other)
    for _ in range(2):
        again = Toy(toy.settings)
        again.keys.prepare(str(file))
        for each in (key, other):
            with pytest.raises(Unauthorized):
                again.keys.find(each)
    assert [each.name for each in toy.list_keys().keys] == ["first"]


def test_where_there_is_a_key_the_file_is_not_even_read(toy: Toy, tmp_path: Path) -> None:
    toy.create_key(CreateKeyRequest(name="a", scopes=("read",)))
    toy.keys.prepare(str(tmp_path / "missing"))
    assert [each.name for each in toy.list_keys().keys] == ["a"]


def test_without_a_file_no_key_is_made(toy: Toy) -> None:
    toy.keys.prepare()
    assert not toy.keys.is_needed


@pytest.mark.parametrize("content", ["", "hunter2", "wdr_short", f"wdr_{'a' * 64}", "0123456789abcdef" * 4])
def test_what_somebody_could_guess_is_refused_without_being_repeated(toy: Toy, file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(InvalidParameter, match=SETTING) as caught:
        toy.keys.prepare(str(file))
    assert not content or content not in caught.value.detail + str(caught.value.facts)
    assert not toy.keys.is_needed


def test_a_file_that_is_not_there_is_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match=SETTING):
        toy.keys.prepare(str(tmp_path / "missing"))


def test_its_creation_is_in_the_audit_trail(toy: Toy, file: Path) -> None:
    toy.keys.prepare(str(file))
    (line,) = toy.audit(AuditRequest())
    assert (line.verb, line.target, line.key_name, line.outcome) == ("create_key", "first", None, "ok")
