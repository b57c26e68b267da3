"""Tell which columns may hold labels, where no column is called like one: by what their cells look like."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from windrow.files.columns import listed
from windrow.files.row_labels import LabelProblem, is_indicator

# What stands between labels in a cell. A comma also stands within addresses and names.
_SURE_SEPARATORS: Final = ";|"
_OTHER_SEPARATOR: Final = ","
# Columns of true and false that a prediction of a file has written.
_PREDICTED: Final = frozenset(("abstained", "truncated"))
# Labels are short.
_MOST_WORDS: Final = 4


def find_label_hints(values: Mapping[str, Collection[str]]) -> Iterator[LabelProblem]:
    """Yield which columns may hold labels, and the read option that says so.

    Args:
        values: The distinct cells of each column that holds no text, blank ones left out; lists as JSON.
    """
    indicators = [
        name for name, cells in values.items() if cells and name not in _PREDICTED and all(map(is_indicator, cells))
    ]
    if indicators:
        words = (
            "{indicators} {hold} only 0 and 1, so each may be a label. If the columns are labels, name them with "
            "{arg:indicator_columns}."
        )
        facts = {"indicators": listed(indicators), "hold": "holds" if len(indicators) == 1 else "hold"}
        yield LabelProblem(words, facts, "indicator_columns")
    for name, cells in values.items():
        if cells and all(cell.startswith("[") for cell in cells):
            words = "{several!r} holds lists, which may be labels. If they are, add {set:labels_column={several}}."
            yield LabelProblem(words, {"several": name}, "labels_column")
            return
        if (separator := _separator_of(cells)) is not None:
            words = (
                "{several!r} holds {separator!r}, which may stand between labels. If it does, add "
                "{set:labels_column={several}} and {set:label_separator={separator}}."
            )
            yield LabelProblem(words, {"several": name, "separator": separator}, "labels_column")
            return


def _separator_of(cells: Collection[str]) -> str | None:
    """Return what may stand between the labels of cells; ``None`` where nothing does."""
    for separator in _SURE_SEPARATORS + _OTHER_SEPARATOR:
        cut = [[part for part in map(str.strip, cell.split(separator)) if part] for cell in cells]
        if not any(len(parts) > 1 for parts in cut) or not all(_is_like_label(part) for parts in cut for part in parts):
            continue
        uses = Counter(part for parts in cut for part in parts)
        if separator in _SURE_SEPARATORS or max(uses.values()) > 1:
            return separator
    return None


def _is_like_label(part: str) -> bool:
    return len(part.split()) <= _MOST_WORDS and any(map(str.isalpha, part))
