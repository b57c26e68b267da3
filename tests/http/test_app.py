"""The documentation: its examples run, and its page needs nothing but this server."""

import os
import re
import shutil
import subprocess
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from windrow.wire import Deleted, FitReply, Health, ModelList, PredictReply

REPLIES: dict[str, type[BaseModel]] = {
    "/v1/classifier/fit": FitReply,
    "/v1/classifier/predict": PredictReply,
    "/v1/classifier/models": ModelList,
    "/v1/classifier/models/{name}": Deleted,
    "/health": Health,
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


def test_the_examples_of_every_endpoint_can_be_executed(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == set(REPLIES)
    for path, verbs in document["paths"].items():  # in the order of fit, predict, models, delete
        for method, verb in verbs.items():
            for parameter in verb.get("parameters", []):
                path_sent = path.replace(f"{{{parameter['name']}}}", parameter["schema"]["examples"][0])
            body = verb.get("requestBody")
            sent = _example(document, body["content"]["application/json"]["schema"]) if body else None
            reply = client.request(method, path_sent if "{" in path else path, json=sent)
            assert reply.status_code == 200, reply.text
            REPLIES[path].model_validate(reply.json())


def test_the_examples_of_replies_have_the_shape_of_replies(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for path, verbs in document["paths"].items():
        for verb in verbs.values():
            REPLIES[path].model_validate(
                _example(document, verb["responses"]["200"]["content"]["application/json"]["schema"])
            )


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
