"""Files that users name: found by name, folder and pattern, here and in an object store, and opened as found."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.object_stores import servers
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.store_url import StoreUrl
from windrow.storage.input_files import find_input_files, open_input
from windrow.storage.object_urls import ObjectUrl, bucket_of, read_object_url

NAMES = ("a.csv", "b.CSV.gz", "c.jsonl", "d.txt", "deep/e.csv", "deep/f=1/g h.parquet", "_SUCCESS", ".b.csv", "_c.csv")


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Store]:
    with servers.moto() as store:
        yield store


@pytest.fixture(scope="module")
def azurite() -> Iterator[servers.Store]:
    with servers.azurite() as store:
        yield store


@pytest.fixture(params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("moto", "azurite"))])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a folder with files, without a slash at its end."""
    if request.param == "folder":
        for name in NAMES:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(name.encode())
        return str(tmp_path)
    store: servers.Store = request.getfixturevalue(request.param)
    store.set_environment(monkeypatch)
    address = store.new_data_dir()
    url = read_object_url(address, "input")
    for name in NAMES:
        bucket_of(url.store).put(f"{url.key}/{name}", name.encode())
    return address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.csv", ["a.csv"]),
        ("d.txt", ["d.txt"]),
        ("", ["a.csv", "b.CSV.gz", "c.jsonl"]),
        ("deep/", ["deep/e.csv"]),
        ("[!._]*.csv", ["a.csv"]),
        ("**/[!._]*.csv", ["a.csv", "deep/e.csv"]),
        ("deep/f=*/*", ["deep/f=1/g h.parquet"]),
        ("[!b-z].csv", ["a.csv"]),
        ("?.jsonl", ["c.jsonl"]),
    ],
)
def test_files_are_found(place: str, text: str, found: list[str]) -> None:
    files = find_input_files(f"{place}/{text}")
    assert [file.name.removeprefix(f"{place}/") for file in files] == found
    assert [file.size_bytes for file in files] == [len(name) for name in found]
    for file, name in zip(files, found, strict=True):
        with open_input(file) as opened:
            assert opened.read(1) == name[:1].encode()
            opened.seek(-2, os.SEEK_END)
            assert opened.read() == name[-2:].encode()


@pytest.mark.parametrize("text", ["none.csv", "none/", "*.none"])
def test_what_is_not_there_is_refused(place: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"(There is no|No) file"):
        find_input_files(f"{place}/{text}")


def test_a_file_that_has_changed_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\n")
    [file] = find_input_files(str(path))
    path.write_text("text\nmore\n")
    with pytest.raises(InvalidFile, match="has changed since this run began"):
        open_input(file)
    path.unlink()
    with pytest.raises(InvalidParameter, match="There is no file"):
        open_input(file)


@pytest.mark.slow
def test_an_object_that_has_changed_is_not_opened(moto: servers.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    moto.set_environment(monkeypatch)
    url = read_object_url(f"{moto.new_data_dir()}/a.csv", "input")
    bucket_of(url.store).put(url.key, b"one")
    [file] = find_input_files(str(url))
    with open_input(replace(file, version=f'"{file.version}"')) as opened:  # as earlier runs wrote it
        assert opened.read() == b"one"
    bucket_of(url.store).put(url.key, b"two")
    with pytest.raises(InvalidFile, match="has changed since this run began"):
        open_input(file)


def test_a_file_whose_name_is_a_pattern_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a[1].csv"
    path.write_text("text\n")
    assert [file.name for file in find_input_files(str(path))] == [str(path)]


@pytest.mark.parametrize("text", ["http://host/a.csv", "s3:/bucket/a.csv", "s3://me:secret@bucket/a.csv"])
def test_other_addresses_are_refused_without_their_secrets(text: str) -> None:
    with pytest.raises(InvalidParameter, match="no file in an object store") as error:
        find_input_files(text)
    assert "secret" not in str(error.value)


def test_a_key_may_be_anything() -> None:
    url = read_object_url("gs://bucket/a b/ü@1?.csv", "input")
    assert (url.key, str(url)) == ("a b/ü@1?.csv", "gs://bucket/a b/ü@1?.csv")
    assert read_object_url("s3://bucket", "input") == ObjectUrl(StoreUrl("s3", "bucket"), "")
