"""Hands the figures of a replica to its node, whose Ray shows those of all of its processes to Prometheus.

A request to ``/metrics`` comes to any replica; only this way shows each of them.
"""

from typing import Any

from windrow.execution.periodic_task import PeriodicTask
from windrow.http.metrics import Metrics

EXPORT_INTERVAL_S = 10.0
# Ray keeps each combination of labels for as long as the process lives, and the classifiers that are used most change.
_LEFT_OUT = frozenset({"windrow_classifier_texts_total"})


class FigureExport:
    """Sets a gauge of Ray for each of Windrow's figures, now and then. Ray puts ``ray_`` before their names.

    Args:
        metrics: The figures.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._gauges: dict[str, Any] = {}
        self._task = PeriodicTask(self.update, EXPORT_INTERVAL_S, "export-figures")

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._task.start()

    def update(self) -> None:
        """Hand on how all figures are now."""
        from ray.util.metrics import Gauge

        for metric in self._metrics.collect():
            for sample in metric.samples:
                if not sample.name.startswith("windrow_") or sample.name in _LEFT_OUT:
                    continue
                gauge = self._gauges.get(sample.name)
                if gauge is None:
                    gauge = Gauge(sample.name, metric.documentation, tuple(sample.labels))
                    self._gauges[sample.name] = gauge
                gauge.set(sample.value, {name: str(value) for name, value in sample.labels.items()})
