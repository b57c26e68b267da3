"""Keeps API keys: a log whose newest file holds all of them, with a digest in the place of each key."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final

from windrow.domain.access import KEY_PREFIX, SCOPES, ApiKey, CreatedKey, CreateKeyRequest
from windrow.domain.errors import InvalidArtifact, InvalidParameter, KeyExists, KeyNotFound, KeysUnavailable
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.names import check_name
from windrow.domain.secret import Secret
from windrow.domain.values import Schema, recast
from windrow.storage.format import Mismatch, read, write
from windrow.storage.lock import transaction
from windrow.storage.log import Logs, OnChange, ignore_change
from windrow.storage.namespace import Namespace

ACCESS: Final = "access"
KEYS: Final = "keys"
FIRST_KEY: Final = "first"
# All of them must fit into one document.
MAX_KEYS: Final = 10_000
# Older files of the log are removed: each holds all keys, and the audit trail has the changes.
KEPT_FILES: Final = 10
_KEY_BYTES: Final = 32
_HINT_CHARS: Final = len(KEY_PREFIX) + 4
_ADVICE: Final = (
    "Restore the folder access/keys of the data directory from a backup; or move it away, restart, and create keys "
    "anew."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey(ApiKey):
    """An API key as it is kept."""

    sha256: Annotated[str, Schema(pattern="^[0-9a-f]{64}$")]
    """Of the key, in hexadecimal. It has 256 random bits, so that no slow digest is needed against guessing."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """What one file of the log says: every key."""

    keys: tuple[StoredKey, ...]


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The keys at one moment.

    Args:
        number: Of the log's newest file; 0 where there never was a key, so that none is needed.
        keys: The keys, sorted by name.
    """

    number: int
    keys: tuple[StoredKey, ...]


def digest_of(key: str) -> str:
    """Return what is kept of a key: its SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


class KeyStore:
    """The API keys of a data directory, for any number of threads and processes.

    Args:
        names: Its namespace: files, lock and clock.
        on_change: Called when this process has changed the keys.
    """

    def __init__(self, names: Namespace, on_change: OnChange = ignore_change) -> None:
        self._names = names
        self._logs = Logs(names.files, ACCESS, keys_from_json, on_change)

    def version_token(self) -> str | None:
        """Return what changes whenever the keys do; ``None`` where that cannot be told."""
        return self._names.files.version_token(f"{ACCESS}/{KEYS}")

    def known(self) -> KnownKeys:
        """Return the keys as they are on the disk.

        Raises:
            KeysUnavailable: They cannot be read.
        """
        newest = self._logs.newest(KEYS)
        if isinstance(newest.value, InvalidArtifact):
            raise KeysUnavailable(
                "The API keys cannot be read, so every key is refused: {why} {advice}",
                {"why": newest.value.detail, "advice": _ADVICE},
            ) from newest.value
        return KnownKeys(newest.number, () if newest.value is None else newest.value.keys)

    @transaction
    def create(self, request: CreateKeyRequest, created_by: str | None) -> CreatedKey:
        """Create a key.

        Args:
            request: The key; checked before.
            created_by: The key that creates it.

        Raises:
            KeyExists: A key has, or had, its name.
            InvalidParameter: There are too many keys, or they have too many patterns.
            KeysUnavailable: The keys cannot be read.
            StorageFull: The disk is full; the key was not created.
            StorageFailed: The disk failed; the key was not created.
        """
        key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
        with self._names.lock():
            known, now = self.known(), self._names.now()
            if any(each.name == request.name for each in known.keys):
                raise KeyExists(
                    "There is, or was, a key named {name}, and the audit trail must be clear about which one acted. "
                    "Choose another name.",
                    {"name": request.name},
                )
            if len(known.keys) >= MAX_KEYS:
                raise InvalidParameter(
                    "There are {limit} keys already, revoked ones included, which is as many as can be kept.",
                    {"parameter": "name", "limit": MAX_KEYS},
                )
            days = request.expires_in_days
            stored = recast(
                StoredKey,
                request,
                hint=key[:_HINT_CHARS],
                created_at=now,
                created_by=created_by,
                expires_at=None if days is None else now + timedelta(days=days),
                sha256=digest_of(key),
            )
            self._append(known, [*known.keys, stored])
        return recast(CreatedKey, stored, key=key)

    @transaction
    def create_first(self, key: Secret) -> ApiKey | None:
        """Take a key that somebody generated as the first one, with every scope, where there never was one.

        Args:
            key: The key; checked before.

        Returns:
            What is known about it; ``None`` where there is, or was, a key, so that nothing is changed.

        Raises:
            KeysUnavailable: The keys cannot be read.
            StorageFull: The disk is full; the key was not created.
            StorageFailed: The disk failed; the key was not created.
        """
        if self.known().number:  # without the lock, which a data directory that can only be read does not give
            return None
        with self._names.lock():
            if (known := self.known()).number:
                return None
            text = key.reveal()
            stored = StoredKey(
                name=FIRST_KEY,
                scopes=SCOPES,
                hint=text[:_HINT_CHARS],
                created_at=self._names.now(),
                sha256=digest_of(text),
            )
            self._append(known, [stored])
        return recast(ApiKey, stored)

    def revoke(self, name: str) -> ApiKey:
        """Revoke a key; one that is revoked stays so.

        Raises:
            InvalidName: The name breaks the grammar.
            KeyNotFound: There is no such key.
            KeysUnavailable: The keys cannot be read.
            StorageFull: The disk is full; the key is still valid.
            StorageFailed: The disk failed; the key is still valid.
        """
        return self._change(name, lambda key: replace(key, revoked_at=key.revoked_at or self._names.now()))

    def limit(self, request: LimitKeyRequest) -> ApiKey:
        """Set all limits of a key.

        Args:
            request: The limits; checked before.

        Raises:
            KeyNotFound: There is no such key.
            KeysUnavailable: The keys cannot be read.
            StorageFull: The disk is full; the limits are as before.
            StorageFailed: The disk failed; the limits are as before.
        """
        return self._change(request.name, lambda key: recast(StoredKey, request, key))

    @transaction
    def _change(self, name: str, change: Callable[[StoredKey], StoredKey]) -> ApiKey:
        check_name(name)
        with self._names.lock():
            known = self.known()
            found = next((each for each in known.keys if each.name == name), None)
            if found is None:
                raise KeyNotFound("There is no API key named {name}. List the keys to see their names.", {"name": name})
            if (changed := change(found)) != found:
                others = [each for each in known.keys if each.name != name]
                self._append(known, [*others, changed])
        return recast(ApiKey, changed)

    def _append(self, known: KnownKeys, keys: Sequence[StoredKey]) -> None:
        content = write(KeyTable(tuple(sorted(keys, key=lambda each: each.name))))
        try:
            keys_from_json(KEYS, known.number + 1, content)  # what cannot be read again would lock everybody out
        except InvalidArtifact as error:
            raise InvalidParameter(
                "All keys together have become too large to be kept: {why} Choose fewer or shorter patterns.",
                {"parameter": "only", "why": error.detail},
            ) from error
        self._logs.append(KEYS, known.number + 1, content)
        for number in self._logs.numbers(KEYS)[:-KEPT_FILES]:
            self._logs.remove(KEYS, number)


def keys_from_json(_name: str, _number: int, data: bytes) -> KeyTable:
    """Return what a file of the log says.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    try:
        return read(data, KeyTable)
    except Mismatch as error:
        raise InvalidArtifact("what it says {why}.", {"why": error.problem}) from error
