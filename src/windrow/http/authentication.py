"""Finds out who sends a request, by its API key, and refuses what that key does not allow."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from windrow.api.endpoints import Endpoint
from windrow.domain.access import KEY_PREFIX, ApiKey
from windrow.domain.access import Scope as KeyScope
from windrow.domain.caller import Caller, calling, current_caller, insufficient_scope
from windrow.domain.errors import AccessDenied, KeysUnavailable, Unauthorized
from windrow.http.problems import problem_response

API_KEY_HEADER: Final = b"x-api-key"
# What answers without a key: for probes, and for whoever wants to know what this is.
PUBLIC_PAGES: Final = frozenset(
    {"/", "/favicon.ico", "/health", "/health/live", "/health/ready", "/openapi.json", "/docs"}
)
# Those of the documentation and of the console, which are the same for everyone.
_PUBLIC_FILES: Final = ("/docs/files/", "/console/")
_PREFIX: Final = KEY_PREFIX.encode()
_WHOLE_KEY: Final = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43}}")
_KEY: Final = re.compile(rb"%s[A-Za-z0-9_-]{1,128}" % KEY_PREFIX.encode())
NEEDS_KEY: Final = (
    "This server answers only to an API key. If you have one, {send_key}. Whoever runs the server creates keys with "
    "`windrow keys create`."
)
_ONE_KEY: Final = (
    "A request carries one API key, as a whole, in the header 'Authorization: Bearer KEY' or 'X-API-Key: KEY'. For a "
    "valid one, {send_key}."
)
_IN_URL: Final = (
    "This address seems to hold an API key, and addresses are kept in logs and histories. Revoke that key; for the new "
    "one, {send_key}."
)


class Keys(Protocol):
    """What knows the API keys."""

    @property
    def is_needed(self) -> bool:
        """Whether a request needs a key."""
        ...

    def prepare(self, first_key_file: str) -> None:
        """Read the keys before the first request, and make the first one where there never was any.

        Args:
            first_key_file: The file with the first key; empty for none.

        Raises:
            WindrowError: The first key cannot be made.
        """
        ...

    def find(self, key: str) -> ApiKey:
        """Return what is known about a key, without asking the disk.

        Args:
            key: The key.

        Raises:
            Unauthorized: It is no valid one.
            KeysUnavailable: The keys could not be read, so that none is accepted.
        """
        ...

    def note_refusal(self, error: AccessDenied, verb: str) -> None:
        """Count a request whose key was refused, or is not enough, for the audit trail, without asking the disk.

        Args:
            error: Why the current caller was refused.
            verb: What was asked for; empty where that is not known.
        """
        ...


class NoKeys:
    """Keys of a server that needs none."""

    is_needed = False

    def note_refusal(self, error: AccessDenied, verb: str) -> None:
        """Do nothing: whoever has no key is refused nothing for want of one."""

    def prepare(self, first_key_file: str) -> None:
        """Do nothing."""

    def find(self, key: str) -> ApiKey:  # noqa: ARG002
        """Refuse every key.

        Raises:
            Unauthorized: There is none.
        """
        raise Unauthorized("There is no API key. Create one first.")


NO_KEYS: Final = NoKeys()


class Authentication:
    """ASGI middleware that makes the sender of a request the current caller, or refuses the request.

    Args:
        app: The application behind it.
        keys: Knows the API keys.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            caller = self._caller(scope)
        except (Unauthorized, KeysUnavailable) as error:
            if isinstance(error, Unauthorized):
                with calling(_stranger(scope)):
                    self._keys.note_refusal(error, "")
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        scope["state"]["caller"] = caller
        scope["state"]["check_key"] = partial(self._caller, scope)
        with calling(caller):
            await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        if is_public(scope["path"]) or not self._keys.is_needed:
            return _stranger(scope)
        if has_key(scope["path"], scope["query_string"]):
            raise Unauthorized(_IN_URL)
        key = self._keys.find(sent_key(scope["headers"]))
        stranger = _stranger(scope)
        return Caller(key.name, frozenset(key.scopes), key.only, stranger.address, stranger.request_id, key)


def _stranger(scope: Scope) -> Caller:
    """Return the sender of a request as a caller of whom no key is known."""
    client = scope.get("client")
    return Caller(address=client[0] if client else "", request_id=scope["state"]["request_id"])


def is_public(path: str) -> bool:
    """Whether a path answers without a key.

    Args:
        path: Without the server's own path prefix.
    """
    return path in PUBLIC_PAGES or path.startswith(_PUBLIC_FILES)


def has_key(path: str, query: bytes) -> bool:
    """Whether an address may hold an API key.

    Args:
        path: The path, without escapes. A name may begin like a key, but has not its length.
        query: The query as it was sent.
    """
    return (
        _PREFIX in query
        or (b"%" in query and _PREFIX in unquote_to_bytes(query))
        or (KEY_PREFIX in path and _WHOLE_KEY.search(path) is not None)
    )


def sent_key(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the API key that a request carries.

    Args:
        headers: The request's headers, names in lower case.

    Raises:
        Unauthorized: It carries none, several, or something else in its place; the message never holds what was sent.
    """
    sent = []
    for name, value in headers:
        if name == API_KEY_HEADER:
            sent.append(value.strip())
        elif name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            # Another scheme is for a proxy, which has checked it.
            if scheme.lower() == b"bearer":
                sent.append(rest.strip())
    if not sent:
        raise Unauthorized(NEEDS_KEY)
    if len(sent) > 1 or not _KEY.fullmatch(sent[0]):
        raise Unauthorized(_ONE_KEY)
    return sent[0].decode("ascii")


def check_key_again(scope: Scope) -> None:
    """Refuse to go on with a request that lasts, once its key is no longer valid.

    Args:
        scope: The request's, after it was let in.

    Raises:
        Unauthorized: Its key has expired or was revoked, or it has none and now needs one.
        KeysUnavailable: The keys cannot be read any more, so that none is accepted.
    """
    scope["state"]["check_key"]()


def check_possible(endpoint: Endpoint[Any]) -> None:
    """Refuse a request that its key does not allow whatever its body says, before that is read.

    Args:
        endpoint: The endpoint that it came to.

    Raises:
        InsufficientScope: The key has none of the scopes that the endpoint may need.
    """
    if endpoint.scope is not None and endpoint.possible_scopes.isdisjoint(current_caller().scopes):
        raise insufficient_scope(endpoint.scope)


def check_scope(endpoint: Endpoint[Any], request: object) -> None:
    """Refuse a request that its key does not allow.

    Args:
        endpoint: The endpoint that it came to.
        request: What the request says.

    Raises:
        InsufficientScope: The key lacks the scope that it needs.
    """
    needed, scopes = endpoint.needed_scope(request), current_caller().scopes
    if needed is not None and needed not in scopes and (endpoint.or_scope is None or endpoint.or_scope not in scopes):
        # A key that may do the rest is told what to leave out.
        enough = endpoint.scope if endpoint.scope in scopes else None
        raise insufficient_scope(needed, switch=endpoint.scope_switch(request), enough=enough)


def check_page_scope(scope: KeyScope) -> None:
    """Refuse a page that the caller's key does not allow.

    Raises:
        InsufficientScope: The key lacks the scope.
    """
    if scope not in current_caller().scopes:
        raise insufficient_scope(scope)
