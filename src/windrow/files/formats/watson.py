"""Read what IBM Watson trains on: workspaces of Assistant, tables of examples without a header, and NLU's examples."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, count
from typing import Any, Final

from windrow.files.formats.form import (
    CERTAIN,
    JSON_OR_TABLE,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.headerless import NumberedCells, cells_by_number, find_place, open_headerless
from windrow.files.formats.json_documents import JsonObject, list_under, whole_object
from windrow.files.formats.raw_rows import RawRow, as_list, as_object, as_text, kind_of

# What only a workspace has, also of one that is too long to be parsed for a look.
_INTENT: Final = re.compile(r'"intents"\s*:\s*\[\s*\{\s*"(?:intent|examples|description)"\s*:')
_COUNTEREXAMPLE: Final = "it is a counterexample: a text that belongs to no intent."


def _sniff(beginning: Beginning) -> float:
    if not beginning.text.lstrip().startswith("{"):
        return NO
    first = as_object(beginning.first)
    intents = as_list(as_object(first.get("workspace", first)).get("intents"))
    if intents and all({"intent", "examples"} <= as_object(each).keys() for each in intents):
        return CERTAIN
    return CERTAIN if not first and _INTENT.search(beginning.text) else NO


def _read(document: Document) -> Reading:
    start = document.beginning.text.lstrip()[:1]
    if start == "{" and "labels" not in as_object(document.beginning.first):
        return _read_workspace(document)
    if start in ("{", "["):
        rows = (_classification(place, each) for place, each in document.values())
        return Reading(rows=rows, kind="multi_label")
    return _read_table(document)


def _read_workspace(document: Document) -> Reading:
    whole = whole_object(document)
    # A skill of the newer Assistant holds its workspace.
    workspace = as_object(whole.get("workspace", whole))
    intents = list_under(document, workspace, "intents")
    titles = _titles(workspace, intents)
    descriptions = {
        titles.get(name, name): description
        for each in map(as_object, intents)
        if (name := as_text(each.get("intent"))) and (description := as_text(each.get("description")).strip())
    }
    return Reading(
        rows=_workspace_rows(workspace, intents, titles),
        kind="single_label",
        description=as_text(workspace.get("description")),
        label_descriptions=descriptions,
    )


def _titles(workspace: JsonObject, intents: list[Any]) -> dict[str, str]:
    """Return what people call the intents of actions, which have numbers for names: the title of the action of each.

    An intent of several actions, or whose title another intent has too, keeps its name.
    """
    titles: dict[str, set[str]] = {}
    for action in map(as_object, as_list(workspace.get("actions"))):
        name, title = as_text(as_object(action.get("condition")).get("intent")), as_text(action.get("title")).strip()
        if name and title:
            titles.setdefault(name, set()).add(title)
    # Two intents stay two labels, whatever the actions are called.
    others = {name for each in intents if (name := as_text(as_object(each).get("intent"))) not in titles}
    taken = Counter(chain(others, *titles.values()))
    only = {name: next(iter(of_actions)) for name, of_actions in titles.items() if len(of_actions) == 1}
    return {name: title for name, title in only.items() if taken[title] == 1}


def _workspace_rows(
    workspace: JsonObject, intents: list[Any], titles: Mapping[str, str]
) -> Iterator[Example | LeftOut]:
    places = count(1)
    for intent in intents:
        examples = as_object(intent).get("examples")
        if not isinstance(examples, list):
            words = "an intent has no list of examples, but {kind}. Export the workspace again."
            yield RawRow(next(places), None).wrong(words, kind=kind_of(examples))
            continue
        for example in examples:
            text = example.get("text") if isinstance(example, dict) else example
            name = as_object(intent).get("intent")
            label = titles.get(as_text(name), name)
            yield RawRow(next(places), text, [label], values={"text": text, "intent": label}).checked()
    for counterexample in as_list(workspace.get("counterexamples")):
        text = as_object(counterexample).get("text")
        yield RawRow(next(places), text, values={"text": text}).left_out(_COUNTEREXAMPLE)


def _classification(place: int, given: object) -> Example | LeftOut:
    if not isinstance(given, dict):
        words = "a row is {kind}; it must be an object. Correct or remove it."
        return RawRow(place, None).wrong(words, kind=kind_of(given))
    return RawRow(place, given.get("text"), given.get("labels"), values=given).checked()


def _read_table(document: Document) -> Reading:
    table = open_headerless(document)
    if any(len(cells) != 2 for cells in table.first):
        text_at, notes = 0, list[Note]()
    else:
        text_at, _, notes = find_place(document, table.first, "last")
    rows = (_table_row(each, text_at) for each in table.rows)
    return Reading(rows=chain(() if table.header is None else (table.header,), rows), notes=notes)


def _table_row(numbered_cells: NumberedCells, text_at: int) -> Example | LeftOut:
    line, cells = numbered_cells
    labels = [cell.strip() for place, cell in enumerate(cells) if place != text_at and cell.strip()]
    row = RawRow(line, cells[text_at] if text_at < len(cells) else None, labels, values=cells_by_number(cells))
    if not labels:
        return row.wrong("it has no intent. Add one behind its text, or remove the row.")
    return row.checked()


FORMAT: Final = FileFormat("watson", "IBM Watson Assistant or NLU", _sniff, _read, JSON_OR_TABLE)
