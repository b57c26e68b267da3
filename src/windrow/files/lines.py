"""Split blocks of text into lines, and pass over runs of blank ones without looking at each: a file may hold millions.

Knows nothing of rows or columns. Holds one block and what precedes it in its first line in memory at a time.
"""

import re
from collections.abc import Iterator
from typing import Final, Self

from windrow.domain.errors import InvalidFile
from windrow.files.decoding import LINE_END, MAX_LINE_CHARS, Source, count_line_ends

# Whole lines of which nothing is seen. Each repetition takes all that it can for good, so that no text takes long.
BLANK_LINES: Final = re.compile(r"(?:[^\S\r\n]*+[\r\n])*+")


class Lines:
    r"""The lines of a text, each with its end (``\n``, ``\r\n`` or ``\r``), the last one as it is.

    Args:
        source: The file, for messages.
        blocks: Its text; no ``\r\n`` falls between two of them.

    Attributes:
        number: The number of the line that was given or passed over last, from 1; 0 before the first one.
    """

    def __init__(self, source: Source, blocks: Iterator[str]) -> None:
        self._source = source
        self._blocks = blocks
        self._text = ""  # whole lines, or the end of the file
        self._at = 0
        self._has_returns = False
        self._rest = ""  # what was read of the line after them
        self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Return the next line.

        Raises:
            InvalidFile: It is longer than ``MAX_LINE_CHARS``.
        """
        if self._at == len(self._text) and not self._read():
            raise StopIteration
        start = self._at
        if self._has_returns:
            found = LINE_END.search(self._text, start)
            end = len(self._text) if found is None else found.end()
        else:
            end = self._text.find("\n", start) + 1 or len(self._text)
        self._at = end
        self.number += 1
        return self._text[start:end]

    def put_back(self, line: str) -> None:
        """Let the line that was given last be the next one again."""
        self._at -= len(line)
        self.number -= 1

    def pass_over(self, lines: re.Pattern[str]) -> None:
        """Pass over the next lines.

        Args:
            lines: Matches any number of whole lines from the beginning of one, also none.

        Raises:
            InvalidFile: A line is longer than ``MAX_LINE_CHARS``.
        """
        while True:
            found = lines.match(self._text, self._at)
            assert found is not None
            if found.end() > self._at:
                self.number += count_line_ends(found[0])
                self._at = found.end()
            if self._at < len(self._text) or not self._read():
                return

    def blocks(self) -> Iterator[str]:
        """Yield what is left of the text, in blocks of any length; no line is to be taken any more."""
        left, self._text, self._rest, self._at = self._text[self._at :] + self._rest, "", "", 0
        if left:
            yield left
        yield from self._blocks

    def _read(self) -> bool:
        """Read on up to the end of a line, or of the file; tell whether there was more."""
        parts, num_chars = [self._rest], len(self._rest)
        self._text, self._at, self._rest = "", 0, ""
        for block in self._blocks:
            end = max(block.rfind("\n"), block.rfind("\r")) + 1
            if end:
                self._rest = block[end:]
                parts.append(block[:end])
                break
            parts.append(block)
            num_chars += len(block)
            if num_chars > MAX_LINE_CHARS:
                raise too_long_line(self._source, self.number + 1)
        self._text = "".join(parts)
        self._has_returns = "\r" in self._text
        return bool(self._text)


def filled_lines(source: Source, blocks: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Yield each line in which something is seen, with its number from 1 and its end.

    Raises:
        InvalidFile: A line is longer than ``MAX_LINE_CHARS``.
    """
    lines = Lines(source, blocks)
    lines.pass_over(BLANK_LINES)
    for line in lines:
        if not line.isspace():
            yield lines.number, line
        lines.pass_over(BLANK_LINES)


def too_long_line(source: Source, line: int) -> InvalidFile:
    """Return the error for a line that has more than ``MAX_LINE_CHARS`` characters."""
    return source.error(
        "the line has more than {limit:,} characters. Is it a file of another kind? Name the right kind with "
        "{arg:format}.",
        line,
        parameter="format",
        limit=MAX_LINE_CHARS,
    )
