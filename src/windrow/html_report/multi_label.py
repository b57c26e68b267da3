"""What the page of an evaluation shows of a multi-label classifier."""

from collections.abc import Iterator, Mapping, Sequence

from windrow.domain.classifier import Record
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_report import (
    ConfusedLabels,
    MisclassifiedSet,
    MissedTogether,
    MultiLabelReport,
    ProposedLabelThreshold,
)
from windrow.domain.verdicts import decision_calibration_verdict
from windrow.html_report.charts import accuracy_range
from windrow.html_report.elements import Html, element, given_text, joined
from windrow.html_report.sheets import card, section
from windrow.html_report.tables import (
    MAX_MISCLASSIFIED,
    MAX_TEXT_CHARS,
    Column,
    between,
    given_label,
    given_labels,
    label_table,
    reliability,
    table,
)

# Of pairs of labels, those that say most.
_MAX_PAIRS = 20


def multi_label_cards(report: MultiLabelReport) -> Iterator[Html]:
    """Yield the figures that stand at the top of the page."""
    interval, baseline = report.accuracy_interval, report.majority_baseline
    micro, macro = report.micro_f1_interval, report.macro_f1_interval
    yield card(
        "Whole sets right",
        percent(report.accuracy),
        accuracy_range(report.accuracy, interval, baseline.accuracy),
        element(
            "p",
            element("span", f"{between(interval)} (95 % interval)", class_="c-range"),
            element("span", f"{percent(baseline.accuracy)} by the most frequent set", class_="c-ink"),
            class_="legend",
        ),
    )
    yield card(
        "Micro F1",
        f"{report.micro_f1:.2f}",
        element("p", f"{micro.low:.2f} to {micro.high:.2f}; each decision counts alike", class_="key"),
    )
    yield card(
        "Macro F1",
        f"{report.macro_f1:.2f}",
        element("p", f"{macro.low:.2f} to {macro.high:.2f}; each label counts alike", class_="key"),
    )
    wrong = "of the decisions about a label (Hamming loss)"
    yield card("Wrong", percent(report.hamming_loss), element("p", wrong, class_="key"))


def multi_label_sections(report: MultiLabelReport, record: Record) -> Iterator[Html]:
    """Yield the sections about the labels, the thresholds and the rows."""
    yield section("Labels", label_table(report.labels, record.rows_per_label))
    yield element(
        "div",
        section("Given in place of others", _confused(report.confused_labels)),
        section("Missed together", _missed(report.missed_together)),
        class_="two",
    )
    said = element("p", decision_calibration_verdict(report), class_="muted")
    parts = reliability(report.calibration, "decisions", "true of the row")
    yield section("Do scores mean what they say?", said, *parts)
    yield section("Thresholds", _thresholds(report))
    yield _misclassified(report.misclassified)
    yield section("Other figures", _other_figures(report))


def _confused(pairs: Sequence[ConfusedLabels]) -> Html:
    if not pairs:
        return element("p", "There is none.")
    columns = (Column("Label"), Column("Given instead", "label"), Column("Rows", "n"))
    rows = ((given_label(each.label), given_label(each.given), f"{each.rows:,}") for each in pairs[:_MAX_PAIRS])
    return table(f"Rows that miss the one and were wrongly given the other.{_left(pairs)}", columns, rows)


def _missed(pairs: Sequence[MissedTogether]) -> Html:
    if not pairs:
        return element("p", "There is none.")
    columns = (Column("Label"), Column("And", "label"), Column("Rows", "n"))
    rows = ((*map(given_label, each.labels), f"{each.rows:,}") for each in pairs[:_MAX_PAIRS])
    return table(f"Rows that have both and were given neither.{_left(pairs)}", columns, rows)


def _left(pairs: Sequence[object]) -> str:
    left = len(pairs) - _MAX_PAIRS
    return f" {counted(left, 'more pair')} of labels are not shown." if left > 0 else ""


def _thresholds(report: MultiLabelReport) -> Html:
    by_label = {each.label: each for each in report.proposed_thresholds}
    columns = (
        Column("Label"),
        *(Column("Given from", "n"), Column("Proposed", "n"), Column("Precision", "n"), Column("Recall", "n")),
        Column("F1", "n"),
    )
    rows = (
        (given_label(label), f"{at:.3f}", *_proposal(by_label.get(label)))
        for label, at in report.label_thresholds.items()
    )
    caption = (
        f"Each label's score from which it is given, and the one for {report.target_text} on these rows. It is only "
        "proposed."
    )
    return table(caption, columns, rows)


def _proposal(proposed: ProposedLabelThreshold | None) -> tuple[str, str, str, str]:
    if proposed is None:
        return "-", "-", "-", "-"
    return (
        f"{proposed.threshold:.3f}",
        f"{proposed.precision:.2f}",
        f"{proposed.recall:.2f}",
        f"{proposed.f1:.2f}",
    )


def _misclassified(rows: Sequence[MisclassifiedSet]) -> Html:
    if not rows:
        return section("Misclassified rows", element("p", "There is none."))
    columns = (
        Column("Row", "n spare"),
        Column("Text", "text"),
        *(Column("Labels", "label"), Column("Given", "label"), Column("Wrong", "label")),
    )
    cells = (
        (
            f"{each.row:,}",
            given_text(each.text, MAX_TEXT_CHARS),
            given_labels(each.labels),
            given_labels(each.predicted),
            _wrong(each.scores),
        )
        for each in rows[:MAX_MISCLASSIFIED]
    )
    caption = "The most confident wrong decision first, with the scores of what is wrong; rows are counted from 0."
    parts = [table(caption, columns, cells)]
    if (left := len(rows) - MAX_MISCLASSIFIED) > 0:
        more = f"… and {counted(left, 'more row')}, which the reply of an evaluation lists as JSON."
        parts.append(element("p", more, class_="muted"))
    return section(f"Misclassified rows ({len(rows):,})", *parts)


def _wrong(scores: Mapping[str, float]) -> Html:
    parts = (element("div", given_label(label), f" {score:.2f}", class_="wrong") for label, score in scores.items())
    return joined(parts)


def _other_figures(report: MultiLabelReport) -> Html:
    columns = (Column("Figure"), Column("Value", "n"))
    shares = (
        ("Micro precision", report.micro_precision),
        ("Micro recall", report.micro_recall),
        ("Macro precision", report.macro_precision),
        ("Macro recall", report.macro_recall),
        ("Label ranking average precision", report.label_ranking_average_precision),
        ("Log loss of the decisions, in nats", report.log_loss),
        ("Expected calibration error (ECE)", report.calibration.ece),
        ("Micro F1 by the most frequent set", report.majority_baseline.micro_f1),
    )
    rows = ((name, "-" if value is None else f"{value:.3f}") for name, value in shares)
    return table("Over all rows and labels", columns, rows)
