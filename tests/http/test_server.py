"""A server in a process of its own: readiness, banner, logs, signals."""

import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from tests.http.asking import wait_until
from tests.http.certificates import Authority
from tests.http.conftest import ServerProcess, StartServer
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.errors import InvalidParameter
from windrow.http import server as http_server
from windrow.http.server import listen
from windrow.settings import Settings

pytestmark = pytest.mark.slow

FIT = {
    "model_name": EXAMPLE_NAME,
    "training_data": list(EXAMPLE_ROWS),
}
PREDICT = {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_banner_appears_when_requests_are_answered_and_its_commands_work_when_pasted(
    start_server: StartServer,
) -> None:
    server = start_server()
    commands = server.banner[server.banner.index("curl ") :].split("Ask it:\n")
    fitted, predicted = (json.loads(subprocess.check_output(["sh", "-c", command])) for command in commands)
    assert fitted["status"] == "trained"
    assert predicted["label"] == "billing"
    assert httpx.get(f"{server.url}/docs").status_code == 200


def test_a_server_that_others_reach_without_a_key_warns_in_its_log_and_answers_to_the_names_that_it_was_given(
    start_server: StartServer,
) -> None:
    server = start_server(
        WINDROW_HOST="0.0.0.0", WINDROW_ALLOWED_HOSTS="windrow.example, windrow", WINDROW_INSECURE_NO_KEYS="true"
    )
    assert "open_to_the_network" in server.log.read_text()
    for name, status in (("windrow.example", 200), ("WINDROW:14345", 200), ("evil.example", 421)):
        assert httpx.get(f"{server.url}/v1/classifier/models", headers={"Host": name}).status_code == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_server_that_others_would_reach_without_a_key_does_not_start_and_says_the_three_ways_out(
    tmp_path: Path, host: str
) -> None:
    environment = {**os.environ, "WINDROW_DATA_DIR": str(tmp_path), "WINDROW_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "windrow", "serve", "--host", host], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert (ended.stdout, ended.stderr.count("\n")) == ("", 1)
    create = f"windrow keys create admin --scope admin --data-dir {tmp_path}`"
    for way in (create, "--host 127.0.0.1", "--insecure-no-keys or WINDROW_INSECURE_NO_KEYS=true"):
        assert way in ended.stderr


def test_a_server_that_others_reach_takes_its_first_key_from_a_file_and_speaks_tls(
    start_server: StartServer, tmp_path: Path
) -> None:
    authority, key, file = Authority(tmp_path), f"wdr_{secrets.token_hex(32)}", tmp_path / "first"
    file.write_text(key)
    server = start_server(
        WINDROW_HOST="0.0.0.0",
        WINDROW_FIRST_KEY_FILE=str(file),
        WINDROW_TLS_CERT=str(authority.certificate),
        WINDROW_TLS_KEY=str(authority.key),
    )
    assert server.url.startswith("https://127.0.0.1:")
    context = authority.client_context()
    models = f"{server.url}/v1/classifier/models"
    assert httpx.get(models, verify=context).status_code == 401
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        assert httpx.get(models, verify=context, headers=headers).status_code == 200
    told = server.log.read_text()
    assert "open_to_the_network" not in told
    assert key not in told + server.banner
    renewed = authority.issue()
    port = int(server.url.rpartition(":")[2])
    wait_until(lambda: ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port))) == renewed)
    assert "certificate_renewed" in server.log.read_text()
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_connection_that_never_speaks_tls_does_not_stay(start_server: StartServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = start_server(WINDROW_TLS_CERT=str(authority.certificate), WINDROW_TLS_KEY=str(authority.key))
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=50) as silent:
        assert silent.recv(1) == b""
    assert "Traceback" not in server.log.read_text()


def test_a_certificate_that_cannot_be_used_is_a_plain_error_of_the_start(tmp_path: Path) -> None:
    options = ["--port", "0", "--data-dir", str(tmp_path), "--tls-cert", str(tmp_path / "missing.pem")]
    ended = subprocess.run([sys.executable, "-m", "windrow", "serve", *options], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "--tls-cert" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_is_refused_with_what_to_do() -> None:
    (taken,) = listen("127.0.0.1", 0)
    with taken, pytest.raises(InvalidParameter, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_a_service_is_closed_where_the_application_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> NoReturn:
        raise OSError("no more threads")

    monkeypatch.setattr(http_server, "create_app", broken)
    toy = Toy()
    with pytest.raises(OSError, match="no more threads"):
        http_server.serve(lambda _: toy, Settings(port=0))
    assert toy.closed.is_set()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


@pytest.mark.skipif(not _has_ipv6(), reason="needs IPv6")
@pytest.mark.parametrize("host", ["::", ""])
def test_every_address_means_those_of_both_families(host: str) -> None:
    (listener,) = listen(host, 0)
    with listener:
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, listener.getsockname()[1]), timeout=5).close()


def test_a_name_is_listened_on_at_each_of_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 0)) for n in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    listeners = listen("localhost", 0)
    addresses = [listener.getsockname() for listener in listeners]
    for listener in listeners:
        listener.close()
    assert [address for address, _ in addresses] == ["127.0.0.1", "127.0.0.2"]
    assert len({port for _, port in addresses}) == 1


def test_a_connection_stays_open_between_requests_as_long_as_the_setting_says(start_server: StartServer) -> None:
    assert Settings().keep_alive_s >= 75
    server = start_server(WINDROW_KEEP_ALIVE_S="1")
    with httpx.Client(base_url=server.url) as client:
        port = client.base_url.port
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while chunk := connection.recv(4096):  # until the server closes it, after the second that the setting gives
            received += chunk
        assert received.startswith(b"HTTP/1.1 200 OK")


def test_what_is_no_http_is_refused_as_every_problem_is(start_server: StartServer) -> None:
    server = start_server()
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nno header\r\n\r\n")
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"content-type: application/problem+json" in head.lower()
    assert json.loads(body)["code"] == "request_refused"


def test_an_address_that_is_not_this_machines_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"203\.0\.113\.1"):
        listen("203.0.113.1", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_running_fit_takes_no_new_request_and_ends_with_0(
    start_server: StartServer, number: signal.Signals
) -> None:
    server = start_server("--pause")
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(httpx.post, f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
        server.wait_for_line("fit is running")
        server.process.send_signal(number)
        while True:  # until the listener is closed
            try:
                socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))).close()
            except ConnectionRefusedError:
                break
            except ConnectionResetError:
                continue  # it waited to be accepted while the listener closed; the next try is refused
        assert not fit.done()
        server.say("go on")
        assert fit.result().json()["status"] == "trained"
    assert server.wait() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_second_ctrl_c_quits_at_once(start_server: StartServer) -> None:
    server = start_server("--pause")
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(httpx.post, f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
        server.wait_for_line("fit is running")
        server.process.send_signal(signal.SIGINT)
        _wait_for_the_word_of_the_stop(server)
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 130
        assert isinstance(fit.exception(), httpx.HTTPError)


def test_a_fit_that_outlives_the_servers_patience_is_told_so_and_does_not_keep_it_from_ending(
    start_server: StartServer,
) -> None:
    server = start_server("--pause", WINDROW_SHUTDOWN_TIMEOUT_S="0")
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(httpx.post, f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
        server.wait_for_line("fit is running")
        server.process.terminate()
        assert server.wait() == 0
        assert fit.result().json()["code"] == "shutting_down"


def test_a_request_that_outlives_the_servers_patience_does_not_keep_it_from_ending(start_server: StartServer) -> None:
    server = start_server("--stuck", WINDROW_SHUTDOWN_TIMEOUT_S="0")
    with ThreadPoolExecutor(1) as pool:
        check = pool.submit(httpx.post, f"{server.url}/v1/classifier/fsck", timeout=60)
        server.wait_for_line("fsck is stuck")
        server.process.terminate()
        assert server.wait() == 0
        check.exception()
    assert "requests_abandoned" in server.log.read_text()


def test_a_training_that_no_request_waits_for_is_finished_before_the_server_ends(start_server: StartServer) -> None:
    server = start_server("--pause", "--tell")
    _begin(server)
    server.process.terminate()
    _wait_for_the_word_of_the_stop(server)
    assert server.process.poll() is None
    server.say("go on")
    server.wait_for_line("succeeded")
    assert server.wait() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_training_that_outlives_the_servers_patience_is_interrupted_and_whoever_follows_it_is_told(
    start_server: StartServer,
) -> None:
    server = start_server("--pause", "--tell", WINDROW_SHUTDOWN_TIMEOUT_S="0")
    job = _begin(server)
    with httpx.stream("GET", f"{server.url}/v1/classifier/jobs/{job}/events", timeout=60) as events:
        lines = events.iter_lines()
        assert next(lines) == "id: 1"
        server.process.terminate()
        assert [line for line in lines if line.startswith("event: ")] == ["event: running", "event: interrupted"]
    server.wait_for_line("interrupted")
    assert server.wait() == 0


def test_a_second_ctrl_c_quits_at_once_also_while_only_a_training_is_waited_for(start_server: StartServer) -> None:
    server = start_server("--pause")
    _begin(server)
    server.process.send_signal(signal.SIGINT)
    _wait_for_the_word_of_the_stop(server)
    server.process.send_signal(signal.SIGINT)
    assert server.wait() == 130


def _begin(server: ServerProcess) -> str:
    """Begin a training that no request waits for, and return its id once it runs."""
    begun = httpx.post(f"{server.url}/v1/classifier/fit?wait=false", json=FIT, timeout=60)
    server.wait_for_line("fit is running")
    return str(begun.json()["id"])


def _wait_for_the_word_of_the_stop(server: ServerProcess) -> None:
    wait_until(lambda: "Stopping" in server.log.read_text())
