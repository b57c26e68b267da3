"""Exports suggested texts to a CSV or JSONL file with a column for the labels, to be filled in."""

import json
from collections.abc import Sequence
from pathlib import Path

from windrow.cli.output import naming_file
from windrow.disk import whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.suggestion import Suggestion, Suggestions
from windrow.files.row_labels import UNLABELLED
from windrow.files.text_form import PLAIN
from windrow.files.writing import LABEL_SEPARATOR, SCORE_DECIMALS, check_labels_for_csv

_COLUMNS = ("text", "label", "guess", "score", "reason", "num_similar")
# Where a text may have any number of labels.
_MULTI_LABEL_COLUMNS = ("text", "labels", *_COLUMNS[2:])


def check_out(out: Path) -> None:
    """Make sure that suggestions can be written to a file.

    Raises:
        InvalidParameter: It is there already, or its name does not say what it is to hold.
    """
    if out.suffix.lower() not in _WRITERS:
        raise InvalidParameter(
            "{file} says not what it is to hold. Name a file that ends in .csv or .jsonl.",
            {"parameter": "out", "file": str(out)},
        )
    if out.exists():
        raise InvalidParameter(
            "{file} is there already, perhaps with labels in it. Name a new file.",
            {"parameter": "out", "file": str(out)},
        )


def write_suggestions(result: Suggestions, out: Path) -> None:
    """Write suggestions to a file for the labelling, whole or not at all.

    Raises:
        InvalidParameter: It cannot be written, or a guess cannot be written as CSV.
    """
    is_multi_label = any(each.labels is not None for each in result.suggestions)
    columns = _MULTI_LABEL_COLUMNS if is_multi_label else _COLUMNS
    content = _WRITERS[out.suffix.lower()](columns, result.suggestions).encode()
    with naming_file(out), whole_file(out) as file:
        file.write(content)


def _as_csv(columns: Sequence[str], suggestions: Sequence[Suggestion]) -> str:
    check_labels_for_csv([label for each in suggestions for label in each.labels or ()], "multi_label")
    rows = (_to_label(each, UNLABELLED, LABEL_SEPARATOR.join(each.labels or ())) for each in suggestions)
    return PLAIN.rows((columns, *rows))


def _as_jsonl(columns: Sequence[str], suggestions: Sequence[Suggestion]) -> str:
    rows = (dict(zip(columns, _to_label(each, None, each.labels), strict=True)) for each in suggestions)
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _to_label(each: Suggestion, unlabelled: str | None, guesses: object) -> Sequence[object]:
    """Return a row of the file, whose label training refuses until a person has filled it in.

    Args:
        each: The suggestion.
        unlabelled: What stands in place of any number of labels: an empty value says that none of the labels fits.
        guesses: The labels that a multi-label classifier would give.
    """
    label, guess = ("", each.label) if each.labels is None else (unlabelled, guesses)
    return each.text, label, guess, round(each.score, SCORE_DECIMALS), each.reason, each.num_similar


_WRITERS = {".csv": _as_csv, ".jsonl": _as_jsonl}
