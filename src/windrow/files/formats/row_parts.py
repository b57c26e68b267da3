"""Take the text and the labels out of the JSON rows of tools; a row without them is left out with the reason.

Knows no tool: each says where the parts of its rows stand, and nothing in a row may break more than that row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from windrow.codec.lenient import parse_lenient
from windrow.domain.characters import is_blank
from windrow.domain.prediction import Kind
from windrow.domain.read_options import ReadOptions
from windrow.files.column_names import TEXT_NAMES, is_called
from windrow.files.columns import BETWEEN_COLUMNS
from windrow.files.formats.form import Document, Example, LeftOut, Split
from windrow.files.formats.raw_rows import RawRow, as_label, as_text, kind_of

JsonObject = Mapping[str, Any]
# What decides where several parts of a row may hold its labels.
ASK_LABELS: Final = (
    "Name the right one with {arg:label_column}, or with {arg:labels_column} where a text has any number of labels."
)


class NoExample(Exception):  # noqa: N818 - no error: the row is left out, and the rest is read
    """A row that is no example.

    Args:
        template: Why, as a sentence with placeholders; begins in lower case and ends with a full stop.
        is_wrong: Whether the row is broken; otherwise somebody decided that it is none, or did not decide.
        **facts: The values for the template's placeholders.
    """

    def __init__(self, template: str, *, is_wrong: bool = False, **facts: object) -> None:
        super().__init__(template)
        self.template = template
        self.is_wrong = is_wrong
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Parts:
    """How a tool's rows tell their parts; each function may raise :class:`NoExample`.

    Args:
        text: Returns the text of a row, or what stands in its place.
        labels: Returns its label or a list of labels; ``None`` where nobody has labelled it.
        id: Returns what the tool calls it, or something that is no name.
        split: Returns the part of the data that it belongs to.
    """

    text: Callable[[JsonObject], object]
    labels: Callable[[JsonObject], object]
    id: Callable[[JsonObject], object] = lambda row: row.get("id")
    split: Callable[[JsonObject], Split | None] = lambda _: None


def read_rows(document: Document, values: Iterable[tuple[int, object]], parts: Parts) -> Iterator[Example | LeftOut]:
    """Yield the rows of a tool's JSON, those that are no examples as left out.

    Args:
        document: The file; where its labels are not wanted, no row has any.
        values: Each row with its place.
        parts: How they tell their parts.

    Raises:
        InvalidFile: Whatever the functions of ``parts`` refuse the file for.
    """
    for place, row in values:
        if not isinstance(row, dict):
            words = "a row is {kind}; it must be an object. Correct or remove it."
            yield LeftOut(place, words, {"kind": kind_of(row)}, is_wrong=True)
            continue
        text: object = ""
        name = as_text(parts.id(row))
        try:
            text = parts.text(row)
            labels = parts.labels(row) if document.wants_labels else None
        except NoExample as why:
            raw = RawRow(place, text, id=name, values=row)
            tell = raw.wrong if why.is_wrong else raw.left_out
            yield tell(why.template, **why.facts)
        else:
            yield RawRow(place, text, labels, parts.split(row), name, row).checked()


def labels_of(value: object) -> list[str]:
    """Return the distinct labels of a list, or the one that stands without a list.

    Raises:
        NoExample: One of them is none.
    """
    labels: dict[str, None] = {}
    for each in value if isinstance(value, list) else [value]:
        label = as_label(each)
        if not isinstance(label, str) or is_blank(label):
            kind = "blank" if isinstance(label, str) else kind_of(label)
            raise NoExample("a label is {kind}, no text. Correct or remove that row.", is_wrong=True, kind=kind)
        labels[label] = None
    return list(labels)


def fitting_labels(labels: Sequence[str], options: ReadOptions, *, why_none: str) -> list[str]:
    """Return labels of a row that somebody has looked at, if the options allow so many.

    Args:
        labels: The labels.
        options: The read options; ``labels_column`` says that there may be any number, ``label_column`` just one.
        why_none: What having none means, as the beginning of a sentence without a full stop.

    Raises:
        NoExample: There is none, and nobody has said that there may be; or there are several where one was expected.
    """
    if not labels and not options.labels_column:
        words = ". If a text may have any number of labels, name where they are with {arg:labels_column}."
        raise NoExample(why_none + words)
    if len(labels) > 1 and options.label_column:
        words = (
            "it has {found} labels, {labels:quoted}; with {arg:label_column}, a row has exactly one. Correct it, or "
        )
        words += "name {arg:labels_column} in its place."
        raise NoExample(words, is_wrong=True, found=len(labels), labels=list(labels))
    return list(labels)


def kind_asked(options: ReadOptions) -> Kind | None:
    """Return whether rows have one label or any number as far as the options say."""
    return "multi_label" if options.labels_column else "single_label" if options.label_column else None


def place_asked(options: ReadOptions) -> str | None:
    """Return which part of the rows the options say that labels are in."""
    return options.labels_column or options.label_column


def parameter_asked(options: ReadOptions) -> str:
    """Return the option that says which part of the rows labels are in."""
    return "labels_column" if options.labels_column else "label_column"


def value_at(row: JsonObject, path: str) -> object:
    """Return what stands under a key, or under keys with dots between; ``None`` where nothing does."""
    if path in row:
        return row[path]
    value: object = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_asked(row: JsonObject, options: ReadOptions) -> object:
    """Return the text that the options name, several with a blank line between; of wrong values, the first."""
    paths = [
        path
        for asked in options.text_column
        for path in ([asked] if value_at(row, asked) is not None else map(str.strip, asked.split(",")))
    ]
    if len(paths) == 1:
        return value_at(row, paths[0])
    values = [value for value in (value_at(row, path) for path in paths) if value is not None]
    wrong = [value for value in values if not isinstance(value, str)]
    return wrong[0] if wrong else BETWEEN_COLUMNS.join(str(value) for value in values if not is_blank(str(value)))


def text_in(document: Document, row: JsonObject, place: str) -> object:
    """Return the text among the values of an object: the named one, one that is called like it, or the only string.

    Args:
        document: The file, whose options may name it.
        row: The object.
        place: What to call the object in messages.

    Raises:
        InvalidFile: It is not clear which it is.
    """
    if document.options.text_column:
        return text_asked(row, document.options)
    if len(known := called_like_texts(row)) == 1:
        return row[known[0]]
    strings = [name for name, value in row.items() if isinstance(value, str)]
    if len(strings) > 1:
        words = "{place} has several texts, {names:quoted}. Name the right one with {arg:text_column}, or several with "
        words += "commas between."
        raise document.error(words, parameter="text_column", place=place, names=sorted(strings))
    return row[strings[0]] if strings else None


def called_like_texts(names: Iterable[str]) -> list[str]:
    """Return the names that texts are usually given: those of the first group of such names of which one is there."""
    for group in TEXT_NAMES:
        if known := [name for name in names if is_called(name, (group,))]:
            return known
    return []


def is_delimited(document: Document) -> bool:
    """Return whether a file is CSV or TSV rather than JSON."""
    return not document.beginning.text.lstrip().startswith(("{", "["))


def delimited_objects(document: Document) -> Iterator[tuple[int, JsonObject]]:
    """Return the rows of CSV or TSV below its header, by the names of their columns; cells beyond them are numbered.

    The header is read at once, so that it is known how the table is written.

    Raises:
        InvalidFile: It cannot be read.
    """
    rows = document.rows()
    _, header = next(rows, (1, []))
    return _named_rows([cell.strip() for cell in header], rows)


def _named_rows(names: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, JsonObject]]:
    for line, cells in rows:
        columns = [*names, *(str(number) for number in range(len(names) + 1, len(cells) + 1))]
        yield line, dict(zip(columns, cells, strict=False))


def parsed_cell(value: object) -> object:
    """Return what a cell holds as JSON, if it is an object or a list written as such; otherwise the cell."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    try:
        return parse_lenient(value)
    except ValueError:
        return value
