"""Which format a file has whose name does not say so, by its first line; what is not certain is refused."""

import json

from windrow.cli.columns import Evidence, listed
from windrow.cli.decoding import LINE_END, Source
from windrow.cli.delimited import delimiter_said, evidence_of
from windrow.cli.json_values import ROW_KEYS
from windrow.cli.read_options import Format, Reading
from windrow.codec.strict import parse_value


def guessed_format(source: Source, beginning: str, how: Reading, *, labelled: bool) -> Format:
    """Return the format that a file's first line shows.

    Args:
        source: The file, for messages.
        beginning: Its text, up to the end of the first line that is not blank, at least.
        how: What somebody said about it.
        labelled: Whether its rows have labels that are needed.

    Raises:
        InvalidParameter: It is not clear.
    """
    line = _first_line(beginning)
    if line.startswith("["):
        return "json"
    if line.startswith("{"):
        return _format_of_object(line)
    has_columns = labelled or bool(how.text_column) or how.header is not None
    return "csv" if has_columns or _has_header(source, line, how) else "txt"


def format_of_text(source: Source, beginning: str, how: Reading, *, labelled: bool) -> Format:
    """Return the format of a file whose name ends in ``.txt``: Excel calls a table with tabs so.

    Raises:
        InvalidParameter: It is not clear.
    """
    line = _first_line(beginning)
    evidence, values = evidence_of(line, how)
    if len(values) > 1 and (evidence is Evidence.SURE or (labelled and "\t" in line)):
        return "tsv" if "\t" in line else "csv"
    if delimiter_said(line):
        return "csv"
    if "\t" in line:
        raise source.wrong(
            "there are tabs in the first line, so it is not clear whether each line is a text. If it is, add --format "
            "txt; if the tabs part columns, add --format tsv."
        )
    return "txt"


def _first_line(beginning: str) -> str:
    return LINE_END.split(beginning.lstrip(), 1)[0].rstrip()


def _format_of_object(line: str) -> Format:
    try:
        value, _ = parse_value(line)
    except json.JSONDecodeError:
        return "json"  # an object that goes on in the next line
    except (ValueError, RecursionError):
        return "jsonl"  # which is refused with its line
    return "json" if any(isinstance(value.get(key), list) for key in ROW_KEYS) else "jsonl"


def _has_header(source: Source, line: str, how: Reading) -> bool:
    """Whether a line names columns; a text that only looks like it must not be lost.

    Raises:
        InvalidParameter: It is not clear.
    """
    if delimiter_said(line):
        return True
    evidence, values = evidence_of(line, how)
    are_names = len(values) > 1 and not any(" " in value for value in values)
    if evidence is Evidence.NONE:
        return False
    if evidence is Evidence.SURE or (evidence is Evidence.TEXT and are_names):
        return True
    raise source.wrong(
        "it is not clear whether the first line, {names}, names columns. If each line is a text, add --format txt; if "
        "it names the columns, add --format csv --header; if it is a row of several columns, --format csv --no-header.",
        names=listed(values),
    )
