"""What a transaction of an object store has put and removed, until it is committed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from windrow.storage.object_store.documents import StoredFile


@dataclass(slots=True, eq=False)
class Transaction:
    """What a transaction has put and removed; nobody else sees it before its commit.

    Args:
        number: The commit that it builds on.
        put: The contents that come, by key.
        removed: The files that go, by key.
        loose: The keys of objects outside the log that go.
        is_fence: Whether it commits even where it has put and removed nothing.
    """

    number: int
    put: dict[str, bytes] = field(default_factory=dict)
    removed: dict[str, StoredFile] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    is_fence: bool = False

    def touches(self, prefix: str) -> bool:
        """Whether it changes what is below a prefix."""
        return any(key.startswith(f"{prefix}/") for key in (*self.put, *self.removed))

    @staticmethod
    def below(prefix: str, keys: Iterable[str]) -> Counter[str]:
        """Return the names directly below a prefix, and how many of some keys each has or is."""
        start = f"{prefix}/"
        return Counter(key.removeprefix(start).partition("/")[0] for key in keys if key.startswith(start))
