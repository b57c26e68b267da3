"""The application under a real server in this process, which works with whatever a test chooses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import structlog
import uvicorn

from windrow.http.app import create_app
from windrow.http.authentication import NO_KEYS
from windrow.http.rate_limits import NO_QUOTAS
from windrow.http.server import listen, uvicorn_config
from windrow.http.tls import RenewableCertificate
from windrow.local_operations import LocalOperations
from windrow.settings import Settings


@contextmanager
def serving(operations: Any, settings: Settings, certificate: RenewableCertificate | None = None) -> Iterator[str]:
    """Serve some operations, and give the address; log lines go nowhere.

    Args:
        operations: What does the verbs.
        settings: The server's limits.
        certificate: With which it speaks TLS; ``None`` for plain HTTP.
    """
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    (listener,) = listen("127.0.0.1", 0)
    app = create_app(
        cast(LocalOperations, operations),
        settings,
        getattr(operations, "keys", NO_KEYS),
        getattr(operations, "quotas", NO_QUOTAS),
    )
    config = uvicorn_config(app, settings)
    config.load()
    config.ssl = None if certificate is None else certificate.context
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        app.state.context.close()
        structlog.reset_defaults()
        listener.close()
