"""Wraps the paragraphs of Markdown pages that have a line of more than 120 characters; run by `make format`."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 120
_FENCE = re.compile(r"\s*```")
# What stays as it is: tables, headings, comments, definitions of links, empty lines.
_UNWRAPPED = re.compile(r"\||#|<!--|\[[^\]]+\]: |\s*$")
_START = re.compile(r"\s*(?:(?:[-*+]|\d+\.) +)?")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+\.) ")
# A line that began with one of these would be a list, a heading or a quotation.
_MARKER = re.compile(r"(?:[-+*>]|#+|\d+[.)])$")


def wrapped(page: str) -> str:
    """Return a page with each paragraph and item filled anew that has a line of more than 120 characters."""
    return "\n".join(line for lines, is_text in _blocks(page.split("\n")) for line in _filled(lines, is_text))


def _blocks(lines: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield the paragraphs and the items of lists, and each line between them alone, and whether it is text."""
    block: list[str] = []
    is_code = False
    for line in lines:
        is_fence = bool(_FENCE.match(line))
        is_text = not (is_code or is_fence or _UNWRAPPED.match(line))
        if block and (not is_text or _ITEM.match(line)):
            yield block, True
            block = []
        if is_text:
            block.append(line)
        else:
            yield [line], False
        is_code ^= is_fence
    if block:
        yield block, True


def _filled(block: list[str], is_text: bool) -> list[str]:
    if not is_text or max(map(len, block)) <= WIDTH:
        return block
    found = _START.match(block[0])
    assert found is not None
    start = found[0]
    lines = [start]
    for word in _words(" ".join([block[0][len(start) :], *block[1:]])):
        is_first = lines[-1] == start
        if is_first or len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f"{'' if is_first else ' '}{word}"
        else:
            lines.append(" " * len(start) + word)
    return lines


def _words(text: str) -> Iterator[str]:
    """Yield what must stay on one line: words, code with what touches it, and a marker with the word before it."""
    held = ""
    for word in re.findall(r"(?:`[^`]*`|\S)+", text):
        if _MARKER.match(word):
            held = f"{held} {word}".lstrip()
        else:
            if held:
                yield held
            held = word
    yield held


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(wrapped(path.read_text()))
