"""Draws the metrics of multi-label classifiers as tables for a terminal: labels, pairs of labels, rows, differences."""

from collections.abc import Iterable, Mapping, Sequence

from windrow.cli.formats import given_text, one_line
from windrow.cli.metric_tables import display_name
from windrow.cli.tables import Column, TextTable, number, table_of
from windrow.display.tables import decimal
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_comparison import MultiLabelPair, MultiLabelResult
from windrow.domain.multi_label_cross_validation import DoubtedLabel, MultiLabelCurvePoint
from windrow.domain.multi_label_report import (
    MisclassifiedSet,
    MultiLabelMetrics,
    ProposedLabelThreshold,
)
from windrow.domain.report import LabelReport

# Of pairs of labels, those that say most.
MAX_PAIRS = 10


def multi_label_table(outcome: MultiLabelMetrics, thresholds: Mapping[str, float]) -> TextTable:
    """Return the metrics of each label.

    Args:
        outcome: The figures.
        thresholds: The score from which each label is given; none where they are not known.
    """
    in_force: Column[LabelReport] = number("from score", lambda each: decimal(thresholds.get(each.label)), spare=4)
    return table_of(
        outcome.labels,
        Column("label", lambda each: each.label),
        number("rows", lambda each: str(each.total)),
        number("right", lambda each: str(each.correct), spare=1),
        number("given", lambda each: str(each.predicted), spare=3),
        *([in_force] if thresholds else []),
        number("precision", lambda each: decimal(each.precision)),
        number("recall", lambda each: decimal(each.recall)),
        number("F1", lambda each: decimal(each.f1), spare=2),
    )


def proposal_table(proposed: Sequence[ProposedLabelThreshold], thresholds: Mapping[str, float]) -> TextTable:
    """Return the proposed threshold of each label, beside the one in force."""
    return table_of(
        proposed,
        Column("label", lambda each: each.label),
        number("now from", lambda each: decimal(thresholds.get(each.label))),
        number("better from", lambda each: f"{each.threshold:.3f}"),
        number("precision", lambda each: decimal(each.precision)),
        number("recall", lambda each: decimal(each.recall)),
        number("F1", lambda each: decimal(each.f1)),
    )


def confused_table(outcome: MultiLabelMetrics) -> TextTable | None:
    """Return the labels that are given in place of others, and those that are missed together; ``None`` without any."""
    pairs = [
        *((each.label, f"given {each.given}", each.rows) for each in outcome.confused_labels),
        *((each.labels[0], f"missed with {each.labels[1]}", each.rows) for each in outcome.missed_together),
    ]
    if not pairs:
        return None
    pairs.sort(key=lambda pair: -pair[2])
    return table_of(
        pairs[:MAX_PAIRS],
        Column("missed label", lambda pair: pair[0]),
        Column("and", lambda pair: pair[1]),
        number("rows", lambda pair: str(pair[2])),
        title="Wrong together most",
    )


def misclassified_set_table(rows: Iterable[MisclassifiedSet], lines: Sequence[int]) -> TextTable:
    """Return rows that were given another set of labels than they have.

    Args:
        rows: The rows.
        lines: Where in a file each row of the test data begins, from 1.
    """
    return table_of(
        rows,
        number("line", lambda each: str(lines[each.row])),
        Column("text", lambda each: each.text),
        Column("labels", lambda each: given_text(each.labels)),
        Column("given", lambda each: given_text(each.predicted)),
        Column("wrong", _wrong_scores),
    )


def doubted_table(doubted: Iterable[DoubtedLabel], lines: Sequence[int]) -> TextTable:
    """Return the labels of rows that others contradict.

    Args:
        doubted: The labels.
        lines: Where in a file each row of the training data begins, from 1.
    """
    return table_of(
        doubted,
        number("line", lambda each: str(lines[each.row])),
        Column("text", lambda each: each.text),
        Column("labels", lambda each: given_text(each.labels)),
        Column("perhaps", lambda each: f"{'add' if each.is_missing else 'remove'} {each.label}"),
        number("score", lambda each: f"{each.score:.2f}"),
    )


def curve_table(points: Iterable[MultiLabelCurvePoint]) -> TextTable:
    """Return the learning curve of the head."""
    return table_of(
        points,
        number("share", lambda point: percent(point.share)),
        number("rows trained on", lambda point: f"{point.rows:.0f}"),
        number("whole sets", lambda point: percent(point.accuracy)),
        number("micro F1", lambda point: f"{point.micro_f1:.3f}"),
    )


def multi_label_result_table(results: Sequence[MultiLabelResult]) -> TextTable:
    """Return how each of several multi-label classifiers did."""
    named: Column[MultiLabelResult] = Column("classifier", display_name, no_wrap=True)
    return table_of(
        results,
        named,
        number("whole sets", lambda each: f"{each.correct}/{each.total}"),
        number("accuracy", lambda each: percent(each.accuracy)),
        number("micro F1", lambda each: f"{each.micro_f1:.3f}"),
        number(
            "95 % interval",
            lambda each: f"{each.micro_f1_interval.low:.3f} to {each.micro_f1_interval.high:.3f}",
            spare=1,
        ),
        number("macro F1", lambda each: f"{each.macro_f1:.3f}", spare=2),
        number("ECE", lambda each: f"{each.calibration.ece:.2f}", spare=3),
    )


def multi_label_pair_lines(pairs: Iterable[MultiLabelPair]) -> list[str]:
    """Say of each pair what may be concluded, and which labels changed."""
    return [
        f"{pair.first} → {pair.second}: {counted(pair.fixed, 'set')} fixed, {pair.broken:,} broken of "
        f"{counted(pair.total, 'row')}. {pair.verdict}"
        for pair in pairs
    ]


def difference_table(pair: MultiLabelPair) -> TextTable | None:
    """Return the labels that two classifiers do not agree about; ``None`` where they agree about all."""
    if not pair.labels:
        return None
    return table_of(
        pair.labels,
        Column("label", lambda each: each.label),
        number("fixed", lambda each: str(each.fixed)),
        number("broken", lambda each: str(each.broken)),
        number("F1 before", lambda each: decimal(each.first_f1), spare=1),
        number("F1 after", lambda each: decimal(each.second_f1), spare=1),
        number("p", lambda each: "< 0.001" if each.adjusted_p_value < 0.001 else f"{each.adjusted_p_value:.3g}"),
        Column("shown better", lambda each: each.better or "-"),
        title=f"{pair.first} → {pair.second}, label by label; p is corrected for their number",
    )


def _wrong_scores(row: MisclassifiedSet) -> str:
    return ", ".join(f"{one_line(label)} {score:.2f}" for label, score in row.scores.items())
