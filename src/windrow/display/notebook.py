"""How a value looks in a notebook: what it says in a few facts, its warnings, and the tables that belong to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from windrow.display import frames
from windrow.display.html import bar, heat_map, table
from windrow.display.tables import fits_a_cell, table_of, text_of
from windrow.domain.classification import LabelChoice
from windrow.domain.classifier import Trained
from windrow.domain.comparison import Comparison
from windrow.domain.cross_validation import CrossValidation
from windrow.domain.dataset import DataWarning
from windrow.domain.explanation import Explanation
from windrow.domain.figures import percent
from windrow.domain.integrity import IntegrityReport
from windrow.domain.job import FitEstimate
from windrow.domain.multi_label_comparison import MultiLabelComparison, MultiLabelPair
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelMetrics, MultiLabelReport
from windrow.domain.prediction import NONE_OF_THE_LABELS, Prediction
from windrow.domain.report import SHOWN_THRESHOLDS, ConfusionMatrix, Report, SharedMetrics
from windrow.domain.usage import Usage
from windrow.domain.values import ListValue, present_with, summary_of
from windrow.html_report.elements import Html, element, joined

# With more labels, a matrix is wider than a page, and the pairs that are confused most say more.
MAX_MATRIX_LABELS = 30
# Of what only illustrates a value.
MAX_EXAMPLES = 10
# Of each class, and of those below it: fields that are shown as tables, and how many rows of each.
_TABLES: Mapping[type, Sequence[str]] = {
    SharedMetrics: ("labels",),
    Comparison: ("models", "pairs", "disagreements"),
    CrossValidation: ("probable_label_errors", "learning_curve"),
    Explanation: ("words", "nearest_rows"),
    FitEstimate: ("stages",),
    IntegrityReport: ("findings",),
    MultiLabelComparison: ("models", "pairs", "disagreements"),
    MultiLabelCrossValidation: ("probable_label_errors", "learning_curve"),
    MultiLabelMetrics: ("confused_labels", "missed_together"),
    MultiLabelPair: ("labels",),
    MultiLabelReport: ("proposed_thresholds", "misclassified"),
    Report: ("misclassified",),
    Usage: ("classifiers", "base_models"),
}
_WHOLE = frozenset(("labels", "models", "stages", "findings", "words"))


class NotebookPresenter:
    """Shows values in a notebook, and as frames."""

    def html(self, value: Any) -> str:
        """Return a value, or a list of values, as HTML."""
        return element("div", *_parts(value))

    def frame(self, value: Any, *, all_fields: bool = False) -> Any:
        """Return a value, or a list of values, as a table of pandas or polars.

        Raises:
            ImportError: Neither is installed.
        """
        return frames.to_frame(value, all_fields=all_fields)


def present() -> None:
    """Let every value show itself in notebooks and as frames."""
    present_with(NotebookPresenter())


def _parts(value: Any) -> Iterator[Html]:
    entries = value if isinstance(value, list) else value if isinstance(value, ListValue) else None
    yield element("strong", type(value).__name__ if entries is None else f"{type(value).__name__} ({len(entries)})")
    if is_dataclass(value):
        yield from _facts(value)
        yield from _warnings(value)
    if entries is not None and len(entries):
        yield table_of(list(entries))
    if isinstance(value, Prediction | LabelChoice):
        yield _score_bars(value)
    if isinstance(value, Prediction) and value.explanation is not None:
        yield joined(_parts(value.explanation))
    if isinstance(value, Trained):
        yield table(["label", "rows"], _counts(value.rows_per_label), [False, True])
    yield from _tables(value)
    for further in value.further_labels if isinstance(value, Explanation) else ():
        yield element("p", f"Words, for {further.label}")
        yield table_of(further.words)
    if isinstance(value, Report):
        yield element("p", "Coverage: if no label is given below a threshold")
        yield table_of([value.coverage_at(threshold) for threshold in SHOWN_THRESHOLDS])
    matrix = value if isinstance(value, ConfusionMatrix) else getattr(value, "confusion_matrix", None)
    if matrix is not None:
        yield _confusion(matrix)


def _facts(value: Any) -> Iterator[Html]:
    names = summary_of(value)
    fields = {name: getattr(value, name) for name in names if name not in ("warnings", "scores")}
    facts = {name: each for name, each in fields.items() if fits_a_cell(each) and each not in (None, (), "")}
    if isinstance(value, Prediction | LabelChoice) and value.labels == ():
        facts["labels"] = NONE_OF_THE_LABELS
    if isinstance(value, Trained) and (estimate := value.report.estimate) is not None:
        facts["estimated accuracy"] = f"{percent(estimate.accuracy)}, {text_of(estimate.interval)}"
    if isinstance(value, Comparison | MultiLabelComparison):
        facts["recommendation"] = value.recommendation.reason
    rows = (
        element("tr", element("th", name.replace("_", " "), style="text-align:left"), element("td", _fact(name, each)))
        for name, each in facts.items()
    )
    if facts:
        yield element("table", element("tbody", *rows))


def _fact(name: str, value: object) -> str:
    return percent(value) if name.endswith("accuracy") and isinstance(value, float | int) else text_of(value)


def _warnings(value: Any) -> Iterator[Html]:
    warnings: Sequence[DataWarning] = (*getattr(value, "import_warnings", ()), *getattr(value, "warnings", ()))
    if warnings:
        yield element("ul", *(element("li", element("b", f"{each.code}: "), each.message) for each in warnings))


def _score_bars(answer: Prediction | LabelChoice) -> Html:
    scores = sorted(answer.scores.items(), key=lambda pair: -pair[1])
    return table(["label", "score"], ([label, bar(score, f"{score:.3f}")] for label, score in scores))


def _counts(counts: Mapping[str, int]) -> Iterator[Sequence[str]]:
    yield from ([label, text_of(count)] for label, count in counts.items())


def _tables(value: Any) -> Iterator[Html]:
    for kind, names in _TABLES.items():
        for name in names if isinstance(value, kind) else ():
            if rows := getattr(value, name):
                yield element("p", name.replace("_", " ").capitalize())
                yield table_of(rows) if name in _WHOLE else table_of(rows, MAX_EXAMPLES)


def _confusion(matrix: ConfusionMatrix) -> Html:
    if len(matrix.labels) <= MAX_MATRIX_LABELS:
        return joined((element("p", "Confusion matrix"), heat_map(matrix.labels, matrix.counts)))
    confusions = matrix.confusions()
    most = confusions[:MAX_MATRIX_LABELS]
    rows = ([label, given, text_of(count)] for label, given, count in most)
    pairs = table(["label", "taken for", "rows"], rows, [False, False, True], len(confusions) - len(most))
    return joined((element("p", "Confused most"), pairs))
