"""One running server: its socket, its start, its banner and its clean stop."""

import asyncio
import contextlib
import errno
import gc
import ipaddress
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp

from windrow.api.examples import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT
from windrow.domain.errors import InvalidParameter
from windrow.http.allocator import limit_arenas
from windrow.http.allocator import limit_arenas
from windrow.http.app import create_app
from windrow.http.authentication import Keys
from windrow.http.descriptors import raise_limit
from windrow.http.guards import ALLOWED_HOSTS
from windrow.http.logs import configure_logging
from windrow.http.protocol import HttpProtocol
from windrow.operations import LocalOperations
from windrow.settings import Settings

BACKLOG = 2048
# Between the end of the timer for trainings and the end of that for connections: their last answers go out.
ANSWER_GRACE_S = 2
_ON_THE_NETWORK = f"""
Everyone who reaches this machine may now train, read and delete every classifier: there are no accounts. The server
answers to IP addresses and localhost; name it in {ALLOWED_HOSTS} to have it answer to a name, or behind a proxy.
"""
_log = structlog.get_logger()


class OpenService(LocalOperations, Protocol):
    """Operations that are started, watched and closed."""

    @property
    def keys(self) -> Keys:
        """The API keys."""
        ...

    def start(self) -> None:
        """Get ready to answer."""
        ...

    def wait_for_jobs(self, timeout_s: float) -> None:
        """Wait until every training of this process has ended, or the time is over."""
        ...

    def close(self) -> None:
        """Stop all work and let go of everything."""
        ...


def serve(open_service: Callable[[Settings], OpenService], settings: Settings) -> None:
    """Run the server until a signal stops it; running requests and trainings are finished first.

    Args:
        open_service: Opens what does the verbs; called once the port is taken.
        settings: Address, log format, limits, timer.

    Raises:
        InvalidParameter: The address cannot be listened on.
        WindrowError: What ``open_service`` raises.
    """
    configure_logging(settings.log_format)
    raise_limit()
    limit_arenas()
    limit_arenas()
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in listen(settings.host, settings.port)]
        port = listeners[0].getsockname()[1]
        service = open_service(settings)
        stack.callback(service.close)
        app = create_app(service, settings, service.keys)
        stack.callback(app.state.context.close)
        service.start()
        # All this stays; looking through it at each full garbage collection would hold up every request for 40 ms.
        gc.freeze()
        text = banner(settings.host, port)
        if not is_loopback(settings.host):
            _log.warning("open_to_the_network", host=settings.host, allowed_hosts=settings.allowed_hosts)
        server = _Server(uvicorn_config(app, settings), text, service, settings.shutdown_timeout_s)
        server.run(sockets=listeners)
    _leave_stuck_threads_behind()


def banner(host: str, port: int) -> str:
    """Return what a person reads once the server answers: its address and two commands to paste."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - shown, not bound
    address = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
    rows = ",\n    ".join(json.dumps(row) for row in EXAMPLE_ROWS)
    fit = f'{{"model_name": "{EXAMPLE_NAME}", "training_data": [\n    {rows}]}}'
    predict = json.dumps({"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT})
    return f"""\
Windrow answers on {address} (try it in a browser: {address}/docs). Ctrl-C stops it.
{"" if is_loopback(host) else _ON_THE_NETWORK}
Train a classifier:

{_curl(f"{address}/v1/classifier/fit", fit)}

Ask it:

{_curl(f"{address}/v1/classifier/predict", predict)}
"""


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host: ``localhost``, or an address such as 127.0.0.1 or ::1."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _curl(url: str, body: str) -> str:
    return f"curl -sS {url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def uvicorn_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_timeout_s + ANSWER_GRACE_S,
    )


def listen(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of a host.

    Taking the port first keeps two servers from loading models only to collide.

    Args:
        host: A name, such as ``localhost``, which may stand for an address of each family; or an address. ``::`` takes
            both families, where the system can.
        port: The port; 0 takes a free one, the same for all addresses.

    Raises:
        InvalidParameter: No address of the host can be listened on.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return _listen_on_each([(family, str(address[0])) for family, _, _, _, address in found], port)
    except (OSError, OverflowError, UnicodeError) as error:
        raise InvalidParameter(
            "Cannot listen on {host} port {port}: {why}. Stop the other program, or choose another address with --host "
            "and --port.",
            {"parameter": "port", "host": host, "port": port, "why": getattr(error, "strerror", None) or str(error)},
        ) from error


def _listen_on_each(addresses: list[tuple[int, str]], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    # "::" first, since it may stand for 0.0.0.0 too.
    for family, address in sorted(dict.fromkeys(addresses), key=lambda each: each[1] != "::"):
        dual = family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()
        try:
            listener = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
        except OSError as error:
            # A name may have an address of a family that this machine does not have.
            if listeners and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                continue
            for each in listeners:
                each.close()
            raise
        listeners.append(listener)
        port = listener.getsockname()[1]
        if dual:
            break
    return listeners


class _Server(uvicorn.Server):
    """uvicorn, with a banner once it answers, and signals that end in exit code 0."""

    def __init__(self, config: uvicorn.Config, text: str, service: OpenService, timeout_s: float) -> None:
        super().__init__(config)
        self._text = text
        self._service = service
        self._timeout_s = timeout_s
        self._stop_requested_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._text, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the running requests, then the trainings that no request waits for."""
        await super().shutdown(sockets)
        left_s = max(0.0, self._timeout_s - (time.monotonic() - self._stop_requested_at))
        await asyncio.get_running_loop().run_in_executor(None, self._service.wait_for_jobs, left_s)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals over. Unlike uvicorn's own, a caught signal is not raised again after the stop."""
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, action in former.items():
                signal.signal(number, action)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn calls it so
        """Stop cleanly on the first signal; leave at once on a second Ctrl-C. Commits are atomic, so nothing breaks."""
        if self.should_exit and sig == signal.SIGINT:
            os._exit(128 + sig)
        was_told, self.should_exit = self.should_exit, True
        if was_told:
            return
        self._stop_requested_at = time.monotonic()
        # Trainings that outlive the timer fail with a clean answer before uvicorn would cut their connections.
        timer = threading.Timer(self._timeout_s, self._service.close)
        timer.daemon = True
        timer.start()
        # The log may be closed already (a closed terminal, a broken pipe); the stop must not depend on it.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(
                f"Stopping: running requests and trainings have {self._timeout_s:g} seconds to end. Ctrl-C again "
                "quits at once.\n"
            )
            sys.stderr.flush()


def _leave_stuck_threads_behind() -> None:
    """End the process where a request outlived the server's timer: its thread would keep Python from ending."""
    stuck = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in stuck:
        thread.join(timeout=1.0 / len(stuck))
    if any(thread.is_alive() for thread in stuck):
        _log.warning("requests_abandoned", threads=len(stuck))
        sys.stdout.flush()
        os._exit(0)
