"""Places for results: a folder and a part of an object store do the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.object_stores import servers
from windrow.domain.errors import InvalidParameter, StorageFailed
from windrow.storage.files import KeyMissing
from windrow.storage.places import Place, open_place


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Store]:
    with servers.moto() as store:
        yield store


@pytest.fixture(scope="module")
def azurite() -> Iterator[servers.Store]:
    with servers.azurite() as store:
        yield store


@pytest.fixture(params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("moto", "azurite"))])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return open_place(f"{tmp_path}/deep/out/")[0]
    store: servers.Store = request.getfixturevalue(request.param)
    store.set_environment(monkeypatch)
    return open_place(f"{store.new_data_dir()}/out/")[0]


def test_a_file_is_created_once(place: Place) -> None:
    assert place.names() == frozenset()
    assert place.create("a.json", b"first")
    assert not place.create("a.json", b"second")
    assert place.create("a.json", b"first")  # it is what the file holds
    assert place.get("a.json") == b"first"


def test_files_are_put_listed_and_removed(place: Place) -> None:
    place.create("a", b"1")
    place.put("b", b"2")
    place.put("b", b"3")
    assert (place.names(), place.get("b")) == (frozenset(("a", "b")), b"3")
    for _ in range(2):
        place.remove("a")
    assert place.names() == frozenset("b")
    with pytest.raises(KeyMissing):
        place.get("a")


def test_a_folder_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path) -> None:
    place, address = open_place(str(tmp_path / "none"))
    assert address == str(tmp_path / "none")
    with pytest.raises(StorageFailed, match=r"part.csv cannot be written: No such file or directory\. .* goes on"):
        place.put("part.csv", b"")


def test_a_file_and_a_pattern_are_no_places(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(InvalidParameter, match=r"a.csv is a file"):
        open_place(str(tmp_path / "a.csv"))
    with pytest.raises(InvalidParameter, match="is a pattern"):
        open_place(f"{tmp_path}/*")
