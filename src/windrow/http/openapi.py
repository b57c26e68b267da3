"""The OpenAPI document, where FastAPI cannot know what it has to say: bodies, queries and problems.

Owns how the wire's descriptions become OpenAPI; knows nothing of how a request is answered.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Path
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from windrow.http.problems import MEDIA_TYPE
from windrow.wire.alias import PromoteBody, SaidBody
from windrow.wire.checkup import CheckBody
from windrow.wire.classifier import DescribeBody
from windrow.wire.comparison import CompareBody
from windrow.wire.cross_validation import CrossValidateBody
from windrow.wire.job import EXAMPLE_JOB
from windrow.wire.prediction import PredictBody
from windrow.wire.queries import Parameter
from windrow.wire.report import EvaluateBody
from windrow.wire.server import Problem
from windrow.wire.shapes import EXAMPLE_ALIAS, EXAMPLE_NAME
from windrow.wire.suggestion import SuggestBody
from windrow.wire.training import FitBody

# By method and path template.
Endpoints = Mapping[tuple[str, str], APIRoute]
# The routes read them themselves, so FastAPI does not meet them.
_UNSEEN = (
    FitBody,
    PredictBody,
    EvaluateBody,
    CompareBody,
    CrossValidateBody,
    SuggestBody,
    DescribeBody,
    PromoteBody,
    SaidBody,
    CheckBody,
    Problem,
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE_TYPES = ("application/zip", "application/octet-stream")
EVENTS_TYPE = "text/event-stream"

ClassifierName = Annotated[str, Path(description="The classifier's name.", examples=[EXAMPLE_NAME])]
ClassifierReference = Annotated[
    str,
    Path(
        description="The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version.",
        examples=[EXAMPLE_NAME],
    ),
]
RevisionReference = Annotated[
    str, Path(description="The classifier's name, or one of its revisions (name@3).", examples=[EXAMPLE_NAME])
]
AliasName = Annotated[str, Path(description="The alias.", examples=[EXAMPLE_ALIAS])]
JobId = Annotated[str, Path(description="The job's id.", examples=[EXAMPLE_JOB])]
BaseModelPath = Annotated[str, Path(description="The base model's id.", examples=["BAAI/bge-small-en-v1.5"])]


def accepts(shape: type[BaseModel], required: bool = True, **more: Any) -> dict[str, Any]:
    """Describe a body of a shape.

    Args:
        shape: The shape.
        required: Whether it must be there.
        more: Members beside the schema (``examples``).
    """
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}, **more}}
    return {"requestBody": {"required": required, "content": content}}


def accepts_file() -> dict[str, Any]:
    """Describe a body that is an exported classifier."""
    return {"requestBody": {"required": True, "content": dict.fromkeys(FILE_TYPES, _BINARY)}}


def gives_file() -> dict[int | str, dict[str, Any]]:
    """Describe a reply that is an exported classifier."""
    return {200: {"description": "The file", "content": {FILE_TYPES[0]: _BINARY}}}


def gives_events() -> dict[int | str, dict[str, Any]]:
    """Describe a reply that is a stream of events."""
    return {200: {"description": "The events", "content": {EVENTS_TYPE: {"schema": {"type": "string"}}}}}


def takes(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Describe a query; what it does not name is refused."""
    return {"parameters": [_in_query(parameter) for parameter in parameters]}


def taken(extra: dict[str, Any] | None) -> frozenset[str]:
    """Return the names that :func:`takes` described, from the extra description of a route."""
    return frozenset(parameter["name"] for parameter in (extra or {}).get("parameters", ()))


def complete(document: dict[str, Any], endpoints: Endpoints) -> None:
    """Add what is missing in the document that FastAPI made: shapes of bodies, problems, and nulls in examples."""
    _add_shapes(document["components"]["schemas"])
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path in document["paths"].values():
        for verb in path.values():
            verb["responses"].pop("422", None)
            verb["responses"]["default"] = {"description": "A problem", "content": {MEDIA_TYPE: problem}}
    for (method, path), route in endpoints.items():
        if route.include_in_schema:
            _put_nulls_back(document["paths"][path][method.lower()], route)


def _put_nulls_back(verb: dict[str, Any], route: APIRoute) -> None:
    """Show a route's examples as they are written: FastAPI drops each null in them."""
    for written, shown in (
        ((route.openapi_extra or {}).get("requestBody", {}), verb.get("requestBody", {})),
        (route.responses.get(200, {}), verb["responses"]["200"]),
    ):
        in_json = written.get("content", {}).get("application/json", {})
        if "examples" in in_json:
            shown["content"]["application/json"]["examples"] = in_json["examples"]


def _add_shapes(schemas: dict[str, Any]) -> None:
    _, definitions = models_json_schema(
        [(shape, "validation") for shape in _UNSEEN], ref_template="#/components/schemas/{model}"
    )
    schemas |= definitions["$defs"]
    schemas.pop("HTTPValidationError", None)  # FastAPI's own form of a refusal, which is never sent
    schemas.pop("ValidationError", None)


def _in_query(parameter: Parameter) -> dict[str, Any]:
    example = {} if parameter.example is None else {"example": parameter.example}
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": dict(parameter.schema),
        **example,
    }
