"""A server in a process of its own: readiness, banner, logs, signals."""

import json
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http.asking import wait_until
from tests.http.conftest import ServerProcess, StartServer
from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.errors import InvalidParameter
from windrow.http.server import banner, listen

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


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:14345"),
        ("0.0.0.0", "http://127.0.0.1:14345"),
        ("::", "http://[::1]:14345"),
        ("box.lan", "http://box.lan:14345"),
    ],
)
def test_the_banner_shows_an_address_that_a_browser_can_open(host: str, address: str) -> None:
    assert f"{address}/docs" in banner(host, 14345)
    assert f"curl -sS {address}/v1/classifier/predict" in banner(host, 14345)


def test_a_port_in_use_is_refused_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(InvalidParameter, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


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
    server = start_server("--pause", WINDROW_STOP_TIMEOUT_S="0")
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(httpx.post, f"{server.url}/v1/classifier/fit", json=FIT, timeout=60)
        server.wait_for_line("fit is running")
        server.process.terminate()
        assert server.wait() == 0
        assert fit.result().json()["code"] == "shutting_down"


def test_a_request_that_outlives_the_servers_patience_does_not_keep_it_from_ending(start_server: StartServer) -> None:
    server = start_server("--stuck", WINDROW_STOP_TIMEOUT_S="0")
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
    server = start_server("--pause", "--tell", WINDROW_STOP_TIMEOUT_S="0")
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
