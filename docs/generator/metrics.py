"""The page on metrics: what ``GET /metrics`` shows."""

from dataclasses import fields
from typing import Any

from docs.generator.markdown import inline, page, paragraph, table
from windrow.domain.server_stats import CacheStats, QueueStats, ServerStats, TaskStats
from windrow.domain.values import recast
from windrow.http.metrics import Metrics

_NO_CACHE = CacheStats(**dict.fromkeys((each.name for each in fields(CacheStats)), 0))
_NO_QUEUE = QueueStats(**dict.fromkeys((each.name for each in fields(QueueStats)), 0))
_IDLE = recast(
    ServerStats,
    _NO_QUEUE,
    running_fits=0,
    queued_fits=0,
    classifiers=_NO_CACHE,
    texts=_NO_CACHE,
    is_ready=True,
    # These have labels only once something was counted.
    store_requests={"get": 0},
    tasks=(TaskStats("fit", "local", "done", count=0, seconds=0.0, attempts=0),),
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
