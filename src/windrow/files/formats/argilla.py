"""Read the records of Argilla: those of its releases 2 as JSON, nested or flat, and those of feedback tasks before.

The labels are what people submitted in answer to one question; drafts and discarded answers do not count, and
suggestions are labels only if they are asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from windrow.files.formats.annotators import agreed_labels
from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, FileFormat, Reading
from windrow.files.formats.questions import Questions
from windrow.files.formats.raw_rows import as_list, as_object
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
    Parts,
    fitting_labels,
    kind_asked,
    labels_of,
    place_asked,
    read_rows,
    text_in,
)

# What the label column begins with where suggestions are to be taken as labels.
_SUGGESTIONS: Final = "suggestions."
_RESPONSES: Final = "responses."
# The ends of the keys of flat records.
_FLAT_RESPONSES: Final = ".responses"
_FLAT_SUGGESTION: Final = ".suggestion"
# What flat records have beside their fields.
_BESIDE: Final = frozenset(("id", "external_id", "_server_id", "status", "inserted_at", "updated_at", "metadata"))
_NOT_SUBMITTED: Final = ("discarded", "draft")


def _sniff(beginning: Beginning) -> float:
    row = beginning.first
    if not isinstance(row, dict):
        return NO
    if isinstance(row.get("fields"), dict) and ("responses" in row or "suggestions" in row):
        return CERTAIN
    is_flat = any(key.endswith((f"{_FLAT_RESPONSES}.users", f"{_FLAT_SUGGESTION}.agent")) for key in row)
    return CERTAIN if is_flat or ("_server_id" in row and _is_flat(row)) else NO


def _is_flat(row: JsonObject) -> bool:
    return any(key.endswith((_FLAT_RESPONSES, _FLAT_SUGGESTION)) for key in row)


def _read(document: Document) -> Reading:
    asked = place_asked(document.options)
    takes_suggestions = asked is not None and asked.startswith(_SUGGESTIONS)
    name = None if asked is None else asked.removeprefix(_SUGGESTIONS).removeprefix(_RESPONSES)
    questions = Questions(document, "question", name)
    labels = partial(_labels_of, document, questions, takes_suggestions)
    rows = read_rows(document, document.values(), Parts(partial(_text_of, document), labels, _name_of))
    return Reading(questions.checked(rows), kind_asked(document.options))


def _name_of(row: JsonObject) -> object:
    return next((row[key] for key in ("id", "external_id", "_server_id") if row.get(key) is not None), None)


def _text_of(document: Document, row: JsonObject) -> object:
    if isinstance(row.get("fields"), dict):
        fields = row["fields"]
        return text_in(document, {**fields, "fields": fields} if document.options.text_column else fields, "'fields'")
    if "fields" in row and not _is_flat(row):
        words = "'fields' is no object with a text. Correct or remove that row."
        raise NoExample(words, is_wrong=True)
    marks = tuple(key.removesuffix(_FLAT_RESPONSES).removesuffix(_FLAT_SUGGESTION) for key in row if _is_flat({key: 0}))
    about = tuple(f"{mark}." for mark in marks)
    fields = {key: value for key, value in row.items() if not key.startswith(about) and key not in _BESIDE}
    return text_in(document, fields, "a record")


def _labels_of(document: Document, questions: Questions, takes_suggestions: bool, row: JsonObject) -> list[str] | None:
    options = document.options
    suggested = _suggestions_of(row)
    if takes_suggestions:
        questions.add(suggested)
        value = suggested.get(questions.name or "")
        return None if value is None else fitting_labels(labels_of(value), options, why_none="nothing is suggested")
    answers = list(_answers_of(row))
    submitted = [each for each in answers if each.is_submitted]
    questions.add(each.question for each in submitted)
    votes = [labels_of(each.value) for each in submitted if each.question == questions.name]
    if votes:
        return fitting_labels(agreed_labels(votes, options), options, why_none="its annotators chose nothing")
    if len(submitted) < len(answers):
        raise NoExample("its responses are drafts or were discarded, so it is no example.")
    if suggested:
        words = "it has a suggestion and no response, so nobody has labelled it. To take suggestions as labels, add "
        words += "{set:label_column={place}}."
        raise NoExample(words, place=_SUGGESTIONS + (questions.name or next(iter(suggested))))
    return None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What somebody answered to a question."""

    question: str
    value: object
    is_submitted: bool


def _answers_of(row: JsonObject) -> Iterator[_Answer]:
    """Yield the answers of a record, in whichever form they are written."""
    responses = row.get("responses")
    if isinstance(responses, list):  # of feedback tasks before release 2: one for each person
        for response in map(as_object, responses):
            for question, answer in as_object(response.get("values")).items():
                yield _Answer(question, as_object(answer).get("value"), _is_submitted(response.get("status")))
    for question, given in as_object(responses).items():
        for answer in map(as_object, as_list(given)):
            if answer.get("value") is not None:
                yield _Answer(question, answer["value"], _is_submitted(answer.get("status")))
    for key, values in row.items():
        if key.endswith(_FLAT_RESPONSES) and isinstance(values, list):
            statuses = as_list(row.get(f"{key}.status"))
            for place, value in enumerate(values):
                status = statuses[place] if place < len(statuses) else None
                yield _Answer(key.removesuffix(_FLAT_RESPONSES), value, _is_submitted(status))


def _is_submitted(status: object) -> bool:
    return status not in _NOT_SUBMITTED


def _suggestions_of(row: JsonObject) -> Mapping[str, Any]:
    """Return what is suggested, by question."""
    suggestions = row.get("suggestions")
    found = {
        question: as_object(each)["value"]
        for question, each in as_object(suggestions).items()
        if as_object(each).get("value") is not None
    }
    for each in map(as_object, as_list(suggestions)):  # of feedback tasks before release 2
        if isinstance(each.get("question_name"), str) and each.get("value") is not None:
            found[each["question_name"]] = each["value"]
    for key, value in row.items():
        if key.endswith(_FLAT_SUGGESTION) and value is not None:
            found[key.removesuffix(_FLAT_SUGGESTION)] = value
    return found


FORMAT: Final = FileFormat(name="argilla", title="Argilla records (JSON)", sniff=_sniff, read=_read)
