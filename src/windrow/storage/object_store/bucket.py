"""The seam to an object store: what Windrow needs of one, and nothing that only some of them can do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a listing says of an object.

    Args:
        key: Its key, relative to the prefix of the data directory.
        size_bytes: Its size.
        changed_at: When the store took it, by the store's clock, UTC.
        etag: What the store calls this content of it; empty where it does not say.
    """

    key: str
    size_bytes: int
    changed_at: datetime
    etag: str = ""


class Listings(Protocol):
    """What a part of an object store holds. Raises as :class:`Bucket` does."""

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with a prefix and a slash, sorted by key; some stores sort part by part.

        Args:
            prefix: The prefix.
            after: The key behind which to begin; empty for the first one.
        """
        ...

    def names(self, prefix: str) -> list[str]:
        """Return the sorted names directly below a prefix: of objects and of longer prefixes.

        Args:
            prefix: The prefix; empty for all that is there.
        """
        ...


class Bucket(Listings, Protocol):
    """A part of an object store, for any number of threads and processes.

    Every method raises ``DataDirectoryUnavailable`` where the store does not answer, and ``StorageFailed`` where it
    refuses.
    """

    requests: Counter[str]
    """Requests so far, by kind, each attempt on its own."""

    def create(self, key: str, data: bytes) -> bool:
        """Store an object under a key that has none; of several callers exactly one wins.

        Whoever asks makes ``data`` its own, such as by an attempt id in it: a reply that is lost is told apart from a
        race that is lost by reading back what is there.

        Returns:
            Whether ``data`` is what the key has now.

        Raises:
            StorageUncertain: The store does not say whether it took it, and may still take it.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Store an object, in the place of any that is there."""
        ...

    def get(self, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            KeyMissing: There is none.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...
