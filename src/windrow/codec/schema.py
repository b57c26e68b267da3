"""JSON Schema from the domain's dataclasses: their types, their attribute docstrings and what ``Schema`` adds.

Requests and replies differ: a request's fields may be left out where they have a default, and no others may be there;
of a reply, each is there.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from windrow.codec.docs import field_docs, summary_of
from windrow.codec.types import Type, types_of
from windrow.domain.values import has_default

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
        """Return a reference to the schema of a dataclass, which is built on first use."""
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
        return {**self.schema_of(types_of(kind)[name], is_request), "description": told}

    def schema_of(self, declared: Type, is_request: bool = False) -> JsonObject:
        """Return the schema of a type."""
        schema = {**self._plain_schema(declared, is_request), **declared.members}
        return {"anyOf": [schema, {"type": "null"}]} if declared.optional else schema

    def _plain_schema(self, declared: Type, is_request: bool) -> JsonObject:
        if declared.each is not None:
            part = self.schema_of(declared.each, is_request)
            is_list = declared.kind is tuple
            return {"type": "array", "items": part} if is_list else {"type": "object", "additionalProperties": part}
        if declared.forms:
            return {"anyOf": [self.reference(form, is_request=is_request) for form in declared.forms]}
        if is_dataclass(declared.kind):
            return self.reference(declared.kind, is_request=is_request)
        if not declared.choices:
            return _PLAIN[declared.kind]
        return {"type": "string", **_one_of(declared.choices)}


def plain_text(docs: str) -> str:
    """Return a docstring as JSON's readers know its words."""
    return docs.replace("``None``", "null").replace("``", "`")


def _one_of(choices: tuple[Any, ...]) -> JsonObject:
    return {"const": choices[0]} if len(choices) == 1 else {"enum": list(choices)}
