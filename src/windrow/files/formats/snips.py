"""Read datasets of Snips NLU: the JSON of a dataset, and the YAML that people write it in."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Final

from windrow.domain.figures import counted
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TEXT,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.json_documents import JsonObject, whole_object
from windrow.files.formats.raw_rows import RawRow, as_object, kind_of
from windrow.files.yaml_values import YamlText, YamlValue, read_yaml

# A slot: [slot](value), or [slot:entity](value).
_SLOT: Final = re.compile(r"\[[^\[\]()]*\]\(([^()]*)\)")
_YAML_TYPE: Final = re.compile(r"^type\s*:\s*(?:intent|entity)\s*$", re.MULTILINE)
_YAML_LIST: Final = re.compile(r"^(?:utterances|values)\s*:", re.MULTILINE)
_JSON: Final = re.compile(r'"intents"\s*:\s*\{\s*"[^"]*"\s*:\s*\{\s*"utterances"\s*:')


def _sniff(beginning: Beginning) -> float:
    if not beginning.text.lstrip().startswith("{"):
        # What begins with a brace is JSON, whose texts may hold anything.
        is_yaml = _YAML_TYPE.search(beginning.text) and _YAML_LIST.search(beginning.text)
        is_text = beginning.text.lstrip().startswith("[")
        return CERTAIN if is_yaml and not is_text else NO
    intents = as_object(as_object(beginning.first).get("intents"))
    has_utterances = any("utterances" in as_object(each) for each in intents.values())
    return CERTAIN if has_utterances or (beginning.first is None and _JSON.search(beginning.text)) else NO


def _read(document: Document) -> Reading:
    if document.beginning.text.lstrip().startswith("{"):
        return Reading(rows=_rows_of_json(document, whole_object(document)), kind="single_label")
    notes: list[Note] = []
    return Reading(rows=_rows_of_yaml(document, notes), kind="single_label", notes=notes)


def _rows_of_yaml(document: Document, notes: list[Note]) -> Iterator[Example | LeftOut]:
    """Yield the utterances of all intents, and then take note of the entities."""
    num_entities = 0
    for value in read_yaml(document.text(), document.error):
        section = as_object(value)
        kind = section.get("type")
        if isinstance(kind, YamlText) and kind.text == "intent":
            yield from _rows_of_intent(document, section)
        else:
            num_entities += 1
    if num_entities:
        words = "left out, since they are no texts with an intent: {entities}."
        notes.append(Note(words, {"entities": counted(num_entities, "entity", "entities")}))


def _rows_of_json(document: Document, whole: JsonObject) -> Iterator[Example | LeftOut]:
    intents = whole.get("intents")
    if not isinstance(intents, dict):
        words = "its intents are {kind}; they must be an object of intents by their names. Export the dataset again."
        raise document.error(words, kind=kind_of(intents))
    places = count(1)
    for name, intent in intents.items():
        utterances = as_object(intent).get("utterances")
        if not isinstance(utterances, list):
            words = "the intent {intent!r} has no list of utterances. Export the dataset again."
            raise document.error(words, intent=name[:40])
        for utterance in utterances:
            text = joined_parts(utterance, "data")
            yield RawRow(next(places), text, [name], values={"text": text, "intent": name}).checked()


def joined_parts(holder: object, key: str) -> object:
    """Return the text of an utterance that is cut at its slots or parameters.

    Args:
        holder: The object with the list of its parts, each of which has a text.
        key: Where that list is.

    Returns:
        The text; ``None`` where a part has none.
    """
    parts = as_object(holder).get(key)
    texts = [as_object(part).get("text") for part in parts] if isinstance(parts, list) else [None]
    whole = [text for text in texts if isinstance(text, str)]
    return "".join(whole) if len(whole) == len(texts) else None


def _rows_of_intent(document: Document, section: JsonObject) -> Iterator[Example | LeftOut]:
    name, utterances = section.get("name"), section.get("utterances")
    if not isinstance(name, YamlText) or not isinstance(utterances, list):
        words = "an intent has no name, or no list of utterances. Add it, or remove the intent."
        raise document.error(words, name.line if isinstance(name, YamlText) else None)
    for utterance in utterances:
        yield _row_of_utterance(name, utterance)


def _row_of_utterance(name: YamlText, utterance: YamlValue) -> Example | LeftOut:
    if not isinstance(utterance, YamlText):
        words = "an utterance is no text. Put it between quotation marks, or remove it."
        return RawRow(name.line, None).wrong(words)
    text = _SLOT.sub(r"\1", utterance.text)
    return RawRow(utterance.line, text, [name.text], values={"text": text, "intent": name.text}).checked()


FORMAT: Final = FileFormat("snips", "Snips NLU", _sniff, _read, JSON_OR_TEXT)
