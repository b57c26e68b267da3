"""Several servers on one object store in memory, whose time stands still until a test lets it pass."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.fakes.bucket import MemoryBucket


@dataclass
class StoreClock:
    """The clock of a store."""

    now: datetime = datetime(2026, 11, 29, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """Return the same as a clock of a process."""
        return self.now.timestamp()

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class SharedStore:
    """An object store."""

    clock: StoreClock = field(default_factory=StoreClock)
    bucket: MemoryBucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = MemoryBucket(clock=self.clock)

    def connect(self) -> MemoryBucket:
        """Return another server's connection, which can fail alone."""
        return MemoryBucket(self.bucket.objects_by_key, clock=self.clock, lock=self.bucket.lock)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.bucket.objects_by_key if key.startswith(prefix))
