"""The pages for whoever runs a server: their commands are run as they stand, and do what the page says.

Blocks of the language ``sh`` are run, one after the other, in a folder with a data directory; those of ``shell`` need
what a test has not (a service manager, an installation, an object store), and their verbs alone are checked.
"""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.http.asking import wait_until
from tests.pages import TEXT, Reader, shown_blocks, write_command
from tests.servers import TICKETS, Running, Servers, fit, predict
from tests.source_tree import ROOT
from windrow.cli.command_group import MODULES

PAGES = ("back-up-and-restore", "rotate-keys", "troubleshoot", "upgrade")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data directory of two classifiers, one of them with two revisions, and an alias."""
    folder = tmp_path_factory.mktemp("prepared")
    servers = Servers(folder)
    try:
        server = servers.start(folder / "windrow-data")
        for name in ("tickets_v1", "tickets_v1", "tickets_v2"):
            fit(server, name, num_iterations=0)
        server.client.put("/v1/classifier/aliases/tickets", json={"model_name": "tickets_v1"}).raise_for_status()
        server.process.terminate()
        server.process.wait(60)
    finally:
        servers.stop()
    write_command(folder)
    return folder


@pytest.fixture
def reader(prepared: Path, tmp_path: Path) -> Reader:
    shutil.copytree(prepared, tmp_path / "reader")
    return Reader(tmp_path / "reader")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def _address(server: Running) -> str:
    return server.client.base_url.netloc.decode()


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_page_is_one(page: str) -> None:
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text()
    # Also in sentences, where a line may end within.
    verbs = set(re.findall(r"(?:^|`)windrow\s+([a-z-]+)", text, re.MULTILINE))
    assert verbs
    assert verbs <= MODULES.keys()


@pytest.mark.slow
def test_what_is_backed_up_and_restored_by_the_page_answers_as_before(reader: Reader, servers: Servers) -> None:
    label = reader.label("windrow-data")
    printed = reader.follow("back-up-and-restore")
    assert "sound" in printed[0]
    assert {name in printed[1] for name in ("tickets_v1", "tickets_v2")} == {True}
    for data_dir in ("backup", "restored", "windrow-data"):
        assert reader.label(data_dir) == label
    assert (reader.folder / "tickets_v1.damaged").is_dir()
    server = servers.start(reader.folder / "restored")
    assert predict(server, "tickets", TEXT).json()["label"] == label
    assert predict(server, "tickets_v1@1", TEXT).status_code == 200


@pytest.mark.slow
def test_a_backup_that_is_made_while_a_server_trains_is_restored_on_an_empty_machine_by_the_page(
    reader: Reader, servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(reader.folder / "windrow-data")
    back_up, restore, *_ = shown_blocks("back-up-and-restore", "sh")
    copy, check = back_up.splitlines()
    acknowledged: list[str] = []
    is_over = threading.Event()

    def train() -> None:
        while not is_over.is_set():
            name = f"trained_v{len(acknowledged)}"
            fit(server, name, num_iterations=0)
            acknowledged.append(name)

    with ThreadPoolExecutor(1) as threads:
        training = threads.submit(train)
        wait_until(lambda: len(acknowledged) >= 3)
        before = list(acknowledged)
        try:
            copied = subprocess.run(copy.split(), cwd=reader.folder, capture_output=True, text=True, check=False)
        finally:
            is_over.set()
    training.result()
    # As the page says: what was being written when the copy began may be gone a moment later.
    assert all("/.aside/" in line for line in copied.stderr.splitlines()), copied.stderr
    reader.run(check)
    machine = Reader(tmp_path / "empty")
    machine.folder.mkdir()
    write_command(machine.folder)
    shutil.move(reader.folder / "backup", machine.folder)
    assert set(before) <= set(re.findall(r"trained_v\d+", machine.run(restore)))
    restored = servers.start(machine.folder / "restored")
    for name in (*before, "tickets", "tickets_v1@1", "tickets_v2"):
        expected = predict(server, name, TEXT)
        assert expected.status_code == 200
        assert predict(restored, name, TEXT).json() == expected.json()


@pytest.mark.slow
def test_a_classifier_is_restored_by_the_page_while_a_server_answers(reader: Reader, servers: Servers) -> None:
    reader.run("cp -r windrow-data backup")
    record = reader.folder / "windrow-data" / "classifiers" / "tickets_v1" / "000002.json"
    record.unlink()
    record.write_text("damaged")
    server = servers.start(reader.folder / "windrow-data")
    assert predict(server, "tickets_v1", TEXT).json()["code"] == "invalid_artifact"
    reader.run(shown_blocks("back-up-and-restore", "sh")[-1])
    wait_until(lambda: predict(server, "tickets_v1", TEXT).status_code == 200)
    assert predict(server, "tickets_v1", TEXT).json()["revision"] == 2


@pytest.mark.slow
def test_a_way_back_from_an_upgrade_is_the_backup_that_was_made_before(reader: Reader) -> None:
    label = reader.label("windrow-data")
    before, after, back = shown_blocks("upgrade", "sh")
    assert "sound" in reader.run(before)
    rows = "\n".join(f"{text},{name}" for name, texts in TICKETS.items() for text in texts)
    (reader.folder / "rows.csv").write_text(f"text,label\n{rows}\n")
    reader.run("windrow fit later rows.csv --num-iterations 0 --data-dir windrow-data")
    printed = reader.run(after)
    assert "healthy" in printed
    assert "later" in printed
    reader.run(back)
    assert "later" not in reader.run("windrow list --data-dir windrow-data")
    assert reader.label("windrow-data") == label


@pytest.mark.slow
def test_the_commands_of_the_page_on_faults_work_beside_a_server(reader: Reader, servers: Servers) -> None:
    server = servers.start(reader.folder / "windrow-data")
    printed = replace(reader, address=_address(server)).follow("troubleshoot")
    assert "healthy" in printed[0]
    assert '"status":"ok"' in printed[0]
    assert "nothing found" in printed[1]
    assert predict(server, "tickets", TEXT).status_code == 200


@pytest.mark.slow
def test_a_key_is_replaced_by_the_page_without_a_refused_request(reader: Reader, servers: Servers) -> None:
    old = reader.run("windrow keys create shop --scope predict --only 'tickets*' --data-dir windrow-data").strip()
    server = servers.start(reader.folder / "windrow-data")
    server.client.headers["Authorization"] = f"Bearer {old}"
    assert predict(server, "tickets", TEXT).status_code == 200
    follower = replace(reader, address=_address(server))
    create, use, revoke, audit = shown_blocks("rotate-keys", "sh")
    follower.run(create)
    assert predict(server, "tickets", TEXT).status_code == 200
    wait_until(lambda: _is_valid(server, (reader.folder / "shop-2.key").read_text().strip()))
    assert follower.run(use)
    listed = follower.run(revoke)
    assert re.search(r"^shop +revoked", listed, re.MULTILINE)
    assert re.search(r"^shop-2 +active", listed, re.MULTILINE)
    wait_until(lambda: predict(server, "tickets", TEXT).status_code == 401)
    assert follower.run(use)
    follower.run(audit)


def _is_valid(server: Running, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    body = {"model_name": "tickets", "text": TEXT}
    return httpx.post(f"http://{_address(server)}/v1/classifier/predict", json=body, headers=headers).status_code == 200
