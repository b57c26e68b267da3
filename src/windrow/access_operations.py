"""The verbs about API keys and the audit trail: a part of ``Operations``."""

from typing import Protocol

from windrow.domain.access import CreatedKey, CreateKeyRequest, KeyList, KeyRequest, KeyRevocation, LimitedKey
from windrow.domain.audit import AuditRequest, AuditTrail
from windrow.domain.key_limits import LimitKeyRequest


class AccessOperations(Protocol):
    """Who may do what, and who did what."""

    def create_key(self, request: CreateKeyRequest) -> CreatedKey:
        """Create an API key, and return it this once. From the first one on, every request to a server needs a key.

        Raises:
            InvalidInput: The name, a scope, a pattern or the number of days breaks a rule.
            KeyExists: A key has, or had, this name.
            KeysUnavailable: The keys cannot be read.
        """
        ...

    def list_keys(self) -> KeyList:
        """Return every API key, sorted by name, also those that are no longer valid; without the keys themselves.

        Raises:
            KeysUnavailable: The keys cannot be read.
        """
        ...

    def limit_key(self, request: LimitKeyRequest) -> LimitedKey:
        """Set all limits of an API key, on every server of the data directory, within a second.

        What is left out is what the setting of each server says (``WINDROW_KEY_REQUESTS_PER_SECOND`` and its like).

        Raises:
            InvalidInput: The name breaks the grammar, or a limit lies outside its range.
            KeyNotFound: There is no such key.
            KeysUnavailable: The keys cannot be read.
        """
        ...

    def revoke_key(self, request: KeyRequest) -> KeyRevocation:
        """Revoke an API key, on every server of the data directory, within a second. What it has done stays.

        Raises:
            InvalidName: The name breaks the grammar.
            KeyNotFound: There is no such key.
            KeysUnavailable: The keys cannot be read.
        """
        ...

    def audit(self, request: AuditRequest) -> AuditTrail:
        """Return who changed what, and which API keys were refused, the newest line first.

        Raises:
            InvalidParameter: A text is empty, the time or the cursor is none, or the limit lies outside its range.
        """
        ...
