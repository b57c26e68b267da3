"""What a node says of itself before anything is deployed."""

import socket
from pathlib import Path

import pytest

from windrow.deployment.probe import look
from windrow.execution.ray_versions import own_versions

pytestmark = pytest.mark.slow
LOCAL = {"WINDROW_HOST": "127.0.0.1"}


def test_a_node_that_has_a_folder_in_place_of_a_store_says_so(tmp_path: Path) -> None:
    found = look({**LOCAL, "WINDROW_DATA_DIR": str(tmp_path)}, None)
    assert found["versions"] == own_versions()
    assert found["code"] == "invalid_parameter"
    assert "nodes of a cluster do not share" in found["problem"]


def test_a_setting_of_the_node_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDROW_MAX_TEXTS", "many")
    found = look({**LOCAL, "WINDROW_DATA_DIR": "s3://bucket/x"}, None)
    assert (found["code"], "WINDROW_MAX_TEXTS" in found["problem"]) == ("invalid_parameter", True)


def test_a_port_on_which_a_program_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.deployment.probe._needs_key", lambda settings: settings is None)
    variables = {**LOCAL, "WINDROW_DATA_DIR": "s3://bucket/x"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = look(variables, ("127.0.0.1", port))
        assert (found["code"], f"port {port}" in found["problem"]) == ("invalid_parameter", True)
    assert look(variables, ("127.0.0.1", port))["problem"] == ""
    assert "host.invalid" in look(variables, ("host.invalid", port))["problem"]
