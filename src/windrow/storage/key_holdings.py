"""Counts what API keys keep on the disk: the revisions that each made, and their bytes."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from windrow.domain.errors import RateLimited
from windrow.domain.key_limits import KeyLimits
from windrow.storage import history
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a key keeps on the disk.

    Args:
        revisions: How many it made.
        size_bytes: What these take; a file that several names share counts for each.
    """

    revisions: int = 0
    size_bytes: int = 0

    def plus(self, other: "Holdings") -> "Holdings":
        """Return both together."""
        return Holdings(self.revisions + other.revisions, self.size_bytes + other.size_bytes)


class KeyHoldings:
    """What keys keep in a data directory, for any number of threads; what did not change is read once.

    Args:
        names: The namespace.
    """

    def __init__(self, names: Namespace) -> None:
        self._names = names
        # By name: the log's highest number, and what each key made of it.
        self._counted: dict[str, tuple[int, Mapping[str, Holdings]]] = {}
        self._lock = threading.Lock()

    def of(self, key: str) -> Holdings:
        """Return what a key keeps; deleted classifiers count until they are purged.

        Args:
            key: Its name.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        with self._lock:
            names = self._names.classifiers.names()
            for gone in self._counted.keys() - set(names):
                del self._counted[gone]
            whole = Holdings()
            for name in names:
                whole = whole.plus(self._of_name(name).get(key, Holdings()))
            return whole

    def check(self, key: str, limits: KeyLimits) -> None:
        """Refuse one more revision of a key that keeps as much as it may.

        Args:
            key: Its name.
            limits: Its limits.

        Raises:
            RateLimited: It keeps as much.
            StorageFailed: The disk cannot be read.
        """
        if not (limits.max_revisions or limits.max_stored_bytes):
            return
        held = self.of(key)
        for quota, limit, used, what in (
            ("max_revisions", limits.max_revisions, held.revisions, "revision" if held.revisions == 1 else "revisions"),
            ("max_stored_bytes", limits.max_stored_bytes, held.size_bytes, "bytes of revisions"),
        ):
            if limit and used >= limit:
                raise RateLimited(
                    f"The API key {{name}} has {{used}} {what} on the disk, and may have {{limit}}. Have an "
                    "administrator purge some of them, or raise the key's limit.",
                    {"name": key, "quota": quota, "limit": limit, "used": used},
                )

    def _of_name(self, name: str) -> Mapping[str, Holdings]:
        number = self._names.classifiers.newest_listed(name).number
        counted = self._counted.get(name)
        if counted is None or counted[0] != number:
            counted = number, _by_key(history.entries(self._names.classifiers.values(name)).values())
            self._counted[name] = counted
        return counted[1]


def _by_key(entries: Iterable[ClassifierState]) -> Mapping[str, Holdings]:
    # What is said later about a revision (notes, scores) stands in further numbers, each with the whole record.
    revisions = {entry.record.revision: entry for entry in entries}
    found: dict[str, Holdings] = {}
    for entry in revisions.values():
        if (key := entry.record.key_name) is not None:
            size_bytes = sum(ref.size_bytes for ref in entry.blobs.values())
            found[key] = found.get(key, Holdings()).plus(Holdings(1, size_bytes))
    return found
