"""HTTP servers in processes of their own that can be killed, and clients that change things and note what they hear."""

import os
import re
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.service.examples import ROWS, SHOUTING, fake_service
from windrow.api.endpoints import ROOT
from windrow.domain.store_url import StoreUrl
from windrow.http.server import serve
from windrow.settings import Settings

START_TIMEOUT_S = 180.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
# A change: what is done, to which name, with what.
Change = tuple[str, str, str]


@dataclass(frozen=True)
class Outcome:
    """What a server said of a change.

    Args:
        said: What identifies the new state: a revision, or what an alias points to.
        error: The code of the refusal; empty for none.
    """

    said: Any = None
    error: str = ""


class Server:
    """An HTTP server in a process that is forked from this one, so that it starts in no time.

    Its socket, its endpoints, its threads and its storage are the product's; only the encoder is a fake, and trainings
    run in the server's process.

    Args:
        root: The data directory.
        log: The file for what it prints.
        cache: With an object store, where it keeps its copies.
    """

    def __init__(self, root: Path | StoreUrl, log: Path, cache: Path | None = None) -> None:
        self._log = log
        self._log.write_bytes(b"")
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _serve(root, log, cache)
            except BaseException:  # noqa: BLE001 - nothing may leave this process
                traceback.print_exc()
            finally:
                os._exit(1)

    def address(self) -> str:
        """Return its address once it answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := _ADDRESS.search(self._log.read_text())) is None:
            assert os.waitpid(self._pid, os.WNOHANG) == (0, 0), self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.005)
        return found[0]

    def kill(self) -> None:
        """End it at once; it must have been running until then."""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.WIFSIGNALED(status), self._log.read_text()


@dataclass
class Client:
    """Somebody who asks a server for one change after another, until it is no more.

    Args:
        url: The server's address.
        changes: What to ask for.
        outcomes: What it said, change by change; where it says nothing any more, there are fewer of them.
        failure: What the server should never have said.
    """

    url: str
    changes: Sequence[Change]
    outcomes: list[Outcome] = field(default_factory=list)
    failure: str = ""
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask, in a thread."""
        self._thread = threading.Thread(target=self._ask_all)
        self._thread.start()

    def join(self) -> None:
        """Wait until the server is no more.

        Raises:
            AssertionError: It said what it should not.
        """
        assert self._thread is not None
        self._thread.join()
        assert not self.failure, self.failure

    def _ask_all(self) -> None:
        with httpx.Client(base_url=self.url + ROOT, timeout=60) as http:
            for change in self.changes:
                try:
                    reply = ASK[change[0]](http, *change[1:])
                except httpx.TransportError:
                    return
                if reply.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                    self.failure = f"{change}: {reply.status_code} {reply.text}"
                    return
                self.outcomes.append(_outcome(change[0], reply))


def _serve(root: Path | StoreUrl, log: Path, cache: Path | None) -> None:
    sink = os.open(log, os.O_WRONLY | os.O_APPEND)
    for each in (1, 2):
        os.dup2(sink, each)
    serve(
        lambda settings: fake_service(settings.data_dir, cache_dir=settings.cache_dir),
        Settings(data_dir=root, port=0, cache_dir=cache),
    )


def _outcome(kind: str, reply: httpx.Response) -> Outcome:
    document = reply.json()
    if reply.is_success:
        return Outcome(document[{"promote": "points_to", "delete": "purged"}.get(kind, "revision")])
    return Outcome(error=document["code"])


def _fit(http: httpx.Client, name: str, what: str) -> httpx.Response:
    rows = [{"text": row.text, "label": row.label} for row in (ROWS if what < "5" else SHOUTING)]
    return http.post("/fit", json={"model_name": name, "training_data": rows, "num_iterations": 0})


def _import(archive_of: str, http: httpx.Client, name: str, _: str) -> httpx.Response:
    archive = http.get(f"/models/{archive_of}/export")
    if archive.is_error:
        return archive
    headers = {"Content-Type": "application/zip"}
    return http.post("/models/import", params={"model_name": name}, content=archive.content, headers=headers)


# The classifier that all imports come from.
SEED_NAME = "origin"
ASK: Mapping[str, Callable[[httpx.Client, str, str], httpx.Response]] = {
    "fit": _fit,
    "import": partial(_import, SEED_NAME),
    "describe": lambda http, name, what: http.patch(f"/models/{name}", json={"description": what}),
    "delete": lambda http, name, _: http.delete(f"/models/{name}", params={"force": "true"}),
    "restore": lambda http, name, _: http.post(f"/models/{name}/restore"),
    "promote": lambda http, name, what: http.put(f"/aliases/{name}", json={"model_name": what}),
}
