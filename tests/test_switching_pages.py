"""The pages for those who leave or come with programs: their commands and programs are run as they stand."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pages import TEXT, Reader, shown_blocks, write_command
from tests.servers import TICKETS, Servers, fit, predict

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


def write_rows(folder: Path) -> None:
    """Write the files that a SetFit script reads: the last text of each label is for testing."""
    for name, part in (("train.csv", slice(0, -1)), ("test.csv", slice(-1, None))):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("text", "label"))
            writer.writerows((text, label) for label, texts in TICKETS.items() for text in texts[part])


def test_what_a_setfit_script_reads_trains_the_same_by_commands_and_in_python(tmp_path: Path) -> None:
    write_command(tmp_path)
    write_rows(tmp_path)
    reader = Reader(tmp_path)
    (commands,), (program,) = shown_blocks("from-setfit", "sh"), shown_blocks("from-setfit", "python")
    printed = reader.run(commands)
    assert "accuracy" in printed.lower()
    (tmp_path / "train.py").write_text(program)
    label = reader.run("python3 -W ignore train.py").strip()
    assert label == "invoice"
    records = [json.loads(reader.run(f"windrow show tickets_v{n} --data-dir windrow-data --json")) for n in (1, 2)]
    assert records[0]["training_data_sha256"] == records[1]["training_data_sha256"]
    assert records[0]["num_examples"] == 9


def test_llamafarms_requests_get_what_the_page_shows(servers: Servers, tmp_path: Path) -> None:
    write_command(tmp_path)
    server = servers.start(tmp_path / "windrow-data")
    reader = Reader(tmp_path, server.client.base_url.netloc.decode())
    fit_block, predict_block, others = shown_blocks("from-llamafarm", "sh")
    for block, shown in zip((fit_block, predict_block), shown_blocks("from-llamafarm", "json"), strict=True):
        answer, wanted = json.loads(reader.run(block)), json.loads(shown)
        check_shown(answer, wanted)
    loaded, listed, table = reader.run(others).split("\n", 2)
    assert json.loads(loaded)["status"] == "loaded"
    assert [each["name"] for each in json.loads(listed)["data"]] == ["tickets"]
    assert re.search(r"^\W*tickets\b", table, re.MULTILINE)


def check_shown(answer: object, shown: object) -> None:
    """Check that an answer has what a page shows of it; an ellipsis stands for more."""
    if isinstance(shown, dict):
        assert isinstance(answer, dict)
        for name, value in shown.items():
            if name != "…":
                check_shown(answer[name], value)
    elif isinstance(shown, list):
        assert isinstance(answer, list)
        for item, value in zip(answer, shown, strict="…" not in shown):
            if value != "…":
                check_shown(item, value)
    else:
        assert answer == shown
