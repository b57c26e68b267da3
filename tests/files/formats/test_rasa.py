"""Training data of Rasa: marks of entities, what is no text, lines, projects, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.packing import written, zipped
from tests.files.formats.rasa_samples import CUT, JSON, MARKDOWN, PROJECT, YAML
from tests.files.formats.reading import read_format, sniff_all, told
from tests.files.formats.telling import left_out, notes, refusal
from windrow.files.formats.rasa import without_entities


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("from [Rome](city)", "from Rome"),
        ("from [Rome](city:roma) to [Bari](city)", "from Rome to Bari"),
        ('[large]{"entity": "size", "role": "of the pizza"} one', "large one"),
        ('[large][{"entity": "size"}, {"entity": "number"}]', "large"),
        ("see [1] and (this)", "see [1] and (this)"),
        ("a list [x] [y]", "a list [x] [y]"),
        ("[]{}", ""),
        ("[[nested](x)]", "[nested]"),
    ],
)
def test_marks_of_entities_are_taken_out(marked: str, plain: str) -> None:
    assert without_entities(marked) == plain


@pytest.mark.parametrize("text", ["[a](" * 50_000, "[" * 100_000, "[a]{" * 50_000, "[a][{}," * 50_000])
def test_marks_without_an_end_take_no_time(text: str) -> None:
    assert without_entities(text) == text


def test_what_is_no_text_with_an_intent_is_counted() -> None:
    assert notes("rasa", YAML.encode(), "nlu.yml") == [
        "left out, since they are no texts with an intent: 1 lookup, 1 regex, 1 synonym.",
        "1 intent with a / in the name, such as 'faq/hours': the whole name is the label, which keeps answers of one "
        "topic apart.",
    ]
    assert notes("rasa", MARKDOWN.encode()) == [
        "left out, since they are no texts with an intent: 1 lookup, 1 synonym."
    ]
    assert notes("rasa", json.dumps(JSON).encode()) == [
        "left out, since they are no texts with an intent: 1 regex, 1 synonym."
    ]


def test_each_row_has_its_line() -> None:
    assert [row.place for row in read_format("rasa", YAML.encode())] == [6, 7, 8, 11, 14, 15]
    assert [row.place for row in read_format("rasa", MARKDOWN.encode())] == [2, 3, 7]


def test_a_project_is_read_from_a_folder_as_from_a_zip_file(tmp_path: Path) -> None:
    folder = written(tmp_path, PROJECT)
    assert sniff_all(folder) == sniff_all(zipped(PROJECT)) == {"rasa": 1.0}
    rows = read_format("rasa", folder)
    assert told(rows) == [("see you", ("bye",)), ("hey", ("greet",)), ("hello", ("greet",))]
    assert [row.place for row in rows] == [1, 2, 3]


def test_what_a_project_was_cut_into_is_left_out_as_copies_unless_it_is_all(tmp_path: Path) -> None:
    folder = written(tmp_path, {**PROJECT, **{f"bot/{name}": text for name, text in CUT.items()}})
    assert told(read_format("rasa", folder)) == [("see you", ("bye",)), ("hey", ("greet",)), ("hello", ("greet",))]
    assert notes("rasa", folder) == [
        "left out, since its texts are copies of the others: bot/train_test_split. To have its test data for testing, "
        "name that folder."
    ]
    alone = folder / "bot" / "train_test_split"
    assert sniff_all(alone) == {"rasa": 1.0}
    assert told(read_format("rasa", alone)) == [("hello", ("greet",), "test"), ("hey", ("greet",), "train")]
    assert notes("rasa", alone) == notes("rasa", zipped(CUT)) == []


def test_a_row_that_is_broken_in_a_project_names_its_file() -> None:
    files = {"nlu/a.yml": "nlu:\n- intent: x\n  examples: |\n    - hi\n    there\n"}
    assert left_out("rasa", zipped(files)) == [
        (2, "in nlu/a.yml, line 5: it is no example, which begins with a dash. Correct or remove it.", True)
    ]
    files["nlu/b.yml"] = "nlu:\n- intent: [x]\n"
    assert "in nlu/b.yml, line 2: an intent is no text. Correct it." in refusal("rasa", zipped(files))
    assert "none of the files in it has examples" in refusal("rasa", zipped({"nlu/c.yml": "stories: []"}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("version: '3.1'\nstories: []\n", "there is no nlu in it. Name the file with the examples of intents"),
        ("nlu: text\n", "nlu must hold a list of intents"),
        ("nlu:\n  intent: x\n", "nlu must hold a list of intents"),
        ("nlu:\n- name: x\n", "line 2: an entry of nlu has no intent, synonym, regex or lookup."),
        ("nlu:\n- text\n", "line 2: an entry of nlu has no intent"),
        ("nlu:\n- []\n", "an entry of nlu has no intent"),
        ("nlu:\n- intent:\n    a: b\n", "line 3: an intent is no text."),
        ("nlu:\n- intent: &a x\n  examples: *a\n", "line 3: *a refers to another part of the file"),
        ("nlu: [" + "&a [" * 100, "nested more than 30 deep"),
        ("nlu:\n- intent: x\n  intent: y\n", "line 3: the key 'intent' stands twice"),
        ("nlu:\n- intent: x\n examples\n", "the YAML is broken"),
        ('{"rasa_nlu_data": [', "the JSON is broken"),
        ('{"rasa_nlu_data": []}', "rasa_nlu_data is a list; it must be an object."),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(content: str, why: str) -> None:
    assert why in refusal("rasa", content.encode())


def test_aliases_that_would_grow_without_end_are_refused_at_the_first() -> None:
    levels = [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    bomb = "\n".join(["a0: &a0 lol", *levels, "nlu:", "- intent: x", "  examples: *a39"])
    assert "*a0 refers to another part of the file" in refusal("rasa", bomb.encode())


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("examples:\n  - text:\n      a: b\n", "the text is an object."),
        ("examples:\n  - metadata: x\n", "it is no example"),
        ("examples:\n  - [a]\n", "the text is a list."),
        ("examples:\n    a: b\n", "it is no example"),
        ("examples: |\n    -\n", "the text is blank."),
        ("examples: text\n", "it is no example"),
    ],
)
def test_a_broken_example_is_left_out_with_the_reason(section: str, why: str) -> None:
    [(_, told_why, is_wrong)] = left_out("rasa", f"nlu:\n- intent: x\n  {section}".encode())
    assert is_wrong
    assert told_why.startswith(why)


def test_an_intent_without_a_name_labels_nothing() -> None:
    assert left_out("rasa", b"## intent:\n- hey\n")[0][1].startswith("a label is blank.")
    assert left_out("rasa", b"nlu:\n- intent: ''\n  examples: |\n    - hey\n")[0][1].startswith("a label is blank.")


@pytest.mark.parametrize(
    ("example", "why", "wrong"),
    [
        ({"text": "a"}, "it has no intent; it is an example of entities alone.", False),
        ({"intent": "x"}, "the text is missing.", True),
        (None, "the text is missing.", True),
        ({"text": "a", "intent": 1.5}, "a label is a number, no text.", True),
        ({"text": "a", "intent": None}, "a label is null, no text.", True),
        ({"text": "a", "intent": []}, "a label is a list, no text.", True),
    ],
)
def test_a_broken_example_of_json_is_left_out_with_the_reason(example: Any, why: str, wrong: bool) -> None:
    content = json.dumps({"rasa_nlu_data": {"common_examples": [example], "regex_features": 3}}).encode()
    [(place, told_why, is_wrong)] = left_out("rasa", content)
    assert (place, is_wrong) == (1, wrong)
    assert told_why.startswith(why)


def test_a_file_without_any_examples_has_no_rows() -> None:
    assert read_format("rasa", b"nlu:\n") == read_format("rasa", b"nlu: []\n") == []
    assert read_format("rasa", b'{"rasa_nlu_data": {}}') == []


def test_other_yaml_and_markdown_is_not_taken_for_it() -> None:
    for content in (b"# Notes\n\n- one\n- two\n", b"services:\n  web:\n    image: x\n", b"version: 1\nname: x\n"):
        assert "rasa" not in sniff_all(content, "file.md")
    assert sniff_all(b'version: "3.1"\nstories: []\n', "stories.yml") == {"rasa": 1.0}
