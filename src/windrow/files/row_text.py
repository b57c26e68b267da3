"""Give the text of a table to a reader line by line, cut by Python's own reader of files: it is several times as fast.

Passes over blocks of empty lines without looking at each line: a file may hold millions.
"""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO, cast

from windrow.files.decoding import MAX_LINE_CHARS, Source, count_line_ends
from windrow.files.lines import Lines, too_long_line

if TYPE_CHECKING:
    import _csv

# It is text already; bytes are what a reader of files takes.
_ENCODING = "utf-8"
_ERRORS = "surrogatepass"


class RowText(io.BufferedIOBase):
    """The text of a table as a file of bytes.

    Args:
        source: The file, for messages.
        lines: Its text, of which no line is taken any more.
        delimiter: What stands between fields.

    Attributes:
        reader: What reads the lines.
        empty: How many lines the reader had taken when its last empty row ended.
        passed: How many lines of the file the reader does not count: those before, and those that were passed over.
    """

    reader: "_csv.Reader"

    def __init__(self, source: Source, lines: Lines, delimiter: str) -> None:
        super().__init__()
        self._source = source
        self._blocks = lines.blocks()
        # Where a row begins, lines of nothing or of delimiters alone are passed over; inside a value, they count.
        self._no_value = f"{delimiter}\r\n"
        self._open_chars = 0
        self.empty = 0
        self.passed = lines.number

    def lines(self) -> Iterable[str]:
        """Return its lines, each with its end."""
        return io.TextIOWrapper(cast(BinaryIO, self), _ENCODING, _ERRORS, newline="")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read1(self, _size: int = -1, /) -> bytes:
        """Return the next block, however long it is; nothing at the end.

        Raises:
            InvalidFile: A line is longer than ``MAX_LINE_CHARS``.
        """
        for block in self._blocks:
            end = max(block.rfind("\n"), block.rfind("\r")) + 1
            if end == len(block) and self._is_passed_over(block):
                self.passed += count_line_ends(block)
                continue
            self._open_chars = len(block) - end if end else self._open_chars + len(block)
            if self._open_chars > MAX_LINE_CHARS:
                raise too_long_line(self._source, self.passed + self.reader.line_num + 1)
            return block.encode(_ENCODING, _ERRORS)
        return b""

    def _is_passed_over(self, block: str) -> bool:
        """Return whether a block of whole lines follows an empty row, and holds nothing but such ones."""
        is_after_empty = self._open_chars == 0 and self.reader.line_num == self.empty
        return is_after_empty and not block.strip(self._no_value)
