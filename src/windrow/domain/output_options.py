"""How results of rows of a file are written, where that is not the form of what came."""

from typing import Final, Literal, get_args

from windrow.domain.errors import InvalidParameter

# Those that have all characters; utf-8-sig is UTF-8 with the mark by which Excel knows it.
OutputEncoding = Literal["utf-8", "utf-8-sig", "utf-16"]
# What rows with their predictions are written as: tables, JSON, and what labelling tools import.
ResultFormat = Literal[
    "csv", "tsv", "jsonl", "json", "xlsx", "parquet", "label_studio", "argilla", "doccano", "prodigy"
]
RESULT_FORMATS: Final[tuple[ResultFormat, ...]] = get_args(ResultFormat)
# Which cells of a table stand in quotation marks.
WrittenQuoting = Literal["minimal", "all", "none"]
OUTPUT_ENCODINGS: Final[tuple[OutputEncoding, ...]] = get_args(OutputEncoding)


def check_output_encoding(encoding: OutputEncoding | None) -> None:
    """Refuse an encoding that is none of those that results are written in, unless they have that of the file.

    Raises:
        InvalidParameter: It is none of them.
    """
    if encoding not in (None, *OUTPUT_ENCODINGS):
        raise InvalidParameter(
            "{arg:{parameter}} {value!r} is none of {known:joined}. {Send} one of them, or leave it out.",
            {"parameter": "output_encoding", "value": encoding, "known": list(OUTPUT_ENCODINGS)},
        )
