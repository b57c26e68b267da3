"""Packs a classifier into one file (``.windrow``), and unpacks one from an untrusted source with every check."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Literal

from windrow import __version__
from windrow.domain.base_models import is_model_id
from windrow.domain.classifier import Record
from windrow.domain.dataset import MAX_LABEL_CHARS, MIN_LABELS, Row
from windrow.domain.errors import InvalidArchive, InvalidArtifact, InvalidInput
from windrow.domain.label_descriptions import MAX_LABEL_DESCRIPTION_CHARS
from windrow.domain.labelled_rows import labelled_rows_as_jsonl, labels_of
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.names import check_name
from windrow.domain.recipe import check_recipe
from windrow.storage.artifact import ARTIFACT, ROWS, SUFFIXES, artifact_from_bytes, each_row
from windrow.storage.format import Mismatch, is_newer, parse, read, write
from windrow.storage.revision import BlobRef, ClassifierState, check_entry
from windrow.storage.zip_file import Zip, read_zip, refused, write_zip

MANIFEST = "classifier.json"
FILE_NAMES: Mapping[str, str] = {role: f"{role}{suffix}" for role, suffix in SUFFIXES.items()}

# 1,000 labels of 256 characters, which may stand five times, take 5 MB in UTF-8.
MAX_MANIFEST_BYTES = 8 * 2**20
# A tensor takes about 100 bytes of its file's head, and an adapter has fewer than 1,000.
MAX_TENSORS_HEAD_BYTES = 2**20
# Ten times the default limit of a server; checking so many takes seconds.
MAX_ROWS = 1_000_000
# Whatever is not checked one by one: more than any training writes, and little enough to keep in memory.
_MAX_WORD_CHARS = 256
_MAX_SENTENCE_CHARS = 2**16
_MAX_ITEMS = 100
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``classifier.json`` says beside its format."""

    kind: Literal["export"]
    """That it is an export."""
    exported_at: datetime
    """When, UTC, whole seconds."""
    windrow: str
    """Version of the Windrow that exported it."""
    entry: ClassifierState
    """The classifier; of its blobs, those that go along."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A classifier that came as a file, checked in full.

    Args:
        entry: As it was where it was exported.
        blobs: Contents by role; the rows are there only if they came along.
    """

    entry: ClassifierState
    blobs: Mapping[str, bytes]


def pack(entry: ClassifierState, blobs: Mapping[str, bytes], now: datetime) -> Zip:
    """Return a classifier as one file; but for the time, the same classifier gives the same bytes.

    Args:
        entry: The classifier.
        blobs: The contents that go along, by role: the artifact and perhaps the rows, as they were read.
        now: UTC, whole seconds.

    Raises:
        InvalidArtifact: It could not be imported, so it must not be exported.
    """
    record, refs = _without_key_names(entry.record), {role: ref for role, ref in entry.blobs.items() if role in blobs}
    sent = replace(entry, record=record, blobs=refs, erased={})
    try:
        manifest = write(Manifest("export", now, __version__, sent))
        _check_entry(sent)
        if len(manifest) > MAX_MANIFEST_BYTES:
            raise Mismatch(f"has {len(manifest)} bytes; at most {MAX_MANIFEST_BYTES} are possible", (MANIFEST,))
    except Mismatch as mismatch:
        raise InvalidArtifact(
            "{model_name} cannot be exported, since it could not be imported: {why}. Copy its folder into the other "
            "data directory instead.",
            {"model_name": entry.record.name, "why": str(mismatch)},
        ) from mismatch
    return write_zip({MANIFEST: manifest, **{name: blobs[role] for role, name in FILE_NAMES.items() if role in blobs}})


def unpack(file: BinaryIO, max_bytes: int) -> Unpacked:
    """Parse and check the archive of a classifier from an untrusted source; nothing is written.

    Args:
        file: The file, open for reading at any place.
        max_bytes: How large it may be, what is in it together, and the training rows when unpacked.

    Raises:
        InvalidArchive: It is no whole export. ``facts["problem"]`` is one of the words that
            docs/explanation/format.md lists.
    """
    most_bytes = {MANIFEST: MAX_MANIFEST_BYTES, **dict.fromkeys(FILE_NAMES.values(), max_bytes)}
    contents = read_zip(file, most_bytes, max_bytes)
    if MANIFEST not in contents:
        raise _missing(MANIFEST)
    entry = _read_manifest(contents.pop(MANIFEST))
    blobs = dict(_blobs(entry, contents))
    try:
        _check_artifact(entry.record, blobs[ARTIFACT])
    except InvalidArtifact as error:
        raise _unreadable(error, "bad_artifact", FILE_NAMES[ARTIFACT]) from error
    try:
        _check_rows(entry.record, blobs.get(ROWS), max_bytes)
    except InvalidArtifact as error:
        raise _unreadable(error, "bad_rows", FILE_NAMES[ROWS]) from error
    # Whatever a stranger's file says of keys, none of this server has acted.
    return Unpacked(replace(entry, record=_without_key_names(entry.record)), blobs)


def _read_manifest(data: bytes) -> ClassifierState:
    try:
        plain = parse(data)
    except Mismatch as mismatch:
        raise refused("not_json", f"holds {MANIFEST}, which {mismatch.problem}") from mismatch
    if not isinstance(plain, dict) or plain.get("kind") != "export":
        raise refused("not_an_export", f"holds {MANIFEST}, which is not of the kind export")
    try:
        entry = read(data, Manifest, strictly=True).entry
    except InvalidArtifact as error:
        raise _unreadable(error, "bad_manifest", MANIFEST) from error
    except Mismatch as mismatch:
        raise refused("bad_manifest", f"holds {MANIFEST}, which cannot be read: {mismatch}") from mismatch
    try:
        _check_entry(entry)
    except Mismatch as mismatch:
        raise refused("bad_record", f"holds {MANIFEST}, which breaks a rule: {mismatch}") from mismatch
    return entry


def _check_entry(entry: ClassifierState) -> None:
    """Refuse an entry that Windrow would not have written, or that would be expensive to import.

    Raises:
        Mismatch: It is one.
    """
    check_entry(entry)
    record = entry.record
    try:
        check_name(record.name)
        check_name(record.name if record.origin is None else record.origin.name)
        check_recipe(record)
    except InvalidInput as error:
        raise Mismatch(f"breaks a rule ({error.detail})", ("entry",)) from error
    measured = () if record.test is None else (record.test.test_data_sha256,)
    digests = {record.training_data_sha256, record.base_model_digest, *measured}
    if not is_model_id(record.base_model):
        raise Mismatch("is no id of a base model", ("entry", "record", "base_model"))
    if not all(map(_SHA256.fullmatch, digests)):
        raise Mismatch("holds a digest that is no SHA-256", ("entry",))
    for place, length, most in _lengths(entry):
        if length > most:
            raise Mismatch(f"is longer than {most}", ("entry", *place.split(".")))
    # A text may have the one label of a multi-label classifier, or not.
    if (
        len(record.labels) < (1 if record.kind == "multi_label" else MIN_LABELS)
        or min(record.rows_per_label.values()) < 0
    ):
        raise Mismatch("are too few, or have fewer rows than none", ("entry", "record", "labels"))
    if record.num_examples > MAX_ROWS:
        raise Mismatch(f"are more than {MAX_ROWS} in all", ("entry", "record", "rows_per_label"))
    if not {ARTIFACT} <= entry.blobs.keys() <= FILE_NAMES.keys():
        raise Mismatch(f"are not {ARTIFACT} and perhaps {ROWS}", ("entry", "blobs"))
    if any(ref.suffix != SUFFIXES[role] for role, ref in entry.blobs.items()):
        raise Mismatch("have other suffixes than they should", ("entry", "blobs"))


def _without_key_names(record: Record) -> Record:
    """Return a record that names no API key: a key means something only where it is known."""
    changes = tuple(replace(each, key_name=None) for each in record.threshold_changes)
    return replace(record, key_name=None, threshold_changes=changes)


def _lengths(entry: ClassifierState) -> Iterator[tuple[str, int, int]]:
    """Yield where something may be too long, its length, and the most that it may be."""
    record, adapter, small_classes = entry.record, entry.record.adapter, entry.record.report.small_classes
    versions = record.versions
    yield "record.labels", max(map(len, record.labels)), MAX_LABEL_CHARS
    descriptions = record.label_descriptions.values()
    yield "record.label_descriptions", max(map(len, descriptions), default=0), MAX_LABEL_DESCRIPTION_CHARS
    yield "record.base_model", len(record.base_model), _MAX_WORD_CHARS
    yield "record.base_model_revision", len(record.base_model_revision or ""), _MAX_WORD_CHARS
    yield "record.versions", len(versions), _MAX_ITEMS
    yield "record.versions", max(map(len, (*versions, *versions.values())), default=0), _MAX_WORD_CHARS
    yield "record.report.small_classes", len(small_classes), len(record.labels)
    yield "record.report.small_classes", max(map(len, small_classes), default=0), MAX_LABEL_CHARS
    if record.test is not None:
        tested = record.test.rows_per_label
        yield "record.test.rows_per_label", len(tested), MAX_ROWS
        yield "record.test.rows_per_label", max(map(len, tested), default=0), MAX_LABEL_CHARS
    yield "record.warnings", len(record.warnings), _MAX_ITEMS
    for warning in record.warnings:
        yield "record.warnings.code", len(warning.code), _MAX_WORD_CHARS
        yield "record.warnings.message", len(warning.message), _MAX_SENTENCE_CHARS
        yield "record.warnings.rows", len(warning.rows), _MAX_ITEMS
    if adapter is not None:
        yield "record.adapter.reason", len(adapter.reason), _MAX_SENTENCE_CHARS
        yield "record.adapter.candidates", len(adapter.candidates), _MAX_ITEMS


def _blobs(entry: ClassifierState, contents: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the contents of an entry's blobs by role, once they are those that it names."""
    roles = {file_name: role for role, file_name in FILE_NAMES.items()}
    for file_name in contents:
        if roles[file_name] not in entry.blobs:
            raise refused("unknown_entry", f"holds {file_name}, which its {MANIFEST} does not name")
    for role, ref in entry.blobs.items():
        if FILE_NAMES[role] not in contents:
            raise _missing(FILE_NAMES[role])
        content = contents[FILE_NAMES[role]]
        if BlobRef(hashlib.sha256(content).hexdigest(), len(content), SUFFIXES[role]) != ref:
            raise refused("wrong_digest", f"holds {FILE_NAMES[role]} of another size or sha256 than recorded")
        yield role, content


def _check_artifact(record: Record, blob: bytes) -> None:
    if int.from_bytes(blob[:8], "little") > MAX_TENSORS_HEAD_BYTES:
        raise refused("bad_artifact", f"holds tensors whose head has more than {MAX_TENSORS_HEAD_BYTES} bytes")
    if len(artifact_from_bytes(blob).head.weights) != len(record.labels):
        raise refused("wrong_labels", f"holds a head that does not fit its {len(record.labels)} labels")


def _check_rows(record: Record, blob: bytes | None, max_bytes: int) -> None:
    if blob is None:
        return
    digest, counts, form = hashlib.sha256(), Counter[str](), MultiLabelRow if record.kind == "multi_label" else Row
    # One row too many is enough to tell, and a few bytes may unpack to millions.
    for row in islice(each_row(blob, max_bytes), record.num_examples + 1):
        digest.update(labelled_rows_as_jsonl((row,)))
        counts.update(labels_of(row))
        if not isinstance(row, form):
            raise refused("wrong_rows", f"holds training rows of another form than those of a {record.kind} classifier")
    if digest.hexdigest() != record.training_data_sha256 or counts != Counter(record.rows_per_label):
        raise refused("wrong_rows", "holds other training rows than its record says")


def _missing(file_name: str) -> InvalidArchive:
    return refused("missing_entry", f"holds no {file_name}")


def _unreadable(error: InvalidArtifact, problem: str, file_name: str) -> InvalidArchive:
    if is_newer(error):
        return InvalidArchive(error.template, {**error.facts, "problem": "newer_format"})
    return refused(problem, f"holds {file_name}, which {error.facts['why']}")
