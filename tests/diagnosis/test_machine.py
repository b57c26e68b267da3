"""What the machine gives is compared with what the settings want."""

import resource
from collections.abc import Iterator
from dataclasses import replace

import pytest

from windrow.diagnosis.machine import check_memory, check_open_files, check_settings
from windrow.domain.diagnosis import Check
from windrow.settings import Settings

GB = 1_000_000_000


def states(checks: Iterator[Check]) -> list[str]:
    return [each.state for each in checks]


def test_settings_that_are_not_the_default_are_named_and_their_values_are_not() -> None:
    (check,) = check_settings(Settings(max_connections=7, url="http://secret.example"))
    assert check.state == "ok"
    assert "WINDROW_MAX_CONNECTIONS" in check.detail
    assert "WINDROW_URL" in check.detail
    assert "secret" not in check.detail


def test_more_threads_than_cores_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.diagnosis.machine.usable_cores", lambda: 2)
    assert states(check_settings(Settings(encoder_threads=2, fit_threads=1))) == ["ok"]
    ok, warning = check_settings(Settings(encoder_threads=3))
    assert (ok.state, warning.state) == ("ok", "warning")
    assert warning.detail.startswith("WINDROW_ENCODER_THREADS is 3, and there are 2 cores")


def test_keys_that_travel_unencrypted_are_a_warning() -> None:
    assert states(check_settings(Settings(host="0.0.0.0"))) == ["ok", "warning"]
    assert states(check_settings(Settings(host="127.0.0.1"))) == ["ok"]
    assert states(check_settings(Settings(host="0.0.0.0", tls_cert="a.pem"))) == ["ok"]


@pytest.mark.parametrize(
    ("usable", "state"), [(900_000_000, "failed"), (2 * GB, "warning"), (16 * GB, "ok"), (999_999_999, "failed")]
)
def test_memory_is_enough_tight_or_too_little(usable: int, state: str) -> None:
    settings = Settings(max_concurrent_fits=1)
    assert states(check_memory(settings, lambda: usable)) == [state]


def test_memory_that_trainings_on_a_cluster_take_is_not_missed_here() -> None:
    settings = Settings(max_concurrent_fits=4, max_fit_memory_bytes=3 * GB)
    assert states(check_memory(settings, lambda: 4 * GB)) == ["warning"]
    assert states(check_memory(replace(settings, runner="ray://10.0.0.1:10001"), lambda: 4 * GB)) == ["ok"]


@pytest.mark.parametrize(
    ("hard", "state"), [(1_063, "warning"), (1_064, "ok"), (resource.RLIM_INFINITY, "ok"), (256, "warning")]
)
def test_as_many_connections_as_may_be_open_must_be_allowed(
    hard: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    assert states(check_open_files(Settings(max_connections=1_000))) == [state]
