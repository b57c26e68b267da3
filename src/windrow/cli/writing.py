"""Write predictions as a table for a terminal, or as the HTTP API's JSON document."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from windrow.cli.formats import given_text, one_line
from windrow.domain.prediction import Answer, Kind, Prediction
from windrow.domain.values import recast
from windrow.files.reading import Record

_MOST_CELLS: Final = 32


@dataclass(slots=True)
class TableWriter:
    """Writes a table for a terminal: label or labels, score, ``in_scope``, and the text, cut to the width.

    Args:
        file: The output.
        labels: The classifier's labels, which set the width of the label column.
        width: The terminal's width in cells; ``None`` to cut nothing.
        kind: Whether a row has one label, or any number of them.
        has_header: Whether the header has been written.
    """

    file: TextIO
    labels: Sequence[str]
    width: int | None = None
    kind: Kind = "single_label"
    has_header: bool = field(default=False)

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:
        """Write rows with their predictions."""
        from rich.cells import cell_len, set_cell_size

        longest = self.labels if self.kind == "single_label" else (", ".join(self.labels), given_text(()))
        wide = min(_MOST_CELLS, max(cell_len(label) for label in (*longest, given_text(None))))
        if not self.has_header:
            heading = "label" if self.kind == "single_label" else "labels"
            self.file.write(f"{set_cell_size(heading, wide)}  score  in scope  text\n")
            self.has_header = True
        for record, prediction in zip(records, predictions, strict=True):
            given = given_text(None if prediction.abstained else prediction.given)
            label = set_cell_size(given, wide)
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
    """Writes the same JSON document as the HTTP API's response, incrementally.

    Args:
        file: The output.
        model: The classifier and its revision.
        alias: The alias in the request; ``None`` if it named the classifier.
        kind: The classifier's kind.
        has_rows: Whether a prediction has been written.
    """

    file: TextIO
    model: tuple[str, int]
    alias: str | None = None
    kind: Kind = "single_label"
    has_rows: bool = field(default=False)

    def write(self, records: Sequence[Record], predictions: Sequence[Prediction]) -> None:  # noqa: ARG002
        """Write the predictions; the document does not repeat the rows."""
        from windrow.codec.values import to_json

        for prediction in predictions:
            self.file.write("," if self.has_rows else '{"predictions":[')
            self.file.write(to_json(recast(Answer, prediction)).decode())
            self.has_rows = True
        self.file.flush()

    def end(self) -> None:
        """Write the classifier's kind, name, revision and alias, and close the document."""
        name, revision = self.model
        if not self.has_rows:
            self.file.write('{"predictions":[')
        shared = {"kind": self.kind, "model_name": name, "revision": revision, "alias": self.alias}
        self.file.write(f"],{json.dumps(shared, separators=(',', ':'))[1:]}\n")
        self.file.flush()
