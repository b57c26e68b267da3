"""The API keys in memory, kept in step with the disk by a thread, so that a request need not ask the disk."""

import hmac
import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from windrow.domain.access import KEY_PREFIX, ApiKey
from windrow.domain.caller import current_caller
from windrow.domain.clock import utc_now
from windrow.domain.errors import AccessDenied, InvalidParameter, KeysUnavailable, Unauthorized, WindrowError
from windrow.domain.key_form import is_strong_key
from windrow.domain.key_limits import UNLIMITED, KeyLimits, effective
from windrow.domain.secret import Secret
from windrow.domain.values import recast
from windrow.execution.audit_writer import AuditWriter, line_of
from windrow.settings import read_key_file, variable_name
from windrow.storage.key_store import KeyStore, StoredKey, digest_of

_GOES_BACK: Final = (
    "The API keys are gone from the data directory, or older than before, so every key is refused: one that was "
    "revoked could be valid again. Restore the newest files of the folder access/keys from a backup; or restart the "
    "server, if they are to be as they are."
)
_log = logging.getLogger("windrow.execution")


@dataclass(frozen=True, slots=True)
class _View:
    """The keys at the last look; never changed, only replaced.

    Args:
        token: The log's change token from before it was read.
        number: The highest number of the log that was ever read.
        by_digest: The keys by what is kept of them.
        is_needed: Whether requests need a key.
        problem: Why no key is accepted; ``None`` where they are.
    """

    token: str | None
    number: int
    by_digest: Mapping[str, StoredKey]
    is_needed: bool
    problem: KeysUnavailable | None = None


class KeyWatch:
    """The keys, for any number of threads; what other processes change is seen at the next look.

    Once there was a key, requests need one for as long as the process lives, whatever becomes of the log; and an older
    state of the log is none, since a key that was revoked would be valid again.

    Args:
        store: The keys on the disk.
        default_limits: The limits of keys that have none of their own.
        audit: Writes the audit trail; ``None`` for no trail.
    """

    def __init__(
        self, store: KeyStore, default_limits: KeyLimits = UNLIMITED, audit: AuditWriter | None = None
    ) -> None:
        self._store = store
        self._default_limits = default_limits
        self._audit = audit or AuditWriter(None)
        self._view = _View(None, 0, {}, is_needed=False)
        self._has_looked = False
        self._refused: Counter[str] = Counter()
        self._refused_lock = threading.Lock()

    @property
    def is_needed(self) -> bool:
        """Whether requests need a key."""
        return self._view.is_needed

    def find(self, key: str) -> ApiKey:
        """Return what is known about a key, with the limits that hold for it.

        Args:
            key: The key.

        Raises:
            Unauthorized: It is no valid one.
            KeysUnavailable: The keys could not be read, so that none is accepted.
        """
        view = self._view
        self.check_readable()
        digest = digest_of(key)
        found = view.by_digest.get(digest)
        if found is None or not hmac.compare_digest(found.sha256, digest):
            raise Unauthorized("The API key is not known here. For a valid one, {send_key}.")
        if (state := found.state(utc_now())) != "active":
            facts = {"name": found.name, "state": state}
            raise Unauthorized("The API key {name} is {state}. For a valid one, {send_key}.", facts)
        return found

    def check_readable(self) -> None:
        """Check that the keys could be read at the last look, without asking the disk.

        Raises:
            KeysUnavailable: They could not, so that none is accepted.
        """
        if (problem := self._view.problem) is not None:
            raise KeysUnavailable(problem.template, problem.facts) from problem

    @property
    def refused(self) -> Mapping[str, int]:
        """Requests whose key was refused or not enough, since the start, by the error's code."""
        with self._refused_lock:
            return dict(self._refused)

    def prepare(self, first_key_file: str = "") -> None:
        """Read the keys before the first request, and make the first one where there never was any.

        Args:
            first_key_file: The file with the first key; empty for none.

        Raises:
            InvalidParameter: The first key is to be made, and the file cannot be read or holds no key with 32 random
                bytes.
            StorageFull: The first key cannot be saved.
            StorageFailed: The first key cannot be saved.
        """
        self.update()
        if not first_key_file or self.is_needed:
            return
        text = read_key_file(first_key_file, variable_name("first_key_file"))
        if not is_strong_key(text):
            raise InvalidParameter(
                "The file that {setting} names does not hold a key with at least 32 random bytes. Generate one: "
                'echo "{prefix}$(openssl rand -hex 32)"',
                {"parameter": "first_key_file", "setting": variable_name("first_key_file"), "prefix": KEY_PREFIX},
            )
        if (created := self._store.create_first(Secret(text))) is not None:
            _log.info("The API key %s was created, with every scope.", created.name)
            self._audit.record(line_of(current_caller(), "create_key", target=created.name))
        self.update()

    def note_refusal(self, error: AccessDenied, verb: str) -> None:
        """Count a request whose key was refused, or is not enough, for the audit trail, without asking the disk.

        Args:
            error: Why the current caller was refused.
            verb: What was asked for; empty where that is not known.
        """
        with self._refused_lock:
            self._refused[error.code] += 1
        self._audit.count(line_of(current_caller(), verb, outcome=error.code))

    def update(self) -> None:
        """Look at the disk, if the log has changed or could not be read."""
        before, token = self._view, self._store.version_token()
        if token is not None and token == before.token and before.problem is None:
            return
        try:
            known = self._store.known()
        except KeysUnavailable as error:
            self._refuse_all(token, error)
            return
        except WindrowError as error:
            if not self._has_looked:  # there may be keys
                self._refuse_all(None, KeysUnavailable(error.template, error.facts))
            return  # the disk does not answer, which others say; what is known holds
        self._has_looked = True
        if known.number < before.number:
            self._refuse_all(token, KeysUnavailable(_GOES_BACK))
            return
        limited = (recast(StoredKey, effective(each, self._default_limits), each) for each in known.keys)
        self._view = _View(token, known.number, {each.sha256: each for each in limited}, is_needed=known.number > 0)

    def _refuse_all(self, token: str | None, problem: KeysUnavailable) -> None:
        if self._view.problem is None:
            _log.error("%s", problem.detail)
        self._view = _View(token, self._view.number, {}, is_needed=True, problem=problem)
