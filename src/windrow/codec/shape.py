"""Limit the number, length and nesting of the values of a JSON text before parsing it.

Two characters can become 80 bytes. And a parser that gives up only at Python's limit of recursion leaves no room for
what the garbage collector calls meanwhile, such as the finalizer of a file: it would fail, and nobody would know.
"""

import re
from typing import Final, Literal

from windrow.codec.patterns import SPACE, STRING

# The number of values that one regex call counts; it holds the GIL meanwhile. Each value but the first follows one of
# ``[``, ``{`` and ``,``.
_RUN: Final = 256
_PLAIN: Final = re.compile(r'[^"\[{,]*+')
_QUOTED: Final = re.compile(STRING)
_NEXT: Final = rf'(?:[^"\[{{,]++|{STRING})*+[\[{{,]'
_ONE: Final = re.compile(_NEXT)
_MANY: Final = re.compile(rf"(?:{_NEXT}){{{_RUN}}}+")
# Strings up to this length are always allowed, since they cost little.
_SHORTEST_LONG: Final = 500_000
# How many lists and objects may stand around a value: more than any program writes, and far below what Python's limit
# of recursion leaves for parsing.
MAX_DEPTH: Final = 100
_PART: Final = rf'(?:[^"\[\]{{}}]++|{STRING})'
_TO_BRACKET: Final = re.compile(rf"{_PART}*+")
# Steps over lists and objects that hold no others.
_TO_NESTED: Final = re.compile(rf"(?:{_PART}|\[{_PART}*+\]|\{{{_PART}*+\}})*+")
# A list or an object that holds no others, or the beginning of one.
_FLAT: Final = re.compile(rf"\[{_PART}*+\]|\{{{_PART}*+\}}|([\[{{])")
_BLANKS: Final = re.compile(SPACE)
_CLOSING: Final = {"[": "]", "{": "}"}
# The number of characters that one regex call looks at, but for a longer string.
_SLICE: Final = 100_000
# Which limit a text exceeds: too many values; too long a string; too long a run of blanks or digits outside strings.
Excess = Literal["values", "string", "blanks"]


def find_excess(text: str, most_values: int, most_chars: int) -> Excess | None:
    """Return the limit that a JSON text exceeds; ``None`` if it is safe to parse.

    Runs in linear time and lets other threads run. The text need not be valid JSON: a parser builds no more values of
    an invalid text before it raises an error.

    Args:
        text: The text.
        most_values: The maximum number of values (arrays, objects, strings, numbers, literals), accurate to some
            hundreds.
        most_chars: The approximate maximum length of a string as written, in characters; 500,000 are always allowed.
    """
    longest = max(most_chars, _SHORTEST_LONG)
    if len(text) <= min(most_values, longest):
        return None  # each value but the first takes a character that stands before it
    count = end = 0
    while count <= most_values:
        stop = end + longest
        if (many := _MANY.match(text, end, stop)) is not None:
            count, end = count + _RUN, many.end()
            continue
        while end < stop and (one := _ONE.match(text, end, end + longest)) is not None:
            count, end = count + 1, one.end()
        if end < stop:
            return _find_long(text, end, longest)
    return "values"


def _find_long(text: str, start: int, longest: int) -> Excess | None:
    """Return which kind of run is too long after the last value; ``None`` if the text ends soon."""
    position, stop = start, start + longest
    if stop >= len(text):
        return None
    while (string := _QUOTED.match(text, _end_of_plain(text, position, stop), stop)) is not None:
        position = string.end()
    return "blanks" if _end_of_plain(text, position, stop) == stop else "string"


def _end_of_plain(text: str, start: int, stop: int) -> int:
    plain = _PLAIN.match(text, start, stop)
    return start if plain is None else plain.end()


def is_too_deep(text: str, start: int = 0) -> bool:
    """Return whether a JSON value is nested more than :data:`MAX_DEPTH` levels deep; ``[]`` is one level.

    Runs in linear time, and lets other threads run. The text need not be valid JSON: a parser goes no deeper before it
    raises an error.

    Args:
        text: Holds the value.
        start: Where it begins, apart from blanks; what follows it is not looked at, unless this is 0.
    """
    if start == 0 and text.count("[") + text.count("{") <= MAX_DEPTH:
        return False  # as with most texts, in a hundredth of the time
    blanks = _BLANKS.match(text, start)
    begin = start if blanks is None else blanks.end()
    if (value := _FLAT.match(text, begin, begin + _SLICE)) is None:
        return False  # no list, no object
    end, closing = value.end(), [] if value[1] is None else [_CLOSING[value[1]]]
    while closing and end < len(text):
        part = (_TO_NESTED if len(closing) < MAX_DEPTH else _TO_BRACKET).match(text, end, end + _SLICE)
        end = end if part is None else part.end()
        next_char = text[end : end + 1]
        if next_char in _CLOSING:
            if len(closing) == MAX_DEPTH:
                return True
            closing.append(_CLOSING[next_char])
            end += 1
        elif next_char == '"':
            if (string := _QUOTED.match(text, end)) is None:  # it breaks off
                return False
            end = string.end()  # it is longer than a slice, or goes on in the next one
        elif next_char in ("]", "}"):
            if next_char != closing.pop():  # it is broken
                return False
            end += 1
    return False
