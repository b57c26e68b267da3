"""Which refused requests are sent again, and how long a client waits before that."""

import random

from windrow.domain.errors import BaseModelUnavailable, InvalidParameter, RateLimited, WindrowError

_RETRIED = (429, 503)
# What the proxy of a cluster says; another replica answers at once.
_REPLICA_LOST = "replica_lost"
_FIRST_DELAY_S = 0.1
# The maximum wait between two attempts.
_MAX_DELAY_S = 30.0


def check_retries(retries: int) -> None:
    """Refuse a number of retries that is none.

    Raises:
        InvalidParameter: It lies below 0.
    """
    if retries < 0:
        raise InvalidParameter(
            "{arg:retries} is {value}; it must be at least {minimum}.",
            {"parameter": "retries", "value": retries, "minimum": 0},
        )


def check_timeout(timeout_s: float) -> None:
    """Refuse an invalid timeout.

    Raises:
        InvalidParameter: It is not more than 0.
    """
    if not timeout_s > 0:
        raise InvalidParameter(
            "{arg:timeout_s} is {value}; it must be more than {minimum}.",
            {"parameter": "timeout_s", "value": timeout_s, "minimum": 0},
        )


def retry_delay(status: int, retry_after: str, problem: WindrowError, attempt: int) -> float | None:
    """Return how long to wait before a refused request is sent again, in seconds; ``None`` where that is no use.

    Args:
        status: The reply's HTTP status.
        retry_after: Its header of that name, empty where there is none.
        problem: The error that it is.
        attempt: Counts the attempts before, from 0.
    """
    if problem.code == _REPLICA_LOST:
        return back_off(attempt)
    if status not in _RETRIED or isinstance(problem, BaseModelUnavailable):
        return None
    if not retry_after.isdecimal():
        # A key that keeps as much as it may is not helped by waiting.
        return None if isinstance(problem, RateLimited) else back_off(attempt)
    delay_s = max(float(retry_after), back_off(attempt))
    return delay_s if delay_s <= _MAX_DELAY_S else None


def back_off(attempt: int) -> float:
    """Return some seconds, about twice as many with each attempt, so that many clients do not come back at once."""
    return _FIRST_DELAY_S * float(2**attempt) * random.uniform(1.0, 1.5)  # noqa: S311 - nothing is secret here
