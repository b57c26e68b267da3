"""The documentation: its examples run, and its page needs nothing but this server."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from tests.fakes.jobs import FakeJobs
from tests.fakes.operations import FakeOperations
from tests.http.asking import API, FIT, MODEL, fit
from windrow.http.app import create_app
from windrow.settings import Settings
from windrow.wire.alias import AliasDeleted, AliasHistory, AliasList, PromoteReply, RollbackReply
from windrow.wire.archive import ImportReply
from windrow.wire.base_models import BaseModelDeleted, BaseModelList
from windrow.wire.checkup import CheckReply
from windrow.wire.classifier import ModelDetails, ModelRecord, RestoreReply
from windrow.wire.comparison import CompareReply
from windrow.wire.cross_validation import CrossValidateReply
from windrow.wire.deletion import Deleted, DeletedMany
from windrow.wire.job import ForecastReply, JobEntry, JobList
from windrow.wire.listing import ModelList, ModelPage, RecordPage
from windrow.wire.prediction import ClassifiersReply, PredictReply, TextsReply
from windrow.wire.report import EvaluateReply
from windrow.wire.reproduction import ReproduceReply
from windrow.wire.server import Health
from windrow.wire.shapes import EXAMPLE_ALIAS, EXAMPLE_NAME
from windrow.wire.suggestion import SuggestReply
from windrow.wire.training import FitReply
from windrow.wire.usage import UsageReply

# The shapes that each endpoint may answer with.
REPLIES: dict[str, tuple[type[BaseModel], ...]] = {
    f"POST {API}/fit": (FitReply, ForecastReply),
    f"GET {API}/jobs": (JobList,),
    f"GET {API}/jobs/{{job_id}}": (JobEntry,),
    f"POST {API}/jobs/{{job_id}}/cancel": (JobEntry,),
    f"POST {API}/predict": (PredictReply, TextsReply, ClassifiersReply),
    f"POST {API}/evaluate": (EvaluateReply,),
    f"POST {API}/compare": (CompareReply,),
    f"POST {API}/cross-validate": (CrossValidateReply,),
    f"POST {API}/suggest": (SuggestReply,),
    f"GET {API}/models": (ModelList, ModelPage, RecordPage),
    f"DELETE {API}/models": (DeletedMany,),
    f"GET {API}/models/{{name}}": (ModelDetails,),
    f"PATCH {API}/models/{{name}}": (ModelRecord,),
    f"DELETE {API}/models/{{name}}": (Deleted,),
    f"POST {API}/models/{{name}}/restore": (RestoreReply,),
    f"POST {API}/models/{{name}}/reproduce": (ReproduceReply,),
    f"POST {API}/models/import": (ImportReply,),
    f"GET {API}/aliases": (AliasList,),
    f"PUT {API}/aliases/{{alias}}": (PromoteReply,),
    f"DELETE {API}/aliases/{{alias}}": (AliasDeleted,),
    f"GET {API}/aliases/{{alias}}/history": (AliasHistory,),
    f"POST {API}/aliases/{{alias}}/rollback": (RollbackReply,),
    f"GET {API}/base-models": (BaseModelList,),
    f"DELETE {API}/base-models/{{base_model}}": (BaseModelDeleted,),
    f"GET {API}/usage": (UsageReply,),
    f"POST {API}/fsck": (CheckReply,),
    "GET /health": (Health,),
}
FILES = {
    f"GET {API}/models/{{name}}/export": "application/zip",
    f"GET {API}/jobs/{{job_id}}/events": "text/event-stream",
    "GET /metrics": "text/plain",
}
DOCUMENT: dict[str, Any] = create_app(FakeOperations(), Settings()).pages.openapi()
VERBS = {
    f"{method.upper()} {path}": verb for path, verbs in DOCUMENT["paths"].items() for method, verb in verbs.items()
}


def _example(schema: dict[str, Any]) -> Any:
    """Build a value from a schema's own examples."""
    if reference := schema.get("$ref"):
        return _example(DOCUMENT["components"]["schemas"][reference.rsplit("/", 1)[1]])
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:  # a value or null
        return _example(schema["anyOf"][0])
    if schema["type"] == "array":
        return [_example(schema["items"])]
    return {name: _example(part) for name, part in schema["properties"].items()}


def _examples(content: dict[str, Any]) -> list[Any]:
    """Return what a body or a reply shows: its own examples, or else one for each shape that it may have."""
    shown = content["application/json"]
    if "examples" in shown:
        return [example["value"] for example in shown["examples"].values()]
    return [_example(schema) for schema in shown["schema"].get("anyOf", [shown["schema"]])]


def _problems(shape: type[BaseModel], value: object) -> str:
    try:
        shape.model_validate(value)
    except ValidationError as error:
        return str(error)
    return ""


def _promote(client: httpx.Client, operations: FakeOperations) -> None:
    for name in ("other", EXAMPLE_NAME):
        fit(client, name)
        client.put(f"{API}/aliases/{EXAMPLE_ALIAS}", json={"model_name": name})


def _train_a_rival(client: httpx.Client, operations: FakeOperations) -> None:
    fit(client, "ticket_classifier_v2")
    client.put(f"{API}/aliases/{EXAMPLE_ALIAS}", json={"model_name": EXAMPLE_NAME})


def _delete(client: httpx.Client, operations: FakeOperations) -> None:
    client.delete(MODEL)


def _begin(client: httpx.Client, operations: FakeOperations) -> None:
    """Begin a training with the example's id, whose turn never comes."""
    operations.jobs = FakeJobs(replace(operations.settings, max_fits=0))
    client.post(f"{API}/fit?wait=false", json=FIT)


# What must have happened before an example can succeed, beside the training of the example's classifier.
BEFORE: dict[str, Callable[[httpx.Client, FakeOperations], object]] = {
    f"POST {API}/jobs/{{job_id}}/cancel": _begin,
    f"POST {API}/compare": _train_a_rival,
    f"POST {API}/models/{{name}}/restore": _delete,
    f"POST {API}/models/import": _delete,
    f"DELETE {API}/aliases/{{alias}}": _promote,
    f"GET {API}/aliases/{{alias}}/history": _promote,
    f"POST {API}/aliases/{{alias}}/rollback": _promote,
}


def _requests(endpoint: str, file: bytes) -> Iterator[dict[str, Any]]:
    """Yield each request that the documentation of an endpoint shows."""
    method, path = endpoint.split()
    query = {}
    for parameter in VERBS[endpoint].get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["examples"][0])
        elif "example" in parameter:
            query[parameter["name"]] = parameter["example"]
    request = {"method": method, "url": path, "params": query}
    content = VERBS[endpoint].get("requestBody", {}).get("content")
    if content is None:
        yield request
    elif "application/json" in content:
        yield from ({**request, "json": body} for body in _examples(content))
    else:
        yield from ({**request, "content": file, "headers": {"Content-Type": media_type}} for media_type in content)


def test_every_endpoint_is_documented(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == DOCUMENT
    assert set(VERBS) == {*REPLIES, *FILES}
    assert all(verb["summary"] and verb["description"] and verb["tags"] for verb in VERBS.values())


@pytest.mark.parametrize("endpoint", VERBS)
def test_the_examples_of_every_endpoint_can_be_executed(
    client: httpx.Client, operations: FakeOperations, endpoint: str
) -> None:
    fit(client)
    file = client.get(f"{MODEL}/export").content
    requests = list(_requests(endpoint, file))
    assert requests
    for request in requests:
        fit(client)
        if endpoint in BEFORE:
            BEFORE[endpoint](client, operations)
        reply = client.request(**request)
        assert reply.status_code == 200, reply.text
        if endpoint in FILES:
            assert reply.headers["content-type"].startswith(FILES[endpoint])
        else:
            assert "" in [_problems(shape, reply.json()) for shape in REPLIES[endpoint]]


@pytest.mark.parametrize("endpoint", VERBS)
def test_the_examples_of_replies_have_the_shape_of_replies(endpoint: str) -> None:
    content = VERBS[endpoint]["responses"]["200"]["content"]
    if endpoint in FILES:
        assert set(content) == {FILES[endpoint]}
        return
    for shape, example in zip(REPLIES[endpoint], _examples(content), strict=True):
        assert _problems(shape, example) == ""


def test_predict_shows_its_three_forms() -> None:
    assert len(list(_requests(f"POST {API}/predict", b""))) == 3


def test_each_shape_has_a_name_of_its_own() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def test_each_parameter_is_described_and_only_the_list_has_ranges() -> None:
    for endpoint, verb in VERBS.items():
        for parameter in verb.get("parameters", ()):
            assert parameter["description"] or parameter["schema"]["description"], endpoint
            assert parameter["required"] == (parameter["in"] == "path")
    shown = {parameter["name"]: parameter["schema"] for parameter in VERBS[f"GET {API}/models"]["parameters"]}
    assert (shown["limit"]["minimum"], shown["limit"]["maximum"]) == (1, 1_000)
    assert set(shown) == {
        "task",
        "prefix",
        "tag",
        "base_model",
        "sort",
        "limit",
        "cursor",
        "deleted",
        "full",
    }


def test_every_field_has_a_description_and_every_reference_leads_somewhere(client: httpx.Client) -> None:
    text = client.get("/openapi.json").text
    schemas = DOCUMENT["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == set(schemas)
    undescribed = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, shown in schema["properties"].items()
        if "description" not in shown and "$ref" not in shown
    }
    assert undescribed == set()


def test_the_ranges_of_the_parameters_of_a_training_are_shown() -> None:
    fields = DOCUMENT["components"]["schemas"]["FitBody"]["properties"]
    shown = {
        name: (fields[name]["minimum"], fields[name]["maximum"]) for name in ("num_iterations", "batch_size", "seed")
    }
    assert shown == {"num_iterations": (0, 1_000), "batch_size": (2, 1_024), "seed": (0, 2**32 - 1)}
    assert (fields["max_seconds"]["exclusiveMinimum"], fields["max_seconds"]["maximum"]) == (0, 86_400)


def test_a_body_is_marked_where_it_may_be_left_out() -> None:
    optional = {name for name, verb in VERBS.items() if not verb.get("requestBody", {}).get("required", True)}
    assert optional == {f"POST {API}/aliases/{{alias}}/rollback", f"POST {API}/fsck"}


def test_the_docs_page_names_no_other_server(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert re.findall(r"https?://[^\"' ]+", page) == []
    for path in re.findall(r"(?:src|href)=\"([^\"]+)\"", page):
        assert client.get(path).status_code == 200, path


def _find_chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("The docs page is checked in a real browser: install chromium (Debian: apt-get install chromium).")
    if found is None:
        pytest.skip("needs chromium")
    return found


def test_the_docs_page_shows_the_verbs_in_a_real_browser(client: httpx.Client, tmp_path: Any) -> None:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    url = str(client.base_url.join("/docs"))
    run = subprocess.run(
        [_find_chromium(), *flags, f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "opblock-summary-path" in run.stdout
    for path in {endpoint.split()[1] for endpoint in REPLIES}:
        assert path.split("{")[0] in run.stdout.replace("\u200b", "")
