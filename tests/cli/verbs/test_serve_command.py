"""serve: its options, and plain refusals of what cannot be served."""

import socket
from pathlib import Path

import pytest

from tests.cli.asking import Ended, Run, run


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def serve(*arguments: object) -> Ended:
        return run(monkeypatch, capsys, "serve", *arguments)

    return serve


def test_help_of_serve_names_each_option_with_its_variable_and_default(
    serve: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = "".join(serve("--help").out.split())
    for option, variable, default in (
        ("--host", "WINDROW_HOST", "127.0.0.1"),
        ("--port", "WINDROW_PORT", "14345"),
        ("--data-dir", "WINDROW_DATA_DIR", "windrow-data"),
        ("--log-format", "WINDROW_LOG_FORMAT", "text"),
    ):
        assert option in shown
        assert f"[variable:{variable};default:{default}]" in shown
    assert "--no-console" in shown
    for option in ("--tls-cert", "--tls-key", "--root-path", "--insecure-no-keys", "--console"):
        assert option in shown
        assert f"[variable:WINDROW_{option.removeprefix('--').replace('-', '_').upper()}" in shown
    assert "--api-key" not in shown


def test_a_bad_option_is_refused_before_anything_starts(serve: Run) -> None:
    for option, value in (("--log-format", "xml"), ("--port", "70000"), ("--root-path", "/v1"), ("--root-path", "a")):
        refused = serve(option, value)
        assert refused.code == 2
        assert option in refused.refusal


def test_a_port_in_use_is_one_line_and_exit_code_2(serve: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = serve("--port", port, "--data-dir", tmp_path / "data")
    assert refused.code == 2
    assert f"port {port}: Address already in use" in refused.refusal


@pytest.mark.slow
def test_a_data_directory_that_cannot_be_made_is_one_line_and_exit_code_5(serve: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = serve("--port", "0", "--data-dir", tmp_path / "file" / "data")
    assert refused.code == 5
    assert "file" in refused.refusal
