"""Warnings about quality that trainings, cross-validations and evaluations share."""

from collections.abc import Iterator, Sequence
from typing import Final

from windrow.domain.dataset import DataWarning
from windrow.domain.figures import counted, percent
from windrow.domain.interval import Interval
from windrow.domain.multi_label_report import MultiLabelBaseline
from windrow.domain.prediction import Kind
from windrow.domain.recipe import MULTILINGUAL_BASE_MODELS
from windrow.domain.report import MajorityBaseline

TRUNCATED_TEXT: Final = (
    "The text is longer than the encoder reads. Its end decided nothing: where what matters stands there, the label is "
    "a guess, whatever score and in_scope say."
)
_NAMED_ROWS: Final = 5
_WIDE_INTERVAL: Final = 0.2
_NEARLY_ALL: Final = 0.9995


def warn_of_other_kind(name: str, kind: Kind) -> DataWarning:
    """Return a warning about a name whose answers change their form.

    It is kept in the record, so it names no alias, which not everyone may know.

    Args:
        name: The classifier's name.
        kind: What it is from this training on.
    """
    change = "gives any number of labels (labels), and no longer one (label)"
    if kind == "single_label":
        change = "gives one label (label), and no longer any number of them (labels)"
    message = (
        f"From this training on, {name} {change}. Whoever asks it, by its name or by an alias, gets answers of the "
        "other form. Train under another name if they do not expect that."
    )
    return DataWarning("kind_changed", message)


def warn_of_few_rows(rows: int, interval: Interval, of: str | None = None) -> Iterator[DataWarning]:
    """Yield a warning where an accuracy is known only roughly.

    Args:
        rows: The number of test rows.
        interval: Where the accuracy lies.
        of: Whose accuracy it is, where there is more than one.
    """
    if interval.high - interval.low > _WIDE_INTERVAL:
        accuracy = "the accuracy" if of is None else f"the accuracy of {of}"
        message = (
            f"{counted(rows, 'row says', 'rows say')} little: {accuracy} lies anywhere between "
            f"{percent(interval.low)} and {percent(interval.high)}. Use more test rows before you decide by it."
        )
        yield DataWarning("few_test_rows", message)


def warn_of_majority(
    rows: int, interval: Interval, baseline: MajorityBaseline | MultiLabelBaseline, base_model: str
) -> Iterator[DataWarning]:
    """Yield a warning where an accuracy is not shown to be better than always giving the most frequent label, or set.

    It says what :func:`warn_of_few_rows` says and more, so that one of them is enough.

    Args:
        rows: The number of rows that the accuracy was measured on.
        interval: Where the accuracy lies.
        baseline: What always giving one label, or one set of labels, gets right.
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
        f"{counted(rows, 'row does', 'rows do')} not show it to be better than always saying {baseline.answer}, which "
        f"is right for {percent(baseline.accuracy)}: the accuracy lies between {percent(interval.low)} and "
        f"{percent(interval.high)}. {advice}"
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
        f"{count} of {counted(total, 'row')} ({percent(count / total)}) {'is' if count == 1 else 'are'} longer than "
        f"the encoder reads{limit}. What stands behind that decides nothing: where it is what matters, the label is a "
        "guess, whatever score and in_scope say. Shorten the texts to what matters, or choose a base model that reads "
        "more."
    )
    yield DataWarning("truncated_rows", message, tuple(rows[:_NAMED_ROWS]))
