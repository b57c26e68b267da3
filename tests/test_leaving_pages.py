"""The page about leaving Windrow: its commands are run as they stand, and the programs that it shows answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pages import TEXT, Reader, shown_blocks, write_command
from tests.servers import Servers, fit, predict

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def test_what_the_page_exports_answers_as_the_server_does(servers: Servers, tmp_path: Path) -> None:
    write_command(tmp_path)
    server = servers.start(tmp_path / "windrow-data")
    fit(server, num_iterations=0)
    reader = Reader(tmp_path)
    local, remote = shown_blocks("export-to-onnx", "sh")
    texts = (TEXT, "my code is refused")
    answers = [json.loads(line) for line in reader.run(local).splitlines()]
    expected = [predict(server, "tickets_v1", text).json() for text in texts]
    assert [each["label"] for each in answers] == [each["label"] for each in expected]
    for answer, wanted in zip(answers, expected, strict=True):
        assert answer["scores"] == pytest.approx(wanted["scores"], abs=1e-4)
    (shown,) = shown_blocks("export-to-onnx", "json")
    assert json.loads(shown) == {"label": answers[0]["label"], "scores": pytest.approx(answers[0]["scores"], abs=0.01)}
    written = (tmp_path / "tickets_v1.onnx.zip").read_bytes()
    assert 80e6 < len(written) < 100e6
    replace(reader, address=server.client.base_url.netloc.decode()).run(remote)
    assert (tmp_path / "tickets_v1.onnx.zip").read_bytes() == written
