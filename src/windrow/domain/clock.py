"""The time as records and jobs have it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
