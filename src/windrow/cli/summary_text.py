"""Tells what became of the rows of a file, by label, as lines of text."""

from collections.abc import Iterator

from windrow.cli.formats import one_line
from windrow.domain.figures import counted
from windrow.domain.prediction_summary import UNLIKE_BELOW, LabelSummary, PredictionSummary

_SHOWN_LABELS = 20
_MOST_CELLS = 40


def summary_lines(summary: PredictionSummary, min_in_scope: float | None = None) -> Iterator[str]:
    """Yield lines that tell how many rows were given each label, and how many are unlike the training data.

    Args:
        summary: What became of the rows; nothing is told of none.
        min_in_scope: The likeness to the training data that was asked for; ``None`` for none.
    """
    yield from label_lines(summary.labels)
    if summary.without_labels:
        yield f"  none of the labels: {counted(summary.without_labels, 'row')}"
    if summary.out_of_scope:
        limit = UNLIKE_BELOW if min_in_scope is None else min_in_scope
        yield f"  unlike the training data (in_scope below {limit:g}): {counted(summary.out_of_scope, 'row')}"


def label_lines(labels: tuple[LabelSummary, ...]) -> Iterator[str]:
    """Yield a line for each of the most frequent labels: how many rows, and the mean of their scores."""
    from rich.cells import cell_len, set_cell_size

    shown = [(one_line(each.label), each) for each in labels[:_SHOWN_LABELS]]
    wide = min(_MOST_CELLS, max((cell_len(label) for label, _ in shown), default=0))
    digits = max((len(f"{each.rows:,}") for each in labels), default=0)
    for label, each in shown:
        where = "" if each.file is None else f"  {each.file}"
        yield f"  {set_cell_size(label, wide)}  {each.rows:>{digits},}  mean score {each.mean_score:.2f}{where}"
    if len(labels) > len(shown):
        yield f"  and {counted(len(labels) - len(shown), 'other label')}"
