"""The grammar of names, and which existing names are close to a mistyped one.

Owns the one rule for classifier names; knows nothing of where names are kept.
"""

import difflib
import heapq
import re
from collections.abc import Iterable

from windrow.domain.errors import InvalidName

NAME_GRAMMAR = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_NAME = re.compile(NAME_GRAMMAR)
MAX_NEAR_NAMES = 3
_COMPARED_NAMES = 50


def check_name(name: str) -> str:
    """Return ``name`` unchanged if it follows the grammar; a name is refused, never cleaned.

    Args:
        name: 1 to 128 ASCII characters.

    Raises:
        InvalidName: The name breaks the grammar.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidName(
            f"The name {name[:140]!r} is not allowed. A name starts with a letter or digit and goes on with at most "
            f"127 letters, digits, '.', '_' or '-' ({NAME_GRAMMAR}). Choose such a name; "
            "names are never changed silently.",
            {"name": name[:140], "grammar": NAME_GRAMMAR},
        )
    return name


def near_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of the ``known`` names that look most like ``name``, closest first."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    wanted = name.casefold()
    pairs = _letter_pairs(wanted)
    # Comparing in earnest is slow: among thousands of names, only those that share most letter pairs get that far.
    likely = heapq.nlargest(_COMPARED_NAMES, by_folded, key=lambda folded: len(pairs & _letter_pairs(folded)))
    close = difflib.get_close_matches(wanted, likely, n=MAX_NEAR_NAMES, cutoff=0.6)
    return tuple(by_folded[folded] for folded in close)


def _letter_pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text))}
