"""Read agents of Dialogflow: the zip file or folder that ES or CX exports, or one file with what users say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePosixPath
from typing import Final

from windrow.domain.figures import counted
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_CONTAINER,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.json_documents import member_value
from windrow.files.formats.raw_rows import RawRow, as_object, as_text
from windrow.files.formats.snips import joined_parts

# The phrases of an intent in ES and in CX, each with the language in the file's name.
_ES_FILE: Final = re.compile(r"(?:^|.*/)intents/(?P<intent>[^/]+)_usersays_(?P<language>[A-Za-z-]+)\.json")
_CX_FILE: Final = re.compile(r"(?:^|.*/)intents/(?P<intent>[^/]+)/trainingPhrases/(?P<language>[A-Za-z-]+)\.json")
_ONE_FILE: Final = re.compile(r"(?P<intent>.+)_usersays_[A-Za-z-]+\.json")
_TEMPLATE: Final = "it is a template, no text: it holds names of entities in place of words."
_FALLBACK: Final = (
    "the fallback intent, {intents:joined}, which holds examples of what is no other intent, stays a label like any "
    "other, with {texts}. Windrow also tells by in_scope how far a text is from all that it was trained on."
)
_LANGUAGES: Final = "its texts are in several languages, {languages:joined}; all are read."


def _sniff(beginning: Beginning) -> float:
    if beginning.member_names:
        return CERTAIN if any(map(_phrases_of, beginning.member_names)) else NO
    is_list = beginning.text.lstrip().startswith("[")
    return CERTAIN if is_list and _ONE_FILE.fullmatch(beginning.name) else NO


@dataclass(slots=True)
class _Agent:
    """What was read of an agent so far."""

    members: frozenset[str] = frozenset()
    languages: dict[str, None] = field(default_factory=dict)
    fallbacks: dict[str, int] = field(default_factory=dict)
    places: Iterator[int] = field(default_factory=lambda: count(1))

    def notes(self) -> list[Note]:
        """Return what is told of the agent as a whole."""
        notes = []
        if self.fallbacks:
            facts = {"texts": counted(sum(self.fallbacks.values()), "text"), "intents": list(self.fallbacks)}
            notes.append(Note(_FALLBACK, facts))
        if len(self.languages) > 1:
            notes.append(Note(_LANGUAGES, {"languages": list(self.languages)}))
        return notes


def _read(document: Document) -> Reading:
    if not document.is_container:
        return _read_one_file(document, _Agent())
    names = document.member_names()
    agent = _Agent(frozenset(names))
    files = [(name, found) for name in names if (found := _phrases_of(name)) is not None]
    if not files:
        words = "there are no training phrases in it: no intents/NAME_usersays_LANGUAGE.json, as Dialogflow ES exports "
        words += "them, and no intents/NAME/trainingPhrases/LANGUAGE.json, as CX does. Export the agent again."
        raise document.error(words)
    notes: list[Note] = []
    return Reading(rows=_rows(document, agent, files, notes), kind="single_label", notes=notes)


def _rows(
    document: Document, agent: _Agent, files: list[tuple[str, re.Match[str]]], notes: list[Note]
) -> Iterator[Example | LeftOut]:
    """Yield the phrases of all intents, and then take note of what is told of the agent."""
    for name, found in files:
        yield from _rows_of_intent(document, agent, name, found)
    notes += agent.notes()


def _phrases_of(name: str) -> re.Match[str] | None:
    return _ES_FILE.fullmatch(name) or _CX_FILE.fullmatch(name)


def _read_one_file(document: Document, agent: _Agent) -> Reading:
    found = _ONE_FILE.fullmatch(document.name)
    if found is None:
        words = "the intent's name is missing, which stands in the names NAME_usersays_LANGUAGE.json of the agent's "
        words += "files. Name the folder or the zip file that Dialogflow exported."
        raise document.error(words)
    rows = (_row(next(agent.places), given, "data", found["intent"]) for _, given in document.values())
    return Reading(rows=rows, kind="single_label")


def _rows_of_intent(document: Document, agent: _Agent, name: str, found: re.Match[str]) -> Iterator[Example | LeftOut]:
    """Yield the phrases of an intent, and take note of their language and of a fallback."""
    phrases, key = member_value(document, name), "data"
    if isinstance(phrases, dict):
        phrases, key = phrases.get("trainingPhrases"), "parts"
    if not isinstance(phrases, list):
        words = "{member} holds no list of training phrases. Export the agent again, or leave that file out."
        raise document.error(words, member=name)
    description = _description(document, agent, name, found["intent"])
    intent = as_text(description.get("displayName")) or as_text(description.get("name")) or found["intent"]
    if key == "parts":
        # In CX, the name of an intent may be its number.
        intent = as_text(description.get("displayName")) or found["intent"]
    agent.languages.setdefault(found["language"])
    if True in (description.get("fallbackIntent"), description.get("isFallback")) and phrases:
        agent.fallbacks[intent] = agent.fallbacks.get(intent, 0) + len(phrases)
    for given in phrases:
        yield _row(next(agent.places), given, key, intent)


def _description(document: Document, agent: _Agent, name: str, intent: str) -> dict[str, object]:
    """Return the file of an intent itself, which its phrases are beside or below; an empty one where it is missing."""
    folder = PurePosixPath(name).parent
    if folder.name == "trainingPhrases":
        folder = folder.parent
    member = str(folder / f"{intent}.json")
    return dict(as_object(member_value(document, member))) if member in agent.members else {}


def _row(place: int, given: object, key: str, intent: str) -> Example | LeftOut:
    values = as_object(given)
    row = RawRow(place, joined_parts(given, key), [intent], id=as_text(values.get("id")), values=values)
    return row.left_out(_TEMPLATE) if values.get("isTemplate") is True else row.checked()


FORMAT: Final = FileFormat("dialogflow", "Dialogflow", _sniff, _read, JSON_OR_CONTAINER)
