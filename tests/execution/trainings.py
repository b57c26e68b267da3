"""A training that goes on until it is told to end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.execution.examples import queued_job
from tests.records import record
from windrow.domain.classifier import FitResult
from windrow.domain.job import Job, JobKind, Progress
from windrow.domain.values import recast
from windrow.execution.control import TrainingControl
from windrow.execution.job_queue import JobSpec
from windrow.execution.slots import TrainingSlots
from windrow.execution.training_cost import CostCalibration, EtaEstimator

RESULT = recast(FitResult, record(revision=7), model_name="tickets_v1", next_name="tickets_v2")


def told(job: Job, fitted: FitResult) -> Job:
    return replace(job, revision=fitted.revision, next_name=fitted.next_name)


@dataclass
class Training:
    """A training that goes on until it is told to end, or stopped.

    Args:
        key: Equal for equal requests.
        error: What it ends with; ``None`` for a result.
        progress: What it reports.
    """

    key: str = "a"
    error: BaseException | None = None
    progress: Progress = field(default_factory=lambda: Progress("training", 1, 2, 0.5))
    has_begun: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)

    def work(self, control: TrainingControl) -> FitResult:
        told = self.progress
        control.report_progress(told.stage, told.step, told.num_steps, told.loss)
        self.has_begun.set()
        with control.on_cancel(self.end.set):
            assert self.end.wait(30)
        control.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return RESULT

    def spec(
        self,
        prepare: Callable[[], object] | None = None,
        kind: JobKind = "fit",
        slots: TrainingSlots | None = None,
    ) -> JobSpec[FitResult]:
        job = replace(queued_job(""), kind=kind)
        eta = EtaEstimator(CostCalibration())
        return JobSpec(job, self.key, prepare, self.work, told, eta, slots=slots)
