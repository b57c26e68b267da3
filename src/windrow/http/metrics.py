"""What a monitor reads at ``/metrics``: how long requests take, how busy the service is, and what it keeps.

No label holds anything that a caller sent but the names of the classifiers that are used most, which are few.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from starlette.types import Scope

from windrow import __version__
from windrow.domain.server_stats import DurationStats, JobStats, ServerStats, StorageStats, TaskStats

# From a small classifier on an idle server to a long training.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_OTHER = "other"
_Family = type[GaugeMetricFamily] | type[CounterMetricFamily]
# Kind, name, field of ServerStats, words.
_STATS: tuple[tuple[_Family, str, str, str], ...] = (
    (GaugeMetricFamily, "windrow_queued_requests", "queued_requests", "Requests that wait for an encoder."),
    (GaugeMetricFamily, "windrow_queued_texts", "queued_texts", "Texts of waiting requests, still to be encoded."),
    (GaugeMetricFamily, "windrow_running_batches", "running_batches", "Batches that are being encoded."),
    (CounterMetricFamily, "windrow_batches_total", "batches", "Batches that were encoded."),
    (CounterMetricFamily, "windrow_tokens_total", "tokens", "Tokens that were encoded."),
    (
        CounterMetricFamily,
        "windrow_encode_seconds_total",
        "encode_seconds",
        "Time that the batches took, in seconds of one core.",
    ),
    (CounterMetricFamily, "windrow_refused_requests_total", "refused", "Requests refused because too many waited."),
    (
        CounterMetricFamily,
        "windrow_client_closed_requests_total",
        "client_closed",
        "Requests whose callers left too early.",
    ),
    (GaugeMetricFamily, "windrow_running_fits", "running_fits", "Trainings that run."),
    (GaugeMetricFamily, "windrow_queued_fits", "queued_fits", "Trainings that wait for their turn."),
    (
        GaugeMetricFamily,
        "windrow_running_file_predictions",
        "running_file_predictions",
        "Predictions of files that run.",
    ),
    (
        GaugeMetricFamily,
        "windrow_queued_file_predictions",
        "queued_file_predictions",
        "Predictions of files that wait for their turn.",
    ),
    (GaugeMetricFamily, "windrow_encoders", "encoders", "Base models in memory."),
    (
        GaugeMetricFamily,
        "windrow_ready",
        "is_ready",
        "1 while the data directory is there and the API keys can be read, else 0.",
    ),
    (GaugeMetricFamily, "windrow_free_bytes", "free_bytes", "Room on the data directory's disk."),
    (
        GaugeMetricFamily,
        "windrow_min_free_bytes",
        "min_free_bytes",
        "Room below which trainings and imports are refused; 0 refuses none.",
    ),
)
# Kind, name, field of ServerStats, label, words.
_COUNTS: tuple[tuple[_Family, str, str, str, str], ...] = (
    (CounterMetricFamily, "windrow_store_requests_total", "store_requests", "kind", "Requests to the object store."),
    (
        CounterMetricFamily,
        "windrow_refused_keys_total",
        "refused_keys",
        "reason",
        "Requests whose API key was refused or not enough, by the error's code.",
    ),
    (
        CounterMetricFamily,
        "windrow_classifier_texts_total",
        "classifier_texts",
        "classifier",
        "Texts that the 100 most used classifiers were given since the start of the process.",
    ),
)
# Name, field of StorageStats, words.
_STORAGE: tuple[tuple[str, str, str], ...] = (
    ("windrow_classifiers", "classifiers", "Classifiers that are not deleted."),
    ("windrow_deleted_classifiers", "deleted_classifiers", "Deleted classifiers that are not purged."),
    ("windrow_revisions", "revisions", "Trainings of both that are still on the disk."),
)
# Kind, name, field of CacheStats, words.
_CACHES: tuple[tuple[_Family, str, str, str], ...] = (
    (GaugeMetricFamily, "windrow_cache_entries", "entries", "Values in a cache."),
    (GaugeMetricFamily, "windrow_cache_bytes", "size_bytes", "What the values in a cache take."),
    (GaugeMetricFamily, "windrow_cache_max_bytes", "max_bytes", "What the values in a cache may take."),
    (CounterMetricFamily, "windrow_cache_hits_total", "hits", "Times that a value was in a cache."),
    (CounterMetricFamily, "windrow_cache_misses_total", "misses", "Times that a value was not in a cache."),
)
_TASK_LABELS = ("task", "node", "outcome")


class Metrics:
    """The figures of one server.

    Args:
        stats: Says how busy the service is.
        endpoints: Method and path template of each endpoint; all else is counted together.
    """

    def __init__(self, stats: Callable[[], ServerStats], endpoints: Collection[tuple[str, str]]) -> None:
        self.place: Mapping[str, str] = {}
        """Labels of all figures, by name: where the server runs, if there are several."""
        self._endpoints = frozenset(endpoints)
        self.registry = CollectorRegistry()
        self._durations = Histogram(
            "windrow_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "endpoint", "status"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_StatsCollector(stats))
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
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """Yield each figure with all of its labels."""
        for metric in self.registry.collect():
            if self.place:
                metric.samples = [each._replace(labels={**self.place, **each.labels}) for each in metric.samples]
            yield metric


class _StatsCollector(Collector):
    """Reads the current stats at each scrape."""

    def __init__(self, stats: Callable[[], ServerStats]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        now = self._stats()
        for family, name, field, words in _STATS:
            yield family(name, words, getattr(now, field))
        for family, name, field, words in _CACHES:
            figure = family(name, words, labels=["cache"])
            figure.add_metric(["classifiers"], getattr(now.classifiers, field))
            figure.add_metric(["texts"], getattr(now.texts, field))
            yield figure
        for family, name, field, label, words in _COUNTS:
            yield _labelled(family(name, words, labels=[label]), getattr(now, field))
        yield _histogram(
            "windrow_queue_wait_seconds",
            "Time that requests waited for the first batch that held a text of theirs.",
            {(): now.waits},
        )
        yield from _jobs(now.jobs)
        yield from _tasks(now.tasks)
        if now.storage is not None:
            yield from _storage(now.storage)
        version = GaugeMetricFamily("windrow_version_info", "1, with the version that runs.", labels=["version"])
        yield _labelled(version, {__version__: 1})


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, counts: Mapping[str, float]) -> Metric:
    for label, count in sorted(counts.items()):
        family.add_metric([label], count)
    return family


def _histogram(
    name: str, words: str, measured: Mapping[tuple[str, ...], DurationStats], labels: Sequence[str] = ()
) -> Metric:
    family = HistogramMetricFamily(name, words, labels=labels)
    for values, stats in measured.items():
        bounds = [f"{bound:g}" for bound in stats.bounds_s]
        buckets = [*zip(bounds, stats.counts, strict=True), ("+Inf", stats.count)]
        family.add_metric(values, buckets, stats.seconds)
    return family


def _jobs(stats: Iterable[JobStats]) -> Iterator[Metric]:
    labels = ("kind", "outcome")
    by_labels = {(each.kind, each.outcome): each for each in stats}
    yield _histogram(
        "windrow_job_duration_seconds",
        "Time from the begin of a training or of a prediction of files to its end; 0 where it never began.",
        {key: each.durations for key, each in by_labels.items()},
        labels,
    )
    yield _histogram(
        "windrow_job_wait_seconds",
        "Time that a training or a prediction of files waited for its turn.",
        {key: each.waits for key, each in by_labels.items()},
        labels,
    )


def _storage(stats: StorageStats) -> Iterator[Metric]:
    for name, field, words in _STORAGE:
        yield GaugeMetricFamily(name, words, getattr(stats, field))
    sizes = GaugeMetricFamily("windrow_stored_bytes", "What is on the disk, by kind.", labels=["kind"])
    yield _labelled(sizes, stats.size_bytes)
    words = "When classifiers, revisions and stored bytes were counted, in seconds since 1970."
    yield GaugeMetricFamily("windrow_measured_timestamp_seconds", words, stats.measured_at.timestamp())


def _tasks(stats: Sequence[TaskStats]) -> Iterator[Metric]:
    tasks = CounterMetricFamily("windrow_training_tasks_total", "Tasks of trainings that ended.", labels=_TASK_LABELS)
    words = "Times that tasks of trainings were begun; again where a node or a process died."
    attempts = CounterMetricFamily("windrow_training_task_attempts_total", words, labels=_TASK_LABELS)
    words = "Time from a task's request to its outcome."
    durations = SummaryMetricFamily("windrow_training_task_duration_seconds", words, labels=_TASK_LABELS)
    for each in stats:
        labels = (each.task, each.node, each.outcome)
        tasks.add_metric(labels, each.count)
        attempts.add_metric(labels, each.attempts)
        durations.add_metric(labels, each.count, each.seconds)
    yield from (tasks, attempts, durations)
