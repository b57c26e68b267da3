"""What is written on the disk for a classifier, and how it is read back: tensors, training rows, revisions.

Owns the format that docs/format.md describes; knows nothing of where the bytes are kept.
"""

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import save

from windrow.domain.classifier import Record
from windrow.domain.dataset import Row, rows_as_jsonl
from windrow.domain.errors import ArtifactInvalid, TrainingFailed
from windrow.learning.head import LinearHead
from windrow.storage.strict_json import Mismatch, from_plain, parse, to_plain

# The number of the format, in every file that can carry one. docs/format.md says when it must grow.
FORMAT = 1

# The roles of a revision's blobs, each with the suffix of its file.
ARTIFACT = "artifact"
ROWS = "rows"
SUFFIXES = {ARTIFACT: ".safetensors", ROWS: ".jsonl.gz"}

MAX_ROWS_BYTES = 2**30

_FORMAT_KEY = "windrow_format"
_HEAD_TENSORS = {"head.weights", "head.bias"}
_ADAPTER = "adapter."
_SHA256 = re.compile("[0-9a-f]{64}")
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,16}){1,2}")
_RESTORE = "Restore the file from a backup, or train the classifier again."

AdapterTensor = npt.NDArray[np.float16] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """The tensors of one revision.

    Args:
        head: The linear layer on the features.
        adapter: Changes of the encoder's last layers by name, float16 or float32, saved as float16;
            ``None`` where none was trained.
    """

    head: LinearHead
    adapter: Mapping[str, AdapterTensor] | None = None


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Where a revision finds one of its blobs.

    Args:
        sha256: Of the blob's bytes, in hexadecimal; also its file's name.
        size_bytes: Of the blob.
        suffix: Of its file's name.
    """

    sha256: str
    size_bytes: int
    suffix: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision that was trained.

    Args:
        record: What is remembered about it.
        blobs: Its files by role (:data:`ARTIFACT`, :data:`ROWS`).
    """

    record: Record
    blobs: Mapping[str, BlobRef]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A revision that says: from here on, the classifier is deleted.

    Args:
        at: When, UTC, whole seconds.
    """

    at: datetime


_KINDS: Mapping[str, type[Entry] | type[Tombstone]] = {"trained": Entry, "deleted": Tombstone}


def artifact_to_bytes(artifact: Artifact) -> bytes:
    """Return an artifact as a safetensors file; equal tensors give equal bytes.

    Raises:
        TrainingFailed: A number is not finite, or too large for float16 in the adapter.
    """
    tensors = {
        "head.weights": np.ascontiguousarray(artifact.head.weights, np.float32),
        "head.bias": np.ascontiguousarray(artifact.head.bias, np.float32),
    }
    with np.errstate(over="ignore"):
        for name, tensor in (artifact.adapter or {}).items():
            tensors[_ADAPTER + name] = np.ascontiguousarray(tensor, np.float16)
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise TrainingFailed(
                f"The training gave numbers in {name} that cannot be saved, so nothing was. "
                "Train again with fewer num_iterations or another seed."
            )
    # One entry only: safetensors writes several in an order that changes from call to call.
    return save(tensors, {_FORMAT_KEY: str(FORMAT)})


def artifact_from_bytes(data: bytes) -> Artifact:
    """Return the artifact of a safetensors file.

    Raises:
        ArtifactInvalid: It is damaged, of an unknown format, or its tensors are not an artifact's.
    """
    try:
        stored = dict(safetensors.deserialize(data))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise _invalid(f"is no safetensors file ({error})") from error
    _check_format(_artifact_format(data))
    if not stored.keys() >= _HEAD_TENSORS:
        raise _invalid("has no head")
    head = {name: _tensor(name, stored.pop(name), "F32") for name in _HEAD_TENSORS}
    weights, bias = head["head.weights"], head["head.bias"]
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise _invalid(f"has a head of shapes {weights.shape} and {bias.shape}")
    if not all(name.startswith(_ADAPTER) for name in stored):
        raise _invalid("has tensors of an unknown name")
    adapter = {name.removeprefix(_ADAPTER): _tensor(name, stored[name], "F16") for name in sorted(stored)}
    return Artifact(LinearHead(weights, bias), adapter or None)


def rows_to_blob(rows: tuple[Row, ...]) -> bytes:
    """Return training rows in their canonical form (``domain.dataset.rows_as_jsonl``), gzipped without a time."""
    return gzip.compress(rows_as_jsonl(rows), mtime=0)


def rows_from_blob(blob: bytes, max_bytes: int = MAX_ROWS_BYTES) -> tuple[Row, ...]:
    """Return the training rows of a blob.

    Args:
        blob: One gzip member.
        max_bytes: The most that it may unpack to.

    Raises:
        ArtifactInvalid: It is damaged, unpacks to more than ``max_bytes``, or holds something else than rows.
    """
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unpacking.decompress(blob, max_bytes)
    except zlib.error as error:
        raise _invalid(f"is no gzip file ({error})") from error
    if not unpacking.eof or unpacking.unused_data or unpacking.unconsumed_tail:
        raise _invalid(f"is cut off, has something after its end, or unpacks to more than {max_bytes} bytes")
    *lines, rest = text.split(b"\n")
    if rest:
        raise _invalid("does not end with a line end")
    try:
        return tuple(from_plain(Row, parse(line)) for line in lines)
    except Mismatch as mismatch:
        raise _invalid(f"has a row that cannot be read: {mismatch}") from mismatch


def revision_to_json(revision: Entry | Tombstone) -> bytes:
    """Return a revision as its numbered file: JSON for people and programs.

    Raises:
        ArtifactInvalid: It would not read back, so it must not be written.
    """
    (kind,) = (kind for kind, value in _KINDS.items() if isinstance(revision, value))
    plain = {"format": FORMAT, "kind": kind, **to_plain(revision)}
    data = json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"
    revision_from_json(data)
    return data


def revision_from_json(data: bytes) -> Entry | Tombstone:
    """Return the revision of a numbered file.

    Raises:
        ArtifactInvalid: It is damaged or of a newer format.
    """
    try:
        plain = parse(data)
        if type(plain) is not dict:
            raise Mismatch("is no object")
        _check_format(plain.pop("format", None))
        kind = _KINDS.get(str(plain.pop("kind", None)))
        if kind is None:
            raise Mismatch(f"is not one of {', '.join(_KINDS)}", ("kind",))
        revision = from_plain(kind, plain)
        if isinstance(revision, Entry):
            _check_entry(revision)
    except Mismatch as mismatch:
        raise _invalid(f"cannot be read: {mismatch}") from mismatch
    return revision


def _check_entry(entry: Entry) -> None:
    record = entry.record
    if record.revision < 1:
        raise Mismatch("is below 1", ("record", "revision"))
    if not record.labels or record.labels != tuple(sorted(set(record.labels))):
        raise Mismatch("are not sorted and distinct", ("record", "labels"))
    if tuple(record.rows_per_label) != record.labels:
        raise Mismatch("does not follow labels", ("record", "rows_per_label"))
    for role, ref in entry.blobs.items():
        if not _SHA256.fullmatch(ref.sha256) or not _SUFFIX.fullmatch(ref.suffix):
            raise Mismatch("is no reference to a blob", ("blobs", role))


def _check_format(number: object) -> None:
    if type(number) is int and number > FORMAT:
        raise ArtifactInvalid(
            f"The saved classifier has format {number}, of a newer Windrow; this one reads up to format {FORMAT}. "
            "Upgrade Windrow.",
            {"format": number, "newest_known_format": FORMAT},
        )
    if number != FORMAT or type(number) is not int:
        raise _invalid("has no format number that Windrow knows")


def _artifact_format(data: bytes) -> int | None:
    # safetensors' own reader of bytes drops the metadata; that the header is sound is known by now.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    number = (header.get("__metadata__") or {}).get(_FORMAT_KEY, "")
    return int(number) if re.fullmatch("[1-9][0-9]{0,8}", number) else None


def _tensor(name: str, stored: Mapping[str, Any], dtype: str) -> npt.NDArray[Any]:
    if stored["dtype"] != dtype or not stored["shape"] or 0 in stored["shape"]:
        raise _invalid(f"has a tensor {name} of type {stored['dtype']} and shape {stored['shape']}")
    tensor = np.frombuffer(stored["data"], "<f4" if dtype == "F32" else "<f2").reshape(stored["shape"])
    if not np.isfinite(tensor).all():
        raise _invalid(f"has a tensor {name} with numbers that are not finite")
    return tensor


def _invalid(problem: str) -> ArtifactInvalid:
    return ArtifactInvalid(f"A file of the saved classifier {problem}. {_RESTORE}")
