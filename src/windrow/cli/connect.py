"""Connects a command to a server or straight to a data directory."""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from windrow.domain.errors import InvalidParameter
from windrow.domain.secret import Secret
from windrow.domain.store_url import StoreUrl, without_secrets
from windrow.settings import Settings, read_api_key, read_data_dir, read_settings

if TYPE_CHECKING:
    from windrow.operations import Operations

    class Connection(Operations, Protocol):
        """Operations that are closed once they are no longer needed."""

        def close(self) -> None:
            """Let go of what it holds: connections, threads, training processes."""
            ...


# A folder that has none of these is no data directory; what only reads must not make one of it.
_DATA_FOLDERS = ("classifiers", "aliases", "base_models", "jobs", "access", "usage")


def open_server(url: str, api_key: Secret | None) -> "Connection":
    """Return the verbs of a server, and warn where the API key travels to it unencrypted.

    Args:
        url: The server's address.
        api_key: The API key; ``None`` for none.
    """
    from windrow.cli.output import notes_console
    from windrow.client.credentials import UNENCRYPTED
    from windrow.client.remote import RemoteOperations

    remote = RemoteOperations(url, api_key=api_key)
    if remote.exposes_key:
        notes_console().print(f"Warning: {UNENCRYPTED.format(url=remote.url)}", markup=False)
    return remote


def open_directory(settings: Settings) -> "Connection":
    """Return the verbs on a data directory, without a server."""
    from windrow.bootstrap import open_service

    return open_service(settings)


@contextmanager
def connect_dry_run(
    url: str | None, data_dir: str | Path | None, api_key_file: Path | None = None
) -> "Iterator[Operations]":
    """Give the verbs as :func:`connected` does, on a folder that is gone afterwards where there is no data directory.

    For dry runs, which save nothing.

    Args:
        url: The server's address.
        data_dir: The data directory to use without a server.
        api_key_file: The file with the API key for the server.

    Raises:
        InvalidParameter: Both are given.
        Unavailable: The server cannot be reached.
    """
    with ExitStack() as stack:
        if not resolve_server_url(url, data_dir) and not _is_for_dry_runs(settings_for(data_dir).data_dir):
            data_dir = stack.enter_context(TemporaryDirectory(prefix="windrow-"))
        yield stack.enter_context(connected(url, data_dir, api_key_file, may_create=True))


@contextmanager
def connected(
    url: str | None,
    data_dir: str | Path | None,
    api_key_file: Path | None = None,
    *,
    may_create: bool = False,
    **changes: object,
) -> "Iterator[Operations]":
    """Give the verbs of a server or of a data directory, and close it at the end.

    With neither, the settings ``WINDROW_URL`` and then ``WINDROW_DATA_DIR`` decide.

    Args:
        url: The server's address.
        data_dir: The data directory to use without a server.
        api_key_file: The file with the API key for the server; ``None`` for what the settings say.
        may_create: Whether a data directory that does not exist is made.
        changes: Settings, by name, that are to be otherwise where a data directory is used.

    Raises:
        InvalidParameter: Both are given, or there is no such data directory.
        Unavailable: The server cannot be reached.
    """
    settings = settings_for(data_dir, **changes)
    address = resolve_server_url(url, data_dir)
    if not address and not may_create:
        check_data_dir(settings.data_dir)
    connection = open_server(address, read_api_key(api_key_file)) if address else open_directory(settings)
    try:
        yield connection
    finally:
        connection.close()


def settings_for(data_dir: str | Path | None, **changes: object) -> Settings:
    """Return the settings where a data directory is used.

    Args:
        data_dir: The directory; ``None`` for that of the settings.
        **changes: Settings, by name, that are to be otherwise.

    Raises:
        InvalidParameter: The directory is to be in an object store, and its address is none.
    """
    try:
        named = {} if data_dir is None else {"data_dir": read_data_dir(str(data_dir))}
    except ValueError as error:
        raise InvalidParameter(
            "{value} is no data directory: {expected}.",
            {"parameter": "data_dir", "value": without_secrets(str(data_dir)), "expected": str(error)},
        ) from error
    return dataclasses.replace(read_settings(), **named, **changes)  # type: ignore[arg-type]


def resolve_server_url(url: str | None, data_dir: str | Path | None) -> str:
    """Return the address of the server; empty where the data directory is used without one.

    Raises:
        InvalidParameter: Both are given.
    """
    if url and data_dir is not None:
        raise InvalidParameter(
            "--url asks a server and --data-dir a folder without one. Name only one of them.", {"parameter": "url"}
        )
    return url or "" if url or data_dir is not None else read_settings().url


def is_data_dir(place: Path | StoreUrl) -> bool:
    """Whether there is a data directory in a folder, or in a place in an object store.

    Raises:
        StorageFailed: The object store refuses to tell.
        DataDirectoryUnavailable: It does not answer.
    """
    if isinstance(place, StoreUrl):
        from windrow.bootstrap import is_in_use

        return is_in_use(place)
    return any((place / name).is_dir() for name in _DATA_FOLDERS)


def check_data_dir(data_dir: Path | StoreUrl) -> None:
    """Make sure that there is a data directory.

    Raises:
        InvalidParameter: There is none.
        StorageFailed: The object store refuses to tell.
        DataDirectoryUnavailable: It does not answer.
    """
    if is_data_dir(data_dir):
        return
    if isinstance(data_dir, StoreUrl):
        problem = "holds nothing of Windrow's"
    else:
        problem = "has neither classifiers nor aliases nor base models" if data_dir.is_dir() else "does not exist"
    raise InvalidParameter(
        f"{{value}} is no data directory: it {problem}. Name the right one with --data-dir, or a server with --url.",
        {"parameter": "data_dir", "value": str(data_dir)},
    )


def _is_for_dry_runs(place: Path | StoreUrl) -> bool:
    """Whether a dry run leaves a place as it is: one in an object store it does, even if that is still empty."""
    return isinstance(place, StoreUrl) or is_data_dir(place)
