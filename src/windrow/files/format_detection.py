"""Detect the format of a file without a telling extension from its first line; an ambiguous line is an error."""

import json

from windrow.codec.strict import parse_value
from windrow.domain.read_options import Format, ReadOptions
from windrow.files.columns import Evidence, listed
from windrow.files.decoding import LINE_END, Source
from windrow.files.delimited import declared_delimiter, evidence_of
from windrow.files.json_values import ROW_KEYS, TEXT_KEY


def detect_format(source: Source, beginning: str, options: ReadOptions, *, labelled: bool) -> Format:
    """Detect the format of a file without a known extension from its first line.

    Args:
        source: The file, for messages.
        beginning: The start of its text, at least up to the end of the first line that is not blank.
        options: The read options that the user gave.
        labelled: Whether the rows must have labels.

    Raises:
        InvalidFile: It is not clear.
    """
    line = _first_line(beginning)
    if line.startswith("["):
        return "json"
    if line.startswith("{"):
        return _format_of_object(line)
    has_columns = labelled or bool(options.text_column) or options.header is not None
    return "csv" if has_columns or _has_header(source, line, options) else "txt"


def detect_txt_format(source: Source, beginning: str, options: ReadOptions, *, labelled: bool) -> Format:
    """Detect the format of a ``.txt`` file, which may be a table: Excel saves tab-separated tables as ``.txt``.

    Raises:
        InvalidFile: It is not clear.
    """
    line = _first_line(beginning)
    evidence, values = evidence_of(line, options)
    if len(values) > 1 and (evidence is Evidence.SURE or (labelled and "\t" in line)):
        return "tsv" if "\t" in line else "csv"
    if declared_delimiter(line):
        return "csv"
    if "\t" in line:
        raise source.error(
            "there are tabs in the first line, so it is not clear whether each line is a text. If it is, add "
            "{set:format=txt}; if the tabs part columns, add {set:format=tsv}.",
            parameter="format",
        )
    return "txt"


def _first_line(beginning: str) -> str:
    return LINE_END.split(beginning.lstrip(), 1)[0].rstrip()


def _format_of_object(line: str) -> Format:
    try:
        value, _ = parse_value(line)
    except json.JSONDecodeError:
        return "json"  # an object that goes on in the next line
    except ValueError:
        return "jsonl"  # which is refused with its line
    has_rows = any(isinstance(value.get(key), list) for key in ROW_KEYS)
    lists = [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
    return "json" if has_rows or (len(lists) == 1 and TEXT_KEY not in value) else "jsonl"


def _has_header(source: Source, line: str, options: ReadOptions) -> bool:
    """Return whether a line is a header; a text that only looks like a header must not be lost.

    Raises:
        InvalidFile: It is not clear.
    """
    if declared_delimiter(line):
        return True
    evidence, values = evidence_of(line, options)
    are_names = len(values) > 1 and not any(" " in value for value in values)
    if evidence is Evidence.NONE:
        return False
    if evidence is Evidence.SURE or (evidence is Evidence.TEXT and are_names):
        return True
    raise source.error(
        "it is not clear whether the first line, {names}, names columns. If each line is a text, add "
        "{set:format=txt}; if it names the columns, add {set:format=csv} {set:header}; if it is a row of several "
        "columns, {set:format=csv} {unset:header}.",
        names=listed(values),
        parameter="format",
    )
