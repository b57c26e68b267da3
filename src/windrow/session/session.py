"""Session: every verb with plain arguments, over a server or straight on a data directory.

Owns opening and closing the two; the verbs are in the modules beside it. Knows nothing of how a verb is done.
"""

import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, cast

from windrow.domain.errors import InvalidParameter, ShuttingDown
from windrow.operations import Operations
from windrow.session.judging import Judging
from windrow.session.keeping import Keeping
from windrow.session.options import check_known
from windrow.session.predicting import Predicting
from windrow.session.training import Training
from windrow.session.upkeep import Upkeep
from windrow.settings import Settings, read_settings

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_RETRIES = 3


def do_nothing() -> None:
    """Do nothing: what there is to do where nothing is to be closed."""


class _Closed:
    """What a closed session works with."""

    def __getattr__(self, verb: str) -> NoReturn:
        raise ShuttingDown("This session is closed. Open a new one.")


class Session(Training, Predicting, Judging, Keeping, Upkeep):
    """Every verb of Windrow. Made by ``windrow.open`` or ``windrow.Client``; a ``with`` statement closes it.

    Args:
        operations: Who does the verbs.
        close: What closing does.
        shown: What the session is, for people.
    """

    __slots__ = ("_close", "_shown")

    def __init__(self, operations: Operations, close: Callable[[], None] = do_nothing, shown: str = "") -> None:
        super().__init__(operations)
        self._close = close
        self._shown = shown or f"windrow.session over {type(operations).__name__}"

    def close(self) -> None:
        """Give back what the session holds: processes and threads, or connections. A second time does nothing."""
        close, self._close = self._close, do_nothing
        self._operations = cast(Operations, _Closed())
        close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return self._shown


class Client(Session):
    """A session over a server.

    Args:
        url: The server's address, such as ``http://127.0.0.1:14345``.
        timeout_s: Longest silence of the server, in seconds, more than 0; trainings, and what else may take minutes,
            take as long as they need.
        retries: How often what changes nothing is sent again where the server is busy or the connection breaks.

    Raises:
        InvalidParameter: The address is none, or a number lies outside its range.
    """

    __slots__ = ()

    def __init__(self, url: str, timeout_s: float = DEFAULT_TIMEOUT_S, retries: int = DEFAULT_RETRIES) -> None:
        from windrow.client.remote import RemoteOperations

        remote = RemoteOperations(url, timeout_s, retries)
        # What is shown may be kept in a notebook, so not the password in the address.
        super().__init__(remote, remote.close, f"windrow.Client({remote.url!r})")


def open_session(data_dir: str | os.PathLike[str], **settings: Any) -> Session:
    """Return a session straight on a data directory, for which no server is needed, though one may run beside it.

    Nothing is loaded before it is needed. Other sessions and servers may use the directory at the same time.

    Args:
        data_dir: The directory, made where it is missing.
        **settings: Settings by their names in docs/settings.md, in small letters without ``WINDROW_``
            (``max_fits=2``); the others are those of the environment.

    Raises:
        InvalidParameter: A setting's value cannot be used.
        TypeError: A setting is unknown.
        StorageFailed: The directory cannot be made or written.
    """
    check_known("open", settings, Settings)
    knobs = {knob.name: knob for knob in fields(Settings)}
    values = {name: _value(name, knobs[name].metadata, value) for name, value in settings.items()}
    chosen = replace(read_settings(), **{**values, "data_dir": Path(data_dir)})

    from windrow.bootstrap import open_service

    service = open_service(chosen)
    return Session(service, service.close, f"windrow.open({str(chosen.data_dir)!r})")


def _value(name: str, knob: Any, value: object) -> Any:
    """Return a setting's value as its own rules have it, which read text."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        return knob["parse"](text)
    except ValueError as error:
        raise InvalidParameter(
            f"{name}={value!r} cannot be used: {error}. {knob['doc']}", {"parameter": name}
        ) from error
