"""Every golden document with something in it that Windrow never wrote, each in one place."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from windrow.domain.key_limits import LIMITS
from windrow.storage.archive_format import MANIFEST, Manifest
from windrow.storage.binding_store import BindingTable
from windrow.storage.format import read
from windrow.storage.job_files import stored_job_from_json
from windrow.storage.key_store import KeyTable
from windrow.storage.revision import alias_from_json, check_entry, entry_from_json
from windrow.storage.use_store import DayUse

GOLDEN = Path(__file__).parent / "golden"
Look = Callable[[bytes], object]
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
# Documents of which the data directory alone has any, so that nobody reads them strictly.
TABLES: dict[str, Any] = {"access": KeyTable, "questions": BindingTable, "usage": DayUse}


def documents(number: int) -> dict[str, tuple[bytes, Look]]:
    """Return every document of a format's golden folder and export, and what reads it, as fsck and an import do."""
    root, found = GOLDEN / f"format-{number}", {}
    for path in sorted(root.rglob("*.json")):
        place = path.relative_to(root)
        found[str(place)] = path.read_bytes(), reader_of(str(place))
    export = zipfile.ZipFile(io.BytesIO(root.with_suffix(".windrow").read_bytes())).read(MANIFEST)
    return {**found, "export": (export, lambda data: check_entry(read(data, Manifest, strictly=True).entry))}


def reader_of(place: str) -> Look:
    """Return what reads the file in a place."""
    kind, name, file = place.split("/")
    if kind in TABLES:
        return lambda data: read(data, TABLES[kind], strictly=True)
    number = int(Path(file).stem)
    looks: dict[str, Callable[..., object]] = {
        "aliases": alias_from_json,
        "classifiers": entry_from_json,
        "jobs": stored_job_from_json,
    }
    return partial(looks[kind], name, number, strictly=True)


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
    """Yield what a document may not be, and what was done to it."""
    whole = json.loads(data)
    for path in places(whole):
        *_, key = path
        value = at(whole, path)
        for wrong in (*NOT_A[type(value)], *(TIMES if isinstance(value, str) and TIME.fullmatch(value) else ())):
            may_lack = key in _NULLABLE or path == ("job", "revision")
            if wrong is None and may_lack:
                continue
            yield f"{path} = {str(wrong)[:20]!r}", _changed(whole, path, wrong)
        if isinstance(key, str):
            if not _OPTIONAL.intersection(path[-2:-1]):
                yield f"{path} is missing", _changed(whole, path, _changed)
            twice = _changed(whole, path, "@twice").replace(b'"@twice"', json.dumps(value).encode())
            name = json.dumps(key).encode()
            yield f"{path} stands twice", twice.replace(name, name + b": null, " + name, 1)
        if isinstance(value, dict) and key != "facts":
            yield f"{path} has more", _changed(whole, (*path, "zzz"), 1)
    yield "more", _changed(whole, ("zzz",), 1)


# A classifier may have either blob, and what is said of a label of another one, or counted for a name, of none.
_OPTIONAL = {"blobs", "label_descriptions", "label_thresholds", "classifiers", "keys"}
_NULLABLE = {
    *("started_at", "finished_at", "key_name", "extends", "positive_label", "created_by", "expires_at", "revoked_at"),
    *LIMITS,
}


def _changed(whole: Any, path: tuple[Any, ...], value: object) -> bytes:
    plain = deepcopy(whole)
    place = at(plain, path[:-1])
    if value is _changed:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    text = json.dumps(plain, indent=2)
    for word, raw in RAW.items():
        text = text.replace(f'"{word}"', raw)
    return text.encode()
