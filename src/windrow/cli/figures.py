"""Figures about quality, drawn for a terminal: confusion, flips, calibration, intervals.

Owns how a figure reads in few columns; knows nothing of verbs, files or how a figure is computed.
"""

from collections.abc import Iterable, Sequence

from windrow.cli.formats import share
from windrow.cli.output import new_table
from windrow.cli.tables import GAP, Listed
from windrow.domain.comparison import Comparison, Contender, Flip
from windrow.domain.interval import Interval
from windrow.domain.report import Calibration, Misread, Outcome

# A matrix of more labels is a carpet: the pairs that are confused most say more.
MAX_MATRIX_LABELS = 16
# Shorter pieces of a label say nothing; numbers do better.
MIN_HEADING_CHARS = 6
# A number and the beginning of a label.
MIN_NUMBERED_CHARS = 8
MAX_LABEL_CHARS = 28
# With more classifiers, a column for each leaves no room for the text.
MAX_ANSWER_COLUMNS = 3
# Nearer than that, a mean score and the share of right answers are as good as equal.
SURENESS_MARGIN = 0.05
_CORNER = "label \\ given"


def between(interval: Interval) -> str:
    """Return an interval of shares as a person reads it: ``52 to 80 %``."""
    return f"{interval.low * 100:.0f} to {interval.high * 100:.0f} %"


def one_line(text: str) -> str:
    """Return a text without line ends and without characters that a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def label_table(outcome: Outcome) -> Listed:
    """Return how each label fared."""
    numbers = ("rows", "right", "given", "precision", "recall", "F1")
    table = new_table("label", *numbers, right=numbers, spare=("given", "F1", "right"))
    for each in outcome.labels:
        shares = (_decimal(each.precision), _decimal(each.recall), _decimal(each.f1))
        table.add_row(one_line(each.label), str(each.total), str(each.correct), str(each.predicted), *shares)
    return table


def confusion_table(outcome: Outcome, width: int) -> Listed:
    """Return which labels are taken for which: a matrix where it fits, else the pairs that are confused most.

    Args:
        outcome: The figures.
        width: Columns of the terminal.
    """
    labels = [one_line(each.label) for each in outcome.labels]
    heads = _heads(labels, outcome, width)
    if heads is None:
        return _pairs_table(labels, outcome)
    corner, rows, columns = heads
    table = new_table(corner, *columns, right=tuple(columns), whole=(corner,))
    for place, (head, counts) in enumerate(zip(rows, outcome.confusion, strict=True)):
        table.add_row(head, *(_cell(count, is_right=place == given) for given, count in enumerate(counts)))
    return table


def most_confused(outcome: Outcome) -> list[tuple[str, str, int]]:
    """Return label, label that was given instead and number of rows, the most frequent confusion first."""
    labels = [each.label for each in outcome.labels]
    found = [
        (labels[right], labels[given], count)
        for right, counts in enumerate(outcome.confusion)
        for given, count in enumerate(counts)
        if right != given and count
    ]
    return sorted(found, key=lambda pair: -pair[2])


def calibration_line(outcome: Outcome) -> str:
    """Say in a sentence whether the scores mean what they say."""
    mean = _mean_score(outcome.calibration)
    if abs(mean - outcome.accuracy) < SURENESS_MARGIN:
        verdict = "about right"
    else:
        verdict = "too sure of itself" if mean > outcome.accuracy else "humbler than it could be"
    return (
        f"Scores: {mean:.2f} on average, and {share(outcome.accuracy)} of the answers are right: {verdict} "
        f"(expected calibration error {outcome.calibration.ece:.2f})."
    )


def misread_table(misread: Iterable[Misread], lines: Sequence[int]) -> Listed:
    """Return rows that were placed wrong.

    Args:
        misread: The rows.
        lines: Where in a file each row of the test data begins, from 1.
    """
    table = new_table("line", "text", "label", "given", "score", right=("line", "score"))
    for each in misread:
        table.add_row(
            str(lines[each.row]),
            one_line(each.text),
            one_line(each.label),
            one_line(each.predicted),
            f"{each.score:.2f}",
        )
    return table


def contender_table(contenders: Sequence[Contender]) -> Listed:
    """Return how each of several classifiers did."""
    numbers = ("right", "accuracy", "95 % interval", "macro F1", "ECE")
    spare = ("ECE", "macro F1", "95 % interval")
    table = new_table("classifier", *numbers, right=numbers, whole=("classifier",), spare=spare)
    for each in contenders:
        outcome = each.outcome
        revision = f"{each.model_name}@{each.revision}"
        table.add_row(
            each.asked if each.asked in (each.model_name, revision) else f"{each.asked} ({revision})",
            f"{outcome.correct}/{outcome.total}",
            share(outcome.accuracy),
            between(outcome.accuracy_interval),
            f"{outcome.macro_f1:.2f}",
            f"{outcome.calibration.ece:.2f}",
        )
    return table


def pair_lines(comparison: Comparison) -> list[str]:
    """Say of each pair what may be concluded, by how much they differ, and how sure that is."""
    lines = []
    for pair in comparison.pairs:
        interval = f"{_points(pair.difference_interval.low)} to {_points(pair.difference_interval.high)}"
        lines.append(
            f"{pair.first} → {pair.second}: {pair.fixed} fixed, {pair.broken} broken of {pair.total} rows; "
            f"{_points(pair.difference)} points (95 % interval {interval}). {pair.verdict}"
        )
    return lines


def flip_table(flips: Iterable[Flip], names: Sequence[str], lines: Sequence[int] = ()) -> Listed:
    """Return rows that the classifiers answer differently, and who says what; a right answer is marked.

    Args:
        flips: The rows.
        names: The classifiers, as they were asked.
        lines: Where in a file each row of the test data begins, from 1; none where they come from no file.
    """
    place = ("line",) if lines else ()
    apart = len(names) <= MAX_ANSWER_COLUMNS
    table = new_table(*place, "text", "label", *(names if apart else ["answers"]), right=place, spare=place)
    for flip in flips:
        said = [_answer(flip, flip.predicted[name]) for name in names] if apart else [_answers(flip)]
        where = [str(lines[flip.row])] if lines else []
        table.add_row(*where, one_line(flip.text), one_line(flip.label), *said)
    return table


def _answer(flip: Flip, label: str) -> str:
    return f"{'✓' if label == flip.label else '✗'} {one_line(label)}"


def _answers(flip: Flip) -> str:
    names: dict[str, list[str]] = {}
    for name, label in flip.predicted.items():
        names.setdefault(label, []).append(name)
    # The right answer first.
    given = sorted(names, key=lambda label: label != flip.label)
    return "\n".join(f"{_answer(flip, label)}: {', '.join(names[label])}" for label in given)


def _heads(labels: Sequence[str], outcome: Outcome, width: int) -> tuple[str, list[str], list[str]] | None:
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


def _pairs_table(labels: Sequence[str], outcome: Outcome) -> Listed:
    table = new_table("label", "taken for", "rows", right=("rows",))
    table.title = "Confused most"
    found = most_confused(outcome)
    for right, given, count in found[:MAX_MATRIX_LABELS]:
        table.add_row(one_line(right), one_line(given), str(count))
    if len(found) > MAX_MATRIX_LABELS:
        left = found[MAX_MATRIX_LABELS:]
        table.add_row(f"{len(left)} more pairs of {len(labels)} labels", "", str(sum(pair[2] for pair in left)))
    return table


def shortened(label: str, cells: int) -> str:
    """Return a label that takes at most so many columns of a terminal."""
    from rich.text import Text

    text = Text(label)
    text.truncate(cells, overflow="ellipsis")
    return text.plain


def _widest(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts))


def _widest_cell(outcome: Outcome) -> int:
    return max(len(str(count)) for counts in outcome.confusion for count in counts) + len("[]")


def _cell(count: int, *, is_right: bool) -> str:
    # Brackets, not colours: who copies the matrix, or sees no colours, sees the diagonal all the same.
    if is_right:
        return f"[{count}]"
    return str(count) if count else "·"


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _points(difference: float) -> str:
    return f"{difference * 100:+.1f}".removesuffix(".0")


def _mean_score(calibration: Calibration) -> float:
    return sum(each.rows * each.mean_score for each in calibration.bins) / sum(each.rows for each in calibration.bins)
