"""JSON Schema from the domain's dataclasses: their types, their attribute docstrings and what ``Schema`` adds.

Requests and replies differ: a request's fields may be left out where they have a default, and no others may be there;
of a reply, each is there.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from windrow.codec.docs import field_docs, summary_of
from windrow.domain.values import Schema, has_default

JsonObject = dict[str, Any]
_PLAIN: Mapping[Any, JsonObject] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}


class Schemas:
    """The schemas of a document, each under the name of its class.

    Args:
        names: Names of classes that are called otherwise here.
        described_like: Classes whose docstrings describe the fields of another class.
    """

    def __init__(self, names: Mapping[type, str], described_like: Mapping[type, type]) -> None:
        self.components: dict[str, JsonObject] = {}
        self._names = names
        self._described_like = described_like

    def reference(self, kind: Any, *, is_request: bool = False) -> JsonObject:
        """Return a reference to the schema of a dataclass, which is made when it is first asked for."""
        name = self._names.get(kind, kind.__name__)
        if name not in self.components:
            self.components[name] = {}  # it may refer to itself
            self.components[name] = self.object_of(kind, is_request=is_request)
        return {"$ref": f"#/components/schemas/{name}"}

    def object_of(self, kind: Any, *, is_request: bool, without: tuple[str, ...] = ()) -> JsonObject:
        """Return the schema of a dataclass itself.

        Args:
            kind: The dataclass.
            is_request: Whether it is one to read.
            without: Fields that stand elsewhere.
        """
        own = [each for each in fields(kind) if each.name not in without and (each.init or not is_request)]
        required = [each.name for each in own if not (is_request and has_default(each))]
        return {
            "type": "object",
            "description": plain_text(summary_of(kind)),
            "properties": {each.name: self.field_of(kind, each.name, is_request=is_request) for each in own},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def field_of(self, kind: Any, name: str, *, is_request: bool) -> JsonObject:
        """Return the schema of a field, with its description."""
        [own] = [each for each in fields(kind) if each.name == name]
        docs = {**field_docs(self._described_like.get(kind, kind)), **field_docs(kind)}
        told = plain_text(docs[name])
        if is_request and own.default not in (None, "") and isinstance(own.default, bool | int | float | str):
            default = str(own.default).lower() if isinstance(own.default, bool) else own.default
            told = f"{told} Default: {default}."
        return {**self.schema_of(get_type_hints(kind, include_extras=True)[name], is_request), "description": told}

    def schema_of(self, hint: Any, is_request: bool = False) -> JsonObject:
        """Return the schema of a type hint."""
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        if is_dataclass(hint):
            return self.reference(hint, is_request=is_request)
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Literal:
            return {"type": "string", **({"const": inner[0]} if len(inner) == 1 else {"enum": list(inner)})}
        part = self.schema_of(inner[1 if origin is Mapping else 0], is_request)
        if origin is Annotated:
            return _with_members(part, inner[1:])
        if origin is Mapping:
            return {"type": "object", "additionalProperties": part}
        return {"type": "array", "items": part} if origin is tuple else {"anyOf": [part, {"type": "null"}]}


def plain_text(docs: str) -> str:
    """Return a docstring as JSON's readers know its words."""
    return docs.replace("``None``", "null").replace("``", "`")


def _with_members(schema: JsonObject, notes: tuple[Any, ...]) -> JsonObject:
    members = {name: value for note in notes if isinstance(note, Schema) for name, value in note.members.items()}
    if "anyOf" in schema:  # they belong to the half that is not null
        value, null = schema["anyOf"]
        return {"anyOf": [{**value, **members}, null]}
    return {**schema, **members}
