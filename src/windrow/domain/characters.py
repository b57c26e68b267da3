"""What characters look like: texts that show nothing, and texts that look like one another."""

import re
import unicodedata
from typing import Final

# No setting allows a longer text. Every encoder reads the first few thousand characters alone.
MOST_TEXT_CHARS: Final = 1_000_000

# Of these categories (control and format characters, spaces, line and paragraph separators) nothing is seen.
_UNSEEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
# Neither of these, though they count as letters, marks or symbols. Source: Unicode's property
# Default_Ignorable_Code_Point, and BRAILLE PATTERN BLANK.
_UNSEEN: Final = frozenset(
    map(
        chr,
        (
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x2800,
            0x3164,
            0xFFA0,
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)

_DECIMALS: Final = re.compile(r"([+-]?[0-9]+)[.,](?:0{1,2}|0{4,})")


def is_blank(text: str) -> bool:
    """Return whether nothing of a text is seen: it is empty, or only spaces, control and format characters."""
    return all(map(_is_unseen, text))


def looks_like(text: str) -> str:
    """Return what is equal for texts that a person takes for the same.

    Case, compatibility forms (ligatures, full width), how accents are composed, and characters of which nothing is seen
    make no difference; white space of any length counts as one space. A whole number is the same with decimals, which
    are all 0: 1 and 1.0. With three of them it is another one, since 1.000 may be a thousand.
    """
    if text.isascii() and text.isprintable():
        return _as_number(" ".join(text.casefold().split()))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(char for char in folded if char.isspace() or not _is_unseen(char))
    return _as_number(" ".join(seen.split()))


def quoted_apart(text: str, other: str) -> str:
    """Return a text in quotes, with what tells it from another one in escapes where it cannot be seen."""
    if text != other and unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFKC", other):
        return ascii(text)
    return repr(text)


def _as_number(text: str) -> str:
    """Return a whole number without its decimals, and any other text as it is."""
    found = _DECIMALS.fullmatch(text) if text[-1:] == "0" else None
    return text if found is None else found[1]


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN_CATEGORIES or char in _UNSEEN
