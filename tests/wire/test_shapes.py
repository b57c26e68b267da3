"""What every shape keeps to: times as text, and nothing unknown."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from tests.wire.strategies import any_time
from windrow.wire.server import Health
from windrow.wire.shapes import from_utc, utc, utc_or_none


def test_a_time_is_written_in_utc_to_the_second() -> None:
    assert utc(datetime(2025, 9, 15, 10, 30, tzinfo=UTC)) == "2025-09-15T10:30:00Z"
    assert utc_or_none(None) is None


@settings(deadline=None)
@given(any_time)
def test_a_time_survives_the_way_out_and_back(moment: datetime) -> None:
    assert from_utc(utc(moment)) == moment
    assert utc_or_none(moment) == utc(moment)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Health.model_validate({"version": "1", "verison": "1"})
