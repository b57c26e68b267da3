"""The time as records and jobs have it."""

from datetime import UTC, datetime, timedelta

from windrow.domain.clock import utc_now


def test_the_time_is_utc_and_in_whole_seconds() -> None:
    before, now = datetime.now(UTC), utc_now()
    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert before - timedelta(seconds=1) < now <= datetime.now(UTC)
