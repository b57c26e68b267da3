"""report, to a file, a folder and standard output."""

import io
import sys
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.toy import Toy
from windrow.domain.classifier import ModelRequest

pytestmark = pytest.mark.usefixtures("trained")


def test_a_report_is_a_page_and_the_score_is_kept(ask: Run, toy: Toy, rows_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ended = ask("report", "tickets_v1", rows_file, "--out", file, "--title", "Tickets of May")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"Wrote {file}, ")
    assert "<title>Tickets of May</title>" in file.read_text(encoding="utf-8")
    assert toy.show(ModelRequest("tickets_v1")).test is not None


def test_nothing_is_kept_if_that_is_not_wanted(ask: Run, toy: Toy, rows_file: Path, tmp_path: Path) -> None:
    assert ask("report", "tickets_v1", "--test-data", rows_file, "--out", tmp_path / "a.html", "--no-save").code == 0
    assert toy.show(ModelRequest("tickets_v1")).test is None


def test_a_report_is_named_for_the_revision(
    ask: Run, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pages").mkdir()
    monkeypatch.chdir(tmp_path / "pages")
    ask("report", "tickets_v1", rows_file)
    ask("report", "tickets_v2", rows_file, "-o", tmp_path / "pages")
    assert sorted(file.name for file in (tmp_path / "pages").iterdir()) == ["tickets_v1@1.html", "tickets_v2@1.html"]


def test_a_file_that_exists_is_replaced_only_if_told_so_and_before_anything_is_computed(
    ask: Run, toy: Toy, rows_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text("mine")
    refused = ask("report", "tickets_v1", rows_file, "-o", file)
    assert (refused.code, file.read_text()) == (2, "mine")
    assert "replace it with --overwrite" in refused.refusal
    assert toy.show(ModelRequest("tickets_v1")).test is None
    assert ask("report", "tickets_v1", rows_file, "-o", file, "--overwrite").code == 0
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_file_in_a_folder_that_does_not_exist_is_refused_before_anything_is_computed(
    ask: Run, toy: Toy, rows_file: Path, tmp_path: Path
) -> None:
    refused = ask("report", "tickets_v1", rows_file, "-o", tmp_path / "nowhere" / "report.html")
    assert (refused.code, toy.show(ModelRequest("tickets_v1")).test) == (2, None)
    assert "nowhere. Create it, or name another file with -o." in refused.refusal


def test_a_report_to_stdout_is_nothing_but_the_page(ask: Run, rows_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        written = io.BytesIO()
        patched.setattr(sys, "stdout", io.TextIOWrapper(written))
        assert ask("report", "tickets_v1", rows_file, "-o", "-").code == 0
        assert written.getvalue().startswith(b"<!DOCTYPE html>")
        assert written.getvalue().endswith(b"</html>\n")


def test_a_report_without_rows_is_refused(ask: Run) -> None:
    refused = ask("report", "tickets_v1")
    assert refused.code == 2
    assert "The FILE is missing. Name it once, without an option or with --test-data." in refused.refusal
