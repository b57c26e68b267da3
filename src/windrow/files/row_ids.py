"""Find the column by which people know a row, such as a ticket's number; it is told beside a row's line."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from windrow.files.columns import UnresolvedColumn, listed

# ``id``, ``_id``, ``uuid``, ``Ticket ID``, ``ticket_id``, ``ticketId``.
_ID: Final = re.compile(r"(?:.*[ _-])?(?:id|uid|uuid|guid|ID|Id)|[A-Za-z]*[a-z](?:Id|ID)|ID")


def find_id_column(names: Sequence[str], asked: str | None, taken: Collection[str]) -> str | None:
    """Return the column with the ids of rows; ``None`` where there is none.

    Args:
        names: All columns of a file.
        asked: The column that the user named; ``None`` to find it by its name.
        taken: The columns with texts and labels.

    Raises:
        UnresolvedColumn: There is no column of that name.
    """
    if asked is not None:
        alike = [name for name in names if name == asked] or [
            name for name in names if name.strip().casefold() == asked.strip().casefold()
        ]
        if len(alike) != 1:
            words = "there is no column {column!r}. Its columns are {names}; name one with {arg:{parameter}}"
            raise UnresolvedColumn(words, column=asked, names=listed(names), parameter="id_column")
        return alike[0]
    found = [name for name in names if name not in taken and _ID.fullmatch(name.strip())]
    exact = [name for name in found if name.strip().casefold() in ("id", "_id")]
    return next(iter(exact or found), None)


def shown_id(value: object) -> str:
    """Return an id as text; empty where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
