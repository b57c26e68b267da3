"""Agents of Dialogflow: templates, fallback intents, languages, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.dialogflow_samples import BOOKING, CX, ES, LANGUAGES
from tests.files.formats.packing import written, zipped
from tests.files.formats.reading import read_format, told
from tests.files.formats.telling import left_out, notes, refusal


def test_an_agent_is_read_from_a_folder_as_from_a_zip_file(tmp_path: Path) -> None:
    assert told(read_format("dialogflow", written(tmp_path, ES))) == told(read_format("dialogflow", zipped(ES)))


def test_a_template_is_left_out() -> None:
    assert left_out("dialogflow", zipped(ES)) == [
        (3, "it is a template, no text: it holds names of entities in place of words.", False)
    ]


@pytest.mark.parametrize(("files", "name"), [(ES, "Default Fallback Intent"), (CX, "Default Negative Intent")])
def test_texts_of_a_fallback_intent_stay_and_are_told(files: dict[str, str], name: str) -> None:
    [note] = notes("dialogflow", zipped(files))
    assert note.startswith(
        f"the fallback intent, {name}, which holds examples of what is no other intent, stays a label"
    )
    assert "with 1 text." in note


def test_several_languages_are_told() -> None:
    assert notes("dialogflow", zipped(LANGUAGES)) == ["its texts are in several languages, de, pt-BR; all are read."]


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        (None, "the text is missing."),
        ({}, "the text is missing."),
        ({"data": "x", "parts": "x"}, "the text is missing."),
        ({"data": [{}], "parts": [{}]}, "the text is missing."),
        ({"data": [{"text": 3}], "parts": [{"text": 3}]}, "the text is missing."),
        ({"data": [], "parts": []}, "the text is blank."),
    ],
)
def test_a_broken_phrase_is_left_out(phrase: Any, why: str) -> None:
    es = zipped({"intents/a_usersays_en.json": json.dumps([phrase])})
    cx = zipped({"intents/a/trainingPhrases/en.json": json.dumps({"trainingPhrases": [phrase]})})
    for content in (es, cx):
        [(place, told_why, is_wrong)] = left_out("dialogflow", content)
        assert (place, is_wrong) == (1, True)
        assert told_why.startswith(why)


def test_an_agent_without_phrases_is_refused() -> None:
    assert "there are no training phrases in it" in refusal("dialogflow", zipped({"agent.json": "{}"}))
    for content in ("3", "{}", '{"trainingPhrases": {}}'):
        why = refusal("dialogflow", zipped({"intents/a/trainingPhrases/en.json": content}))
        assert "intents/a/trainingPhrases/en.json holds no list of training phrases." in why
    assert "the JSON in intents/a_usersays_en.json is broken" in refusal(
        "dialogflow", zipped({"intents/a_usersays_en.json": "[{"})
    )


def test_the_file_of_an_intent_may_hold_anything() -> None:
    for description in ("[]", '{"name": {}}', '{"fallbackIntent": "yes"}'):
        files = {"intents/a.json": description, "intents/a_usersays_en.json": json.dumps(BOOKING[2:])}
        assert told(read_format("dialogflow", zipped(files))) == [("a table please", ("a",))]


def test_one_file_needs_its_name() -> None:
    content = json.dumps(BOOKING).encode()
    assert told(read_format("dialogflow", content, "talk_usersays_en.json"))[0][1] == ("talk",)
    assert "the intent's name is missing" in refusal("dialogflow", content, "booking.json")
