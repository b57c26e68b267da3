"""Single answers for people: the label with its scores, and why.

Owns their words and tables; knows nothing of how an answer comes about.
"""

from collections.abc import Sequence

from windrow.cli.output import data_console, new_table
from windrow.domain.explanation import Explanation
from windrow.domain.prediction import Prediction

# The words that matter least say nothing.
_MAX_WORDS = 12
_BAR_CELLS = 20


def print_answer(prediction: Prediction) -> None:
    """Print one classifier's answer for one text."""
    console = data_console()
    console.print(f"{_label(prediction)}  (by {prediction.model_name}@{prediction.revision})")
    table = new_table("label", "score", "", right=("score",))
    for label, score in sorted(prediction.scores.items(), key=lambda pair: -pair[1]):
        table.add_row(label, f"{score:.3f}", "█" * round(score * _BAR_CELLS))
    console.print(table)
    if prediction.in_scope is not None:
        console.print(
            f"In scope: {prediction.in_scope:.2f}. 0 is unlike anything in the training data, around 0.5 is ordinary, "
            "1 is as like it as can be."
        )
    if prediction.truncated:
        console.print("The text is longer than the encoder reads, so its end was left out.")
    if prediction.explanation is not None:
        _print_explanation(prediction.explanation)


def print_answers(predictions: Sequence[Prediction]) -> None:
    """Print the answers of several classifiers for one text."""
    table = new_table("classifier", "label", "score", "in scope", right=("score", "in scope"), whole=("classifier",))
    for each in predictions:
        scope = "-" if each.in_scope is None else f"{each.in_scope:.2f}"
        table.add_row(f"{each.model_name}@{each.revision}", _label(each), f"{max(each.scores.values()):.3f}", scope)
    data_console().print(table)


def _label(prediction: Prediction) -> str:
    return "(no label: abstained)" if prediction.label is None else prediction.label


def _print_explanation(explanation: Explanation) -> None:
    console = data_console()
    if explanation.words:
        console.print(f"\nBy how much the score of {explanation.label!r} would fall without each word:")
        table = new_table("word", "effect", right=("effect",))
        strongest = sorted(explanation.words, key=lambda word: -abs(word.effect))
        for word in strongest[:_MAX_WORDS]:
            table.add_row(word.word, f"{word.effect:+.3f}")
        console.print(table)
        if len(strongest) > _MAX_WORDS:
            console.print(f"and {len(strongest) - _MAX_WORDS} more words, which matter less (--json shows all).")
    if explanation.nearest is None:
        console.print("\nThe training rows were not kept, so the nearest ones cannot be shown.")
        return
    console.print("\nThe training rows most like it:")
    table = new_table("row", "label", "similarity", "text", right=("row", "similarity"))
    for row in explanation.nearest:
        table.add_row(str(row.row), row.label, f"{row.similarity:.2f}", " ".join(row.text.split()))
    console.print(table)
