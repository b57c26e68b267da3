"""The pages for clients of other servers: their lines are run as they stand, with these clients, on a real server."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pages import Reader, shown_blocks, write_command
from tests.servers import Servers
from windrow.api.examples import EXAMPLE_ROWS

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


@pytest.mark.parametrize("page", ["decisions", "system-one", "classify-shapes"])
def test_the_lines_that_switch_a_program_over_are_answered_by_the_classifier(
    page: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDROW_DIALECTS", "cohere,vllm")
    with (tmp_path / "tickets.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ("text", "label"))
        rows.writeheader()
        rows.writerows(EXAMPLE_ROWS)
    write_command(tmp_path)
    reader = Reader(tmp_path)
    for block in shown_blocks(page, "sh"):
        reader.run(block.replace("tickets.csv", "tickets.csv --num-iterations 0"))
    server = servers.start(tmp_path / "windrow-data")
    there = replace(reader, address=server.client.base_url.netloc.decode())
    blocks = shown_blocks(page, "python")
    assert blocks
    for block in blocks:
        assert there.run(f"python3 - <<'END'\n{block}END").startswith("billing"), block
