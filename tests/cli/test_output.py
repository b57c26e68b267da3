"""Data on standard output, all else on standard error, and tables that are whole where nothing must fit."""

import io
import re
import sys
from pathlib import Path

import pytest

from windrow.cli.output import data_console, naming_file, notes_console
from windrow.cli.tables import Column, TextTable, table_of
from windrow.domain.errors import InvalidParameter


def named(*cells: str) -> TextTable:
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


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidParameter, match=r"rows\.csv: No such file or directory\."),
        naming_file(tmp_path / "rows.csv"),
    ):
        (tmp_path / "rows.csv").read_bytes()


class Broken(io.StringIO):
    """A pipe that nobody reads."""

    def write(self, text: str) -> int:
        raise BrokenPipeError
