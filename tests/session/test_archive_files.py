from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from windrow.domain.archive import Export, ExportRequest
from windrow.domain.errors import InvalidArchive, InvalidName, InvalidParameter, StorageFailed
from windrow.operations import Operations
from windrow.session.archive_files import write_file
from windrow.session.session import Session


class Breaking:
    """Operations whose exports end too early."""

    def export(self, request: ExportRequest) -> Export:
        def chunks() -> Iterator[bytes]:
            yield b"half"
            raise StorageFailed("The connection broke. Try again.")

        return Export(f"{request.model_name}.windrow", 9, chunks())


def test_an_export_goes_into_a_folder_under_its_own_name_or_to_a_path(session: Session, tmp_path: Path) -> None:
    assert session.export("tickets_v1", tmp_path) == tmp_path / "tickets_v1.windrow"
    assert session.export("tickets_v1", str(tmp_path / "mine")) == tmp_path / "mine"
    assert {file.name for file in tmp_path.iterdir()} == {"tickets_v1.windrow", "mine"}


def test_what_was_exported_can_be_imported_by_path_or_open_file(session: Session, tmp_path: Path) -> None:
    file = session.export("tickets_v1", tmp_path, include_training_data=True)
    assert session.import_file(file, "other", dry_run=True).status == "dry_run"
    assert session.import_file(str(file), "other").name == "other"
    with file.open("rb") as opened:
        assert session.import_file(opened, overwrite=True).name == "tickets_v1"


def test_an_export_for_other_programs_goes_without_rows_and_to_programs_that_there_are(
    session: Session, tmp_path: Path
) -> None:
    with pytest.raises(InvalidParameter, match="holds no training data"):
        session.export("tickets_v1", tmp_path, include_training_data=True, to="onnx")
    with pytest.raises(InvalidParameter, match="to is 'pickle'"):
        session.export("tickets_v1", tmp_path, to="pickle")  # type: ignore[arg-type]


def test_a_page_goes_into_a_folder_under_the_name_of_its_revision_or_to_a_path(
    session: Session, tmp_path: Path
) -> None:
    texts, labels = ["money", "sign in"], ["refund", "login"]
    assert session.report("tickets_v1", texts, labels, tmp_path) == tmp_path / "tickets_v1@1.html"
    named = session.report(
        "tickets_v1", list(zip(texts, labels, strict=True)), path=tmp_path / "may", title="May & June"
    )
    assert named == tmp_path / "may"
    assert "<title>May &amp; June</title>" in named.read_text(encoding="utf-8")
    assert {file.name for file in tmp_path.iterdir()} == {"tickets_v1@1.html", "may"}


def test_an_export_that_breaks_leaves_what_was_there(tmp_path: Path) -> None:
    session = Session(cast(Operations, Breaking()))
    file = tmp_path / "kept"
    file.write_bytes(b"kept")
    with pytest.raises(StorageFailed, match="broke"):
        session.export("tickets_v1", file)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("kept", b"kept")]


def test_an_export_is_let_go_of_where_its_file_cannot_be_opened(tmp_path: Path) -> None:
    class Chunks(Iterator[bytes]):
        is_closed = False

        def __next__(self) -> bytes:
            raise AssertionError("nothing is to be read")

        def close(self) -> None:
            self.is_closed = True

    chunks = Chunks()
    with pytest.raises(StorageFailed, match="nowhere"):
        write_file(Export("a.windrow", 9, chunks), tmp_path / "nowhere" / "file")
    assert chunks.is_closed


def test_a_place_that_cannot_be_written_or_read_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="nowhere"):
        session.export("tickets_v1", tmp_path / "nowhere" / "file")
    with pytest.raises(InvalidParameter, match="nowhere cannot be read: No such file"):
        session.import_file(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no export")
    with pytest.raises(InvalidArchive):
        session.import_file(tmp_path / "text")


def test_names_and_switches_are_checked_before_a_file_is_touched(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InvalidName, match="must be a string"):
        session.export(5, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InvalidParameter, match="overwrite is 'yes'; it must be True or False"):
        session.import_file(tmp_path / "nowhere", overwrite="yes")  # type: ignore[arg-type]
