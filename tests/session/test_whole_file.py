"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from windrow.session.whole_file import whole_file


def test_a_file_that_is_whole_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("one", "new")]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_whatever_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "one"
    path.write_text("old")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("one", "old")]


def test_two_that_write_to_one_path_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with whole_file(path) as first, whole_file(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "nowhere" / "one"):
        pass
