"""The pages about servers, who reaches them, and where their data lies: what they show is run as it stands.

In the place of a folder, bucket, port, name or certificate of a page stands one that the test has.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.http.asking import wait_until
from tests.http.certificates import Authority
from tests.object_stores.servers import moto
from tests.pages import TEXT, Reader, shown_blocks, write_command
from tests.servers import TICKETS, Servers, fit, predict
from tests.source_tree import ROOT

pytestmark = pytest.mark.slow
DATA_DIR = "/srv/windrow"
CERTIFICATE = "/etc/letsencrypt/live/windrow.example/fullchain.pem"
PRIVATE_KEY = "/etc/letsencrypt/live/windrow.example/privkey.pem"
BUCKET = "s3://my-bucket/windrow"
# What a request for a training gets by the key in each file.
HOLDERS = {"shop.key": 403, "ana.key": 200}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command, and with two data directories that have nothing but a key."""
    folder = tmp_path_factory.mktemp("prepared")
    write_command(folder)
    Reader(folder).run("windrow keys create boss --scope admin --data-dir windrow-data > windrow-data.key")
    shutil.copytree(folder / "windrow-data", folder / "srv")
    return folder


@pytest.fixture
def reader(prepared: Path, tmp_path: Path) -> Reader:
    return Reader(shutil.copytree(prepared, tmp_path / "reader"))


def _lines(block: str) -> list[str]:
    return re.sub(r"\\\n\s*", "", block).replace(DATA_DIR, "srv").splitlines()


def _serve_commands() -> list[str]:
    """Return the commands by which the pages start servers that need nothing from other machines."""
    pages = ("put-a-server-on-a-network", "run-a-server", "limit-what-a-client-may-use")
    lines = [line for page in pages for block in shown_blocks(page, "sh") for line in _lines(block)]
    return [line for line in lines if re.search(r"(?:^| )windrow serve\b", line)]


@contextmanager
def _serving(reader: Reader, command: str) -> Iterator[str]:
    """Start a server by a command, at a port that is free, and yield its address.

    Args:
        reader: Whose folder it runs in.
        command: It may name a port and have variables before it.
    """
    shell = ["bash", "-euc", f"exec env {re.sub(r' --port [0-9]+', '', command)} --port 0"]
    path = {**os.environ, "PATH": f"{reader.folder / 'bin'}:{os.environ['PATH']}"}
    log = reader.folder / "server.log"
    with (
        log.open("w") as sink,
        subprocess.Popen(shell, cwd=reader.folder, env=path, stdout=sink, stderr=subprocess.STDOUT) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or _address_in(log) is not None)
            address = _address_in(log)
            assert address is not None, log.read_text()
            yield address
        finally:
            process.kill()


def _address_in(log: Path) -> str | None:
    found = re.search(r"(https?)://\S+?:(\d+)", log.read_text())
    return f"{found[1]}://127.0.0.1:{found[2]}" if found else None


@pytest.mark.parametrize("command", _serve_commands())
def test_a_server_that_is_started_as_a_page_shows_answers(command: str, reader: Reader, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    command = command.replace(CERTIFICATE, str(authority.certificate)).replace(PRIVATE_KEY, str(authority.key))
    with (
        _serving(reader, command) as address,
        httpx.Client(base_url=address, verify=authority.client_context()) as client,
    ):
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/v1/classifier/models").status_code == 401


def test_keys_that_are_made_as_the_page_shows_let_their_holders_do_what_it_says(reader: Reader) -> None:
    make, _, send, *_ = shown_blocks("put-a-server-on-a-network", "sh")
    *keys, serve = _lines(make)
    reader.run("\n".join(keys))
    assert {oct((reader.folder / name).stat().st_mode)[-3:] for name in HOLDERS} == {"600"}
    with _serving(reader, serve) as address:
        training = {"model_name": "tickets", "num_iterations": 0, "training_data": _rows()}
        with httpx.Client(base_url=f"{address}/v1/classifier", timeout=120) as client:
            asked = {name: client.post("/fit", json=training, headers=_header(reader, name)) for name in HOLDERS}
        assert {name: reply.status_code for name, reply in asked.items()} == HOLDERS
        (reader.folder / "rows.csv").write_text(f"text\n{TEXT}\n")
        by_curl, by_command = send.replace("https://windrow.example", address).strip().splitlines()
        assert '"status":"ok"' in reader.run(by_curl.replace("…", f"-s {address}/health"))
        assert "invoice" in reader.run(by_command)


@pytest.mark.parametrize(
    "page",
    ["check-a-data-directory", "limit-what-a-client-may-use", "restrict-access-with-api-keys", "see-who-did-what"],
)
def test_the_commands_of_a_page_about_a_data_directory_succeed_beside_a_server(
    page: str, reader: Reader, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINDROW_DATA_DIR", raising=False)
    server = servers.start(reader.folder / "windrow-data")
    assert server.client.get("/v1/classifier/models", headers=_header(reader, "windrow-data.key")).status_code == 403
    for block in shown_blocks(page, "sh"):
        for line in _lines(block):
            if "windrow serve" not in line:
                reader.run(re.sub(r"/\d{4}-\d\d-\d\d/", "/*/", line))


def test_a_data_directory_is_moved_to_an_object_store_and_back_by_the_page(
    reader: Reader, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.start(reader.folder / "srv-without-keys")
    fit(server, "tickets_v1", num_iterations=0)
    server.client.put("/v1/classifier/aliases/tickets", json={"model_name": "tickets_v1"}).raise_for_status()
    expected = predict(server, "tickets", TEXT).json()
    (reader.folder / "srv-without-keys").rename(reader.folder / "moved")
    server.process.terminate()
    server.process.wait(60)
    shown = (ROOT / "docs" / "how-to" / "move-a-data-directory.md").read_text()
    commands = shown_blocks("move-a-data-directory", "sh")[0]
    (back,) = re.findall(rf"`(windrow copy-store {BUCKET} [\w-]+)`", shown)
    (check,) = re.findall(rf"`(windrow fsck --data-dir {BUCKET})`", shown)
    (backup, _) = shown_blocks("back-up-and-restore", "shell")
    with moto() as store:
        store.set_environment(monkeypatch)
        bucket = store.new_data_dir()

        def run(command: str) -> str:
            return reader.run(command.replace("windrow-data", "moved").replace(BUCKET, bucket))

        run(commands)
        assert "sound" in run(check)
        there = servers.start(bucket)
        assert predict(there, "tickets", TEXT).json() == expected
        there.process.terminate()
        there.process.wait(60)
        run(back)
        run(backup)
    for data_dir in (back.split()[-1], backup.split()[-1]):
        again = servers.start(reader.folder / data_dir)
        assert predict(again, "tickets", TEXT).json() == expected


def _rows() -> list[dict[str, str]]:
    return [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts]


def _header(reader: Reader, file: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {(reader.folder / file).read_text().strip()}"}
