"""Tells rows whose text or label is longer than a training takes."""

from collections.abc import Mapping

from windrow.domain.dataset import MAX_LABEL_CHARS
from windrow.domain.errors import WindrowError
from windrow.files.reading import Record


def find_length_problem(record: Record, max_text_chars: int) -> tuple[str, Mapping[str, object]] | None:
    """Return why a row is too long, as a template and its facts; ``None`` if it is not.

    Args:
        record: The row.
        max_text_chars: The longest text that is taken, in characters.
    """
    if len(record.text) > max_text_chars:
        return (
            "the text has {chars} characters; at most {limit} are taken here. Shorten it, or raise {setting}.",
            {"chars": len(record.text), "limit": max_text_chars, "setting": "WINDROW_MAX_TEXT_CHARS"},
        )
    longest = max(map(len, (record.label, *(record.labels or ()))))
    if longest > MAX_LABEL_CHARS:
        return (
            "the label has {chars} characters; a label has at most {limit}. Shorten it.",
            {"chars": longest, "limit": MAX_LABEL_CHARS},
        )
    return None


def refusal_of(record: Record, error: WindrowError) -> tuple[str, Mapping[str, object]]:
    """Return why a service refused the text of a row, as a template and its facts.

    Args:
        record: The row.
        error: What it raised.
    """
    limit = error.facts.get("limit")
    problem = find_length_problem(record, limit) if isinstance(limit, int) else None
    if problem is not None:
        return problem
    # What it says of its request is not what is wrong with the file.
    return error.template, {name: value for name, value in error.facts.items() if name != "index"}
