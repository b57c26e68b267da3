"""Read the exports of Label Studio: JSON, JSON_MIN, and CSV or TSV.

The labels are what annotators chose in one control, of choices or of a taxonomy; a nested one is the path to it, with
slashes between. Cancelled annotations do not count, one that is the ground truth counts alone, and predictions are no
labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Final, Literal

from windrow.domain.figures import listed
from windrow.files.column_names import LABEL_NAMES, is_called
from windrow.files.formats.annotators import agreed_labels
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TABLE,
    LIKELY,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.questions import Questions
from windrow.files.formats.raw_rows import as_list, as_object, kind_of
from windrow.files.formats.row_parts import (
    ASK_LABELS,
    JsonObject,
    NoExample,
    Parts,
    called_like_texts,
    delimited_objects,
    fitting_labels,
    is_delimited,
    kind_asked,
    labels_of,
    parameter_asked,
    parsed_cell,
    place_asked,
    read_rows,
    text_in,
)

# What JSON_MIN and CSV have beside the data and the controls.
_BESIDE: Final = frozenset(
    ("id", "inner_id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
)
# What a task has, as it is exported or imported; an object with a text under ``data`` and more is anybody's.
_TASK_KEYS: Final = frozenset(
    [
        "annotations",
        "cancelled_annotations",
        "comment_authors",
        "comment_count",
        "completions",
        "created_at",
        "data",
        "drafts",
        "file_upload",
        "id",
        "inner_id",
        "last_comment_updated_at",
        "meta",
        "overlap",
        "predictions",
        "project",
        "storage_filename",
        "total_annotations",
        "total_predictions",
        "unresolved_comment_count",
        "updated_at",
        "updated_by",
    ]
)
_NOTHING_CHOSEN: Final = "its annotators chose nothing"
Control = Literal["choices", "taxonomy"]
# The controls whose answers are labels: the type of a result, and where its value has what was chosen.
CONTROLS: Final[tuple[Control, ...]] = ("choices", "taxonomy")
# Stands in a label between the levels of what was chosen, where that is nested.
BETWEEN_LEVELS: Final = "/"
_LEVELS_WITH_SLASHES: Final = (
    "levels of nested choices have a slash in their names ({levels}). A label has a slash between two levels, so "
    "predictions that go back to Label Studio have several levels in place of such a one. Rename them in the project "
    "and in the file if predictions are to go back."
)
_OTHER_RESULTS: Final = (
    "its annotations hold {types:joined}, and nothing that was chosen for the whole text, as labels are."
)


@dataclass(frozen=True, slots=True)
class _Paths:
    """Makes labels of what was chosen.

    Args:
        slashed: The levels so far in whose names a slash stands, in the order of the file.
    """

    slashed: dict[str, None] = field(default_factory=dict)

    def labels(self, choices: Sequence[object]) -> list[object]:
        """Return each nested choice, which is the list of all levels down to it, as one label; any other as it is."""
        return [*map(self._label, choices)]

    def noted(self, rows: Iterator[Example | LeftOut], notes: list[Note]) -> Iterator[Example | LeftOut]:
        """Yield rows, and then take note of the levels that would go back as several."""
        yield from rows
        if self.slashed:
            notes.append(Note(_LEVELS_WITH_SLASHES, {"levels": listed(map(repr, self.slashed))}))

    def _label(self, choice: object) -> object:
        if not (isinstance(choice, list) and choice and all(isinstance(level, str) for level in choice)):
            return choice
        self.slashed.update(dict.fromkeys(level for level in choice if BETWEEN_LEVELS in level))
        return BETWEEN_LEVELS.join(choice)


def _sniff(beginning: Beginning) -> float:
    row = beginning.first
    if isinstance(row, dict):
        return _sniff_object(row)
    header = beginning.text.split("\n", 1)[0]
    is_export = "annotation_id" in header and ("lead_time" in header or "annotator" in header)
    return CERTAIN if is_export and not header.lstrip().startswith(("{", "[")) else NO


def _sniff_object(row: Mapping[str, Any]) -> float:
    if isinstance(row.get("data"), dict):
        is_annotated = isinstance(row.get("annotations", row.get("completions")), list)
        is_task = row.keys() <= _TASK_KEYS and any(isinstance(value, str) for value in row["data"].values())
        return CERTAIN if is_annotated or is_task else LIKELY if "predictions" in row else NO
    return CERTAIN if "annotation_id" in row and ("lead_time" in row or "annotator" in row) else NO


def _read(document: Document) -> Reading:
    controls = Questions(document, "control", place_asked(document.options))
    paths, notes = _Paths(), list[Note]()
    if is_delimited(document):
        rows = _read_flat(document, delimited_objects(document), controls, paths)
    else:
        rows = controls.checked(_read_json(document, controls, paths))
    return Reading(paths.noted(rows, notes), kind_asked(document.options), notes=notes)


def _read_json(document: Document, controls: Questions, paths: _Paths) -> Iterator[Example | LeftOut]:
    """Yield the rows of JSON: tasks with all their annotations, or JSON_MIN."""
    values = document.values()
    parts = Parts(partial(_text_of_task, document), partial(_labels_of_task, document, controls, paths))
    for line, value in values:
        if isinstance(value, dict) and not isinstance(value.get("data"), dict) and "annotation_id" in value:
            yield from _read_flat(document, _again((line, value), values), controls, paths)
        else:
            yield from read_rows(document, [(line, value)], parts)


def _again(first: tuple[int, Any], values: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    yield first
    yield from values


def _text_of_task(document: Document, task: JsonObject) -> object:
    data = task.get("data")
    if not isinstance(data, dict):
        raise NoExample(
            "'data' is {kind}, no object with a text. Correct or remove that row.", is_wrong=True, kind=kind_of(data)
        )
    # Paths may also be written from the task's root, as the file shows them.
    rooted = {**data, "data": data} if document.options.text_column else data
    return text_in(document, rooted, "'data'")


def _labels_of_task(document: Document, controls: Questions, paths: _Paths, task: JsonObject) -> list[str] | None:
    annotations = [each for each in _annotations_of(task) if isinstance(each, dict)]
    if not annotations:
        return None
    kept = [each for each in annotations if not (each.get("was_cancelled") or each.get("skipped"))]
    if not kept:
        raise NoExample("its annotations were cancelled, so it is no example.")
    kept = [each for each in kept if each.get("ground_truth")] or kept
    chosen = [_choices_of(each) for each in kept]
    if not any(chosen) and not document.options.labels_column and (types := _types_of(kept)):
        raise NoExample(_OTHER_RESULTS, types=types)
    controls.add(name for each in chosen for name in each)
    votes = [labels_of(paths.labels(each[controls.name])) for each in chosen if controls.name in each]
    if document.options.labels_column:  # who chose nothing says that none of the labels fits
        votes = [labels_of(paths.labels(each.get(controls.name or "", []))) for each in chosen]
    labels = agreed_labels(votes, document.options) if votes else ()
    return fitting_labels(labels, document.options, why_none=_NOTHING_CHOSEN)


def _annotations_of(task: JsonObject) -> list[Any]:
    """Return what annotators did, under its name of today or that of old releases."""
    found = task.get("annotations", task.get("completions"))
    if found is not None and not isinstance(found, list):
        words = "'annotations' is {kind}, no list. Correct or remove that row."
        raise NoExample(words, is_wrong=True, kind=kind_of(found))
    return as_list(found)


def _choices_of(annotation: JsonObject) -> dict[str, list[Any]]:
    """Return what an annotator chose of the whole text, by control; choices of a part of the text are no labels."""
    chosen: dict[str, list[Any]] = {}
    for result in map(as_object, as_list(annotation.get("result"))):
        choices = _choices_in(result.get("value"))
        if choices is None or result.get("type", CONTROLS[0]) not in CONTROLS:
            continue
        name = result.get("from_name")
        if not isinstance(name, str):
            raise NoExample("choices have no 'from_name', the control's name. Correct that row.", is_wrong=True)
        chosen.setdefault(name, []).extend(choices)
    return chosen


def _types_of(annotations: Sequence[JsonObject]) -> list[str]:
    """Return what kinds of results annotations have, sorted."""
    results = (as_object(result) for each in annotations for result in as_list(each.get("result")))
    return sorted({kind for each in results if isinstance(kind := each.get("type"), str)} - {*CONTROLS})


def _choices_in(value: object) -> list[Any] | None:
    """Return what was chosen of the whole text; ``None`` where a value is no choice, or one of a part of the text."""
    given = as_object(value)
    key = next((each for each in CONTROLS if each in given), None)
    if key is None or "start" in given:
        return None
    choices = given[key]
    return choices if isinstance(choices, list) else [choices]


def _read_flat(
    document: Document, rows: Iterator[tuple[int, Any]], controls: Questions, paths: _Paths
) -> Iterator[Example | LeftOut]:
    """Yield the texts of JSON_MIN or CSV, where each annotation is a row of its own, those of one text together.

    Where a table is to be classified, each of its rows stays.
    """
    is_apart = is_delimited(document) and not document.wants_labels
    grouped = groupby(rows, key=lambda each: each[0] if is_apart else _task_of(*each))
    for _, annotations in grouped:
        (line, first), *others = list(annotations)
        rows_of_text = [first, *(each for _, each in others)]
        labels = partial(_labels_of_flat, document, controls, paths, rows_of_text)
        yield from read_rows(document, [(line, first)], Parts(partial(_text_of_flat, document, controls), labels))


def _task_of(line: int, row: object) -> object:
    """Return what the annotations of one text have in common."""
    name = as_object(row).get("id")
    return name if isinstance(name, str | int) and name != "" else ("line", line)


def _text_of_flat(document: Document, controls: Questions, row: JsonObject) -> object:
    is_apart = document.wants_labels and not document.options.text_column
    label = _label_key(document, controls, row) if is_apart else None
    data = {name: value for name, value in row.items() if name not in _BESIDE and name != label}
    return text_in(document, data, "a row")


def _labels_of_flat(
    document: Document, controls: Questions, paths: _Paths, rows: list[object], _: JsonObject
) -> list[str] | None:
    votes = []
    for row in map(as_object, rows):
        key = _label_key(document, controls, row)
        if key is None or (value := parsed_cell(row.get(key))) in (None, ""):
            continue
        chosen = _choices_in_cell(value)
        votes.append(labels_of(value if chosen is None else paths.labels(chosen)))
    if not votes:
        return [] if document.options.labels_column else None
    return fitting_labels(agreed_labels(votes, document.options), document.options, why_none=_NOTHING_CHOSEN)


def _choices_in_cell(value: object) -> list[Any] | None:
    """Return what was chosen in JSON_MIN or a cell of CSV: a value of choices, or a list of such; else ``None``."""
    if isinstance(value, dict):
        return _choices_in(value)
    found = [_choices_in(each) for each in as_list(value)]
    return [choice for each in found if each is not None for choice in each] if found and None not in found else None


def _label_key(document: Document, controls: Questions, row: JsonObject) -> str | None:
    """Return the key with the labels: a named one, one with choices, one that is called so, or the only one left.

    Raises:
        InvalidFile: It is not clear which it is, or the named one is not there.
    """
    if controls.name is not None:
        return controls.name
    if (asked := place_asked(document.options)) is not None:
        if is_delimited(document) and asked not in row:
            words = "there is no column {asked!r}, there are {names:quoted}. Name one of them."
            parameter = parameter_asked(document.options)
            raise document.error(words, parameter=parameter, asked=asked, names=list(row))
        controls.name = asked
        return asked
    texts = [*document.options.text_column] or called_like_texts(row)
    others = [
        name for name, value in row.items() if name not in _BESIDE and name not in texts and value not in (None, "")
    ]
    chosen = [name for name in others if _choices_in_cell(parsed_cell(row[name])) is not None]
    called = [name for name in others if is_called(name, LABEL_NAMES)]
    left = others if texts else []
    found = chosen or called or [name for name in left if not isinstance(row[name], int | float)]
    if len(found) > 1:
        words = "it is not clear which of {names:quoted} holds the labels. " + ASK_LABELS
        raise document.error(words, parameter="label_column", names=found)
    if not found and others and not texts:
        words = "it is not clear which of {names:quoted} holds the text and which the labels. Name them with "
        words += "{arg:text_column} and {arg:label_column}."
        raise document.error(words, parameter="text_column", names=others)
    controls.name = next(iter(found), None)
    return controls.name


FORMAT: Final = FileFormat(
    name="label_studio", title="Label Studio JSON, JSON_MIN or CSV", sniff=_sniff, read=_read, forms=JSON_OR_TABLE
)
