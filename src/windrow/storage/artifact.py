"""The blobs of a revision, and how they are read back: tensors and training rows.

Owns their format, which docs/explanation/format.md describes; knows nothing of records or of where the bytes are kept.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import save

from windrow.codec.patterns import STRING
from windrow.domain.characters import MOST_TEXT_CHARS
from windrow.domain.dataset import MAX_LABEL_CHARS, Row
from windrow.domain.errors import InvalidArtifact, TrainingFailed
from windrow.domain.labelled_rows import LabelledRow, labelled_rows_as_jsonl
from windrow.domain.multi_label import MAX_LABELS_PER_ROW, MultiLabelRow
from windrow.learning.head import LinearHead
from windrow.learning.scope import MAX_QUANTILES, Scope
from windrow.storage.format import RESTORE, Mismatch, check_format, parse_object

# The number of the format of tensors, which has not changed since the first one.
FORMAT = 1

# The roles of a revision's blobs, each with the suffix of its file.
ARTIFACT = "artifact"
ROWS = "rows"
SUFFIXES = {ARTIFACT: ".safetensors", ROWS: ".jsonl.gz"}

MAX_ROWS_BYTES = 2**30
# Each character takes six at most, as an escape; a label in a list also has quotes and a comma.
MAX_ROW_BYTES = (
    6 * MOST_TEXT_CHARS
    + (6 * MAX_LABEL_CHARS + 3) * MAX_LABELS_PER_ROW
    + len(labelled_rows_as_jsonl((MultiLabelRow("", ()),)))
    - 1  # the last label has no comma
)

_CHUNK_BYTES = 2**18
_LABELS = rf'(?:"label":{STRING}|"labels":\[(?:{STRING}(?:,{STRING})*+)?+\])'
_ROW = re.compile(rf'\{{{_LABELS},"text":{STRING}\}}\n'.encode())
_MAX_ABS_LOGIT = 1e30
# Centers have length 1, and cosines are no larger; a little more is a rounding.
_MAX_ABS_COORDINATE = 1.01
_FORMAT_KEY = "windrow_format"
_HEAD_TENSORS = {"head.weights", "head.bias"}
_ADAPTER = "adapter."
_SCOPE_TENSORS = {"scope.centers", "scope.likeness"}
AdapterTensor = npt.NDArray[np.float16] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """The tensors of one revision.

    Args:
        head: The linear layer on the features.
        adapter: Changes of the encoder's last layers by name, float16 or float32, saved as float16;
            ``None`` where none was trained.
        scope: Where the training data lie; ``None`` where no row could be held out to measure it.
    """

    head: LinearHead
    adapter: Mapping[str, AdapterTensor] | None = None
    scope: Scope | None = None


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
    if (scope := artifact.scope) is not None:
        tensors["scope.centers"] = np.ascontiguousarray(scope.centroids, np.float16)
        tensors["scope.likeness"] = np.array(scope.similarities, np.float32)
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise TrainingFailed(
                "The training gave numbers in {tensor} that cannot be saved, so nothing was. Train again with fewer "
                "iterations or another seed.",
                {"tensor": name},
            )
    # One entry only: safetensors writes several in an order that changes from call to call.
    return save(tensors, {_FORMAT_KEY: str(FORMAT)})


def artifact_from_bytes(data: bytes) -> Artifact:
    """Return the artifact of a safetensors file.

    Raises:
        InvalidArtifact: It is damaged, of an unknown format, or its tensors are not an artifact's.
    """
    try:
        stored = dict(safetensors.deserialize(data))  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise invalid(f"is no safetensors file ({error})") from error
    check_artifact_format(_artifact_format(data))
    if not stored.keys() >= _HEAD_TENSORS:
        raise invalid("has no head")
    head = {name: _tensor(name, stored.pop(name), "F32") for name in _HEAD_TENSORS}
    weights, bias = head["head.weights"], head["head.bias"]
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise invalid(f"has a head of shapes {weights.shape} and {bias.shape}")
    # Features lie in [-1, 1]; beyond this, scores could overflow and answer nothing.
    if float(np.abs(weights).max()) * weights.shape[1] + float(np.abs(bias).max()) > _MAX_ABS_LOGIT:
        raise invalid("has a head with numbers that are too large")
    scope = _scope_of(stored, *weights.shape)
    if not all(name.startswith(_ADAPTER) for name in stored):
        raise invalid("has tensors of an unknown name")
    adapter = {name.removeprefix(_ADAPTER): _tensor(name, stored[name], "F16") for name in sorted(stored)}
    return Artifact(LinearHead(weights, bias), adapter or None, scope)


def rows_to_blob(jsonl: bytes) -> bytes:
    """Return training rows in their canonical form (``LabelledDataset.jsonl``), gzipped without a time."""
    return gzip.compress(jsonl, mtime=0)


def rows_from_blob(blob: bytes, max_bytes: int = MAX_ROWS_BYTES) -> tuple[LabelledRow, ...]:
    """Return the training rows of a blob.

    Args:
        blob: One gzip member.
        max_bytes: The most that it may unpack to.

    Raises:
        InvalidArtifact: It is damaged, unpacks to more than ``max_bytes``, or holds something else than rows.
    """
    return tuple(each_row(blob, max_bytes))


def each_row(blob: bytes, max_bytes: int = MAX_ROWS_BYTES) -> Iterator[LabelledRow]:
    """Yield the training rows of a blob one by one: few bytes may unpack to more rows than memory holds.

    All are of one form.

    Args:
        blob: One gzip member.
        max_bytes: The most that it may unpack to.

    Raises:
        InvalidArtifact: As :func:`rows_from_blob`.
    """
    form: type[LabelledRow] | None = None
    for line in _lines(blob, max_bytes):
        # Of nothing else is known, before it is parsed, that it takes no more memory than itself.
        if _ROW.fullmatch(line) is None:
            raise invalid("has a row that is not in canonical form")
        try:
            row = _row_of(parse_object(line))
            is_canonical = labelled_rows_as_jsonl((row,)) == line
        except (Mismatch, TypeError, ValueError) as problem:
            raise invalid(f"has a row that cannot be read: {problem}") from problem
        if not is_canonical:
            raise invalid("has a row that is not in canonical form")
        if form not in (None, type(row)):
            raise invalid("has rows with one label and rows with any number of labels")
        form = type(row)
        yield row


def _row_of(members: dict[str, Any]) -> LabelledRow:
    if "labels" not in members:
        return Row(**members)
    row = MultiLabelRow(**{**members, "labels": tuple(members["labels"])})
    if len(set(row.labels)) < len(row.labels):
        raise ValueError("a label stands twice in it")
    return row


def _lines(blob: bytes, max_bytes: int) -> Iterator[bytes]:
    """Yield the lines of a gzip member, each with its end."""
    begun = b""
    for text in _unpacked(blob, max_bytes):
        *lines, begun = (begun + text).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(begun) > MAX_ROW_BYTES:
            raise invalid(f"has a row of more than {MAX_ROW_BYTES} bytes")
    if begun:
        yield begun


def _unpacked(blob: bytes, max_bytes: int) -> Iterator[bytes]:
    """Yield what a gzip member holds, in pieces."""
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    size_bytes = at = 0
    try:
        while not unpacking.eof and size_bytes <= max_bytes and (unpacking.unconsumed_tail or at < len(blob)):
            packed = unpacking.unconsumed_tail
            if not packed:
                packed, at = blob[at : at + _CHUNK_BYTES], at + _CHUNK_BYTES
            text = unpacking.decompress(packed, _CHUNK_BYTES)
            size_bytes += len(text)
            yield text
    except zlib.error as error:
        raise invalid(f"is no gzip file ({error})") from error
    if not unpacking.eof or unpacking.unused_data or at < len(blob) or size_bytes > max_bytes:
        raise invalid(f"is cut off, has something after its end, or unpacks to more than {max_bytes} bytes")


def check_artifact_format(number: object) -> None:
    """Refuse tensors of a format that this Windrow does not know.

    Raises:
        InvalidArtifact: It is newer, or no format at all.
    """
    try:
        check_format(number, FORMAT, "tensors of ")
    except Mismatch as mismatch:
        raise invalid(mismatch.problem) from mismatch


def invalid(problem: str) -> InvalidArtifact:
    """Return the error for a file that cannot be read, from the end of the sentence that says why."""
    return InvalidArtifact("A file of the saved classifier {why}. {advice}", {"why": problem, "advice": RESTORE})


def _scope_of(stored: dict[str, Any], labels: int, width: int) -> Scope | None:
    """Take the tensors of the scope out of those that are stored, and return it."""
    found = {name: stored.pop(name) for name in _SCOPE_TENSORS & stored.keys()}
    if not found:
        return None
    if found.keys() != _SCOPE_TENSORS:
        raise invalid("has half of a scope")
    centroids = _tensor("scope.centers", found["scope.centers"], "F16")
    likeness = _tensor("scope.likeness", found["scope.likeness"], "F32")
    # A multi-label classifier may have one centroid more, of the rows without labels.
    is_fitting = centroids.ndim == 2 and len(centroids) - labels in (0, 1) and centroids.shape[1] <= width
    if not is_fitting or likeness.ndim != 1 or not 2 <= len(likeness) <= MAX_QUANTILES:
        raise invalid(f"has a scope of shapes {centroids.shape} and {likeness.shape}")
    if max(np.abs(centroids).max(), np.abs(likeness).max()) > _MAX_ABS_COORDINATE or (np.diff(likeness) < 0).any():
        raise invalid("has a scope with numbers that cannot be")
    return Scope.of(centroids, likeness)


def _artifact_format(data: bytes) -> int | None:
    # safetensors' own reader of bytes drops the metadata; the header has been checked already.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    number = (header.get("__metadata__") or {}).get(_FORMAT_KEY, "")
    return int(number) if re.fullmatch("[1-9][0-9]{0,8}", number) else None


def _tensor(name: str, stored: Mapping[str, Any], dtype: str) -> npt.NDArray[Any]:
    if stored["dtype"] != dtype or not stored["shape"] or 0 in stored["shape"]:
        raise invalid(f"has a tensor {name} of type {stored['dtype']} and shape {stored['shape']}")
    tensor = np.frombuffer(stored["data"], "<f4" if dtype == "F32" else "<f2").reshape(stored["shape"])
    if not np.isfinite(tensor).all():
        raise invalid(f"has a tensor {name} with numbers that are not finite")
    return tensor
