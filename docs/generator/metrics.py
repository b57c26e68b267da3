"""The page on metrics: what ``GET /metrics`` shows."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from docs.generator.markdown import inline, page, paragraph, table
from windrow.domain.server_stats import (
    CacheStats,
    DurationStats,
    JobStats,
    ServerStats,
    StorageStats,
    TaskStats,
)
from windrow.http.metrics import Metrics

_NO_CACHE = CacheStats(**dict.fromkeys((each.name for each in fields(CacheStats)), 0))
_NO_TIME = DurationStats()
_NOTHING_STORED = StorageStats(datetime(1970, 1, 1, tzinfo=UTC), 0, 0, 0, {"classifiers": 0})
_IDLE = ServerStats(
    queued_requests=0,
    queued_texts=0,
    running_batches=0,
    batches=0,
    tokens=0,
    refused=0,
    client_closed=0,
    classifiers=_NO_CACHE,
    texts=_NO_CACHE,
    storage=_NOTHING_STORED,
    # These have labels only once something was counted.
    store_requests={"get": 0},
    tasks=(TaskStats("fit", "local", "done", count=0, seconds=0.0, attempts=0),),
    jobs=(JobStats("fit", "succeeded", _NO_TIME, _NO_TIME),),
    refused_keys={"unauthorized": 0},
    classifier_texts={"tickets_v1": 0},
)


def text() -> str:
    """Return the page."""
    metrics = Metrics(lambda: _IDLE, ())
    # A histogram has labels only once something was measured.
    metrics.observe({"method": "GET", "type": "http"}, 200, 0.0)
    found = [each for each in metrics.registry.collect() if each.name.startswith("windrow_")]
    rows = [
        [
            f"`{each.name}{'_total' if each.type == 'counter' else ''}`",
            each.type,
            _labels(each),
            inline(each.documentation),
        ]
        for each in found
    ]
    return page(
        "Metrics",
        paragraph(
            "What `GET /metrics` shows, as text for Prometheus. `process_…` (memory, processor time, open files; on "
            "Linux) and `python_info` stand beside it in their usual form. "
            "[Monitor a server](../how-to/monitor.md) says what to watch."
        ),
        table(["Name", "Kind", "Labels", "Meaning"], rows),
    )


def _labels(figure: Any) -> str:
    names = {name: None for sample in figure.samples for name in sample.labels if name != "le"}
    return ", ".join(f"`{each}`" for each in names)
