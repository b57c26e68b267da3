"""The JSON shapes of jobs and forecasts, to and from the domain."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.strategies import any_forecast, any_job, sent, there_and_back
from windrow.domain.job import Forecast, Job, Progress
from windrow.wire.job import ForecastReply, JobEntry, JobList, read_limit

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)


@settings(deadline=None)
@given(st.lists(any_job, max_size=3))
def test_jobs_survive_the_way_out_and_back(jobs: list[Job]) -> None:
    assert there_and_back(JobList, tuple(jobs)) == tuple(jobs)


@settings(deadline=None)
@given(any_forecast)
def test_a_forecast_survives_the_way_out_and_back(forecast: Forecast) -> None:
    assert there_and_back(ForecastReply, forecast) == forecast


def test_a_job_shows_how_far_it_is_in_flat_fields() -> None:
    progress = Progress("training", 2, 3, 1.5, 4.0)
    shown = sent(JobEntry.of(Job("a1", "running", "tickets_v1", 6, "0" * 64, NOW, progress=progress)))
    assert '"stage":"training","step":2,"of":3,"loss":1.5,"seconds_left":4.0' in shown


def test_a_query_that_says_nothing_asks_for_a_hundred_jobs() -> None:
    assert (read_limit({}), read_limit({"limit": "3"})) == (100, 3)
