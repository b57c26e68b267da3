"""Draws metrics as tables for a terminal: confusion matrix, disagreements, coverage, intervals."""

from collections.abc import Iterable, Sequence

from windrow.cli.formats import given_text, one_line
from windrow.cli.tables import GAP, Column, TextTable, number, table_of
from windrow.display.tables import between, decimal
from windrow.domain.comparison import Comparison, Disagreement, ModelResult
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_comparison import MultiLabelDisagreement, MultiLabelResult
from windrow.domain.report import SHOWN_THRESHOLDS, ClassificationMetrics, Misclassified, Report

# A matrix of more labels is hard to read: the pairs that are confused most say more.
MAX_MATRIX_LABELS = 16
# Shorter pieces of a label say nothing; numbers do better.
MIN_HEADING_CHARS = 6
# A number and the beginning of a label.
MIN_NUMBERED_CHARS = 8
MAX_LABEL_CHARS = 28
# With more classifiers, a column for each leaves no room for the text.
MAX_ANSWER_COLUMNS = 3
_CORNER = "label \\ given"
# A label, or all labels of a text.
Answer = str | tuple[str, ...]
AnyDisagreement = Disagreement | MultiLabelDisagreement


def label_table(outcome: ClassificationMetrics) -> TextTable:
    """Return the metrics of each label."""
    return table_of(
        outcome.labels,
        Column("label", lambda each: each.label),
        number("rows", lambda each: str(each.total)),
        number("right", lambda each: str(each.correct), spare=1),
        number("given", lambda each: str(each.predicted), spare=3),
        number("precision", lambda each: decimal(each.precision)),
        number("recall", lambda each: decimal(each.recall)),
        number("F1", lambda each: decimal(each.f1), spare=2),
    )


def confusion_table(outcome: ClassificationMetrics, width: int) -> TextTable:
    """Return the confusion matrix: a table where it fits, else the pairs that are confused most.

    Args:
        outcome: The figures.
        width: Columns of the terminal.
    """
    labels = [one_line(label) for label in outcome.confusion_matrix.labels]
    headings = _headings(labels, outcome, width)
    if headings is None:
        return _pairs_table(labels, outcome)
    corner, names, columns = headings

    def count_column(index: int, heading: str) -> Column[tuple[int, str, tuple[int, ...]]]:
        return number(heading, lambda row: _cell(row[2][index], is_right=row[0] == index))

    return table_of(
        zip(range(len(names)), names, outcome.confusion_matrix.counts, strict=True),
        Column(corner, lambda row: row[1], no_wrap=True),
        *map(count_column, range(len(columns)), columns),
    )


def coverage_table(report: Report) -> TextTable:
    """Return what is answered, and how much of it is wrong, if no label is given below some thresholds."""
    return table_of(
        map(report.coverage_at, SHOWN_THRESHOLDS),
        number("no label below", lambda point: f"{point.threshold:.2f}"),
        number("answered", lambda point: f"{point.answered}/{report.total}", spare=1),
        number("share", lambda point: percent(point.share)),
        number("wrong", lambda point: str(point.wrong), spare=2),
        number("error", lambda point: percent(point.error)),
        number("95 % interval", lambda point: "-" if point.error_interval is None else between(point.error_interval)),
    )


def misclassified_table(misclassified: Iterable[Misclassified], lines: Sequence[int]) -> TextTable:
    """Return rows that were placed wrong.

    Args:
        misclassified: The rows.
        lines: Where in a file each row of the test data begins, from 1.
    """
    return table_of(
        misclassified,
        number("line", lambda each: str(lines[each.row])),
        Column("text", lambda each: each.text),
        Column("label", lambda each: each.label),
        Column("given", lambda each: each.predicted),
        number("score", lambda each: f"{each.score:.2f}"),
    )


def result_table(results: Sequence[ModelResult]) -> TextTable:
    """Return how each of several classifiers did."""
    return table_of(
        results,
        Column("classifier", display_name, no_wrap=True),
        number("right", lambda each: f"{each.correct}/{each.total}"),
        number("accuracy", lambda each: percent(each.accuracy)),
        number("95 % interval", lambda each: between(each.accuracy_interval), spare=1),
        number("macro F1", lambda each: f"{each.macro_f1:.2f}", spare=2),
        number("ECE", lambda each: f"{each.calibration.ece:.2f}", spare=3),
    )


def display_name(result: ModelResult | MultiLabelResult) -> str:
    """Return a compared classifier's reference, and what answered by it."""
    revision = f"{result.model_name}@{result.revision}"
    is_plain = result.reference in (result.model_name, revision)
    return result.reference if is_plain else f"{result.reference} ({revision})"


def pair_lines(comparison: Comparison) -> list[str]:
    """Say of each pair what may be concluded, by how much they differ, and how sure that is."""
    lines = []
    for pair in comparison.pairs:
        interval = f"{_points(pair.difference_interval.low)} to {_points(pair.difference_interval.high)}"
        lines.append(
            f"{pair.first} → {pair.second}: {pair.fixed} fixed, {pair.broken} broken of {counted(pair.total, 'row')}; "
            f"{_points(pair.difference)} points (95 % interval {interval}). {pair.verdict}"
        )
    return lines


def disagreement_table(
    disagreements: Iterable[AnyDisagreement], names: Sequence[str], lines: Sequence[int] = ()
) -> TextTable:
    """Return rows that the classifiers answer differently, and who says what; a right answer is marked.

    Args:
        disagreements: The rows, of classifiers of one kind.
        names: The classifiers, as they were asked.
        lines: Where in a file each row of the test data begins, from 1; none where they come from no file.
    """
    rows = tuple(disagreements)

    def answer(name: str) -> Column[AnyDisagreement]:
        return Column(name, lambda row: _answer(row, row.predicted[name]))

    return table_of(
        rows,
        *([number("line", lambda row: str(lines[row.row]), spare=1)] if lines else []),
        Column("text", lambda row: row.text),
        Column("labels" if any(isinstance(row, MultiLabelDisagreement) for row in rows) else "label", _shown_label),
        *(map(answer, names) if len(names) <= MAX_ANSWER_COLUMNS else [Column("answers", _answers, lines=True)]),
    )


def _answer(row: AnyDisagreement, given: Answer) -> str:
    return f"{'✓' if given == _label(row) else '✗'} {_shown(given)}"


def _answers(row: AnyDisagreement) -> str:
    names: dict[Answer, list[str]] = {}
    for name, given in row.predicted.items():
        names.setdefault(given, []).append(name)
    # The right answer first.
    answers = sorted(names, key=lambda given: given != _label(row))
    return "\n".join(f"{_answer(row, given)}: {', '.join(names[given])}" for given in answers)


def _label(row: AnyDisagreement) -> Answer:
    return row.labels if isinstance(row, MultiLabelDisagreement) else row.label


def _shown_label(row: AnyDisagreement) -> str:
    return _shown(_label(row)) if isinstance(row, MultiLabelDisagreement) else row.label


def _shown(answer: Answer) -> str:
    return one_line(answer) if isinstance(answer, str) else given_text(answer)


def _headings(
    labels: Sequence[str], outcome: ClassificationMetrics, width: int
) -> tuple[str, list[str], list[str]] | None:
    """Return the heads of a matrix, its corner's first: by name, else by number; ``None`` where neither fits."""
    if len(labels) > MAX_MATRIX_LABELS:
        return None
    rows = [shortened(label, MAX_LABEL_CHARS) for label in labels]
    room = (width - _widest([_CORNER, *rows])) // len(labels) - GAP
    columns = [shortened(label, min(room, MAX_LABEL_CHARS)) for label in labels]
    is_enough = room >= max(min(MIN_HEADING_CHARS, _widest(labels)), _widest_cell(outcome))
    if is_enough and len(set(rows)) == len(set(columns)) == len(labels):
        return _CORNER, rows, columns
    columns = [str(number) for number in range(1, len(labels) + 1)]
    room = width - len(labels) * (_widest_cell(outcome) + GAP)
    if room < MIN_NUMBERED_CHARS:
        return None
    room = min(room, MAX_LABEL_CHARS)
    rows = [shortened(f"{number} {label}", room) for number, label in zip(columns, labels, strict=True)]
    return "label", rows, columns


def _pairs_table(labels: Sequence[str], outcome: ClassificationMetrics) -> TextTable:
    confusions = outcome.confusion_matrix.confusions()
    shown = confusions[:MAX_MATRIX_LABELS]
    if left := confusions[MAX_MATRIX_LABELS:]:
        shown.append((f"{len(left)} more pairs of {len(labels)} labels", "", sum(count for _, _, count in left)))
    return table_of(
        shown,
        Column("label", lambda pair: pair[0]),
        Column("taken for", lambda pair: pair[1]),
        number("rows", lambda pair: str(pair[2])),
        title="Confused most",
    )


def shortened(label: str, cells: int) -> str:
    """Return a label that takes at most so many columns of a terminal."""
    from rich.text import Text

    text = Text(label)
    text.truncate(cells, overflow="ellipsis")
    return text.plain


def _widest(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts))


def _widest_cell(outcome: ClassificationMetrics) -> int:
    return max(len(str(count)) for counts in outcome.confusion_matrix.counts for count in counts) + len("[]")


def _cell(count: int, *, is_right: bool) -> str:
    # Brackets, not colours: who copies the matrix, or sees no colours, sees the diagonal all the same.
    if is_right:
        return f"[{count}]"
    return str(count) if count else "·"


def _points(difference: float) -> str:
    return f"{difference * 100:+.1f}".removesuffix(".0")
