"""The caller of a verb: the API key that a request came with, from where, and what it may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from windrow.domain.access import SCOPES, Scope, matches
from windrow.domain.errors import InsufficientScope
from windrow.domain.key_limits import UNLIMITED, KeyLimits


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a verb.

    A context variable holds it while the verb is done, since every verb has one, and none of its rules depends on it:
    what depends on it is what may be seen, what is noted, and whose turn it is.
    """

    key_name: str | None = None
    """The name of the API key; ``None`` where none is needed, as for whoever has the data directory."""
    scopes: frozenset[str] = frozenset(SCOPES)
    """What the caller may do."""
    only: tuple[str, ...] = ()
    """Patterns of the names that the caller knows; none for every name."""
    address: str = ""
    """The network address that the request came from; empty on this machine without a server."""
    request_id: str = ""
    """Names the request in the server's log; empty without a server."""
    limits: KeyLimits = UNLIMITED
    """How much the caller may use; what the settings say is filled in."""

    def knows(self, name: str) -> bool:
        """Whether a classifier or an alias of this name exists for the caller.

        Args:
            name: A name, without a revision.
        """
        return not self.only or matches(name, self.only)

    @property
    def sees_everything(self) -> bool:
        """Whether nothing is left out of what the caller is shown."""
        return not self.only and "rows" in self.scopes

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes


# Whoever has the data directory, or reaches a server that needs no keys.
ANYBODY = Caller()
_current: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)


def current_caller() -> Caller:
    """Return who calls, in this thread or task."""
    return _current.get()


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """Let a caller be the current one inside a ``with`` block."""
    token = _current.set(caller)
    try:
        yield
    finally:
        _current.reset(token)


def insufficient_scope(scope: Scope, *, switch: str | None = None, enough: Scope | None = None) -> InsufficientScope:
    """Return the error for a caller that lacks a scope.

    Args:
        scope: What is needed.
        switch: The field of the request that makes it needed; ``None`` where it always is.
        enough: The scope that is needed instead where that field is false, and that the caller has.
    """
    caller = current_caller()
    facts: dict[str, object] = {"name": caller.key_name, "scope": scope, "scopes": sorted(caller.scopes)}
    if switch is None or enough is None:
        return InsufficientScope(
            "The API key {name} lacks the scope {scope}, which this needs. {Send} a key that has it.", facts
        )
    return InsufficientScope(
        "The API key {name} lacks the scope {scope}, which this needs. {Send} a key that has it; with "
        f"{{unset:{switch}}}, the scope {{enough}} is enough.",
        {**facts, "enough": enough},
    )
