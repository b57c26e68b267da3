"""JSON Schemas of tools, each complete in itself, from the dataclasses of requests and replies."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from windrow.api.flat import DESCRIBED_LIKE
from windrow.codec.schema import JsonObject, Schemas

_COMPONENTS: Final = "#/components/schemas/"
_DEFAULT: Final = re.compile(r" Default: [^ ]*\.$")


def input_schema(kind: Any, offered: Mapping[str, object]) -> JsonObject:
    """Return the schema of a tool's arguments.

    Args:
        kind: The class of the request.
        offered: The fields that are arguments, with their default where it is another one than the request's; ``...``
            where it is the request's.
    """
    schemas = Schemas({}, DESCRIBED_LIKE)
    without = tuple(each.name for each in fields(kind) if each.name not in offered)
    schema = schemas.object_of(kind, is_request=True, without=without)
    for name, default in offered.items():
        if default is not ...:
            own = schema["properties"][name]
            shown = str(default).lower() if isinstance(default, bool) else default
            own["description"] = f"{_DEFAULT.sub('', own['description'])} Default: {shown}."
    schema.pop("description")  # the tool has its own
    return _complete(schema, schemas)


def output_schema(forms: tuple[Any, ...]) -> JsonObject:
    """Return the schema of what a tool answers.

    Args:
        forms: The classes of its reply, of which an answer is one.
    """
    schemas = Schemas({}, DESCRIBED_LIKE)
    if len(forms) == 1:
        return _complete(schemas.object_of(forms[0], is_request=False), schemas)
    # Clients of older versions of the protocol want an object at the root.
    return _complete({"type": "object", "anyOf": [schemas.reference(form) for form in forms]}, schemas)


def _complete(schema: JsonObject, schemas: Schemas) -> JsonObject:
    """Return a schema with all that it refers to."""
    definitions = {"$defs": dict(sorted(schemas.components.items()))} if schemas.components else {}
    whole: JsonObject = _local({**schema, **definitions})
    return whole


def _local(value: Any) -> Any:
    """Return a schema whose references stay inside it."""
    if isinstance(value, dict):
        return {
            key: part.replace(_COMPONENTS, "#/$defs/") if key == "$ref" else _local(part) for key, part in value.items()
        }
    return [_local(each) for each in value] if isinstance(value, list) else value
