"""Projects of Azure: files with texts, splits, intents of none, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.azure_samples import SINGLE, TEXTS, conversation, document, luis, project
from tests.files.formats.packing import written, zipped
from tests.files.formats.reading import read_format, read_whole, sniff_all, told
from tests.files.formats.telling import left_out, notes, refusal
from windrow.files.formats.form import Example

SINGLE_KIND = "CustomSingleLabelClassification"


def packed(documents: list[Any], kind: str = SINGLE_KIND) -> bytes:
    return zipped({"project.json": json.dumps(project(kind, documents)), **TEXTS})


def test_texts_are_read_beside_the_project_and_in_folders_below(tmp_path: Path) -> None:
    folder = written(tmp_path / "tickets", {"project.json": json.dumps(SINGLE), **TEXTS})
    expected = [
        ("The invoice is wrong", ("billing",), "train"),
        ("The app crashes\r\nwhen I open it", ("technical",), "test"),
        ("I was charged twice", ("billing",), "train"),
    ]
    assert told(read_format("azure", folder / "project.json")) == expected
    assert told(read_format("azure", folder)) == expected


def test_a_row_keeps_its_location_and_the_project_its_description() -> None:
    reading, rows = read_whole("azure", zipped({"a.json": json.dumps(SINGLE), **TEXTS}))
    assert [row.id for row in rows] == ["ticket1.txt", "ticket2.txt", "more/ticket3.txt"]
    assert isinstance(rows[0], Example)
    assert rows[0].values == SINGLE["assets"]["documents"][0]
    assert reading.description == "Which team answers a ticket"


@pytest.mark.parametrize(
    "location",
    [
        "../secret.txt",
        "/etc/passwd",
        "more/../../secret.txt",
        "..\\secret.txt",
        "C:\\secret.txt",
        "",
        ".",
        "\0",
        "more",
    ],
)
def test_no_location_leads_to_a_file_that_is_none_of_the_projects(location: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "tickets", TEXTS)
    (tmp_path / "secret.txt").write_text("secret")
    documents = [document("ticket1.txt", None, **{"class": {"category": "billing"}}), document(location)]
    (folder / "project.json").write_text(json.dumps(project(SINGLE_KIND, documents)))
    for content in (folder / "project.json", folder, packed(documents)):
        assert told(read_format("azure", content)) == [("The invoice is wrong", ("billing",))]
        [(place, why, is_wrong)] = left_out("azure", content)
        assert (place, is_wrong) == (2, True)
        assert "is not among the project's" in why or "it has no location" in why


def test_a_missing_text_is_not_taken_from_a_folder_beside_the_others() -> None:
    documents = [document(name, None, **{"class": {"category": "billing"}}) for name in ("ticket1.txt", "lost.txt")]
    content = zipped(
        {"project.json": json.dumps(project(SINGLE_KIND, documents)), **TEXTS, "old/lost.txt": b"an old one"}
    )
    assert told(read_format("azure", content)) == [("The invoice is wrong", ("billing",))]
    [(place, why, _)] = left_out("azure", content)
    assert place == 2
    assert "is not among the project's" in why


def test_a_link_that_leads_outside_is_no_file_of_the_project(tmp_path: Path) -> None:
    folder = written(tmp_path / "tickets", TEXTS)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    documents = [document("ticket1.txt"), document("link.txt")]
    (folder / "project.json").write_text(json.dumps(project(SINGLE_KIND, documents)))
    assert told(read_format("azure", folder)) == [("The invoice is wrong", None)]


def test_a_project_without_any_of_its_files_is_refused_with_what_to_do(tmp_path: Path) -> None:
    alone = json.dumps(SINGLE).encode()
    why = refusal("azure", alone, "project.json")
    assert "none of the files with its texts is there, such as 'ticket1.txt'. Download them" in why
    (tmp_path / "project.json").write_bytes(alone)
    assert why.partition(": ")[2] in refusal("azure", tmp_path)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"location": "ticket1.txt", "class": {"category": 3.5}}, "a label is a number, no text."),
        ({"location": "ticket1.txt", "class": {"name": "x"}}, "a label is null, no text."),
        ({"location": "ticket1.txt", "class": {"category": " "}}, "a label is blank."),
        ({"location": "ticket1.txt", "dataset": "Holdout"}, "its dataset is 'Holdout', neither Train nor Test."),
        ({"location": "ticket1.txt", "dataset": ["Test"]}, "its dataset is \"['Test']\", neither Train nor Test."),
        ({"location": ["ticket1.txt"]}, "it has no location"),
        ({}, "it has no location"),
        (None, "it has no location"),
        ("ticket1.txt", "it has no location"),
    ],
)
def test_a_broken_document_is_left_out_with_the_reason(given: Any, why: str) -> None:
    [(place, told_why, is_wrong)] = left_out("azure", packed([document("ticket1.txt"), given]))
    assert (place, is_wrong) == (2, True)
    assert told_why.startswith(why)


@pytest.mark.parametrize("classes", [{"category": "x"}, 1.5, [{"category": "x"}, []]])
def test_classes_of_another_form_are_no_labels(classes: Any) -> None:
    content = packed([document("ticket1.txt", classes=classes)], "CustomMultiLabelClassification")
    [(place, why, is_wrong)] = left_out("azure", content)
    assert (place, is_wrong) == (1, True)
    assert why.startswith("a label is ")


@pytest.mark.parametrize(
    ("whole", "why"),
    [
        ({"metadata": {"projectKind": "CustomEntityRecognition"}, "assets": {"documents": []}}, "its kind is 'Custom"),
        ({"metadata": [], "assets": {"documents": []}}, "its kind is 'null'"),
        ({"assets": 3}, "its kind is 'null'"),
        ({"metadata": {"projectKind": SINGLE_KIND}}, "there is no list under 'documents', but null."),
        ({"metadata": {"projectKind": SINGLE_KIND}, "assets": {"documents": {}}}, "'documents', but an object."),
        ([{"metadata": {}}, {}], "it is no single JSON object"),
    ],
)
def test_a_broken_project_is_refused_with_the_reason(whole: Any, why: str) -> None:
    assert why in refusal("azure", json.dumps(whole).encode(), "project.json")


def test_of_several_projects_in_a_zip_file_none_is_chosen() -> None:
    text = json.dumps(SINGLE)
    why = refusal("azure", zipped({"a.json": text, "b.json": text, "c.json": "{}", **TEXTS}))
    assert "several files in it are projects, a.json, b.json." in why
    assert "none of the JSON files in it is a project" in refusal("azure", zipped({"c.json": "[1]", **TEXTS}))
    assert "the JSON in a.json is broken" in refusal("azure", zipped({"a.json": "{", **TEXTS}))
    assert "in a.json, something follows" in refusal("azure", zipped({"a.json": "{} {}", **TEXTS}))


def test_texts_of_the_intent_none_stay_and_are_told() -> None:
    [note] = notes("clu", json.dumps(conversation([{"text": "a", "intent": "None"}] * 2)).encode())
    assert note.startswith(
        "the intent None, which stands for everything else, stays a label like any other, with 2 texts."
    )
    assert notes("clu", json.dumps(conversation([{"text": "a", "intent": "b"}])).encode()) == []


def test_a_project_of_utterances_is_read_from_a_zip_file_that_holds_it() -> None:
    utterances = [{"text": "a", "intent": "b"}]
    files = {"clu.json": json.dumps(conversation(utterances)), "luis.json": json.dumps(luis(utterances))}
    for name in ("clu", "luis"):
        assert told(read_format(name, zipped(files))) == [("a", ("b",))]


def test_patterns_of_luis_are_counted() -> None:
    patterns = [{"pattern": "book {thing}", "intent": "b"}]
    content = json.dumps(luis([{"text": "a", "intent": "b"}], patterns=patterns)).encode()
    assert notes("luis", content) == ["left out, since they are templates and no texts: 1 pattern."]


@pytest.mark.parametrize("name", ["clu", "luis"])
@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "an utterance is null; it must be an object."),
        ([], "an utterance is a list; it must be an object."),
        ({"intent": "b"}, "the text is missing."),
        ({"text": {}, "intent": "b"}, "the text is an object."),
        ({"text": "a", "intent": {}}, "a label is an object, no text."),
        ({"text": "a", "intent": ["b"]}, "its intent is a list; an utterance has one intent."),
        ({"text": "a", "intent": "b", "dataset": 1}, "its dataset is '1', neither Train nor Test."),
    ],
)
def test_a_broken_utterance_is_left_out_with_the_reason(name: str, given: Any, why: str) -> None:
    utterances = [{"text": "a", "intent": "b"}, given]
    whole = conversation(utterances) if name == "clu" else luis(utterances)
    [(place, told_why, is_wrong)] = left_out(name, json.dumps(whole).encode())
    assert (place, is_wrong) == (2, True)
    assert told_why.startswith(why)


@pytest.mark.parametrize("name", ["clu", "luis"])
@pytest.mark.parametrize("whole", [{}, {"assets": [], "utterances": 3}, {"assets": {"utterances": {}}}])
def test_a_project_without_utterances_is_refused(name: str, whole: Any) -> None:
    assert "there is no list under 'utterances', but " in refusal(name, json.dumps(whole).encode())


def test_texts_that_were_fetched_into_a_folder_of_their_own_are_found() -> None:
    documents = [
        {"location": "a.txt", "dataset": "Train", "class": {"category": "x"}},
        {"location": "q/b.txt", "dataset": "Test", "class": {"category": "y"}},
    ]
    kind = "CustomSingleLabelClassification"
    project = {"metadata": {"projectKind": kind}, "assets": {"projectKind": kind, "documents": documents}}
    files = {"export/project.json": json.dumps(project), "container/a.txt": "one", "container/q/b.txt": "two"}
    assert told(read_format("azure", zipped(files))) == [("one", ("x",), "train"), ("two", ("y",), "test")]


def test_utterances_as_they_are_imported_into_clu_keep_their_parts_of_the_data() -> None:
    utterances = [
        {"text": "a", "language": "en-us", "intent": "x", "entities": [], "dataset": "Train"},
        {"text": "b", "language": "en-us", "intent": "None", "entities": [], "dataset": "Test"},
    ]
    content = json.dumps(utterances).encode()
    assert [*sniff_all(content, "utterances.json")] == ["clu"]
    assert told(read_format("clu", content)) == [("a", ("x",), "train"), ("b", ("None",), "test")]
