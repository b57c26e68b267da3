"""The OpenAPI document: whole, described, and as strict as the server."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from windrow.api.endpoints import ENDPOINTS, Endpoint
from windrow.api.examples import PREDICT_REQUESTS, REQUESTS
from windrow.api.flat import FORMS
from windrow.api.openapi import openapi_document
from windrow.codec.validation import read_value
from windrow.codec.values import from_json
from windrow.domain.errors import InvalidRequest

DOCUMENT = openapi_document()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
# The verbs that share another one's method and path.
WITHIN = {"start_fit", "estimate_fit"}


def _forms(endpoint: Endpoint[Any]) -> tuple[Any, ...]:
    return (endpoint.reply, *FORMS.get(endpoint.verb, ()))


def within(part: Any) -> Iterator[dict[str, Any]]:
    """Yield a part of the document and all objects in it."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from within(inner)


def body_of(verb: str) -> dict[str, Any]:
    """Return the schema of a verb's JSON body."""
    schema: dict[str, Any] = OPERATIONS[verb]["requestBody"]["content"]["application/json"]["schema"]
    return resolved(schema)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema refers to."""
    found: dict[str, Any] = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def test_the_operations_are_the_verbs_and_the_four_pages() -> None:
    assert set(OPERATIONS) == {each.verb for each in ENDPOINTS} - WITHIN | {"health", "live", "ready", "metrics"}
    assert [verb for verb in OPERATIONS if re.fullmatch("[a-z]+(_[a-z]+)*", verb) is None] == []


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_operation_is_told_in_words_without_the_marks_of_docstrings(verb: str) -> None:
    operation = OPERATIONS[verb]
    assert 5 < len(operation["summary"]) < 121
    assert not operation["summary"].endswith(".")
    assert operation["description"].startswith(operation["summary"])
    assert not re.search(r"``|:\w+:|Raises|Args", operation["description"])
    assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}


def test_the_document_says_where_the_server_is_and_what_its_groups_are_for() -> None:
    assert DOCUMENT["servers"][0]["url"] == "/"
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    referred = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
    assert referred == set(SCHEMAS)


def test_every_field_and_every_parameter_is_described_without_pythons_words() -> None:
    undescribed = [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        for field, shown in schema["properties"].items()
        if not shown.get("description")
    ]
    assert undescribed == []
    for operation in OPERATIONS.values():
        for parameter in operation.get("parameters", ()):
            assert parameter["description"]
            assert parameter["required"] == (parameter["in"] == "path")
            assert parameter["in"] == "query" or parameter["example"]
    assert "`None`" not in json.dumps(DOCUMENT)


def test_no_object_takes_unknown_members_but_the_problem() -> None:
    open_ = [name for name, schema in SCHEMAS.items() if schema.get("additionalProperties") is not False]
    assert open_ == ["Problem"]


def test_no_property_has_a_default_since_generators_would_require_it() -> None:
    assert [
        name for name, schema in SCHEMAS.items() for each in schema["properties"].values() if "default" in each
    ] == []
    assert SCHEMAS["FitRequest"]["properties"]["num_iterations"]["description"].endswith("Default: 20.")


def test_of_a_reply_every_member_is_there() -> None:
    kinds = [kind for each in ENDPOINTS for kind in FORMS.get(each.verb, (each.reply,)) if each.reply_form == "json"]
    for kind in kinds:
        schema = SCHEMAS[kind.__name__]
        assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.takes_json], ids=lambda each: each.verb)
def test_a_body_has_the_fields_that_the_server_reads_and_requires_those_that_it_misses(
    endpoint: Endpoint[Any],
) -> None:
    if endpoint.verb in ("predict", "classify"):
        return
    schema = body_of("fit" if endpoint.verb in WITHIN else endpoint.verb)
    given = dict.fromkeys(endpoint.path_fields, "a")
    missing: list[str] = []
    try:
        read_value(endpoint.request, {}, preset=given)
    except InvalidRequest as error:
        missing = re.findall(r"'(\w+) is missing'", str(error.facts))
    assert schema.get("required", []) == missing
    assert not set(schema["properties"]) & set(endpoint.path_fields)


def test_classify_has_two_forms_of_which_a_body_is_exactly_one() -> None:
    forms = [resolved(each) for each in body_of("classify")["oneOf"]]
    assert [form["required"] for form in forms] == [["text", "labels"], ["texts", "labels"]]
    assert [{"text", "texts"} & set(form["properties"]) for form in forms] == [{"text"}, {"texts"}]
    assert forms[0]["properties"]["text"]["type"] == "string"


def test_predict_has_three_forms_of_which_a_body_is_exactly_one() -> None:
    forms = [resolved(each) for each in body_of("predict")["oneOf"]]
    assert [form["required"] for form in forms] == [
        ["model_name", "text"],
        ["model_name", "texts"],
        ["model_names", "text"],
    ]
    for form in forms:
        assert all("anyOf" not in form["properties"][name] for name in form["required"])
    assert ["explain" in form["properties"] for form in forms] == [True, False, False]


def test_names_have_their_grammar_and_numbers_their_range() -> None:
    fit = SCHEMAS["FitRequest"]["properties"]
    assert fit["model_name"]["pattern"].startswith("^[A-Za-z0-9]")
    shown = {name: (fit[name]["minimum"], fit[name]["maximum"]) for name in ("num_iterations", "batch_size", "seed")}
    assert shown == {"num_iterations": (0, 1_000), "batch_size": (2, 1_024), "seed": (0, 2**32 - 1)}
    limit = next(each for each in OPERATIONS["list_classifiers"]["parameters"] if each["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 1_000)
    for operation in OPERATIONS.values():
        for parameter in operation.get("parameters", ()):
            assert parameter["name"] not in ("model_name", "alias") or "pattern" in parameter["schema"]


def test_a_row_has_one_label_or_any_number_of_them() -> None:
    rows = SCHEMAS["FitRequest"]["properties"]["training_data"]
    forms = [resolved(each) for each in rows["items"]["anyOf"]]
    assert [form["required"] for form in forms] == [["text", "label"], ["text", "labels"]]
    labels = forms[1]["properties"]["labels"]
    assert (labels["type"], labels["uniqueItems"], labels["maxItems"]) == ("array", True, 1_000)
    assert labels["items"] == {"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"\S"}


def test_files_are_binary_and_bodies_that_may_be_left_out_are_marked() -> None:
    binary = {"schema": {"type": "string", "format": "binary"}}
    assert OPERATIONS["import_classifier"]["requestBody"]["content"] == {"application/octet-stream": binary}
    assert OPERATIONS["export"]["responses"]["200"]["content"]["application/octet-stream"] == binary
    optional = {verb for verb, each in OPERATIONS.items() if not each.get("requestBody", {}).get("required", True)}
    assert optional == {each.verb for each in ENDPOINTS if each.body == "optional"}


def test_a_fit_answers_in_three_ways_and_says_how_each_is_chosen() -> None:
    fit = OPERATIONS["fit"]
    assert [each["name"] for each in fit["parameters"]] == ["dry_run", "wait"]
    schemas = fit["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert [each["$ref"].rpartition("/")[2] for each in schemas] == ["FitResult", "FitEstimate"]
    assert fit["responses"]["202"]["headers"]["Location"]


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.takes_json], ids=lambda each: each.verb)
def test_the_examples_of_requests_are_requests(endpoint: Endpoint[Any]) -> None:
    verb = "fit" if endpoint.verb in WITHIN else endpoint.verb
    for example in REQUESTS[verb].values():
        document = json.loads(json.dumps(example))
        read_value(endpoint.request, document, preset=dict.fromkeys(endpoint.path_fields, "a"))
    if endpoint.verb == "predict":
        shown = [json.loads(json.dumps(each)) for each in REQUESTS[verb].values()]
        forms = [{"model_name", "text"}, {"model_name", "texts"}, {"model_names", "text"}]
        assert [form <= set(each) for form, each in zip(forms, shown, strict=True)] == [True] * 3
        assert len(PREDICT_REQUESTS) == len(shown)


@pytest.mark.parametrize(
    "verb", [verb for verb in OPERATIONS if verb not in ("export", "report", "follow_job", "metrics")]
)
def test_the_examples_of_replies_are_replies(verb: str) -> None:
    kinds: dict[str, Any] = {kind.__name__: kind for each in ENDPOINTS for kind in _forms(each)}
    for status, reply in OPERATIONS[verb]["responses"].items():
        if status in ("401", "403", "422", "default"):
            continue
        content = reply["content"]["application/json"]
        names = [each["$ref"].rpartition("/")[2] for each in content["schema"].get("anyOf", [content["schema"]])]
        examples = [each["value"] for each in content["examples"].values()]
        assert examples
        for example in examples:
            whole = {name for name in names if _is_form(example, SCHEMAS[name]["properties"])}
            assert whole, (example, names)
            for name in whole & kinds.keys():
                assert from_json(kinds[name], json.dumps(example), extra="ignore")


def _is_form(example: dict[str, Any], properties: dict[str, Any]) -> bool:
    """Whether an example has these properties, and the kind of those that say theirs."""
    own = properties.get("kind", {})
    kinds = [own["const"]] if "const" in own else own.get("enum", [example.get("kind")])
    return set(example) == set(properties) and example.get("kind") in kinds


def test_nothing_is_null_by_mistake() -> None:
    assert [each for each in within(DOCUMENT["paths"]) if None in each.values() and "schema" in each] == []


def test_a_key_may_be_sent_in_two_ways_or_not_at_all_where_the_server_has_none() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["api_key"]["in"], schemes["api_key"]["name"]) == ("header", "X-API-Key")
    assert DOCUMENT["security"] == [{}, {"bearer": []}, {"api_key": []}]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.verb)
def test_every_operation_names_its_scopes_and_what_a_key_without_them_gets(endpoint: Endpoint[Any]) -> None:
    operation = OPERATIONS["fit" if endpoint.verb in WITHIN else endpoint.verb]
    for scope in endpoint.possible_scopes:
        assert f"`{scope}`" in operation["description"]
    for name in endpoint.scope_if:
        assert f"`{name}=true`" in operation["description"]
    assert {"401", "403"} <= operation["responses"].keys()
    assert "security" not in operation


def test_the_pages_say_whether_they_need_a_key() -> None:
    for page in ("health", "ready"):
        assert OPERATIONS[page]["security"] == []
        assert "401" not in OPERATIONS[page]["responses"]
    assert "`admin`" in OPERATIONS["metrics"]["description"]
    assert {"401", "403"} <= OPERATIONS["metrics"]["responses"].keys()


def test_the_document_of_a_server_below_a_path_prefix_says_where_clients_reach_it() -> None:
    assert openapi_document("/ai")["servers"][0]["url"] == "/ai"


def test_whoever_changes_an_example_of_a_document_changes_no_other_document() -> None:
    before = json.dumps(openapi_document())
    for operation in (each for path in openapi_document()["paths"].values() for each in path.values()):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content.get("examples", {}).values():
                example["value"].clear()
    assert json.dumps(openapi_document()) == before
