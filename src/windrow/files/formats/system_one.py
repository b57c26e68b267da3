"""Read rows of System One and its kin: a state, questions about it, and the answer to each.

A classifier answers one question; which one is asked where there are several.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import chain, islice
from typing import Final

from windrow.domain.characters import is_blank
from windrow.files.formats.form import CERTAIN, NO, Beginning, Document, FileFormat, Reading
from windrow.files.formats.questions import Questions
from windrow.files.formats.raw_rows import as_list, as_object, kind_of
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

# Of so many rows, the texts of the question are compared.
_LOOKED_AT_ROWS: Final = 1_000


def _sniff(beginning: Beginning) -> float:
    row = as_object(beginning.first)
    is_own = isinstance(row.get("state"), str | dict) and isinstance(row.get("questions"), dict)
    return CERTAIN if is_own and row["questions"] else NO


def _read(document: Document) -> Reading:
    asked = place_asked(document.options)
    questions = Questions(document, "question", asked)
    values = document.values()
    first = list(islice(values, _LOOKED_AT_ROWS))
    described = [each for each in (_question_of(row, asked) for _, row in first) if each]
    parts = Parts(partial(_text_of, document), partial(_labels_of, document, questions))
    return Reading(
        questions.checked(read_rows(document, chain(first, values), parts)),
        kind_asked(document.options),
        description=_constant(each.get("instructions") for each in described),
        label_descriptions=_criteria(described),
    )


def _question_of(row: object, asked: str | None) -> JsonObject:
    """Return the question that is to be learned, as a row has it; an empty one where it is not clear which it is."""
    questions = as_object(as_object(row).get("questions"))
    name = asked or (next(iter(questions)) if len(questions) == 1 else "")
    return as_object(questions.get(name))


def _constant(texts: Iterable[object]) -> str:
    """Return the text that all rows have; empty where they differ."""
    found = set(map(str, texts))
    text = next(iter(found), "")
    return text if len(found) == 1 and text != "None" and not is_blank(text) else ""


def _criteria(described: list[JsonObject]) -> dict[str, str]:
    """Return what a question says of its labels, where all rows say the same."""
    first = as_object(described[0].get("criteria")) if described else {}
    if any(each.get("criteria") != first for each in described):
        return {}
    return {label: text for label, text in first.items() if isinstance(text, str) and not is_blank(text)}


def _text_of(document: Document, row: JsonObject) -> object:
    state = row.get("state")
    if not isinstance(state, dict):
        return state
    return text_in(document, {**state, "state": state} if document.options.text_column else state, "'state'")


def _labels_of(document: Document, questions: Questions, row: JsonObject) -> list[str] | None:
    asked, expected = row.get("questions"), row.get("expected", {})
    for name, value in (("questions", asked), ("expected", expected)):
        if not isinstance(value, dict) and value is not None:
            words = "{name!r} is {kind}, no object. Correct or remove that row."
            raise NoExample(words, is_wrong=True, name=name, kind=kind_of(value))
    answers = _answers(as_object(asked), as_object(expected))
    questions.add(answers)
    answer = answers.get(questions.name or "")
    if answer is None:
        return None
    if answer == [] and not document.options.label_column:
        return []
    return fitting_labels(labels_of(answer), document.options, why_none="it has no label")


def _answers(asked: JsonObject, expected: JsonObject) -> Mapping[str, object]:
    """Return the answers to the questions of a row that are there: beside each question, or under ``expected``."""
    answers = {name: as_object(question).get("label") for name, question in asked.items()}
    answers |= {name: value.get("label") if isinstance(value, dict) else value for name, value in expected.items()}
    return {name: _as_labels(value) for name, value in answers.items() if value is not None}


def _as_labels(value: object) -> object:
    """Return an answer with true and false in words, which are labels here."""
    if isinstance(value, list):
        return [_as_labels(each) for each in as_list(value)]
    return str(value).lower() if isinstance(value, bool) else value


FORMAT: Final = FileFormat(name="system_one", title="System One rows (JSONL)", sniff=_sniff, read=_read)
