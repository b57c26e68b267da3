import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from windrow.agents.access import OwnAccess
from windrow.agents.running import Report, ToolRunner, problem_of, progress_of
from windrow.agents.tools import BY_NAME
from windrow.api.examples import example_of
from windrow.domain.classifier import ClassifierDetails, ModelRequest
from windrow.domain.errors import ClassifierNotFound, JobFinished, TrainingFailed, WindrowError
from windrow.domain.job import Job, JobRequest, Problem, Progress
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.operations import Operations

JOB = replace(
    cast(Job, example_of(Job)),
    state="queued",
    ahead=0,
    progress=None,
    revision=None,
    problem=None,
    files=None,
    finished_at=None,
)
FIT = {"model_name": "t_v1", "training_data": [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]}
TIMEOUT_S = 60


class FakeOperations:
    """Trains in three steps, the second of which waits where that is wanted."""

    def __init__(self, *, waits: bool = False, problem: Problem | None = None) -> None:
        self.begun, self.cancelled = threading.Event(), threading.Event()
        self.waits = waits
        self.problem = problem
        self.is_connected: Any = None

    def predict(self, request: PredictRequest, is_connected: Any) -> tuple[Prediction, ...]:
        if request.model_name == "none":
            raise ClassifierNotFound(
                "There is no {name}. See {see:list_classifiers}.", {"name": "none", "odd": object()}
            )
        self.is_connected = is_connected
        self.begun.set()
        if self.waits:
            assert self.cancelled.wait(TIMEOUT_S)
        return (cast(Prediction, example_of(Prediction)),)

    def start_fit(self, request: object) -> Job:
        return JOB

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        yield JOB
        yield replace(JOB, state="running", progress=Progress("training", 1, 4, seconds_left=3.2))
        self.begun.set()
        if self.waits:
            assert self.cancelled.wait(TIMEOUT_S)
            yield replace(JOB, state="cancelled", problem=Problem("training_cancelled", "It was cancelled."))
            return
        yield replace(JOB, state="running", progress=Progress("encoding", 1, 4))
        if self.problem is not None:
            yield replace(JOB, state="failed", problem=self.problem)
            return
        yield replace(JOB, state="succeeded", revision=3)

    def cancel_job(self, request: JobRequest) -> Job:
        assert request.job_id == JOB.id
        if self.cancelled.is_set():
            raise JobFinished("It has ended.")
        self.cancelled.set()
        return JOB

    def show(self, request: ModelRequest) -> ClassifierDetails:
        return cast(ClassifierDetails, example_of(ClassifierDetails))


async def ignore(done: float, of: float, told: str) -> None:
    pass


def run(operations: FakeOperations, tool: str, arguments: dict[str, Any], report: Report = ignore) -> Any:
    runner = ToolRunner(["changes"])
    access = OwnAccess(cast(Operations, operations))
    try:
        return asyncio.run(runner.run(BY_NAME[tool], arguments, access, report))
    finally:
        runner.close()


def test_a_verb_is_answered_as_over_http() -> None:
    answer = run(FakeOperations(), "classifier_predict", {"model_name": "t", "text": "a"})
    assert json.loads(answer.text) == answer.content
    assert answer.content["label"] == "billing"
    answer = run(FakeOperations(), "classifier_predict", {"model_name": "t", "texts": ["a"]})
    assert len(answer.content["predictions"]) == 1


def test_a_training_tells_how_far_it_is_and_never_goes_back() -> None:
    reported: list[tuple[float, float, str]] = []

    async def report(*told: Any) -> None:
        reported.append(told)

    answer = run(FakeOperations(), "classifier_fit", FIT, report)
    assert answer.content["status"] == "trained"
    assert reported == [
        (0.0, 5.0, "waiting for its turn"),
        (1.25, 5.0, "training, step 1 of 4, about 3 s left"),
        (5.0, 5.0, "succeeded"),
    ]


def test_a_training_that_fails_raises_its_own_error() -> None:
    failing = FakeOperations(problem=Problem("training_failed", "It failed. {Send} it again."))
    with pytest.raises(TrainingFailed):
        run(failing, "classifier_fit", FIT)


@pytest.mark.parametrize("tool", ["classifier_fit", "classifier_predict"])
def test_a_call_that_is_cancelled_ends_its_work(tool: str) -> None:
    operations = FakeOperations(waits=True)
    arguments = FIT if tool == "classifier_fit" else {"model_name": "t", "text": "a"}

    async def cancel() -> None:
        runner = ToolRunner(["changes"])
        access = OwnAccess(cast(Operations, operations))
        task = asyncio.ensure_future(runner.run(BY_NAME[tool], arguments, access, ignore))
        assert await asyncio.to_thread(operations.begun.wait, TIMEOUT_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if tool == "classifier_fit":
            assert await asyncio.to_thread(operations.cancelled.wait, TIMEOUT_S)
        else:
            assert not operations.is_connected()
            operations.cancelled.set()
        await asyncio.to_thread(runner.close)

    asyncio.run(cancel())


def test_an_error_is_told_with_code_and_plain_facts() -> None:
    with pytest.raises(ClassifierNotFound) as raised:
        run(FakeOperations(), "classifier_predict", {"model_name": "none", "text": "a"})
    problem = problem_of(raised.value, "There is none.")
    assert problem == {"name": "none", "code": "classifier_not_found", "detail": "There is none."}


def test_an_error_is_shown_as_the_access_shows_it() -> None:
    class Hiding(OwnAccess):
        def told(self, error: WindrowError, endpoint: object) -> WindrowError:
            return TrainingFailed(str(Path("hidden")))

    runner = ToolRunner([])
    hiding = Hiding(cast(Operations, FakeOperations()))
    with pytest.raises(TrainingFailed, match="hidden"):
        asyncio.run(runner.run(BY_NAME["classifier_predict"], {"model_name": "none", "text": "a"}, hiding, ignore))
    runner.close()


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (replace(JOB, ahead=2), (0.0, "waiting for 2 other trainings")),
        (replace(JOB, state="running"), (0.0, "beginning")),
        (replace(JOB, state="running", progress=Progress("finishing")), (3.0, "finishing")),
        (replace(JOB, state="running", progress=Progress("encoding", 9, 8)), (1.0, "encoding, step 9 of 8")),
        (replace(JOB, state="failed"), (5.0, "failed")),
    ],
)
def test_progress_is_the_share_of_five_stages(job: Job, told: tuple[float, str]) -> None:
    assert progress_of(job) == told
