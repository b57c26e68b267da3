"""A data directory in which something stands that no server would have put there: nobody waits, and memory stays."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.hostile.conftest import MAX_ADDRESS_BYTES, ROOT
from tests.http.asking import check_problem, wait_until
from tests.servers import Servers, fit, predict

pytestmark = pytest.mark.slow

HUGE_BYTES = 40 * 10**9
PATIENCE_S = 60


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, HUGE_BYTES)


ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "40 GB of nothing": _sparse,
    "a link to another file": lambda path: path.symlink_to("/etc/passwd"),
    "a folder": Path.mkdir,
}


def _replace(path: Path, put: Callable[[Path], object]) -> Callable[[], None]:
    """Put something odd in a file's place, and return what brings the file back."""
    aside = path.with_name(".kept")
    path.rename(aside)
    put(path)

    def undo() -> None:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        aside.rename(path)

    return undo


def _fsck(data_dir: Path) -> tuple[int, set[str]]:
    """Check from the command line, within limits, and return the exit code and the places of what is damaged."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_BYTES, MAX_ADDRESS_BYTES))

    done = subprocess.run(
        [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(data_dir), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        preexec_fn=limit,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)["findings"]
    return done.returncode, {each["path"] for each in found if each["severity"] == "damage"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def _limit(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_AS, (MAX_ADDRESS_BYTES, MAX_ADDRESS_BYTES))


def test_whatever_stands_in_a_files_place_stops_nobody_else(servers: Servers, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    server = servers.start(data_dir)
    _limit(server.process.pid)
    server.client.timeout = httpx.Timeout(PATIENCE_S)
    fit(server, "whole", num_iterations=0)
    fit(server, "odd", num_iterations=0)
    folder = data_dir / "classifiers" / "odd"
    (artifact,) = (folder / "blobs").glob("*.safetensors")
    for place in (folder / "000001.json", artifact):
        for what, put in ODD.items():
            undo = _replace(place, put)
            listed = server.client.get("/v1/classifier/models")
            assert listed.status_code == 200, what
            assert predict(server, "whole").status_code == 200, what
            if place != artifact:  # what is loaded answers until the next look at the disk
                wait_until(lambda: predict(server, "odd").status_code != 200)
                check_problem(predict(server, "odd"), 500, "invalid_artifact")
            returncode, damaged = _fsck(data_dir)
            assert returncode == 1 and str(place.relative_to(data_dir)) in damaged, what
            undo()
            wait_until(lambda: predict(server, "odd").status_code == 200)
    server.process.terminate()
    assert server.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("what", ["a pipe", "a device", "40 GB of nothing"])
def test_a_server_starts_whatever_stands_in_the_place_of_what_it_reads_first(
    servers: Servers, tmp_path: Path, what: str
) -> None:
    data_dir = tmp_path / "data"
    server = servers.start(data_dir)
    fit(server, num_iterations=0)
    before = predict(server).json()["scores"]
    server.process.kill()
    server.process.wait()
    (job,) = (path for path in (data_dir / "jobs").iterdir() if not path.name.startswith("."))
    (graphs,) = (data_dir / "base_models" / "graphs").iterdir()
    (artifact,) = data_dir.glob("classifiers/*/blobs/*.safetensors")
    for path in (max(job.iterdir()), graphs / "tensors.bin", graphs / "digests.json"):
        path.unlink()
        ODD[what](path)
    ODD[what](data_dir / "jobs" / ".owners" / "0123456789abcdef")
    undo = _replace(artifact, ODD[what])
    server = servers.start(data_dir)
    _limit(server.process.pid)
    check_problem(predict(server), 500, "invalid_artifact")
    undo()
    assert predict(server).json()["scores"] == pytest.approx(before, abs=1e-5)
    server.process.terminate()
    assert server.process.wait(PATIENCE_S) == 0
