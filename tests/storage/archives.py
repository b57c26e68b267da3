"""Exports as files: a sound one, and one for each trick with a file that is none."""

import gzip
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from safetensors.numpy import save

from tests.storage.examples import ROW_EXAMPLES, ROWS_SHA256, TEST_SCORE, THRESHOLD_CHANGE, artifact, record, sealed
from windrow.domain.classifier import Origin
from windrow.domain.dataset import Row, rows_as_jsonl
from windrow.domain.multi_label import MultiLabelRow, multi_label_rows_as_jsonl
from windrow.learning.head import LinearHead
from windrow.storage.archive_format import FILE_NAMES, MANIFEST, pack
from windrow.storage.artifact import ARTIFACT, ROWS, SUFFIXES, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.revision import BlobRef, ClassifierState

EXPORTED_AT = datetime(2025, 9, 20, 12, 0, tzinfo=UTC)
MAX_BYTES = 2**20
BLOBS = {ARTIFACT: artifact_to_bytes(artifact()), ROWS: rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))}
_LATER = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
_REMOVED = object()
# What the test score of a sound export says of each label, and the same without one that is wrong.
_CORRECT, _TESTED = dict(TEST_SCORE.correct_per_label), dict(TEST_SCORE.rows_per_label)
_LESS = {label: count for label, count in _TESTED.items() if _CORRECT[label]}
_BOMB_BYTES = 2 * MAX_BYTES


def refer(blobs: Mapping[str, bytes]) -> dict[str, BlobRef]:
    """Return true references to blobs."""
    return {r: BlobRef(hashlib.sha256(blob).hexdigest(), len(blob), SUFFIXES[r]) for r, blob in blobs.items()}


def entry(blobs: Mapping[str, bytes] = BLOBS) -> ClassifierState:
    """Return a classifier of which everything is known that can be."""
    return ClassifierState(
        kind="measured",
        at=_LATER,
        record=replace(
            record(revision=2),
            training_data_sha256=ROWS_SHA256,
            description="What customers want",
            tags=("live", "support"),
            test=replace(TEST_SCORE, test_data_sha256="7" * 64, measured_at=_LATER),
            threshold_changes=(replace(THRESHOLD_CHANGE, at=_LATER, author="Ada"),),
            origin=Origin("ticket_classifier_v1", 4, _LATER),
        ),
        blobs=refer(blobs),
        purged=(1, 3),
    )


def export(a_classifier: ClassifierState | None = None, blobs: Mapping[str, bytes] = BLOBS) -> bytes:
    """Return a sound export."""
    return b"".join(pack(a_classifier or entry(blobs), blobs, EXPORTED_AT).chunks)


def files(changes: Mapping[str, object] | None = None, blobs: Mapping[str, bytes] = BLOBS) -> dict[str, bytes]:
    """Return what an export holds, by name, with true digests of the blobs.

    Args:
        changes: New values of the manifest by their dotted path.
        blobs: Contents by role.
    """
    plain = json.loads(zipfile.ZipFile(io.BytesIO(export())).read(MANIFEST))
    plain["entry"]["blobs"] = {
        role: {"sha256": ref.sha256, "size_bytes": ref.size_bytes, "suffix": ref.suffix}
        for role, ref in refer(blobs).items()
    }
    for path, value in (changes or {}).items():
        *places, last = path.split(".")
        place = plain
        for name in places:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[last] = deepcopy(value)
        if value is _REMOVED:
            del place[last]
    contents = {FILE_NAMES[role]: blob for role, blob in blobs.items()}
    manifest = json.dumps(plain).encode() if "sha256" in (changes or {}) else document(plain)
    return {MANIFEST: manifest, **contents}


def document(plain: Mapping[str, Any]) -> bytes:
    """Return a manifest with the digest that belongs to it."""
    return sealed(json.dumps(plain, indent=2).encode() + b"\n")


@dataclass(frozen=True)
class Member:
    """A file of a zip, and what the zip says of it, true or not.

    ``both`` is said before the content and in the directory, ``before`` and ``listed`` only there: ``name``, ``flags``,
    ``method``, ``crc``, ``packed``, ``size``, ``disk``, ``attributes``, ``at``.
    """

    name: str
    content: bytes
    packed: bytes | None = None
    is_written: bool = True
    is_listed: bool = True
    both: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    listed: Mapping[str, Any] = field(default_factory=dict)
    gap: bytes = b""


def zip_of(*members: Member, prefix: bytes = b"", gap: bytes = b"", **end: int) -> bytes:
    """Return a zip of members, written without the product's code.

    Args:
        members: In their order.
        prefix: What lies before the first one.
        gap: What lies between the directory and its end.
        end: What the end says, if not the truth: ``disk``, ``home``, ``here``, ``count``, ``size``, ``at``.
    """
    body, directory = prefix, b""
    for member in members:
        packed = member.content if member.packed is None else member.packed
        truth = {"crc": zlib.crc32(member.content), "packed": len(packed), "size": len(member.content)}
        truth |= {"method": 0 if member.packed is None else 8, "at": len(body)}
        said = {"name": member.name, "flags": 0, "disk": 0, "attributes": 0o100644 << 16, **truth, **member.both}
        if member.is_listed:
            directory += _listed({**said, **member.listed})
        if member.is_written:
            body += _before({**said, **member.before}) + packed + member.gap
    count = sum(member.is_listed for member in members)
    says = {"disk": 0, "home": 0, "here": count, "count": count, "size": len(directory), "at": len(body), **end}
    last = struct.pack("<4s4H2IH", b"PK\5\6", *says.values(), 0)
    return body + directory + gap + last


def _before(said: Mapping[str, Any]) -> bytes:
    return struct.pack("<4s5H3I2H", b"PK\3\4", *_twice(said)) + str(said["name"]).encode()


def _listed(said: Mapping[str, Any]) -> bytes:
    once = 0, said["disk"], 0, said["attributes"], said["at"]
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, *_twice(said), *once) + str(said["name"]).encode()


def _twice(said: Mapping[str, Any]) -> tuple[int, ...]:
    sizes = said["crc"], said["packed"], said["size"], len(said["name"].encode()), 0
    return 20, said["flags"], said["method"], 0, 33, *sizes


def zip_files(contents: Mapping[str, bytes]) -> bytes:
    """Return files as a zip."""
    return zip_of(*(Member(name, content) for name, content in contents.items()))


def deflate(content: bytes, ending: int = zlib.Z_FINISH) -> bytes:
    """Return a content packed as zips do it."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush(ending)


def zip_with(*, extra: bytes = b"", comment: bytes = b"") -> bytes:
    """Return an export to whose first file something was added that a zip may have, and an export has not."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for number, member in enumerate(_members()):
            info = zipfile.ZipInfo(member.name)
            if number == 0:
                info.extra, info.comment = extra, comment
            file.writestr(info, member.content)
    return made.getvalue()


@dataclass(frozen=True)
class Attack:
    """A file that is no export.

    Args:
        problem: The word for what is wrong with it.
        file: Its bytes.
        max_bytes: The limit that it is imported under.
    """

    problem: str
    file: bytes
    max_bytes: int = MAX_BYTES


def attacks() -> dict[str, Attack]:
    """Return a file for each trick, by what the trick is."""
    found: dict[str, Attack] = {}
    for make in (_no_zips, _outlines, _odd_files, _names, _headers, _contents, _bombs, _manifests, _records, _blobs):
        for name, attack in make():
            assert name not in found
            found[name] = attack
    return found


_Attacks = Iterator[tuple[str, Attack]]


def _no_zips() -> _Attacks:
    sound = export()
    yield "nothing", Attack("not_a_zip", b"")
    yield "a few bytes", Attack("not_a_zip", b"PK")
    yield "another kind of file", Attack("not_a_zip", gzip.compress(b"a text", mtime=0))
    yield "the begin of an end", Attack("not_a_zip", b"PK\5\6\0\0")
    yield "half a file", Attack("truncated", sound[: len(sound) // 2])
    yield "a file without its last byte", Attack("truncated", sound[:-1])
    yield "an end that promises a comment", Attack("truncated", sound[:-2] + b"\1\0")


def _members(**changed: Member) -> list[Member]:
    """Return the members of a sound export, some of them changed: by role, or ``manifest``."""
    contents = files()
    roles = {MANIFEST: "manifest", **{name: role for role, name in FILE_NAMES.items()}}
    return [changed.get(roles[name], Member(name, content)) for name, content in contents.items()]


def _outlines() -> _Attacks:
    sound = export()
    directory_at = sound.index(b"PK\1\2")
    first, second, third = _members()
    yield "a comment", Attack("trailing_data", sound[:-2] + b"\4\0text")
    yield "bytes after the end", Attack("trailing_data", sound + b"\0")
    yield "bytes before the zip", Attack("hidden_data", b"#!/bin/sh\n" + sound)
    yield "bytes before the first file", Attack("hidden_data", zip_of(*_members(), prefix=b"#!/bin/sh\n"))
    yield "bytes between two files", Attack("hidden_data", zip_of(first, replace(second, gap=b"text"), third))
    yield "bytes before the directory", Attack("hidden_data", zip_of(first, second, replace(third, gap=b"text")))
    yield "bytes behind the directory", Attack("hidden_data", zip_of(first, second, third, gap=b"text"))
    unlisted = replace(third, is_listed=False)
    yield "a file that is not listed", Attack("hidden_data", zip_of(first, second, unlisted))
    unicode_path = b"up\x10\0\1" + struct.pack("<I", zlib.crc32(first.name.encode())) + b"../evil.json"
    yield "another name in an extra field", Attack("hidden_data", zip_with(extra=unicode_path))
    yield "a comment of a file", Attack("hidden_data", zip_with(comment=b"text"))
    yield "two zips in one", Attack("hidden_data", sound + sound)
    yield "two files in one place", Attack("overlap", zip_of(first, second, replace(third, listed={"at": 0})))
    inner = Member(second.name, zip_of(third).partition(b"PK\1\2")[0])
    nested = replace(
        third, is_written=False, listed={"at": 30 + len(first.name) + len(first.content) + 30 + len(inner.name)}
    )
    yield "a file inside another", Attack("overlap", zip_of(first, inner, nested))
    long = replace(third, both={"packed": len(third.content) + 9, "size": len(third.content) + 9})
    yield "a file that reaches into the directory", Attack("overlap", zip_of(first, second, long))
    yield "a directory that reaches into the end", Attack("overlap", zip_of(*_members(), size=MAX_BYTES))
    yield "a part of a split zip", Attack("split", zip_of(*_members(), disk=1))
    yield "a directory in another part", Attack("split", zip_of(*_members(), home=1))
    yield "fewer files here than in all", Attack("split", zip_of(*_members(), here=2))
    yield "64-bit count", Attack("zip64", zip_of(*_members(), here=0xFFFF, count=0xFFFF))
    yield "64-bit directory", Attack("zip64", zip_of(*_members(), at=0xFFFFFFFF))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, directory_at, 1)
    yield "64-bit end beside the usual one", Attack("hidden_data", zip_of(*_members(), gap=locator))
    yield (
        "a directory without its mark",
        Attack("damaged", sound[:directory_at] + b"PK\1\0" + sound[directory_at + 4 :]),
    )
    yield "more files than are listed", Attack("damaged", zip_of(*_members(), here=4, count=4))
    cut_off = zip_of(*_members(), gap=b"PK\1\2", here=4, count=4, size=len(sound) - directory_at - 22 + 4)
    yield "a directory that is cut off", Attack("damaged", cut_off)
    yield "fewer files than are listed", Attack("damaged", zip_of(*_members(), here=2, count=2))
    many = [Member(f"{number}.txt", b"") for number in range(17)]
    yield "many files", Attack("too_many_entries", zip_of(*many))


def _odd_files() -> _Attacks:
    first = _members()[0]
    for bit, name in ((0, "encrypted"), (6, "strongly encrypted"), (13, "encrypted with its directory")):
        yield name, Attack("encrypted", zip_of(*_members(manifest=replace(first, both={"flags": 1 << bit}))))
    yield "written to a pipe", Attack("streamed", _streamed())
    yield "an unknown flag", Attack("unknown_feature", zip_of(*_members(manifest=replace(first, both={"flags": 32}))))
    for method, name in ((9, "deflate64"), (12, "bzip2"), (14, "lzma"), (93, "zstd"), (99, "AES")):
        member = replace(first, both={"method": method})
        yield f"packed by {name}", Attack("unknown_compression", zip_of(*_members(manifest=member)))
    for mode, name in ((0o12, "link"), (0o04, "folder"), (0o01, "pipe"), (0o02, "device"), (0o14, "socket")):
        member = replace(first, listed={"attributes": (mode << 12 | 0o777) << 16})
        yield f"a {name}", Attack("not_a_file", zip_of(*_members(manifest=member)))
    member = replace(first, listed={"attributes": 0x10})
    yield "a folder of DOS", Attack("not_a_file", zip_of(*_members(manifest=member)))
    yield "64-bit size", Attack("zip64", zip_of(*_members(manifest=replace(first, both={"size": 0xFFFFFFFF}))))
    yield "64-bit disk", Attack("zip64", zip_of(*_members(manifest=replace(first, listed={"disk": 0xFFFF}))))
    yield "a file on another disk", Attack("split", zip_of(*_members(manifest=replace(first, listed={"disk": 1}))))


class _Pipe(io.RawIOBase):
    """What can only be written to, from front to end."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(data)


def _streamed() -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, content in files().items():
            archive.writestr(name, content)
    return pipe.written


def _names() -> _Attacks:
    first = _members()[0]
    paths = ("/etc/passwd", "../classifier.json", "a/../../b", "./classifier.json", "folder/", "C:", "C:\\evil.exe")
    for name in (*paths, "..\\evil", "\\\\host\\share", "classifier.json\0.txt", "", ".", ".."):
        yield f"the path {name!r}", Attack("unsafe_path", zip_of(*_members(), Member(name, b"")))
    for name in ("README.txt", "CLASSIFIER.JSON", "classifier.json ", "rows.jsonl", "\u043a.json", "x" * 60_000):
        yield f"the file {name[:20]!r}", Attack("unknown_entry", zip_of(*_members(), Member(name, b"")))
    without_rows = files(blobs={ARTIFACT: BLOBS[ARTIFACT]})
    smuggled = zip_files({**without_rows, FILE_NAMES[ROWS]: BLOBS[ROWS]})
    yield "rows that the manifest does not name", Attack("unknown_entry", smuggled)
    yield "two manifests", Attack("duplicate_entry", zip_of(first, *_members()))
    for name in files():
        others = {other: content for other, content in files().items() if other != name}
        yield f"no {name}", Attack("missing_entry", zip_files(others))
    yield "a zip of nothing", Attack("missing_entry", zip_files({}))


def _headers() -> _Attacks:
    first = _members()[0]
    for said in ({"name": "evil_class.json"}, {"name": "x"}, {"flags": 2}, {"method": 8}, {"crc": 0}, {"size": 1}):
        changed = zip_of(*_members(manifest=replace(first, before=said)))
        yield f"another {next(iter(said.items()))} before the content", Attack("header_mismatch", changed)
    sizes = {"packed": 0, "size": 0}
    yield (
        "no sizes before the content",
        Attack("header_mismatch", zip_of(*_members(manifest=replace(first, before=sizes)))),
    )
    yield "no file in its place", Attack("header_mismatch", b"PK\0\0" + zip_of(*_members())[4:])


def _contents() -> _Attacks:
    first = _members()[0]
    packed = deflate(first.content)
    variants: dict[str, tuple[str, Member]] = {
        "larger than it says": ("wrong_size", replace(first, packed=packed, both={"size": 10})),
        "smaller than it says": ("wrong_size", replace(first, packed=packed, both={"size": MAX_BYTES // 2})),
        "as it is but of two sizes": ("wrong_size", replace(first, both={"size": 10})),
        "packed and cut off": ("wrong_size", replace(first, packed=packed[:-9])),
        "packed without an end": ("wrong_size", replace(first, packed=deflate(first.content, zlib.Z_SYNC_FLUSH))),
        "packed with more behind": ("wrong_size", replace(first, packed=packed + b"text")),
        "packed into nonsense": ("damaged", replace(first, packed=b"\xff" * 20)),
        "with another checksum": ("wrong_checksum", replace(first, both={"crc": 1})),
        "packed with another checksum": ("wrong_checksum", replace(first, packed=packed, both={"crc": 1})),
    }
    for name, (problem, member) in variants.items():
        yield f"a file {name}", Attack(problem, zip_of(*_members(manifest=member)))


def _bombs() -> _Attacks:
    first = _members()[0]
    zeros = bytes(_BOMB_BYTES)
    yield "a large file", Attack("too_large", export(), len(export()) - 1)
    bomb = Member(FILE_NAMES[ARTIFACT], zeros, packed=deflate(zeros))
    yield "a bomb", Attack("too_large", zip_of(first, bomb))
    yield "a bomb that says it is none", Attack("wrong_size", zip_of(first, replace(bomb, both={"size": 1_000})))
    half = bytes(MAX_BYTES * 3 // 5)
    both = [Member(name, half, packed=deflate(half)) for name in FILE_NAMES.values()]
    yield "two halves of a bomb", Attack("too_large", zip_of(first, *both))
    spaces = b" " * 2**24
    blanks = zip_of(replace(first, content=spaces, packed=deflate(spaces)))
    yield "a long manifest", Attack("entry_too_large", blanks, 2**25)
    line = b'{"label":"billing","text":"' + b"a" * _BOMB_BYTES + b'"}\n'
    yield "a bomb of rows", Attack("bad_rows", zip_files(files(blobs={**BLOBS, ROWS: gzip.compress(line, mtime=0)})))


def _manifests() -> _Attacks:
    good = files()[MANIFEST]
    digest = good.split(b'"')[5]
    for name, text in {
        "empty": b"",
        "a text": b"a text",
        "cut off": good[:-2],
        "with a byte order mark": b"\xef\xbb\xbf" + good,
        "in UTF-16": good.decode().encode("utf-16"),
        "in no encoding": good.replace(b"customers", b"\xff"),
        "with a field twice": good.replace(b'"kind"', b'"kind": "trained", "kind"', 1),
        "with a label twice": good.replace(b'"billing": 2', b'"billing": 1, "billing": 2', 1),
        "with NaN": good.replace(b"0.75", b"NaN"),
        "nested without end": b"[" * 200_000 + b"]" * 200_000,
        "with 5,000 digits": good.replace(b"0.75", b"1" * 5_000),
    }.items():
        assert text != good
        yield f"a manifest {name}", Attack("not_json", zip_files({**files(), MANIFEST: text}))
    yield "an array", Attack("not_an_export", zip_files({**files(), MANIFEST: b"[]"}))
    for kind in ("trained", "backup", None, 1, ["export"]):
        yield f"the kind {kind!r}", Attack("not_an_export", zip_files(files({"kind": kind})))
    yield "a newer format", Attack("newer_format", zip_files(files({"format": 8})))
    newer = save({"head.bias": np.ones(2, np.float32)}, {"windrow_format": "2"})
    yield "tensors of a newer format", Attack("newer_format", zip_files(files(blobs={**BLOBS, ARTIFACT: newer})))
    wrong: dict[str, list[object]] = {
        "format": [_REMOVED, 0, 1, "2", True, 2.0, None],
        "sha256": [_REMOVED, "", "0" * 64, None],
        "windrow": [_REMOVED, 1, "\ud800"],
        "exported_at": ["yesterday", "0000-01-01T00:00:00Z", 0],
        "entry": [None, [], "", {}],
        "entry.kind": ["deleted", "purged", None],
        "more": [1, {"text": "x" * 10_000}],
        "\ud800" * 500: [1],
        "entry.record.text": ["I was charged twice"],
        "entry.record.labels": [{"billing": 1}],
        "entry.record.rows_per_label.bug": ["2"],
        "entry.record.revision": [2.0, 2**53],
        "entry.record.training_time_seconds": [2**2000],
        "entry.record.seed": [None],
        "entry.record.cross_validate": [1],
        "entry.record.report": [None],
        "entry.record.report.small_classes": ["bug"],
        "entry.record.report.estimate.interval": [None, [0.25, 1.0]],
        "entry.record.scores": [None],
        "entry.record.scores.source": ["a guess"],
        "entry.record.adapter.ended_by": ["x" * 257],
        "entry.record.test.rows_per_label": [[5, 5], {"billing": "5"}],
        "entry.record.threshold_changes": [{}, [{}], [None], "none", _REMOVED],
        "entry.record.threshold": [None, {"abstain_below": 0.5}],
        "entry.record.test.correct": [10**400],
        "entry.record.report.estimate.correct": [10**400],
        "entry.record.description": [None],
        "entry.purged": [[1.5]],
    }
    for path, values in wrong.items():
        for value in values:
            shown = "nothing" if value is _REMOVED else repr(value)[:30]
            yield f"{path[:30]!a} says {shown}", Attack("bad_manifest", zip_files(files({path: value})))
    endless = {**files(), MANIFEST: sealed(good.replace(b"0.75", b"1e999"))}
    for name, text in {
        "without its last line's end": good[:-1],
        "with a blank more": good.replace(b'{\n  "format"', b'{\n   "format"'),
        "whose digest is in capitals": good.replace(digest, digest.upper()),
        "with another letter": good.replace(b"customers", b"Customers"),
    }.items():
        assert text != good
        yield f"a manifest {name}", Attack("bad_manifest", zip_files({**files(), MANIFEST: text}))
    yield "a number without end", Attack("bad_manifest", zip_files(endless))


def _records() -> _Attacks:
    warning = {"code": "small_classes", "message": "", "rows": []}
    candidate = {"scale": 0.0, "estimated_accuracy": None}
    too_high = {"abstain_below": 1.01, "label_thresholds": {}}
    change = {
        "reason": "",
        "author": "",
        "key_name": None,
        "at": "2025-09-20T12:00:00Z",
        "before": None,
        "after": {"abstain_below": 0.5, "label_thresholds": {}},
    }
    long_labels: dict[str, object] = {"entry.record.labels": ["a", "b" * 257]}
    long_labels["entry.record.rows_per_label"] = {"a": 2, "b" * 257: 2}
    broken: dict[str, dict[str, object]] = {
        "a name that is a path": {"entry.record.name": "../../evil"},
        "no name": {"entry.record.name": ""},
        "an origin that is a path": {"entry.record.origin.name": "../../evil"},
        "extending a path": {"entry.record.extends": "../../evil@1"},
        "extending no revision": {"entry.record.extends": "tickets"},
        "extending whatever is the latest": {"entry.record.extends": "tickets@latest"},
        "more rows taken over than there are": {"entry.record.taken_over_rows": 10**6},
        "fewer rows taken over than none": {"entry.record.taken_over_rows": -1},
        "fewer rows replaced than none": {"entry.record.replaced_rows": -1},
        "revision 0": {"entry.record.revision": 0},
        "labels out of order": {"entry.record.labels": ["bug", "billing"]},
        "one label": {"entry.record.labels": ["bug"], "entry.record.rows_per_label": {"bug": 4}},
        "no labels": {"entry.record.labels": [], "entry.record.rows_per_label": {}},
        "a long label": long_labels,
        "counts of other labels": {"entry.record.rows_per_label": {"billing": 2, "bugs": 2}},
        "fewer rows than none": {"entry.record.rows_per_label.bug": -1},
        "many rows": {"entry.record.rows_per_label.bug": 10**6, "entry.record.num_examples": 10**6 + 2},
        "another number of rows": {"entry.record.num_examples": 5},
        "rows of a classifier without any": {"entry.record.source": "zero_shot"},
        "thresholds of one label": {"entry.record.label_thresholds": {"billing": 0.5, "bug": 0.5}},
        "several labels without thresholds": {"entry.record.kind": "multi_label"},
        "a description of no label": {"entry.record.label_descriptions": {"none": "Nothing"}},
        "a long description of a label": {"entry.record.label_descriptions": {"bug": "x" * 2_001}},
        "no rows, and a label that nothing describes": {
            "entry.record.source": "zero_shot",
            "entry.record.num_examples": 0,
            "entry.record.rows_per_label": {"billing": 0, "bug": 0},
            "entry.record.label_descriptions": {"bug": "Something is broken"},
        },
        "an estimate of several labels": {"entry.record.report.estimate.micro_f1": 0.5},
        "a test of several labels": {"entry.record.test.micro_f1": 0.5},
        "an endless training": {"entry.record.num_iterations": 10**9},
        "a huge batch": {"entry.record.batch_size": 10**9},
        "a digest that is a path": {"entry.record.base_model_digest": "../../evil"},
        "a digest of rows that is none": {"entry.record.training_data_sha256": "F" * 64},
        "a digest of a test that is none": {"entry.record.test.test_data_sha256": ""},
        "more right than there are": {"entry.record.test.correct": 11},
        "a test that does not add up": {"entry.record.test.total": 11},
        "a test of labels that were not right or wrong": {"entry.record.test.correct_per_label": {"billing": 9}},
        "a test of a label without rows": {
            "entry.record.test.correct_per_label": {**_CORRECT, "none": 0},
            "entry.record.test.rows_per_label": {**_TESTED, "none": 0},
        },
        "a test of a long label": {
            "entry.record.test.correct_per_label": {**_LESS, "x" * 257: 0},
            "entry.record.test.rows_per_label": {**_LESS, "x" * 257: 1},
        },
        "a threshold above every score": {"entry.record.threshold_changes": [{**change, "after": too_high}]},
        "thresholds that do not follow": {"entry.record.threshold_changes": [change, change]},
        "many thresholds": {"entry.record.threshold_changes": [{**change, "after": None}] * 101},
        "a threshold with a long reason": {"entry.record.threshold_changes": [{**change, "reason": "x" * 501}]},
        "an estimate with more right than there are": {"entry.record.report.estimate.correct": 5},
        "a temperature of 0": {"entry.record.scores.temperature": 0},
        "more small classes than classes": {"entry.record.report.small_classes": ["bug", "billing", "bug"]},
        "a long small class": {"entry.record.report.small_classes": ["x" * 257]},
        "a long base model": {"entry.record.base_model": "x" * 257},
        "a long commit": {"entry.record.base_model_revision": "x" * 257},
        "many versions": {"entry.record.versions": {f"library {n}": "1" for n in range(101)}},
        "a long version": {"entry.record.versions": {"numpy": "1" * 257}},
        "a long library": {"entry.record.versions": {"x" * 257: "1"}},
        "many warnings": {"entry.record.warnings": [warning] * 101},
        "a long warning": {"entry.record.warnings": [{**warning, "message": "x" * 65_537}]},
        "a long code": {"entry.record.warnings": [{**warning, "code": "x" * 257}]},
        "a warning of many rows": {"entry.record.warnings": [{**warning, "rows": [1] * 101}]},
        "a long reason": {"entry.record.adapter.reason": "x" * 65_537},
        "many candidates": {"entry.record.adapter.candidates": [candidate] * 101},
        "a long description": {"entry.record.description": "x" * 2_001},
        "tags out of order": {"entry.record.tags": ["b", "a"]},
        "a blank tag": {"entry.record.tags": [" "]},
        "purged out of order": {"entry.purged": [3, 1]},
        "no blobs": {"entry.blobs": {}},
        "no artifact": {"entry.blobs.artifact": _REMOVED},
        "a blob of another role": {"entry.blobs.script": {"sha256": "0" * 64, "size_bytes": 1, "suffix": ".py"}},
        "a blob that is a path": {"entry.blobs.artifact.suffix": "/../../evil"},
        "a blob of another kind": {"entry.blobs.artifact.suffix": ".py"},
        "a blob without a digest": {"entry.blobs.artifact.sha256": "../../evil"},
    }
    for name, changes in broken.items():
        yield f"a record with {name}", Attack("bad_record", zip_files(files(changes)))


def _packed(*rows: Row) -> bytes:
    return rows_to_blob(rows_as_jsonl(rows))


def _packed_multi_label(*rows: Row) -> bytes:
    return rows_to_blob(multi_label_rows_as_jsonl(MultiLabelRow(row.text, (row.label,)) for row in rows))


def _blobs() -> _Attacks:
    sound = files()
    for name, file_name in FILE_NAMES.items():
        other = {**sound, file_name: sound[file_name][:-1] + bytes([sound[file_name][-1] ^ 1])}
        yield f"another {name} than recorded", Attack("wrong_digest", zip_files(other))
    yield "a blob of another size", Attack("wrong_digest", zip_files(files({"entry.blobs.artifact.size_bytes": 1})))
    good = BLOBS[ARTIFACT]
    weights, bias = np.ones((2, 4), np.float32), np.ones(2, np.float32)
    three = artifact_to_bytes(Artifact(LinearHead(np.ones((3, 4), np.float32), np.ones(3, np.float32))))
    half: dict[str, Any] = {"head.weights": weights, "head.bias": bias, "scope.centers": np.ones((2, 4), np.float16)}
    endless = weights * np.float32(np.inf)
    many = {f"adapter.{number:070}": np.ones(1, np.float16) for number in range(9_000)}
    one = {"windrow_format": "1"}
    for name, problem, tensors in (
        ("empty", "bad_artifact", b""),
        ("a pickle", "bad_artifact", b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93."),
        ("cut off", "bad_artifact", good[:-1]),
        ("with more behind", "bad_artifact", good + b"\0"),
        ("that are many", "bad_artifact", save({"head.weights": weights, "head.bias": bias, **many}, one)),
        ("with a head beyond the file", "bad_artifact", struct.pack("<Q", 2**63) + b"{}"),
        ("without a format", "bad_artifact", save({"head.weights": weights, "head.bias": bias})),
        ("without a head", "bad_artifact", save({"head.bias": bias}, one)),
        ("of other tensors", "bad_artifact", save({"head.weights": weights, "head.bias": bias, "x": bias}, one)),
        ("with half of a scope", "bad_artifact", save(half, one)),
        ("without end", "bad_artifact", save({"head.weights": endless, "head.bias": bias}, one)),
        ("of three labels", "wrong_labels", three),
    ):
        blobs = {**BLOBS, ARTIFACT: tensors}
        yield f"tensors {name}", Attack(problem, zip_files(files(blobs=blobs)), 4 * MAX_BYTES)
    text = rows_as_jsonl(ROW_EXAMPLES)
    for name, problem, rows in (
        ("not packed", "bad_rows", text),
        ("cut off", "bad_rows", BLOBS[ROWS][:-1]),
        ("twice", "bad_rows", BLOBS[ROWS] * 2),
        ("that are none", "bad_rows", gzip.compress(b"a text\n", mtime=0)),
        ("with a field more", "bad_rows", gzip.compress(text.replace(b'"}', b'","more":""}'), mtime=0)),
        ("with a field twice", "bad_rows", gzip.compress(text.replace(b"{", b'{"label":"x",'), mtime=0)),
        ("of another form", "bad_rows", gzip.compress(text.replace(b'","', b'", "'), mtime=0)),
        ("without their last line end", "bad_rows", gzip.compress(text[:-1], mtime=0)),
        ("of another text", "wrong_rows", _packed(*ROW_EXAMPLES[:3], Row("A crash", "bug"))),
        ("in another order", "wrong_rows", _packed(*ROW_EXAMPLES[::-1])),
        # The word shows that nothing was read beyond the first row that is too many.
        (
            "more than recorded",
            "wrong_rows",
            gzip.compress(text + text.splitlines(keepends=True)[0] + b"a text\n", mtime=0),
        ),
        ("none at all", "wrong_rows", _packed()),
        ("of several labels", "wrong_rows", _packed_multi_label(*ROW_EXAMPLES)),
    ):
        yield f"rows {name}", Attack(problem, zip_files(files(blobs={**BLOBS, ROWS: rows})))
    counts: dict[str, object] = {"entry.record.rows_per_label": {"billing": 1, "bug": 3}}
    yield "rows counted wrongly", Attack("wrong_rows", zip_files(files(counts)))
