"""export and import, in a terminal and as JSON."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.toy import Toy
from windrow.domain.archive import Export, ExportRequest
from windrow.domain.errors import InvalidArtifact
from windrow.domain.listing import ListRequest

pytestmark = pytest.mark.usefixtures("trained")


def test_an_export_comes_back_by_import(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    exported = ask("export", "tickets_v1", "-o", file)
    assert (exported.code, exported.out) == (0, "")
    assert exported.err.startswith(f"Wrote {file}, ")
    assert ask("import", file, "--model-name", "tickets_v3").lines == [
        "Imported tickets_v3, revision 1: 2 labels, trained on 4 rows, which the file does not hold."
    ]
    assert ask("import", file, "--model-name", "tickets_v4", "--json").document["status"] == "imported"


def test_an_export_is_named_for_its_classifier(ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ask("export", "tickets_v1")
    ask("export", "tickets_v2", "-o", tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tickets_v1.windrow", "tickets_v2.windrow"]


def test_an_export_to_stdout_is_nothing_but_the_file(ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("export", "tickets_v1", "-o", tmp_path / "one.windrow")
    with monkeypatch.context() as patched:
        written = io.BytesIO()
        patched.setattr(sys, "stdout", io.TextIOWrapper(written))
        assert ask("export", "tickets_v1", "-o", "-").code == 0
        assert written.getvalue() == (tmp_path / "one.windrow").read_bytes()


def test_an_export_is_told_as_json(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    exported = ask("export", "tickets_v1", "-o", file, "--json")
    assert exported.document == {"file": str(file), "size_bytes": file.stat().st_size}
    assert exported.err == ""
    refused = ask("export", "tickets_v1", "-o", "-", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert "both write to standard output" in refused.refusal


def test_an_export_leaves_an_unfinished_output_of_somebody_else_alone(ask: Run, tmp_path: Path) -> None:
    unfinished = tmp_path / "one.windrow.partial"
    unfinished.write_text("mine")
    assert ask("export", "tickets_v1", "-o", tmp_path / "one.windrow").code == 0
    assert unfinished.read_text() == "mine"


def test_an_import_from_stdin(ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("export", "tickets_v1", "-o", tmp_path / "one.windrow")
    monkeypatch.setattr("sys.stdin", (tmp_path / "one.windrow").open())
    assert ask("import", "-", "--model-name", "tickets_v3").lines[0].startswith("Imported tickets_v3")
    sys.stdin.close()


def test_an_export_replaces_a_file_only_when_asked_to(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    file.write_text("mine")
    assert "exists. Name another file" in ask("export", "tickets_v1", "-o", file).refusal
    assert file.read_text() == "mine"
    assert ask("export", "tickets_v1", "-o", file, "--overwrite").code == 0
    assert file.read_bytes() != b"mine"


def test_an_export_that_fails_leaves_no_file_behind(ask: Run, toy: Toy, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise InvalidArtifact("Its file is damaged. Restore it from a backup.")

    def export(request: ExportRequest) -> Export:
        return Export("one.windrow", 100, chunks())

    toy.export = export  # type: ignore[method-assign]
    failed = ask("export", "tickets_v1", "-o", tmp_path / "one.windrow")
    assert failed.code == 5
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line(ask: Run, tmp_path: Path) -> None:
    refused = ask("export", "tickets_v1", "-o", tmp_path / "nowhere" / "one.windrow")
    assert refused.code == 2
    assert "There is no folder" in refused.refusal


def test_import_refuses_what_exists_unless_it_may_overwrite(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    ask("export", "tickets_v1", "-o", file)
    assert ask("import", file).code == 3
    [said] = ask("import", file, "--overwrite").lines
    assert said.startswith("Imported tickets_v1, revision 2: ")


def test_import_says_whether_the_rows_came_along(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    ask("export", "tickets_v1", "-o", file, "--include-training-data")
    assert ask("import", file, "--overwrite").lines == ["Imported tickets_v1, revision 2: 2 labels, trained on 4 rows."]


def test_a_dry_run_of_import_saves_nothing(ask: Run, toy: Toy, tmp_path: Path) -> None:
    file = tmp_path / "one.windrow"
    ask("export", "tickets_v1", "-o", file)
    assert ask("import", file, "--model-name", "other", "--dry-run").lines[0].startswith("Sound; would import other")
    assert len(toy.list_classifiers(ListRequest()).models) == 2


def test_a_file_that_is_missing_or_no_export_is_one_line(ask: Run, tmp_path: Path) -> None:
    missing = ask("import", tmp_path / "none.windrow")
    assert missing.code == 2
    assert "No such file" in missing.refusal
    (tmp_path / "text.windrow").write_text("hello")
    assert ask("import", tmp_path / "text.windrow").code == 2


def test_a_copy_is_told_with_its_origin(ask: Run) -> None:
    assert ask("copy", "tickets_v1", "mails_v1").lines == ["mails_v1, revision 1, answers: a copy of tickets_v1@1."]
    assert ask("copy", "tickets_v1", "mails_v2", "--json").document["status"] == "copied"
    refused = ask("copy", "tickets_v1", "mails_v1")
    assert refused.code == 3
    assert "add --overwrite" in refused.err
    assert "imported" not in ask("show", "mails_v1").out
    assert "from tickets_v1@1" in ask("show", "mails_v1").out
