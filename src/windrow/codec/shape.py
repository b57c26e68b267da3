"""How many values a JSON text has, and how long they are, before it is parsed: two characters can become 80 bytes."""

import re
from typing import Final, Literal

from windrow.codec.patterns import STRING

# Each value but the first one follows one of these. So many at a time are counted by one call, and no other thread
# runs meanwhile.
_RUN: Final = 256
_PLAIN: Final = re.compile(r'[^"\[{,]*+')
_NEXT: Final = rf'(?:[^"\[{{,]++|{STRING})*+[\[{{,]'
_ONE: Final = re.compile(_NEXT)
_MANY: Final = re.compile(rf"(?:{_NEXT}){{{_RUN}}}+")
# Shorter ones cost nothing, whatever is in them.
_SHORTEST_LONG: Final = 500_000
# Too many values; a string that is too long; too much that is in no string (blanks, digits) without a value between.
Excess = Literal["values", "string", "blanks"]


def find_excess(text: str, most_values: int, most_chars: int) -> Excess | None:
    """Return what a JSON text has too much of; ``None`` where it can be parsed.

    Each character is looked at a few times at most, and other threads go on meanwhile. A text that is no JSON has no
    more values than a parser makes of it before it finds that out.

    Args:
        text: The text.
        most_values: How many values (lists, objects, strings, numbers, and the rest) it may have, give or take some
            hundreds.
        most_chars: How long a string may be as it is written, about; half a million is always possible.
    """
    longest = max(most_chars, _SHORTEST_LONG)
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
    """Return what is too long where no value ends soon; ``None`` where the text does."""
    if start + longest >= len(text):
        return None
    plain = _PLAIN.match(text, start, start + longest)
    return "blanks" if plain is not None and plain.end() == start + longest else "string"
