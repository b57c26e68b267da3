"""Request bodies: their media type, their size, their JSON, and words for what is wrong with their shape.

Owns the way from bytes to a checked wire shape; knows nothing of the verbs. Never repeats a text in an error.
"""

import codecs
import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect, Request

from windrow.http.problems import BodyTooLarge, InvalidJson, InvalidRequest, UnsupportedMediaType
from windrow.wire.rows import LabelledRow

MAX_PROBLEMS = 10
MAX_KEY_CHARS = 40
Shape = TypeVar("Shape", bound=BaseModel)
_JSON_TYPE = re.compile(
    r"application/(json|[^/;\s]+\+json)\s*(;\s*charset=\"?(utf-?8|us-ascii)\"?\s*|;(?!\s*charset=)[^;]*)*",
    re.IGNORECASE,
)
_RULES = {
    "missing": "is missing",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the whole body of a request that says it carries JSON.

    A body above the limit is refused at once where its length is declared, else while it streams.

    Args:
        request: The request.
        max_bytes: Largest body.

    Raises:
        UnsupportedMediaType: It says that it carries something else, or nothing.
        BodyTooLarge: The body exceeds the limit.
    """
    if _JSON_TYPE.fullmatch(request.headers.get("content-type", "")) is None:
        raise UnsupportedMediaType(
            "The body must be JSON in UTF-8 and must say so. Send the header 'Content-Type: application/json'.",
            {"expected": "application/json"},
        )
    check_size(int(request.headers.get("content-length", "0")), max_bytes, "WINDROW_MAX_BODY_BYTES")
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
        check_size(len(body), max_bytes, "WINDROW_MAX_BODY_BYTES")
    return bytes(body)


async def read_optional_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request that need not have one; where it has none, an empty object.

    Args:
        request: The request.
        max_bytes: Largest body.

    Raises:
        UnsupportedMediaType: It has one that is not declared to be JSON.
        BodyTooLarge: The body exceeds the limit.
    """
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return b"{}"
    return await read_body(request, max_bytes) or b"{}"


def check_size(size_bytes: int, max_bytes: int, setting: str) -> None:
    """Refuse a body that is too large.

    Args:
        size_bytes: As declared, or what has come so far.
        max_bytes: Largest body.
        setting: The variable that sets it.

    Raises:
        BodyTooLarge: It is too large.
    """
    if size_bytes > max_bytes:
        raise BodyTooLarge(
            f"The body is larger than the {max_bytes} bytes that this server takes. Send less, or raise {setting}.",
            {"limit": max_bytes, "setting": setting},
        )


def read_document(body: bytes, shape: type[Shape], validate: Callable[[object], Shape] | None = None) -> Shape:
    """Return a JSON body in the shape that is expected.

    Args:
        body: Its bytes.
        shape: The shape.
        validate: Reads the parsed document in place of ``shape.model_validate``.

    Raises:
        InvalidJson: The body is no strict JSON.
        InvalidRequest: It has another shape.
    """
    try:
        return (validate or shape.model_validate)(without_flood(parse_json(body), shape))
    except ValidationError as error:
        raise invalid_request(error, shape) from error


def parse_json(body: bytes) -> object:
    """Parse strict JSON (RFC 8259): no NaN, no repeated key, no byte order mark.

    Raises:
        InvalidJson: The body is something else.
    """
    try:
        return _STRICT_JSON.decode(body.decode())
    except UnicodeDecodeError as error:
        raise _invalid_json(f"byte {error.start} is no UTF-8") from error
    except json.JSONDecodeError as error:
        if not body.strip():
            raise _invalid_json("it is empty") from error
        if body.startswith(codecs.BOM_UTF8):
            raise _invalid_json("it starts with a byte order mark; save it as UTF-8 without one") from error
        raise _invalid_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _invalid_json("it is nested too deeply") from error
    except ValueError as error:  # of the hooks below, or a number of thousands of digits
        raise _invalid_json(str(error)) from error


def without_flood(document: object, shape: type[BaseModel]) -> object:
    """Return a document without most of its unknown fields, of which a few are enough to refuse it.

    pydantic describes every problem that it finds: a body of millions of wrong fields would cost gigabytes.

    Args:
        document: What :func:`parse_json` returned.
        shape: The shape that is expected.
    """
    if not isinstance(document, dict):
        return document
    inner = {
        key: without_flood(document[key], expected)
        for key, field in shape.model_fields.items()
        if key in document and (expected := _shape_in(field.annotation)) is not None
    }
    if len(document) <= len(shape.model_fields) + MAX_PROBLEMS:
        is_whole = all(value is document[key] for key, value in inner.items())
        return document if is_whole else {**document, **inner}
    unknown = [key for key in document if key not in shape.model_fields]
    kept = shape.model_fields.keys() | unknown[:MAX_PROBLEMS]
    return {key: inner.get(key, value) for key, value in document.items() if key in kept}


def invalid_request(error: ValidationError, shape: type[BaseModel]) -> InvalidRequest:
    """Say in words what is wrong with a body's shape, without repeating its values.

    Args:
        error: What pydantic found.
        shape: The shape that was expected.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    problems = [_describe(detail, shape) for detail in found[:MAX_PROBLEMS]]
    more = f" ({len(found) - 1} more: see problems.)" if len(found) > 1 else ""
    facts: dict[str, object] = {"problems": problems, "num_problems": len(found)}
    facts |= _place(found[0]["loc"], shape)
    first = problems[0] if problems[0].endswith("?") else f"{problems[0]}."
    return InvalidRequest(f"{first}{more} Correct the request; /docs shows its fields and an example.", facts)


def _place(location: Sequence[int | str], shape: type[BaseModel]) -> dict[str, object]:
    """Return the facts that name an entry of a list."""
    place = next((place for place, part in enumerate(location) if isinstance(part, int)), None)
    if place is None:
        return {}
    if _shape_at(location[:place], shape) is not LabelledRow:
        return {"index": location[place]}
    field = location[place + 1 :]
    return {"row": location[place], "field": short_key(field[0])} if field else {"row": location[place]}


def _describe(detail: ErrorDetails, shape: type[BaseModel]) -> str:
    location = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return _unknown_field(location, shape)
    if detail["type"] == "value_error":  # our own words
        return detail["msg"].removeprefix("Value error, ")
    return f"{_path(location) or 'The body'} {_RULES.get(detail['type'], 'has the wrong form')}"


def _unknown_field(location: Sequence[int | str], shape: type[BaseModel]) -> str:
    *around, last = location
    expected = _shape_at(around, shape)
    key, owner = short_key(last), _path(around) or "this request"
    return (
        f"{key} is no field of {owner}; {near_or_known(key, [] if expected is None else list(expected.model_fields))}"
    )


def _path(location: Sequence[int | str]) -> str:
    """Return a place in a body as a person would write it: ``require.test_data[3].label``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{short_key(part)}" for part in location).lstrip(".")


def _shape_at(location: Sequence[int | str], shape: type[BaseModel]) -> type[BaseModel] | None:
    """Return the shape of what stands at a place, or in the list there; ``None`` where it has none of its own."""
    found: type[BaseModel] | None = shape
    for part in location:
        if found is not None and isinstance(part, str):
            found = _shape_in(found.model_fields[part].annotation) if part in found.model_fields else None
    return found


def _shape_in(annotation: object) -> type[BaseModel] | None:
    """Return the shape that a type hint names; no hint of ours names two."""
    if inner := get_args(annotation):
        return next((shape for shape in map(_shape_in, inner) if shape is not None), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def near_or_known(key: str, known: Sequence[str]) -> str:
    """Return a hint at the name that was probably meant, else at all that there are."""
    if not known:
        return "it takes none"
    near = difflib.get_close_matches(key.casefold(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def short_key(part: int | str) -> str:
    """Return a key short enough that it cannot be a text that was sent in the wrong place."""
    key = str(part)
    return key if len(key) <= MAX_KEY_CHARS else f"{key[:MAX_KEY_CHARS]}…"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(repeated, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {short_key(repeated)!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_STRICT_JSON = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)


def _invalid_json(why: str) -> InvalidJson:
    return InvalidJson(f"The body cannot be read as JSON: {why}. Correct it and send it again.")
