"""What became of the rows of a file, as lines of text."""

from dataclasses import replace

from tests.files.answered import NONE_FITS, SEVERAL, SURE, UNSURE
from windrow.cli.summary_text import label_lines, summary_lines
from windrow.domain.prediction_summary import LabelSummary, PredictionSummary, SummaryCounts, added_up, label_summaries


def summary(counts: SummaryCounts) -> PredictionSummary:
    return PredictionSummary(
        model_name="tickets_v1",
        revision=3,
        rows=counts.rows,
        labels=label_summaries(counts.labels),
        abstained=counts.abstained,
        without_labels=counts.without_labels,
        out_of_scope=counts.out_of_scope,
        truncated=counts.truncated,
    )


def test_labels_are_told_with_their_rows_and_the_mean_of_their_scores() -> None:
    counts = SummaryCounts()
    counts.add([SURE, SURE, SEVERAL, NONE_FITS, UNSURE, replace(SURE, in_scope=0.01)])
    assert (counts.rows, counts.abstained, counts.truncated, counts.without_labels) == (6, 1, 1, 1)
    assert list(summary_lines(summary(counts))) == [
        "  billing  4  mean score 0.75",
        "  account  1  mean score 0.25",
        "  none of the labels: 1 row",
        "  unlike the training data (in_scope below 0.05): 1 row",
    ]


def test_a_likeness_that_was_asked_for_is_the_limit() -> None:
    counts = SummaryCounts(0.6)
    counts.add([SURE, UNSURE])
    assert list(summary_lines(summary(counts), 0.6))[-1] == "  unlike the training data (in_scope below 0.6): 1 row"


def test_nothing_is_told_of_no_rows() -> None:
    assert list(summary_lines(summary(SummaryCounts()))) == []


def test_the_most_frequent_labels_are_told_and_how_many_others_there_are() -> None:
    labels = tuple(LabelSummary(label=f"label\n{n}", rows=1_000, mean_score=0.5, file="x.csv") for n in range(22))
    lines = list(label_lines(labels))
    assert lines[0] == "  label 0   1,000  mean score 0.50  x.csv"
    assert (len(lines), lines[-1]) == (21, "  and 2 other labels")


def test_counts_of_parts_add_up() -> None:
    assert added_up({"a": (1, 0.5)}, {"a": (2, 1.0), "b": (1, 0.25)}) == {"a": (3, 1.5), "b": (1, 0.25)}
    assert [each.label for each in label_summaries({"b": (1, 0.5), "a": (1, 0.5), "c": (2, 1.0)})] == ["c", "a", "b"]
