"""A client of the application under a real server, which works with this test's operations."""

from collections.abc import Iterator

import pytest

from tests.fakes.operations import FakeOperations
from tests.http.conftest import RunningApp, operations, running_app
from windrow.client.remote import RemoteOperations

__all__ = ["operations", "running_app"]


@pytest.fixture
def remote(running_app: RunningApp, operations: FakeOperations) -> Iterator[RemoteOperations]:
    """A client of the running application."""
    running_app.switch.chosen = operations
    remote = RemoteOperations(f"http://127.0.0.1:{running_app.port}", timeout_s=30)
    yield remote
    remote.close()
