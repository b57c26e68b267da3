"""Gives the verbs to agents: to one process, to callers by their API keys, or to what a server makes of their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windrow.api.endpoints import Endpoint
from windrow.client.remote import RemoteOperations
from windrow.disk import without_folder
from windrow.domain.caller import Caller, calling
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import AccessDenied, WindrowError
from windrow.domain.secret import Secret
from windrow.http.authentication import Keys, check_scope
from windrow.operations import Operations


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """Gives the verbs to whoever started this process, as each command does.

    Args:
        operations: The verbs.
        limits: On the number of rows; ``None`` where a server counts them.
    """

    operations: Operations
    limits: DataLimits | None = None

    @contextmanager
    def verbs(self, endpoint: Endpoint[Any], request: object) -> Iterator[Operations]:  # noqa: ARG002
        """Give the verbs for one call."""
        yield self.operations

    def told(self, error: WindrowError, endpoint: Endpoint[Any]) -> WindrowError:  # noqa: ARG002
        """Return the error as it is: the data directory is the caller's own."""
        return error


@dataclass(frozen=True, slots=True)
class CallerAccess:
    """Gives the verbs to one caller, as far as its API key allows.

    Args:
        operations: The verbs.
        caller: Who calls.
        keys: Told of refusals, for the audit trail.
        limits: On the number of rows.
        folder: The data directory, which errors do not name.
    """

    operations: Operations
    caller: Caller
    keys: Keys
    limits: DataLimits
    folder: Path

    @contextmanager
    def verbs(self, endpoint: Endpoint[Any], request: object) -> Iterator[Operations]:
        """Give the verbs for one call.

        Raises:
            InsufficientScope: The key lacks the scope that the request needs.
        """
        with calling(self.caller):
            check_scope(endpoint, request)
            yield self.operations

    def told(self, error: WindrowError, endpoint: Endpoint[Any]) -> WindrowError:
        """Return an error without the data directory's place, and note what the key was refused."""
        if isinstance(error, AccessDenied):
            with calling(self.caller):
                self.keys.note_refusal(error, endpoint.verb)
        return without_folder(error, self.folder)


@dataclass(frozen=True, slots=True)
class ForwardedAccess:
    """Gives the verbs of a server, which gets the caller's own API key and checks it.

    Args:
        url: The server's address.
        api_key: The caller's API key; ``None`` for none.
        limits: On the number of rows; ``None``, since the server counts them.
    """

    url: str
    api_key: Secret | None
    limits: DataLimits | None = None

    @contextmanager
    def verbs(self, endpoint: Endpoint[Any], request: object) -> Iterator[Operations]:  # noqa: ARG002
        """Give the verbs for one call."""
        remote = RemoteOperations(self.url, api_key=self.api_key)
        try:
            yield remote
        finally:
            remote.close()

    def told(self, error: WindrowError, endpoint: Endpoint[Any]) -> WindrowError:  # noqa: ARG002
        """Return the error as the server told it."""
        return error
