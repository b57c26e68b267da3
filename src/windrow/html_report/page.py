"""The page of an evaluation: its parts in their order, in one file that asks nobody for anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from windrow import __version__
from windrow.domain.classifier import Record
from windrow.domain.figures import counted, percent
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import Report
from windrow.domain.verdicts import baseline_verdict, calibration_verdict
from windrow.html_report.charts import accuracy_range, coverage_chart
from windrow.html_report.elements import Html, element
from windrow.html_report.facts import identity, moment, training
from windrow.html_report.multi_label import multi_label_cards, multi_label_sections
from windrow.html_report.sheets import card, section
from windrow.html_report.style import STYLE
from windrow.html_report.tables import (
    between,
    confusion_table,
    coverage_table,
    label_table,
    misclassified_table,
    reliability,
    warning_list,
)

# The page shows what anybody may have written, so nothing in it may run, and nothing may be fetched.
CONTENT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MARK: Final = "M2 6c4-3 6 3 10 0s6 0 8-1M2 12c4-3 6 3 10 0s6 0 8-1M2 18c4-3 6 3 10 0s6 0 8-1"


@dataclass(frozen=True, slots=True)
class PageContent:
    """What a page shows."""

    report: Report | MultiLabelReport
    """What was measured."""
    record: Record
    """The revision that answered."""
    rows: Sequence[LabelledRow]
    """The test rows, in their order."""
    title: str | None = None
    """The heading; ``None`` for one with the classifier's name."""

    @property
    def heading(self) -> str:
        """What the page is called."""
        return self.title or f"Evaluation of {self.report.model_name}"


def render_page(content: PageContent) -> bytes:
    """Return an evaluation as one HTML file, UTF-8.

    Args:
        content: What it shows.
    """
    main = element("main", *_opening(content), *_sections(content))
    body = element("body", main, element("footer", *_ending(content.report)))
    page = element("html", element("head", *_head(content.heading)), body, lang="en")
    return f"<!DOCTYPE html>\n{page}\n".encode()


def _head(heading: str) -> Iterator[Html]:
    yield element("meta", charset="utf-8")
    # Before anything that it is about.
    yield element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY)
    yield element("meta", name="viewport", content="width=device-width, initial-scale=1")
    yield element("meta", name="color-scheme", content="light dark")
    yield element("meta", name="referrer", content="no-referrer")
    # Without it, browsers ask the server for one.
    yield element("link", rel="icon", href="data:,")
    yield element("title", heading)
    yield element("style", Html(STYLE))


def _opening(content: PageContent) -> Iterator[Html]:
    report, record = content.report, content.record
    path = element("path", d=_MARK, fill="none", stroke="var(--accent)", stroke_width="2.4", stroke_linecap="round")
    logo = element("svg", path, width="22", height="22", viewBox="0 0 22 22", role="presentation")
    yield element("div", logo, "Windrow", class_="brand")
    yield element("h1", element("bdi", content.heading))
    yield element(
        "p",
        element("span", f"{report.model_name}@{report.revision}", class_="chip"),
        f" on {counted(report.total, 'test row')}, {counted(len(record.labels), 'label')}, measured ",
        moment(report.measured_at),
        class_="subject",
    )
    verdict = baseline_verdict(report)
    # A label in it may be in any script; what follows it stays where it is.
    yield element("p", element("bdi", verdict.sentence), class_=f"verdict {verdict.tone}")
    yield element("div", *_cards(report), class_="cards")


def _cards(report: Report | MultiLabelReport) -> Iterator[Html]:
    if isinstance(report, MultiLabelReport):
        yield from multi_label_cards(report)
        return
    interval, baseline = report.accuracy_interval, report.majority_baseline.accuracy
    yield card(
        "Accuracy",
        percent(report.accuracy),
        accuracy_range(report.accuracy, interval, baseline),
        element(
            "p",
            element("span", f"{between(interval)} (95 % interval)", class_="c-range"),
            element("span", f"{percent(baseline)} by the most frequent label", class_="c-ink"),
            class_="legend",
        ),
    )
    yield card("Right", f"{report.correct:,}", element("p", f"of {counted(report.total, 'test row')}", class_="key"))
    yield card("Macro F1", f"{report.macro_f1:.2f}", element("p", "each label counts alike", class_="key"))
    error = f"{report.calibration.ece:.2f}"
    yield card("Calibration error", error, element("p", "of the scores, expected (ECE)", class_="key"))


def _sections(content: PageContent) -> Iterator[Html]:
    report, record = content.report, content.record
    if report.warnings:
        yield section("Warnings", warning_list(report.warnings, content.rows))
    if isinstance(report, MultiLabelReport):
        yield from multi_label_sections(report, record)
    else:
        yield from _single_label_sections(report, record)
    yield section("How it was trained", *training(record))
    yield section("What was measured", identity(report, record))
    yield section("Do it again", *_commands(report))


def _single_label_sections(report: Report, record: Record) -> Iterator[Html]:
    yield section("Labels", label_table(report.labels, record.rows_per_label))
    yield section("Confusion", confusion_table(report.confusion_matrix))
    yield element("div", _calibration(report), _coverage(report, record), class_="two")
    yield section("Thresholds", *_thresholds(report, record))
    yield _misclassified(report)


def _calibration(report: Report) -> Html:
    said = element("p", calibration_verdict(report), class_="muted")
    parts = reliability(report.calibration, "rows", "right")
    return section("Do scores mean what they say?", said, *parts)


def _coverage(report: Report, record: Record) -> Html:
    legend = element(
        "p",
        element("span", "share answered", class_="c-bar"),
        element("span", "error, and where it lies with 95 % confidence", class_="c-bad"),
        class_="legend",
    )
    all_of_it = report.coverage[0]
    said = element(
        "p",
        f"Without a threshold, every row is answered, and {percent(all_of_it.error)} of the answers are wrong. With "
        "one, rows with a lower score are left to people.",
        class_="muted",
    )
    chart = coverage_chart(report.coverage, _marks(report, record))
    return section("How much could be answered without people?", said, chart, legend)


def _thresholds(report: Report, record: Record) -> Iterator[Html]:
    yield coverage_table(report.coverage, _marks(report, record))
    proposed = report.proposed_threshold
    if proposed is not None:
        yield element(
            "p",
            f"Proposed for a precision of {percent(proposed.target_precision)}: {proposed.abstain_below:.3f}, with "
            f"{proposed.correct:,} of {proposed.answered:,} answers right. It is only proposed.",
        )


def _marks(report: Report, record: Record) -> list[tuple[str, float]]:
    """Return the thresholds that somebody has set or asked for; 0 is none."""
    marks = {}
    if report.proposed_threshold is not None:
        marks[report.proposed_threshold.abstain_below] = "proposed"
    if record.threshold is not None:
        marks[record.threshold.abstain_below] = "in force"
    return [(name, at) for at, name in marks.items() if at > 0]


def _misclassified(report: Report) -> Html:
    wrong = len(report.misclassified)
    if not wrong:
        return section("Misclassified rows", element("p", "There is none."))
    return section(f"Misclassified rows ({wrong:,})", misclassified_table(report.misclassified))


def _commands(report: Report | MultiLabelReport) -> Iterator[Html]:
    name = f"{report.model_name}@{report.revision}"
    row = '"labels": ["…"]' if isinstance(report, MultiLabelReport) else '"label": "…"'
    yield element(
        "p",
        "With the same rows (of the same SHA-256), the same revision gives the same answers. On the command line:",
    )
    yield element(
        "pre", f"windrow report {name} test.csv --out report.html\nwindrow evaluate {name} test.csv --no-save"
    )
    yield element("p", "Over HTTP, with the address of a server in WINDROW_URL and an API key where it needs one:")
    yield element(
        "pre",
        'curl "$WINDROW_URL/v1/classifier/report" -o report.html \\\n'
        '  -H "Authorization: Bearer $WINDROW_API_KEY" -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"model_name": "{name}", "save": false, "test_data": [{{"text": "…", {row}}}, …]}}\'',
    )
    yield element("p", "In Python:")
    yield element(
        "pre", f'windrow.Client("http://127.0.0.1:14345").report("{name}", texts, labels, "report.html", save=False)'
    )
    yield element("p", "To train it again from its kept rows, and see whether the result is the same:")
    yield element("pre", f"windrow reproduce {name}")


def _ending(report: Report | MultiLabelReport) -> Iterator[Html]:
    yield element(
        "p",
        f"Made by Windrow {__version__}, ",
        moment(report.measured_at),
        ". The page holds all that it shows; it runs nothing and asks no other host for anything.",
    )
