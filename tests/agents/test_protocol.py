"""The tools over real standard input and output, with the mcp package's own client."""

import asyncio
import builtins
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client

from tests.agents.talking import MODES, ROWS, opened, over_stdio, talk, train
from tests.servers import hard_rows
from windrow.agents.protocol import check_installed
from windrow.domain.errors import InvalidParameter
from windrow.domain.job import JobListRequest
from windrow.domain.listing import ListRequest

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agents") / "data"
    train(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_agent_that_may_only_read_classifies_and_learns_what_it_may_not(mode: str, data_dir: Path) -> None:
    async def converse(client: Client) -> None:
        listed = (await client.list_tools()).tools
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in listed)
        models = await client.call_tool("classifier_models", {})
        assert [each["name"] for each in models.structured_content["models"]] == ["tickets_v1"]
        answer = await client.call_tool("classifier_predict", {"model_name": "tickets", "text": "charged again"})
        assert answer.structured_content["label"] == "billing"
        assert json.loads(answer.content[0].text) == answer.structured_content  # type: ignore[union-attr]
        answer = await client.call_tool("classify_text", {"text": "my money back", "labels": ["refund", "weather"]})
        assert answer.structured_content["label"] == "refund"
        scored = await client.call_tool("classifier_evaluate", {"model_name": "tickets", "test_data": ROWS})
        assert scored.structured_content["total"] == len(ROWS)
        both = {"model_names": ["tickets_v1", "tickets_v1@1"], "test_data": ROWS}
        assert not (await client.call_tool("classifier_compare", both)).is_error
        refused = await client.call_tool("classifier_fit", {"model_name": "tickets_v2", "training_data": ROWS})
        assert refused.is_error
        assert refused.structured_content["code"] == "invalid_parameter"
        assert "--allow-changes" in refused.content[0].text  # type: ignore[union-attr]
        missing = await client.call_tool("classifier_predict", {"model_name": "ticket", "text": "a"})
        assert missing.structured_content["code"] == "classifier_not_found"
        assert "tickets" in missing.structured_content["near_names"]

    talk(over_stdio("--data-dir", data_dir, mode=mode), converse)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_agent_trains_sees_how_far_it_is_cancels_and_promotes(mode: str, tmp_path: Path) -> None:
    reported: list[tuple[float, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        reported.append((progress, message))

    async def converse(client: Client) -> None:
        fit = {"model_name": "t_v1", "training_data": ROWS, "num_iterations": 0}
        fitted = await client.call_tool("classifier_fit", fit, progress_callback=report)
        assert fitted.structured_content["status"] == "trained"
        assert [done for done, _ in reported] == sorted({done for done, _ in reported})
        assert reported[-1] == (5.0, "succeeded")
        again = await client.call_tool("classifier_fit", fit)
        assert again.structured_content["code"] == "classifier_exists"
        begun = asyncio.Event()

        async def begin(progress: float, total: float | None, message: str | None) -> None:
            if progress:
                begun.set()

        long = {"model_name": "t_v2", "training_data": hard_rows(), "num_iterations": 1000}
        task = asyncio.ensure_future(client.call_tool("classifier_fit", long, progress_callback=begin))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        promoted = await client.call_tool("classifier_promote", {"alias": "t", "model_name": "t_v1", "reason": "first"})
        assert promoted.structured_content["points_to"] == "t_v1"

    talk(over_stdio("--data-dir", tmp_path / "data", "--allow-changes", mode=mode), converse)
    with opened(tmp_path / "data") as operations:
        jobs = operations.list_jobs(JobListRequest()).jobs
        assert {job.model_name: job.state for job in jobs} == {"t_v1": "succeeded", "t_v2": "cancelled"}
        assert [each.name for each in operations.list_classifiers(ListRequest()).models] == ["t_v1"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None])
def test_standard_output_carries_the_protocol_alone_and_a_signal_or_the_end_stops_it(
    number: signal.Signals | None, data_dir: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "windrow", "mcp", "--data-dir", data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    calls: list[dict[str, Any]] = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "classifier_predict", "arguments": {"model_name": "tickets", "text": "charged"}},
        },
    ]
    process.stdin.write("".join(json.dumps(call) + "\n" for call in calls))
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [each["id"] for each in answers] == [1, 2]
    if number is None:
        process.stdin.close()
    else:
        process.send_signal(number)
    assert process.wait(60) == 0
    assert process.stdout.read() == ""
    assert "Traceback" not in process.stderr.read()  # type: ignore[union-attr]
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def test_without_the_package_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name.startswith("mcp"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InvalidParameter, match=r'pip install "windrow\[mcp\]"'):
        check_installed()
