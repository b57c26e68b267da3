"""Exports, imports and copies classifiers; an import checks the base model of this machine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import BinaryIO, Literal

from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest, check_export_request
from windrow.domain.classifier import Copied, CopyRequest, Origin, Record
from windrow.domain.clock import utc_now
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import BaseModelUnavailable, InvalidArchive, InvalidArtifact, InvalidBaseModel
from windrow.domain.names import check_name
from windrow.domain.values import recast
from windrow.encoders.folder import check_allowed
from windrow.service.authorization import check_new_name, without_unknown_sources
from windrow.service.dependencies import Dependencies
from windrow.service.onnx_export import export_onnx
from windrow.storage.archive_format import pack, unpack
from windrow.storage.artifact import ARTIFACT, ROWS, artifact_from_bytes
from windrow.storage.catalog import NewRevision


def copy(deps: Dependencies, request: CopyRequest) -> Copied:
    """Put a classifier under a second name. See ``Operations.copy``."""
    entry = deps.store.find(request.model_name).entry
    deps.check_key_room()
    origin = Origin(entry.record.name, entry.record.revision, utc_now())
    new_revision = _new_revision(
        replace(entry.record, name=check_name(request.new_name), origin=origin),
        {role: deps.store.read_blob(entry, role) for role in entry.blobs},
        "copied",
        request,
    )
    new_revision = replace(new_revision, rows_erased=entry.has_erased_rows)
    return recast(Copied, deps.with_use(deps.store.catalog.publish(new_revision).to_classifier()))


def export(deps: Dependencies, request: ExportRequest) -> Export:
    """Return a classifier as one file. See ``Operations.export``."""
    check_export_request(request)
    if request.to == "onnx":
        return export_onnx(deps, request)
    entry = deps.store.find(request.model_name).entry
    has_rows = request.include_training_data and entry.record.learned_from_rows
    roles = (ARTIFACT, ROWS) if has_rows else (ARTIFACT,)
    if request.include_training_data:
        deps.store.check_whole(entry)
    # The file is no reply, so that no rule leaves anything out of it.
    told = replace(entry, record=without_unknown_sources(entry.record))
    packed = pack(told, {role: deps.store.read_blob(entry, role) for role in roles}, utc_now())
    return Export(f"{entry.record.name}.windrow", packed.size_bytes, packed.chunks)


def import_classifier(deps: Dependencies, file: BinaryIO, request: ImportRequest) -> Imported:
    """Take in an exported classifier. See ``Operations.import_classifier``."""
    if not request.dry_run:
        deps.check_room()
    unpacked = unpack(file, deps.settings.max_import_bytes)
    record = unpacked.entry.record
    check_allowed(record.base_model, deps.settings.allowed_base_models)
    name = record.name if request.model_name is None else request.model_name
    check_new_name(name)
    warnings = _check_encoder(deps, record, unpacked.blobs[ARTIFACT])
    origin = Origin(record.name, record.revision, utc_now())
    new_revision = _new_revision(replace(record, name=name, origin=origin), unpacked.blobs, "imported", request)
    catalog = deps.store.catalog
    saved = catalog.preview(new_revision) if request.dry_run else catalog.publish(new_revision)
    status = "dry_run" if request.dry_run else "imported"
    return recast(Imported, deps.with_use(saved.to_classifier()), status=status, import_warnings=warnings)


def _new_revision(
    record: Record,
    blobs: Mapping[str, bytes],
    kind: Literal["imported", "copied"],
    request: CopyRequest | ImportRequest,
) -> NewRevision:
    """Return what is to be saved: a record from elsewhere keeps its own notes, whatever the name had."""
    return NewRevision(record, blobs, record.description, record.tags, kind, request.overwrite)


def _check_encoder(deps: Dependencies, record: Record, artifact: bytes) -> tuple[DataWarning, ...]:
    """Refuse a classifier that could never answer here, and warn of one that cannot yet. Nothing is downloaded."""
    stored = [model for model in deps.store.inventory.stored_base_models() if model.problem is None]
    if (record.base_model, record.base_model_digest) not in [(model.id, model.digest) for model in stored]:
        what = f"Its base model {record.base_model}, of digest {record.base_model_digest[:12]}…, is not here"
        return (DataWarning("base_model_missing", f"{what}, so it cannot answer yet."),)
    try:
        deps.predictor.check_artifact_fits(record, artifact_from_bytes(artifact))
    except InvalidArtifact as error:
        raise InvalidArchive(error.template, {**error.facts, "problem": "does_not_fit_base_model"}) from error
    except (BaseModelUnavailable, InvalidBaseModel) as error:
        return (DataWarning("base_model_missing", f"It cannot answer here yet. {error.detail}"),)
    return ()
