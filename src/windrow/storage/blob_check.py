"""Checks a blob against its record, in chunks, so that its size costs no memory."""

import hashlib
import os
import zlib
from dataclasses import dataclass
from io import FileIO

from windrow.disk import open_plain
from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidArtifact
from windrow.storage.artifact import ARTIFACT, MAX_ROWS_BYTES, ROWS, artifact_from_bytes
from windrow.storage.blobs import MAX_BLOB_BYTES
from windrow.storage.format import ALLOW, RESTORE
from windrow.storage.revision import BlobRef

_CHUNK_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class BlobProblem:
    """What is wrong with a blob.

    Args:
        code: Stable, for programs.
        what: The end of a sentence that begins with the file.
        advice: What to do.
    """

    code: str
    what: str
    advice: str = RESTORE


def find_problem(path: str, role: str, ref: BlobRef, record: Record) -> BlobProblem | None:
    """Return what is wrong with a blob; ``None`` where nothing is.

    Args:
        path: Its file.
        role: What it is to the record (``artifact``, ``rows``); of another role only the digest is looked at.
        ref: Its size and digest.
        record: The record that needs it.
    """
    try:
        with open_plain(path) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            expected_bytes = min(ref.size_bytes, MAX_BLOB_BYTES)
            if size_bytes != expected_bytes:
                return BlobProblem("blob_altered", f"has {size_bytes} bytes instead of {expected_bytes}.")
            if hashlib.file_digest(file, "sha256").hexdigest() != ref.sha256:
                return BlobProblem("blob_altered", "has another sha256 than its name says.")
            file.seek(0)
            if role == ARTIFACT:
                return _artifact_problem(file, record)
            return _rows_problem(file, record) if role == ROWS else None
    except FileNotFoundError:
        return BlobProblem("blob_missing", "is not there.")
    except OSError as error:
        advice = ALLOW if isinstance(error, PermissionError) else RESTORE
        return BlobProblem("blob_unreadable", f"cannot be read ({error.strerror}).", advice)


def _artifact_problem(file: FileIO, record: Record) -> BlobProblem | None:
    try:
        labels = len(artifact_from_bytes(file.read()).head.bias)
    except InvalidArtifact as error:
        return BlobProblem("artifact_unusable", "cannot be used.", error.detail)
    if labels != len(record.labels):
        what = f"has a head for {labels} labels, and the record has {len(record.labels)}."
        return BlobProblem("artifact_unusable", what)
    return None


def _rows_problem(file: FileIO, record: Record) -> BlobProblem | None:
    """Compare digests only: no other content than the rows themselves, in canonical form, has theirs."""
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    digest = hashlib.sha256()
    unpacked_bytes = 0
    try:
        while unpacked_bytes <= MAX_ROWS_BYTES and not unpacking.eof:
            if not (packed := unpacking.unconsumed_tail or file.read(_CHUNK_BYTES)):
                break
            text = unpacking.decompress(packed, _CHUNK_BYTES)
            unpacked_bytes += len(text)
            digest.update(text)
    except zlib.error as error:
        return BlobProblem("rows_unusable", f"is no gzip file ({error}).")
    if not unpacking.eof or unpacking.unused_data or file.read(1):
        what = f"is cut off, has something after its end, or unpacks to more than {MAX_ROWS_BYTES} bytes."
        return BlobProblem("rows_unusable", what)
    if digest.hexdigest() != record.training_data_sha256:
        return BlobProblem("rows_unusable", "holds other rows than those that the record's training_data_sha256 is of.")
    return None
