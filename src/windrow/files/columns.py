"""Find the text column and the label column by name.

Knows the usual names, and nothing of files. If several columns match, it raises an error instead of guessing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from windrow.domain.characters import is_blank
from windrow.domain.read_options import ReadOptions
from windrow.domain.words import render
from windrow.files.column_names import LABEL_NAMES, TEXT_NAMES, is_called

# What stands between the parts of a text that several columns hold.
BETWEEN_COLUMNS = "\n\n"
# The maximum number of words of a header cell: in a header with certain names, and in any other.
_MOST_SURE_WORDS = 4
_MOST_WORDS = 3


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Where each row of a file has any number of labels: in one column, or in one for each label.

    Args:
        column: The column that holds all labels of a row; ``None`` where each label has a column.
        separator: What stands between them where they are one text; ``None`` where they are a list.
        indicators: The columns of 1 and 0, each called like its label.
    """

    column: str | None = None
    separator: str | None = None
    indicators: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All these columns."""
        return self.indicators if self.column is None else (self.column,)


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the text columns and of those with labels.

    Args:
        text: The text column, or several whose texts are joined.
        label: The column with one label of each row; ``None`` if labels are not needed, or rows have any number.
        labels: The columns with any number of labels of each row; ``None`` if labels are not needed, or rows have one.
    """

    text: tuple[str, ...]
    label: str | None = None
    labels: LabelColumns | None = None

    @property
    def has_labels(self) -> bool:
        """Whether rows have labels, one or any number."""
        return (self.label or self.labels) is not None

    def text_of(self, values: Mapping[str, object]) -> object:
        """Return a row's text: of several columns, those that are not blank with a blank line between.

        Args:
            values: All columns of the row; of several, one that is missing is blank.

        Returns:
            A string, or the value in its place that is none: the first of several columns.
        """
        if len(self.text) == 1:
            return values.get(self.text[0])
        parts = [value for value in map(values.get, self.text) if value is not None]
        wrong = [value for value in parts if not isinstance(value, str)]
        return wrong[0] if wrong else BETWEEN_COLUMNS.join(str(part) for part in parts if not is_blank(str(part)))


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """The columns of a file as far as its names, or the read options, tell them.

    Args:
        text: The text columns; empty where it is not clear which they are.
        label: The label column; ``None`` where there is none, where it is not clear, or where rows have any number.
        unresolved: What is not clear.
        labels: The columns with any number of labels of each row; ``None`` where there are none.
    """

    text: tuple[str, ...]
    label: str | None
    unresolved: "tuple[UnresolvedColumn, ...]" = ()
    labels: LabelColumns | None = None


class UnresolvedColumn(ValueError):  # noqa: N818 - callers turn it into an error with the file's name
    """The text or label column is missing or ambiguous.

    Args:
        template: The reason, and the option that resolves it; without a full stop.
        facts: The values for the template's placeholders.
    """

    def __init__(self, template: str, **facts: object) -> None:
        super().__init__(render(template, facts))
        self.template = template
        self.facts = facts


def find_columns(names: Sequence[str], options: ReadOptions, *, labelled: bool) -> Columns:
    """Return the text column and the label column of a file.

    Args:
        names: All columns of the file.
        options: The read options, which may name the columns.
        labelled: Whether the rows must have labels.

    Raises:
        UnresolvedColumn: A column named in the options is missing, or no column or several columns match.
    """
    if (labels := _label_columns(names, options)) is not None:
        return Columns(_texts_beside(names, options, labels), labels=labels if labelled else None)
    asked_label = options.label_column or ""
    texts = _named_texts(names, options) or _guessed(names, TEXT_NAMES, "text", (asked_label,))
    if labelled:
        label = _named_label(names, options) or "".join(_guessed(names, LABEL_NAMES, "label", texts))
        # Not the other way round: the column beside a text may be a ticket number, which would train without an error.
        texts = texts or _other(names, label)
    else:
        label = next((name for name in names if is_called(name, LABEL_NAMES)), "")
        texts = texts or (tuple(names) if len(names) == 1 else _other(names, label))
    if not texts:
        raise _not_found(names, "text")
    if not labelled:
        return Columns(texts)
    if not label:
        raise _not_found(names, "label")
    _check_apart(texts, label)
    return Columns(texts, label)


def look_for_columns(names: Sequence[str], options: ReadOptions) -> FoundColumns:
    """Return the columns of a file as far as they are told, and what is not clear.

    Args:
        names: All columns of the file.
        options: The read options, which may name the columns.

    Raises:
        UnresolvedColumn: A column named in the options is missing, or is to hold both the text and the label.
    """
    if (labels := _label_columns(names, options)) is not None:
        try:
            return FoundColumns(_texts_beside(names, options, labels), None, labels=labels)
        except UnresolvedColumn as error:
            if error.facts["parameter"] != "text_column" or options.text_column:
                raise
            return FoundColumns((), None, (error,), labels)
    unresolved: list[UnresolvedColumn] = []
    texts, label = _named_texts(names, options), _named_label(names, options)
    if not label:
        try:
            label = "".join(_guessed(names, LABEL_NAMES, "label", texts))
        except UnresolvedColumn as error:
            unresolved.append(error)
    if not texts:
        try:
            texts = _guessed(names, TEXT_NAMES, "text", (label,)) or _other(names, label)
            texts = texts or (tuple(names) if len(names) == 1 else ())
            if not texts:
                raise _not_found(names, "text")
        except UnresolvedColumn as error:
            unresolved.insert(0, error)
    if options.label_column:
        _check_apart(texts, label)
    return FoundColumns(texts, label if label and label not in texts else None, tuple(unresolved))


def lacks_labels(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether no column is called like one with labels, and no option names one.

    Args:
        names: All columns of the file.
        options: The read options.
    """
    is_named = bool(options.label_column) or names_label_columns(options)
    return not is_named and not any(is_called(name, LABEL_NAMES) for name in names)


class Evidence(IntEnum):
    """The evidence that the first line of a file is a header."""

    NONE = 0
    """No known column name, or a sentence."""
    LABEL = 1
    """Only the known name of a label column, which may also be the last value of a row."""
    TEXT = 2
    """The known name of a text column."""
    SURE = 3
    """Names of both columns, the name ``text`` or ``label`` itself, or a column named in the read options."""


def header_evidence(names: Sequence[str], options: ReadOptions) -> Evidence:
    """Return the evidence that the first line of a file is a header.

    A value such as "question" may be a label or a column name, so a line with a sentence is not a header.
    """
    if not set(names).isdisjoint((*_asked_texts(names, options), *_asked_labels(names, options))):
        return Evidence.SURE
    most_words = max((len(name.split()) for name in names), default=0)
    texts = [name for name in names if is_called(name, TEXT_NAMES)]
    labels = [name for name in names if is_called(name, LABEL_NAMES)]
    if most_words > _MOST_SURE_WORDS or any(name.rstrip().endswith((".", "?", "!")) for name in names):
        return Evidence.NONE
    if (texts and labels) or any(is_called(name, (TEXT_NAMES[0], LABEL_NAMES[0])) for name in names):
        return Evidence.SURE
    if most_words > _MOST_WORDS or not (texts or labels):
        return Evidence.NONE
    return Evidence.TEXT if texts else Evidence.LABEL


def ambiguous_header_names(names: Sequence[str], options: ReadOptions) -> dict[int, str]:
    """Return the header names, by column index, that may be values: one that recurs in its column is one."""
    texts = set(_asked_texts(names, options))
    return {
        place: name
        for place, name in enumerate(names)
        if name in (options.label_column, options.labels_column) or is_called(name, (*LABEL_NAMES, *TEXT_NAMES[1:]))
        if name not in texts
    }


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return unique column names: a repeated name gets a number (``Comment``, ``Comment_2``)."""
    unique: dict[str, None] = {}
    given, numbers = set(names), dict[str, int]()
    for name in names:
        number, own = numbers.get(name, 1), name
        while own in unique or (number > 1 and own in given):
            number += 1
            own = f"{name}_{number}"
        unique[own], numbers[name] = None, number
    return tuple(unique)


def listed(names: Sequence[str]) -> str:
    """Return names for an error message, quoted and truncated."""
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:39]}…") for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


def with_list_of_labels(columns: Columns, options: ReadOptions, value: object) -> Columns:
    """Return columns of JSON in which a key ``labels`` was found by itself, and holds a list in the first row.

    Args:
        columns: The columns as their names tell them.
        options: The read options, which may name a column with one label.
        value: What the first row has in the column of labels.
    """
    if options.label_column or not isinstance(value, list) or _spelling(columns.label or "") != "labels":
        return columns
    return Columns(columns.text, labels=LabelColumns(columns.label))


def names_label_columns(options: ReadOptions) -> bool:
    """Whether read options say that rows have any number of labels."""
    return bool(options.labels_column or options.label_separator or options.indicator_columns)


def _label_columns(names: Sequence[str], options: ReadOptions) -> LabelColumns | None:
    """Return the columns with any number of labels of each row; ``None`` where the options speak of no such ones.

    Raises:
        UnresolvedColumn: A named column is missing, options contradict each other, or no column or several match.
    """
    if not names_label_columns(options):
        return None
    ways = [
        name
        for name in ("label_column", "labels_column", "indicator_columns")
        if getattr(options, name) and (name != "label_column" or not options.label_separator)
    ]
    if len(ways) > 1 or (options.indicator_columns and options.label_separator):
        words = "{arg:{parameter}} cannot be combined with other options that say where labels are. Leave it out"
        raise UnresolvedColumn(words, parameter=ways[-1])
    if options.indicator_columns:
        known = _by_spelling(names)
        asked = filter(None, _split_names(names, options.indicator_columns))
        return LabelColumns(
            indicators=tuple(dict.fromkeys(_named(names, known, each, "indicator_columns") for each in asked))
        )
    if options.labels_column:
        column = _named(names, _by_spelling(names), options.labels_column, "labels_column")
    else:
        column = _named_label(names, options) or "".join(_guessed(names, LABEL_NAMES, "label", options.text_column))
    if not column:
        raise _not_found(names, "labels")
    return LabelColumns(column, options.label_separator)


def _texts_beside(names: Sequence[str], options: ReadOptions, labels: LabelColumns) -> tuple[str, ...]:
    """Return the text columns beside those with any number of labels."""
    texts = _named_texts(names, options) or _guessed(names, TEXT_NAMES, "text", labels.names)
    if not texts:
        others = [name for name in names if name not in labels.names]
        if len(others) != 1:
            raise _not_found(names, "text")
        texts = (others[0],)
    for name in labels.names:
        _check_apart(texts, name)
    return texts


def _asked_labels(names: Sequence[str], options: ReadOptions) -> Iterator[str]:
    """Yield the columns with labels that the options name."""
    yield from filter(None, (options.label_column, options.labels_column))
    yield from _split_names(names, options.indicator_columns)


def _asked_texts(names: Sequence[str], options: ReadOptions) -> Iterator[str]:
    """Yield the text columns that the options name."""
    return _split_names(names, options.text_column)


def _split_names(names: Sequence[str], asked_names: Sequence[str]) -> Iterator[str]:
    """Yield columns that are named; what is no column itself may be several with commas between."""
    known = _by_spelling(names) if any("," in asked for asked in asked_names) else {}
    for asked in asked_names:
        if "," not in asked or _spelling(asked) in known:
            yield asked
        else:
            yield from filter(None, map(str.strip, asked.split(",")))


def _named_texts(names: Sequence[str], options: ReadOptions) -> tuple[str, ...]:
    asked_texts = tuple(filter(None, _asked_texts(names, options)))
    # Once for all of them: a request may name thousands, also such that are one column in the end.
    known = _by_spelling(names) if asked_texts else {}
    return tuple(dict.fromkeys(_named(names, known, asked, "text_column") for asked in asked_texts))


def _named_label(names: Sequence[str], options: ReadOptions) -> str:
    return _named(names, _by_spelling(names), options.label_column, "label_column") if options.label_column else ""


def _named(names: Sequence[str], known: Mapping[str, Sequence[str]], asked: str, parameter: str) -> str:
    """Return the column of a name, or else the only one whose name differs in nothing but case and outer blanks."""
    alike = known.get(_spelling(asked), ())
    if asked in alike:
        return asked
    if len(alike) == 1:
        return alike[0]
    words = "there is no column {column!r}. Its columns are {names}; name one with {arg:{parameter}}"
    raise UnresolvedColumn(words, column=asked, names=listed(names), parameter=parameter)


def _by_spelling(names: Iterable[str]) -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    for name in names:
        known.setdefault(_spelling(name), []).append(name)
    return known


def _spelling(name: str) -> str:
    return name.strip().casefold()


def _guessed(
    names: Sequence[str], groups: Sequence[Sequence[str]], what: str, taken: Collection[str]
) -> tuple[str, ...]:
    """Return the one column with a known name; none if there is none."""
    for group in groups:
        matches = [name for name in names if is_called(name, (group,)) and name not in taken]
        if len(matches) > 1:
            words = "{names} could all hold the {field}. Name the right one with {arg:{parameter}}"
            raise UnresolvedColumn(words, names=listed(matches), field=what, parameter=f"{what}_column")
        if matches:
            return (matches[0],)
    return ()


def _other(names: Sequence[str], known: str) -> tuple[str, ...]:
    """Return the other one of two columns; none if there are not exactly two."""
    others = [name for name in names if name != known]
    return (others[0],) if known and len(names) == 2 and len(others) == 1 else ()


def _check_apart(texts: Sequence[str], label: str) -> None:
    if label in texts:
        words = "the column {column!r} cannot hold both the text and the label. Name two columns"
        raise UnresolvedColumn(words, column=label, parameter="label_column")


def _not_found(names: Sequence[str], what: str) -> UnresolvedColumn:
    words = "it is not clear which column holds the {field}. Its columns are {names}; name one with {arg:{parameter}}"
    return UnresolvedColumn(words, names=listed(names), field=what, parameter=f"{what}_column")
