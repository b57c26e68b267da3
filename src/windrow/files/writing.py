"""Write rows with their predictions as CSV and JSONL: all columns of a file, then those of the prediction."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TextIO

from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.prediction import Kind, Prediction
from windrow.files.decoding import Source
from windrow.files.reading import Record

PREDICTION_COLUMNS: Final = ("predicted_label", "score", "in_scope", "abstained", "truncated")
# In place of the first one, where a text has any number of labels.
LABELS_COLUMN: Final = "predicted_labels"
# Between the labels of a cell of CSV.
LABEL_SEPARATOR: Final = ";"
SCORES_COLUMN: Final = "scores"
NOTE_COLUMN: Final = "note"
# Further decimals are floating-point noise, which depends on the other texts of the batch.
SCORE_DECIMALS: Final = 4
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Stands for the prediction of a row that has none.

    Args:
        words: Why it has none.
    """

    words: str


# What a row gains.
Gained = Prediction | Note


@dataclass(frozen=True, slots=True)
class PredictionColumns:
    """The columns that a prediction adds to each row.

    Args:
        prefix: The prefix of the column names.
        all_scores: Whether to add a column with the scores of all labels.
        with_note: Whether to add a column that says why a row has no prediction.
        kind: Whether the first one holds a label, or any number of them.
    """

    prefix: str = ""
    all_scores: bool = False
    with_note: bool = False
    kind: Kind = "single_label"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the new columns."""
        label, *others = PREDICTION_COLUMNS
        scores = (SCORES_COLUMN,) if self.all_scores else ()
        note = (NOTE_COLUMN,) if self.with_note else ()
        first = LABELS_COLUMN if self.kind == "multi_label" else label
        return tuple(f"{self.prefix}{name}" for name in (first, *others, *scores, *note))

    def values(self, gained: Gained) -> tuple[object, ...]:
        """Return the values of the new columns; those of a row without a prediction are ``None``, up to the note."""
        if isinstance(gained, Note):
            return (*(None for _ in self.names[:-1]), gained.words)
        return (*self._predicted(gained), None) if self.with_note else self._predicted(gained)

    def _predicted(self, prediction: Prediction) -> tuple[object, ...]:
        shown = (
            prediction.labels if self.kind == "multi_label" else prediction.label,
            round(max(prediction.scores.values()), SCORE_DECIMALS),
            None if prediction.in_scope is None else round(prediction.in_scope, SCORE_DECIMALS),
            prediction.abstained,
            prediction.truncated,
        )
        if not self.all_scores:
            return shown
        return (*shown, {label: round(score, SCORE_DECIMALS) for label, score in prediction.scores.items()})

    def check(self, columns: Sequence[str], source: Source) -> None:
        """Refuse a file that already has one of the prediction columns.

        Raises:
            InvalidParameter: It has one.
        """
        if taken := [name for name in self.names if name in columns]:
            raise source.error(
                "there is a column {column!r} already. Give the new columns other names, for example with --prefix "
                "new_.",
                column=taken[0],
            )


def check_labels_for_csv(labels: Sequence[str], kind: Kind) -> None:
    """Refuse to write labels as CSV that could not be told apart in one cell.

    Args:
        labels: All labels of the classifier.
        kind: Whether a cell holds one label, or any number of them.

    Raises:
        InvalidParameter: One of several labels holds what separates them.
    """
    if kind == "multi_label" and (found := [label for label in labels if LABEL_SEPARATOR in label]):
        raise InvalidParameter(
            "The label {label!r} holds {separator!r}, which stands between the labels of a cell of CSV. Write jsonl in "
            "its place.",
            {"label": found[0], "separator": LABEL_SEPARATOR},
        )


class RowWriter(Protocol):
    """Writes rows with their predictions."""

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their predictions.

        Args:
            records: The rows, shape (n,).
            predictions: Their predictions, shape (n,).

        Raises:
            InvalidParameter: A row has a column that the rows before do not have.
        """
        ...

    def end(self) -> None:
        """Write the end of the output after the last row."""
        ...


@dataclass(slots=True)
class CsvWriter:
    """Writes CSV: the columns of the file, then the new ones; a header first.

    Args:
        file: The output.
        prediction_columns: The new columns.
        source: The file that is read, for messages.
        columns: Its columns; ``None`` to take those of the first row.
        has_header: Whether the header has been written.
    """

    file: TextIO
    prediction_columns: PredictionColumns
    source: Source
    columns: tuple[str, ...] | None = None
    has_header: bool = False

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        writer = csv.writer(LineFeedWriter(self.file))
        if self.columns is None:
            self.columns = tuple(records[0].values)
        self._write_header(self.columns)
        for record, prediction in zip(records, predictions, strict=True):
            values = record.values
            if len(values) > len(self.columns) or not values.keys() <= set(self.columns):
                raise self._unknown_column_error(record)
            row = [_cell(values.get(column)) for column in self.columns]
            writer.writerow([*row, *map(_cell, self.prediction_columns.values(prediction))])
        self.file.flush()

    def end(self) -> None:
        """Write the header if there was no row, so that the file is valid CSV."""
        if self.columns is not None:
            self._write_header(self.columns)
            self.file.flush()

    def _write_header(self, columns: Sequence[str]) -> None:
        if not self.has_header:
            self.prediction_columns.check(columns, self.source)
            csv.writer(LineFeedWriter(self.file)).writerow((*columns, *self.prediction_columns.names))
            self.has_header = True

    def _unknown_column_error(self, record: Record) -> InvalidFile:
        assert self.columns is not None
        column = next(name for name in record.values if name not in self.columns)
        return self.source.error(
            "{column!r} stands in no row before, so the CSV has no column for it. Add --to jsonl.",
            record.line,
            column=column,
        )


@dataclass(frozen=True, slots=True)
class LineFeedWriter:
    r"""Ends each row with ``\n``. ``csv.writer`` with that line terminator would not quote a ``\r``.

    Args:
        file: The output.
    """

    file: TextIO

    def write(self, row: str) -> None:
        """Write a row."""
        self.file.write(row.removesuffix("\r\n") + "\n")


@dataclass(slots=True)
class JsonLinesWriter:
    """Writes JSON Lines: the keys of the file, then those of the prediction.

    Args:
        file: The output.
        prediction_columns: The new keys.
        source: The file that is read, for messages.
    """

    file: TextIO
    prediction_columns: PredictionColumns
    source: Source

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        names = self.prediction_columns.names
        for record, prediction in zip(records, predictions, strict=True):
            if not record.values.keys().isdisjoint(names):
                self.prediction_columns.check(tuple(record.values), self.source)
            gained = dict(zip(names, self.prediction_columns.values(prediction), strict=True))
            self.file.write(_JSON.encode({**record.values, **gained}) + "\n")
        self.file.flush()

    def end(self) -> None:
        """Write nothing: JSONL has no end."""


def _cell(value: object) -> object:
    """Return a value as a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return LABEL_SEPARATOR.join(value)
    return _JSON.encode(value) if isinstance(value, dict | list) else value
