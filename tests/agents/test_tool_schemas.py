from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from windrow.agents.tool_schemas import input_schema, output_schema
from windrow.agents.tools import TOOLS, Permission, Tool
from windrow.api.examples import example_of
from windrow.api.flat import ModelPage, TextsReply
from windrow.codec.values import to_plain
from windrow.domain.classifier import FitRequest
from windrow.domain.prediction import Prediction

EVERYTHING: tuple[Permission, ...] = ("changes", "overwrites")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    if isinstance(value, list):
        for part in value:
            yield from references(part)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_each_schema_is_sound_and_refers_to_nothing_outside_itself(tool: Tool) -> None:
    for schema in (tool.input_schema(EVERYTHING), tool.output_schema()):
        Draft202012Validator(schema)  # refuses one that is not sound
        assert schema["type"] == "object"
        known = {f"#/$defs/{name}" for name in schema.get("$defs", {})}
        assert set(references(schema)) <= known


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_each_argument_is_described(tool: Tool) -> None:
    properties = tool.input_schema(EVERYTHING)["properties"]
    assert [name for name, schema in properties.items() if not schema["description"]] == []


def test_a_default_of_the_tool_replaces_that_of_the_request() -> None:
    schema = input_schema(FitRequest, {"model_name": ..., "overwrite": False, "num_iterations": ...})
    assert set(schema["properties"]) == {"model_name", "overwrite", "num_iterations"}
    assert schema["required"] == ["model_name"]
    assert schema["properties"]["overwrite"]["description"].endswith(". Default: false.")
    assert "Default: true" not in schema["properties"]["overwrite"]["description"]
    assert schema["properties"]["num_iterations"]["description"].endswith("Default: 20.")


@pytest.mark.parametrize("kind", [Prediction, ModelPage, TextsReply])
def test_a_reply_fits_the_schema_of_its_form(kind: type) -> None:
    reply = to_plain(example_of(kind))
    Draft202012Validator(output_schema((kind,))).validate(reply)
    Draft202012Validator(output_schema((Prediction, TextsReply, ModelPage))).validate(reply)
