"""What the examples of proxies let through: TLS, a path prefix, events as they happen, large bodies."""

import http.client
import json
import re
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.deploy.proxies import Caddy, Nginx, Proxy, find
from tests.packages import leave_out
from tests.servers import TICKETS, Running, Servers
from tests.source_tree import ROOT

pytestmark = pytest.mark.slow

PREFIX = "/windrow"
API = f"{PREFIX}/v1/classifier"
ROWS = [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server as the examples say that it is started."""
    folder = tmp_path_factory.mktemp("server")
    servers = Servers(folder)
    yield servers.start(folder / "data", "--root-path", PREFIX, WINDROW_TRUSTED_PROXIES="127.0.0.1")
    servers.stop()


@pytest.fixture(scope="module", params=[Nginx, Caddy], ids=lambda proxy: proxy.program)
def proxy(request: pytest.FixtureRequest, server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy before it."""
    if not find(request.param.program):
        leave_out(f"needs {request.param.program}: apt-get install {request.param.program}")
    proxy = request.param(tmp_path_factory.mktemp("proxy"), server.client.base_url.port)
    yield proxy
    proxy.stop()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """A client that trusts the proxy's certificate."""
    verify = proxy.authority.client_context()
    with httpx.Client(base_url=f"https://127.0.0.1:{proxy.port}", verify=verify, timeout=120) as client:
        yield client


def connections(server: Running) -> set[int]:
    """Return the ports from which the proxy holds connections to the server."""
    held = psutil.Process(server.process.pid).net_connections(kind="tcp")
    return {each.raddr.port for each in held if each.status == psutil.CONN_ESTABLISHED and each.raddr}


def test_links_have_the_prefix(client: httpx.Client) -> None:
    assert client.get(f"{PREFIX}/health").json()["status"] == "ok"
    page = client.get(f"{PREFIX}/")
    assert page.status_code == 200
    (digest,) = set(re.findall(rf"{PREFIX}/console/([0-9a-f]+)/", page.text))
    assert client.get(f"{PREFIX}/console/{digest}/js/main.js").status_code == 200
    assert [each["url"] for each in client.get(f"{PREFIX}/openapi.json").json()["servers"]] == [PREFIX]


def test_who_leaves_out_the_last_slash_of_the_prefix_is_led_to_the_page(client: httpx.Client) -> None:
    reply = client.get(PREFIX, follow_redirects=True)
    assert [each.status_code for each in reply.history] == [301]
    assert reply.url.path == f"{PREFIX}/"
    assert "/console/" in reply.text


def test_events_of_a_training_come_while_it_runs(client: httpx.Client) -> None:
    """A proxy that kept them back would give none before the cancellation, which waits for the first."""
    body = {"model_name": "slow_v1", "training_data": ROWS, "num_iterations": 500}
    job = client.post(f"{API}/fit?wait=false", json=body).json()["id"]
    states = []
    with client.stream("GET", f"{API}/jobs/{job}/events") as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        for line in reply.iter_lines():
            if line.startswith("data: "):
                states.append(json.loads(line.removeprefix("data: "))["state"])
                if len(states) == 1:
                    assert client.post(f"{API}/jobs/{job}/cancel").status_code == 200
    assert states[0] in ("queued", "running")
    assert states[-1] == "cancelled"


def test_the_server_alone_decides_how_large_a_body_may_be(client: httpx.Client) -> None:
    rows = [{"text": "x" * 20_001, "label": str(number % 2)} for number in range(1_000)]
    refused = client.post(f"{API}/fit", json={"model_name": "large_v1", "training_data": rows})
    assert refused.status_code == 422
    assert refused.json()["code"] == "limit_exceeded"
    too_large = client.post(f"{API}/fit", json={"model_name": "large_v1", "training_data": rows * 2})
    assert too_large.status_code == 413
    assert too_large.json()["code"] == "body_too_large"


def test_connections_stay_open_on_both_sides(proxy: Proxy, server: Running) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=proxy.authority.client_context())
    held, sockets = [], []
    for _ in range(20):
        connection.request("GET", f"{PREFIX}/health")
        reply = connection.getresponse()
        assert reply.status == 200
        reply.read()
        sockets.append(connection.sock)
        held.append(connections(server))
    assert len(set(map(id, sockets))) == 1
    assert held[0]
    assert set.union(*held) == held[0]
    connection.close()


@pytest.mark.parametrize("file", ["nginx/windrow.conf", "caddy/Caddyfile"])
def test_the_page_about_networks_names_each_example(file: str) -> None:
    page = (ROOT / "docs" / "how-to" / "put-a-server-on-a-network.md").read_text()
    assert f"../../deploy/{file}" in page
