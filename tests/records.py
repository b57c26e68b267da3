"""A record for tests that need one and do not care what it says."""

from datetime import UTC, datetime
from typing import Any

from windrow.domain.classifier import Record
from windrow.domain.interval import Interval
from windrow.domain.training_report import Estimate, FitReport, HeadReport, ScoreReport


def record(name: str = "tickets_v1", **changes: Any) -> Record:
    """Return a sound record, with some of its fields changed."""
    values: dict[str, Any] = {
        "name": name,
        "revision": 1,
        "labels": ("billing", "bug"),
        "rows_per_label": {"billing": 4, "bug": 4},
        "base_model": "fake/encoder",
        "base_model_digest": "f" * 64,
        "training_data_sha256": "d" * 64,
        "created_at": datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
        "training_time_seconds": 0.5,
        "head": HeadReport(4.0, 0.9, 4),
        "adapter": None,
        "scores": ScoreReport(1.25, "out_of_fold", 0.62, 0.11),
        "versions": {"numpy": "2"},
        "report": FitReport(1, 2, 3, ("bug",), 0.5, Estimate(7, 8, 4, Interval(0.38, 1.0))),
        "warnings": (),
    }
    changes.setdefault("num_examples", sum({**values, **changes}["rows_per_label"].values()))
    return Record(**values | changes)


def multi_label_record(name: str = "tickets_v1", **changes: Any) -> Record:
    """Return a sound record of a multi-label classifier, with some of its fields changed."""
    labels = changes.get("labels", ("billing", "bug"))
    several: dict[str, Any] = {
        "kind": "multi_label",
        "rows_per_label": dict.fromkeys(labels, 4),
        "num_examples": 8,
        "label_thresholds": dict.fromkeys(labels, 0.5),
        "report": FitReport(1, 2, 3, ("bug",), 0.5, Estimate(7, 8, 4, Interval(0.38, 1.0), 0.8, 0.75)),
    }
    return record(name, **several | changes)
