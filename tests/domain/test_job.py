"""Jobs as values: when they are over, and their problems as the errors that they stand for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import pytest

from windrow.domain import errors
from windrow.domain.errors import TrainingFailed, WindrowError, class_of
from windrow.domain.job import FINISHED, Job, JobState, Problem


def leaves(family: type[WindrowError]) -> Iterator[type[WindrowError]]:
    for each in family.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from leaves(each) if each.__subclasses__() else [each]


@pytest.mark.parametrize("kind", list(leaves(WindrowError)), ids=lambda kind: kind.code)
def test_a_problem_becomes_the_error_that_it_tells_of(kind: type[WindrowError]) -> None:
    problem = Problem(kind.code, "It went wrong on disk {disk}.", {"disk": 1})
    error = problem.as_error()
    assert type(error) is kind is class_of(kind.code)
    assert (error.detail, error.facts) == ("It went wrong on disk 1.", {"disk": 1})
    assert problem.detail == error.detail


def test_a_problem_of_another_version_is_a_failed_training() -> None:
    assert class_of("of_tomorrow") is None
    assert type(Problem("of_tomorrow", "It went wrong.").as_error()) is TrainingFailed


@pytest.mark.parametrize("state", get_args(JobState))
def test_a_job_is_finished_unless_it_waits_or_runs(state: JobState) -> None:
    job = Job(
        id="a",
        state=state,
        model_name="tickets_v1",
        num_examples=6,
        training_data_sha256="0" * 64,
        created_at=datetime(2025, 9, 15, tzinfo=UTC),
    )
    assert job.is_finished == (state not in ("queued", "running")) == (state in FINISHED)
