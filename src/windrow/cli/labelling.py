"""Files for people who label: the texts that are worth it, and room for what they decide.

Owns their columns, and that no file is half done; knows nothing of how texts are chosen.
"""

import csv
import io
import json
from pathlib import Path

from windrow.cli.formats import file_problem
from windrow.disk import whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.suggestion import Suggestion, Suggestions


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


def write_suggestions(found: Suggestions, out: Path) -> None:
    """Write suggestions to a file for the labelling, whole or not at all.

    Raises:
        InvalidParameter: It cannot be written.
    """
    content = _WRITERS[out.suffix.lower()](found).encode()
    try:
        with whole_file(out) as file:
            file.write(content)
    except OSError as error:
        raise file_problem(out, error) from error


def _as_csv(found: Suggestions) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, ("text", "label", "guess", "score", "why", "alike"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_to_label, found.suggestions))
    return file.getvalue()


def _as_jsonl(found: Suggestions) -> str:
    return "".join(f"{json.dumps(_to_label(each), ensure_ascii=False)}\n" for each in found.suggestions)


def _to_label(each: Suggestion) -> dict[str, object]:
    # The label is left empty, so that a guess that nobody looked at never becomes training data.
    score = round(each.score, 4)
    return {
        "text": each.text,
        "label": "",
        "guess": each.label,
        "score": score,
        "why": each.why,
        "alike": each.alike,
    }


_WRITERS = {".csv": _as_csv, ".jsonl": _as_jsonl}
