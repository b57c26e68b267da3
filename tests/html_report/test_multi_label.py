"""What a page says of a multi-label classifier is what was measured."""

from dataclasses import replace

import numpy as np

from tests.html_report.examples import NOW
from tests.html_report.reading import WholePage
from tests.records import multi_label_record
from windrow.domain.dataset import DataWarning
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.values import recast
from windrow.html_report.page import PageContent, render_page
from windrow.learning.multi_label_evaluate import (
    compute_multi_label_metrics,
    decisions_of,
    find_misclassified_sets,
    most_frequent_set,
    propose_label_thresholds,
)

LABELS = ("billing", "bug", "urgent")
EVIL = "</style><script>alert(1)</script>"


def content(evil: str = "") -> PageContent:
    """Return what a page shows of a classifier whose scores are drawn by chance."""
    random = np.random.default_rng(3)
    sets = random.random((40, 3)) < 0.4
    rows = tuple(
        MultiLabelRow(f"{evil}text {number}", tuple(LABELS[at] for at in np.flatnonzero(own)))
        for number, own in enumerate(sets)
    )
    scores = np.where(sets, random.beta(3, 2, sets.shape), random.beta(2, 3, sets.shape)).astype(np.float32)
    decisions = decisions_of(rows, LABELS, scores, scores >= 0.5)
    report = recast(
        MultiLabelReport,
        compute_multi_label_metrics(decisions),
        model_name="mails_v1",
        revision=2,
        alias=None,
        warnings=(DataWarning("seen_rows", "Two rows were seen.", (0, 1)),),
        test_data_sha256=MultiLabelDataset(rows).sha256,
        measured_at=NOW,
        saved=True,
        majority_baseline=most_frequent_set(rows),
        label_thresholds=dict.fromkeys(LABELS, 0.5),
        misclassified=find_misclassified_sets(decisions, rows),
        proposed_thresholds=tuple(propose_label_thresholds(decisions, None)),
    )
    return PageContent(report, multi_label_record("mails_v1", labels=LABELS), rows)


def report_in(shown: PageContent) -> MultiLabelReport:
    assert isinstance(shown.report, MultiLabelReport)
    return shown.report


def test_the_figures_are_those_of_the_report() -> None:
    shown = content()
    page, report = WholePage(render_page(shown)), report_in(shown)
    assert f"{report.micro_f1:.2f}" in page.text
    assert f"{report.micro_f1_interval.low:.2f} to {report.micro_f1_interval.high:.2f}" in page.text
    assert [row[0::2] for row in page.table("Label", "Trained on", "Test rows", "Right", "Given")] == [
        [each.label, f"{each.total}", f"{each.predicted}", f"{each.recall or 0:.2f}"] for each in report.labels
    ]
    assert page.table("Label", "Given instead") == [
        [each.label, each.given, str(each.rows)] for each in report.confused_labels
    ]
    assert page.table("Label", "And") == [[*each.labels, str(each.rows)] for each in report.missed_together]
    assert [row[:3] for row in page.table("Label", "Given from")] == [
        [each.label, "0.500", f"{each.threshold:.3f}"] for each in report.proposed_thresholds
    ]
    assert [row[:4] for row in page.table("Row", "Text")] == [
        [
            str(each.row),
            each.text,
            ", ".join(each.labels) or "none of the labels",
            ", ".join(each.predicted) or "none of the labels",
        ]
        for each in report.misclassified
    ]
    assert [row[:3] for row in page.table("Score", "Decisions")] == [
        [f"{each.low:.2f} to {each.high:.2f}", str(each.rows), f"{each.mean_score:.3f}"]
        for each in report.calibration.bins
    ]


def test_warnings_name_the_sets_of_rows() -> None:
    shown = content()
    rows = (MultiLabelRow("text 0", ("bug", "urgent")), MultiLabelRow("text 1", ()))
    text = " ".join(WholePage(render_page(replace(shown, rows=rows))).text.split())
    assert "Row 0: text 0 has bug , urgent" in text or "Row 0: text 0 has bug, urgent" in text
    assert "Row 1: text 1 has none of the labels" in text


def test_where_nothing_is_wrong_the_page_says_so() -> None:
    shown = content()
    clean = replace(report_in(shown), misclassified=(), confused_labels=(), missed_together=(), proposed_thresholds=())
    page = WholePage(render_page(replace(shown, report=clean)))
    assert page.text.count("There is none.") == 3
    assert [row[2:] for row in page.table("Label", "Given from")] == [["-"] * 4] * 3


def test_whatever_somebody_wrote_stays_text() -> None:
    page = render_page(content(EVIL)).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_request_on_the_page_has_rows_with_labels() -> None:
    assert '{"text": "…", "labels": ["…"]}' in WholePage(render_page(content())).text
