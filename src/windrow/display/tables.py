"""Which columns a table of values has: those that the command line shows, else every field that fits a cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from types import NoneType
from typing import Any

from windrow.display.html import bar, table
from windrow.domain.alias import Alias, AliasChange
from windrow.domain.base_models import BaseModelUse
from windrow.domain.classification import Classification
from windrow.domain.classifier import Classifier
from windrow.domain.comparison import Disagreement, ModelResult
from windrow.domain.cross_validation import CurvePoint
from windrow.domain.explanation import NearRow
from windrow.domain.figures import percent
from windrow.domain.interval import Interval
from windrow.domain.job import Job
from windrow.domain.multi_label_comparison import MultiLabelDisagreement, MultiLabelResult
from windrow.domain.multi_label_report import MisclassifiedSet
from windrow.domain.prediction import ABSTAINED, NONE_OF_THE_LABELS, Prediction
from windrow.domain.report import CoveragePoint, LabelReport, Misclassified
from windrow.domain.suggestion import Suggestion
from windrow.html_report.elements import Html

# More rows make a page slow, and too long to read.
MAX_ROWS = 100
_MAX_TEXT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    heading: str
    """What it holds."""
    cell: Callable[[Any], object]
    """Returns what it shows of a row."""
    right: bool = False
    """Whether it holds numbers."""


def number(heading: str, cell: Callable[[Any], object]) -> Column:
    """Return a column of numbers."""
    return Column(heading, cell, right=True)


def between(interval: Interval) -> str:
    """Return an interval of shares as a person reads it: ``52 to 80 %``."""
    return f"{interval.low * 100:.0f} to {interval.high * 100:.0f} %"


def text_of(value: object) -> str:
    """Return what a cell shows of a value of any type."""
    if isinstance(value, Html):
        return value
    shown = next((form for kind, form in _FORMS.items() if isinstance(value, kind)), str)
    text: str = shown(value)
    return text if len(text) <= _MAX_TEXT_CHARS else f"{text[:_MAX_TEXT_CHARS]}…"


# The first kind that a value is of counts: a truth value is a number, too.
_FORMS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "yes" if value else "no",
    float: lambda value: f"{value:.4g}",
    int: lambda value: f"{value:,}",
    datetime: lambda value: f"{value:%Y-%m-%d %H:%M:%S}",
    Interval: between,
    NoneType: lambda _: "-",
    list: lambda value: ", ".join(map(text_of, value)),
    tuple: lambda value: ", ".join(map(text_of, value)),
}


def fits_a_cell(value: object) -> bool:
    """Whether a cell has room for a value: neither parts of its own nor entries by key."""
    if isinstance(value, list | tuple):
        return all(isinstance(each, str | int | float) for each in value)
    return isinstance(value, Interval) or not (is_dataclass(value) or isinstance(value, Mapping))


def table_of(rows: Sequence[Any], most: int = MAX_ROWS) -> Html:
    """Return values of one class as a table.

    Args:
        rows: The values, at least one.
        most: The most rows that it has.
    """
    columns = columns_of(rows[0])
    cells = ([text_of(column.cell(row)) for column in columns] for row in rows[:most])
    rights = [column.right for column in columns]
    return table([column.heading for column in columns], cells, rights, max(0, len(rows) - most))


def columns_of(row: Any) -> Sequence[Column]:
    """Return the columns of a table of such values."""
    for kind in type(row).__mro__:
        if kind in _COLUMNS:
            return _COLUMNS[kind]
    shown = [each.name for each in fields(row) if fits_a_cell(getattr(row, each.name))]
    return [Column(name.replace("_", " "), _field(name), isinstance(getattr(row, name), int | float)) for name in shown]


def _field(name: str) -> Callable[[Any], object]:
    return lambda row: getattr(row, name)


def decimal(value: float | None) -> str:
    """Return a metric with two decimals, and a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def _accuracy(one: Classifier) -> str:
    estimate = one.report.estimate
    return f"~{percent(estimate.accuracy)}" if one.test is None and estimate is not None else percent(one.test_accuracy)


def _doing(job: Job) -> str:
    if job.problem is not None:
        return job.problem.code.replace("_", " ")
    if job.progress is not None:
        steps = f" {job.progress.step}/{job.progress.num_steps}" if job.progress.num_steps else ""
        return f"{job.progress.stage}{steps}"
    return "" if job.revision is None else f"revision {job.revision}"


def _answers(row: Disagreement) -> str:
    return ", ".join(f"{name}: {'✓' if label == row.label else '✗'} {label}" for name, label in row.predicted.items())


def _set_answers(row: MultiLabelDisagreement) -> str:
    return "; ".join(
        f"{name}: {'✓' if labels == row.labels else '✗'} {_labels(labels)}" for name, labels in row.predicted.items()
    )


def _given(answer: Prediction | Classification) -> object:
    return (answer.label or ABSTAINED) if answer.labels is None else answer.labels or NONE_OF_THE_LABELS


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(labels) or NONE_OF_THE_LABELS


def _or_else(each: Suggestion) -> str:
    """Return the next best label; of a multi-label classifier, the labels that it would give."""
    return each.runner_up or "" if each.labels is None else f"gives {_labels(each.labels)}"


def _best(answer: Prediction | Classification) -> Html:
    score = max(answer.scores.values(), default=0.0)
    return bar(score, f"{score:.3f}")


_COLUMNS: Mapping[type, Sequence[Column]] = {
    Alias: (
        Column("alias", lambda one: one.alias),
        Column("points to", lambda one: one.points_to),
        Column("since (UTC)", lambda one: one.changed_at),
        Column("author", lambda one: one.author),
        Column("reason", lambda one: one.reason),
        Column("answers", lambda one: one.answers),
    ),
    AliasChange: (
        number("", lambda change: change.number),
        Column("when (UTC)", lambda change: change.at),
        Column("what", lambda change: change.event.replace("_", " ")),
        Column("from", lambda change: change.points_from),
        Column("to", lambda change: change.points_to),
        Column("key", lambda change: change.key_name),
        Column("author", lambda change: change.author),
        Column("reason", lambda change: change.reason),
    ),
    BaseModelUse: (
        Column("base model", lambda use: use.id),
        Column("where", lambda use: use.location.replace("_", " ")),
        number("MB", lambda use: f"{(use.size_bytes + use.graph_bytes) / 1e6:.1f}"),
        number("classifiers", lambda use: use.classifiers),
    ),
    Classifier: (
        Column("name", lambda one: one.name),
        number("revision", lambda one: one.revision),
        Column("labels", lambda one: one.labels),
        number("rows", lambda one: one.num_examples),
        number("accuracy", _accuracy),
        Column("trained (UTC)", lambda one: one.created_at),
        Column("tags", lambda one: one.tags),
    ),
    CoveragePoint: (
        number("threshold", lambda point: f"{point.threshold:.2f}"),
        number("answered", lambda point: point.answered),
        Column("share answered", lambda point: bar(point.share, percent(point.share))),
        number("wrong", lambda point: point.wrong),
        number("error", lambda point: percent(point.error)),
        number("95 % interval", lambda point: point.error_interval),
    ),
    CurvePoint: (
        number("share", lambda point: percent(point.share)),
        number("rows trained on", lambda point: f"{point.rows:.0f}"),
        number("accuracy", lambda point: percent(point.accuracy)),
    ),
    Disagreement: (
        number("row", lambda row: row.row),
        Column("text", lambda row: row.text),
        Column("label", lambda row: row.label),
        Column("answers", _answers),
    ),
    Job: (
        Column("job", lambda job: job.id),
        Column("state", lambda job: job.state),
        Column("classifier", lambda job: job.model_name),
        number("rows", lambda job: job.num_examples),
        Column("asked for (UTC)", lambda job: job.created_at),
        Column("key", lambda job: job.key_name),
        Column("", _doing),
    ),
    LabelReport: (
        Column("label", lambda each: each.label),
        number("rows", lambda each: each.total),
        number("right", lambda each: each.correct),
        number("given", lambda each: each.predicted),
        number("precision", lambda each: decimal(each.precision)),
        number("recall", lambda each: decimal(each.recall)),
        number("F1", lambda each: decimal(each.f1)),
    ),
    Misclassified: (
        number("row", lambda each: each.row),
        Column("text", lambda each: each.text),
        Column("label", lambda each: each.label),
        Column("given", lambda each: each.predicted),
        Column("score", lambda each: bar(each.score, f"{each.score:.2f}")),
    ),
    MisclassifiedSet: (
        number("row", lambda each: each.row),
        Column("text", lambda each: each.text),
        Column("labels", lambda each: _labels(each.labels)),
        Column("given", lambda each: _labels(each.predicted)),
        Column("wrong", lambda each: ", ".join(f"{label} {score:.2f}" for label, score in each.scores.items())),
    ),
    MultiLabelDisagreement: (
        number("row", lambda each: each.row),
        Column("text", lambda each: each.text),
        Column("labels", lambda each: _labels(each.labels)),
        Column("answers", _set_answers),
    ),
    MultiLabelResult: (
        Column("classifier", lambda each: each.reference),
        number("whole sets right", lambda each: f"{each.correct}/{each.total}"),
        number("accuracy", lambda each: percent(each.accuracy)),
        number("micro F1", lambda each: f"{each.micro_f1:.3f}"),
        number("macro F1", lambda each: f"{each.macro_f1:.3f}"),
        number("ECE", lambda each: f"{each.calibration.ece:.2f}"),
    ),
    ModelResult: (
        Column("classifier", lambda each: each.reference),
        number("right", lambda each: f"{each.correct}/{each.total}"),
        number("accuracy", lambda each: percent(each.accuracy)),
        number("95 % interval", lambda each: between(each.accuracy_interval)),
        number("macro F1", lambda each: f"{each.macro_f1:.2f}"),
        number("ECE", lambda each: f"{each.calibration.ece:.2f}"),
    ),
    NearRow: (
        number("row", lambda near: near.row),
        Column("text", lambda near: near.text),
        Column("label", lambda near: near.all_labels),
        number("similarity", lambda near: decimal(near.similarity)),
    ),
    Prediction: (
        Column("label", _given),
        Column("score", _best),
        number("in scope", lambda answer: decimal(answer.in_scope)),
        Column("classifier", lambda answer: f"{answer.model_name}@{answer.revision}"),
    ),
    Classification: (
        Column("label", _given),
        Column("score", _best),
        Column("model", lambda answer: answer.model),
    ),
    Suggestion: (
        number("row", lambda each: each.index),
        Column("text", lambda each: each.text),
        Column("reason", lambda each: each.reason),
        number("similar", lambda each: each.num_similar),
        Column("guess", lambda each: each.label),
        Column("score", lambda each: bar(each.score, f"{each.score:.2f}")),
        Column("or else", _or_else),
    ),
}
