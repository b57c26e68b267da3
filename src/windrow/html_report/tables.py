"""Tables of a report: figures of each label, the confusion matrix, thresholds, misclassified rows, warnings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from windrow.domain.dataset import DataWarning, Row
from windrow.domain.figures import counted, percent
from windrow.domain.interval import Interval
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.prediction import NONE_OF_THE_LABELS
from windrow.domain.report import Calibration, ConfusionMatrix, CoveragePoint, LabelReport, Misclassified
from windrow.html_report.charts import reliability_chart, share_bar
from windrow.html_report.elements import Html, element, given_text, joined

# With more labels, a matrix is wider than a page, and the pairs that are confused most say more.
MAX_MATRIX_LABELS: Final = 30
# Beside a matrix, which has them all.
MAX_PAIRS: Final = 6
# With more, a file is too large to be sent around.
MAX_MISCLASSIFIED: Final = 500
MAX_WARNING_ROWS: Final = 10
# Of a text, what tells it from others; of a label, what a column has room for.
MAX_TEXT_CHARS: Final = 320
MAX_LABEL_CHARS: Final = 60
# A matrix has its labels above its columns only where all of them are as short as this, and no more than that.
_MAX_HEADING_CHARS: Final = 14
_MAX_HEADINGS: Final = 8
_THRESHOLDS: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_EQUAL: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    heading: str
    """What it holds."""
    style: str = ""
    """The class of its cells: ``n`` for numbers."""


def between(interval: Interval | None) -> str:
    """Return an interval of shares as a person reads it, with one decimal."""
    return "-" if interval is None else f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"


def given_label(label: str) -> Html:
    """Return a label."""
    return given_text(label, MAX_LABEL_CHARS)


def given_labels(labels: Sequence[str]) -> Html:
    """Return a set of labels; where it is empty, that it is."""
    if not labels:
        return element("span", NONE_OF_THE_LABELS, class_="muted")
    parts = [part for label in labels for part in (given_label(label), Html(", "))]
    return joined(parts[:-1])


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], style: str = "") -> Html:
    """Return a table that can be scrolled where it is wider than the page; the first cell of a row names it.

    Args:
        caption: What it shows.
        columns: Its columns.
        rows: The cells of each row.
        style: Its class.
    """
    head = element("tr", *(element("th", each.heading, scope="col", class_=each.style) for each in columns))
    body = (_row(row, columns) for row in rows)
    return _scrolled(caption, element("table", *_parts(caption, head, body), class_=style))


def label_table(labels: Sequence[LabelReport], trained_on: Mapping[str, int]) -> Html:
    """Return the figures of each label.

    Args:
        labels: The figures.
        trained_on: Training rows of each label; a label that is missing there is unknown to the classifier.
    """
    columns = (
        Column("Label"),
        *(
            Column("Trained on", "n spare"),
            Column("Test rows", "n"),
            Column("Right", "n spare"),
            Column("Given", "n spare"),
        ),
        *(Column("Precision", "measure"), Column("Recall", "measure"), Column("F1", "measure")),
    )
    rows = (
        (
            given_label(each.label),
            *(f"{trained_on.get(each.label, 0):,}", f"{each.total:,}", f"{each.correct:,}", f"{each.predicted:,}"),
            *map(_measure, (each.precision, each.recall, each.f1)),
        )
        for each in labels
    )
    caption = "Precision: of the rows that were given a label, the share that is right. Recall: of those that have it."
    return table(caption, columns, rows)


def reliability(calibration: Calibration, counted: str, true: str) -> Iterator[Html]:
    """Yield the reliability diagram, what it shows, and its figures.

    Args:
        calibration: The bins.
        counted: What was counted: rows, or decisions.
        true: What is true of a share of it.
    """
    yield reliability_chart(calibration, counted, true)
    yield element(
        "p",
        element("span", f"share that is {true}, and where it lies with 95 % confidence", class_="c-bar"),
        element("span", counted, class_="c-range"),
        f"On the dashed line, scores are exactly as often {true} as they say.",
        class_="legend",
    )
    columns = [Column("Score"), Column(counted.capitalize(), "n"), Column("Mean score", "n")]
    columns.append(Column(true.capitalize(), "n"))
    rows = (
        (f"{each.low:.2f} to {each.high:.2f}", f"{each.rows:,}", f"{each.mean_score:.3f}", percent(each.accuracy))
        for each in calibration.bins
    )
    yield element("details", element("summary", "The figures"), table("By score", columns, rows), class_="data")


def confusion_table(matrix: ConfusionMatrix) -> Html:
    """Return the confusion matrix or, for many labels, the pairs that are confused most."""
    if len(matrix.labels) > MAX_MATRIX_LABELS:
        return _pairs_table(matrix, MAX_MATRIX_LABELS)
    are_short = all(len(label) <= _MAX_HEADING_CHARS for label in matrix.labels)
    numbered = len(matrix.labels) > _MAX_HEADINGS or not are_short
    headings = [str(number + 1) if numbered else label for number, label in enumerate(matrix.labels)]
    head = element(
        "tr",
        element("th", "label ↓ given →"),
        *(element("th", element("bdi", each), scope="col") for each in headings),
    )
    body = (
        element(
            "tr",
            element("th", f"{number + 1}. " if numbered else "", given_label(matrix.labels[number]), scope="row"),
            *(_cell(count, sum(counts), is_right=given == number) for given, count in enumerate(counts)),
        )
        for number, counts in enumerate(matrix.counts)
    )
    caption = "How many rows of each label (down) were given which label (across)."
    style = "matrix dense" if len(matrix.labels) > _MAX_HEADINGS else "matrix"
    whole = _scrolled(caption, element("table", *_parts(caption, head, body), class_=style))
    return element("div", whole, _pairs_table(matrix, MAX_PAIRS), class_="side") if matrix.confusions() else whole


def coverage_table(points: Sequence[CoveragePoint], marks: Sequence[tuple[str, float]]) -> Html:
    """Return what some thresholds would answer, and those that are marked.

    Args:
        points: All points, ascending.
        marks: Thresholds with what they are called.
    """
    names = {at: name for name, at in marks}
    wanted = [*_THRESHOLDS, *names]
    shown = [each for each in points if any(abs(each.threshold - at) < _EQUAL for at in wanted)]
    columns = (
        Column("No label below"),
        *(Column("Answered", "n spare"), Column("Share", "n"), Column("Wrong", "n spare"), Column("Error", "n")),
        Column("95 % interval", "n"),
    )
    rows = (
        (
            f"{names[each.threshold]} {each.threshold:.3f}" if each.threshold in names else f"{each.threshold:.2f}",
            *(f"{each.answered:,}", percent(each.share), f"{each.wrong:,}", percent(each.error)),
            between(each.error_interval),
        )
        for each in shown
    )
    return table("If no label is given below a score", columns, rows)


def misclassified_table(rows: Sequence[Misclassified]) -> Html:
    """Return the misclassified rows, the first ones of many."""
    columns = (
        Column("Row", "n spare"),
        Column("Text", "text"),
        *(Column("Label", "label"), Column("Given", "label"), Column("Score", "n")),
    )
    cells = (
        (
            f"{each.row:,}",
            given_text(each.text, MAX_TEXT_CHARS),
            given_label(each.label),
            element("span", given_label(each.predicted), class_="wrong"),
            f"{each.score:.2f}",
        )
        for each in rows[:MAX_MISCLASSIFIED]
    )
    caption = "Those with the highest score first; rows are counted from 0."
    shown = table(caption, columns, cells)
    left = len(rows) - MAX_MISCLASSIFIED
    more = f"… and {counted(left, 'more row')}, which the reply of an evaluation lists as JSON."
    return joined((shown, element("p", more, class_="muted"))) if left > 0 else shown


def warning_list(warnings: Sequence[DataWarning], rows: Sequence[LabelledRow] = ()) -> Html:
    """Return warnings, each with the rows that it is about.

    Args:
        warnings: The warnings.
        rows: The rows that they number; none where these are not at hand.
    """
    return element("ul", *(element("li", *_warning(each, rows)) for each in warnings))


def _warning(warning: DataWarning, rows: Sequence[LabelledRow]) -> Iterable[Html]:
    yield element("code", warning.code)
    yield element("div", given_text(warning.message))
    named = [number for number in warning.rows[:MAX_WARNING_ROWS] if number < len(rows)]
    if named:
        texts = (
            element("li", f"Row {number}: ", given_text(rows[number].text, MAX_TEXT_CHARS), *_labelled(rows[number]))
            for number in named
        )
        yield element("ul", *texts)
    elif warning.rows:
        yield element("div", f"Rows {', '.join(map(str, warning.rows[:MAX_WARNING_ROWS]))}", class_="muted")
    if (left := len(warning.rows) - MAX_WARNING_ROWS) > 0:
        yield element("div", f"… and {counted(left, 'more row')}.", class_="muted")


def _labelled(row: LabelledRow) -> tuple[str, Html]:
    if isinstance(row, Row):
        return " is ", given_label(row.label)
    return " has ", given_labels(row.labels)


def _pairs_table(matrix: ConfusionMatrix, most: int) -> Html:
    confusions = matrix.confusions()
    columns = (Column("Label"), Column("Given instead", "label"), Column("Rows", "n"))
    shown = confusions[:most]
    rows = ((given_label(label), given_label(given), f"{count:,}") for label, given, count in shown)
    left = len(confusions) - len(shown)
    more = f" {counted(left, 'more pair')} of labels are not shown." if left else ""
    return table(f"Confused most.{more}", columns, rows)


def _cell(count: int, total: int, *, is_right: bool) -> Html:
    if not count:
        return element("td", "0" if is_right else "·", class_="zero")
    return element("td", f"{count:,}", class_="hit" if is_right else "miss", style=f"--s:{count / total:.3f}")


def _measure(value: float | None) -> Html:
    return joined((share_bar(value or 0.0), element("span", "-" if value is None else f"{value:.2f}")))


def _row(cells: Sequence[str], columns: Sequence[Column]) -> Html:
    first, *others = cells
    named = element("th", first, scope="row", class_=columns[0].style)
    return element(
        "tr", named, *(element("td", cell, class_=each.style) for cell, each in zip(others, columns[1:], strict=True))
    )


def _parts(caption: str, head: Html, body: Iterable[Html]) -> tuple[Html, ...]:
    # A caption is as wide as its table; what is in it is as wide as the window, so that nobody scrolls to read it.
    return element("caption", element("span", caption)), element("thead", head), element("tbody", *body)


def _scrolled(name: str, inside: Html) -> Html:
    return element("div", inside, class_="scroll", role="region", tabindex="0", aria_label=name)
