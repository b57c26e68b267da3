"""Versions of a task by name: ``ticket_classifier_v2`` is version 2 of the task ``ticket_classifier``."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from windrow.domain.names import is_name

_VERSIONED = re.compile(r"(?P<task>.+)_v(?P<number>0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What a versioned name says."""

    task: str
    """What stands before ``_v``."""
    number: int
    """What stands behind it; v2 comes before v10."""


def read_version(name: str) -> Version | None:
    """Return what a name says of its version; ``None`` where it says nothing (``tickets``, ``tickets_v02``)."""
    match = _VERSIONED.fullmatch(name)
    return None if match is None else Version(match["task"], int(match["number"]))


def next_version(name: str, taken: Iterable[str]) -> str | None:
    """Return the name for the next training of a name's task: one above the highest version that is taken.

    Args:
        name: With or without a version; one without counts as version 1.
        taken: Names in use, in any order, case and task.

    Returns:
        The name, or ``None`` where it would be too long or its number too high.
    """
    own = read_version(name) or Version(name, 1)
    folded = f"{own.task}_v".casefold()
    others = (read_version(other) for other in taken if other.casefold().startswith(folded))
    numbers = [other.number for other in others if other is not None and other.task.casefold() == own.task.casefold()]
    proposal = f"{own.task}_v{max([own.number, *numbers]) + 1}"
    return proposal if is_name(proposal) and read_version(proposal) else None
