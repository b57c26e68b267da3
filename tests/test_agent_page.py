"""The page about agents: its configurations start what they say, and its program gets an answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.agents.talking import create_keys, over_http, serving, talk, train
from tests.pages import Reader, shown_blocks, write_command
from tests.source_tree import ROOT
from windrow.agents.tools import TOOLS

pytestmark = pytest.mark.slow

SHOWN_URL = "http://127.0.0.1:8808/mcp"


async def list_names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


def configurations() -> list[dict[str, Any]]:
    """Return the server that each configuration of the page names."""
    documents = [json.loads(block) for block in shown_blocks("mcp", "json")]
    return [document[key]["windrow"] for document in documents for key in document]


@pytest.mark.parametrize(("position", "num_tools"), [(0, len(TOOLS)), (1, 5)])
def test_a_program_that_is_configured_as_the_page_says_gets_the_tools(
    position: int, num_tools: int, tmp_path: Path
) -> None:
    write_command(tmp_path)
    train(tmp_path / "windrow-data")
    configured = configurations()[position]
    started = StdioServerParameters(
        command=str(tmp_path / "bin" / configured["command"]), args=configured["args"], cwd=tmp_path
    )
    names = talk(Client(stdio_client(started)), list_names)
    assert len(names) == num_tools


def test_over_http_the_pages_program_and_its_configuration_get_answers(tmp_path: Path) -> None:
    write_command(tmp_path)
    train(tmp_path / "windrow-data")
    (command,) = [block for block in shown_blocks("mcp", "sh") if "--http" in block]
    options = command.split()[2:]
    assert options[options.index("--http") + 1] in SHOWN_URL
    (program,) = shown_blocks("mcp", "python")
    assert SHOWN_URL in program
    with serving(tmp_path, "--data-dir", tmp_path / "windrow-data") as url:
        (tmp_path / "ask.py").write_text(program.replace(SHOWN_URL, url))
        assert Reader(tmp_path).run("python3 ask.py").strip() == "billing"
    _, reader = create_keys(tmp_path / "windrow-data")
    configured = configurations()[2]
    assert configured["url"] == SHOWN_URL
    assert re.fullmatch(r"Bearer \$\{input:[\w-]+\}", configured["headers"]["Authorization"])
    with serving(tmp_path, "--data-dir", tmp_path / "windrow-data") as url:
        assert len(talk(over_http(url, reader), list_names)) == 5


def test_the_page_names_each_tool() -> None:
    page = (ROOT / "docs" / "how-to" / "mcp.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {tool.name for tool in TOOLS}
