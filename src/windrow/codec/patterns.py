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
# An object of a text and a label alone, each once.
_ROW: Final = "|".join(
    spaced("", f'"{first}"', ":", STRING, ",", f'"{second}"', ":", STRING, "")
    for first, second in (("text", "label"), ("label", "text"))
)
ROW: Final = rf"\{{(?:{_ROW})\}}"
