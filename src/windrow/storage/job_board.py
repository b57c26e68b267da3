"""What processes that run jobs of one data directory tell each other about jobs that have not ended."""

from typing import Protocol

from windrow.domain.job import Progress


class Notices(Protocol):
    """Notices that a job's files are worth a look, since somebody wants it to stop, or has saved an end of it.

    Every method may be called by any thread, and raises ``StorageFull`` and ``StorageFailed`` when the place fails.
    """

    def put(self, job_id: str) -> None:
        """Have the process that runs a job look at its files."""
        ...

    def may_have(self, job_id: str) -> bool:
        """Whether the files of a job of this process are worth a look."""
        ...

    def remove(self, job_id: str) -> None:
        """Remove the notice about a job of this process, which has ended."""
        ...


class ProgressBoard(Protocol):
    """Where processes show each other how far their running jobs are, and leave notices about them.

    Every method may be called by any thread, and raises ``StorageFull`` and ``StorageFailed`` when the place fails.
    """

    @property
    def notices(self) -> Notices:
        """Notices of one process to another."""
        ...

    @property
    def poll_interval_s(self) -> float:
        """Seconds between two looks at what other processes say about one job."""
        ...

    def put(self, job_id: str, progress: Progress) -> None:
        """Show how far a job of this process is; what comes soon after another one may be left out."""
        ...

    def get(self, job_id: str) -> Progress | None:
        """Return how far another process says that a job is; ``None`` where it does not say so."""
        ...

    def remove(self, job_id: str) -> None:
        """Show the progress of a job no more, whoever ran it."""
        ...
