"""Documents of older formats: nothing is read but what they may say, and that with equal values.

The values are compared in ``test_artifact_golden``.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from windrow.domain.errors import ArtifactInvalid
from windrow.storage.archive import MANIFEST, Manifest
from windrow.storage.format import Mismatch, read
from windrow.storage.jobs import read_kept
from windrow.storage.revision import alias_from_json, check_entry, revision_from_json
from windrow.storage.upgrade import from_format_1

GOLDEN = Path(__file__).parent / "golden"
OLD = GOLDEN / "format-1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TIMES = (
    "2025-09-15",
    "2025-09-15T10:30:00",
    "2025-09-15T10:30:00+00:00",
    "2025-09-15T10:30:00.5Z",
    "2025-09-15 10:30:00Z",
)
# What no program writes that knows JSON, put into the text as it is.
RAW = {"@NaN": "NaN", "@endless": "1e999", "@half": r'"\ud800"', "@digits": "1" * 5_000}
NOT_A: dict[type, tuple[object, ...]] = {
    str: (1, 0.5, True, None, [], {}, "@half", "@endless"),
    int: (1.0, "1", True, None, [], {}, 2**53, -(2**53), "@endless", "@digits"),
    float: ("1", True, [], {}, 10**400, "@NaN", "@endless", "@digits"),
    bool: (0, 1, "true", None, [], {}),
    type(None): (True, [], {}, "@half", "@endless"),
    list: (None, 1, "", {}, [[]], [None]),
    dict: (1, "", [], True),
}
# Maps whose names are words of people, and facts, which may be anything.
FREE = {"facts", "versions", "rows_per_label", "correct_per_label"}


def readers() -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Return every document of the golden folder and export, and what reads it."""
    found: dict[str, tuple[bytes, Callable[[bytes], object]]] = {}
    for path in sorted(OLD.rglob("*.json")):
        kind, name, number = path.parts[-3], path.parts[-2], int(path.stem)
        data = path.read_bytes()
        if kind == "classifiers":
            found[f"{kind}/{name}/{number}"] = data, lambda data, n=name, i=number: revision_from_json(n, i, data)  # type: ignore[misc]
        elif kind == "aliases":
            found[f"{kind}/{name}/{number}"] = data, lambda data, n=name, i=number: alias_from_json(n, i, data)  # type: ignore[misc]
        else:
            found[f"{kind}/{name}/{number}"] = data, lambda data, i=number: read_kept(data, i)  # type: ignore[misc]
    export = zipfile.ZipFile(io.BytesIO((GOLDEN / "format-1.windrow").read_bytes())).read(MANIFEST)
    return {**found, "export": (export, lambda data: check_entry(read(data, Manifest, strictly=True).entry))}


READERS = readers()


def places(plain: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value but those that may be anything."""
    for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
        yield (*path, key)
        if isinstance(value, dict | list) and key not in FREE:
            yield from places(value, *path, key)


def at(plain: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        plain = plain[key]
    return plain


def mutants(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a document of format 1 may not be, and what was done to it."""
    whole = json.loads(data)
    for path in places(whole):
        *_, key = path
        value = at(whole, path)
        for wrong in (*NOT_A[type(value)], *(TIMES if isinstance(value, str) and TIME.fullmatch(value) else ())):
            if wrong is None and key in {"started_at", "finished_at"}:
                continue
            yield f"{path} = {str(wrong)[:20]!r}", _changed(whole, path, wrong)
        if isinstance(key, str):
            if "blobs" not in path[-2:-1]:  # a classifier may have either
                yield f"{path} is missing", _changed(whole, path, _changed)
            twice = _changed(whole, path, "@twice").replace(b'"@twice"', json.dumps(value).encode())
            name = json.dumps(key).encode()
            yield f"{path} stands twice", twice.replace(name, name + b": null, " + name, 1)
        if isinstance(value, dict) and key != "facts":
            yield f"{path} has more", _changed(whole, (*path, "zzz"), 1)
    yield "more", _changed(whole, ("zzz",), 1)
    for name in ("reason", "description", "base_model_digest", "report", "training_data_sha256", "sha256"):
        yield f"{name} of format 2", _changed(whole, (name,), "a")


def _changed(whole: Any, path: tuple[Any, ...], value: object) -> bytes:
    plain = deepcopy(whole)
    place = at(plain, path[:-1])
    if value is _changed:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    text = json.dumps(plain)
    for word, raw in RAW.items():
        text = text.replace(f'"{word}"', raw)
    return text.encode()


@pytest.mark.parametrize("name", list(READERS))
def test_what_format_1_never_said_is_refused(name: str) -> None:
    data, look = READERS[name]
    look(data)
    look(json.dumps(json.loads(data)).encode())
    accepted = []
    for done, mutant in mutants(data):
        try:
            look(mutant)
        except (ArtifactInvalid, Mismatch):
            continue
        accepted.append(done)
    assert accepted == []


def test_every_kind_of_document_is_among_them() -> None:
    kinds = {json.loads(data).get("kind", "job") for data, _ in READERS.values()}
    assert kinds == {
        *("trained", "imported", "described", "measured", "restored", "trimmed", "deleted", "purged"),
        *("promoted", "rolled_back", "removed", "job", "export"),
    }


@pytest.mark.parametrize("depth", [200, 900, 990, 2_000, 100_000])
def test_however_deep_a_document_is_it_is_refused(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for document in (deep, b'{"format": 1, "kind": "deleted", "at": %b}' % deep):
        with pytest.raises(ArtifactInvalid):
            revision_from_json("tickets", 1, document)


def test_the_share_of_the_most_frequent_label_is_added() -> None:
    plain = json.loads((OLD / "classifiers/tickets/000002.json").read_bytes())
    plain["record"]["rows_per_label"] = {"billing": 3, "bug": 1}
    assert from_format_1(plain)["record"]["report"]["majority_accuracy"] == 0.75
