"""One running server: its socket, its start, its banner and its clean stop."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FrameType, MappingProxyType
from typing import Protocol

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from windrow.domain.errors import InvalidParameter
from windrow.domain.hosts import is_loopback
from windrow.http.allocator import limit_arenas
from windrow.http.app import create_app
from windrow.http.authentication import Keys
from windrow.http.banner import banner, sends_unencrypted
from windrow.http.descriptors import raise_limit
from windrow.http.logs import configure_logging
from windrow.http.protocol import HttpProtocol
from windrow.http.rate_limits import Quotas
from windrow.http.tls import WATCH_INTERVAL_S, RenewableCertificate, certificate_of
from windrow.local_operations import LocalOperations
from windrow.settings import Settings, variable_name
from windrow.tracing import open_tracer

BACKLOG = 2048
# Connections whose handshake is not done count nowhere, so they must not stay.
TLS_HANDSHAKE_TIMEOUT_S = 10.0
# Between the end of the timer for trainings and the end of that for connections: their last answers go out.
ANSWER_GRACE_S = 2
# New objects between two garbage collections. Those of many requests at the same time are more than the 700 of Python's
# default, which took 3 % of the processor time of 64 clients to find no garbage. Source: docs/adr/0007.
GC_THRESHOLD = 10_000
_log = structlog.get_logger()


class Stoppable(Protocol):
    """What a server waits for and closes when it stops."""

    def wait_for_jobs(self, timeout_s: float) -> None:
        """Wait until every training of this process has ended, or the time is over."""
        ...

    def close(self) -> None:
        """Stop all work and let go of everything."""
        ...


class OpenService(LocalOperations, Stoppable, Protocol):
    """Operations that are started, watched and closed."""

    @property
    def keys(self) -> Keys:
        """The API keys."""
        ...

    @property
    def quotas(self) -> Quotas:
        """What API keys may still send."""
        ...

    def start(self) -> None:
        """Get ready to answer."""
        ...


def serve(open_service: Callable[[Settings], OpenService], settings: Settings) -> None:
    """Run the server until a signal stops it; running requests and trainings are finished first.

    Args:
        open_service: Opens what does the verbs; called once the port is taken.
        settings: Address, log format, limits, timer.

    Raises:
        InvalidParameter: The address cannot be listened on, others reach it and no key is needed, or the certificate or
            the first key cannot be used.
        WindrowError: What ``open_service`` raises.
    """
    configure_logging(settings.log_format)
    raise_limit()
    limit_arenas()
    certificate = certificate_of(settings)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in listen(settings.host, settings.port)]
        port = listeners[0].getsockname()[1]
        service, app = open_app(open_service, settings, stack)
        server = _Server(uvicorn_config(app, settings), service, settings.shutdown_timeout_s, certificate)
        server.text = banner(settings, port, needs_key=service.keys.is_needed)
        server.run(sockets=listeners)
    _leave_stuck_threads_behind()


def run_app(app: ASGIApp, service: Stoppable, settings: Settings, listeners: list[socket.socket], text: str) -> None:
    """Run an application until a signal stops it; running requests and trainings are finished first.

    Args:
        app: The application, which has no lifespan.
        service: What it answers from.
        settings: Certificate, limits, timer.
        listeners: Its sockets.
        text: What is printed once it answers.

    Raises:
        InvalidParameter: The certificate cannot be used.
    """
    server = _Server(uvicorn_config(app, settings), service, settings.shutdown_timeout_s, certificate_of(settings))
    server.text = text
    server.run(sockets=listeners)


def open_app(
    open_service: Callable[[Settings], OpenService],
    settings: Settings,
    stack: contextlib.ExitStack,
    place: Mapping[str, str] = MappingProxyType({}),
) -> tuple[OpenService, Starlette]:
    """Open a service and the application over it, ready to answer.

    Args:
        open_service: Opens what does the verbs.
        settings: Address and limits.
        stack: Closes both.
        place: Labels of all figures, by name: where the server runs, if there are several.

    Raises:
        InvalidParameter: Others reach the address and no key is needed, the first key cannot be used, or traces are to
            be sent and OpenTelemetry is not installed.
        WindrowError: What ``open_service`` raises.
    """
    tracer = open_tracer() if settings.traces else None
    if tracer is not None:
        stack.callback(tracer.close)  # last, so that it has all spans
    service = open_service(settings)
    stack.callback(service.close)
    service.keys.prepare(settings.first_key_file)
    check_access(settings, needs_key=service.keys.is_needed)
    app = create_app(service, settings, service.keys, service.quotas, tracer)
    stack.callback(app.state.context.close)
    app.state.context.metrics.place = place
    service.start()
    # All this stays; looking through it at each full garbage collection would hold up every request for 40 ms.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    return service, app


def check_access(settings: Settings, *, needs_key: bool) -> None:
    """Refuse to open the data directory to a network without keys, and warn of what is less than safe.

    Args:
        settings: The address, and whether something in front of the server checks who asks.
        needs_key: Whether requests need an API key.

    Raises:
        InvalidParameter: Others reach the address, no key is needed, and nobody said that this is meant.
    """
    if sends_unencrypted(settings, needs_key=needs_key):
        _log.warning("keys_unencrypted", host=settings.host, setting="WINDROW_TLS_CERT or WINDROW_TRUSTED_PROXIES")
    if needs_key or is_loopback(settings.host):
        return
    if not settings.insecure_no_keys:
        raise InvalidParameter(
            "Other machines may reach {host}, and there is no API key, so everyone there could train, read and "
            "delete every classifier. Create a key first (`windrow keys create admin --scope admin --data-dir "
            "{data_dir}`, with more scopes as needed, or a first one by {first_key_file}); or keep to this machine "
            "with --host 127.0.0.1; or, where something in front of the server checks who asks, say so with "
            "--insecure-no-keys or {insecure}=true.",
            {
                "parameter": "host",
                "host": settings.host or "every address",
                "data_dir": str(settings.data_dir),
                "first_key_file": variable_name("first_key_file"),
                "insecure": variable_name("insecure_no_keys"),
            },
        )
    _log.warning("open_to_the_network", host=settings.host, allowed_hosts=settings.allowed_hosts)


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

    text = ""
    """What it prints once it answers."""

    def __init__(
        self,
        config: uvicorn.Config,
        service: Stoppable,
        timeout_s: float,
        certificate: RenewableCertificate | None = None,
    ) -> None:
        super().__init__(config)
        self._service = service
        self._timeout_s = timeout_s
        self._certificate = certificate
        self._watch: asyncio.Task[None] | None = None
        self._stop_requested_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._certificate is not None:
            self.config.ssl = self._certificate.context
            loop = asyncio.get_running_loop()
            # uvicorn has no word for it.
            loop.create_server = partial(  # type: ignore[method-assign]
                loop.create_server, ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_S
            )
            self._watch = asyncio.create_task(_renew(self._certificate))
        await super().startup(sockets)
        print(self.text, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the running requests, then the trainings that no request waits for."""
        if self._watch is not None:
            self._watch.cancel()
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


async def _renew(certificate: RenewableCertificate) -> None:
    """Look for a new certificate now and then, in a thread, since a disk may hang."""
    while True:
        await asyncio.sleep(WATCH_INTERVAL_S)
        await asyncio.to_thread(certificate.update)


def _leave_stuck_threads_behind() -> None:
    """End the process where a request outlived the server's timer: its thread would keep Python from ending."""
    stuck = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in stuck:
        thread.join(timeout=1.0 / len(stuck))
    if any(thread.is_alive() for thread in stuck):
        _log.warning("requests_abandoned", threads=len(stuck))
        sys.stdout.flush()
        os._exit(0)
