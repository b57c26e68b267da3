"""Power that fails at any moment of any verb: what was acknowledged is there, and all else wholly or not at all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.power import Disk, leftovers, make, recording
from tests.storage.crash_cases import Case, check_what_is_left, every_case
from tests.storage.examples import fast_folder
from tests.storage.model import Server
from windrow.storage.files import LocalFiles

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(parsing_once: None) -> Iterator[Path]:
    with fast_folder() as folder:
        yield Path(folder)


@every_case
def test_power_that_fails_at_any_moment_leaves_the_old_or_the_new_state(case: Case, folder: Path) -> None:
    root = folder / "data"
    case.prepare(LocalFiles(root))
    disk = Disk.of(root)
    with recording(root) as calls:
        returned = case.act.on(Server(LocalFiles(root)))
    found = set()
    for tree in leftovers(disk, calls):
        place = folder / "left"
        make(tree, root, place)
        Server(LocalFiles(place)).finding_codes()
        found.add(check_what_is_left(LocalFiles(place), case))
        shutil.rmtree(place)
    assert found == {False, True}
    # What was acknowledged: whatever of the rest a power cut takes.
    for tree in disk.survivors():
        place = folder / "left"
        make(tree, root, place)
        assert check_what_is_left(LocalFiles(place), case, returned)
        shutil.rmtree(place)


@pytest.mark.parametrize("forgotten", ["files", "folders", "nothing"])
def test_what_is_not_synced_is_found_to_be_lost_or_half_written(folder: Path, forgotten: str) -> None:
    root = folder / "data"
    root.mkdir()
    disk = Disk.of(root)
    with recording(root) as calls:
        LocalFiles(root).put_new("a/b", b"content")
    is_of_folder = {"files": (False,), "folders": (True,), "nothing": ()}[forgotten]
    leftovers(disk, [call for call in calls if call.name != "fsync" or Path(call.path).is_dir() not in is_of_folder])
    found = {dict(files).get(str(root / "a/b")) for _, files in disk.survivors()}
    assert (
        found
        == {
            "files": {b"", b"cont", b"content"},
            "folders": {None, b"content"},
            "nothing": {b"content"},
        }[forgotten]
    )
