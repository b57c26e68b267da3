"""Data on standard output, all else on standard error, and tables that are whole where nothing must fit."""

import errno
import io
import re
import sys

import pytest

from windrow.cli.output import data_console, new_table, notes_console, print_json, writing_data
from windrow.domain.errors import StorageFailed
from windrow.wire.alias import ChangeEntry


def test_a_table_is_not_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table = new_table("name", "rows", right=("rows",))
    table.add_row("n" * 300, "1")
    data_console().print(table)
    shown = capsys.readouterr()
    assert "n" * 300 in shown.out
    assert "\x1b" not in shown.out
    assert shown.err == ""


def test_a_table_fits_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    table = new_table("name", "words")
    table.add_row("n" * 30, "many words " * 30)
    data_console().print(table)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(len(line) for line in shown.splitlines()) <= 40


def test_what_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    notes_console().print("[bold]refund[/bold] :smile:")
    assert capsys.readouterr().err == "[bold]refund[/bold] :smile:\n"


def test_cells_are_shown_as_they_are_too(capsys: pytest.CaptureFixture[str]) -> None:
    table = new_table("text")
    table.add_row("[red]sale[/red]")
    data_console().print(table)
    assert "[red]sale[/red]" in capsys.readouterr().out


def test_json_has_the_names_of_the_http_api_and_ends_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"number": 1, "event": "promoted", "from": None, "to": "é", "at": "now", "reason": "", "by": ""}
    print_json(ChangeEntry.model_validate(values))
    shown = capsys.readouterr().out
    assert '"to":"é"' in shown
    assert shown.endswith("}\n")


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
