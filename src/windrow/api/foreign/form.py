"""The form of a foreign endpoint: a request and a reply of another server's format, answered by one of our verbs.

To add a format, write one module in this package with a ``Dialect`` and its rows, and name it in ``table.py``. A module
translates values that JSON has, and nothing else: it never sees HTTP, threads or keys. Whatever holds for the verb of a
row holds for the row too: scope and rules of API keys, limits of requests and texts, audit trail, metrics and log. The
verbs know of no format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from windrow.api.endpoints import Endpoint
from windrow.local_operations import LocalOperations

# Reads an error's problem document, and returns the status and the document of the format instead.
WriteError = Callable[[Mapping[str, Any]], tuple[int, object]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A format of another server."""

    name: str
    """What settings and documents call it."""
    description: str
    """Whose format it is, in a sentence."""
    write_error: WriteError
    """Translates errors. It is given the members of ``application/problem+json`` as Windrow would send it: ``status``,
    ``code``, ``detail`` and the error's facts, among them ``loc`` where :func:`windrow.api.foreign.reading.refused`
    raised it.
    """


@dataclass(frozen=True, slots=True)
class Received:
    """What a foreign request says."""

    document: Any = None
    """The body as JSON values; ``None`` for a request without one."""
    path: Mapping[str, str] = field(default_factory=dict)
    """What stands in the place of the names in braces of the row's path."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query; of several values of one name, the last."""


@dataclass(frozen=True, slots=True)
class ForeignReply:
    """What is answered."""

    document: object
    """The body, as JSON values."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers; their values are visible ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignEndpoint:
    """One method and path of another server's format."""

    dialect: Dialect
    """The format."""
    method: str
    """``GET``, ``POST`` …; only POST and PUT carry a body."""
    path: str
    """The whole path; what stands in braces is handed to ``read``."""
    verb: Endpoint[Any]
    """The verb that answers: its scope, its threads, and how it is run."""
    read: Callable[[Received], Any]
    """Returns the verb's request (``NoRequest()`` for a verb that takes none).

    Raises a :class:`WindrowError` for what the format refuses: see ``reading.py``.
    """
    write: Callable[[Received, Any, Any], ForeignReply]
    """Returns the reply, given what was received, the verb's request and the verb's reply."""
    act: Callable[[LocalOperations, Any], Any] | None = None
    """Does more than the verb, with the same scope and threads, and returns what ``write`` is given; ``None`` for the
    verb alone.
    """
    summary: str
    """What it does, in a sentence without a full stop."""
    status: int = 200
    """The status of success."""
    keys: frozenset[str] = frozenset()
    """Where Windrow or another format has the same method and path: keys of a body that is meant for this row. Such a
    row is on only where the setting ``dialects`` names its format.
    """

    is_meant: Callable[[Mapping[str, Any]], bool] | None = None
    """Where Windrow has the same method and path: whether a body that Windrow's own verb cannot read, given as its
    members, is meant for this row. Such a row needs no setting, and costs no other request anything.
    """
    complete: Callable[[LocalOperations, Any], Any] | None = None
    """Returns the verb's request, given that which ``read`` returned, by a look at what exists; ``None`` for none."""

    @property
    def takes_json(self) -> bool:
        """Whether the request carries a JSON body."""
        return self.method in ("POST", "PUT", "PATCH")

    @property
    def collides(self) -> bool:
        """Whether it needs a setting, since Windrow or another format has the same method and path."""
        return bool(self.keys)

    @property
    def shares_path(self) -> bool:
        """Whether a request of its method and path may be meant for somebody else."""
        return self.collides or self.is_meant is not None
