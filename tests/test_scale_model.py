"""The simulation of replicas (bench/scale_model.py): it loses no request, repeats itself, and agrees with theory."""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.source_tree import ROOT

if TYPE_CHECKING:
    import scale_model


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("scale_model")


def constant_ms(tokens: float, texts: int, on_all_cores: bool) -> float:
    return 10.0


@pytest.mark.parametrize("replicas", [1, 4])
@pytest.mark.parametrize("kind", ["poisson", "bursts", "day", "even"])
def test_each_request_is_answered_or_refused_and_each_run_is_the_same(model: Any, kind: str, replicas: int) -> None:
    traffic: scale_model.Traffic = getattr(model, kind)(400 * replicas, 5_000, 3)
    first, again = (model.simulate(traffic, model.Fleet(replicas)) for _ in range(2))
    assert np.all(np.diff(traffic.at_ms) >= 0)
    assert first.refused + len(first.took_ms) == first.offered == 5_000
    assert first.refused > 0
    assert np.array_equal(first.took_ms, again.took_ms)


@pytest.mark.parametrize("kind", ["poisson", "bursts", "day"])
def test_traffic_has_the_wanted_rate_on_average(model: Any, kind: str) -> None:
    traffic = getattr(model, kind)(1_000, 200_000, 1)
    assert traffic.at_ms[-1] == pytest.approx(200_000, rel=0.05)


def test_a_queue_with_constant_times_waits_as_theory_says(model: Any) -> None:
    # M/D/1: the mean wait is load / (2 * (1 - load)) times the service.
    traffic = model.poisson(70, 200_000, 5, tokens=12)
    one = model.Fleet(1, cores=1, batch_tokens=12, max_queued=10**6, service=constant_ms)
    alone = model.simulate(traffic, one)
    assert alone.took_ms.mean() == pytest.approx(10 + 10 * 0.7 / (2 * 0.3), rel=0.05)


def test_the_least_connections_never_let_a_request_wait_while_a_replica_is_idle(model: Any) -> None:
    traffic = model.even(400, 400, 1, tokens=12)
    spread = model.simulate(traffic, model.Fleet(4, cores=1, batch_tokens=12, service=constant_ms))
    assert np.all(spread.took_ms == pytest.approx(10))


def test_a_batch_takes_what_was_measured(model: Any) -> None:
    assert model.service_ms(12, 1, on_all_cores=False) == pytest.approx(2_000 / 352 + 0.58)
    assert model.service_ms(96, 8, on_all_cores=True) == pytest.approx(8_000 / 455 + 8 * 0.58)
    assert 0 < model.service_ms(3, 1, on_all_cores=True) < model.service_ms(12, 1, on_all_cores=True)
