"""Whom a verb asks, and what is refused."""

from pathlib import Path

import pytest

from tests.cli.asking import run
from tests.client.sockets import ScriptedServer, reply
from tests.fakes.bucket import MemoryBucket
from tests.toy import Toy
from windrow.cli.connect import check_data_dir, connect_dry_run, connected, open_server, resolve_server_url
from windrow.domain.errors import InvalidParameter
from windrow.domain.secret import Secret
from windrow.domain.store_url import StoreUrl
from windrow.settings import Settings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was opened, each a toy."""
    opened: list[object] = []

    def open_server(url: str, api_key: object) -> Toy:
        opened.append(url)
        return Toy()

    def open_directory(settings: Settings) -> Toy:
        opened.append(settings.data_dir)
        return Toy()

    monkeypatch.setattr("windrow.cli.connect.open_server", open_server)
    monkeypatch.setattr("windrow.cli.connect.open_directory", open_directory)
    return opened


def _data_dir(folder: Path) -> Path:
    (folder / "classifiers").mkdir(parents=True)
    return folder


def test_a_url_means_a_server(asked: list[object]) -> None:
    with connected("http://one.example", None) as operations:
        assert isinstance(operations, Toy)
        assert not operations.closed.is_set()
    assert operations.closed.is_set()
    assert asked == ["http://one.example"]


def test_a_data_directory_needs_no_server(asked: list[object], tmp_path: Path) -> None:
    with connected(None, _data_dir(tmp_path)):
        pass
    assert asked == [tmp_path]


def test_the_settings_decide_where_nothing_is_said(
    asked: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDROW_DATA_DIR", str(_data_dir(tmp_path / "one")))
    with connected(None, None):
        pass
    monkeypatch.setenv("WINDROW_URL", "http://two.example")
    with connected(None, None):
        pass
    with connected(None, _data_dir(tmp_path / "three")):
        pass
    assert asked == [tmp_path / "one", "http://two.example", tmp_path / "three"]


def test_both_are_refused(asked: list[object], tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="only one of them"), connected("http://one.example", tmp_path):
        pass
    assert asked == []


def test_reading_makes_no_data_directory(asked: list[object], tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match=r"does not exist.*--data-dir.*--url"), connected(None, tmp_path / "new"):
        pass
    with pytest.raises(InvalidParameter, match="has neither classifiers"), connected(None, tmp_path):
        pass
    assert asked == []
    with connected(None, tmp_path / "new", may_create=True):
        pass
    assert asked == [tmp_path / "new"]


def test_it_is_closed_whatever_happens(asked: list[object], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), connected("http://one.example", None) as operations:
        raise KeyboardInterrupt
    assert isinstance(operations, Toy)
    assert operations.closed.is_set()


def test_a_folder_is_a_data_directory_by_what_is_in_it(tmp_path: Path) -> None:
    for mark in ("classifiers", "aliases", "base_models", "jobs"):
        folder = tmp_path / mark
        (folder / mark).mkdir(parents=True)
        check_data_dir(folder)


@pytest.mark.parametrize("key", ["commits/000000000001.json", "loose/jobs/.owners/1"])
def test_a_place_in_an_object_store_is_a_data_directory_once_something_is_there(
    key: str, asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, bucket = StoreUrl("s3", "shop", "windrow"), MemoryBucket()
    monkeypatch.setattr("windrow.storage.object_store.obstore_bucket.ObstoreBucket", lambda _: bucket)
    bucket.put("letters/1", b"of somebody else")
    with pytest.raises(InvalidParameter, match=r"^s3://shop/windrow is no .*nothing of Windrow.*--data-dir"):
        check_data_dir(url)
    with connected(None, str(url), may_create=True), connect_dry_run(None, str(url)):
        pass
    assert asked == [url, url]
    bucket.put(key, b"{}")
    check_data_dir(url)


def test_an_empty_url_is_none(tmp_path: Path) -> None:
    assert resolve_server_url("", tmp_path) == ""
    assert resolve_server_url(None, None) == ""


KEY = "wdr_unit-test-key"
REFUSED = b'{"code": "unauthorized", "detail": "x", "template": "This server wants an API key. {send_key}."}'


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return file


@pytest.mark.parametrize("source", ["--api-key-file", "WINDROW_API_KEY_FILE", "WINDROW_API_KEY"])
def test_a_server_is_sent_the_key_that_a_file_or_the_environment_holds(
    source: str, key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [source, str(key_file)] if source.startswith("--") else []
    if not options:
        monkeypatch.setenv(source, KEY if source == "WINDROW_API_KEY" else str(key_file))
    with ScriptedServer([reply(body=b'{"jobs": []}')]) as server:
        ended = run(monkeypatch, capsys, "jobs", "--url", server.url, *options)
    assert ended.code == 0, ended.err
    assert f"authorization: bearer {KEY}".encode() in server.requests[0].lower()
    assert KEY not in ended.out + ended.err


def test_a_server_that_wants_a_key_is_told_of_in_the_words_of_the_command_line(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedServer([reply(401, REFUSED, "application/problem+json")]) as server:
        ended = run(monkeypatch, capsys, "jobs", "--url", server.url, "--api-key-file", str(key_file))
    assert ended.code == 3
    assert "--api-key-file, or set WINDROW_API_KEY_FILE or WINDROW_API_KEY" in ended.err
    assert KEY not in ended.out + ended.err


def test_a_key_that_travels_over_a_network_unencrypted_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_server("http://windrow.example", Secret(KEY)).close()
    told = capsys.readouterr().err
    assert "unencrypted" in told
    assert KEY not in told
    open_server("https://windrow.example", Secret(KEY)).close()
    open_server("http://windrow.example", None).close()
    assert capsys.readouterr().err == ""


def test_no_command_takes_a_key_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(monkeypatch, capsys, "jobs", "--api-key", KEY)
    assert ended.code == 2
    assert "--api-key" not in run(monkeypatch, capsys, "jobs", "--help").out.replace("--api-key-file", "")
