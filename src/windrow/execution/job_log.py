"""Count the jobs of this process by kind and outcome, with how long they waited and ran."""

import threading
from dataclasses import dataclass, field

from windrow.domain.job import Job
from windrow.domain.server_stats import JobStats
from windrow.execution.durations import JOB_BOUNDS_S, DurationCounter


@dataclass(frozen=True, slots=True)
class _Counters:
    durations: DurationCounter = field(default_factory=lambda: DurationCounter(JOB_BOUNDS_S))
    waits: DurationCounter = field(default_factory=lambda: DurationCounter(JOB_BOUNDS_S))


class JobLog:
    """Counts jobs that have ended; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, str], _Counters] = {}

    def note(self, job: Job) -> None:
        """Count a job, if it has ended.

        Args:
            job: The job, whose end is told once.
        """
        if job.finished_at is None:
            return
        began_at = job.started_at or job.finished_at
        with self._lock:
            counters = self._counters.setdefault((job.kind, job.state), _Counters())
            counters.durations.add((job.finished_at - began_at).total_seconds())
            counters.waits.add((began_at - job.created_at).total_seconds())

    def stats(self) -> tuple[JobStats, ...]:
        """Return the counts since the start of the process."""
        with self._lock:
            return tuple(
                JobStats(kind, outcome, each.durations.stats(), each.waits.stats())
                for (kind, outcome), each in sorted(self._counters.items())
            )
