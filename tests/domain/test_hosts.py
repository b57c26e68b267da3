"""Which hosts only this machine reaches."""

import pytest

from windrow.domain.hosts import is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
    ],
)
def test_only_a_loopback_address_is_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected
