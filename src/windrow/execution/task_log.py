"""Count the tasks of trainings by node and outcome, and write one log line for each."""

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from windrow.domain.errors import ClusterUnavailable, Failure
from windrow.domain.server_stats import TaskStats

TaskOutcome = Literal["done", "failed", "cancelled"]

LOCAL_NODE: Final = "local"
NO_NODE: Final = "none"
# A cluster that grows and shrinks has a new name for each node; a monitor keeps each for ever.
MAX_NODES: Final = 64
OTHER_NODES: Final = "other"
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_log = logging.getLogger("windrow.trainings")


@dataclass(slots=True)
class TaskRun:
    """A task that runs.

    Args:
        node: Where it runs: ``local``, or a node's address and the beginning of its id.
        attempts: How often it was begun.
    """

    node: str = LOCAL_NODE
    attempts: int = 1


class TaskLog:
    """Counts tasks; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, TaskOutcome], TaskStats] = {}
        self._nodes: set[str] = set()

    @contextmanager
    def running(self, kind: str) -> Iterator[TaskRun]:
        """Count the task that runs inside the block, and log how it ended.

        Args:
            kind: The name of the task's class.
        """
        run, started = TaskRun(), time.monotonic()
        try:
            yield run
        except BaseException as error:
            self._note(kind, run, _outcome_of(error), time.monotonic() - started)
            raise
        self._note(kind, run, "done", time.monotonic() - started)

    def stats(self) -> tuple[TaskStats, ...]:
        """Return the counts since the start of the process."""
        with self._lock:
            return tuple(self._counts.values())

    def _note(self, kind: str, run: TaskRun, outcome: TaskOutcome, took_s: float) -> None:
        task = task_name(kind)
        with self._lock:
            if run.node not in self._nodes and len(self._nodes) < MAX_NODES:
                self._nodes.add(run.node)
            node = run.node if run.node in self._nodes else OTHER_NODES
            known = self._counts.get((task, node, outcome))
            self._counts[task, node, outcome] = TaskStats(
                task,
                node,
                outcome,
                count=1 + (known.count if known else 0),
                seconds=took_s + (known.seconds if known else 0.0),
                attempts=run.attempts + (known.attempts if known else 0),
            )
        _log.info("Task %s on node %s: %s after %.2f s, attempts %d.", task, run.node, outcome, took_s, run.attempts)


def task_name(kind: str) -> str:
    """Return what monitors and logs call a task: ``train_adapter`` for ``TrainAdapterTask``."""
    return _CAPITAL.sub("_", kind.removesuffix("Task")).lower()


def _outcome_of(error: BaseException) -> TaskOutcome:
    # Whoever cancels gives the reason, which may be any error of ours but these; what else is raised is no outcome of
    # the task, but of whoever follows its steps.
    return "failed" if isinstance(error, Failure | ClusterUnavailable) else "cancelled"
