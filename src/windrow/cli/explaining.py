"""Prints single predictions: the label or labels, the scores and the explanation."""

from collections.abc import Sequence

from windrow.cli.formats import given_text
from windrow.cli.output import data_console, notes_console
from windrow.cli.tables import Column, number, print_table
from windrow.domain.explanation import Explanation, LabelExplanation
from windrow.domain.prediction import Prediction
from windrow.domain.quality_warnings import TRUNCATED_TEXT

# The words that matter least say nothing.
_MAX_WORDS = 12
_BAR_CELLS = 20
# Of a text that its label's rows as a whole are not like, and of a row that it is nearly a copy of.
_RARELY_IN_SCOPE = 0.05
_NEAR_COPY = 0.9


def print_answer(prediction: Prediction) -> None:
    """Print one classifier's answer for one text."""
    console = data_console()
    console.print(f"{_label(prediction)}  (by {prediction.model_name}@{prediction.revision})")
    print_table(
        sorted(prediction.scores.items(), key=lambda pair: -pair[1]),
        Column("label", lambda pair: pair[0]),
        number("score", lambda pair: f"{pair[1]:.3f}"),
        Column("", lambda pair: "█" * round(pair[1] * _BAR_CELLS)),
    )
    if prediction.in_scope is not None:
        console.print(
            f"In scope: {prediction.in_scope:.2f}. That is the share of the training rows, each held out, that are "
            "less like their label's rows as a whole than this text. Below 0.05 the text may fit no label."
        )
    if prediction.truncated:
        notes_console().print(f"Warning: {TRUNCATED_TEXT}")
    if prediction.explanation is not None:
        _print_explanation(prediction.explanation)
        _print_lone_row(prediction, prediction.explanation)


def print_answers(predictions: Sequence[Prediction]) -> None:
    """Print the answers of several classifiers for one text."""
    print_table(
        predictions,
        Column("classifier", lambda one: f"{one.model_name}@{one.revision}", no_wrap=True),
        Column("label", _label),
        number("score", lambda one: f"{max(one.scores.values()):.3f}"),
        number("in scope", lambda one: "-" if one.in_scope is None else f"{one.in_scope:.2f}"),
    )


def _label(prediction: Prediction) -> str:
    return given_text(None if prediction.abstained else prediction.given)


def _print_explanation(explanation: Explanation) -> None:
    console = data_console()
    _print_words(explanation)
    for further in explanation.further_labels:
        _print_words(further)
    if explanation.nearest_rows is None:
        console.print(
            "\nThe nearest training rows cannot be shown: they were not kept, or the API key lacks the scope rows."
        )
        return
    if not explanation.nearest_rows:
        console.print("\nThe classifier has no training rows that could be most like it.")
        return
    console.print("\nThe training rows most like it:")
    print_table(
        explanation.nearest_rows,
        number("row", lambda near: str(near.row)),
        Column("label", lambda near: ", ".join(near.all_labels)),
        number("similarity", lambda near: f"{near.similarity:.2f}"),
        Column("text", lambda near: near.text),
    )


def _print_words(explained: Explanation | LabelExplanation) -> None:
    if not explained.words:
        return
    console = data_console()
    console.print(f"\nBy how much the score of {explained.label!r} would fall without each word:")
    strongest = sorted(explained.words, key=lambda word: -abs(word.effect))
    print_table(
        strongest[:_MAX_WORDS],
        Column("word", lambda word: word.word),
        number("effect", lambda word: f"{word.effect:+.3f}"),
    )
    if len(strongest) > _MAX_WORDS:
        console.print(f"and {len(strongest) - _MAX_WORDS} more words, which matter less (--json shows all).")


def _print_lone_row(prediction: Prediction, explanation: Explanation) -> None:
    """Say why a text may be out of scope although a training row is nearly the same."""
    scope, rows = prediction.in_scope, explanation.nearest_rows
    if scope is not None and scope < _RARELY_IN_SCOPE and rows and rows[0].similarity >= _NEAR_COPY:
        data_console().print(
            f"In scope is {scope:.2f} although the first of these rows is nearly the same: that row is itself unlike "
            "the rest of its label. Look whether its label is right; else add rows like it."
        )
