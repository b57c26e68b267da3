"""The audit trail over a real socket: what a server with keys notes of requests that it refuses, and who reads it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import API, FIT, MODEL, PREDICT, PREDICT_PATH, SECRET, check_problem, fit
from tests.servers import Servers
from tests.toy import Toy
from windrow.settings import Settings

AUDIT, KEYS = f"{API}/audit", f"{API}/keys"


@dataclass(frozen=True)
class Locked:
    """A server that needs keys.

    Args:
        client: Sends no key.
        keys: The headers that carry one, by the key's name.
    """

    client: httpx.Client
    keys: dict[str, dict[str, str]]

    def lines(self, **query: str) -> list[dict[str, object]]:
        """Return the lines of the trail, the oldest first."""
        reply = self.client.get(AUDIT, headers=self.keys["boss"], params=query)
        assert reply.status_code == 200, reply.text
        return list(reversed(reply.json()["lines"]))


@pytest.fixture
def locked() -> Iterator[Locked]:
    toy = Toy()
    with serving(toy, Settings()) as url, httpx.Client(base_url=url, timeout=30) as client:
        made = client.post(KEYS, json={"name": "boss", "scopes": ["admin", "train", "read"]})
        headers = {"boss": {"Authorization": f"Bearer {made.json()['key']}"}}
        made = client.post(KEYS, json={"name": "asks", "scopes": ["predict"]}, headers=headers["boss"])
        headers["asks"] = {"X-API-Key": made.json()["key"]}
        yield Locked(client, headers)
    toy.close()


def test_a_change_names_key_address_and_request(locked: Locked) -> None:
    reply = locked.client.post(f"{API}/fit", json=FIT, headers={**locked.keys["boss"], "X-Request-Id": "mine"})
    assert reply.status_code == 200
    *_, begun, ended = locked.lines()
    for line, verb in ((begun, "start_fit"), (ended, "fit")):
        assert (line["verb"], line["key_name"], line["address"], line["request_id"], line["outcome"]) == (
            verb,
            "boss",
            "127.0.0.1",
            "mine",
            "ok",
        )
    assert (ended["revision_before"], ended["revision_after"], ended["user"]) == (None, 1, None)


def test_a_request_without_a_valid_key_is_counted_and_neither_key_nor_body_is_kept(locked: Locked) -> None:
    wrong = {"Authorization": "Bearer wdr_thisIsNoKeyOfThisServer"}
    for _ in range(5):
        check_problem(
            locked.client.post(PREDICT_PATH, json={**PREDICT, "text": SECRET}, headers=wrong), 401, "unauthorized"
        )
    check_problem(locked.client.get(f"{API}/models?key=wdr_inTheAddress"), 401, "unauthorized")
    found = locked.lines()
    (line,) = [each for each in found if each["outcome"] == "unauthorized"]
    assert (line["count"], line["address"], line["key_name"], line["verb"]) == (6, "127.0.0.1", None, "")
    for secret in ("wdr_", SECRET):
        assert secret not in json.dumps(found)


def test_a_key_that_is_not_enough_is_counted_with_the_verb_that_it_asked_for(locked: Locked) -> None:
    for _ in range(2):
        check_problem(locked.client.delete(MODEL, headers=locked.keys["asks"]), 403, "insufficient_scope")
    check_problem(locked.client.get(AUDIT, headers=locked.keys["asks"]), 403, "insufficient_scope")
    told = [(each["key_name"], each["verb"], each["count"]) for each in locked.lines(key_name="asks")]
    assert told == [("asks", "delete", 2), ("asks", "audit", 1)]


def test_a_part_of_the_trail_is_asked_for_by_the_query(client: httpx.Client) -> None:
    fit(client, "a", "b")
    whole = client.get(AUDIT).json()
    assert [line["target"] for line in whole["lines"]] == ["b", "b", "a", "a"]
    assert (whole["next_cursor"], whole["unreadable_files"]) == (None, 0)
    first = client.get(AUDIT, params={"limit": 3, "since": "2020-01-01"}).json()
    rest = client.get(AUDIT, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert first["lines"] + rest["lines"] == whole["lines"]
    assert client.get(AUDIT, params={"target": "a", "limit": 1}).json()["lines"] == whole["lines"][2:3]
    for query in ("since=yesterday", "limit=0", "limit=x", "cursor=a", "target="):
        check_problem(client.get(f"{AUDIT}?{query}"), 422, "invalid_parameter")


@pytest.mark.slow
def test_a_server_writes_what_it_counted_when_it_stops_and_the_command_line_what_it_does_itself(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    try:
        server = servers.start(tmp_path / "data")
        made = server.client.post(KEYS, json={"name": "boss", "scopes": ["admin"]}).json()
        for _ in range(3):
            assert server.client.get(AUDIT).status_code == 401
        server.process.terminate()
        assert server.process.wait(60) == 0
    finally:
        servers.stop()
    windrow("keys", "revoke", "boss", data_dir=tmp_path / "data")
    trail = json.loads(windrow("audit", "--json", data_dir=tmp_path / "data"))
    told = [(line["verb"], line["target"], line["outcome"], line["count"]) for line in trail["lines"]]
    assert told == [("revoke_key", "boss", "ok", 1), ("", "", "unauthorized", 3), ("create_key", "boss", "ok", 1)]
    assert trail["lines"][0]["user"]
    assert (trail["lines"][2]["address"], trail["lines"][2]["user"]) == ("127.0.0.1", None)
    assert made["key"] not in "".join(path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())


def windrow(*arguments: str, data_dir: Path) -> str:
    """Run a command on a data directory, and return what it prints."""
    command = [sys.executable, "-m", "windrow", *arguments, "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
