"""The grammar of names, the ways to refer to a classifier, and which existing names are close to a mistyped one."""

import difflib
import heapq
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from windrow.domain.errors import InvalidName
from windrow.domain.values import Schema

NAME_GRAMMAR = "[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
LATEST = "latest"
_REVISION_GRAMMAR = "[1-9][0-9]{0,17}"
REFERENCE_GRAMMAR = f"{NAME_GRAMMAR}(@({_REVISION_GRAMMAR}|{LATEST}))?"
Name = Annotated[str, Schema(pattern=f"^{NAME_GRAMMAR}$")]
# What a reader may call a classifier.
ModelReference = Annotated[str, Schema(pattern=f"^{REFERENCE_GRAMMAR}$")]
# What a change may call it: it must mean the same tomorrow.
ImmutableReference = Annotated[str, Schema(pattern=f"^{NAME_GRAMMAR}(@{_REVISION_GRAMMAR})?$")]
_NAME = re.compile(NAME_GRAMMAR)
_REFERENCE = re.compile(REFERENCE_GRAMMAR)
MAX_NEAR_NAMES = 3
_COMPARED_NAMES = 50


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands for a classifier: its name or an alias, one of its revisions, or a task's highest version."""

    name: str
    """Of a classifier or an alias; of a task where ``is_latest``."""
    revision: int | None = None
    """``tickets_v2@3`` means revision 3; ``None`` the one that answers now."""
    is_latest: bool = False
    """Whether the highest version of the task ``name`` is meant (``tickets@latest``)."""

    def __str__(self) -> str:
        """Return it as it is written."""
        if self.is_latest:
            return f"{self.name}@{LATEST}"
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


def read_reference(text: str) -> Reference:
    """Return what a text refers to.

    Args:
        text: ``name``, ``name@3`` or ``task@latest``.

    Raises:
        InvalidName: It is none of these.
    """
    if "@" not in text:
        return Reference(check_name(text))
    if _REFERENCE.fullmatch(text) is None:
        raise InvalidName(
            "{name!r} names no classifier. Write a name, a revision like tickets_v2@3, or a task's highest version "
            "like tickets@latest ({grammar}).",
            {"name": text[:140], "grammar": REFERENCE_GRAMMAR},
        )
    name, _, which = text.partition("@")
    return Reference(name, is_latest=True) if which == LATEST else Reference(name, int(which))


def is_name(text: str) -> bool:
    """Whether a text follows the grammar of names."""
    return _NAME.fullmatch(text) is not None


def is_reference(text: str) -> bool:
    """Whether a text follows the grammar of references: a name, a revision of it, or a task's highest version."""
    return _REFERENCE.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return ``name`` unchanged if it follows the grammar; a name is refused, never cleaned.

    Args:
        name: 1 to 128 ASCII characters.

    Raises:
        InvalidName: The name breaks the grammar.
    """
    if not is_name(name):
        if _REFERENCE.fullmatch(name) is not None:
            raise InvalidName(
                "{name} is no name of its own: what stands behind @ can only be read. Name it without a "
                "revision: {classifier}.",
                {"name": name, "classifier": name.partition("@")[0], "grammar": NAME_GRAMMAR},
            )
        raise InvalidName(
            "The name {name!r} is not allowed. A name starts with a letter or digit and goes on with at most 127 "
            "letters, digits, '.', '_' or '-' ({grammar}). Choose such a name; names are never changed silently.",
            {"name": name[:140], "grammar": NAME_GRAMMAR},
        )
    return name


def names_with_prefix(names: Sequence[str], prefix: str) -> Sequence[str]:
    """Return those of some sorted names that start with a prefix, without a look at the others."""
    start = bisect_left(names, prefix)
    # No name has a character above "z", so what starts with the prefix sorts before this.
    return names[start : bisect_left(names, f"{prefix}{{", start)]


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
