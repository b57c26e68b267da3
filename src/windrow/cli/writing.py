"""Answered rows on their way out: CSV, JSONL, a table for a terminal, or the HTTP API's own document.

Owns the columns that are added and how each format shows them; knows nothing of where the rows come from.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TextIO

from windrow.cli.decoding import Source
from windrow.cli.formats import one_line
from windrow.cli.reading import Record
from windrow.domain.errors import InvalidParameter
from windrow.domain.prediction import Answer, Prediction
from windrow.domain.values import recast

OutputFormat = Literal["csv", "jsonl", "table"]
ADDED: Final = ("predicted_label", "score", "in_scope", "abstained", "truncated")
SCORES: Final = "scores"
# More are noise of the encoder's arithmetic, which depends on the texts that it reads together.
DIGITS: Final = 4
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Added:
    """What each row gains.

    Args:
        prefix: What the names of the new columns begin with.
        all_scores: Whether the scores of all labels are among them.
    """

    prefix: str = ""
    all_scores: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the new columns."""
        return tuple(f"{self.prefix}{name}" for name in (*ADDED, *((SCORES,) if self.all_scores else ())))

    def values(self, prediction: Prediction) -> tuple[object, ...]:
        """Return the values of the new columns."""
        shown = (
            prediction.label,
            round(max(prediction.scores.values()), DIGITS),
            None if prediction.in_scope is None else round(prediction.in_scope, DIGITS),
            prediction.abstained,
            prediction.truncated,
        )
        if not self.all_scores:
            return shown
        return (*shown, {label: round(score, DIGITS) for label, score in prediction.scores.items()})

    def check(self, columns: Sequence[str], source: Source) -> None:
        """Make sure that no column of a file has the name of a new one.

        Raises:
            InvalidParameter: One has.
        """
        if taken := [name for name in self.names if name in columns]:
            raise source.wrong(
                "there is a column {column!r} already. Give the new columns other names, for example with --prefix "
                "new_.",
                column=taken[0],
            )


class RowWriter(Protocol):
    """Writes answered rows."""

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their answers.

        Raises:
            InvalidParameter: A row has columns that do not go with those before.
        """
        ...

    def end(self) -> None:
        """Write what comes after the last row."""
        ...


@dataclass(slots=True)
class CsvWriter:
    """Writes CSV: the columns of the file, then the new ones; a header first.

    Args:
        file: Where to.
        added: The new columns.
        source: The file that is read, for messages.
        columns: Its columns; ``None`` to take those of the first row.
        has_header: Whether the header is written already.
    """

    file: TextIO
    added: Added
    source: Source
    columns: tuple[str, ...] | None = None
    has_header: bool = False

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their answers."""
        writer = csv.writer(UnixLines(self.file))
        if self.columns is None:
            self.columns = tuple(records[0].values)
        self._write_header(self.columns)
        for record, prediction in zip(records, predictions, strict=True):
            values = record.values
            if len(values) > len(self.columns) or not values.keys() <= set(self.columns):
                raise self._unknown(record)
            row = [_cell(values.get(column)) for column in self.columns]
            writer.writerow([*row, *map(_cell, self.added.values(prediction))])
        self.file.flush()

    def end(self) -> None:
        """Write the header where there was no row, so that the file is a table all the same."""
        if self.columns is not None:
            self._write_header(self.columns)
            self.file.flush()

    def _write_header(self, columns: Sequence[str]) -> None:
        if not self.has_header:
            self.added.check(columns, self.source)
            csv.writer(UnixLines(self.file)).writerow((*columns, *self.added.names))
            self.has_header = True

    def _unknown(self, record: Record) -> InvalidParameter:
        assert self.columns is not None
        column = next(name for name in record.values if name not in self.columns)
        return self.source.wrong(
            "{column!r} stands in no row before, so the CSV has no column for it. Add --to jsonl.",
            record.line,
            column=column,
        )


@dataclass(frozen=True, slots=True)
class UnixLines:
    r"""Ends each row with ``\n``. A csv writer told to do so would not quote a ``\r`` in a text.

    Args:
        file: Where to.
    """

    file: TextIO

    def write(self, row: str) -> None:
        """Write a row."""
        self.file.write(row.removesuffix("\r\n") + "\n")


@dataclass(slots=True)
class JsonLinesWriter:
    """Writes a JSON object a line: the keys of the file, then the new ones.

    Args:
        file: Where to.
        added: The new keys.
        source: The file that is read, for messages.
    """

    file: TextIO
    added: Added
    source: Source

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their answers."""
        names = self.added.names
        for record, prediction in zip(records, predictions, strict=True):
            if not record.values.keys().isdisjoint(names):
                self.added.check(tuple(record.values), self.source)
            gained = dict(zip(names, self.added.values(prediction), strict=True))
            self.file.write(_JSON.encode({**record.values, **gained}) + "\n")
        self.file.flush()

    def end(self) -> None:
        """Write nothing: JSONL has no end."""


@dataclass(slots=True)
class TableWriter:
    """Writes a line a row for people: label, score, likeness to the training data, and the text, cut to the width.

    Args:
        file: Where to.
        labels: The classifier's labels, whose longest one sets the width of its column.
        width: Cells of the terminal; ``None`` to cut nothing.
        has_header: Whether something was written already.
    """

    file: TextIO
    labels: Sequence[str]
    width: int | None = None
    has_header: bool = field(default=False)

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their answers."""
        from rich.cells import cell_len, set_cell_size

        wide = min(32, max(cell_len(label) for label in (*self.labels, "(abstained)")))
        if not self.has_header:
            self.file.write(f"{set_cell_size('label', wide)}  score  in scope  text\n")
            self.has_header = True
        for record, prediction in zip(records, predictions, strict=True):
            label = set_cell_size(one_line(prediction.label or "(abstained)"), wide)
            scope = "       -" if prediction.in_scope is None else f"{prediction.in_scope:8.2f}"
            text = one_line(record.text)
            if self.width is not None and cell_len(text) > (room := max(10, self.width - wide - 19)):
                text = set_cell_size(text, room - 1) + "…"
            self.file.write(f"{label}  {max(prediction.scores.values()):5.2f}  {scope}  {text}\n")
        self.file.flush()

    def end(self) -> None:
        """Write nothing: the table ends with its last row."""


@dataclass(slots=True)
class DocumentWriter:
    """Writes the one JSON document with which the HTTP API answers many texts, however many they are.

    Args:
        file: Where to.
        who: The classifier and its revision.
        alias: The alias by which it was asked.
        has_rows: Whether something was written already.
    """

    file: TextIO
    who: tuple[str, int]
    alias: str | None = None
    has_rows: bool = field(default=False)

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:  # noqa: ARG002
        """Write the answers; the document does not repeat the rows."""
        from windrow.codec.values import to_json

        for prediction in predictions:
            self.file.write("," if self.has_rows else '{"predictions":[')
            self.file.write(to_json(recast(Answer, prediction)).decode())
            self.has_rows = True
        self.file.flush()

    def end(self) -> None:
        """Write who answered."""
        name, revision = self.who
        if not self.has_rows:
            self.file.write('{"predictions":[')
        who = json.dumps({"model_name": name, "revision": revision, "alias": self.alias}, separators=(",", ":"))
        self.file.write(f"],{who[1:]}\n")
        self.file.flush()


def _cell(value: object) -> object:
    """Return a value as CSV holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _JSON.encode(value) if isinstance(value, dict | list) else value
