"""moto: an object store with the interface of S3, in the tests' own process."""

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from windrow.domain.store_url import StoreUrl

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAQWERTZUIOPASDFGH",
    "AWS_SECRET_ACCESS_KEY": "xQ7secretKeySecretKey",
    "AWS_SESSION_TOKEN": "sessionTokenSessionToken",
}


@contextmanager
def moto_store() -> Iterator[str]:
    """Give host and port of a store until the block ends."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    from tests.object_stores.moto_server import OneAtATime

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_bucket(store: str) -> StoreUrl:
    """Return the address of a new data directory in a new bucket.

    Args:
        store: Host and port.
    """
    url = StoreUrl("s3", f"bucket-{secrets.token_hex(8)}", "team/windrow")
    connection = HTTPConnection(store)
    try:
        connection.request("PUT", f"/{url.bucket}")
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    return url


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Set what names a store, and credentials for it.

    Args:
        monkeypatch: What sets it.
        endpoint: The store's own address.
    """
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
