"""The documents say what the code does: settings, endpoints, codes, links, and a tour that works when pasted."""

import json
import re
import runpy
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from prometheus_client.metrics_core import Metric

from tests.http.conftest import client, operations, running_app
from tests.readme_tour import Tour, differences, steps
from tests.source_tree import ROOT
from tests.storage.breakage import ALL
from tests.toy import Toy
from windrow.api.endpoints import ENDPOINTS
from windrow.api.examples import EXAMPLE_ALIAS, EXAMPLE_NAME, EXAMPLE_ROWS, REQUESTS
from windrow.http.app import create_app
from windrow.settings import Settings, variable_name

__all__ = ["client", "operations", "running_app"]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[Tour]:
    tour = Tour(tmp_path)
    yield tour
    tour.kill()


def test_the_tour_of_the_readme_works_when_pasted_and_shows_what_comes_back(tour: Tour) -> None:
    blocks = steps(README, "## A tour in 60 seconds")
    assert sum(step.shown is not None for step in blocks) >= 5
    for step in blocks:
        printed = tour.take(step)
        if step.shown is not None:
            assert list(differences(json.loads(step.shown), json.loads(printed))) == [], printed
    tour.stop()


def test_the_two_commands_come_first_in_the_readme() -> None:
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first is not None
    assert re.findall(r"^make (\w+)", first.group(1), re.MULTILINE) == ["serve", "test"]


def test_the_table_of_settings_is_what_the_code_says() -> None:
    rows = [
        f"| `{variable_name(knob.name)}` | {_default(knob.default)} | {knob.metadata['doc']} |"
        for knob in fields(Settings)
    ]
    assert re.findall(r"^\| `WINDROW_.*", SETTINGS, re.MULTILINE) == rows


def test_the_table_of_metrics_is_what_the_code_says() -> None:
    registry = create_app(Toy(), Settings()).state.context.metrics.registry
    shown = [figure for figure in registry.collect() if figure.name.startswith("windrow_")]
    rows = [f"| `{_full_name(figure)}` | {figure.type} | {figure.documentation} |" for figure in shown]
    assert re.findall(r"^\| `windrow_\w+` \| .*", METRICS, re.MULTILINE) == rows


def test_the_reference_of_the_api_is_what_the_declarations_say() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "write_reference.py"))
    assert reference["written"](API) == API, "write it anew: make reference"


def test_each_endpoint_has_a_heading() -> None:
    headings = re.findall(r"^### (\w+) (/[^\s?]*)", API, re.MULTILINE)
    real = [(each.method, each.path) for each in ENDPOINTS]
    assert set(headings) == {*real, ("GET", "/health"), ("GET", "/metrics")}


def test_the_example_of_each_request_is_answered(client: httpx.Client) -> None:
    rival = "ticket_classifier_v2"
    for name in (EXAMPLE_NAME, rival):
        body = {"model_name": name, "training_data": EXAMPLE_ROWS, "num_iterations": 0}
        client.post("/v1/classifier/fit", json=body).raise_for_status()
    client.put(f"/v1/classifier/aliases/{EXAMPLE_ALIAS}", json={"model_name": rival}).raise_for_status()
    shown = [(endpoint, each) for endpoint in ENDPOINTS for each in REQUESTS.get(endpoint.verb, {}).values() if each]
    assert len(shown) >= 10
    for endpoint, example in shown:
        path = endpoint.path.format(model_name=EXAMPLE_NAME, alias=EXAMPLE_ALIAS)
        reply = client.request(endpoint.method, path, json=example)
        assert reply.status_code == endpoint.status, (endpoint.verb, reply.text)


def test_the_table_of_what_fsck_finds_has_every_code_and_its_severity() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \| .+ \|$", (ROOT / "docs" / "fsck.md").read_text(), re.MULTILINE))
    broken = {code: severity for severity, code, _ in ALL.values()}
    assert told == {**broken, "blob_unreadable": "damage", "folder_unreadable": "damage"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"https?:|mailto:", t)]
    assert [target for target in targets if not _leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_page_under_docs_can_be_reached_from_the_readme_or_its_index(page: Path) -> None:
    links = {
        (index.parent / target.split("#")[0]).resolve()
        for index in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "docs" / "adr" / "README.md")
        for target in re.findall(r"\]\(([^)\s]+)\)", index.read_text())
    }
    assert page.resolve() in links


@pytest.mark.parametrize("folder", [".ci", "bench", "docs", "requirements", "src", "tests", "."])
def test_no_file_names_a_path_of_somebodys_machine(folder: str) -> None:
    paths = ROOT.glob("*.*") if folder == "." else (ROOT / folder).rglob("*")
    ours = [path for path in paths if path.is_file() and not _is_left_by_a_benchmark(path)]
    texts = [path for path in ours if path.suffix in {".md", ".py", ".txt", ".toml", ".json", ""}]
    personal = re.compile(r"(?<![\w.}/:])/(home|root|Users|work|mnt|opt)/\w")
    assert [path.name for path in texts if personal.search(path.read_text(errors="replace"))] == []


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"


def _is_left_by_a_benchmark(path: Path) -> bool:
    """Whether git ignores it: a benchmark's environment or what it wrote."""
    below = path.relative_to(ROOT).parts
    return below[0] == "bench" and (below[1] == "out" or below[1].startswith(".venv"))


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in ((), ""):
        return "none"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def _full_name(figure: Metric) -> str:
    return figure.name + ("_total" if figure.type == "counter" else "")


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path) if path else page
    if not file.exists():
        return False
    return not anchor or anchor in _anchors(file.read_text())


def _anchors(markdown: str) -> set[str]:
    """Return a page's anchors as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
