"""What a monitor reads at ``/metrics``: how long requests take, and how busy the service is.

No label holds anything that a caller sent.
"""

from collections.abc import Callable, Collection, Iterator

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from windrow.domain.vitals import Vitals

# From a small classifier on an idle server to a long training.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_OTHER = "other"
_Family = type[GaugeMetricFamily] | type[CounterMetricFamily]
# Kind, name, field of Vitals, words.
_VITALS: tuple[tuple[_Family, str, str, str], ...] = (
    (GaugeMetricFamily, "windrow_waiting_requests", "waiting_requests", "Requests that wait for an encoder."),
    (GaugeMetricFamily, "windrow_waiting_texts", "waiting_texts", "Texts of waiting requests, still to be encoded."),
    (GaugeMetricFamily, "windrow_running_batches", "running_batches", "Batches that are being encoded."),
    (CounterMetricFamily, "windrow_batches_total", "batches", "Batches that were encoded."),
    (CounterMetricFamily, "windrow_tokens_total", "tokens", "Tokens that were encoded."),
    (CounterMetricFamily, "windrow_refused_requests_total", "refused", "Requests refused because too many waited."),
    (CounterMetricFamily, "windrow_abandoned_requests_total", "abandoned", "Requests whose callers left too early."),
    (GaugeMetricFamily, "windrow_fits_running", "fits_running", "Trainings that run."),
    (GaugeMetricFamily, "windrow_fits_waiting", "fits_waiting", "Trainings that wait for their turn."),
)
# Kind, name, field of CacheVitals, words.
_CACHES: tuple[tuple[_Family, str, str, str], ...] = (
    (GaugeMetricFamily, "windrow_cache_entries", "entries", "Values in a cache."),
    (GaugeMetricFamily, "windrow_cache_bytes", "size_bytes", "What the values in a cache take."),
    (GaugeMetricFamily, "windrow_cache_max_bytes", "max_bytes", "What the values in a cache may take."),
    (CounterMetricFamily, "windrow_cache_hits_total", "hits", "Times that a value was in a cache."),
    (CounterMetricFamily, "windrow_cache_misses_total", "misses", "Times that a value was not in a cache."),
)


class Metrics:
    """The figures of one server.

    Args:
        vitals: Says how busy the service is.
        endpoints: Method and path template of each endpoint; all else is counted together.
    """

    def __init__(self, vitals: Callable[[], Vitals], endpoints: Collection[tuple[str, str]]) -> None:
        self._endpoints = frozenset(endpoints)
        self.registry = CollectorRegistry()
        self._durations = Histogram(
            "windrow_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "endpoint", "status"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_VitalsCollector(vitals))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def observe(self, scope: Scope, status: int, duration_s: float) -> None:
        """Count a request that has been answered."""
        method, path = scope["method"], getattr(scope.get("route"), "path_format", "")
        if (method, path) not in self._endpoints:
            method = path = _OTHER
        self._durations.labels(method, path, status).observe(duration_s)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return all figures as text, and its media type.

        Args:
            accept: The header of that name.
        """
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type


class _VitalsCollector(Collector):
    """Shows the vitals of the moment in which somebody looks."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        now = self._vitals()
        for family, name, field, words in _VITALS:
            yield family(name, words, getattr(now, field))
        for family, name, field, words in _CACHES:
            figure = family(name, words, labels=["cache"])
            figure.add_metric(["classifiers"], getattr(now.classifiers, field))
            figure.add_metric(["texts"], getattr(now.texts, field))
            yield figure
