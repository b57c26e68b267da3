"""JSON in regular expressions, for cutting a long document into short ones.

What is matched is never given back (``++``), so each character is looked at once. Whether a match is JSON to the last
character is for a parser to say.
"""

from typing import Final

SPACE: Final = r"[ \t\n\r]*+"
STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
SCALAR: Final = rf"(?:{STRING}|[-+.0-9A-Za-z]++)"


def spaced(*parts: str) -> str:
    """Return the pattern of some parts with blanks between them."""
    return SPACE.join(parts)


def listed(item: str) -> str:
    """Return the pattern of any number of items with commas between them."""
    further = spaced(",", item, "")
    return rf"(?:{item}{SPACE}(?:{further})*+)?+"


# What holds no list or object inside a list or object.
FLAT: Final = "(?:{}|{}|{})".format(
    SCALAR, spaced(r"\[", listed(SCALAR), r"\]"), spaced(r"\{", listed(spaced(STRING, ":", SCALAR)), r"\}")
)
_STRINGS: Final = spaced(r"\[", listed(STRING), r"\]")


def _row(labels: str, pattern: str) -> str:
    """Return the pattern of an object of a text and its labels alone, each once."""
    members = (f'"text"{SPACE}:{SPACE}{STRING}', f'"{labels}"{SPACE}:{SPACE}{pattern}')
    either = "|".join(spaced("", *each, "") for each in ((members[0], ",", members[1]), (members[1], ",", members[0])))
    return rf"\{{(?:{either})\}}"


ROW: Final = _row("label", STRING)
MULTI_LABEL_ROW: Final = _row("labels", _STRINGS)
