"""Tell which format a file is of, or refuse it with the formats that it may be: nothing is guessed silently."""

from typing import Final

from windrow.files.columns import UnresolvedColumn, find_columns
from windrow.files.formats.document import FileDocument
from windrow.files.formats.form import LIKELY, POSSIBLE, Beginning, FileFormat
from windrow.files.formats.registry import FORMATS

# A format that is as sure as this, and surer by so much than all others, is it.
SURE: Final = 0.8
MARGIN: Final = 0.2
_MOST_CANDIDATES: Final = 5


def recognise(document: FileDocument, *, labelled: bool) -> tuple[FileFormat, float] | None:
    """Return the format of a file and how sure that is, from 0 to 1; ``None`` where it is a table like any other.

    Args:
        document: The file.
        labelled: Whether its rows must have labels.

    Raises:
        InvalidFile: It is not clear which format it is of.
    """
    candidates = candidates_of(document.beginning, LIKELY)
    if not candidates:
        return None
    (best, certainty), *others = candidates
    rival = others[0][1] if others else 0.0
    if certainty >= SURE and rival <= certainty - MARGIN:
        return best, certainty
    if certainty < SURE and _is_plain(document, labelled=labelled):
        return None
    # Several files are no table.
    is_plain = certainty < SURE and (not document.is_container or len(document.member_names()) == 1)
    raise _unclear(document, [each for each, _ in candidates], is_plain=is_plain)


def candidates_of(beginning: Beginning, least: float = POSSIBLE) -> list[tuple[FileFormat, float]]:
    """Return the formats that a file may be of with how sure each is, the surest first.

    Args:
        beginning: What is known of it before it is read.
        least: Those that are less sure are left out.
    """
    sure = [(each, each.sniff(beginning)) for each in FORMATS]
    return sorted((pair for pair in sure if pair[1] >= least), key=lambda pair: -pair[1])


def _is_plain(document: FileDocument, *, labelled: bool) -> bool:
    """Return whether the first JSON value has the columns of a table; what is no JSON has a header for that."""
    first = document.beginning.first
    if document.is_container:
        return len(document.member_names()) == 1  # whose own beginning says more
    if not isinstance(first, dict):
        return first is None and not document.beginning.text.lstrip().startswith(("{", "["))
    try:
        return bool(find_columns(tuple(first), document.options, labelled=labelled).text)
    except UnresolvedColumn:
        return False


def _unclear(document: FileDocument, candidates: list[FileFormat], *, is_plain: bool) -> Exception:
    named = candidates[:_MOST_CANDIDATES]
    titles = " or ".join(each.title for each in named)
    ways = ", ".join(f"{{set:format={each.name}}} for {each.title}" for each in named)
    text = document.beginning.text.lstrip()
    table = "json" if text.startswith("[") else "jsonl" if text.startswith("{") else "csv"
    plain = f", or {{set:format={table}}} for rows that you made yourself" if is_plain else ""
    return document.error(
        f"it may be {{titles}}, which is not clear. Say what it is: {ways}{plain}.", parameter="format", titles=titles
    )
