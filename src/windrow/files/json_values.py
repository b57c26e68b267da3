"""Parse a JSON document of any length incrementally, one value at a time, with line numbers.

Knows nothing of rows. Holds one value and one block of text in memory at a time.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from windrow.codec.strict import parse_value, short_key, why_refused
from windrow.files.decoding import MAX_LINE_CHARS, Source
from windrow.files.lines import filled_lines

# The keys of the HTTP API for lists of texts and rows, so that the body of a request can be read as a file.
ROW_KEYS = ("texts", "training_data", "test_data")
# An object with it is a row itself, whatever lists it holds.
TEXT_KEY = "text"
# A document that is one object is held whole, and takes some times as much room.
MAX_DOCUMENT_CHARS = 1 << 26
_BLANKS = re.compile(r"[ \t\r\n]*")


def shown_value(value: object) -> str:
    """Return a value as a string: what is no string as JSON, and ``None`` as an empty one."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def listed_values(source: Source, blocks: Iterator[str]) -> Iterator[tuple[int, Any]]:
    """Yield each item of a JSON array with its line: a top-level one, or the only one of objects or rows in an object.

    Args:
        source: The file, for messages.
        blocks: Its text.

    Raises:
        InvalidParameter: It is not JSON, or has no such array.
    """
    document = _Document(source, blocks)
    opening = document.peek()
    if opening == "[":
        yield from document.elements()
    elif opening == "{":
        yield from _values_of_object(document)
    else:
        raise document.error(
            "a JSON document begins with [ or {{. Is it a file of another kind? Name the right one with {arg:format}.",
            parameter="format",
        )
    if document.peek():
        raise document.error(
            "something follows the end of the JSON document. If each line is an object of its own, add "
            "{set:format=jsonl}.",
            parameter="format",
        )


def json_lines(source: Source, blocks: Iterator[str]) -> Iterator[tuple[int, Any]]:
    """Yield the value of each line that is not blank, with its number from 1; tell the listener of a broken one.

    Raises:
        InvalidFile: A line is no JSON, and there is no listener.
    """
    for number, line in filled_lines(source, blocks):
        try:
            value, end = parse_value(line.strip())
            if end < len(line.strip()):
                raise json.JSONDecodeError("Extra data", line, end)
            yield number, value
        except ValueError as error:
            words = "the JSON is broken: {reason}. Correct that line."
            if source.listener is None:
                raise source.error(words, number, reason=why_refused(error)) from error
            source.reject(words, number, reason=why_refused(error))


def document_values(source: Source, blocks: Iterator[str]) -> Iterator[tuple[int, Any]]:
    """Yield each item of a JSON list, or the one value that a document is, with its line.

    Raises:
        InvalidFile: It is no JSON, or has no end within :data:`MAX_DOCUMENT_CHARS`.
    """
    document = _Document(source, blocks)
    if document.peek() == "[":
        yield from document.elements()
    else:
        document.max_chars = MAX_DOCUMENT_CHARS
        line = document.line
        yield line, document.value()
    if document.peek():
        raise document.error("something follows the end of the JSON document. Remove it, or fetch the file again.")


def _values_of_object(document: "_Document") -> Iterator[tuple[int, Any]]:
    has_list = is_row = False
    keys: set[str] = set()
    # Which of them holds the rows, the end of the object tells.
    others: dict[str, list[tuple[int, Any]]] = {}
    for _ in document.members("{", "}"):
        key = document.key()
        if key in keys:
            raise document.broken(f"the key {short_key(key)!r} stands twice in one object")
        keys.add(key)
        document.take(":")
        if key in ROW_KEYS and document.peek() == "[":
            if has_list:
                raise document.error("there is a second list of rows, {key}. Keep only one of them.", key=key)
            has_list = True
            yield from document.elements()
        elif not has_list and not is_row and document.begins_list_of_objects():
            others[key] = list(document.limited(document.elements()))
        else:
            document.value()
            is_row = is_row or key == TEXT_KEY
    if has_list:
        return
    if len(others) > 1 and not is_row:
        raise document.error(
            "there are several lists of objects, under {keys}. Keep only the one with the rows.",
            keys=", ".join(map(short_key, others)),
        )
    if others and not is_row:
        for items in others.values():
            yield from items
    else:
        raise document.error(
            # As one string: in a list, names of parameters would be told as options and files.
            "the object holds no list under {keys}, and none of objects. Give it one, of an object for each row. If "
            "each line is an object of its own, add {set:format=jsonl}.",
            parameter="format",
            keys=", ".join(ROW_KEYS),
        )


@dataclass(slots=True)
class _Document:
    """A place in a JSON document.

    Args:
        source: The file, for messages.
        blocks: Text that was not looked at yet.
        text: Text that was read, of which ``at`` characters are done with.
        at: The place in ``text``.
        line: The line of that place, from 1.
        done: How many characters are done with, not counting single marks.
        is_whole: Whether ``text`` holds all that is left.
        max_chars: A value that is longer is not read to its end.
    """

    source: Source
    blocks: Iterator[str]
    text: str = field(default="")
    at: int = field(default=0)
    line: int = field(default=1)
    done: int = field(default=0)
    is_whole: bool = field(default=False)
    max_chars: int = field(default=MAX_LINE_CHARS)

    def error(self, template: str, **facts: object) -> Exception:
        """Return an error that names this place."""
        return self.source.error(template, self.line, **facts)

    def broken(self, why: str) -> Exception:
        """Return an error that says why this is no JSON."""
        return self.error("the JSON is broken: {reason}. Correct it.", reason=why)

    def peek(self) -> str:
        """Return the next character that is not blank, without taking it; nothing at the end."""
        while True:
            found = _BLANKS.match(self.text, self.at)
            assert found is not None
            end = found.end()
            self._pass_over(end)
            if end < len(self.text) or self.is_whole:
                return self.text[end : end + 1]
            self._read_more(1)

    def limited(self, items: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield items as long as they fit in memory.

        Raises:
            InvalidFile: They have more characters than :data:`MAX_DOCUMENT_CHARS`.
        """
        first = self.done
        for item in items:
            if self.done - first > MAX_DOCUMENT_CHARS:
                words = "the list of rows has more than {limit:,} characters. Write it as JSONL, or as a list alone."
                raise self.error(words, limit=MAX_DOCUMENT_CHARS)
            yield item

    def begins_list_of_objects(self) -> bool:
        """Return whether a list comes next, and an object in it, without taking them."""
        if self.peek() != "[":
            return False
        while True:
            found = _BLANKS.match(self.text, self.at + 1)
            assert found is not None
            end = found.end()
            if end < len(self.text) or self.is_whole or end - self.at > MAX_LINE_CHARS:
                return self.text[end : end + 1] == "{"
            self._read_more(1)

    def take(self, expected: str) -> None:
        """Take a character that must come next."""
        if self.peek() != expected:
            raise self.broken(f"{expected} is missing")
        self.at += 1

    def key(self) -> str:
        """Take the key of a member."""
        if self.peek() != '"':
            raise self.broken("expecting property name enclosed in double quotes")
        return str(self.value())

    def value(self) -> Any:
        """Take the next value."""
        self.peek()
        while True:
            try:
                value, end = parse_value(self.text, self.at)
            except json.JSONDecodeError as error:
                # What breaks off may only be unread.
                if self.is_whole or len(self.text) - self.at > self.max_chars:
                    raise self.broken(why_refused(error)) from error
            except ValueError as error:
                raise self.broken(why_refused(error)) from error
            else:
                # A number at the end of what was read may go on.
                if end < len(self.text) or self.is_whole:
                    self._pass_over(end)
                    return value
            # Twice as much each time, so that a long value is not looked at over and over.
            self._read_more(max(1, len(self.text) - self.at))

    def elements(self) -> Iterator[tuple[int, Any]]:
        """Take a list, value by value, each with the line where it begins."""
        for line in self.members("[", "]"):
            yield line, self.value()

    def members(self, opening: str, closing: str) -> Iterator[int]:
        """Take what stands around the members of a list or an object; yield before each one, which is then to be taken.

        Yields:
            The line where the member begins.
        """
        self.take(opening)
        is_more = self.peek() != closing
        while is_more:
            self.peek()
            yield self.line
            if is_more := self.peek() != closing:
                self.take(",")
        self.take(closing)

    def _pass_over(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.done += end - self.at
        self.at = end

    def _read_more(self, chars: int) -> None:
        parts, read = [self.text[self.at :]], 0
        while read < chars:
            block = next(self.blocks, None)
            if block is None:
                self.is_whole = True
                break
            parts.append(block)
            read += len(block)
        self.text, self.at = "".join(parts), 0
