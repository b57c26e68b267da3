"""What a server refuses: one entry for each request, with the status, the code and the words that help.

Owns the table; knows nothing of how a request is sent, nor of anything inside the product. ``{job}`` in a path stands
for the id of a job that has ended. The classifiers and aliases that the entries name are made by test_refusals.py.
"""

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from functools import cache
from typing import Any

from windrow.domain.inspection import InspectRequest

# Either the bytes, or what makes them of an exported classifier (tickets_v1).
Body = bytes | Callable[[bytes], bytes]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Refusal:
    """A request, and how it is refused.

    Args:
        id: What is wrong with it.
        method: HTTP method.
        path: Path and query, as they are sent.
        headers: All headers but those that say how long the body is.
        body: The body; ``None`` sends none.
        status: HTTP status of the answer.
        code: Its stable code.
        words: What its detail must contain.
        facts: What it must say for programs, among other things.
        is_chunked: Whether the body is sent without its length.
    """

    id: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Body | None
    status: int
    code: str
    words: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_chunked: bool = False


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that reads JSON.

    Args:
        id: What the ids of its entries start with.
        method: HTTP method.
        path: A path of it.
        whole: A body that it accepts.
    """

    id: str
    method: str
    path: str
    whole: Mapping[str, Any]


SETTINGS = {
    "WINDROW_MAX_BODY_BYTES": "600000",
    "WINDROW_MAX_ROWS": "20000",
    "WINDROW_MAX_LABELS": "4",
    "WINDROW_MAX_TEXT_CHARS": "600",
    "WINDROW_MAX_TEXTS": "10",
    "WINDROW_MAX_MODEL_NAMES": "5",
    "WINDROW_MAX_IMPORT_BYTES": "400000",
    "WINDROW_OFFLINE": "true",
    "WINDROW_FILE_ROOTS": "/nowhere/at/all,s3://mails/2025",
}
# No answer repeats this text.
SECRET = "Unser Geheimnis steht hier"
ROWS = [
    {"text": SECRET, "label": "refund"},
    {"text": "give me my money back", "label": "refund"},
    {"text": "send me the bill", "label": "invoice"},
    {"text": "the amount on the receipt is odd", "label": "invoice"},
    {"text": "it does not let me in", "label": "login"},
    {"text": "my password is refused", "label": "login"},
]
JSON = {"Content-Type": "application/json"}
ZIP = {"Content-Type": "application/zip"}
NO_HEADERS: Mapping[str, str] = {}
API = "/v1/classifier"
MODELS, ALIASES, JOBS, BASE_MODELS = f"{API}/models", f"{API}/aliases", f"{API}/jobs", f"{API}/base-models"
IMPORT = f"{MODELS}/import"
INSPECT = f"{API}/inspect"
AUDIT = f"{API}/audit"
BUNDLED = f"{BASE_MODELS}/sentence-transformers/all-MiniLM-L6-v2"

FIT = Endpoint(
    "fit",
    "POST",
    f"{API}/fit",
    {
        "model_name": "new_v1",
        "training_data": ROWS,
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
        "num_iterations": 0,
        "batch_size": 16,
        "seed": 0,
        "max_seconds": 60,
        "cross_validate": True,
        "description": "Tickets of the web shop.",
        "tags": ["shop", "tickets"],
        "overwrite": True,
        "label_descriptions": {"login": "Passwords and accounts"},
        "multi_label": False,
        "merge_labels": False,
    },
)
PREDICT = Endpoint(
    "predict",
    "POST",
    f"{API}/predict",
    {
        "model_name": "tickets_v1",
        "text": SECRET,
        "top_k": 1,
        "abstain_below": 0.5,
        "min_in_scope": 0.01,
        "explain": False,
    },
)
# Nothing of it is there, which its job tells.
PREDICT_FILES = Endpoint(
    "predict-files",
    "POST",
    f"{API}/predict-files",
    {
        "model_name": "tickets_v1",
        "input": "/nowhere/at/all/*.csv",
        "output": "/nowhere/at/all/labelled",
        "format": "csv",
        "text_column": ["subject", "body"],
        "label_column": "team",
        "indicator_columns": ["spam"],
        "id_column": "id",
        "split_column": "part",
        "annotators": "majority",
        "header": True,
        "quoting": "csv",
        "encoding": "utf-8",
        "output_format": "csv",
        "output_encoding": "utf-8-sig",
        "escape_formulas": True,
        "decimal_comma": True,
        "prefix": "p_",
        "scores": True,
        "top_k": 1,
        "abstain_below": 0.5,
        "min_in_scope": 0.01,
        "note_bad_rows": False,
        "shard_rows": 10,
        "overwrite": False,
    },
)
# Names of labels do not go with columns that are called like labels.
PREDICT_NUMBERED_FILES = Endpoint(
    "predict-files of numbered labels",
    "POST",
    f"{API}/predict-files",
    {
        "model_name": "tickets_v1",
        "input": "/nowhere/at/all/*.csv",
        "output": "/nowhere/at/all/numbered",
        "label_names": ["0=ham", "1=spam"],
    },
)
CLASSIFY = Endpoint(
    "classify",
    "POST",
    "/v1/classify",
    {
        "text": SECRET,
        "labels": ["billing", "technical"],
        "multi_label": True,
        "hypothesis_template": "It is about {}",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "label_descriptions": {"billing": "Invoices and refunds"},
    },
)
CLASSIFY_TEXTS = Endpoint(
    "classify texts", "POST", "/v1/classify", {"texts": ["a", SECRET], "labels": ["billing", "technical"]}
)
MANY_TEXTS = Endpoint("predict texts", "POST", f"{API}/predict", {"model_name": "tickets_v1", "texts": ["a", SECRET]})
MANY_NAMES = Endpoint(
    "predict by many", "POST", f"{API}/predict", {"model_names": ["tickets_v1", "live"], "text": SECRET}
)
EVALUATE = Endpoint(
    "evaluate",
    "POST",
    f"{API}/evaluate",
    {"model_name": "tickets_v1", "test_data": ROWS, "save": False, "target_precision": 0.9},
)
REPORT = Endpoint(
    "report",
    "POST",
    f"{API}/report",
    {"model_name": "tickets_v1", "test_data": ROWS, "save": False, "target_precision": 0.9, "title": "Tickets"},
)
COMPARE = Endpoint(
    "compare", "POST", f"{API}/compare", {"model_names": ["tickets_v1", "tickets_v2"], "test_data": ROWS}
)
CROSS_VALIDATE = Endpoint(
    "cross-validate",
    "POST",
    f"{API}/cross-validate",
    {
        "training_data": ROWS,
        "folds": 2,
        "label_descriptions": {"login": "Passwords and accounts"},
        "base_model": "sentence-transformers/all-MiniLM-L6-v2",
        "num_iterations": 0,
        "batch_size": 16,
        "seed": 0,
    },
)
SUGGEST = Endpoint(
    "suggest",
    "POST",
    f"{API}/suggest",
    {"model_name": "tickets_v1", "texts": [SECRET, "Where is my parcel?"], "n": 1},
)
DESCRIBE = Endpoint(
    "describe", "PATCH", f"{MODELS}/tickets_v2", {"description": "Of the web shop.", "tags": ["shop", "tickets"]}
)
PROMOTE = Endpoint(
    "promote",
    "PUT",
    f"{ALIASES}/spare",
    {
        "model_name": "tickets_v1",
        "reason": "It is better.",
        "author": "ana",
        "require": {
            "test_data": ROWS,
            "not_worse": True,
            "must_pass": ROWS[:2],
            "min_recall": {"refund": 0.0, "login": 0.0},
            "min_f1": {"refund": 0.0, "login": 0.0},
        },
        "must_pass": ROWS[:2],
    },
)
ROLLBACK = Endpoint("rollback", "POST", f"{ALIASES}/live/rollback", {"reason": "It was worse.", "author": "ana"})
BIND = Endpoint(
    "bind",
    "PUT",
    f"{API}/bindings",
    {"question": "team", "model_name": "tickets_v1", "positive_label": "refund", "levels": ["refund", "login"]},
)
COPY = Endpoint("copy", "POST", f"{MODELS}/tickets_v1/copy", {"new_name": "mails_v1", "overwrite": False})
SET_THRESHOLD = Endpoint(
    "set_threshold",
    "PUT",
    f"{MODELS}/tickets_v2/threshold",
    {"abstain_below": 0.25, "reason": "Sure answers only.", "author": "ana"},
)
FSCK = Endpoint("fsck", "POST", f"{API}/fsck", {"repair": False})
FORGET = Endpoint(
    "forget", "POST", f"{API}/forget", {"texts": [SECRET], "text_sha256": ["0" * 64], "action": "find", "force": False}
)
KEY_LIMITS = {
    "requests_per_second": 5,
    "requests_per_day": 5_000,
    "texts_per_day": 50_000,
    "max_queued_fits": 2,
    "max_stored_bytes": 0,
    "max_revisions": 9,
}
CREATE_KEY = Endpoint(
    "create_key",
    "POST",
    f"{API}/keys",
    {"name": "shop", "scopes": ["predict", "read"], "only": ["tickets_*"], "expires_in_days": 90, **KEY_LIMITS},
)
LIMIT_KEY = Endpoint("limit_key", "PUT", f"{API}/keys/shop/limits", KEY_LIMITS)
RESTORE = Endpoint("restore", "POST", f"{MODELS}/tickets_v1/restore", {})
REPRODUCE = Endpoint("reproduce", "POST", f"{MODELS}/tickets_v1/reproduce", {})
CANCEL = Endpoint("cancel", "POST", f"{JOBS}/{{job}}/cancel", {})

# There is no key, and a first one would let no entry in any more.
ON_KEYS = (CREATE_KEY, LIMIT_KEY)
ON_CLASSIFIERS = (
    FIT,
    PREDICT,
    CLASSIFY,
    EVALUATE,
    REPORT,
    COMPARE,
    CROSS_VALIDATE,
    SUGGEST,
    DESCRIBE,
    PROMOTE,
    BIND,
    COPY,
    SET_THRESHOLD,
)
NEEDING_A_BODY = (*ON_CLASSIFIERS, PREDICT_FILES, FORGET, *ON_KEYS)
TAKING_A_BODY = (ROLLBACK, FSCK, RESTORE, REPRODUCE, CANCEL)
READING_JSON = (*NEEDING_A_BODY, *TAKING_A_BODY)
# Each is accepted as it is, so that what is refused is refused for what the entry changes.
ACCEPTED = (
    *(*ON_CLASSIFIERS, PREDICT_FILES, PREDICT_NUMBERED_FILES, FORGET, CLASSIFY_TEXTS, MANY_TEXTS, MANY_NAMES),
    *(FSCK, REPRODUCE),
)

LONG_KEY = "My card was billed " * 9
SURROGATE = "a \ud800 b"
HUGE = 10**3000  # more than any computer's numbers, and still few enough digits for Python to read


# How entries are written


def as_json(document: object) -> bytes:
    """Return a document in compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def changed(document: Any, place: Place, value: object) -> Any:
    """Return a copy of a document with another value in one place."""
    first, *rest = place
    copy: Any = dict(document) if isinstance(document, Mapping) else list(document)
    copy[first] = changed(document[first], tuple(rest), value) if rest else value
    return copy


def without(document: Any, place: Place) -> Any:
    """Return a copy of a document without one of its fields."""
    *around, last = place
    inner = document
    for part in around:
        inner = inner[part]
    kept = {key: value for key, value in inner.items() if key != last}
    return changed(document, tuple(around), kept) if around else kept


def sent(  # each argument is a column of the table
    endpoint: Endpoint, what: str, document: object, status: int, code: str, *words: str, **facts: object
) -> Refusal:
    """Return the entry of a JSON document that is sent to an endpoint."""
    body = document if isinstance(document, bytes) else as_json(document)
    return Refusal(f"{endpoint.id}: {what}", endpoint.method, endpoint.path, JSON, body, status, code, words, facts)


def asked(method: str, path: str, status: int, code: str, *words: str, **facts: Any) -> Refusal:
    """Return the entry of a request without a body."""
    return Refusal(f"{method} {shown(path)}", method, path, NO_HEADERS, None, status, code, words, facts)


def shown(path: str) -> str:
    """Return a path that is short enough for an id."""
    return path if len(path) <= 90 else f"{path[:60]}…({len(path)})"


# Bodies that are no strict JSON

NOT_JSON = (
    ("white space alone", b" \r\n\t ", ("it is empty",)),
    ("a cut object", b'{"model_name": "tickets_v1"', ("line 1, column 28",)),
    ("a cut string", b'{"model_name": "tick', ("line 1, column 16",)),
    ("a cut list", b'{"texts": ["a", ', ("line 1, column",)),
    ("a comma too many in an object", b'{"model_name": "a",}', ("line 1, column",)),
    ("a comma too many in a list", b'{"texts": ["a",]}', ("line 1, column",)),
    ("a missing comma on line 2", b'{"model_name": "a"\n"text": "b"}', ("line 2, column 1",)),
    ("single quotes", b"{'model_name': 'a'}", ("line 1, column 2",)),
    ("a key without quotes", b'{model_name: "a"}', ("line 1, column 2",)),
    ("a comment", b'{"text": "a"} // text', ("line 1, column 15",)),
    ("two documents", b"{} {}", ("line 1, column 4",)),
    ("Python's True", b'{"explain": True}', ("line 1, column 13",)),
    ("a number with a leading zero", b'{"seed": 01}', ("line 1, column",)),
    ("a number with a plus", b'{"seed": +1}', ("line 1, column 10",)),
    ("a number in base 16", b'{"seed": 0x10}', ("line 1, column",)),
    ("a fraction without its zero", b'{"max_seconds": .5}', ("line 1, column 17",)),
    ("a line break within a string", b'{"text": "a\nb"}', ("line 1, column 12",)),
    ("an unknown escape", b'{"text": "\\x41"}', ("line 1, column 11",)),
    ("half an escape", b'{"text": "\\u12"}', ("line 1, column",)),
    ("a byte that is zero", b"\x00", ("line 1, column 1",)),
    ("form fields", b"model_name=tickets_v1&text=a", ("line 1, column 1",)),
    ("bytes that are no UTF-8", b'{"text": "\xff"}', ("byte 10 is no UTF-8",)),
    ("a text in Latin-1", '{"text": "für"}'.encode("latin-1"), ("byte 11 is no UTF-8",)),
    ("a surrogate in UTF-8's form", b'{"text": "\xed\xa0\x80"}', ("byte 10 is no UTF-8",)),
    ("a byte written in two", b'{"text": "\xc0\xaf"}', ("byte 10 is no UTF-8",)),
    ("UTF-16", '{"text": "a"}'.encode("utf-16"), ("is no UTF-8",)),
    ("a byte order mark", b'\xef\xbb\xbf{"text": "a"}', ("byte order mark",)),
    ("NaN", b'{"max_seconds": NaN}', ("NaN",)),
    ("Infinity", b'{"max_seconds": Infinity}', ("Infinity",)),
    ("-Infinity", b'{"max_seconds": -Infinity}', ("-Infinity",)),
    ("NaN deep inside", b'{"require": {"min_recall": {"a": NaN}}}', ("NaN",)),
    ("a key twice", b'{"text": "a", "model_name": "b", "text": "c"}', ("'text'", "twice")),
    ("an unknown key twice", b'{"colour": 1, "colour": 1}', ("'colour'", "twice")),
    ("a key twice, once escaped", b'{"text": "a", "te\\u0078t": "b"}', ("'text'", "twice")),
    ("a key twice in a row", b'{"training_data": [{"text": "a", "label": "b", "label": "c"}]}', ("'label'", "twice")),
    ("a key twice in a test row", b'{"test_data": [{"text": "a", "label": "b", "text": "c"}]}', ("'text'", "twice")),
    ("a key twice in require", b'{"require": {"not_worse": true, "not_worse": false}}', ("'not_worse'", "twice")),
    ("a key twice deep inside", b'{"require": {"min_recall": {"a": 0.5, "a": 0.6}}}', ("'a'", "twice")),
    ("a key twice in what is no field", b'{"a": {"b": [[{"c": 1, "c": 2}]]}}', ("'c'", "twice")),
    ("a long key twice", b'{"%b": 1, "%b": 1}' % (LONG_KEY.encode(), LONG_KEY.encode()), (f"'{LONG_KEY[:40]}…'",)),
    ("a number of 5,000 digits", b'{"seed": ' + b"9" * 5_000 + b"}", ("digits",)),
    ("a negative number of 5,000 digits", b'{"seed": -' + b"9" * 5_000 + b"}", ("digits",)),
    ("a number of 500,000 digits", b'{"seed": ' + b"9" * 500_000 + b"}", ("digits",)),
    ("a pile of [", b"[" * 100_000, ("nested more than 100 levels deep",)),
    ("a pile of [ and ]", b"[" * 100_000 + b"]" * 100_000, ("nested more than 100 levels deep",)),
    ("a pile of {", b'{"a":' * 100_000, ("nested more than 100 levels deep",)),
    ("a pile of { and }", b'{"a":' * 80_000 + b"1" + b"}" * 80_000, ("nested more than 100 levels deep",)),
    (
        "a pile of [ in a field",
        b'{"texts": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        ("nested more than 100 levels deep",),
    ),
    ("a pile of { in a row", b'{"training_data": [' + b'{"text":' * 50_000, ("nested more than 100 levels deep",)),
)


def _not_json() -> Iterator[Refusal]:
    for endpoint in READING_JSON:
        for what, body, words in NOT_JSON:
            yield sent(endpoint, what, body, 400, "invalid_json", *words)
    for endpoint in NEEDING_A_BODY:
        yield sent(endpoint, "no byte", b"", 400, "invalid_json", "it is empty")


# What the headers say of a body

MEDIA_TYPES = (
    ("no content type", None),
    ("an empty content type", ""),
    ("plain text", "text/plain"),
    ("JSON called text", "text/json"),
    ("a form", "application/x-www-form-urlencoded"),
    ("a form with files", "multipart/form-data; boundary=a"),
    ("a file", "application/octet-stream"),
    ("an exported classifier", "application/zip"),
    ("lines of JSON", "application/x-ndjson"),
    ("JSON with a longer name", "application/jsonp"),
    ("JSON in Latin-1", "application/json; charset=latin-1"),
    ("JSON in UTF-16", "application/json;charset=UTF-16"),
    ("JSON in Latin-1 after UTF-8", "application/json; charset=utf-8; charset=latin-1"),
    ("JSON in quoted Latin-1", 'application/json; charset="iso-8859-1"'),
    ("two types", "application/json, text/plain"),
    ("every type", "*/*"),
)


def _media_types() -> Iterator[Refusal]:
    for endpoint in READING_JSON:
        for what, media_type in MEDIA_TYPES:
            headers = {} if media_type is None else {"Content-Type": media_type}
            words = ("JSON", "'Content-Type: application/json'")
            facts = {"expected": "application/json"}
            yield Refusal(
                f"{endpoint.id}: declared as {what}",
                endpoint.method,
                endpoint.path,
                headers,
                as_json(endpoint.whole),
                415,
                "unsupported_media_type",
                words,
                facts,
            )
    for what, media_type in (
        ("no content type", None),
        ("JSON", "application/json"),
        ("a form with files", "multipart/form-data; boundary=a"),
        ("plain text", "text/plain"),
        ("gzip", "application/gzip"),
    ):
        yield Refusal(
            f"import: declared as {what}",
            "POST",
            IMPORT,
            {} if media_type is None else {"Content-Type": media_type},
            b"PK",
            415,
            "unsupported_media_type",
            ("--data-binary", "Content-Type: application/zip", "/v1/classifier/models/import"),
            {"expected": ["application/zip", "application/octet-stream"]},
        )


def _too_large() -> Iterator[Refusal]:
    for endpoint, headers, limit, setting in (
        *((endpoint, JSON, 600_000, "WINDROW_MAX_BODY_BYTES") for endpoint in READING_JSON),
        (Endpoint("import", "POST", IMPORT, {}), ZIP, 400_000, "WINDROW_MAX_IMPORT_BYTES"),
        (Endpoint("inspect", "POST", INSPECT, {}), {"Content-Type": "text/csv"}, 600_000, "WINDROW_MAX_BODY_BYTES"),
    ):
        body = as_json(endpoint.whole).ljust(limit + 1)
        declared = {**headers, "Content-Length": str(limit + 1)}
        for what, sent_headers, sent_body, is_chunked in (
            ("declared and not sent", declared, b"", False),
            ("declared", headers, body, False),
            ("in chunks", headers, body, True),
        ):
            yield Refusal(
                f"{endpoint.id}: a byte too many, {what}",
                endpoint.method,
                endpoint.path,
                sent_headers,
                sent_body,
                413,
                "body_too_large",
                (str(limit), setting),
                {"limit": limit, "setting": setting},
                is_chunked,
            )


# Bodies of requests whose parameters stand in the query: what each might say there

IN_THE_QUERY: tuple[tuple[str, str, Mapping[str, Any], str], ...] = (
    ("DELETE", f"{MODELS}/tickets_v1", {"purge": True}, "in the query; known are force, purge"),
    ("DELETE", MODELS, {"prefix": "tickets", "dry_run": False}, "in the query; known are base_model, dry_run,"),
    ("DELETE", f"{ALIASES}/spare", {"reason": "It is old."}, "in the query; known are author, reason"),
    ("DELETE", BUNDLED, {"base_model": "a/b"}, "it without one"),
    ("GET", MODELS, {"limit": 1}, "in the query; known are base_model, cursor,"),
    ("GET", f"{MODELS}/tickets_v1", {"model_name": "tickets_v2"}, "it without one"),
    (
        "GET",
        f"{MODELS}/tickets_v1/export",
        {"include_training_data": False},
        "in the query; known are include_training_data, to",
    ),
    ("GET", JOBS, {"limit": 1}, "in the query; known are limit"),
    ("GET", f"{JOBS}/{{job}}", {"job_id": "a"}, "it without one"),
    ("GET", f"{JOBS}/{{job}}/events", {"job_id": "a"}, "it without one"),
    ("GET", f"{ALIASES}/live/history", {"alias": "spare"}, "it without one"),
    ("GET", ALIASES, {}, "it without one"),
    ("GET", BASE_MODELS, {}, "it without one"),
    ("GET", f"{API}/usage", {}, "it without one"),
)


def _bodies_beside_the_query() -> Iterator[Refusal]:
    for method, path, document, words in IN_THE_QUERY:
        for what, headers, is_chunked in (("JSON", JSON, False), ("bytes", NO_HEADERS, False), ("chunks", JSON, True)):
            yield Refusal(
                f"{method} {path} with a body of {what}",
                method,
                path,
                headers,
                as_json(document),
                422,
                "invalid_request",
                (f"A {method} request takes no body. Send ", words),
                {"method": method},
                is_chunked,
            )


# Values of a wrong type

KINDS: Mapping[str, Any] = {
    "a string": "7",
    "true as a string": "true",
    "a whole number": 7,
    "one": 1,
    "a fraction": 7.5,
    "a fraction that is whole": 7.0,
    "true": True,
    "null": None,
    "a list": [],
    "a list of one": ["a"],
    "an object": {},
    "a number above all": HUGE,
}
NUMBERS = ("a whole number", "one", "a fraction", "a fraction that is whole")
STRINGS = ("a string", "true as a string")
INSIDE = ("a list", "a list of one", "an object")
NO_STRING = (*NUMBERS, "true", "null", *INSIDE)
NO_STRING_NOR_NULL = (*NUMBERS, "true", *INSIDE)
NO_FLAG = (*STRINGS, *NUMBERS, "null", *INSIDE)
NO_WHOLE_NUMBER = (*STRINGS, "a fraction", "a fraction that is whole", "true", "null", *INSIDE)
NO_WHOLE_NUMBER_NOR_NULL = (*STRINGS, "a fraction", "a fraction that is whole", "true", *INSIDE)
NO_NUMBER = (*STRINGS, "true", "null", *INSIDE, "a number above all")
NO_NUMBER_NOR_NULL = (*STRINGS, "true", *INSIDE, "a number above all")
NO_LIST = (*STRINGS, *NUMBERS, "true", "null", "an object")
NO_LIST_NOR_NULL = (*STRINGS, *NUMBERS, "true", "an object")
NO_OBJECT = (*STRINGS, *NUMBERS, "true", "null", "a list", "a list of one")
NO_OBJECT_NOR_NULL = (*STRINGS, *NUMBERS, "true", "a list", "a list of one")

# Endpoint, place, what of it is said, the kinds that are refused there, facts.
WRONG_TYPES: tuple[tuple[Endpoint, Place, str, tuple[str, ...], Mapping[str, Any]], ...] = (
    (FIT, ("model_name",), "model_name must be a string", NO_STRING, {}),
    (FIT, ("training_data",), "training_data must be a list", NO_LIST, {}),
    (FIT, ("base_model",), "base_model must be a string", NO_STRING, {}),
    (FIT, ("num_iterations",), "num_iterations must be a whole number", NO_WHOLE_NUMBER, {}),
    (FIT, ("batch_size",), "batch_size must be a whole number", NO_WHOLE_NUMBER, {}),
    (FIT, ("seed",), "seed must be a whole number", NO_WHOLE_NUMBER, {}),
    (FIT, ("max_seconds",), "max_seconds must be a number", NO_NUMBER_NOR_NULL, {}),
    (FIT, ("cross_validate",), "cross_validate must be true or false", NO_FLAG, {}),
    (FIT, ("description",), "description must be a string", NO_STRING_NOR_NULL, {}),
    (FIT, ("extends",), "extends must be a string", NO_STRING_NOR_NULL, {}),
    (FIT, ("label_descriptions",), "label_descriptions must be an object", NO_OBJECT_NOR_NULL, {}),
    (FIT, ("label_descriptions", "login"), "label_descriptions.login must be a string", NO_STRING, {}),
    (FIT, ("multi_label",), "multi_label must be true or false", NO_FLAG, {}),
    (FIT, ("merge_labels",), "merge_labels must be true or false", NO_FLAG, {}),
    (FIT, ("tags",), "tags must be a list", NO_LIST_NOR_NULL, {}),
    (FIT, ("tags", 1), "tags[1] must be a string", NO_STRING, {"index": 1}),
    (FIT, ("overwrite",), "overwrite must be true or false", NO_FLAG, {}),
    (PREDICT, ("model_name",), "model_name must be a string", NO_STRING_NOR_NULL, {}),
    (PREDICT, ("text",), "text must be a string", NO_STRING_NOR_NULL, {}),
    (PREDICT, ("top_k",), "top_k must be a whole number", NO_WHOLE_NUMBER_NOR_NULL, {}),
    (PREDICT, ("abstain_below",), "abstain_below must be a number", NO_NUMBER_NOR_NULL, {}),
    (PREDICT, ("min_in_scope",), "min_in_scope must be a number", NO_NUMBER_NOR_NULL, {}),
    (PREDICT, ("explain",), "explain must be true or false", NO_FLAG, {}),
    (CLASSIFY, ("text",), "text must be a string", NO_STRING_NOR_NULL, {}),
    (CLASSIFY, ("labels",), "labels must be a list", NO_LIST, {}),
    (CLASSIFY_TEXTS, ("texts",), "texts must be a list", NO_LIST_NOR_NULL, {}),
    (CLASSIFY_TEXTS, ("texts", 1), "texts[1] must be a string", NO_STRING, {"index": 1}),
    (CLASSIFY, ("multi_label",), "multi_label must be true or false", NO_FLAG, {}),
    (CLASSIFY, ("hypothesis_template",), "hypothesis_template must be a string", NO_STRING, {}),
    (CLASSIFY, ("model",), "model must be a string", NO_STRING_NOR_NULL, {}),
    (CLASSIFY, ("label_descriptions",), "label_descriptions must be an object", NO_OBJECT_NOR_NULL, {}),
    (CLASSIFY, ("label_descriptions", "billing"), "label_descriptions.billing must be a string", NO_STRING, {}),
    *(
        (PREDICT_FILES, (name,), f"{name} must be a string", NO_STRING, {})
        for name in ("model_name", "input", "output", "prefix")
    ),
    *(
        (PREDICT_FILES, (name,), f"{name} must be a string", NO_STRING_NOR_NULL, {})
        for name in (
            "format",
            "quoting",
            "encoding",
            "output_format",
            "label_column",
            "labels_column",
            "label_separator",
            "sheet",
            "id_column",
            "split_column",
            "annotators",
            "output_encoding",
        )
    ),
    *(
        (PREDICT_FILES, (name,), f"{name} must be true or false", NO_FLAG, {})
        for name in ("scores", "note_bad_rows", "overwrite", "escape_formulas", "decimal_comma")
    ),
    (PREDICT_FILES, ("header",), "header must be true or false", tuple(each for each in NO_FLAG if each != "null"), {}),
    (PREDICT_FILES, ("text_column",), "text_column must be a list", NO_LIST, {}),
    (PREDICT_FILES, ("text_column", 1), "text_column[1] must be a string", NO_STRING, {"index": 1}),
    (PREDICT_FILES, ("indicator_columns",), "indicator_columns must be a list", NO_LIST, {}),
    (PREDICT_FILES, ("indicator_columns", 0), "indicator_columns[0] must be a string", NO_STRING, {"index": 0}),
    (PREDICT_NUMBERED_FILES, ("label_names",), "label_names must be a list", NO_LIST, {}),
    (PREDICT_NUMBERED_FILES, ("label_names", 0), "label_names[0] must be a string", NO_STRING, {"index": 0}),
    (PREDICT_FILES, ("top_k",), "top_k must be a whole number", NO_WHOLE_NUMBER_NOR_NULL, {}),
    (PREDICT_FILES, ("shard_rows",), "shard_rows must be a whole number", NO_WHOLE_NUMBER, {}),
    (PREDICT_FILES, ("abstain_below",), "abstain_below must be a number", NO_NUMBER_NOR_NULL, {}),
    (PREDICT_FILES, ("min_in_scope",), "min_in_scope must be a number", NO_NUMBER_NOR_NULL, {}),
    (MANY_TEXTS, ("texts",), "texts must be a list", NO_LIST_NOR_NULL, {}),
    (MANY_TEXTS, ("texts", 1), "texts[1] must be a string", NO_STRING, {"index": 1}),
    (MANY_NAMES, ("model_names",), "model_names must be a list", NO_LIST_NOR_NULL, {}),
    (MANY_NAMES, ("model_names", 1), "model_names[1] must be a string", NO_STRING, {"index": 1}),
    (EVALUATE, ("model_name",), "model_name must be a string", NO_STRING, {}),
    (REPORT, ("model_name",), "model_name must be a string", NO_STRING, {}),
    (EVALUATE, ("test_data",), "test_data must be a list", NO_LIST, {}),
    (REPORT, ("test_data",), "test_data must be a list", NO_LIST, {}),
    (EVALUATE, ("save",), "save must be true or false", NO_FLAG, {}),
    (REPORT, ("save",), "save must be true or false", NO_FLAG, {}),
    (EVALUATE, ("target_precision",), "target_precision must be a number", NO_NUMBER_NOR_NULL, {}),
    (EVALUATE, ("target_recall",), "target_recall must be a number", NO_NUMBER_NOR_NULL, {}),
    (REPORT, ("target_recall",), "target_recall must be a number", NO_NUMBER_NOR_NULL, {}),
    (REPORT, ("target_precision",), "target_precision must be a number", NO_NUMBER_NOR_NULL, {}),
    (REPORT, ("title",), "title must be a string", NO_STRING_NOR_NULL, {}),
    (COMPARE, ("model_names",), "model_names must be a list", NO_LIST, {}),
    (COMPARE, ("model_names", 1), "model_names[1] must be a string", NO_STRING, {"index": 1}),
    (COMPARE, ("test_data",), "test_data must be a list", NO_LIST, {}),
    (CROSS_VALIDATE, ("training_data",), "training_data must be a list", NO_LIST, {}),
    (CROSS_VALIDATE, ("folds",), "folds must be a whole number", NO_WHOLE_NUMBER, {}),
    (CROSS_VALIDATE, ("label_descriptions",), "label_descriptions must be an object", NO_OBJECT_NOR_NULL, {}),
    (CROSS_VALIDATE, ("label_descriptions", "login"), "label_descriptions.login must be a string", NO_STRING, {}),
    (CROSS_VALIDATE, ("base_model",), "base_model must be a string", NO_STRING, {}),
    (CROSS_VALIDATE, ("num_iterations",), "num_iterations must be a whole number", NO_WHOLE_NUMBER, {}),
    (CROSS_VALIDATE, ("batch_size",), "batch_size must be a whole number", NO_WHOLE_NUMBER, {}),
    (CROSS_VALIDATE, ("seed",), "seed must be a whole number", NO_WHOLE_NUMBER, {}),
    (SUGGEST, ("model_name",), "model_name must be a string", NO_STRING, {}),
    (SUGGEST, ("texts",), "texts must be a list", NO_LIST, {}),
    (SUGGEST, ("texts", 1), "texts[1] must be a string", NO_STRING, {"index": 1}),
    (SUGGEST, ("n",), "n must be a whole number", NO_WHOLE_NUMBER, {}),
    (DESCRIBE, ("description",), "description must be a string", NO_STRING_NOR_NULL, {}),
    (DESCRIBE, ("tags",), "tags must be a list", NO_LIST_NOR_NULL, {}),
    (DESCRIBE, ("tags", 1), "tags[1] must be a string", NO_STRING, {"index": 1}),
    (PROMOTE, ("model_name",), "model_name must be a string", NO_STRING, {}),
    (PROMOTE, ("reason",), "reason must be a string", NO_STRING, {}),
    (PROMOTE, ("author",), "author must be a string", NO_STRING, {}),
    (PROMOTE, ("require",), "require must be an object", NO_OBJECT_NOR_NULL, {}),
    (PROMOTE, ("require", "test_data"), "require.test_data must be a list", NO_LIST, {}),
    (PROMOTE, ("require", "not_worse"), "require.not_worse must be true or false", NO_FLAG, {}),
    (PROMOTE, ("require", "must_pass"), "require.must_pass must be a list", NO_LIST, {}),
    (PROMOTE, ("require", "min_recall"), "require.min_recall", NO_OBJECT, {}),
    (PROMOTE, ("require", "min_recall", "login"), "require.min_recall.login must be a number", NO_NUMBER, {}),
    (PROMOTE, ("require", "min_f1"), "require.min_f1", NO_OBJECT, {}),
    (PROMOTE, ("require", "min_f1", "login"), "require.min_f1.login must be a number", NO_NUMBER, {}),
    (PROMOTE, ("must_pass",), "must_pass must be a list", NO_LIST_NOR_NULL, {}),
    (BIND, ("question",), "question must be a string", NO_STRING, {}),
    (BIND, ("model_name",), "model_name must be a string", NO_STRING_NOR_NULL, {}),
    (BIND, ("positive_label",), "positive_label must be a string", NO_STRING_NOR_NULL, {}),
    (BIND, ("levels",), "levels must be a list", NO_LIST, {}),
    (BIND, ("levels", 1), "levels[1] must be a string", NO_STRING, {"index": 1}),
    (ROLLBACK, ("reason",), "reason must be a string", NO_STRING, {}),
    (ROLLBACK, ("author",), "author must be a string", NO_STRING, {}),
    (COPY, ("new_name",), "new_name must be a string", NO_STRING, {}),
    (COPY, ("overwrite",), "overwrite must be true or false", NO_FLAG, {}),
    (SET_THRESHOLD, ("abstain_below",), "abstain_below must be a number", NO_NUMBER_NOR_NULL, {}),
    (SET_THRESHOLD, ("label_thresholds",), "label_thresholds must be an object", NO_OBJECT_NOR_NULL, {}),
    (SET_THRESHOLD, ("reason",), "reason must be a string", NO_STRING, {}),
    (SET_THRESHOLD, ("author",), "author must be a string", NO_STRING, {}),
    (FSCK, ("repair",), "repair must be true or false", NO_FLAG, {}),
    (FORGET, ("texts",), "texts must be a list", NO_LIST, {}),
    (FORGET, ("texts", 0), "texts[0] must be a string", NO_STRING, {"index": 0}),
    (FORGET, ("text_sha256",), "text_sha256 must be a list", NO_LIST, {}),
    (FORGET, ("text_sha256", 0), "text_sha256[0] must be a string", NO_STRING, {"index": 0}),
    (FORGET, ("action",), "action must be a string", NO_STRING, {}),
    (FORGET, ("force",), "force must be true or false", NO_FLAG, {}),
    (CREATE_KEY, ("name",), "name must be a string", NO_STRING, {}),
    (CREATE_KEY, ("scopes",), "scopes must be a list", NO_LIST, {}),
    (CREATE_KEY, ("scopes", 1), "scopes[1] must be a string", NO_STRING, {"index": 1}),
    (CREATE_KEY, ("only",), "only must be a list", NO_LIST, {}),
    (CREATE_KEY, ("only", 0), "only[0] must be a string", NO_STRING, {"index": 0}),
    (CREATE_KEY, ("expires_in_days",), "expires_in_days must be a whole number", NO_WHOLE_NUMBER_NOR_NULL, {}),
    *(
        (endpoint, (name,), f"{name} must be a whole number", NO_WHOLE_NUMBER_NOR_NULL, {})
        for endpoint in (CREATE_KEY, LIMIT_KEY)
        for name in KEY_LIMITS
    ),
)

# Where rows stand: the endpoint, the place, how it is called, and the code of a row that breaks a rule.
ROW_PLACES: tuple[tuple[Endpoint, Place, str, str], ...] = (
    (FIT, ("training_data",), "training_data", "invalid_training_data"),
    (CROSS_VALIDATE, ("training_data",), "training_data", "invalid_training_data"),
    (EVALUATE, ("test_data",), "test_data", "invalid_test_data"),
    (REPORT, ("test_data",), "test_data", "invalid_test_data"),
    (COMPARE, ("test_data",), "test_data", "invalid_test_data"),
    (PROMOTE, ("require", "test_data"), "require.test_data", "invalid_test_data"),
    (PROMOTE, ("require", "must_pass"), "require.must_pass", "invalid_test_data"),
    (PROMOTE, ("must_pass",), "must_pass", "invalid_test_data"),
)


# What takes rows with any number of labels, and not only reads them.
TAKING_MULTI_LABEL = (FIT, EVALUATE, REPORT, COMPARE)


def _wrong_types() -> Iterator[Refusal]:
    for endpoint, place, words, kinds, facts in WRONG_TYPES:
        for kind in kinds:
            document = changed(endpoint.whole, place, KINDS[kind])
            what = f"{'.'.join(map(str, place))} is {kind}"
            yield sent(endpoint, what, document, 422, "invalid_request", words, **facts)
    for endpoint, place, name, _ in ROW_PLACES:
        for kind in NO_OBJECT:
            document = changed(endpoint.whole, (*place, 1), KINDS[kind])
            words = f"{name}[1] must be an object"
            yield sent(endpoint, f"{name}[1] is {kind}", document, 422, "invalid_request", words, row=1)
        for key in ("text", "label"):
            # A label that is a whole number is taken as its text, and one alone in a list as that label.
            for kind in (kind for kind in NO_STRING if key == "text" or type(KINDS[kind]) not in (int, list)):
                document = changed(endpoint.whole, (*place, 1, key), KINDS[kind])
                words = f"{name}[1].{key} must be a string"
                what = f"{name}[1].{key} is {kind}"
                yield sent(endpoint, what, document, 422, "invalid_request", words, row=1, field=key)
    yield from _wrong_labels()
    for endpoint in READING_JSON:
        for kind in (*NUMBERS, *STRINGS, "true", "null", "a list", "a list of one"):
            words = "The body must be an object"
            yield sent(endpoint, f"the body is {kind}", KINDS[kind], 422, "invalid_request", words)
        words = "The body must be an object"
        yield sent(endpoint, "the body is a list of bodies", [endpoint.whole], 422, "invalid_request", words)


def _wrong_labels() -> Iterator[Refusal]:
    """Yield rows with any number of labels that are wrong, where there are such rows."""
    row = {"text": "Login is broken, now", "labels": ["login", "urgent"]}
    for endpoint, place, name, code in ROW_PLACES:
        for kind in NO_LIST:
            document = changed(endpoint.whole, (*place, 1), {**row, "labels": KINDS[kind]})
            words, what = f"{name}[1].labels must be a list", f"{name}[1].labels is {kind}"
            yield sent(endpoint, what, document, 422, "invalid_request", words, row=1, field="labels")
        for kind in (kind for kind in NO_STRING if type(KINDS[kind]) is not int):
            document = changed(endpoint.whole, (*place, 1), {**row, "labels": ["login", KINDS[kind]]})
            words, what = f"{name}[1].labels[1] must be a string", f"{name}[1].labels[1] is {kind}"
            yield sent(endpoint, what, document, 422, "invalid_request", words, row=1, field="labels")
        for labels in ([], ["login", "urgent"]):
            document = changed(endpoint.whole, (*place, 1), {"text": "a", "label": labels})
            words, what = f"{name}[1].label is a list of {len(labels)} labels", f"{name}[1].label has {len(labels)}"
            yield sent(endpoint, what, document, 422, "invalid_request", words, row=1, field="label")
        document = changed(endpoint.whole, (*place, 1), {**row, "label": "login"})
        words = f"{name}[1] has label and labels; send one of them"
        yield sent(endpoint, f"{name}[1] has both", document, 422, "invalid_request", words, row=1)
        if endpoint not in TAKING_MULTI_LABEL:
            continue
        document = changed(endpoint.whole, (*place, 1), row)
        words = f"{name}[1].labels stands in rows of which earlier ones have label"
        yield sent(endpoint, f"{name} has both forms", document, 422, code, words, row=1, field="labels")
        for what, labels, words in (
            ("blank", ["login", " "], f"{name}[0].labels[1] is blank"),
            ("twice there", ["login", "login"], f"{name}[0].labels holds 'login' more than once"),
        ):
            rows = [{**row, "labels": labels}, row]
            document = changed(endpoint.whole, place, rows)
            yield sent(endpoint, f"a label of {name} is {what}", document, 422, code, words, row=0)


# Fields that are missing, and fields that there are not

MISSING: tuple[tuple[Endpoint, str, str], ...] = (
    (FIT, "model_name", "model_name is missing"),
    (FIT, "training_data", "training_data is missing"),
    (PREDICT, "model_name", "model_name (or model_names) is missing"),
    (PREDICT, "text", "text (or texts) is missing"),
    (CLASSIFY, "text", "text (or texts) is missing"),
    (CLASSIFY, "labels", "labels is missing"),
    *((PREDICT_FILES, name, f"{name} is missing") for name in ("model_name", "input", "output")),
    (MANY_TEXTS, "model_name", "model_name (or model_names) is missing"),
    (MANY_TEXTS, "texts", "text (or texts) is missing"),
    (MANY_NAMES, "model_names", "model_name (or model_names) is missing"),
    (MANY_NAMES, "text", "text (or texts) is missing"),
    (EVALUATE, "model_name", "model_name is missing"),
    (REPORT, "model_name", "model_name is missing"),
    (EVALUATE, "test_data", "test_data is missing"),
    (REPORT, "test_data", "test_data is missing"),
    (COMPARE, "model_names", "model_names is missing"),
    (COMPARE, "test_data", "test_data is missing"),
    (CROSS_VALIDATE, "training_data", "training_data is missing"),
    (SUGGEST, "model_name", "model_name is missing"),
    (SUGGEST, "texts", "texts is missing"),
    (PROMOTE, "model_name", "model_name is missing"),
    (BIND, "question", "question is missing"),
    (SET_THRESHOLD, "abstain_below", "abstain_below is missing"),
)
# Of the endpoints with fields that must be there, what an empty object lacks first.
EMPTY: tuple[tuple[Endpoint, str], ...] = (
    (FIT, "model_name is missing"),
    (PREDICT, "model_name (or model_names) is missing"),
    (CLASSIFY, "labels is missing"),
    (PREDICT_FILES, "model_name is missing"),
    (EVALUATE, "model_name is missing"),
    (REPORT, "model_name is missing"),
    (COMPARE, "model_names is missing"),
    (CROSS_VALIDATE, "training_data is missing"),
    (SUGGEST, "model_name is missing"),
    (PROMOTE, "model_name is missing"),
    (SET_THRESHOLD, "abstain_below is missing"),
)
# Endpoint, where, the unknown key, what is said of it, facts. All else is as it must be; a field that is probably meant
# is not there.
UNKNOWN: tuple[tuple[Endpoint, Place, str, tuple[str, ...], Mapping[str, Any]], ...] = (
    (FIT, (), "colour", ("colour is no field", "model_name", "training_data", "num_iterations"), {}),
    (FIT, (), "num_iteration", ("num_iteration is no field", "did you mean num_iterations?"), {}),
    (FIT, (), "numIterations", ("numIterations is no field", "did you mean num_iterations?"), {}),
    (FIT, (), "Seed", ("Seed is no field", "did you mean seed?"), {}),
    (FIT, (), "batchsize", ("batchsize is no field", "did you mean batch_size?"), {}),
    (FIT, (), "basemodel", ("basemodel is no field", "did you mean base_model?"), {}),
    (FIT, (), "max_second", ("did you mean max_seconds?",), {}),
    (FIT, (), "crossvalidate", ("did you mean cross_validate?",), {}),
    (FIT, (), "tag", ("did you mean tags?",), {}),
    (FIT, (), "overwite", ("did you mean overwrite?",), {}),
    (FIT, (), "modelname", ("did you mean model_name?",), {}),
    (FIT, (), "", ("is no field",), {}),
    (FIT, (), "model_name ", ("did you mean model_name?",), {}),
    (FIT, (), "__proto__", ("__proto__ is no field",), {}),
    (FIT, (), SURROGATE, (), {}),
    (FIT, (), LONG_KEY, ("My card was billed My card was billed My… is no field",), {}),
    (PREDICT, (), "colour", ("colour is no field", "model_name", "texts", "abstain_below"), {}),
    (PREDICT, (), "topk", ("did you mean top_k?",), {}),
    (PREDICT, (), "txt", ("did you mean text?",), {}),
    (PREDICT, (), "modelname", ("did you mean model_name?",), {}),
    (PREDICT, (), "abstain", ("did you mean abstain_below?",), {}),
    (PREDICT, (), "min_scope", ("did you mean min_in_scope?",), {}),
    (PREDICT, (), "explian", ("did you mean explain?",), {}),
    (CLASSIFY, (), "colour", ("colour is no field", "labels", "hypothesis_template"), {}),
    (CLASSIFY, (), "label", ("did you mean labels?",), {}),
    (CLASSIFY, (), "multilabel", ("did you mean multi_label?",), {}),
    (CLASSIFY, (), "candidate_labels", ("candidate_labels is no field",), {}),
    (PREDICT_FILES, (), "colour", ("colour is no field", "input", "shard_rows"), {}),
    (PREDICT_FILES, (), "runner", ("runner is no field",), {}),
    (PREDICT_FILES, (), "inputs", ("did you mean input?",), {}),
    (EVALUATE, (), "colour", ("colour is no field", "test_data"), {}),
    (REPORT, (), "colour", ("colour is no field", "test_data"), {}),
    (EVALUATE, (), "target_precison", ("did you mean target_precision?",), {}),
    (REPORT, (), "target_precison", ("did you mean target_precision?",), {}),
    (EVALUATE, (), "saved", ("did you mean save?",), {}),
    (REPORT, (), "saved", ("did you mean save?",), {}),
    (EVALUATE, (), "training_data", ("training_data is no field",), {}),
    (REPORT, (), "training_data", ("training_data is no field",), {}),
    (COMPARE, (), "colour", ("colour is no field", "model_names", "test_data"), {}),
    (COMPARE, (), "model_name", ("did you mean model_names?",), {}),
    (CROSS_VALIDATE, (), "colour", ("colour is no field", "training_data", "folds"), {}),
    (CROSS_VALIDATE, (), "fold", ("did you mean folds?",), {}),
    (CROSS_VALIDATE, (), "max_seconds", ("max_seconds is no field",), {}),
    (CROSS_VALIDATE, (), "model_name", ("model_name is no field",), {}),
    (SUGGEST, (), "colour", ("colour is no field", "model_name", "texts"), {}),
    (SUGGEST, (), "text", ("did you mean texts?",), {}),
    (SUGGEST, (), "N", ("did you mean n?",), {}),
    (DESCRIBE, (), "colour", ("colour is no field", "description", "tags"), {}),
    (DESCRIBE, (), "descripton", ("did you mean description?",), {}),
    (DESCRIBE, (), "tag", ("did you mean tags?",), {}),
    (DESCRIBE, (), "model_name", ("model_name is no field",), {}),
    (PROMOTE, (), "colour", ("colour is no field", "model_name", "require", "must_pass"), {}),
    (PROMOTE, (), "requires", ("did you mean require?",), {}),
    (PROMOTE, (), "mustpass", ("did you mean must_pass?",), {}),
    (PROMOTE, (), "alias", ("alias is no field",), {}),
    (PROMOTE, ("require",), "colour", ("colour is no field of require", "test_data", "min_recall"), {}),
    (PROMOTE, ("require",), "not_wrose", ("not_wrose is no field of require", "did you mean not_worse?"), {}),
    (PROMOTE, ("require",), "testdata", ("did you mean test_data?",), {}),
    (PROMOTE, ("require",), "minrecall", ("did you mean min_recall?",), {}),
    (PROMOTE, ("require",), "reason", ("reason is no field of require",), {}),
    (ROLLBACK, (), "colour", ("colour is no field", "reason", "author"), {}),
    (ROLLBACK, (), "reasons", ("did you mean reason?",), {}),
    (ROLLBACK, (), "steps", ("steps is no field",), {}),
    (FSCK, (), "colour", ("colour is no field", "repair"), {}),
    (FSCK, (), "repiar", ("did you mean repair?",), {}),
    (FORGET, (), "colour", ("colour is no field", "texts", "action"), {}),
    (FORGET, (), "text", ("did you mean texts?",), {}),
    (CREATE_KEY, (), "colour", ("colour is no field", "scopes", "only"), {}),
    (CREATE_KEY, (), "scope", ("did you mean scopes?",), {}),
    (CREATE_KEY, (), "key", ("key is no field",), {}),
    (LIMIT_KEY, (), "colour", ("colour is no field", "texts_per_day"), {}),
    (LIMIT_KEY, (), "max_revision", ("did you mean max_revisions?",), {}),
    (LIMIT_KEY, (), "name", ("name is no field",), {}),
    (RESTORE, (), "colour", ("colour is no field", "it takes none"), {}),
    (RESTORE, (), "model_name", ("model_name is no field", "it takes none"), {}),
    (REPRODUCE, (), "colour", ("colour is no field", "it takes none"), {}),
    (REPRODUCE, (), "seed", ("seed is no field", "it takes none"), {}),
    (CANCEL, (), "colour", ("colour is no field", "it takes none"), {}),
    (CANCEL, (), "reason", ("reason is no field", "it takes none"), {}),
)


def _fields() -> Iterator[Refusal]:
    for endpoint, key, words in MISSING:
        document = without(endpoint.whole, (key,))
        yield sent(endpoint, f"{key} is missing", document, 422, "invalid_request", words)
    for endpoint, words in EMPTY:
        yield sent(endpoint, "the body is an empty object", {}, 422, "invalid_request", words)
    for endpoint, around, key, phrases, facts in UNKNOWN:
        document = changed(endpoint.whole, (*around, key), 1)
        what = f"{'.'.join(map(str, (*around, key[:40])))!a} is unknown"
        meant = re.search(r"did you mean (\w+)", phrases[-1]) if phrases else None
        if meant is None:
            yield sent(endpoint, what, document, 422, "invalid_request", *phrases, **facts)
            continue
        renamed = without(document, (*around, meant[1]))
        yield sent(endpoint, what, renamed, 422, "invalid_request", *phrases, **facts)
        # Beside the field itself, the unknown one means something else.
        if renamed != document:
            yield sent(endpoint, f"{what}, beside {meant[1]}", document, 422, "invalid_request", "known are", **facts)
    for endpoint, place, name, _ in ROW_PLACES:
        for key in ("text", "label"):
            document = without(endpoint.whole, (*place, 1, key))
            words = f"{name}[1].{key} is missing"
            yield sent(endpoint, words, document, 422, "invalid_request", words, row=1, field=key)
        for key, field_meant in (("lable", "label"), ("Text", "text"), ("colour", None)):
            document = changed(endpoint.whole, (*place, 1, key), SECRET)
            words = f"{key} is no field of {name}[1]"
            both = f"{words} with text and label"
            yield sent(endpoint, both, document, 422, "invalid_request", words, "text, label", row=1, field=key)
            if field_meant is not None:
                document = without(document, (*place, 1, field_meant))
                hint = f"did you mean {field_meant}?"
                yield sent(endpoint, words, document, 422, "invalid_request", words, hint, row=1, field=key)


# Very much that is wrong

MANY_KEYS = {f"key_{number}": 1 for number in range(20_000)}


def _floods() -> Iterator[Refusal]:
    for endpoint in READING_JSON:
        document = {**endpoint.whole, **MANY_KEYS}
        yield sent(endpoint, "20,000 unknown fields", document, 422, "invalid_request", "key_0 is no field")
    yield sent(
        PROMOTE,
        "20,000 unknown fields in require",
        changed(PROMOTE.whole, ("require",), {**PROMOTE.whole["require"], **MANY_KEYS}),
        422,
        "invalid_request",
        "key_0 is no field of require",
    )
    for endpoint, place, name, _ in ROW_PLACES:
        for what, row, words in (
            ("20,000 empty rows", {}, f"{name}[0].text is missing"),
            ("20,000 numbers for rows", 1, f"{name}[0] must be an object"),
            ("20,000 rows with a number for a text", {"text": 1}, f"{name}[0].text must be a string"),
            ("20,000 lists for rows", [], f"{name}[0] must be an object"),
        ):
            document = changed(endpoint.whole, place, [row] * 20_000)
            yield sent(endpoint, f"{name} has {what}", document, 422, "invalid_request", words, row=0)
        document = changed(endpoint.whole, (*place, 1), {**ROWS[1], **MANY_KEYS})
        words = f"key_0 is no field of {name}[1]"
        yield sent(endpoint, f"{name}[1] has 20,000 fields", document, 422, "invalid_request", words, row=1)
    for endpoint, place, index in (
        (FIT, ("tags",), "tags[0]"),
        (MANY_TEXTS, ("texts",), "texts[0]"),
        (MANY_NAMES, ("model_names",), "model_names[0]"),
        (COMPARE, ("model_names",), "model_names[0]"),
        (SUGGEST, ("texts",), "texts[0]"),
        (DESCRIBE, ("tags",), "tags[0]"),
    ):
        document = changed(endpoint.whole, place, [1] * 100_000)
        words = f"{index} must be a string"
        yield sent(endpoint, f"{index} and 99,999 more", document, 422, "invalid_request", words, index=0)
    yield sent(
        PROMOTE,
        "20,000 recalls that are strings",
        changed(PROMOTE.whole, ("require", "min_recall"), dict.fromkeys(MANY_KEYS, "0.9")),
        422,
        "invalid_request",
        "require.min_recall.key_0 must be a number",
    )


# Rows

# What is wrong, the key, its value, words; each breaks a rule of rows.
WRONG_ROWS = (
    ("an empty text", "text", "", "is empty"),
    ("an empty label", "label", "", "is empty"),
    ("a blank text", "text", " \r\n\t", "is blank"),
    ("a blank label", "label", " ", "is blank"),
    ("a text of wide blanks", "text", "\u3000\u2003", "is blank"),
    ("half a surrogate pair in a text", "text", SURROGATE, "is not valid Unicode"),
    ("half a surrogate pair in a label", "label", SURROGATE, "is not valid Unicode"),
    ("a long label", "label", "x" * 257, "257 characters"),
)


def _rows() -> Iterator[Refusal]:
    for endpoint, place, name, code in ROW_PLACES:
        for what, key, value, words in WRONG_ROWS:
            document = changed(endpoint.whole, (*place, 1, key), value)
            phrases = (f"{name}[1].{key}", words)
            yield sent(endpoint, f"{name}[1] has {what}", document, 422, code, *phrases, row=1, field=key)
        document = changed(endpoint.whole, (*place, 1, "text"), SECRET * 24)
        limit = {"limit": 600, "setting": "WINDROW_MAX_TEXT_CHARS"}
        words = f"{name}[1].text has 624 characters"
        what = f"{name}[1] has a long text"
        yield sent(endpoint, what, document, 422, "limit_exceeded", words, "600", row=1, **limit)
        for what, row in (("rows", {"text": "a", "label": "b"}), ("empty rows", {}), ("nulls", None)):
            document = changed(endpoint.whole, place, [row] * 20_001)
            limit = {"limit": 20_000, "setting": "WINDROW_MAX_ROWS"}
            words = f"{name} has 20001 rows"
            yield sent(endpoint, f"{name} has 20,001 {what}", document, 422, "limit_exceeded", words, "20000", **limit)


FIVE_LABELS = [{"text": f"text {number}", "label": f"label {number}"} for number in range(5)]
STRANGE_LABELS = [{"text": "a", "label": "weather"}, {"text": "b", "label": "Refund"}]
LABELS_LIMIT = {"limit": 4, "setting": "WINDROW_MAX_LABELS"}


def _row_counts() -> Iterator[Refusal]:
    for endpoint, nothing in ((FIT, "There is no labelled row"), (CROSS_VALIDATE, "0 distinct label")):
        for what, rows, words in (
            ("no row", [], nothing),
            ("one row", ROWS[:1], "1 distinct label"),
            ("one label", ROWS[:2], "1 distinct label"),
        ):
            document = {**endpoint.whole, "training_data": rows}
            yield sent(endpoint, what, document, 422, "invalid_training_data", words, "2 labels")
    for endpoint, place, name, _ in ROW_PLACES:
        document = changed(endpoint.whole, place, FIVE_LABELS)
        phrases = (f"{name} has 5 labels", "WINDROW_MAX_LABELS")
        yield sent(endpoint, f"{name} has five labels", document, 422, "limit_exceeded", *phrases, **LABELS_LIMIT)
    for endpoint in (EVALUATE, REPORT, COMPARE):
        for what, rows, words in (
            ("no row", [], "test_data is empty"),
            ("no known label", STRANGE_LABELS, "No label of test_data is known"),
        ):
            document = {**endpoint.whole, "test_data": rows}
            yield sent(endpoint, what, document, 422, "invalid_test_data", words, parameter="test_data")
    for place, name in ((("must_pass",), "must_pass"), (("require", "must_pass"), "require.must_pass")):
        document = changed(PROMOTE.whole, place, [ROWS[0]] * 1_001)
        words = f"{name} has 1001 rows"
        yield sent(PROMOTE, f"{name} has 1,001 rows", document, 422, "limit_exceeded", words, "1000", limit=1_000)
    yield sent(
        CROSS_VALIDATE,
        "no label has two texts",
        {**CROSS_VALIDATE.whole, "training_data": FIVE_LABELS[:3], "label_descriptions": {}},
        422,
        "invalid_training_data",
        "at least two of each label",
    )


# Values outside their range. Endpoint, place, value, words, facts.
RANGES: tuple[tuple[Endpoint, Place, object, str, Mapping[str, Any]], ...] = (
    *(
        (endpoint, (name,), value, f"between {low} and {high}", {"parameter": name, "minimum": low, "maximum": high})
        for endpoint, name, low, high, values in (
            (FIT, "num_iterations", 0, 1_000, (-1, 1_001, HUGE, -HUGE)),
            (FIT, "batch_size", 2, 1_024, (1, 0, -2, 1_025, 2**63)),
            (FIT, "seed", 0, 4_294_967_295, (-1, 2**32, 2**64, HUGE)),
            (CROSS_VALIDATE, "folds", 2, 20, (1, 0, -5, 21, HUGE)),
            (CROSS_VALIDATE, "num_iterations", 0, 1_000, (-1, 1_001)),
            (CROSS_VALIDATE, "batch_size", 2, 1_024, (1, 1_025)),
            (CROSS_VALIDATE, "seed", 0, 4_294_967_295, (-1, 2**32)),
            (SUGGEST, "n", 1, 1_000, (0, -1, 1_001, HUGE)),
            (PREDICT, "top_k", 1, 3, (0, -1, 4, HUGE)),
            (MANY_TEXTS, "top_k", 1, 3, (0, 4)),
            (MANY_NAMES, "top_k", 1, 3, (0, 4)),
        )
        for value in values
    ),
    *(
        (endpoint, (name,), value, f"between {low} and 1", {"parameter": name, "minimum": low, "maximum": 1})
        for endpoint, name, low, values in (
            (PREDICT, "abstain_below", 0, (-0.01, 1.01, -1, 2, 50, 1e300)),
            (PREDICT, "min_in_scope", 0, (-0.01, 1.01, -1, 2, 50, 1e300)),
            (MANY_TEXTS, "abstain_below", 0, (-0.01, 1.01)),
            (MANY_TEXTS, "min_in_scope", 0, (-0.01, 1.01)),
            (MANY_NAMES, "abstain_below", 0, (-0.01, 1.01)),
            (SET_THRESHOLD, "abstain_below", 0, (-0.01, 1.01, 50)),
            (EVALUATE, "target_precision", 0.5, (0.49, 0, -1, 1.01, 95)),
            (EVALUATE, "target_recall", 0.01, (0.009, 0, -1, 1.01, 95)),
            (REPORT, "target_recall", 0.01, (0.009, 0, -1, 1.01, 95)),
            (REPORT, "target_precision", 0.5, (0.49, 0, -1, 1.01, 95)),
        )
        for value in values
    ),
    *(
        (FIT, ("max_seconds",), value, "more than 0 and at most 86400", {"parameter": "max_seconds", "maximum": 86_400})
        for value in (0, -0.5, -1, 86_400.5, 86_401, 1e300)
    ),
    *(
        (PROMOTE, ("require", least, "login"), value, "between 0 and 1", {"minimum": 0, "maximum": 1})
        for least in ("min_recall", "min_f1")
        for value in (-0.01, 1.01, 90)
    ),
)
# Numbers above all that a computer holds, as they are written in JSON.
INFINITE: tuple[tuple[Endpoint, str, str, int, str, str], ...] = (
    (FIT, "max_seconds", "1e999", 422, "invalid_parameter", "at most 86400"),
    (FIT, "max_seconds", "-1e999", 422, "invalid_parameter", "more than 0"),
    (FIT, "seed", "1e999", 422, "invalid_request", "seed must be a whole number"),
    (FIT, "seed", "1e3", 422, "invalid_request", "seed must be a whole number"),
    (PREDICT, "abstain_below", "1e999", 422, "invalid_parameter", "between 0 and 1"),
    (PREDICT, "min_in_scope", "-1e999", 422, "invalid_parameter", "between 0 and 1"),
    (PREDICT, "top_k", "1e999", 422, "invalid_request", "top_k must be a whole number"),
    (EVALUATE, "target_precision", "1e999", 422, "invalid_parameter", "between 0.5 and 1"),
    (REPORT, "target_precision", "1e999", 422, "invalid_parameter", "between 0.5 and 1"),
    (CROSS_VALIDATE, "folds", "1e999", 422, "invalid_request", "folds must be a whole number"),
    (SUGGEST, "n", "1e999", 422, "invalid_request", "n must be a whole number"),
)
TAGS = (
    ("21 tags", [f"tag {number}" for number in range(21)], "at most 20"),
    ("an empty tag", ["shop", ""], "tags[1] must have 1 to 64"),
    ("a long tag", ["shop", "x" * 65], "tags[1] must have 1 to 64"),
    ("a blank tag", ["shop", " "], "tags[1] must have 1 to 64"),
    ("a tag with a blank before it", ["shop", " a"], "without white space around"),
    ("a tag with a blank after it", ["shop", "a\n"], "without white space around"),
    ("a tag with a tab", ["shop", "a\tb"], "visible characters"),
    ("a tag with half a surrogate pair", ["shop", SURROGATE], "visible characters"),
)
DESCRIPTIONS = (
    ("a long description", "x" * 2_001, "description has 2001 characters; at most 2000"),
    ("half a surrogate pair in its description", SURROGATE, "description must be valid Unicode"),
)


def _ranges() -> Iterator[Refusal]:
    for endpoint, place, value, words, facts in RANGES:
        document = changed(endpoint.whole, place, value)
        number = f"{value}" if len(str(value)) < 30 else f"{str(value)[:5]}…"
        what = f"{'.'.join(map(str, place))} is {number}"
        yield sent(endpoint, what, document, 422, "invalid_parameter", str(place[0]), words, **facts)
    for endpoint, name, number, status, code, words in INFINITE:
        document = as_json({**endpoint.whole, name: "HERE"}).replace(b'"HERE"', number.encode())
        yield sent(endpoint, f"{name} is {number}", document, status, code, words)
    for endpoint in (FIT, DESCRIBE):
        for what, tags, words in TAGS:
            document = {**endpoint.whole, "tags": tags}
            yield sent(endpoint, what, document, 422, "invalid_parameter", words, parameter="tags")
        for what, description, words in DESCRIPTIONS:
            document = {**endpoint.whole, "description": description}
            yield sent(endpoint, what, document, 422, "invalid_parameter", words, parameter="description")
    for endpoint in (PROMOTE, ROLLBACK):
        for key in ("reason", "author"):
            for what, said in (("long", "x" * 501), ("half a surrogate pair", SURROGATE)):
                document = {**endpoint.whole, key: said}
                words = f"{key} must be valid Unicode of at most 500"
                yield sent(endpoint, f"{key} is {what}", document, 422, "invalid_parameter", words, parameter=key)


# Texts and forms of a predict and a suggestion

WRONG_TEXTS = (
    ("is empty", "", "is empty"),
    ("is blank", " \n\t", "is blank"),
    ("is one wide blank", "\u3000", "is blank"),
    ("has half a surrogate pair", SURROGATE, "is not valid Unicode"),
    ("has the other half", "\udc00", "is not valid Unicode"),
    ("has two halves the wrong way round", "\ude00\ud83d", "is not valid Unicode"),
)
TEXT_LIMIT: Mapping[str, Any] = {"limit": 600, "setting": "WINDROW_MAX_TEXT_CHARS"}
# Fields of a predict, words.
FORMS = (
    ("neither a name nor a text", {"top_k": 1}, "model_name (or model_names) is missing"),
    ("no name, and two kinds of text", {"text": "a", "texts": ["a"]}, "model_name (or model_names) is missing"),
    ("two kinds of name, and no text", {"model_name": "a", "model_names": ["a"]}, "text (or texts) is missing"),
    ("text and texts", {"model_name": "tickets_v1", "text": "a", "texts": ["a"]}, "Only one of text and texts"),
    (
        "model_name and model_names",
        {"model_name": "tickets_v1", "model_names": ["tickets_v2"], "text": "a"},
        "Only one of model_name and model_names",
    ),
    ("many names and many texts", {"model_names": ["tickets_v1"], "texts": ["a"]}, "model_names goes with text"),
    (
        "all four",
        {"model_name": "tickets_v1", "model_names": ["tickets_v1"], "text": "a", "texts": ["a"]},
        "Only one of model_name and model_names",
    ),
    ("a text that is null", {"model_name": "tickets_v1", "text": None}, "text (or texts) is missing"),
    ("a name that is null", {"model_name": None, "text": "a"}, "model_name (or model_names) is missing"),
    ("four nulls", dict.fromkeys(("model_name", "model_names", "text", "texts")), "is missing"),
)


# What is sent as labels, words.
WRONG_LABELS: tuple[tuple[str, object, str], ...] = (
    ("none", [], "labels has 0 entries, and needs at least 1"),
    ("a blank one", ["a", " "], "Entry 1 of labels (from 0) is blank"),
    ("an empty one", ["", "a"], "Entry 0 of labels (from 0) is empty"),
    ("half a surrogate pair", ["a", SURROGATE], "Entry 1 of labels (from 0) is not valid Unicode"),
    ("a long one", ["a", "b" * 257], "Entry 1 of labels (from 0) has 257 characters"),
    ("one twice", ["a", "b", "a"], "Entry 2 of labels (from 0) is 'a' again, which is entry 0 already"),
)
# What is sent as a template, words.
WRONG_TEMPLATES: tuple[tuple[str, str, str], ...] = (
    ("no place", "This text is about it", "must hold {} exactly once"),
    ("two places", "{} or {}", "and holds it 2 times"),
    ("a named place", "{label}", "and holds it 0 times"),
    ("too much", "{}" + "x" * 999, "has 1001 characters"),
    ("nothing", "", "and holds it 0 times"),
)


def _labels_to_choose_from() -> Iterator[Refusal]:
    whole: Any = {key: value for key, value in CLASSIFY.whole.items() if key != "label_descriptions"}
    for what, labels, words in WRONG_LABELS:
        document = {**whole, "labels": labels}
        yield sent(CLASSIFY, f"labels: {what}", document, 422, "invalid_parameter", words, parameter="labels")
    single = {**whole, "labels": ["a"], "multi_label": False}
    words = "labels has 1 entry, and needs at least 2"
    yield sent(CLASSIFY, "one label", single, 422, "invalid_parameter", words, "send multi_label=true", count=1)
    document, words = {**whole, "labels": list("abcde")}, "labels has 5 entries"
    yield sent(CLASSIFY, "5 labels", document, 422, "limit_exceeded", words, limit=4, setting="WINDROW_MAX_LABELS")
    for what, template, words in WRONG_TEMPLATES:
        document = {**whole, "hypothesis_template": template}
        yield sent(
            CLASSIFY, f"a template with {what}", document, 422, "invalid_parameter", words, "This text is about {}"
        )
    for what, model, words in (("blank", " ", "model is blank"), ("long", "m" * 201, "model has more than 200")):
        yield sent(CLASSIFY, f"a {what} model", {**whole, "model": model}, 422, "invalid_parameter", words)
    for what, described, words in (
        ("of no label", {"other": "a"}, "label_descriptions describes what is not among labels: 'other'"),
        ("that is blank", {"billing": " "}, "the description of 'billing' is blank"),
        ("that is long", {"billing": "a" * 2_001}, "the description of 'billing' has 2001 characters"),
    ):
        document = {**whole, "label_descriptions": described}
        yield sent(CLASSIFY, f"a description {what}", document, 422, "invalid_parameter", words)
    document, words = {**whole, "texts": ["a"]}, "Only one of text and texts may be there"
    yield sent(CLASSIFY, "text and texts", document, 422, "invalid_request", words)


def _texts() -> Iterator[Refusal]:
    for what, text, words in WRONG_TEXTS:
        for endpoint in (PREDICT, MANY_NAMES, CLASSIFY):
            document = {**endpoint.whole, "text": text}
            yield sent(endpoint, f"text {what}", document, 422, "invalid_text", "The text", words, index=0)
        for endpoint in (MANY_TEXTS, CLASSIFY_TEXTS, SUGGEST):
            document = changed(endpoint.whole, ("texts", 1), text)
            yield sent(endpoint, f"texts[1] {what}", document, 422, "invalid_text", "texts[1]", words, index=1)
    for endpoint in (PREDICT, MANY_NAMES, CLASSIFY):
        document = {**endpoint.whole, "text": SECRET * 24}
        words = "The text has 624 characters"
        yield sent(endpoint, "text is long", document, 422, "limit_exceeded", words, index=0, **TEXT_LIMIT)
    for endpoint in (MANY_TEXTS, SUGGEST):
        document = changed(endpoint.whole, ("texts", 1), SECRET * 24)
        words = "texts[1] has 624 characters"
        yield sent(endpoint, "texts[1] is long", document, 422, "limit_exceeded", words, index=1, **TEXT_LIMIT)
    for what, form, words in FORMS:
        yield sent(PREDICT, what, form, 422, "invalid_request", words)
    for endpoint, name, low, high in ((MANY_TEXTS, "texts", 1, 10), (MANY_NAMES, "model_names", 1, 5)):
        facts = {"parameter": name, "minimum": low, "maximum": high}
        document = {**endpoint.whole, name: []}
        words = f"{name} is empty"
        yield sent(endpoint, words, document, 422, "invalid_parameter", words, f"between {low} and {high}", **facts)
    yield sent(
        MANY_TEXTS,
        "11 texts",
        {**MANY_TEXTS.whole, "texts": ["a"] * 11},
        422,
        "limit_exceeded",
        "texts has 11 entries",
        "WINDROW_MAX_TEXTS",
        limit=10,
        setting="WINDROW_MAX_TEXTS",
    )
    yield sent(
        MANY_NAMES,
        "6 names",
        {**MANY_NAMES.whole, "model_names": ["tickets_v1"] * 6},
        422,
        "limit_exceeded",
        "model_names has 6 entries",
        "WINDROW_MAX_MODEL_NAMES",
        limit=5,
        setting="WINDROW_MAX_MODEL_NAMES",
    )
    for endpoint in (MANY_TEXTS, MANY_NAMES):
        document = {**endpoint.whole, "explain": True}
        words = "explain goes with one text and one classifier"
        yield sent(endpoint, "explain", document, 422, "invalid_parameter", words, parameter="explain")
    yield sent(
        SUGGEST,
        "texts is empty",
        {**SUGGEST.whole, "texts": []},
        422,
        "invalid_parameter",
        "texts is empty",
        parameter="texts",
    )
    yield sent(
        SUGGEST,
        "20,001 texts",
        {**SUGGEST.whole, "texts": ["a"] * 20_001},
        422,
        "limit_exceeded",
        "texts has 20001 entries",
        limit=20_000,
        setting="WINDROW_MAX_ROWS",
    )
    for what, names, words in (
        ("no name", [], "model_names has 0."),
        ("one name", ["tickets_v1"], "model_names has 1."),
        ("21 names", [f"name_v{number}" for number in range(21)], "model_names has 21."),
    ):
        facts = {"parameter": "model_names", "minimum": 2, "maximum": 20}
        document = {**COMPARE.whole, "model_names": names}
        yield sent(COMPARE, what, document, 422, "invalid_parameter", words, "2 to 20", **facts)
    yield sent(
        COMPARE,
        "a name twice",
        {**COMPARE.whole, "model_names": ["tickets_v1", "tickets_v2", "tickets_v1"]},
        422,
        "invalid_parameter",
        "model_names has tickets_v1 twice",
        parameter="model_names",
    )


# Names

WRONG_NAMES = (
    ("empty", ""),
    ("a blank", " "),
    ("a blank around", " tickets_v1"),
    ("a line break behind", "tickets_v1\n"),
    ("a slash", "a/b"),
    ("a path upwards", "../tickets_v1"),
    ("two dots", ".."),
    ("a backslash", "a\\b"),
    ("percent signs", "%2e%2e"),
    ("a dot in front", ".hidden"),
    ("a minus in front", "-rf"),
    ("an underscore in front", "_private"),
    ("an umlaut", "ticketsä"),
    ("a digit of another script", "tickets_٣"),
    ("a wide letter", "\uff54ickets"),
    ("a byte that is zero", "a\x00b"),
    ("half a surrogate pair", "a\ud800"),
    ("129 characters", "a" * 129),
    ("100,000 characters", "a" * 100_000),
    ("an at alone", "@"),
    ("revision 0", "tickets_v1@0"),
    ("a negative revision", "tickets_v1@-1"),
    ("a revision with a zero in front", "tickets_v1@01"),
    ("a revision in words", "tickets_v1@first"),
    ("LATEST in capitals", "tickets@LATEST"),
    ("two revisions", "tickets_v1@1@2"),
    ("a revision of 19 digits", "tickets_v1@1000000000000000000"),
)
# What names a classifier that there is, but is no name that one could have.
NO_OWN_NAMES = (("a revision", "tickets_v1@1"), ("a task's highest version", "tickets@latest"))


def _names() -> Iterator[Refusal]:
    for endpoint in (FIT, PREDICT, EVALUATE, REPORT, SUGGEST, PROMOTE):
        for what, name in WRONG_NAMES:
            document = {**endpoint.whole, "model_name": name}
            words = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
            yield sent(endpoint, f"a name with {what}", document, 422, "invalid_name", words, name=name[:140])
    for endpoint in (MANY_NAMES, COMPARE):
        for what, name in WRONG_NAMES:
            document = changed(endpoint.whole, ("model_names", 1), name)
            words = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
            yield sent(endpoint, f"a second name with {what}", document, 422, "invalid_name", words, name=name[:140])
    for what, name in NO_OWN_NAMES:
        document = {**FIT.whole, "model_name": name}
        yield sent(FIT, f"{what} for a name", document, 422, "invalid_name", "is no name of its own", name=name)


# Base models

NO_IDS = ("", " ", "../../etc/passwd", "/etc", "*", "all-MiniLM-L6-v2", "a/b/c", "..", SURROGATE)
# Endpoint, base model, status, code, words, facts.
BASE_MODEL_IDS: tuple[tuple[Endpoint, str, int, str, str, Mapping[str, Any]], ...] = (
    *(
        (FIT, base_model, 422, "base_model_not_allowed", "is not allowed", {"base_model": base_model})
        for base_model in (*NO_IDS, "nobody/nothing")
    ),
    *(
        (CROSS_VALIDATE, base_model, 422, "invalid_parameter", "owner/name", {"parameter": "base_model"})
        for base_model in NO_IDS
    ),
    (CROSS_VALIDATE, "nobody/nothing", 422, "base_model_not_allowed", "WINDROW_ALLOWED_BASE_MODELS", {}),
    (FIT, "BAAI/bge-small-en-v1.5", 503, "base_model_unavailable", "is not on this machine", {}),
    (CROSS_VALIDATE, "BAAI/bge-small-en-v1.5", 503, "base_model_unavailable", "is not on this machine", {}),
)


def _base_models() -> Iterator[Refusal]:
    for endpoint, base_model, status, code, words, facts in BASE_MODEL_IDS:
        document = {**endpoint.whole, "base_model": base_model}
        yield sent(endpoint, f"the base model {base_model!a}", document, status, code, words, **facts)


# What does not exist, and what is in the way

# A reference to what is not there, status, code, words, facts.
ABSENT: tuple[tuple[str, int, str, str, Mapping[str, Any]], ...] = (
    ("ticket_v1", 404, "classifier_not_found", "tickets_v1", {"model_name": "ticket_v1"}),
    ("Tickets_V1", 404, "classifier_not_found", "tickets_v1", {"model_name": "Tickets_V1"}),
    ("nothing_like_it", 404, "classifier_not_found", "nothing_like_it", {"near_names": []}),
    ("gone_v1", 404, "classifier_not_found", "was deleted", {"near_names": []}),
    ("tickets_v1@7", 404, "revision_not_found", "has no revision 7", {"revisions": [1, 2]}),
    (
        "nothing@latest",
        404,
        "classifier_not_found",
        "The task nothing has no version",
        {"model_name": "nothing@latest"},
    ),
    ("tickets_v1@latest", 404, "classifier_not_found", "The task tickets_v1 has no version", {}),
)


def _absent() -> Iterator[Refusal]:
    for name, status, code, words, facts in ABSENT:
        for endpoint in (PREDICT, EVALUATE, REPORT, SUGGEST, PROMOTE):
            document = {**endpoint.whole, "model_name": name}
            yield sent(endpoint, f"of {name}", document, status, code, words, **facts)
        for endpoint in (MANY_NAMES, COMPARE):
            document = changed(endpoint.whole, ("model_names", 1), name)
            yield sent(endpoint, f"the second is {name}", document, status, code, words, **facts)
        for method, end in (("GET", ""), ("GET", "/export"), ("POST", "/reproduce")):
            yield asked(method, f"{MODELS}/{name}{end}", status, code, words, **facts)


def _absent_names() -> Iterator[Refusal]:
    # None of these looks up what an alias or a task means.
    for name, words, near in (
        ("ticket_v1", "There is no classifier named ticket_v1", None),
        ("nothing_like_it", "There is no classifier named nothing_like_it", []),
        ("live", "live is an alias; it points to tickets_v1", ["tickets_v1"]),
    ):
        facts = {"model_name": name} if near is None else {"model_name": name, "near_names": near}
        row = (404, "classifier_not_found", words)
        yield asked("DELETE", f"{MODELS}/{name}", *row, **facts)
        yield asked("DELETE", f"{MODELS}/{name}?purge=true&force=true", *row, **facts)
        yield asked("POST", f"{MODELS}/{name}/restore", *row, **facts)
        yield Refusal(f"PATCH {name}", "PATCH", f"{MODELS}/{name}", JSON, as_json(DESCRIBE.whole), *row[:2], (words,))
    yield Refusal(
        "PATCH gone_v1",
        "PATCH",
        f"{MODELS}/gone_v1",
        JSON,
        as_json(DESCRIBE.whole),
        404,
        "classifier_not_found",
        ("gone_v1 was deleted",),
    )
    yield asked("DELETE", f"{MODELS}/gone_v1", 404, "classifier_not_found", "gone_v1 was deleted")
    yield asked("DELETE", f"{MODELS}/tickets_v1@7?purge=true", 404, "revision_not_found", "no revision 7")
    yield asked("POST", f"{MODELS}/tickets_v1@7/restore", 404, "revision_not_found", "no revision 7", revision=7)


def _absent_others() -> Iterator[Refusal]:
    for method, end in (("GET", "/history"), ("POST", "/rollback"), ("DELETE", "")):
        for alias, words, near in (("lve", "live", ["live"]), ("quite_another", "no alias named quite_another", [])):
            path = f"{ALIASES}/{alias}{end}"
            yield asked(method, path, 404, "alias_not_found", words, alias=alias, near_names=near)
        path = f"{ALIASES}/tickets_v1{end}"
        yield asked(method, path, 404, "alias_not_found", "There is no alias named tickets_v1")
    for method, end in (("POST", "/rollback"), ("DELETE", "")):
        yield asked(method, f"{ALIASES}/former{end}", 404, "alias_not_found", "There is no alias named former")
    for method, end in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        for job in ("unknown", "0", "20250101-000000-abcdef", "..", "{job}x", "%C3%A9"):
            yield asked(method, f"{JOBS}/{job}{end}", 404, "job_not_found", "There is no job")
    for base_model in ("nobody/nothing", "BAAI/bge-small-en-v1.5", "nobody%2Fnothing"):
        path = f"{BASE_MODELS}/{base_model}"
        yield asked("DELETE", path, 404, "base_model_not_found", "is not on this machine", "all-MiniLM-L6-v2")
    for base_model in ("nothing", "", "..", "../..", "a/b/c", "%2e%2e/%2e%2e", "-/-", "a/", "/a", "%C3%A9/a", "a%00/b"):
        path = f"{BASE_MODELS}/{base_model}"
        yield asked("DELETE", path, 422, "invalid_parameter", "owner/name", parameter="base_model")


def _in_the_way() -> Iterator[Refusal]:
    yield sent(
        FIT,
        "the name exists and overwrite is false",
        {**FIT.whole, "model_name": "tickets_v1", "overwrite": False},
        409,
        "classifier_exists",
        "tickets_v1",
        "overwrite=true",
        model_name="tickets_v1",
    )
    for query in ("?dry_run=true", "?wait=false", "?wait=false&dry_run=true"):
        for what, fields, row in (
            ("the name exists", {"model_name": "tickets_v1", "overwrite": False}, (409, "classifier_exists")),
            ("the name is an alias", {"model_name": "live"}, (409, "name_taken")),
            ("no row", {"training_data": []}, (422, "invalid_training_data")),
            ("seed -1", {"seed": -1}, (422, "invalid_parameter")),
            ("a base model that is not allowed", {"base_model": "nobody/nothing"}, (422, "base_model_not_allowed")),
            ("a wrong type", {"seed": "1"}, (422, "invalid_request")),
        ):
            body = as_json({**FIT.whole, **fields})
            yield Refusal(f"fit{query}: {what}", "POST", f"{FIT.path}{query}", JSON, body, *row)
    for name, words in (("live", "live"), ("TICKETS_V1", "tickets_v1"), ("Live", "live")):
        document = {**FIT.whole, "model_name": name}
        yield sent(FIT, f"the name {name}", document, 409, "name_taken", words)
    for alias in ("tickets_v1", "Tickets_v1", "LIVE"):
        body = as_json({"model_name": "tickets_v2"})
        yield Refusal(f"promote: alias {alias}", "PUT", f"{ALIASES}/{alias}", JSON, body, 409, "name_taken", (alias,))


def _gate() -> Iterator[Refusal]:
    document: dict[str, Any]
    for what, alias, document in (
        (
            "a recall that is not reached",
            "live",
            {"model_name": "tickets_v2", "require": {"test_data": ROWS[1:], "min_recall": {"refund": 1}}},
        ),
        (
            "worse than what is there",
            "live",
            {"model_name": "tickets_v2", "require": {"test_data": ROWS[1:], "not_worse": True}},
        ),
        (
            "a row of require.must_pass that is placed wrong",
            "live",
            {"model_name": "tickets_v2", "require": {"must_pass": ROWS[1:2]}},
        ),
        ("a row of must_pass that is placed wrong", "live", {"model_name": "tickets_v2", "must_pass": ROWS[1:2]}),
        ("a row that the alias keeps", "strict", {"model_name": "tickets_v2"}),
        (
            "not yet an alias, and a row that is placed wrong",
            "fresh",
            {"model_name": "tickets_v2", "must_pass": ROWS[1:2]},
        ),
    ):
        row = (409, "promotion_refused", (f"tickets_v2 was not promoted, and the alias {alias} stays as it is",))
        yield Refusal(f"promote: {what}", "PUT", f"{ALIASES}/{alias}", JSON, as_json(document), *row)
    for what, require, code, words, parameter in (
        ("not_worse without rows", {"not_worse": True}, "invalid_parameter", "need labelled rows", "test_data"),
        (
            "min_recall without rows",
            {"min_recall": {"refund": 0.5}},
            "invalid_parameter",
            "need labelled rows",
            "test_data",
        ),
        ("rows without a use", {"test_data": ROWS}, "invalid_parameter", "alone asks for nothing", "not_worse"),
        (
            "a recall of a label without a row",
            {"test_data": ROWS, "min_recall": {"refnd": 0.5}},
            "invalid_parameter",
            "names the label 'refnd'",
            "min_recall",
        ),
        (
            "rows of labels that nobody knows",
            {"test_data": STRANGE_LABELS, "not_worse": True},
            "invalid_test_data",
            "No label of require.test_data is known",
            "test_data",
        ),
    ):
        document = {"model_name": "tickets_v1", "require": require}
        yield sent(PROMOTE, what, document, 422, code, words, parameter=f"require.{parameter}")


def _changes() -> Iterator[Refusal]:
    yield asked("POST", f"{ALIASES}/live/rollback", 409, "nothing_to_roll_back", "No promotion", alias="live")
    yield sent(ROLLBACK, "nothing to take back", ROLLBACK.whole, 409, "nothing_to_roll_back", "No promotion")
    yield asked(
        "POST", f"{ALIASES}/orphan/rollback", 409, "nothing_to_roll_back", "lost_v1 before, which does not answer"
    )
    for query in ("", "?purge=true", "?force=false"):
        yield asked("DELETE", f"{MODELS}/tickets_v1{query}", 409, "classifier_in_use", "force=true")
    for query in ("prefix=tickets", "task=tickets", "tag=tickets", "prefix=tickets&purge=true"):
        yield asked("DELETE", f"{MODELS}?{query}", 409, "classifier_in_use", "nothing was deleted", "force=true")
    yield asked("DELETE", f"{MODELS}/tickets_v1@2?purge=true&force=true", 409, "classifier_in_use", "Revision 2")
    for query in ("", "?force=true", "?purge=false"):
        path = f"{MODELS}/tickets_v1@1{query}"
        yield asked("DELETE", path, 422, "invalid_parameter", "purge=true", parameter="purge")
    for query in ("", "?dry_run=true", "?purge=true", "?force=true&purge=true"):
        path = f"{MODELS}{query}"
        yield asked("DELETE", path, 422, "invalid_parameter", "Nothing says which classifiers", parameter="prefix")
    for name in ("tickets_v1", "tickets_v2", "tickets_v1@2"):
        yield asked("POST", f"{MODELS}/{name}/restore", 409, "not_deleted")
    yield asked("POST", f"{MODELS}/bare_v1/reproduce", 409, "training_data_not_kept", "bare_v1", model_name="bare_v1")
    yield asked(
        "GET",
        f"{MODELS}/bare_v1/export?include_training_data=true",
        409,
        "training_data_not_kept",
        "bare_v1",
        model_name="bare_v1",
    )
    yield asked("POST", f"{JOBS}/{{job}}/cancel", 409, "job_finished", "nothing to cancel", state="succeeded")
    yield sent(CANCEL, "a job that has ended", {}, 409, "job_finished", "nothing to cancel", state="succeeded")
    yield asked("DELETE", BUNDLED, 409, "base_model_in_use", "all-MiniLM-L6-v2")


# Paths

# As they stand in a path: percent-encoded where they must be.
PATH_NAMES = (
    "%20",
    "a%20b",
    "a/b",
    "a%2Fb",
    "../tickets_v1",
    "..%2Ftickets_v1",
    "%2e%2e%2ftickets_v1",
    "..",
    ".",
    "%5C",
    ".hidden",
    "-rf",
    "_private",
    "%C3%A9",
    "%ff",
    "%00",
    "tickets_v1%00",
    "%25",
    "%",
    "%zz",
    "+",
    "tickets_v1;a=b",
    "tickets_v1/",
    "/tickets_v1",
    "a" * 129,
    "a" * 5_000,
    "@",
    "tickets_v1@0",
    "tickets_v1@-1",
    "tickets_v1@01",
    "tickets_v1@first",
    "tickets_v1%40",
    "tickets_v1@1@2",
)


ACTIONS = (("GET", ""), ("DELETE", ""), ("POST", "/restore"), ("POST", "/reproduce"), ("GET", "/export"))


def _paths() -> Iterator[Refusal]:
    grammar = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
    for name in (*PATH_NAMES, ""):
        for method, end in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/restore"),
            ("POST", "/reproduce"),
            ("GET", "/export"),
        ):
            yield asked(method, f"{MODELS}/{name}{end}", 422, "invalid_name", grammar)
        for method, end in (("DELETE", ""), ("GET", "/history"), ("POST", "/rollback")):
            yield asked(method, f"{ALIASES}/{name}{end}", 422, "invalid_name", grammar)
        for endpoint, path in ((DESCRIBE, f"{MODELS}/{name}"), (PROMOTE, f"{ALIASES}/{name}")):
            yield Refusal(
                f"{endpoint.method} {shown(path)}",
                endpoint.method,
                path,
                JSON,
                as_json(endpoint.whole),
                422,
                "invalid_name",
                (grammar,),
            )
    for name in ("tickets_v1@1", "tickets@latest"):
        row = (422, "invalid_name", ("is no name of its own", name.partition("@")[0]), {"name": name})
        yield Refusal(f"PATCH {name}", "PATCH", f"{MODELS}/{name}", JSON, as_json(DESCRIBE.whole), *row)
        yield Refusal(f"PUT {name}", "PUT", f"{ALIASES}/{name}", JSON, as_json(PROMOTE.whole), *row)
        for method, end in (("DELETE", ""), ("GET", "/history"), ("POST", "/rollback")):
            yield asked(method, f"{ALIASES}/{name}{end}", 422, "invalid_name", "is no name of its own", name=name)
    for method, end in (("DELETE", ""), ("POST", "/restore")):
        path = f"{MODELS}/tickets@latest{end}"
        yield asked(method, path, 422, "invalid_name", "another classifier tomorrow", name="tickets@latest")


UNKNOWN_PATHS = (
    "//",
    "/v1",
    "/v1/",
    "/v1/classifier",
    "/v1/classifier/",
    "/v1/classifier/fit/",
    "/v1/classifier/Fit",
    "/V1/classifier/fit",
    "/v1//classifier/fit",
    "//v1/classifier/fit",
    "/v1/classifier/fit%20",
    "/v1/classifier/fit%00",
    "/v1/classifier/train",
    "/v1/classifier/predict/tickets_v1",
    "/v1/classifier/classify",
    "/v1/classify/",
    "/v1/Classify",
    "/v1/classifier/cross_validate",
    "/v1/classifier/cross-validate/",
    "/v1/classifier/base_models",
    "/v1/classifier/alias",
    "/v1/classifier/job",
    "/v1/classifier/jobs/",
    "/v1/classifier/jobs/a/b",
    "/v1/classifier/jobs/a%2Fb",
    "/v1/classifier/jobs/a/events/",
    "/v1/classifier/../classifier/fit",
    "/v2/classifier/fit",
    "/v1/classifiers",
    "/health/",
    "/health/live/",
    "/health/ready/",
    "/Health",
    "/healthz",
    "/metrics/",
    "/openapi.yaml",
    "/favicon.png",
    "/.env",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%C3%A9",
    "/" + "a" * 5_000,
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
# Path, the methods that it knows.
KNOWN_METHODS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (f"{API}/fit", ("POST",)),
    (f"{API}/predict", ("POST",)),
    ("/v1/classify", ("POST",)),
    (f"{API}/predict-files", ("POST",)),
    (f"{API}/evaluate", ("POST",)),
    (f"{API}/report", ("POST",)),
    (f"{API}/compare", ("POST",)),
    (f"{API}/cross-validate", ("POST",)),
    (f"{API}/suggest", ("POST",)),
    (f"{API}/fsck", ("POST",)),
    (f"{API}/usage", ("GET", "HEAD")),
    (f"{API}/forget", ("POST",)),
    (f"{API}/audit", ("GET", "HEAD")),
    (f"{API}/keys", ("GET", "HEAD", "POST")),
    (f"{API}/keys/shop", ("DELETE",)),
    (f"{API}/keys/shop/limits", ("PUT",)),
    (f"{API}/jobs", ("GET", "HEAD")),
    (f"{API}/jobs/{{job}}", ("GET", "HEAD")),
    (f"{API}/jobs/{{job}}/events", ("GET",)),
    (f"{API}/jobs/{{job}}/cancel", ("POST",)),
    (f"{API}/models", ("DELETE", "GET", "HEAD")),
    (f"{API}/models/tickets_v1", ("DELETE", "GET", "HEAD", "PATCH")),
    (f"{API}/models/tickets_v1@1", ("DELETE", "GET", "HEAD", "PATCH")),
    (f"{API}/models/import", ("DELETE", "GET", "HEAD", "PATCH", "POST")),
    (f"{API}/aliases", ("GET", "HEAD")),
    (f"{API}/aliases/live", ("DELETE", "PUT")),
    (f"{API}/aliases/live/history", ("GET", "HEAD")),
    (f"{API}/aliases/live/rollback", ("POST",)),
    *((f"{MODELS}/tickets_v1/{end}", ("POST",)) for end in ("copy", "reproduce", "restore")),
    (f"{MODELS}/tickets_v1/export", ("GET", "HEAD")),
    (f"{MODELS}/tickets_v1/threshold", ("PUT",)),
    (f"{JOBS}/some_id/cancel", ("POST",)),
    (f"{JOBS}/some_id/events", ("GET",)),
    (f"{API}/base-models", ("GET", "HEAD")),
    (BUNDLED, ("DELETE",)),
    ("/", ("GET", "HEAD")),
    ("/favicon.ico", ("GET", "HEAD")),
    ("/health", ("GET", "HEAD")),
    ("/health/live", ("GET", "HEAD")),
    ("/health/ready", ("GET", "HEAD")),
    ("/metrics", ("GET", "HEAD")),
)


def _unknown_paths() -> Iterator[Refusal]:
    for path in UNKNOWN_PATHS:
        for method in ("GET", "HEAD", "POST", "DELETE"):
            yield asked(method, path, 404, "not_found", "No endpoint has this path", "/docs shows them all")
    for path, known in KNOWN_METHODS:
        for method in METHODS:
            if method not in known:
                facts = {"allowed": list(known)}
                yield asked(method, path, 405, "method_not_allowed", method, *known, **facts)
    for path in ("/docs", "/openapi.json"):
        yield asked("POST", path, 405, "method_not_allowed", "POST", "GET", "HEAD")


# Queries

# Method, path, the parameters that it takes.
PARAMETERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("POST", FIT.path, ("dry_run", "wait")),
    ("POST", PREDICT.path, ()),
    ("POST", PREDICT_FILES.path, ()),
    ("POST", EVALUATE.path, ()),
    ("POST", REPORT.path, ()),
    ("POST", COMPARE.path, ()),
    ("POST", CROSS_VALIDATE.path, ()),
    ("POST", SUGGEST.path, ()),
    ("GET", JOBS, ("limit",)),
    ("GET", BIND.path, ()),
    ("PUT", BIND.path, ()),
    ("GET", f"{JOBS}/{{job}}", ()),
    ("GET", f"{JOBS}/{{job}}/events", ()),
    ("POST", CANCEL.path, ()),
    (
        "GET",
        MODELS,
        ("task", "prefix", "tag", "base_model", "sort", "limit", "cursor", "deleted", "full", "unused_days"),
    ),
    ("DELETE", MODELS, ("task", "prefix", "tag", "base_model", "dry_run", "purge", "force")),
    ("GET", f"{MODELS}/tickets_v1", ()),
    ("PATCH", DESCRIBE.path, ()),
    ("DELETE", f"{MODELS}/tickets_v1", ("purge", "force")),
    ("POST", RESTORE.path, ()),
    ("POST", REPRODUCE.path, ()),
    ("GET", f"{MODELS}/tickets_v1/export", ("include_training_data", "to")),
    ("POST", IMPORT, ("model_name", "overwrite", "dry_run")),
    ("GET", ALIASES, ()),
    ("PUT", PROMOTE.path, ()),
    ("DELETE", f"{ALIASES}/live", ("reason", "author")),
    ("GET", f"{ALIASES}/live/history", ()),
    ("POST", ROLLBACK.path, ()),
    ("GET", BASE_MODELS, ()),
    ("DELETE", BUNDLED, ()),
    ("GET", f"{API}/usage", ()),
    ("POST", FSCK.path, ()),
    ("POST", FORGET.path, ()),
    ("GET", AUDIT, ("since", "key_name", "target", "verb", "limit", "cursor")),
    ("POST", CREATE_KEY.path, ()),
    ("GET", CREATE_KEY.path, ()),
    ("PUT", LIMIT_KEY.path, ()),
    ("DELETE", f"{API}/keys/shop", ()),
    ("GET", "/health", ()),
    ("GET", "/health/live", ()),
    ("GET", "/health/ready", ()),
    ("GET", "/metrics", ()),
)
# Method, path, a parameter that it does not take, what was probably meant.
MISSPELT = (
    ("POST", FIT.path, "dryrun", "dry_run"),
    ("POST", FIT.path, "Wait", "wait"),
    ("GET", JOBS, "limits", "limit"),
    ("GET", MODELS, "lmit", "limit"),
    ("GET", MODELS, "tags", "tag"),
    ("GET", MODELS, "Limit", "limit"),
    ("GET", MODELS, "prefx", "prefix"),
    ("GET", MODELS, "basemodel", "base_model"),
    ("GET", MODELS, "next_cursor", "cursor"),
    ("GET", MODELS, "limit%20", "limit"),
    ("DELETE", MODELS, "prefx", "prefix"),
    ("DELETE", MODELS, "dry-run", "dry_run"),
    ("DELETE", f"{MODELS}/tickets_v2", "purged", "purge"),
    ("GET", f"{MODELS}/tickets_v1/export", "include_training_dat", "include_training_data"),
    ("POST", IMPORT, "modelname", "model_name"),
    ("POST", IMPORT, "overwite", "overwrite"),
    ("DELETE", f"{ALIASES}/live", "reasons", "reason"),
)
# Method, path with what selects something, a parameter that is true or false.
FLAGS = (
    ("DELETE", f"{MODELS}?prefix=none&", "dry_run"),
    ("DELETE", f"{MODELS}?prefix=none&", "purge"),
    ("DELETE", f"{MODELS}?prefix=none&", "force"),
    ("DELETE", f"{MODELS}/tickets_v2?", "purge"),
    ("DELETE", f"{MODELS}/tickets_v2?", "force"),
    ("GET", f"{MODELS}?", "deleted"),
    ("GET", f"{MODELS}?", "full"),
    ("GET", f"{MODELS}/tickets_v1/export?", "include_training_data"),
)
NO_FLAGS = ("", "yes", "no", "True", "FALSE", "on", "2", "-1", "01", "null", "true%20", "%20true", "true,true", "t")
LIMITS = (
    *(("is no whole number", text) for text in ("", "ten", "1.5", "1e2", "%205", "5%20", "%2B5", "0x5", "--5", "null")),
    *(("is no whole number", text) for text in ("%EF%BC%95", "%D9%A3", "1_000", "1,000", "9999999999", "9" * 5_000)),
    *(("must lie between 1 and 1000", text) for text in ("0", "-1", "1001", "999999999", "-0")),
)
CURSORS = ("", "!!!", "a", "%00", "LS0t", "Li4", "dGlja2V0cw%3D%3D%3D", "dGlja2V0c_8", "%C3%A9", "a" * 5_000)
SORTS = ("Name", "created", "-", "--name", "name,-name", "name%20", "+name", "0")


def _queries() -> Iterator[Refusal]:
    for method, path, known in PARAMETERS:
        words = ("colour is no parameter", *known) if known else ("colour is no parameter", "it takes none")
        facts = {"parameter": "colour", "known": sorted(known)}
        yield asked(method, f"{path}?colour=red", 422, "invalid_request", *words, **facts)
        yield asked(method, f"{path}?colour", 422, "invalid_request", *words, **facts)
        for name in known:
            words = (f"{name} stands twice",)
            yield asked(method, f"{path}?{name}=1&{name}=1", 422, "invalid_request", *words, parameter=name)
            encoded = f"%{ord(name[0]):X}{name[1:]}"
            yield asked(method, f"{path}?{name}&{encoded}=", 422, "invalid_request", *words, parameter=name)
    for method, path, name, meant in MISSPELT:
        yield asked(method, f"{path}?{name}=true", 422, "invalid_request", f"did you mean {meant}?")
    long = f"{MODELS}?{'x' * 5_000}=1"
    yield asked("GET", long, 422, "invalid_request", f"{'x' * 40}… is no parameter", parameter=f"{'x' * 40}…")
    many = "&".join(f"p{number}=1" for number in range(5_000))
    yield asked("GET", f"{MODELS}?{many}", 422, "invalid_request", "p0 is no parameter", parameter="p0")


def _flags() -> Iterator[Refusal]:
    for method, path, name in FLAGS:
        for said in NO_FLAGS:
            words = f"{name} is neither true nor false"
            yield asked(method, f"{path}{name}={said}", 422, "invalid_parameter", words, parameter=name)
    for said in NO_FLAGS:
        for name in ("dry_run", "wait"):
            row = (422, "invalid_parameter", (f"{name} is neither true nor false",), {"parameter": name})
            path = f"{FIT.path}?{name}={said}"
            yield Refusal(f"fit with {name}={said}", "POST", path, JSON, as_json(FIT.whole), *row)
        for name in ("overwrite", "dry_run"):
            row = (422, "invalid_parameter", (f"{name} is neither true nor false",), {"parameter": name})
            yield Refusal(f"import with {name}={said}", "POST", f"{IMPORT}?{name}={said}", ZIP, whole, *row)


def _filters() -> Iterator[Refusal]:
    for method in ("GET", "DELETE"):
        for name in ("task", "prefix", "tag", "base_model"):
            yield asked(method, f"{MODELS}?{name}=", 422, "invalid_parameter", f"{name} is empty", parameter=name)
            path = f"{MODELS}?{name}&full=true" if method == "GET" else f"{MODELS}?{name}&dry_run=true"
            yield asked(method, path, 422, "invalid_parameter", f"{name} is empty", parameter=name)
    yield asked("GET", f"{MODELS}?sort=", 422, "invalid_parameter", "sort is empty", parameter="sort")
    for sort in SORTS:
        yield asked("GET", f"{MODELS}?sort={sort}", 422, "invalid_parameter", "which is no order", parameter="sort")
    for path in (MODELS, JOBS):
        for words, limit in LIMITS:
            facts = {"parameter": "limit", "minimum": 1, "maximum": 1_000}
            yield asked("GET", f"{path}?limit={limit}", 422, "invalid_parameter", words, "between 1 and 1000", **facts)
    for cursor in CURSORS:
        words = "cursor is none that this server gave"
        yield asked("GET", f"{MODELS}?cursor={cursor}", 422, "invalid_parameter", words, parameter="cursor")
    # The classifier nothing_v1 does not exist, and sorted by anything but the name there is no place after it.
    path = f"{MODELS}?cursor=bm90aGluZ192MQ&sort=created_at"
    yield asked("GET", path, 422, "invalid_parameter", "Start again without cursor", parameter="cursor")
    for name in ("reason", "author"):
        path = f"{ALIASES}/live?{name}={'x' * 501}"
        yield asked("DELETE", path, 422, "invalid_parameter", f"{name} must be valid Unicode of at most 500")


# Files to import


def whole(export: bytes) -> bytes:
    """Return an exported classifier as it is."""
    return export


def half(export: bytes) -> bytes:
    """Return the first half of an exported classifier."""
    return export[: len(export) // 2]


def last_byte_missing(export: bytes) -> bytes:
    """Return an exported classifier without its last byte."""
    return export[:-1]


def byte_changed(export: bytes) -> bytes:
    """Return an exported classifier with another byte in its middle."""
    place = len(export) // 2
    return export[:place] + bytes([export[place] ^ 255]) + export[place + 1 :]


def more_behind(export: bytes) -> bytes:
    """Return an exported classifier with something behind it."""
    return export + b"more"


def twice(export: bytes) -> bytes:
    """Return two exported classifiers, one behind the other."""
    return export + export


def zipped(*files: tuple[str, bytes], compressed: bool = False) -> bytes:
    """Return a zip file."""
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


# What is sent, the body, words, and what it is for a program.
NO_EXPORTS: tuple[tuple[str, Body, str, str], ...] = (
    ("nothing", b"", "is empty", "not_a_zip"),
    ("a text", SECRET.encode(), "is no zip", "not_a_zip"),
    ("JSON", b"{}", "is no zip", "not_a_zip"),
    ("zeros", bytes(10_000), "is no zip", "not_a_zip"),
    ("the beginning of a zip file", b"PK\x03\x04", "is cut off", "truncated"),
    ("half an export", half, "is cut off", "truncated"),
    ("an export without its last byte", last_byte_missing, "is cut off", "truncated"),
    ("an empty zip file", zipped(), "holds no classifier.json", "missing_entry"),
    ("a zip file with a text", zipped(("a.txt", b"a")), "holds the file 'a.txt'", "unknown_entry"),
    ("a zip file with a path upwards", zipped(("../../a", b"a")), "holds the path '../../a'", "unsafe_path"),
    ("a zip file with a path from the root", zipped(("/etc/passwd", b"a")), "'/etc/passwd'", "unsafe_path"),
    (
        "a zip file that unpacks to very much",
        zipped(("artifact.safetensors", bytes(5_000_000)), compressed=True),
        "WINDROW_MAX_IMPORT_BYTES",
        "too_large",
    ),
    (
        "a zip file with a name twice",
        zipped(("classifier.json", b"{}"), ("classifier.json", b"{}")),
        "two files of one name",
        "duplicate_entry",
    ),
    (
        "a zip file with an empty record",
        zipped(("classifier.json", b""), ("artifact.safetensors", b"")),
        "is no JSON",
        "not_json",
    ),
    (
        "a zip file with another record",
        zipped(("classifier.json", b"{}"), ("artifact.safetensors", b"")),
        "is not of the kind export",
        "not_an_export",
    ),
    ("an export with a changed byte", byte_changed, "whose checksum is wrong", "wrong_checksum"),
    ("an export with more behind it", more_behind, "after the end of the zip", "trailing_data"),
    ("an export twice", twice, "bytes that belong to none of its files", "hidden_data"),
)


def _imports() -> Iterator[Refusal]:
    for what, body, words, problem in NO_EXPORTS:
        row = (ZIP, body, 422, "invalid_archive", (words,), {"problem": problem})
        for query in ("", "?dry_run=true"):
            yield Refusal(f"import{query}: {what}", "POST", f"{IMPORT}{query}", *row)
    for query, status, code, words in (
        ("", 409, "classifier_exists", "tickets_v1"),
        ("?dry_run=true", 409, "classifier_exists", "tickets_v1"),
        ("?overwrite=false", 409, "classifier_exists", "overwrite=true"),
        ("?model_name=tickets_v2", 409, "classifier_exists", "tickets_v2"),
        ("?model_name=live", 409, "name_taken", "live"),
        ("?model_name=live&overwrite=true", 409, "name_taken", "live"),
        ("?model_name=TICKETS_V1", 409, "name_taken", "tickets_v1"),
        ("?model_name=", 422, "invalid_name", "[A-Za-z0-9]"),
        ("?model_name=../a", 422, "invalid_name", "[A-Za-z0-9]"),
        ("?model_name=a%2Fb", 422, "invalid_name", "[A-Za-z0-9]"),
        ("?model_name=tickets_v1@1", 422, "invalid_name", "is no name of its own"),
        (f"?model_name={'a' * 129}", 422, "invalid_name", "[A-Za-z0-9]"),
    ):
        path = f"{IMPORT}{query}"
        yield Refusal(f"import {shown(query)}", "POST", path, ZIP, whole, status, code, (words,))


# Files that cannot be inspected

CSV = {"Content-Type": "text/csv"}
TABLE = f"Subject,Body,Team\n{SECRET},It crashes,bug\n".encode()
# How a file is to be read: the query, what it says of the table, and what else it tells.
MISREADINGS: tuple[tuple[str, str, str, str], ...] = (
    ("format=xls", "invalid_parameter", "format", "format is none of csv, tsv, jsonl, json, txt, xlsx"),
    ("format=", "invalid_parameter", "format", "format is none of csv"),
    ("quoting=all", "invalid_parameter", "quoting", "quoting is none of csv, none"),
    ("encoding=none", "invalid_parameter", "encoding", "none is no encoding of text"),
    ("annotators=mean", "invalid_parameter", "annotators", "annotators is none of majority, refuse"),
    ("label_names=ham", "invalid_parameter", "label_names", "label_names"),
    ("encoding=", "invalid_parameter", "encoding", "is no encoding of text"),
    ("encoding=%00", "invalid_parameter", "encoding", "is no encoding of text"),
    ("encoding=idna", "invalid_parameter", "encoding", "idna is no encoding of text"),
    ("filename=a.csv&text_column=none", "invalid_file", "text_column", "there is no column 'none'"),
    ("filename=a.csv&text_column=Body,none", "invalid_file", "text_column", "there is no column 'none'"),
    ("filename=a.csv&text_column=Body&label_column=none", "invalid_file", "label_column", "there is no column 'none'"),
    ("filename=a.csv&text_column=Body&label_column=Body", "invalid_file", "label_column", "cannot hold both"),
    ("filename=a.csv&labels_column=none", "invalid_file", "labels_column", "there is no column 'none'"),
    ("filename=a.csv&indicator_columns=Team,none", "invalid_file", "indicator_columns", "there is no column 'none'"),
    ("filename=a.csv&label_column=Team&labels_column=Team", "invalid_file", "labels_column", "cannot be combined"),
    ("filename=a.csv&label_separator=", "invalid_parameter", "label_separator", "label_separator is empty"),
    ("filename=a.csv&header=false&text_column=9", "invalid_file", "text_column", "there is no column '9'"),
)
# What is no table: the name of the file, the file, and what is said of it.
NO_TABLES: tuple[tuple[str, bytes, str], ...] = (
    ("a.csv", b"", "there is nothing in it"),
    ("a.xlsx", b"PK\x03\x04", "it is a damaged workbook"),
    ("a.xls", b"\xd0\xcf\x11\xe0", "it is a spreadsheet"),
    ("a.xls", b"<html><table>", "it is HTML or XML"),
    ("a.pdf", b"%PDF-1.7", "it is a PDF document"),
    ("a.csv", b"\x89PNG\r\n", "it is a picture"),
    ("a.csv", b"a,b\nx\xffx\x81x\xfex,c\n", "line 2: the byte 0xff"),
    ("a.csv", b"text\na\0b\n", "a NUL character"),
    ("a.csv", b"\x1f\x8bno gzip", "damaged gzip"),
    ("a.json", b"{", "the JSON is broken"),
    ("a.json", b"5", "it looks like plain text, not like a JSON document."),
    ("a.csv", b'text,label\n"a,b\n', "a quotation mark is opened here"),
    ("a.txt", b"a\tb\nc\td\n", "format=tsv"),
)


def _inspections() -> Iterator[Refusal]:
    known = sorted(each.name for each in fields_of(InspectRequest))
    row = (422, "invalid_request", ("colour is no parameter", *known), {"parameter": "colour", "known": known})
    yield Refusal("inspect with colour=red", "POST", f"{INSPECT}?colour=red", CSV, TABLE, *row)
    for name in sorted({*known} - {"text_column", "indicator_columns", "label_names"}):  # which may stand there twice
        row = (422, "invalid_request", (f"{name} stands twice",), {"parameter": name})
        yield Refusal(f"inspect with {name} twice", "POST", f"{INSPECT}?{name}=1&{name}=1", CSV, TABLE, *row)
    for said in NO_FLAGS:
        for name in ("header", "include_values", "labelled"):
            row = (422, "invalid_parameter", (f"{name} is neither true nor false",), {"parameter": name})
            yield Refusal(f"inspect with {name}={said}", "POST", f"{INSPECT}?{name}={said}", CSV, TABLE, *row)
    for query, code, parameter, words in MISREADINGS:
        row = (422, code, (words,), {"parameter": parameter})
        yield Refusal(f"inspect with {query}", "POST", f"{INSPECT}?{query}", CSV, TABLE, *row)
    for name, body, words in NO_TABLES:
        row = (422, "invalid_file", (words,), {"file": name})
        yield Refusal(f"inspect {name}: {words}", "POST", f"{INSPECT}?filename={name}", CSV, body, *row)
    for media_type in ("multipart/form-data; boundary=a", "Application/X-WWW-Form-Urlencoded"):
        row = (415, "unsupported_media_type", ("no form",), {"expected": ["application/octet-stream"]})
        yield Refusal(f"inspect as {media_type}", "POST", INSPECT, {"Content-Type": media_type}, TABLE, *row)


# Pages of other sites

POSTS = (
    *(endpoint.path for endpoint in READING_JSON if endpoint.method == "POST"),
    IMPORT,
    INSPECT,
)
FOREIGN_TYPES = (
    None,
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "Multipart/Form-Data; boundary=a",
)


def _other_sites() -> Iterator[Refusal]:
    for path in POSTS:
        for origin in ("https://evil.example", "null"):
            for media_type in FOREIGN_TYPES:
                yield Refusal(
                    f"POST {path} from {origin} as {media_type}",
                    "POST",
                    path,
                    {"Origin": origin, **({} if media_type is None else {"Content-Type": media_type})},
                    b"{}",
                    403,
                    "cross_site_request",
                    ("another site", "'Content-Type: application/json'"),
                    {"origin": origin},
                )
    for site in ("cross-site", "same-site", "none"):
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": site}
        row = (403, "cross_site_request", ("another site",), {"origin": "https://evil.example"})
        yield Refusal(f"POST from {site}", "POST", FSCK.path, headers, None, *row)


# More than one thing is wrong

# What helps most is told first.
HINTS: tuple[tuple[Endpoint, str, object, str], ...] = (
    (FIT, "modelname for model_name", {"modelname": "a", "training_data": ROWS}, "did you mean model_name?"),
    (FIT, "trainingdata", {"model_name": "a", "trainingdata": ROWS}, "did you mean training_data?"),
    (FIT, "two misspelt", {"modelname": "a", "trainingdata": ROWS}, "did you mean model_name?"),
    (EVALUATE, "modelname for model_name", {"modelname": "tickets_v1", "test_data": ROWS}, "did you mean model_name?"),
    (EVALUATE, "testdata", {"model_name": "tickets_v1", "testdata": ROWS}, "did you mean test_data?"),
    (COMPARE, "model_name", {"model_name": ["tickets_v1"], "test_data": ROWS}, "did you mean model_names?"),
    (COMPARE, "tests_data", {"model_names": ["tickets_v1", "live"], "tests_data": ROWS}, "did you mean test_data?"),
    (CROSS_VALIDATE, "trainingdata", {"trainingdata": ROWS}, "did you mean training_data?"),
    (SUGGEST, "text for texts", {"model_name": "tickets_v1", "text": ["a"]}, "did you mean texts?"),
    (SUGGEST, "model-name", {"model-name": "tickets_v1", "texts": ["a"]}, "did you mean model_name?"),
    (PROMOTE, "model for model_name", {"model": "tickets_v1"}, "did you mean model_name?"),
    (
        PROMOTE,
        "a list for min_recall",
        {"model_name": "tickets_v1", "require": {"min_recall": ["refund"]}},
        "require.min_recall must be an object",
    ),
    (FIT, "a key with half a surrogate pair", {**FIT.whole, SURROGATE: 1}, "is no field of this request"),
)


def _hints() -> Iterator[Refusal]:
    for endpoint, what, document, words in HINTS:
        yield sent(endpoint, f"{what} alone", document, 422, "invalid_request", words)
    for endpoint, place, name, _ in ROW_PLACES:
        for key, meant in (("lable", "label"), ("Label", "label"), ("txt", "text")):
            row = {**without(ROWS[1], (meant,)), key: SECRET}
            document = changed(endpoint.whole, (*place, 1), row)
            words = f"did you mean {meant}?"
            yield sent(endpoint, f"{name}[1] has {key} alone", document, 422, "invalid_request", words, row=1)


# What is answered in an odd way


def _odd() -> Iterator[Refusal]:
    # The ends of paths are good names, too.
    for end in ("export", "restore", "threshold"):
        yield asked("GET", f"{MODELS}/{end}", 404, "classifier_not_found", f"There is no classifier named {end}")
    for method in ("GET", "DELETE"):
        yield asked(method, IMPORT, 404, "classifier_not_found", "There is no classifier named import")
    # No path with a line break means an endpoint.
    for method, path in (
        ("DELETE", f"{MODELS}/tickets_v1%0A"),
        ("POST", f"{MODELS}/tickets_v1/restore%0A"),
        ("POST", f"{ALIASES}/live/rollback%0A"),
        ("POST", f"{MODELS}/tickets_v1%0A/restore"),
        ("GET", f"{MODELS}/tickets_v1%0A/export"),
        ("GET", f"{ALIASES}/live%0A/history"),
        ("GET", f"{MODELS}/tickets_v1%0A"),
        ("GET", f"{MODELS}%0A"),
        ("GET", f"{MODELS}%0A?colour=red"),
        ("GET", f"{MODELS}%0A?limit=ten"),
        ("DELETE", f"{MODELS}%0A"),
        ("GET", "/health%0A"),
    ):
        yield asked(method, path, 404, "not_found")
    for path, headers in ((f"{API}/fsck%0A", {"Origin": "https://evil.example"}), (f"{API}/predict%0A", JSON)):
        yield Refusal(f"POST {path}", "POST", path, headers, None, 404, "not_found")
    # An unknown field is told even where the body as a whole cannot be what was meant.
    yield sent(FIT, "the body of a predict", PREDICT.whole, 422, "invalid_request", "training_data is missing")
    yield sent(PREDICT, "the body of a fit", FIT.whole, 422, "invalid_request", "is no field")
    yield asked("GET", f"{MODELS}?=1", 422, "invalid_request", " is no parameter")


# Places that the server may not touch for a client

OUTSIDE = (
    *("/", "/etc/passwd", "/nowhere", "/nowhere/at", "/nowhere/at/allover/a.csv", "//etc/passwd", "/*/passwd"),
    *("s3://mails", "s3://mails/2026/a.csv", "s3://mails/20251", "s3://mail*/2025/a.csv", "gs://mails/2025"),
    *("file:///etc/passwd", "https://mails.example/a.csv"),
)
NO_PLACES = (
    *("/nowhere/at/all/../../../etc/passwd", "s3://mails/2025/../2026", "/nowhere/at/all/a\0"),
    *("mails.csv", "./a", "~/a"),
    *("s3://key:secret@mails/2025", "s3://mails/2025?a=b"),
)


def _places() -> Iterator[Refusal]:
    for name in ("input", "output"):
        for place in OUTSIDE:
            words = (name, "lies below none of the places", "WINDROW_FILE_ROOTS")
            facts = {"parameter": name, "place": place, "setting": "WINDROW_FILE_ROOTS"}
            document = changed(PREDICT_FILES.whole, (name,), place)
            yield sent(PREDICT_FILES, f"{name} is {place}", document, 403, "place_not_allowed", *words, **facts)
        for place in NO_PLACES:
            document = changed(PREDICT_FILES.whole, (name,), place)
            what = f"{name} is {place!a}"
            yield sent(PREDICT_FILES, what, document, 422, "invalid_parameter", name, parameter=name)
        document = changed(PREDICT_FILES.whole, (name,), " ")
        yield sent(PREDICT_FILES, f"{name} is blank", document, 422, "invalid_parameter", f"{name} is empty")
    for name, value in (
        *(("format", "xml"), ("quoting", "single"), ("annotators", "mean"), ("label_names", ["ham"])),
        *(("output_format", "xlsx"), ("output_encoding", "cp1252"), ("shard_rows", 0)),
    ):
        document = changed(PREDICT_FILES.whole, (name,), value)
        yield sent(PREDICT_FILES, f"{name} is {value}", document, 422, "invalid_parameter", name, parameter=name)
    for name in ("abstain_below", "min_in_scope"):
        for share in (-0.01, 1.01, 1e300):
            document = changed(PREDICT_FILES.whole, (name,), share)
            yield sent(PREDICT_FILES, f"{name} is {share}", document, 422, "invalid_parameter", name, parameter=name)
    unknown = changed(PREDICT_FILES.whole, ("model_name",), "tickets_v9")
    yield sent(PREDICT_FILES, "no such classifier", unknown, 404, "classifier_not_found", "tickets_v9")


# Each part of the table makes its entries when they are asked for: together they take a second and 70 MB.
_PARTS: tuple[Callable[[], Iterator[Refusal]], ...] = (
    _not_json,
    _media_types,
    _too_large,
    _bodies_beside_the_query,
    _wrong_types,
    _fields,
    _floods,
    _rows,
    _row_counts,
    _ranges,
    _texts,
    _labels_to_choose_from,
    _names,
    _places,
    _base_models,
    _absent,
    _absent_names,
    _absent_others,
    _in_the_way,
    _gate,
    _changes,
    _paths,
    _unknown_paths,
    _queries,
    _flags,
    _filters,
    _imports,
    _inspections,
    _other_sites,
    _odd,
    _hints,
)
PARTS: Mapping[str, Callable[[], Iterator[Refusal]]] = {
    part.__name__.strip("_").replace("_", " "): part for part in _PARTS
}


@cache
def refusals() -> Sequence[Refusal]:
    """Return every entry."""
    return tuple(entry for part in _PARTS for entry in part())
