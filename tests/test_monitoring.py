"""Alerts and dashboard: sound, about figures that a real server shows, and answered by a real Prometheus.

What promtool and Prometheus check needs Debian's package ``prometheus``, which CI installs.
"""

import hashlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.http.asking import wait_until
from tests.servers import Servers, fit, predict
from tests.source_tree import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
ALERT_CASES = ROOT / "tests" / "monitoring" / "alerts_test.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "windrow.json"
MONITOR_PAGE = ROOT / "docs" / "how-to" / "monitor.md"
KEY = "wdr_" + hashlib.sha256(b"monitoring").hexdigest()
# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}
# A server on a folder has no figures of these, and only what Prometheus itself says of a server is called up.
WITHOUT_SAMPLES = {"windrow_store_requests_total"}
FROM_PROMETHEUS = {"up"}
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("promtool") and shutil.which("prometheus")), reason="Debian's package prometheus is not installed"
)


@dataclass(frozen=True)
class Watched:
    """A server that has been used, and needs a key.

    Args:
        client: Sends the key.
        key_file: The file with it.
    """

    client: httpx.Client
    key_file: Path

    @property
    def address(self) -> str:
        """Host and port."""
        return self.client.base_url.netloc.decode()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    key_file = folder / "windrow.key"
    key_file.write_text(KEY)
    servers = Servers(folder)
    try:
        server = servers.start(folder / "data", WINDROW_FIRST_KEY_FILE=str(key_file))
        assert predict(server).status_code == 401  # is counted as refused
        server.client.headers["Authorization"] = f"Bearer {KEY}"
        fit(server, num_iterations=0)
        assert predict(server).status_code == 200
        wait_until(lambda: "windrow_stored_bytes" in server.client.get("/metrics").text)
        yield Watched(server.client, key_file)
    finally:
        servers.stop()


def _targets() -> list[dict[str, Any]]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target for panel in panels for target in panel.get("targets", ())]


def _dashboard_queries() -> list[str]:
    found = [target["expr"] for target in _targets()]
    for name, value in VARIABLES.items():
        found = [each.replace(name, value) for each in found]
    return found


def _alert_queries() -> list[str]:
    """Return the expressions of the alerts; those of several lines are indented."""
    expressions = re.findall(r"^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)", ALERTS.read_text(), re.MULTILINE)
    return [block or line for block, line in expressions]


def _page_queries() -> list[str]:
    """Return the queries of the page, without the marks of its table."""
    rows = re.findall(r"^\| [^|]*\?[ ]*\|(.*)\|$", MONITOR_PAGE.read_text(), re.MULTILINE)
    return [query for row in rows for query in re.findall(r"`([^`]*windrow_[^`]*)`", row)]


def _names(queries: list[str]) -> set[str]:
    without_strings = [re.sub(r'"[^"]*"', "", each) for each in queries]
    names = {name for each in without_strings for name in re.findall(r"\b(?:windrow|process)_\w+", each)}
    return names | ({"up"} if any(re.search(r"\bup\{", each) for each in without_strings) else set())


def _alerts() -> list[str]:
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@needs_prometheus
def test_the_alerts_are_sound() -> None:
    assert f"{len(_alerts())} rules found" in _run("promtool", "check", "rules", ALERTS)


@pytest.mark.slow
@needs_prometheus
def test_the_alerts_fire_where_they_should_and_nowhere_else() -> None:
    assert "SUCCESS" in _run("promtool", "test", "rules", ALERT_CASES)


def test_each_alert_has_a_case_in_which_it_fires() -> None:
    fires = re.findall(r'alertname="(\w+)"', ALERT_CASES.read_text())
    assert set(fires) == set(_alerts())


def test_each_alert_has_an_expression_a_severity_and_words() -> None:
    rules = ALERTS.read_text().split("- alert: ")[1:]
    assert len(_alert_queries()) == len(rules)
    for rule in rules:
        assert re.search(r"\n {10}severity: (critical|warning)\n", rule), rule
        assert {"summary", "description", "page"} == set(re.findall(r"\n {10}(\w+): .", rule.partition("annot")[2]))


def test_each_alert_leads_to_a_part_of_a_page() -> None:
    for page, anchor in re.findall(r"page: (\S+)#(\S+)", ALERTS.read_text()):
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}


def test_the_page_has_each_alert() -> None:
    text = MONITOR_PAGE.read_text()
    assert [name for name in _alerts() if f"`{name}`" not in text] == []


def test_grafana_knows_each_member_of_the_dashboard_at_its_place() -> None:
    register_default_plugins()
    written = json.loads(DASHBOARD.read_text())
    read = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(written)))
    assert list(_lost(written, read)) == []
    (unknown := json.loads(DASHBOARD.read_text()))["panels"][1]["fieldConfig"]["defaults"]["unti"] = "s"
    read = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(unknown)))
    assert list(_lost(unknown, read)) == [".panels[1].fieldConfig.defaults.unti"]


def _lost(written: object, read: object, where: str = "") -> Iterator[str]:
    """Yield what is not the same after Grafana's model has read it."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            yield from _lost(value, read[name], f"{where}.{name}") if name in read else (f"{where}.{name}",)
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for number, (left, right) in enumerate(zip(written, read, strict=True)):
            yield from _lost(left, right, f"{where}[{number}]")
    elif written != read:
        yield where


def test_the_panels_of_the_dashboard_have_names_and_places_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        cells = set(product(range(x, x + width), range(y, y + height)))
        assert not cells & taken, panel["title"]
        assert x + width <= 24
        taken |= cells
    for target in _targets():
        assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert 'instance=~"$instance"' in target["expr"]


@pytest.mark.slow
@needs_prometheus
def test_prometheus_reads_each_query(tmp_path: Path) -> None:
    queries = [*_dashboard_queries(), *_page_queries()]
    assert len(queries) > 40
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(queries)} rules found" in _run("promtool", "check", "rules", file)


@pytest.mark.slow
def test_a_real_server_shows_each_figure_that_is_asked_for(watched: Watched) -> None:
    text = watched.client.get("/metrics").text
    sampled = set(re.findall(r"^(\w+)[ {]", text, re.MULTILINE))
    declared = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert declared >= WITHOUT_SAMPLES
    asked = _names([*_alert_queries(), *_dashboard_queries(), *_page_queries()])
    assert len(asked) > 40
    assert asked - sampled - FROM_PROMETHEUS == WITHOUT_SAMPLES


@pytest.mark.slow
def test_the_dashboard_shows_each_figure_of_a_real_server(watched: Watched) -> None:
    text = watched.client.get("/metrics").text
    declared = set(re.findall(r"^# TYPE (windrow_\w+) ", text, re.MULTILINE))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in _names(_dashboard_queries())}
    assert declared - shown - {name for name in declared if name.endswith("_created")} == set()


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that scrapes a server each second.

    Args:
        client: Asks it.
    """

    client: httpx.Client

    def ask(self, query: str) -> list[Any]:
        """Return what a query gives now."""
        reply = self.client.get("/api/v1/query", params={"query": query})
        assert reply.status_code == 200, (query, reply.text)
        found: list[Any] = reply.json()["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules that it evaluates."""
        groups = self.client.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest.fixture
def prometheus(watched: Watched, tmp_path: Path) -> Iterator[Prometheus]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    scrape = {
        "job_name": "windrow",
        "static_configs": [{"targets": [watched.address]}],
        "authorization": {"credentials_file": str(watched.key_file)},
    }
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [scrape],
    }
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps(config))
    options = [f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address={address}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
            wait_until(lambda: process.poll() is not None or _is_up(client))
            assert process.poll() is None, (tmp_path / "log").read_text()
            yield Prometheus(client)
    finally:
        process.terminate()
        process.wait(60)


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@needs_prometheus
def test_a_real_prometheus_answers_each_query_of_the_dashboard_and_finds_no_cause_for_alarm(
    prometheus: Prometheus,
) -> None:
    answered = [each for each in _dashboard_queries() if not any(name in each for name in WITHOUT_SAMPLES)]
    assert len(answered) > 40
    wait_until(lambda: all(map(prometheus.ask, answered)))
    wait_until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()))
    # One may be pending: what seconds say of the next day is no cause for alarm yet.
    states = {rule["name"]: rule["state"] for rule in prometheus.rules()}
    assert states.keys() == set(_alerts())
    assert "firing" not in states.values()
