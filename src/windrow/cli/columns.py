"""Which column holds the texts and which the labels, by name.

Owns the names that are understood; knows nothing of files. Where more than one could be meant, nothing is guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from windrow.cli.read_options import Reading
from windrow.domain.words import render

# The first group of which a file has a name decides, if it has one alone.
TEXT_NAMES = (
    ("text", "texts"),
    ("message", "body", "content", "sentence", "utterance", "document", "comment", "review", "query", "question"),
    ("description", "title", "subject", "summary", "headline", "input"),
)
LABEL_NAMES = (
    ("label", "labels"),
    ("class", "category", "intent", "target", "tag", "topic", "team", "queue", "department", "y"),
)
# The most words of a cell in a header, where names are known beyond doubt, and elsewhere.
_MOST_SURE_WORDS = 4
_MOST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row's parts stand.

    Args:
        text: The column with the text.
        label: The column with the label; ``None`` where none is wanted.
    """

    text: str
    label: str | None = None


class NotClear(ValueError):  # noqa: N818 - it is told to a person, in a sentence of its own
    """It is not clear which column is meant.

    Args:
        template: Why, and which option says it, without a full stop.
        facts: What it names.
    """

    def __init__(self, template: str, **facts: object) -> None:
        super().__init__(render(template, facts))
        self.template = template
        self.facts = facts


def find_columns(names: Sequence[str], how: Reading, *, labelled: bool) -> Columns:
    """Return which of a file's columns hold texts and labels.

    Args:
        names: The columns.
        how: Which of them somebody named.
        labelled: Whether labels are wanted.

    Raises:
        NotClear: A named column is not there, or there is none, or more than one, that could be meant.
    """
    asked_text, asked_label = how.text_column or "", how.label_column or ""
    text = _named(names, asked_text, "text") or _guessed(names, TEXT_NAMES, "text", asked_label)
    if labelled:
        label = _named(names, asked_label, "label") or _guessed(names, LABEL_NAMES, "label", text)
        # Not the other way round: what stands beside a text may be a ticket's number, which would train without a word.
        text = text or _other(names, label)
    else:
        label = next((name for name in names if _is_in(name, LABEL_NAMES)), "")
        text = text or (names[0] if len(names) == 1 else _other(names, label))
    if not text:
        raise _not_found(names, "text")
    if labelled and not label:
        raise _not_found(names, "label")
    if labelled and text == label:
        raise NotClear("the column {column!r} cannot hold both the text and the label. Name two columns", column=text)
    return Columns(text, label if labelled else None)


class Evidence(IntEnum):
    """How sure it is that the first line of a file names its columns."""

    NONE = 0
    """It holds no known name, or a sentence."""
    LABEL = 1
    """Of the known names, it holds only one of a label, which a row may end with too."""
    TEXT = 2
    """It holds a known name of a text."""
    SURE = 3
    """It holds names of text and label, the name ``text`` or ``label`` itself, or a column that somebody named."""


def header_evidence(names: Sequence[str], how: Reading) -> Evidence:
    """Return how sure it is that the first line of a file names its columns.

    A label of a row may be called "question" too, so a line with a sentence in it is no header.
    """
    if any(asked in names for asked in (how.text_column, how.label_column) if asked):
        return Evidence.SURE
    most_words = max((len(name.split()) for name in names), default=0)
    texts = [name for name in names if _is_in(name, TEXT_NAMES)]
    labels = [name for name in names if _is_in(name, LABEL_NAMES)]
    if most_words > _MOST_SURE_WORDS or any(name.rstrip().endswith((".", "?", "!")) for name in names):
        return Evidence.NONE
    if (texts and labels) or any(_is_in(name, (TEXT_NAMES[0], LABEL_NAMES[0])) for name in names):
        return Evidence.SURE
    if most_words > _MOST_WORDS or not (texts or labels):
        return Evidence.NONE
    return Evidence.TEXT if texts else Evidence.LABEL


def may_be_values(names: Sequence[str], how: Reading) -> dict[int, str]:
    """Return those names of a header, by place, that would show it to be a row if they came again in their column."""
    return {
        place: name
        for place, name in enumerate(names)
        if name == how.label_column or _is_in(name, (*LABEL_NAMES, *TEXT_NAMES[1:]))
        if name != how.text_column
    }


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return columns, of which those that have the name of an earlier one get a number: ``Comment``, ``Comment_2``."""
    found: dict[str, None] = {}
    for name in names:
        number, own = 1, name
        while own in found or (number > 1 and own in names):
            number += 1
            own = f"{name}_{number}"
        found[own] = None
    return tuple(found)


def listed(names: Sequence[str]) -> str:
    """Return names as they are shown in messages."""
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:39]}…") for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


def _named(names: Sequence[str], asked: str, what: str) -> str:
    if not asked:
        return ""
    if asked in names:
        return asked
    alike = [name for name in names if name.strip().casefold() == asked.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    words = "there is no column {column!r}. Its columns are {names}; name one with --{field}-column"
    raise NotClear(words, column=asked, names=listed(names), field=what)


def _guessed(names: Sequence[str], groups: Sequence[Sequence[str]], what: str, taken: str) -> str:
    for group in groups:
        found = [name for name in names if _is_in(name, (group,)) and name != taken]
        if len(found) > 1:
            words = "{names} could all hold the {field}. Name the right one with --{field}-column"
            raise NotClear(words, names=listed(found), field=what)
        if found:
            return found[0]
    return ""


def _other(names: Sequence[str], known: str) -> str:
    """Return what is left of two columns once one is known."""
    others = [name for name in names if name != known]
    return others[0] if known and len(names) == 2 and len(others) == 1 else ""


def _is_in(name: str, groups: Sequence[Sequence[str]]) -> bool:
    return any(name.strip().casefold() in group for group in groups)


def _not_found(names: Sequence[str], what: str) -> NotClear:
    words = "it is not clear which column holds the {field}. Its columns are {names}; name one with --{field}-column"
    return NotClear(words, names=listed(names), field=what)
