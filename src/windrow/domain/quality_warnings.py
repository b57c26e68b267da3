"""Warnings about quality that trainings, cross-validations and evaluations share."""

from collections.abc import Iterator, Sequence
from typing import Final

from windrow.domain.dataset import DataWarning
from windrow.domain.interval import Interval
from windrow.domain.recipe import MULTILINGUAL_BASE_MODELS
from windrow.domain.report import MajorityBaseline

TRUNCATED_TEXT: Final = (
    "The text is longer than the encoder reads. Its end decided nothing: where what matters stands there, the label is "
    "a guess, whatever score and in_scope say."
)
_NAMED_ROWS: Final = 5
_NEARLY_ALL: Final = 0.9995


def warn_of_majority(interval: Interval, baseline: MajorityBaseline, base_model: str) -> Iterator[DataWarning]:
    """Yield a warning where an accuracy is not shown to be better than always giving the most frequent label.

    Args:
        interval: Where the accuracy lies.
        baseline: What always giving one label gets right.
        base_model: The id of the base model, which is perhaps not for the language of the texts.
    """
    if interval.low > baseline.accuracy:
        return
    other = " or ".join(each for each in MULTILINGUAL_BASE_MODELS if each != base_model)
    language = "another multilingual base model" if base_model in MULTILINGUAL_BASE_MODELS else "a multilingual one"
    # Rows that are nearly all right say that they are too few, and nothing against the base model.
    advice = "Try more rows."
    if interval.high < _NEARLY_ALL:
        advice = (
            f"Try more rows; and where texts are not in the language of the base model {base_model}, {language} "
            f"({other})."
        )
    message = (
        f"It is not shown to be better than always saying {baseline.label!r}, which is right for "
        f"{_percent(baseline.accuracy)}: the accuracy lies between {_percent(interval.low)} and "
        f"{_percent(interval.high)}. {advice}"
    )
    yield DataWarning("not_better_than_majority", message)


def warn_of_truncated(
    count: int, total: int, rows: Sequence[int] = (), max_tokens: int | None = None
) -> Iterator[DataWarning]:
    """Yield a warning where texts are longer than the encoder reads.

    Args:
        count: The number of such rows.
        total: The number of rows.
        rows: Which ones they are, counted from 0.
        max_tokens: The most tokens of a text that the encoder reads; ``None`` if unknown.
    """
    if not count:
        return
    limit = "" if max_tokens is None else f", {max_tokens} tokens"
    message = (
        f"{count} of {total} row(s) ({_percent(count / total)}) are longer than the encoder reads{limit}. Their ends "
        "decide nothing: where what matters stands there, labels are guesses, whatever score and in_scope say. Shorten "
        "the texts to what matters, or choose a base model that reads more."
    )
    yield DataWarning("truncated_rows", message, tuple(rows[:_NAMED_ROWS]))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
