"""The documentation: its examples run, and its page needs nothing but this server."""

import os
import re
import shutil
import subprocess
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from windrow.wire.listing import Deleted, ModelList, ModelPage
from windrow.wire.prediction import ClassifiersReply, PredictReply, TextsReply
from windrow.wire.server import Health
from windrow.wire.shapes import EXAMPLE_NAME
from windrow.wire.training import FitReply

# The shapes that each endpoint may answer with.
REPLIES: dict[str, tuple[type[BaseModel], ...]] = {
    "/v1/classifier/fit": (FitReply,),
    "/v1/classifier/predict": (PredictReply, TextsReply, ClassifiersReply),
    "/v1/classifier/models": (ModelList, ModelPage),
    "/v1/classifier/models/{name}": (Deleted,),
    "/health": (Health,),
}


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Build a value from a schema's own examples."""
    if reference := schema.get("$ref"):
        return _example(document, document["components"]["schemas"][reference.rsplit("/", 1)[1]])
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:  # a value or null
        return _example(document, schema["anyOf"][0])
    if schema["type"] == "array":
        return [_example(document, schema["items"])]
    return {name: _example(document, part) for name, part in schema["properties"].items()}


def _examples(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    """Return what a body or a reply shows: its own examples, or else one for each shape that it may have."""
    shown = content["application/json"]
    if "examples" in shown:
        return [example["value"] for example in shown["examples"].values()]
    return [_example(document, schema) for schema in shown["schema"].get("anyOf", [shown["schema"]])]


def _fits_one(shapes: tuple[type[BaseModel], ...], value: object) -> bool:
    return any(not _problems(shape, value) for shape in shapes)


def _problems(shape: type[BaseModel], value: object) -> str:
    try:
        shape.model_validate(value)
    except ValidationError as error:
        return str(error)
    return ""


def test_the_examples_of_every_endpoint_can_be_executed(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {*REPLIES, "/metrics"}
    executed = 0
    for path, verbs in document["paths"].items():  # in the order of fit, predict, models, delete
        for method, verb in verbs.items():
            sent = _examples(document, verb["requestBody"]["content"]) if "requestBody" in verb else [None]
            for body in sent:
                reply = client.request(method, path.replace("{name}", EXAMPLE_NAME), json=body)
                assert reply.status_code == 200, reply.text
                assert path == "/metrics" or _fits_one(REPLIES[path], reply.json())
                executed += 1
    assert executed == len(document["paths"]) + 2  # predict has three forms


def test_the_examples_of_replies_have_the_shape_of_replies(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for path, verbs in document["paths"].items():
        for verb in verbs.values():
            content = verb["responses"]["200"]["content"]
            if path == "/metrics":
                assert set(content) == {"text/plain"}
                continue
            examples = _examples(document, content)
            assert len(examples) == len(REPLIES[path])
            for shape, example in zip(REPLIES[path], examples, strict=True):
                assert _problems(shape, example) == ""


def test_the_parameters_of_the_list_are_shown_with_their_ranges(client: httpx.Client) -> None:
    parameters = client.get("/openapi.json").json()["paths"]["/v1/classifier/models"]["get"]["parameters"]
    limit, cursor = parameters
    assert (limit["name"], limit["schema"]["minimum"], limit["schema"]["maximum"]) == ("limit", 1, 1_000)
    assert (cursor["name"], cursor["required"]) == ("cursor", False)


def test_every_field_has_a_description_and_every_reference_leads_somewhere(client: httpx.Client) -> None:
    text = client.get("/openapi.json").text
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == set(schemas)
    for schema in schemas.values():
        assert all("description" in field for field in schema["properties"].values())


def test_the_ranges_of_the_parameters_are_shown(client: httpx.Client) -> None:
    fields = client.get("/openapi.json").json()["components"]["schemas"]["FitBody"]["properties"]
    shown = {
        name: (fields[name]["minimum"], fields[name]["maximum"]) for name in ("num_iterations", "batch_size", "seed")
    }
    assert shown == {"num_iterations": (0, 1_000), "batch_size": (2, 1_024), "seed": (0, 2**32 - 1)}
    assert (fields["max_seconds"]["exclusiveMinimum"], fields["max_seconds"]["maximum"]) == (0, 86_400)


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
    for path in REPLIES:
        assert path.split("{")[0] in run.stdout.replace("\u200b", "")
