"""The documents say what the code does: generated pages, links, width, and a tour that works when pasted."""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from docs.generator.markdown import anchor
from docs.generator.pages import FOLDER
from docs.generator.pages import PAGES as GENERATED
from tests.http.conftest import client, operations, running_app
from tests.readme_tour import Tour, differences, steps
from tests.source_tree import ROOT
from tests.storage.breakage import ALL
from windrow.api.endpoints import ENDPOINTS, START_PREDICT_FILES
from windrow.api.examples import EXAMPLE_ALIAS, EXAMPLE_NAME, EXAMPLE_ROWS, REQUESTS
from windrow.api.foreign.table import FOREIGN_ENDPOINTS
from windrow.cli import exits
from windrow.domain.integrity import FINDINGS
from windrow.session.session import Session
from windrow.settings import Settings, variable_name

__all__ = ["client", "operations", "running_app"]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
# All but the history, which may name what is gone.
PRESENT = [page for page in PAGES if page.name not in {"CHANGELOG.md", "RESULTS.md"}]
README = (ROOT / "README.md").read_text()
MAX_WIDTH = 120


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[Tour]:
    tour = Tour(tmp_path)
    yield tour
    tour.kill()


@pytest.mark.slow
def test_the_tour_of_the_readme_works_when_pasted_and_shows_what_comes_back(tour: Tour) -> None:
    blocks = steps(README, "## A tour in 60 seconds")
    assert sum(step.shown is not None for step in blocks) >= 4
    for step in blocks:
        printed = tour.take(step)
        if step.shown is not None:
            assert list(differences(json.loads(step.shown), json.loads(printed))) == [], printed
    tour.stop()


def test_the_two_commands_come_first_in_the_readme() -> None:
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first is not None
    assert re.findall(r"^make (\w+)", first.group(1), re.MULTILINE) == ["serve", "test"]


def test_the_readme_answers_a_first_predict_within_two_screens() -> None:
    lines = README.splitlines()
    first_answer = next(number for number, line in enumerate(lines) if '"in_scope": ' in line)
    assert first_answer <= 2 * 40
    assert len(lines) <= 140


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_page_of_the_reference_is_what_the_declarations_say(name: str) -> None:
    assert (FOLDER / name).read_text() == GENERATED[name](), "write it anew: make reference"


def test_no_page_of_the_reference_is_written_by_hand() -> None:
    assert {page.name for page in FOLDER.glob("*")} == set(GENERATED)


def test_the_reference_has_each_endpoint() -> None:
    headings = re.findall(r"^### (\w+) (/[^\s?]*)", (FOLDER / "http.md").read_text(), re.MULTILINE)
    real = [(each.method, each.path) for each in ENDPOINTS]
    assert set(headings) == {
        *real,
        *(("GET", page) for page in ("/health", "/health/live", "/health/ready", "/metrics")),
    }


def test_the_reference_has_each_method_and_argument_of_a_session() -> None:
    page = (FOLDER / "python.md").read_text()
    methods = {name: member for name, member in vars(Session).items() if callable(member) and not name.startswith("_")}
    assert len(methods) > 30
    for name, method in methods.items():
        part = page.partition(f"\n### Session.{name}\n")[2].partition("\n### ")[0]
        arguments = {*inspect.signature(method).parameters} - {"self", "options"}
        assert {each for each in arguments if f"\n| `{each}` | " not in part} == set(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_line_of_prose_is_at_most_120_characters_wide(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    wide = [line for line in prose.splitlines() if len(line) > MAX_WIDTH and not _must_be_wide(line)]
    assert wide == []


def test_the_example_of_each_request_is_answered(client: httpx.Client) -> None:
    rival = "ticket_classifier_v2"
    for name in (EXAMPLE_NAME, rival):
        body = {"model_name": name, "training_data": EXAMPLE_ROWS, "num_iterations": 0}
        client.post("/v1/classifier/fit", json=body).raise_for_status()
    client.put(f"/v1/classifier/aliases/{EXAMPLE_ALIAS}", json={"model_name": rival}).raise_for_status()
    shown = [(endpoint, each) for endpoint in ENDPOINTS for each in REQUESTS.get(endpoint.verb, {}).values() if each]
    assert len(shown) >= 10
    for endpoint, example in shown:
        path = endpoint.path.format(model_name=EXAMPLE_NAME, alias=EXAMPLE_ALIAS, name="shop")
        reply = client.request(endpoint.method, path, json=example)
        # This server reads and writes no files for clients, which it looks at last.
        status = 403 if endpoint is START_PREDICT_FILES else endpoint.status
        assert reply.status_code == status, (endpoint.verb, reply.text)


def test_every_finding_of_fsck_is_declared_with_its_severity() -> None:
    declared = {code: severity for code, (severity, _) in FINDINGS.items()}
    broken = {code: severity for severity, code, _ in ALL.values()}
    # What takes a user without rights, a job, keys, an audit trail or an object store is broken where it is tested.
    elsewhere = {
        "audit_unreadable": "damage",
        "blob_unreadable": "damage",
        "checkpoint_unreadable": "damage",
        "commit_missing": "damage",
        "commit_unreadable": "damage",
        "content_altered": "damage",
        "content_missing": "damage",
        "content_unreferenced": "garbage",
        "folder_unreadable": "damage",
        "bindings_unreadable": "damage",
        "keys_unreadable": "damage",
        "number_not_copied": "notice",
    }
    assert declared == {**broken, **elsewhere}


def test_the_reference_has_each_exit_code() -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    page = (FOLDER / "command-line.md").read_text()
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_setting_and_endpoint_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    settings = {variable_name(each.name) for each in fields(Settings)}
    assert {name for name in re.findall(r"\bWINDROW_[A-Z_]+\b", text) if name not in settings} == set()
    known = {(each.method, each.path) for each in ENDPOINTS} | {(row.method, row.path) for row in FOREIGN_ENDPOINTS}
    named = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/v1/[\w/{}-]+)", text)
    assert {each for each in named if each not in known} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"https?:|mailto:", t)]
    assert [target for target in targets if not _leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_page_under_docs_can_be_reached_from_an_index(page: Path) -> None:
    links = {
        (index.parent / target.split("#")[0]).resolve()
        for index in (ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "adr" / "README.md")
        for target in re.findall(r"\]\(([^)\s]+)\)", index.read_text())
    }
    assert page.resolve() in links


@pytest.mark.parametrize("folder", [".ci", "bench", "deploy", "docs", "requirements", "src", "tests", "."])
def test_no_file_names_a_path_of_somebodys_machine(folder: str) -> None:
    paths = ROOT.glob("*.*") if folder == "." else (ROOT / folder).rglob("*")
    ours = [path for path in paths if path.is_file() and not _is_left_by_a_benchmark(path)]
    texts = [
        path
        for path in ours
        if path.suffix in {".md", ".py", ".txt", ".toml", ".json", ".yaml", ".conf", ".service", ""}
    ]
    personal = re.compile(r"(?<![\w.}/:])/(home|root|Users|work|mnt|opt)/\w")
    assert [path.name for path in texts if personal.search(path.read_text(errors="replace"))] == []


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"


def _is_left_by_a_benchmark(path: Path) -> bool:
    """Whether git ignores it: a benchmark's environment or what it wrote."""
    below = path.relative_to(ROOT).parts
    return below[0] == "bench" and (below[1] == "out" or below[1].startswith(".venv"))


def _must_be_wide(line: str) -> bool:
    """Whether a line cannot be broken: a row of a table, or one word such as a link."""
    return line.startswith("|") or " " not in line.strip().removeprefix("- ")


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path) if path else page
    if not file.exists():
        return False
    return not anchor or anchor in _anchors(file.read_text())


def _anchors(markdown: str) -> set[str]:
    """Return a page's anchors as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {*map(anchor, headings)}
