"""Figures in a terminal: what fits, what is cut, and what a text cannot do to it."""

import io

import numpy as np
import pytest
from rich.console import Console

from windrow.cli.formats import one_line
from windrow.cli.metric_tables import (
    MAX_MATRIX_LABELS,
    confusion_table,
    disagreement_table,
    label_table,
    misclassified_table,
    pair_lines,
    result_table,
    shortened,
)
from windrow.cli.tables import TextTable
from windrow.display.tables import between
from windrow.domain.comparison import Comparison, Disagreement, ModelResult, Pair, Recommendation
from windrow.domain.interval import Interval
from windrow.domain.report import ClassificationMetrics, MajorityBaseline, Misclassified
from windrow.domain.values import recast
from windrow.learning.evaluate import compute_metrics

SHORT = ("delivery", "payment", "returns")


def outcome(labels: tuple[str, ...], *, wrong: int = 1, score: float = 0.9) -> ClassificationMetrics:
    """Return what became of 4 rows a label, of which the first label's first ones are given the second label."""
    truth = [label for label in labels for _ in range(4)]
    given = [1 if row < wrong else labels.index(label) for row, label in enumerate(truth)]
    scores = np.full((len(truth), len(labels)), (1 - score) / (len(labels) - 1), np.float32)
    scores[range(len(truth)), given] = score
    return compute_metrics(scores, truth, labels)


def result(asked: str, name: str, revision: int) -> ModelResult:
    return recast(ModelResult, outcome(SHORT), reference=asked, model_name=name, revision=revision)


def shown(table: TextTable, width: int = 80) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def cells(line: str) -> list[str]:
    return line.split()


def test_a_matrix_has_labels_as_rows_what_was_given_as_columns_and_its_diagonal_in_brackets() -> None:
    head, _, *rows = shown(confusion_table(outcome(SHORT), 80))
    assert head == "label \\ given   delivery   payment   returns"
    assert [cells(row) for row in rows] == [
        ["delivery", "[3]", "1", "·"],
        ["payment", "·", "[4]", "·"],
        ["returns", "·", "·", "[4]"],
    ]


def test_labels_are_shortened_where_the_terminal_is_narrow() -> None:
    labels = ("delivery and customs", "payment and bills", "returns and warranty")
    lines = shown(confusion_table(outcome(labels), 70), 70)
    assert max(map(len, lines)) <= 70
    assert len(lines) == 2 + 3
    assert lines[0].count("…") == len(labels)
    assert [row.split("  ")[0] for row in lines[2:]] == list(labels)


def test_labels_that_would_be_cut_to_the_same_are_numbered() -> None:
    labels = tuple(f"questions about parcels to {country}" for country in ("Chile", "Ghana", "Japan", "Malta"))
    head, _, *rows = shown(confusion_table(outcome(labels), 80))
    assert cells(head) == ["label", "1", "2", "3", "4"]
    assert [cells(row)[0] for row in rows] == ["1", "2", "3", "4"]
    assert cells(rows[0])[-4:] == ["[3]", "1", "·", "·"]


@pytest.mark.parametrize(("count", "width"), [(MAX_MATRIX_LABELS + 1, 1_000), (MAX_MATRIX_LABELS, 60)])
def test_many_labels_are_shown_as_the_pairs_that_are_confused_most(count: int, width: int) -> None:
    labels = tuple(f"label {number:02}" for number in range(count))
    lines = shown(confusion_table(outcome(labels, wrong=3), width), width)
    assert lines[0] == "Confused most"
    assert cells(lines[-1]) == ["label", "00", "label", "01", "3"]


def test_what_is_left_of_many_pairs_is_counted() -> None:
    labels = tuple(f"label {number:02}" for number in range(30))
    scores = np.roll(np.eye(30, dtype=np.float32), 1, axis=1)
    lines = shown(confusion_table(compute_metrics(scores, list(labels), labels), 80))
    assert lines[-1].split() == ["14", "more", "pairs", "of", "30", "labels", "14"]


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("count", [2, 3, 8, 12, 16, 40])
def test_no_confusion_is_wider_than_the_terminal(count: int, width: int) -> None:
    labels = tuple(f"label number {number}" for number in range(count))
    assert max(map(len, shown(confusion_table(outcome(labels), width), 10_000))) <= width


def test_each_label_has_its_figures_and_a_dash_where_there_is_none() -> None:
    outcome = compute_metrics(np.eye(3, dtype=np.float32)[:2], ["delivery", "payment"], SHORT)
    head, _, *rows = shown(label_table(outcome))
    assert cells(head) == ["label", "rows", "right", "given", "precision", "recall", "F1"]
    assert cells(rows[0]) == ["delivery", "1", "1", "1", "1.00", "1.00", "1.00"]
    assert cells(rows[2]) == ["returns", "0", "0", "0", "-", "-", "-"]


def test_an_interval_reads_as_shares() -> None:
    assert between(Interval(0.522, 0.8)) == "52 to 80 %"


def test_a_text_cannot_break_a_line_or_command_the_terminal() -> None:
    assert one_line("two\nlines\tand \x1b[31mred\x07\u202e") == "two lines and [31mred"
    misclassified = (Misclassified(0, "[bold]a[/bold]\n\x1b[2Jb", "delivery", "payment", 0.75),)
    assert (
        " ".join(cells(shown(misclassified_table(misclassified, [7]))[-1]))
        == "7 [bold]a[/bold] [2Jb delivery payment 0.75"
    )


def test_a_shortened_label_fits_also_with_wide_characters() -> None:
    assert shortened("delivery", 8) == "delivery"
    assert shortened("delivery", 6) == "deliv…"
    assert shortened("配送と返品", 5) == "配送…"


def test_disagreements_mark_who_is_right_and_name_the_line() -> None:
    disagreement = Disagreement(1, "Where is it?", "delivery", {"v1": "payment", "v2": "delivery"})
    head, _, row = shown(disagreement_table([disagreement], ["v1", "v2"], [2, 5]))
    assert cells(head) == ["line", "text", "label", "v1", "v2"]
    assert row.strip().split("   ") == ["5", "Where is it?", "delivery", "✗ payment", "✓ delivery"]


def test_the_disagreements_of_many_classifiers_are_grouped_by_answer_the_right_one_first() -> None:
    disagreement = Disagreement(
        0, "Where is it?", "delivery", {"a": "payment", "b": "delivery", "c": "payment", "d": "delivery"}
    )
    head, _, *rows = shown(disagreement_table([disagreement], list("abcd")))
    assert cells(head) == ["text", "label", "answers"]
    assert rows[0].endswith("✓ delivery: b, d")
    assert rows[1].endswith("✗ payment: a, c")


@pytest.mark.parametrize("width", [60, 80])
def test_names_and_figures_are_whole_in_a_narrow_terminal(width: int) -> None:
    names = ("tickets_v1", "tickets_v2")
    results = [result(name, name, 1) for name in names]
    disagreements = [
        Disagreement(0, "A text that is much longer than its column " * 2, "payment", dict.fromkeys(names, "delivery"))
    ]
    tables = (result_table(results), disagreement_table(disagreements, names, [7]), label_table(outcome(SHORT)))
    for table, words in zip(tables, (names, names, SHORT), strict=True):
        lines = shown(table, width)
        assert max(map(len, lines)) <= width
        assert all(any(word in line for line in lines) for word in words)
    assert len(shown(tables[0], width)) <= 5


def test_results_show_which_revision_answered_where_the_name_does_not_say_it() -> None:
    results = [result(asked, "tickets_v2", 3) for asked in ("tickets", "tickets_v2")]
    rows = shown(result_table(results), 120)[2:]
    assert rows[0].startswith("tickets (tickets_v2@3) ")
    assert rows[1].startswith("tickets_v2  ")
    assert "11/12" in rows[0]
    assert "91.7 %" in rows[0]


def test_a_pair_is_told_with_its_difference_and_its_interval() -> None:
    pair = Pair("v1", "v2", 9, 1, 0.021484375, 0.2, Interval(0.05, 0.35), None, 40)
    comparison = Comparison(
        (), (pair,), (), Recommendation("v2", "Promote v2."), MajorityBaseline("delivery", 0.25), (), "0" * 64
    )
    [line] = pair_lines(comparison)
    assert line == (
        "v1 → v2: 9 fixed, 1 broken of 40 rows; +20 points (95 % interval +5 to +35). v2 is better (p = 0.0215)."
    )
