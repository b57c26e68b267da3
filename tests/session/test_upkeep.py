from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.operations import FakeOperations
from windrow.domain.archive import Export
from windrow.domain.errors import ArchiveInvalid, BaseModelInUse, InvalidParameter, StorageFailed
from windrow.session.session import Session


class Breaking(FakeOperations):
    """Its exports end too early."""

    def export(self, model_name: str, *, training_rows: bool = False) -> Export:
        export = super().export(model_name, training_rows=training_rows)

        def chunks() -> Iterator[bytes]:
            yield b"half"
            raise StorageFailed("The connection broke. Try again.")

        return Export(export.file_name, export.size_bytes, chunks())


def test_an_export_goes_into_a_folder_under_its_own_name_or_to_a_path(session: Session, tmp_path: Path) -> None:
    assert session.export("tickets_v1", tmp_path) == tmp_path / "tickets_v1.windrow"
    assert session.export("tickets_v1", str(tmp_path / "mine")) == tmp_path / "mine"
    assert {file.name for file in tmp_path.iterdir()} == {"tickets_v1.windrow", "mine"}


def test_what_was_exported_can_be_imported_by_path_or_open_file(session: Session, tmp_path: Path) -> None:
    file = session.export("tickets_v1", tmp_path, training_rows=True)
    assert not session.import_file(file, "other", dry_run=True).is_saved
    assert session.import_file(str(file), "other").classifier.record.name == "other"
    with file.open("rb") as opened:
        assert session.import_file(opened, overwrite=True).classifier.record.name == "tickets_v1"


def test_an_export_that_breaks_leaves_what_was_there(tmp_path: Path) -> None:
    session = Session(Breaking())
    session.fit("tickets_v1", [("money", "refund"), ("sign in", "login")], num_iterations=0)
    file = tmp_path / "kept"
    file.write_bytes(b"kept")
    with pytest.raises(StorageFailed, match="broke"):
        session.export("tickets_v1", file)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("kept", b"kept")]


def test_a_place_that_cannot_be_written_or_read_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="nowhere"):
        session.export("tickets_v1", tmp_path / "nowhere" / "file")
    with pytest.raises(InvalidParameter, match="nowhere cannot be read: No such file"):
        session.import_file(tmp_path / "nowhere")
    (tmp_path / "text").write_text("no export")
    with pytest.raises(ArchiveInvalid):
        session.import_file(tmp_path / "text")


def test_base_models_usage_and_findings_are_told(session: Session) -> None:
    first = session.base_models()[0].model.base_model.id
    assert session.usage().total_bytes > 0
    assert session.fsck().is_sound
    assert session.fsck(repair=True).findings[0].is_repaired
    with pytest.raises(BaseModelInUse):
        session.remove_base_model(session.show("tickets_v1").classifier.record.base_model.id)
    assert session.remove_base_model(first) > 0
