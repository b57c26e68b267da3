"""Write rows with their predictions as CSV, TSV, JSONL and JSON: all columns of a file, then the prediction's."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TextIO

from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.prediction import Kind, Prediction
from windrow.files.decoding import Source
from windrow.files.reading import Record
from windrow.files.text_form import PLAIN, TextForm

PREDICTION_COLUMNS: Final = ("predicted_label", "score", "in_scope", "abstained", "truncated")
# In place of the first one, where a text has any number of labels.
LABELS_COLUMN: Final = "predicted_labels"
# Between the labels of a cell of CSV.
LABEL_SEPARATOR: Final = ";"
SCORES_COLUMN: Final = "scores"
# Before the label, where each one has a column for its score.
SCORE_PREFIX: Final = "score_"
NOTE_COLUMN: Final = "note"
# Further decimals are floating-point noise, which depends on the other texts of the batch.
SCORE_DECIMALS: Final = 4
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
# For encodings that do not have all characters.
_ASCII_JSON = json.JSONEncoder(ensure_ascii=True, allow_nan=False)
# How cells begin that spreadsheets run, and what among them is a number.
_FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?")


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
        all_scores: Whether to add the scores of all labels.
        with_note: Whether to add a column that says why a row has no prediction.
        kind: Whether the first one holds a label, or any number of them.
        labels: The labels that have a column each for their scores; empty where the scores are one column.
    """

    prefix: str = ""
    all_scores: bool = False
    with_note: bool = False
    kind: Kind = "single_label"
    labels: tuple[str, ...] = ()

    def of_table(self, labels: Sequence[str]) -> "PredictionColumns":
        """Return the columns for a table, in which the score of each label has a column of its own."""
        return replace(self, labels=tuple(labels) if self.all_scores else ())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the new columns."""
        label, *others = PREDICTION_COLUMNS
        scores: tuple[str, ...] = ()
        if self.all_scores:
            scores = tuple(f"{SCORE_PREFIX}{each}" for each in self.labels) or (SCORES_COLUMN,)
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
        scores = {label: round(score, SCORE_DECIMALS) for label, score in prediction.scores.items()}
        return (*shown, *map(scores.get, self.labels)) if self.labels else (*shown, scores)

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

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with what they gain.

        Args:
            records: The rows, shape (n,).
            predictions: Their predictions, or why there is none, shape (n,).

        Raises:
            InvalidParameter: A row has a column that the rows before do not have.
        """
        ...

    def end(self) -> None:
        """Write the end of the output after the last row."""
        ...


def escaped_formula(text: str) -> str:
    """Return a text with an apostrophe before it, if a spreadsheet might take it for a formula; a number is none."""
    if text.startswith(_FORMULA_BEGINNINGS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


@dataclass(slots=True)
class CsvWriter:
    """Writes CSV or TSV: the columns of the file, then the new ones; a header first, where the form has one.

    Args:
        file: The output.
        prediction_columns: The new columns.
        source: The file that is read, for messages.
        columns: Its columns; ``None`` to take those of the first row.
        has_begun: Whether what stands before the first row has been written.
        form: How it is written.
        escape_formulas: Whether cells that a spreadsheet might take for formulas get an apostrophe before them.
    """

    file: TextIO
    prediction_columns: PredictionColumns
    source: Source
    columns: tuple[str, ...] | None = None
    has_begun: bool = False
    form: TextForm = PLAIN
    escape_formulas: bool = False

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        if self.columns is None:
            self.columns = tuple(records[0].values)
        self._begin(self.columns)
        rows: list[list[object]] = []
        for record, prediction in zip(records, predictions, strict=True):
            values = record.values
            if len(values) > len(self.columns) or not values.keys() <= set(self.columns):
                raise self._unknown_column_error(record)
            rows.append(self._cells([*map(values.get, self.columns), *self.prediction_columns.values(prediction)]))
        try:
            self.file.write(self.form.rows(rows))
        except UnicodeEncodeError as error:
            raise self._missing_character(records, error) from error
        self.file.flush()

    def end(self) -> None:
        """Write the header if there was no row, so that the file is valid CSV."""
        if self.columns is not None:
            self._begin(self.columns)
            self.file.flush()

    def _begin(self, columns: Sequence[str]) -> None:
        if not self.has_begun:
            self.prediction_columns.check(columns, self.source)
            self.file.write(self.form.beginning())
            if self.form.has_header:
                called = self.form.header if len(self.form.header) == len(columns) else columns
                self.file.write(self.form.rows([self._cells((*called, *self.prediction_columns.names))]))
            self.has_begun = True

    def _cells(self, values: Sequence[object]) -> list[object]:
        cells: Iterable[object] = map(_cell, values)
        if self.form.decimal_comma:
            cells = (str(cell).replace(".", ",") if isinstance(cell, float) else cell for cell in cells)
        if not self.escape_formulas:
            return list(cells)
        return [escaped_formula(cell) if isinstance(cell, str) else cell for cell in cells]

    def _unknown_column_error(self, record: Record) -> InvalidFile:
        assert self.columns is not None
        column = next(name for name in record.values if name not in self.columns)
        return self.source.error(
            "{column!r} stands in no row before, so the CSV has no column for it. Add --to jsonl.",
            record.line,
            column=column,
        )

    def _missing_character(self, records: Sequence[Record], error: UnicodeEncodeError) -> InvalidFile:
        character = error.object[error.start]
        line = next((each.line for each in records if character in map(str, each.values.values())), None)
        return self.source.error(
            "the encoding {encoding} does not have {character!r}. Add {set:output_encoding=utf-8-sig}.",
            line,
            encoding=self.form.encoding,
            character=character,
            parameter="output_encoding",
        )


# What a row becomes in JSON.
JsonShape = Callable[[Record, Gained], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class KeysShape:
    """Gives a row the keys of the file, then those of the prediction.

    Args:
        prediction_columns: The new keys.
        source: The file that is read, for messages.
    """

    prediction_columns: PredictionColumns
    source: Source

    def __call__(self, record: Record, gained: Gained) -> Mapping[str, object]:
        """Return a row with its prediction.

        Raises:
            InvalidFile: It has a key already that the prediction adds.
        """
        names = self.prediction_columns.names
        if not record.values.keys().isdisjoint(names):
            self.prediction_columns.check(tuple(record.values), self.source)
        return {**record.values, **dict(zip(names, self.prediction_columns.values(gained), strict=True))}


@dataclass(slots=True)
class JsonLinesWriter:
    """Writes JSON Lines.

    Args:
        file: The output.
        shape: What a row becomes.
        form: How it is written.
        has_begun: Whether a row has been written.
    """

    file: TextIO
    shape: JsonShape
    form: TextForm = PLAIN
    has_begun: bool = False

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        encode, end = encoder_of(self.form).encode, self.form.line_end
        rows = [encode(self.shape(record, gained)) + end for record, gained in zip(records, predictions, strict=True)]
        if rows and not self.has_begun:
            rows.insert(0, self.form.mark())
            self.has_begun = True
        self.file.write("".join(rows))
        self.file.flush()

    def end(self) -> None:
        """Write nothing: JSONL has no end."""


@dataclass(slots=True)
class JsonListWriter:
    """Writes one JSON list, with a row on each line.

    Args:
        file: The output.
        shape: What a row becomes.
        form: How it is written.
        has_begun: Whether a row has been written.
    """

    file: TextIO
    shape: JsonShape
    form: TextForm = PLAIN
    has_begun: bool = False

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        encode, end = encoder_of(self.form).encode, self.form.line_end
        for record, gained in zip(records, predictions, strict=True):
            self.file.write(f",{end}" if self.has_begun else f"{self.form.mark()}[{end}")
            self.file.write(encode(self.shape(record, gained)))
            self.has_begun = True
        self.file.flush()

    def end(self) -> None:
        """Close the list."""
        end = self.form.line_end
        self.file.write(f"{end}]{end}" if self.has_begun else f"{self.form.mark()}[]{end}")
        self.file.flush()


def encoder_of(form: TextForm) -> json.JSONEncoder:
    """Return what writes JSON in a form: characters that its encoding may not have, as escapes."""
    return _JSON if form.holds_all else _ASCII_JSON


def _cell(value: object) -> object:
    """Return a value as a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return LABEL_SEPARATOR.join(value)
    return _JSON.encode(value) if isinstance(value, dict | list) else value
