"""Exports suggested texts to a CSV or JSONL file with an empty column for the labels."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from windrow.cli.output import naming_file
from windrow.disk import whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.suggestion import Suggestion, Suggestions
from windrow.files.writing import SCORE_DECIMALS, LineFeedWriter

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
        InvalidParameter: It cannot be written.
    """
    is_multi_label = any(each.labels is not None for each in result.suggestions)
    columns = _MULTI_LABEL_COLUMNS if is_multi_label else _COLUMNS
    content = _WRITERS[out.suffix.lower()](columns, map(_to_label, result.suggestions)).encode()
    with naming_file(out), whole_file(out) as file:
        file.write(content)


def _as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(LineFeedWriter(file)).writerows((columns, *rows))
    return file.getvalue()


def _as_jsonl(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "".join(f"{json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False)}\n" for row in rows)


def _to_label(each: Suggestion) -> Sequence[object]:
    # Left empty, so that an unchecked guess never becomes training data.
    guess = each.label if each.labels is None else ";".join(each.labels)
    return each.text, "", guess, round(each.score, SCORE_DECIMALS), each.reason, each.num_similar


_WRITERS = {".csv": _as_csv, ".jsonl": _as_jsonl}
