"""Data on standard output, all else on standard error, and tables that are whole where nothing must fit."""

import errno
import io
import re
import sys

import pytest

from windrow.cli.output import data_console, notes_console, writing_data
from windrow.cli.tables import Column, Listed, table_of
from windrow.domain.errors import StorageFailed


def named(*cells: str) -> Listed:
    def column(place: int) -> Column[tuple[str, ...]]:
        return Column(str(place), lambda row: row[place])

    return table_of([cells], *map(column, range(len(cells))))


def test_a_table_is_not_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    data_console().print(named("n" * 300))
    shown = capsys.readouterr()
    assert "n" * 300 in shown.out
    assert "\x1b" not in shown.out
    assert shown.err == ""


def test_a_table_fits_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    data_console().print(named("n" * 30, "many words " * 30))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(len(line) for line in shown.splitlines()) <= 40


def test_what_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    notes_console().print("[bold]refund[/bold] :smile:")
    assert capsys.readouterr().err == "[bold]refund[/bold] :smile:\n"


def test_cells_are_shown_as_they_are_too(capsys: pytest.CaptureFixture[str]) -> None:
    data_console().print(named("[red]sale[/red]"))
    assert "[red]sale[/red]" in capsys.readouterr().out


def test_a_closed_pipe_is_left_to_the_edge() -> None:
    console = data_console()
    console.file = Broken()
    with pytest.raises(BrokenPipeError):
        console.print("refund")


def test_a_full_disk_is_told_and_a_closed_pipe_is_not() -> None:
    with pytest.raises(StorageFailed, match="Standard output cannot be written: no space left"), writing_data():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(BrokenPipeError), writing_data():
        raise BrokenPipeError


class Broken(io.StringIO):
    """A pipe that nobody reads."""

    def write(self, text: str) -> int:
        raise BrokenPipeError
