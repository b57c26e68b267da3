"""One warm training process on a node of a Ray cluster, as an actor: bytes of frames in, bytes of frames out.

Nothing here imports Ray at the start: the module is also read where Ray is not installed. Each method takes and returns
numbers, strings and bytes; what Ray pickles of them stays between the cluster's nodes.
"""

import io
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windrow.domain.errors import TrainingFailed, WindrowError
from windrow.domain.recipe import BaseModel
from windrow.encoders.cores import usable_cores
from windrow.execution.control import TrainingControl
from windrow.execution.frames import Frame, flatten, read_frame, write_frame
from windrow.execution.isolation import default_memory_limit
from windrow.execution.ray_base_models import find_base_model, place_base_model
from windrow.execution.ray_versions import own_versions
from windrow.execution.runner import ProcessRunner
from windrow.execution.tasks import TaskFailure, TrainAdaptersTask

# The kind of a frame that says why a training process died.
DIED = "died"
# A call that follows a task returns after this time at the latest, so that its caller can look at other things.
FOLLOW_S = 0.5


@dataclass(slots=True)
class _Run:
    """A task that is to run, runs or has ended; guarded by ``changed``."""

    task: Frame
    control: TrainingControl = field(default_factory=TrainingControl)
    changed: threading.Condition = field(default_factory=threading.Condition)
    steps: list[tuple[int, int, float]] = field(default_factory=list)
    outcome: bytes | None = None


class TrainingActor:
    """Runs one task at a time in a training process of its own, which stays warm between them."""

    def __init__(self) -> None:
        self._runner: ProcessRunner | None = None
        self._run: _Run | None = None
        self._folders: dict[BaseModel, Path] = {}

    def describe(self) -> dict[str, str]:
        """Return the versions of this node, and its name and id; every version of Windrow has this method."""
        import ray

        node_id = ray.get_runtime_context().get_node_id()
        address: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        return own_versions() | {"node": f"{address}/{node_id[:8]}", "node_id": node_id}

    def prepare(self, threads: int, memory_bytes: int) -> None:
        """Start the training process.

        Args:
            threads: Those of a task.
            memory_bytes: What the process may use; 0 for its part of this node's memory.
        """
        memory_bytes = memory_bytes or default_memory_limit(max(1, usable_cores() // threads))
        self._runner = ProcessRunner(1, memory_bytes=memory_bytes)
        self._runner.start()

    def needs_base_model(self, base_model: Mapping[str, Any]) -> bool:
        """Return whether :meth:`place_base_model` must come first.

        Args:
            base_model: The fields of a :class:`BaseModel`.
        """
        wanted = BaseModel(**base_model)
        if wanted not in self._folders and (found := find_base_model(wanted)) is not None:
            self._folders[wanted] = found
        return wanted not in self._folders

    def place_base_model(self, base_model: Mapping[str, Any], files: Sequence[Any]) -> bytes | None:
        """Write a base model on this node, unless another process of it has done so meanwhile.

        Args:
            base_model: The fields of a :class:`BaseModel`.
            files: One reference to its files, in a list, so that they are fetched only where they are needed.

        Returns:
            The frame of an error; ``None`` for none.
        """
        wanted = BaseModel(**base_model)
        try:
            self._folders[wanted] = place_base_model(files[0], wanted)
        except WindrowError as error:
            return frame_bytes(flatten("failed", TaskFailure(error.template, error.facts)))
        return None

    def take(self, task: bytes) -> None:
        """Receive a task, which :meth:`begin` starts: what it takes to send it does not count for its deadline.

        Args:
            task: The bytes of its frame.
        """
        self._run = _Run(frame_of(task))

    def begin(self, base_model: Mapping[str, Any] | None, left_s: float | None) -> None:
        """Start the task that was received.

        Args:
            base_model: The fields of the :class:`BaseModel` that it needs; ``None`` for none.
            left_s: The time that is left for it now, in seconds; ``None`` for no limit.
        """
        assert self._run is not None
        folder = None if base_model is None else self._folders[BaseModel(**base_model)]
        self._run.task = localized(self._run.task, folder, None if left_s is None else time.monotonic() + left_s)
        threading.Thread(target=self._work, args=(self._run,), name="training-task", daemon=True).start()

    def follow(self, seen: int) -> tuple[list[tuple[int, int, float]], bytes | None]:
        """Wait a moment for news of the task.

        Args:
            seen: How many of its steps are known.

        Returns:
            Its further steps (number, number of all, loss), and the bytes of the frame with its outcome; ``None`` while
            it runs. The frame's kind is ``done``, ``failed`` where the task says so, or ``died``.
        """
        assert self._run is not None
        run = self._run
        with run.changed:
            run.changed.wait_for(lambda: len(run.steps) > seen or run.outcome is not None, FOLLOW_S)
            return run.steps[seen:], run.outcome

    def cancel(self) -> None:
        """End the task at once: its process is killed, and a new one warms up."""
        if self._run is not None:
            self._run.control.cancel()

    def _work(self, run: _Run) -> None:
        assert self._runner is not None

        def note(number: int, of: int, loss: float) -> None:
            with run.changed:
                run.steps.append((number, of, loss))
                run.changed.notify_all()

        try:
            outcome = self._runner.run_frame(run.task, note, run.control)
        except WindrowError as error:
            outcome = flatten(DIED, TaskFailure(error.template, error.facts))
        except Exception as error:  # noqa: BLE001  whoever follows must hear of it
            why = TrainingFailed("The training process could not be run ({error}).", {"error": repr(error)})
            outcome = flatten(DIED, TaskFailure(why.template, why.facts))
        with run.changed:
            run.outcome = frame_bytes(outcome)
            run.changed.notify_all()


def frame_bytes(frame: Frame) -> bytes:
    """Return a frame as bytes."""
    stream = io.BytesIO()
    write_frame(stream, frame)
    return stream.getvalue()


def frame_of(data: bytes) -> Frame:
    """Return the frame that bytes hold.

    Raises:
        ValueError: They are cut short.
    """
    frame = read_frame(io.BytesIO(data))
    if frame is None:
        raise ValueError("the frame is cut short")
    return frame


def localized(task: Frame, folder: Path | None, deadline_s: float | None) -> Frame:
    """Return a task's frame with this machine's folder of the base model, and a deadline by this machine's clock.

    Args:
        task: The frame of any task.
        folder: The folder; ``None`` where the task needs none.
        deadline_s: The deadline on the monotonic clock; ``None`` for none.
    """
    if folder is None:
        return task
    here = {"folder": str(folder), "deadline_s": deadline_s}
    if task.kind == TrainAdaptersTask.__name__:
        trainings = [{**each, **here} for each in task.fields["trainings"]]
        return Frame(task.kind, {**task.fields, "trainings": trainings}, task.tensors)
    return Frame(task.kind, {**task.fields, **here}, task.tensors)
