"""Read the training data of Rasa: YAML of versions 2 and 3, the older Markdown and JSON, and folders of such files."""

import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, Final

from windrow.codec.strict import parse_value, why_refused
from windrow.domain.figures import counted
from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_CONTAINER,
    JSON_OR_TEXT,
    LIKELY,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
    Split,
)
from windrow.files.formats.raw_rows import RawRow, as_list, as_object, as_text, kind_of
from windrow.files.yaml_values import Refuse, YamlText, YamlValue, read_yaml

# An entity: [text](entity), [text](entity:value), [text]{"entity": …} or [text][{"entity": …}, …].
_ENTITY: Final = re.compile(r"\[([^\[\]]*)\](?:\([^()]*\)|\{[^{}]*\}|\[(?:\s*\{[^{}]*\}\s*,?)+\s*\])")
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_SECTION: Final = re.compile(r"##\s*(intent|synonym|regex|lookup)\s*:\s*(.*?)\s*$")
_YAML_START: Final = re.compile(r"^nlu\s*:", re.MULTILINE)
_YAML_INTENT: Final = re.compile(r"^\s*-\s+intent\s*:", re.MULTILINE)
_MARKDOWN_INTENT: Final = re.compile(r"^##\s*intent\s*:", re.MULTILINE)
_JSON_START: Final = re.compile(r'\A\s*\{\s*"rasa_nlu_data"\s*:')
_YAML_ENDINGS: Final = (".yml", ".yaml")
_BULLETS: Final = ("-", "*", "+")
# What files hold beside intents: helps for entities, which no text is classified by.
_OTHERS: Final = ("synonym", "regex", "lookup")
_SEVERAL: Final = {"synonym": "synonyms", "regex": "regexes", "lookup": "lookups"}
_OTHERS_IN_JSON: Final = {"entity_synonyms": "synonym", "regex_features": "regex", "lookup_tables": "lookup"}
# What `rasa data split nlu` calls its folder, which holds copies, and its files.
_CUT_FOLDER: Final = "train_test_split"
_SPLITS: Final[dict[str, Split]] = {"training_data": "train", "test_data": "test"}
_COPIES: Final = (
    "left out, since its texts are copies of the others: {folder}. To have its test data for testing, name that folder."
)
_RETRIEVAL: Final = (
    "{intents} with a / in the name, such as {intent!r}: the whole name is the label, which keeps answers of one topic "
    "apart."
)


def _sniff(beginning: Beginning) -> float:
    if beginning.member_names:
        names = {PurePosixPath(name).name.casefold() for name in beginning.member_names}
        is_project = bool(names & {"nlu.yml", "nlu.yaml", "nlu.md", "nlu.json"})
        is_project = is_project or {"domain.yml", "config.yml"} <= names or {f"{each}.yml" for each in _SPLITS} <= names
        return CERTAIN if is_project or _in_nlu_folder(beginning.member_names) else NO
    if _JSON_START.match(beginning.text):
        return CERTAIN
    if beginning.text.lstrip().startswith(("{", "[")):
        return NO
    if _MARKDOWN_INTENT.search(beginning.text):
        return CERTAIN
    if not _YAML_START.search(beginning.text):
        return CERTAIN if beginning.text.startswith("version:") and beginning.name.endswith(_YAML_ENDINGS) else NO
    is_named = beginning.name.lower().endswith(_YAML_ENDINGS)
    return CERTAIN if is_named or _YAML_INTENT.search(beginning.text) else LIKELY


def _in_nlu_folder(names: tuple[str, ...]) -> bool:
    return any("nlu" in PurePosixPath(name).parts[:-1] and name.lower().endswith(_YAML_ENDINGS) for name in names)


def _read(document: Document) -> Reading:
    notes: list[Note] = []
    return Reading(rows=_rows(document, notes), kind="single_label", notes=notes)


def _rows(document: Document, notes: list[Note]) -> Iterator[Example | LeftOut]:
    """Yield all rows, and then take note of what is told of the files."""
    seen = _Seen()
    if document.is_container:
        yield from _rows_of_members(document, seen)
    else:
        yield from _rows_of_text(document.text(), document.error, seen)
    notes += seen.notes()


class _Seen:
    """What was read of the files so far."""

    def __init__(self) -> None:
        self.others: Counter[str] = Counter()
        self.retrieval: dict[str, None] = {}
        self.has_cut = False
        self.copies = ""

    def notes(self) -> list[Note]:
        """Return what is told of the files as a whole."""
        told = []
        if self.others:
            counts = [counted(count, kind, _SEVERAL[kind]) for kind, count in sorted(self.others.items())]
            told.append(Note("left out, since they are no texts with an intent: {counts:joined}.", {"counts": counts}))
        if self.copies:
            told.append(Note(_COPIES, {"folder": self.copies}))
        if self.retrieval:
            told.append(
                Note(
                    _RETRIEVAL,
                    {"intents": counted(len(self.retrieval), "intent"), "intent": next(iter(self.retrieval))},
                )
            )
        return told

    def row(self, place: int, text: object, intent: object, split: Split | None = None) -> Example | LeftOut:
        """Return a row, its entities taken out."""
        plain = without_entities(text.strip()) if isinstance(text, str) else text
        if isinstance(intent, str) and "/" in intent:
            self.retrieval.setdefault(intent)
        return RawRow(place, plain, [intent], split, values={"text": plain, "intent": intent}).checked()


def without_entities(text: str) -> str:
    """Return an example of Rasa without the marks of its entities: ``[Berlin](city)`` becomes ``Berlin``.

    Args:
        text: The example.
    """
    return _ENTITY.sub(r"\1", text)


def _rows_of_members(document: Document, seen: _Seen) -> Iterator[Example | LeftOut]:
    """Yield the rows of all files with examples, with running numbers as their places."""
    names = [name for name in document.member_names() if name.lower().endswith((*_YAML_ENDINGS, ".md", ".json"))]
    # What was cut into parts comes last, where it can be told whether it is all there is.
    place = 0
    for name in sorted(names, key=_is_cut):
        if _is_cut(name) and place and not seen.has_cut:
            seen.copies = str(PurePosixPath(name).parent)
            break
        text = document.member_text(name)
        if not _has_examples(text):
            continue
        seen.has_cut = _is_cut(name)
        split = _SPLITS.get(PurePosixPath(name).stem.casefold())
        for row in _rows_of_text(text, _refuse_member(document, name), seen, split):
            place += 1
            yield _at(row, place, name)
    if not place:
        raise document.error("none of the files in it has examples of intents. Add the files with nlu or intents.")


def _is_cut(name: str) -> bool:
    return PurePosixPath(name).parent.name == _CUT_FOLDER


def _at(row: Example | LeftOut, place: int, member: str) -> Example | LeftOut:
    if isinstance(row, Example):
        return Example(place, row.text, row.labels, row.split, row.id, row.values)
    facts = {**row.facts, "member": member, "member_line": row.place}
    template = f"in {{member}}, line {{member_line}}: {row.template}"
    return LeftOut(place, template, facts, row.id, row.text, row.is_wrong, row.values)


def _refuse_member(document: Document, name: str) -> Refuse:
    def refuse(template: str, line: int | None = None, **facts: object) -> Exception:
        where = "in {member}: " if line is None else "in {member}, line {member_line}: "
        return document.error(where + template, None, **{**facts, "member": name, "member_line": line})

    return refuse


def _has_examples(text: str) -> bool:
    return any(each.search(text) for each in (_YAML_START, _MARKDOWN_INTENT, _JSON_START))


def _rows_of_text(text: str, refuse: Refuse, seen: _Seen, split: Split | None = None) -> Iterator[Example | LeftOut]:
    if text.lstrip().startswith("{"):
        return _rows_of_json(text, refuse, seen, split)
    if _MARKDOWN_INTENT.search(text) and not _YAML_START.search(text):
        return _rows_of_markdown(text, seen, split)
    return _rows_of_yaml(text, refuse, seen, split)


def _rows_of_yaml(text: str, refuse: Refuse, seen: _Seen, split: Split | None) -> Iterator[Example | LeftOut]:
    wholes = list(read_yaml(text, refuse))
    if not any("nlu" in as_object(whole) for whole in wholes):
        raise refuse("there is no nlu in it. Name the file with the examples of intents, often data/nlu.yml.")
    for whole in wholes:
        sections = as_object(whole).get("nlu", [])
        if not isinstance(sections, list):
            words = "nlu must hold a list of intents with their examples. Correct it."
            if isinstance(sections, YamlText) and sections.text in ("", "[]", "null"):
                continue
            raise refuse(words, sections.line if isinstance(sections, YamlText) else None)
        for section in sections:
            yield from _rows_of_section(section, refuse, seen, split)


def _rows_of_section(
    section: YamlValue, refuse: Refuse, seen: _Seen, split: Split | None
) -> Iterator[Example | LeftOut]:
    values = as_object(section)
    if "intent" not in values:
        if (other := next((each for each in _OTHERS if each in values), None)) is None:
            words = "an entry of nlu has no intent, synonym, regex or lookup. Add it, or remove the entry."
            raise refuse(words, _first_line(section))
        seen.others[other] += 1
        return
    intent = values["intent"]
    if not isinstance(intent, YamlText):
        raise refuse("an intent is no text. Correct it.", _first_line(section))
    examples = values.get("examples")
    if examples is None:
        return  # an intent that is only declared
    for line, text in _examples_of(examples, intent.line):
        row = seen.row(line, text, intent.text, split)
        if text is None:
            row = RawRow(line, None).wrong("it is no example, which begins with a dash. Correct or remove it.")
        yield row


def _first_line(value: Any) -> int | None:
    """Return the line of the first text in a value; ``None`` without one."""
    while isinstance(value, dict | list) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value.line if isinstance(value, YamlText) else None


def _examples_of(examples: YamlValue, line: int) -> Iterator[tuple[int, object]]:
    """Yield the examples of an intent with their lines: those of a block of bullets, or of a list.

    What is no example is ``None``.

    Args:
        examples: The block or the list.
        line: Where the intent stands, for what has no line itself.
    """
    if isinstance(examples, YamlText):
        yield from _bullets(examples)
        return
    for each in examples if isinstance(examples, list) else [examples]:
        # With metadata beside it, an example is a mapping.
        text = each.get("text") if isinstance(each, dict) else each
        if isinstance(text, YamlText):
            yield text.line, text.text.strip()
        else:
            yield line, text


def _bullets(block: YamlText) -> Iterator[tuple[int, object]]:
    for line, text in enumerate(StringIO(block.text), start=block.line):
        stripped = text.strip()
        if stripped.startswith(_BULLETS):
            yield line, stripped[1:].strip()
        elif stripped and not stripped.startswith("#"):
            yield line, None


def _rows_of_markdown(text: str, seen: _Seen, split: Split | None) -> Iterator[Example | LeftOut]:
    section, intent = "", ""
    # A comment may go over several lines, which still count.
    plain = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    for line, each in enumerate(StringIO(plain), start=1):
        if (found := _SECTION.match(each.strip())) is not None:
            section, intent = found[1], found[2]
            seen.others.update([section] if section in _OTHERS else ())
        elif each.startswith("#"):
            section = ""
        elif section == "intent" and (stripped := each.strip()).startswith(_BULLETS):
            yield seen.row(line, stripped[1:], intent, split)


def _rows_of_json(text: str, refuse: Refuse, seen: _Seen, split: Split | None) -> Iterator[Example | LeftOut]:
    try:
        whole, _ = parse_value(text.strip())
    except ValueError as error:
        raise refuse("the JSON is broken: {reason}. Correct it.", reason=why_refused(error)) from error
    data = as_object(whole).get("rasa_nlu_data")
    if not isinstance(data, dict):
        raise refuse("rasa_nlu_data is {kind}; it must be an object. Export it again.", kind=kind_of(data))
    for key, other in _OTHERS_IN_JSON.items():
        if found := as_list(data.get(key)):
            seen.others[other] += len(found)
    # Before 2018, intents and entities had examples of their own.
    examples = chain.from_iterable(as_list(data.get(key)) for key in ("common_examples", "intent_examples"))
    for place, example in enumerate(examples, start=1):
        values = as_object(example)
        if "intent" not in values and "text" in values:
            row = RawRow(place, values.get("text"), values=values)
            yield row.left_out("it has no intent; it is an example of entities alone.")
            continue
        # The marks of entities are offsets here, so brackets are characters.
        intent = values.get("intent")
        if "/" in as_text(intent):
            seen.retrieval.setdefault(as_text(intent))
        yield RawRow(place, values.get("text"), [intent], split, values=values).checked()


FORMAT: Final = FileFormat("rasa", "Rasa training data", _sniff, _read, JSON_OR_TEXT | JSON_OR_CONTAINER)
