"""Cancelling what a fit has begun, whether or not its server answers."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from windrow.client.cancellation import cancel_orphaned_fit, cancel_within
from windrow.client.errors import ServerTimedOut
from windrow.domain.classifier import FitRequest
from windrow.domain.clock import utc_now
from windrow.domain.dataset import Row
from windrow.domain.errors import JobFinished
from windrow.domain.job import Job, JobList, JobListRequest, JobRequest
from windrow.domain.labelled_rows import dataset_of
from windrow.operations import Operations

REQUEST = FitRequest("tickets_v1", (Row("a", "b"), Row("c", "d")))
SINCE = utc_now()
OURS = Job(
    id="ours",
    state="queued",
    model_name="tickets_v1",
    num_examples=2,
    training_data_sha256=dataset_of(REQUEST.training_data).sha256,
    created_at=SINCE,
)


class Listed:
    """Jobs of which each look shows other ones; the last look is repeated."""

    def __init__(self, *looks: tuple[Job, ...]) -> None:
        self.looks = list(looks)
        self.cancelled: list[str] = []

    @property
    def operations(self) -> Operations:
        return cast(Operations, self)

    def list_jobs(self, request: JobListRequest) -> JobList:
        return JobList(self.looks.pop(0) if len(self.looks) > 1 else self.looks[0])

    def cancel_job(self, request: JobRequest) -> Job:
        self.cancelled.append(request.job_id)
        return replace(OURS, state="cancelled")


def test_the_job_is_found_once_it_is_there() -> None:
    jobs, pauses = Listed((), (), (OURS,)), list[float]()
    cancelled = cancel_orphaned_fit(jobs.operations, REQUEST, SINCE, pauses.append)
    assert cancelled is not None
    assert (cancelled.state, jobs.cancelled, len(pauses)) == ("cancelled", ["ours"], 2)


@pytest.mark.parametrize(
    "other",
    [
        replace(OURS, model_name="tickets_v2"),
        replace(OURS, training_data_sha256="0" * 64),
        replace(OURS, base_model="a/b"),
        replace(OURS, seed=1),
        replace(OURS, created_at=SINCE - timedelta(seconds=1)),
    ],
    ids=["name", "rows", "base model", "recipe", "older"],
)
def test_a_job_that_is_another_ones_goes_on(other: Job) -> None:
    jobs = Listed((other,))
    assert cancel_orphaned_fit(jobs.operations, REQUEST, SINCE, lambda seconds: None) is None
    assert jobs.cancelled == []


def test_of_a_fit_that_extends_the_given_rows_are_counted_since_the_others_are_the_servers() -> None:
    request = replace(REQUEST, extends="tickets@latest")
    ours = replace(OURS, training_data_sha256="0" * 64, num_examples=9, extends="tickets_v1@3", taken_over_rows=7)
    extending_nothing = replace(ours, num_examples=2, extends=None, taken_over_rows=0)
    for other in (replace(ours, taken_over_rows=6), replace(ours, seed=1), extending_nothing):
        assert cancel_orphaned_fit(Listed((other,)).operations, request, SINCE, lambda seconds: None) is None
    jobs = Listed((ours,))
    assert cancel_orphaned_fit(jobs.operations, request, SINCE) is not None
    assert jobs.cancelled == ["ours"]


def test_a_job_with_other_descriptions_of_labels_goes_on() -> None:
    meanings = {"a": "one", "b": "another"}
    request = replace(REQUEST, label_descriptions=meanings)
    for other in (OURS, replace(OURS, label_descriptions={**meanings, "b": "a third"})):
        assert cancel_orphaned_fit(Listed((other,)).operations, request, SINCE, lambda seconds: None) is None
    assert cancel_orphaned_fit(Listed((replace(OURS, label_descriptions=meanings),)).operations, request, SINCE)


def test_a_fit_that_extends_a_classifier_without_rows_is_found_with_the_descriptions_that_it_takes_over() -> None:
    request = replace(REQUEST, extends="tickets@latest", label_descriptions={"a": "one"})
    ours = replace(OURS, extends="tickets_v0@1", label_descriptions={"a": "one", "b": "kept"})
    assert cancel_orphaned_fit(Listed((ours,)).operations, request, SINCE)
    other = replace(ours, label_descriptions={"b": "kept"})
    assert cancel_orphaned_fit(Listed((other,)).operations, request, SINCE, lambda seconds: None) is None


def test_a_training_that_has_ended_meanwhile_is_told_and_not_cancelled() -> None:
    ended = replace(OURS, state="succeeded", revision=1)
    jobs = Listed((ended,))
    assert cancel_orphaned_fit(jobs.operations, REQUEST, SINCE) == ended
    assert jobs.cancelled == []


def test_a_server_that_does_not_answer_is_left() -> None:
    released = threading.Event()

    class Silent(Listed):
        def cancel_job(self, request: JobRequest) -> Job:
            released.wait(30)
            return super().cancel_job(request)

    with pytest.raises(ServerTimedOut, match=r"within 0\.01 seconds, and the training may go on"):
        cancel_within(Silent(()).operations, "ours", 0.01)
    released.set()


def test_what_the_server_says_is_told() -> None:
    class Ended(Listed):
        def cancel_job(self, request: JobRequest) -> Job:
            raise JobFinished("It has ended. Nothing is to be cancelled.")

    with pytest.raises(JobFinished):
        cancel_within(Ended(()).operations, "ours")


def test_a_fit_that_merges_labels_is_found_by_its_merged_rows() -> None:
    spelt = (Row("a", "b"), Row("e", "b"), Row("c", "d"), Row("f", "B"))
    request = replace(REQUEST, training_data=spelt, merge_labels=True, label_descriptions={"B": "one"})
    merged = dataset_of((*spelt[:3], Row("f", "b")))
    ours = replace(OURS, training_data_sha256=merged.sha256, label_descriptions={"b": "one"})
    assert cancel_orphaned_fit(Listed((ours,)).operations, request, SINCE)
