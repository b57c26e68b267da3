"""Jobs are counted by kind and outcome, with the time that they waited and ran."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from windrow.domain.job import Job
from windrow.execution.job_log import JobLog

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
QUEUED = Job(
    id="a", state="queued", model_name="tickets_v1", num_examples=4, training_data_sha256="0" * 64, created_at=NOON
)


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_job_counts_once_it_has_ended() -> None:
    log = JobLog()
    log.note(QUEUED)
    log.note(replace(QUEUED, state="running", started_at=_at(2)))
    assert log.stats() == ()
    log.note(replace(QUEUED, state="succeeded", started_at=_at(2), finished_at=_at(9)))
    (stats,) = log.stats()
    assert (stats.kind, stats.outcome) == ("fit", "succeeded")
    assert (stats.waits.count, stats.waits.seconds) == (1, 2)
    assert (stats.durations.count, stats.durations.seconds) == (1, 7)


def test_jobs_that_ended_alike_are_counted_together() -> None:
    log = JobLog()
    failed = replace(QUEUED, state="failed", started_at=NOON, finished_at=_at(1))
    for job in (failed, replace(failed, kind="predict_files"), failed, replace(failed, state="succeeded")):
        log.note(job)
    assert [(each.kind, each.outcome, each.durations.count) for each in log.stats()] == [
        ("fit", "failed", 2),
        ("fit", "succeeded", 1),
        ("predict_files", "failed", 1),
    ]


def test_one_whose_turn_never_came_only_waited() -> None:
    log = JobLog()
    log.note(replace(QUEUED, state="cancelled", finished_at=_at(5)))
    (stats,) = log.stats()
    assert (stats.waits.seconds, stats.durations.count, stats.durations.seconds) == (5, 1, 0)
