"""Limit the number and length of the values of a JSON text before parsing it: two characters can become 80 bytes."""

import re
from typing import Final, Literal

from windrow.codec.patterns import STRING

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
