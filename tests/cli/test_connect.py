"""Whom a verb asks, and what is refused."""

from pathlib import Path

import pytest

from tests.toy import Toy
from windrow.cli.connect import check_data_dir, connected, resolve_server_url
from windrow.domain.errors import InvalidParameter
from windrow.settings import Settings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was opened, each a toy."""
    opened: list[object] = []

    def open_server(url: str) -> Toy:
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


def test_an_empty_url_is_none(tmp_path: Path) -> None:
    assert resolve_server_url("", tmp_path) == ""
    assert resolve_server_url(None, None) == ""
