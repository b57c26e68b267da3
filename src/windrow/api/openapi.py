"""The OpenAPI document, derived from the table of endpoints, the verbs' docstrings and the domain's dataclasses."""

import inspect
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields
from typing import Any, Final, get_args

from windrow import __version__
from windrow.api.endpoints import (
    CLASSIFY,
    ENDPOINTS,
    EVENTS_TYPE,
    FILE_TYPES,
    PREDICT,
    PROBLEM_TYPE,
    SERVER,
    TAGS,
    Endpoint,
)
from windrow.api.examples import CLASSIFY_EXAMPLES, IN_PATH, IN_QUERY, PREDICT_REQUESTS, REQUESTS, example_of
from windrow.api.flat import DESCRIBED_LIKE, FORMS, Health, Problem, write_reply
from windrow.api.foreign.form import ForeignEndpoint
from windrow.api.foreign.table import FOREIGN_ENDPOINTS
from windrow.codec.docs import summary_of
from windrow.codec.schema import JsonObject, Schemas, plain_text
from windrow.codec.values import to_plain
from windrow.domain import errors
from windrow.domain.access import Scope
from windrow.domain.job import JobState
from windrow.domain.job import Problem as JobProblem
from windrow.domain.listing import ListRequest
from windrow.operations import Operations

_DESCRIPTION: Final = (
    "Train text classifiers from a handful of labelled examples, and predict with them.\n\n"
    "Where the server has API keys, each request needs one; /docs takes it under *Authorize*."
)
# What chooses a verb among those of one path.
_CHOICES: Final[Mapping[str, str]] = {
    "dry_run": "Whether to say only how long the training will take and how much memory, and why.",
    "wait": "Whether to answer once the classifier answers; false answers at once, with the job.",
}
# An API key in either of two headers; the empty alternative is for servers without keys. The scopes stand in the
# descriptions: generators take a requirement of a single operation to be one of every server.
_SECURITY_SCHEMES: Final[JsonObject] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, as `windrow keys create` shows it."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same in another header."},
}
_SECURITY: Final[list[JsonObject]] = [{}, *({name: []} for name in _SECURITY_SCHEMES)]
# The forms of requests that have several: what each is called and is, what it needs, and what of the request it lacks.
_REQUEST_FORMS: Final[Mapping[str, tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]]] = {
    PREDICT.verb: (
        ("PredictText", "A text to classify.", ("model_name", "text"), ("model_names", "texts")),
        ("PredictTexts", "Many texts to classify.", ("model_name", "texts"), ("model_names", "text", "explain")),
        (
            "PredictByClassifiers",
            "A text to classify by many classifiers.",
            ("model_names", "text"),
            ("model_name", "texts", "explain"),
        ),
    ),
    CLASSIFY.verb: (
        ("ClassifyText", "A text to classify without a classifier.", ("text", "labels"), ("texts",)),
        ("ClassifyTexts", "Many texts to classify without a classifier.", ("texts", "labels"), ("text",)),
    ),
}
# An entry of a docstring's list of errors: the class, and when it is raised.
_RAISED: Final = re.compile(r"^    (\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_TEXT: Final = {"schema": {"type": "string"}}


def openapi_document(root_path: str = "") -> JsonObject:
    """Return the document.

    Args:
        root_path: The path prefix under which clients reach the server; empty for none.
    """
    schemas = Schemas({JobProblem: "JobProblem"}, DESCRIBED_LIKE)
    schemas.components["Problem"] = {**schemas.object_of(Problem, is_request=True), "additionalProperties": True}
    paths: dict[str, JsonObject] = {}
    for endpoint in ENDPOINTS:
        operations = paths.setdefault(endpoint.path, {})
        if endpoint.method.lower() not in operations:
            operations[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Windrow",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": root_path or "/", "description": "This server."}],
        "security": _SECURITY,
        "tags": [to_plain(tag) for tag in TAGS],
        "paths": {**paths, **_pages(schemas)},
        "x-foreign-endpoints": [_foreign(row) for row in FOREIGN_ENDPOINTS],
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _foreign(row: ForeignEndpoint) -> JsonObject:
    """Return what is said of an endpoint whose requests and replies another server's documents describe."""
    return {
        "path": row.path,
        "method": row.method.lower(),
        "summary": row.summary,
        "format": row.dialect.name,
        "needs_setting": row.collides,
        "scope": row.verb.scope,
    }


def _operation(endpoint: Endpoint[Any], schemas: Schemas) -> JsonObject:
    summary, description = _summary_and_description(getattr(Operations, endpoint.verb))
    parameters = _parameters(endpoint, schemas)
    return {
        "operationId": endpoint.verb,
        "summary": summary,
        "description": f"{description} Needs {needed_scope(endpoint)}, where the server has API keys.",
        "tags": [endpoint.tag.name],
        **({"parameters": parameters} if parameters else {}),
        **({} if endpoint.body == "none" else {"requestBody": _request_body(endpoint, schemas)}),
        "responses": {
            **_replies(endpoint, schemas),
            **_denials(),
            **_refusal(endpoint),
            "default": _problem(),
        },
    }


def needed_scope(endpoint: Endpoint[Any]) -> str:
    """Return the scope that an endpoint needs, in words and as code.

    Args:
        endpoint: The endpoint.
    """
    if endpoint.scope is None:
        return "no scope: any valid key will do"
    others = "".join(f", with `{name}=true` `{scope}`" for name, scope in endpoint.scope_if.items())
    return f"the scope `{endpoint.scope}`" + (f" or `{endpoint.or_scope}`" if endpoint.or_scope else "") + others


def _denials() -> JsonObject:
    """Return the replies to a request without a key that allows it."""
    return {
        "401": _problem("The server needs an API key, and the request has none that is valid."),
        "403": _problem("The API key lacks the scope, or a page of another site sent the request."),
    }


def _refusal(endpoint: Endpoint[Any]) -> JsonObject:
    """Return the reply to what the schema allows and a rule does not, as the verbs' docstrings list the errors."""
    verbs = [each for each in ENDPOINTS if (each.method, each.path) == (endpoint.method, endpoint.path)]
    listed = [(inspect.getdoc(verb.operation) or "").partition("Raises:\n")[2] for verb in verbs]
    raised = [each for one in listed for each in re.findall(_RAISED, one)]
    told = [" ".join(text.split()) for name, text in raised if issubclass(getattr(errors, name), errors.InvalidInput)]
    return {"422": _problem(plain_text(" ".join(dict.fromkeys(told))))} if told else {}


def _summary_and_description(verb: Any) -> tuple[str, str]:
    """Return the first sentence of a verb's docstring, and all of it that is no list of arguments or errors."""
    told = re.split(r"\n\n(?=(?:Args|Returns|Yields|Raises):)", inspect.getdoc(verb) or "")[0]
    description = plain_text(re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(told.split())))
    first, _, _ = description.partition(". ")
    return first.rstrip("."), description


def _parameters(endpoint: Endpoint[Any], schemas: Schemas) -> list[JsonObject]:
    kind: Any = endpoint.request
    parameters = [_parameter(endpoint, name, "path", schemas) for name in endpoint.path_fields]
    if not endpoint.takes_json:
        names = [each.name for each in fields(kind) if each.name not in endpoint.path_fields]
        parameters += [_parameter(endpoint, name, "query", schemas) for name in names]
    choices = {name: said for each in ENDPOINTS if each.path == endpoint.path for name, said in each.chosen_by.items()}
    for name in sorted(choices):
        schema = {"type": "boolean", "default": choices[name] != "true"}
        parameters.append(
            {"name": name, "in": "query", "required": False, "description": _CHOICES[name], "schema": schema}
        )
    return parameters


def _parameter(endpoint: Endpoint[Any], name: str, place: str, schemas: Schemas) -> JsonObject:
    [own] = [each for each in fields(endpoint.request) if each.name == name]
    schema = schemas.field_of(endpoint.request, name, is_request=True)
    described = schema.pop("description")
    if "anyOf" in schema:  # it may be left out, but not be null
        schema = schema["anyOf"][0]
    if "enum" in schema:  # names for those who generate code from what starts with a minus
        schema["x-enum-varnames"] = [re.sub("^-", "DESCENDING_", each).upper() for each in schema["enum"]]
    if place == "query" and isinstance(own.default, bool | int):
        schema["default"] = own.default
    example = IN_PATH.get(name) if place == "path" else IN_QUERY.get((endpoint.verb, name))
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": described,
        "schema": schema,
        **({} if example is None else {"example": example}),
    }


def _request_body(endpoint: Endpoint[Any], schemas: Schemas) -> JsonObject:
    if endpoint.body == "file":  # of the two that the server takes, openapi-python-client knows but this one
        described = "The file, whatever its type." if endpoint.any_file else "The exported classifier."
        return {"required": True, "description": described, "content": {FILE_TYPES[1]: _FILE}}
    kind: Any = endpoint.request
    if forms := _REQUEST_FORMS.get(endpoint.verb):
        for form in forms:
            _add_form(kind, form, schemas)
        schema = {"oneOf": [_reference(name) for name, *_ in forms]}
    else:
        name = kind.__name__ if not endpoint.path_fields else f"{_camel(endpoint.verb)}Body"
        schemas.components[name] = schemas.object_of(kind, is_request=True, without=endpoint.path_fields)
        schema = _reference(name)
    content = {"schema": schema, "examples": _named(REQUESTS[endpoint.verb])}
    return {"required": endpoint.body == "required", "content": {"application/json": content}}


def _add_form(kind: Any, form: tuple[str, str, tuple[str, ...], tuple[str, ...]], schemas: Schemas) -> None:
    name, told, needed, without = form
    schema = schemas.object_of(kind, is_request=True, without=without)
    for field in needed:
        value = schema["properties"][field]
        if "anyOf" in value:
            schema["properties"][field] = {**value["anyOf"][0], "description": value["description"]}
    schemas.components[name] = {**schema, "description": told, "required": list(needed)}


def _replies(endpoint: Endpoint[Any], schemas: Schemas) -> JsonObject:
    if endpoint.reply_form == "file":
        content = {each: _TEXT if each.startswith("text/") else _FILE for each in endpoint.reply.media_types}
        return {"200": {"description": "The file.", "content": content}}
    if endpoint.reply_form == "events":
        description = f"The events; the data of each is a job, as of `{endpoint.path.removesuffix('/events')}`."
        schemas.components["JobEvent"] = _event(schemas.reference(endpoint.reply))
        return {"200": {"description": description, "content": {EVENTS_TYPE: {"schema": _reference("JobEvent")}}}}
    responses: dict[str, JsonObject] = {}
    for each in (one for one in ENDPOINTS if (one.method, one.path) == (endpoint.method, endpoint.path)):
        for kind in FORMS.get(each.verb, (each.reply,)):
            description = plain_text(summary_of(kind))
            reply = responses.setdefault(
                str(each.status), {"description": description, "content": {"application/json": {}}}
            )
            content = reply["content"]["application/json"]
            content["schema"] = _one_of(content.get("schema"), schemas.reference(kind))
            content.setdefault("examples", {}).update(_named(_reply_examples(each)))
    if "202" in responses:
        location = {"description": "The job.", "schema": {"type": "string"}}
        responses["202"]["headers"] = {"Location": location}
    return responses


def _event(job: JsonObject) -> JsonObject:
    """Return the schema of each event of a job's stream."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": job}
    return {
        "type": "object",
        "description": "An event of a stream (server-sent events).",
        "properties": {
            "id": {"type": "string", "description": "Counts the events, from 1."},
            "event": {"type": "string", "enum": list(get_args(JobState)), "description": "The job's state."},
            "data": {**data, "description": "The job as it was then, as JSON."},
        },
        "required": ["id", "event", "data"],
        "additionalProperties": False,
    }


def _one_of(schema: JsonObject | None, further: JsonObject) -> JsonObject:
    return further if schema is None else {"anyOf": [*schema.get("anyOf", [schema]), further]}


def _reply_examples(endpoint: Endpoint[Any]) -> dict[str, Any]:
    value = example_of(endpoint.reply)
    if endpoint is PREDICT:
        names, requests = REQUESTS[PREDICT.verb], PREDICT_REQUESTS
        replies = (write_reply(PREDICT.verb, each, (value,) * len(each.texts or "1")) for each in requests)
        return dict(zip(names, map(json.loads, replies), strict=True))
    if endpoint is CLASSIFY:
        shown = (json.loads(write_reply(CLASSIFY.verb, *answered)) for answered in CLASSIFY_EXAMPLES)
        return dict(zip(REQUESTS[CLASSIFY.verb], shown, strict=True))
    requested = ListRequest() if endpoint.verb == "list_classifiers" else None
    forms = FORMS[endpoint.verb] if endpoint.verb in ("evaluate", "compare", "cross_validate") else ()
    if forms:
        values = (to_plain(example_of(form)) for form in forms)
        return dict(zip(("one label", "any number of labels"), values, strict=True))
    return {endpoint.verb: json.loads(write_reply(endpoint.verb, requested, value))}


def _pages(schemas: Schemas) -> dict[str, JsonObject]:
    healthy = {"schema": schemas.reference(Health), "examples": {"health": {"value": to_plain(Health())}}}
    return {
        "/health": _page("health", "Say that the server answers", "application/json", healthy),
        "/health/live": _page("live", "Say that the server answers, as /health does", "application/json", healthy),
        "/health/ready": _page(
            "ready",
            "Say that the data directory is there and the API keys can be read, or with status 503 why not",
            "application/json",
            healthy,
        ),
        "/metrics": _page(
            "metrics",
            "Show how long requests take and how busy the server is, for Prometheus",
            "text/plain",
            {"schema": {"type": "string"}},
            scope="admin",
        ),
    }


def _page(name: str, summary: str, media_type: str, content: JsonObject, *, scope: Scope | None = None) -> JsonObject:
    """Return a page; without a scope it needs no key."""
    needs = f" Needs the scope `{scope}`, where the server has API keys." if scope else ""
    reply = {"description": f"{summary}.", "content": {media_type: content}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "description": f"{summary}.{needs}",
            "tags": [SERVER.name],
            **({} if scope else {"security": []}),
            "responses": {"200": reply, **(_denials() if scope else {}), "default": _problem()},
        }
    }


def _problem(description: str = "A problem.") -> JsonObject:
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": _reference("Problem")}}}


def _reference(name: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{name}"}


def _named(examples: Mapping[str, Any]) -> JsonObject:
    # Copies, so that whoever changes a document changes no other one.
    return {name: {"value": deepcopy(example)} for name, example in examples.items()}


def _camel(name: str) -> str:
    return name.title().replace("_", "")
