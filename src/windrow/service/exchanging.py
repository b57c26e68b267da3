"""Exchanging: exports and imports on this machine.

Owns what an export takes along and what an import checks against this machine; knows nothing of the file's form.
"""

from dataclasses import replace
from typing import BinaryIO

from windrow.domain.archive import Export, Imported, ImportRequest
from windrow.domain.classifier import NotesChange, Origin, Record
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import (
    ArchiveInvalid,
    ArtifactInvalid,
    BaseModelInvalid,
    BaseModelNotAllowed,
    BaseModelUnavailable,
)
from windrow.domain.names import check_name
from windrow.service.parts import Parts
from windrow.storage.archive import pack, unpack
from windrow.storage.artifact import ARTIFACT, ROWS, artifact_from_bytes
from windrow.storage.catalog import Draft
from windrow.storage.namespace import utc_now


class Exchanging(Parts):
    """The verbs that move a classifier from one machine to another."""

    __slots__ = ()

    def export(self, model_name: str, *, training_rows: bool = False) -> Export:
        """Return a classifier as one file. See ``Operations.export``."""
        entry = self.find(model_name).entry
        blobs = {ARTIFACT: self.read_blob(entry, ARTIFACT)}
        if training_rows:
            blobs[ROWS] = self.read_blob(entry, ROWS)
        packed = pack(entry, blobs, utc_now())
        return Export(f"{entry.record.name}.windrow", packed.size_bytes, packed.chunks)

    def import_classifier(self, file: BinaryIO, request: ImportRequest = ImportRequest()) -> Imported:
        """Take in an exported classifier. See ``Operations.import_classifier``."""
        unpacked = unpack(file, self.settings.max_import_bytes)
        record, now = unpacked.entry.record, utc_now()
        name = record.name if request.model_name is None else check_name(request.model_name)
        warnings = self._check_encoder(record, unpacked.blobs[ARTIFACT])
        entry = unpacked.entry
        draft = Draft(
            record=replace(record, name=name),
            blobs=unpacked.blobs,
            notes=NotesChange(entry.notes.description, entry.notes.tags),
            origin=Origin(record.name, record.revision, now),
            test=entry.test,
            threshold=entry.threshold,
            overwrite=request.overwrite,
        )
        catalog = self.store.catalog
        saved = catalog.preview(draft) if request.dry_run else catalog.publish(draft)
        return Imported(saved.shown(), warnings, is_saved=not request.dry_run)

    def _check_encoder(self, record: Record, artifact: bytes) -> tuple[DataWarning, ...]:
        """Refuse a classifier that could never answer here, and warn of one that cannot yet. Nothing is downloaded."""
        stored = [model.base_model for model in self.store.inventory.stored_base_models() if model.problem is None]
        if (record.base_model.id, record.base_model.digest) not in [(model.id, model.digest) for model in stored]:
            what = f"Its base model {record.base_model.id}, of digest {record.base_model.digest[:12]}…, is not here"
            return (DataWarning("base_model_missing", f"{what}, so it cannot answer yet."),)
        try:
            self.predictor.check_fit(record, artifact_from_bytes(artifact))
        except ArtifactInvalid as error:
            raise ArchiveInvalid(error.detail, {"problem": "does_not_fit_base_model"}) from error
        except (BaseModelNotAllowed, BaseModelUnavailable, BaseModelInvalid) as error:
            return (DataWarning("base_model_missing", f"It cannot answer here yet. {error.detail}"),)
        return ()
