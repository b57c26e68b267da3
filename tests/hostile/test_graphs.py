"""Built graphs that a disk has spoiled: told by a check, built anew at the start, and never a wrong answer after it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.conftest import ROOT
from tests.servers import Servers, fit, predict

pytestmark = pytest.mark.slow

PATIENCE_S = 120
# Where half of the word table lies.
SPOILT_FROM, SPOILT_BYTES = 1_000 * 384 * 4, 15_000 * 384 * 4


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def test_half_a_word_table_of_zeros_is_found_and_mended_before_it_answers(servers: Servers, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    server = servers.start(data_dir)
    fit(server, num_iterations=0)
    before = predict(server).json()["scores"]
    server.process.terminate()
    server.process.wait(PATIENCE_S)
    (graphs,) = (data_dir / "base_models" / "graphs").iterdir()
    with (graphs / "tensors.bin").open("r+b") as file:
        file.seek(SPOILT_FROM)
        file.write(bytes(SPOILT_BYTES))
    checked = subprocess.run(
        [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(data_dir), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    findings = json.loads(checked.stdout)["findings"]
    assert [each["code"] for each in findings] == ["graphs_altered"]
    assert checked.returncode == 1
    server = servers.start(data_dir)
    assert "are damaged and are built anew" in server.log.read_text()
    assert predict(server).json()["scores"] == pytest.approx(before, abs=1e-6)
