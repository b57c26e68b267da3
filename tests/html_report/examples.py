"""Evaluations to make pages of: computed from scores, as the product does it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.records import record
from windrow.arrays import Floats
from windrow.domain.dataset import Dataset, DataWarning, Row
from windrow.domain.report import Report
from windrow.domain.values import recast
from windrow.html_report.page import PageContent
from windrow.learning.coverage import compute_coverage
from windrow.learning.evaluate import compute_metrics, find_misclassified, majority_baseline

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
LABELS = ("billing", "bug", "question")


def drawn_scores(rows: int, labels: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(labels, 0.4), rows).astype(np.float32)


def content(
    rows: Sequence[Row] = (), labels: Sequence[str] = LABELS, title: str | None = None, **changes: Any
) -> PageContent:
    """Return what a page shows of a classifier whose scores are drawn by chance.

    Args:
        rows: The test rows; none for 60 of the labels.
        labels: The classifier's labels.
        title: The page's heading.
        changes: Of the report.
    """
    rows = tuple(rows) or tuple(Row(f"text number {number}", labels[number % len(labels)]) for number in range(60))
    scores, truth = drawn_scores(len(rows), len(labels)), [row.label for row in rows]
    best = scores.max(axis=1)
    is_right = np.array([labels[given] == label for given, label in zip(scores.argmax(axis=1), truth, strict=True)])
    fields = {
        "model_name": "tickets_v1",
        "revision": 3,
        "alias": None,
        "majority_baseline": majority_baseline(truth),
        "coverage": compute_coverage(best, is_right),
        "misclassified": find_misclassified(scores, rows, labels),
        "warnings": (DataWarning("seen_rows", "Two rows were seen.", (0, 1)),),
        "test_data_sha256": Dataset(rows).sha256,
        "measured_at": NOW,
        "saved": True,
        "proposed_threshold": None,
    }
    report = recast(Report, compute_metrics(scores, truth, labels), **fields | changes)
    trained = record(labels=tuple(labels), rows_per_label=dict.fromkeys(labels, 4))
    return PageContent(report, trained, rows, title)


def report_in(shown: PageContent) -> Report:
    """Return the report on a single-label classifier that a page shows."""
    assert isinstance(shown.report, Report)
    return shown.report
