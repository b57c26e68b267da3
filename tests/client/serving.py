"""The application under a real server in this process, which works with whatever a test chooses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import structlog
import uvicorn

from windrow.http.app import create_app
from windrow.http.authentication import NO_KEYS
from windrow.http.server import listen, uvicorn_config
from windrow.operations import LocalOperations
from windrow.settings import Settings


@contextmanager
def serving(operations: Any, settings: Settings) -> Iterator[str]:
    """Serve some operations, and give the address; log lines go nowhere.

    Args:
        operations: What does the verbs.
        settings: The server's limits.
    """
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    (listener,) = listen("127.0.0.1", 0)
    app = create_app(cast(LocalOperations, operations), settings, getattr(operations, "keys", NO_KEYS))
    server = uvicorn.Server(uvicorn_config(app, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        app.state.context.close()
        structlog.reset_defaults()
        listener.close()
