"""Read projects of Azure: custom text classification with its files of texts, CLU and LUIS."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from windrow.domain.figures import counted
from windrow.domain.prediction import Kind
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
    Split,
)
from windrow.files.formats.json_documents import MemberPaths, list_under, numbered, project_object
from windrow.files.formats.raw_rows import RawRow, as_list, as_object, as_text, kind_of

_KINDS: Final[dict[str, Kind]] = {
    "customsinglelabelclassification": "single_label",
    "custommultilabelclassification": "multi_label",
}
_SPLITS: Final[dict[str, Split]] = {"train": "train", "test": "test"}
# What stands near the beginning of each project, also of one that is too long to be parsed for a look.
_CUSTOM_TEXT: Final = re.compile(r'"projectKind"\s*:\s*"custom(?:single|multi)label', re.IGNORECASE)
_CONVERSATION: Final = re.compile(r'"projectKind"\s*:\s*"(?:conversation|orchestration)"', re.IGNORECASE)
_LUIS: Final = re.compile(r'"luis_schema_version"\s*:')
# What CLU has of each utterance that is imported into a project; LUIS has no part of the data.
_UTTERANCE_KEYS: Final = {"text", "intent", "language", "dataset"}
# So sure are the names of the files in a zip file or a folder.
_PACKED: Final = 0.9
# The intent of everything that belongs to no other one.
NONE_INTENT: Final = "None"
_NONE_NOTE: Final = (
    "the intent None, which stands for everything else, stays a label like any other, with {texts}. Windrow also tells "
    "by in_scope how far a text is from all that it was trained on."
)


def _sniff_custom_text(beginning: Beginning) -> float:
    names = [name.lower() for name in beginning.member_names]
    if any(name.endswith(".json") for name in names) and any(name.endswith(".txt") for name in names):
        return _PACKED
    return CERTAIN if _CUSTOM_TEXT.search(_object_text(beginning)) else NO


def has_texts_beside(beginning: str) -> bool:
    """Whether a file is a project of custom text classification, whose texts are other files.

    Args:
        beginning: The beginning of its text.
    """
    return beginning.lstrip("\ufeff \t\r\n").startswith("{") and _CUSTOM_TEXT.search(beginning) is not None


def _sniff_clu(beginning: Beginning) -> float:
    # Utterances that are imported into a project stand in a list.
    is_utterance = as_object(beginning.first).keys() >= _UTTERANCE_KEYS and beginning.text.lstrip().startswith("[")
    return CERTAIN if is_utterance or _CONVERSATION.search(_object_text(beginning)) else NO


def _sniff_luis(beginning: Beginning) -> float:
    return CERTAIN if _LUIS.search(_object_text(beginning)) else NO


def _object_text(beginning: Beginning) -> str:
    """Return the beginning of a JSON object; nothing of any other file, whose texts may speak of one."""
    return beginning.text if beginning.text.lstrip().startswith("{") else ""


def _read_custom_text(document: Document) -> Reading:
    member, project = project_object(document, lambda each: "documents" in as_object(each.get("assets")))
    metadata, assets = as_object(project.get("metadata")), as_object(project.get("assets"))
    declared = as_text(metadata.get("projectKind")) or as_text(assets.get("projectKind"))
    kind = _KINDS.get(declared.casefold())
    if kind is None:
        words = "its kind is {kind!r}; texts with labels are in a project of CustomSingleLabelClassification or "
        words += "CustomMultiLabelClassification. Export such a one."
        raise document.error(words, kind=declared or kind_of(metadata.get("projectKind")))
    documents = list_under(document, assets, "documents")
    files = MemberPaths(frozenset(document.member_names()))
    locations = [as_text(as_object(each).get("location")) for each in documents]
    found = [files.find(member, each) for each in locations]
    if not any(found):
        # Beside some that are there, another folder may hold older ones.
        found = [files.find_elsewhere(each) for each in locations]
    if documents and not any(found):
        words = "none of the files with its texts is there, such as {location!r}. Download them from the project's "
        words += "container, put them beside its JSON file, and name the folder or a zip file of both."
        raise document.error(words, location=locations[0][:200])
    entries = numbered([*zip(documents, found, strict=True)])
    return Reading(
        rows=(_document_row(document, kind, place, each) for place, each in entries),
        kind=kind,
        description=as_text(metadata.get("description")),
    )


def _document_row(document: Document, kind: Kind, place: int, entry: tuple[object, str | None]) -> Example | LeftOut:
    given, member = entry
    values = as_object(given)
    location = as_text(values.get("location"))
    if member is None:
        row = RawRow(place, None, id=location, values=values)
        if not location:
            return row.wrong("it has no location, the name of the file with its text. Add it or remove the document.")
        words = "the file {location!r} with its text is not among the project's. Add it, or remove the document."
        return row.wrong(words, location=location[:200])
    text = document.member_text(member).strip()
    row = RawRow(place, text, _classes(kind, values), _split(values), location, values)
    return _of_known_part(row, values)


def _classes(kind: Kind, values: Mapping[str, Any]) -> object:
    """Return the labels of a document; ``None`` where nobody has labelled it."""
    if kind == "single_label" and "classes" not in values:
        given = values.get("class")
        return None if given is None else [_category(given)]
    given = values.get("classes")
    return None if given is None else [*map(_category, given)] if isinstance(given, list) else given


def _category(value: object) -> object:
    return value.get("category") if isinstance(value, dict) else value


def _split(values: Mapping[str, Any]) -> Split | None:
    return _SPLITS.get(as_text(values.get("dataset")).casefold())


def _of_known_part(row: RawRow, values: Mapping[str, Any]) -> Example | LeftOut:
    """Return a row, unless its part of the data is unknown."""
    given = values.get("dataset")
    if given not in (None, "") and row.split is None:
        words = "its dataset is {dataset!r}, neither Train nor Test. Correct or remove it."
        return row.wrong(words, dataset=str(given)[:40])
    return row.checked()


def _read_clu(document: Document) -> Reading:
    if document.beginning.text.lstrip().startswith("["):
        utterances = [value for _, value in document.values()]
        return _utterances(document, {"utterances": utterances}, "", ())
    _, project = project_object(document, lambda each: "utterances" in as_object(each.get("assets")))
    metadata = as_object(project.get("metadata"))
    return _utterances(document, project.get("assets"), as_text(metadata.get("description")), ())


def _read_luis(document: Document) -> Reading:
    _, project = project_object(document, lambda each: "luis_schema_version" in each)
    notes: list[Note] = []
    if patterns := as_list(project.get("patterns")):
        words = "left out, since they are templates and no texts: {patterns}."
        notes.append(Note(words, {"patterns": counted(len(patterns), "pattern")}))
    return _utterances(document, project, as_text(project.get("desc")), notes)


def _utterances(document: Document, holder: object, description: str, notes: Sequence[Note]) -> Reading:
    """Return the rows of a list of utterances with an intent each.

    Args:
        document: The file, for messages.
        holder: The object with the list.
        description: What the project says that it is for.
        notes: What is told of the project besides.
    """
    utterances = list_under(document, holder, "utterances")
    of_none = Counter(as_text(as_object(each).get("intent")) for each in utterances)[NONE_INTENT]
    told = [Note(_NONE_NOTE, {"texts": counted(of_none, "text")})] if of_none else []
    rows = (_utterance(place, each) for place, each in numbered(utterances))
    return Reading(rows=rows, kind="single_label", description=description, notes=[*told, *notes])


def _utterance(place: int, given: Any) -> Example | LeftOut:
    if not isinstance(given, dict):
        words = "an utterance is {kind}; it must be an object. Correct or remove it."
        return RawRow(place, None).wrong(words, kind=kind_of(given))
    row = RawRow(place, given.get("text"), given.get("intent"), _split(given), as_text(given.get("id")), given)
    if isinstance(row.labels, list):
        return row.wrong("its intent is a list; an utterance has one intent. Correct or remove it.")
    return _of_known_part(row, given)


FORMATS: Final = (
    FileFormat("azure", "Azure custom text classification", _sniff_custom_text, _read_custom_text, JSON_OR_CONTAINER),
    FileFormat("clu", "Azure conversational language understanding (CLU)", _sniff_clu, _read_clu, JSON_OR_CONTAINER),
    FileFormat("luis", "LUIS", _sniff_luis, _read_luis, JSON_OR_CONTAINER),
)
