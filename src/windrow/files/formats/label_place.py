"""Tell in which column labels stand in a table without a header: by how often values repeat, and how long they are.

It decides only where somebody said that there is no header, or named a format without one, and what it decided is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from windrow.files.formats.form import Note

# So many rows tell what columns look like.
LOOKED_AT_ROWS: Final = 1_000
# A column with so many times fewer values holds the labels even where they are the longer ones.
_CLEARLY_FEWER: Final = 2.0


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """Where text and labels stand, and how it is told."""

    text: int
    """The column with the text, from 0."""
    label: int
    """The column with the labels, from 0."""
    note: Note
    """What the user is told."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the cells of a column look like."""

    distinct: int
    chars: float


def find_label_place(rows: Sequence[Sequence[str]], usual: Literal["first", "last"] | None = None) -> LabelPlace | None:
    """Return in which columns text and labels stand: the labels in the first or in the last one.

    Of these two, the labels are in the one with fewer different values that are shorter on average. If one has fewer
    and the other has shorter ones, half as many different values decide; if neither holds the text, which is the column
    with the longest values, the number of different values alone.

    Args:
        rows: The first rows, at most :data:`LOOKED_AT_ROWS`; those of another width than the first are passed over.
        usual: Where a named format has its labels, which decides if the cells do not; ``None`` without one.

    Returns:
        The place; ``None`` where nothing decides, or rows have fewer than two columns.
    """
    width = len(rows[0]) if rows else 0
    alike = [row for row in rows if len(row) == width]
    if width < 2:
        return None
    last = width - 1
    looks = {place: _look(alike, place) for place in range(width)}
    longest = max(looks, key=lambda place: looks[place].chars)
    decided = _by_looks(looks[0], looks[last], clearly=_CLEARLY_FEWER if longest in (0, last) else 1.0)
    if decided is None and usual is None:
        return None
    side = decided or usual
    label = 0 if side == "first" else last
    text = max((place for place in looks if place != label), key=lambda place: looks[place].chars)
    why = (
        "in {rows} rows it has {labels} different values with {label_chars:.0f} characters on average, the text "
        "{texts} with {text_chars:.0f}"
        if decided
        else "as files of this format have it; the values do not say"
    )
    facts = {
        "label_column": str(label + 1),
        "text_column": str(text + 1),
        "rows": len(alike),
        "labels": looks[label].distinct,
        "label_chars": round(looks[label].chars, 1),
        "texts": looks[text].distinct,
        "text_chars": round(looks[text].chars, 1),
    }
    words = (
        f"no line names the columns. Column {{label_column}}, the {side} one, is taken for the label: {why}. If it is "
        "otherwise, add {set:label_column={text_column}} {set:text_column={label_column}}."
    )
    return LabelPlace(text, label, Note(words, facts))


def _by_looks(first: _Look, last: _Look, *, clearly: float) -> Literal["first", "last"] | None:
    """Return which of two columns looks like labels; ``None`` if that is not clear."""
    fewer, more, side = (first, last, "first") if first.distinct < last.distinct else (last, first, "last")
    if fewer.distinct == more.distinct:
        return None
    if fewer.chars < more.chars or fewer.distinct * clearly <= more.distinct:
        return "first" if side == "first" else "last"
    return None


def _look(rows: Sequence[Sequence[str]], place: int) -> _Look:
    cells = [row[place] for row in rows]
    return _Look(len(set(cells)), sum(map(len, cells)) / len(cells))
