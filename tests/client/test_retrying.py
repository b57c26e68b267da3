import pytest

from windrow.client.errors import FailedInServer
from windrow.client.retrying import back_off, check_retries, check_timeout, retry_delay
from windrow.domain.errors import BaseModelUnavailable, InvalidParameter, Overloaded, RateLimited

BUSY = Overloaded("Too much to do.")


def test_pauses_grow_and_differ() -> None:
    for attempt in range(4):
        assert 0.1 * 2**attempt <= back_off(attempt) <= 0.15 * 2**attempt
    assert len({back_off(0) for _ in range(10)}) > 1


@pytest.mark.parametrize(
    ("status", "retry_after", "lowest", "highest"), [(429, "2", 2, 2), (503, "", 0.1, 0.15), (503, "soon", 0.1, 0.15)]
)
def test_a_busy_server_is_asked_again_when_it_says(
    status: int, retry_after: str, lowest: float, highest: float
) -> None:
    delay_s = retry_delay(status, retry_after, BUSY, 0)
    assert delay_s is not None and lowest <= delay_s <= highest


def test_a_request_whose_replica_was_lost_is_sent_to_another_one() -> None:
    lost = FailedInServer("replica_lost", "Lost.")
    delay_s = retry_delay(502, "", lost, 0)
    assert delay_s is not None and 0.1 <= delay_s <= 0.15
    assert retry_delay(502, "", FailedInServer("bad_gateway", "Gone."), 0) is None


def test_what_will_be_refused_again_is_not_asked_again() -> None:
    assert retry_delay(404, "1", BUSY, 0) is None
    assert retry_delay(503, "31", BUSY, 0) is None
    assert retry_delay(503, "1", BaseModelUnavailable("There is none."), 0) is None
    assert retry_delay(429, "", RateLimited("It keeps as much as it may."), 0) is None


def test_numbers_that_are_none_are_refused() -> None:
    check_retries(0)
    check_timeout(0.1)
    with pytest.raises(InvalidParameter, match=r"^retries is -1"):
        check_retries(-1)
    for timeout_s in (0.0, float("nan")):
        with pytest.raises(InvalidParameter, match=r"^timeout_s is"):
            check_timeout(timeout_s)
