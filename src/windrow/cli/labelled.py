"""Labelled rows from a file, whole, and refusals of a row told by its place in the file.

Owns that one translation; knows nothing of formats or of what is done with the rows.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from windrow.cli.decoding import source_name
from windrow.cli.reading import Reading, read_rows
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file's rows.

    Args:
        path: The file.
        rows: Its rows, in order.
        lines: Where each begins, from 1.
    """

    path: Path
    rows: tuple[Row, ...]
    lines: tuple[int, ...]

    @contextmanager
    def located(self) -> Iterator[None]:
        """Name the line of the file in an error about one of its rows, which only has the row's number.

        Raises:
            InvalidInput: What was raised inside, with the line.
        """
        try:
            yield
        except InvalidInput as error:
            row = error.facts.get("row")
            if not isinstance(row, int) or not 0 <= row < len(self.lines):
                # What is wrong with all rows together is wrong with the file.
                detail = re.sub(r"(?<!\.)\bt(raining|est)_data\b(?!\[)", lambda _: source_name(self.path), error.detail)
                raise type(error)(detail, {**error.facts, "file": source_name(self.path)}) from error
            line = self.lines[row]
            facts = {**error.facts, "file": source_name(self.path), "line": line}
            raise type(error)(f"{source_name(self.path)}, line {line}: {error.detail}", facts) from error


def read_labelled(path: Path, how: Reading) -> LabelledFile:
    """Return all rows of a file.

    Raises:
        InvalidParameter: The file or a row is wrong; the words name its line.
    """
    rows, lines = [], []
    for line in read_rows(path, how):
        rows.append(Row(line.text, line.label))
        lines.append(line.line)
    return LabelledFile(path, tuple(rows), tuple(lines))
