"""The figures of a replica become gauges of Ray, each with its labels."""

import sys
from types import ModuleType
from typing import ClassVar

import pytest

from tests.toy import STATS
from windrow.deployment.figures import FigureExport
from windrow.http.metrics import Metrics


class FakeGauge:
    """A gauge that remembers what it was set to, as Ray's would hand it on."""

    shown: ClassVar[dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}

    def __init__(self, name: str, description: str, tag_keys: tuple[str, ...]) -> None:
        self._name = name
        self._tag_keys = tag_keys

    def set(self, value: float, tags: dict[str, str]) -> None:
        assert tags.keys() <= {*self._tag_keys}
        self.shown[self._name, tuple(sorted(tags.items()))] = value


def test_each_figure_is_handed_on_but_those_whose_labels_change_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("ray.util.metrics")
    module.Gauge = FakeGauge  # type: ignore[attr-defined]
    for name in ("ray", "ray.util"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "ray.util.metrics", module)
    monkeypatch.setattr(FakeGauge, "shown", {})
    FigureExport(Metrics(lambda: STATS, ())).update()
    names = {name for name, _ in FakeGauge.shown}
    assert {"windrow_queued_requests", "windrow_job_duration_seconds_bucket", "windrow_classifiers"} <= names
    assert "windrow_classifier_texts_total" not in names
    assert all(name.startswith("windrow_") for name in names)
    assert FakeGauge.shown["windrow_refused_keys_total", (("reason", "unauthorized"),)] == 38
