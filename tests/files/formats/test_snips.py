"""Datasets of Snips NLU: slots, lines, and what is refused."""

import json
from typing import Any

import pytest

from tests.files.formats.reading import read_format
from tests.files.formats.snips_samples import YAML
from tests.files.formats.telling import left_out, notes, refusal


def test_entities_are_counted_and_rows_have_their_lines() -> None:
    assert notes("snips", YAML.encode()) == ["left out, since they are no texts with an intent: 1 entity."]
    assert [row.place for row in read_format("snips", YAML.encode())] == [8, 9, 10, 16]


@pytest.mark.parametrize(
    ("whole", "why"),
    [
        ({}, "its intents are null; they must be an object"),
        ({"intents": []}, "its intents are a list; they must be an object"),
        ({"intents": {"a": 3}}, "the intent 'a' has no list of utterances."),
        ({"intents": {"a": {"utterances": {}}}}, "the intent 'a' has no list of utterances."),
    ],
)
def test_a_dataset_without_utterances_is_refused(whole: Any, why: str) -> None:
    assert why in refusal("snips", json.dumps(whole).encode())


@pytest.mark.parametrize("utterance", [None, {}, {"data": 3}, {"data": [None]}, {"data": [{"text": 3}]}])
def test_an_utterance_without_a_text_is_left_out(utterance: Any) -> None:
    content = json.dumps({"intents": {"a": {"utterances": [utterance]}}}).encode()
    assert left_out("snips", content) == [(1, "the text is missing. Correct or remove that row.", True)]
    content = json.dumps({"intents": {"a": {"utterances": [{"data": []}]}}}).encode()
    assert left_out("snips", content)[0][1].startswith("the text is blank.")


def test_broken_yaml_is_refused_or_left_out() -> None:
    assert "an intent has no name, or no list of utterances." in refusal("snips", b"type: intent\nname: x\n")
    assert "an intent has no name" in refusal("snips", b"type: intent\nname: [x]\nutterances: []\n")
    assert "*x refers to another part" in refusal("snips", b"type: intent\nname: &x y\nutterances: [*x]\n")
    rows = left_out("snips", b"type: intent\nname: x\nutterances:\n- [light]\n- a\n")
    assert rows == [(2, "an utterance is no text. Put it between quotation marks, or remove it.", True)]


def test_a_row_of_a_dataset_is_given_back_with_its_text() -> None:
    whole = {"intents": {"turnOn": {"utterances": [{"data": [{"text": "turn on "}, {"text": "it", "entity": "x"}]}]}}}
    [row] = read_format("snips", json.dumps(whole).encode())
    assert row.values == {"text": "turn on it", "intent": "turnOn"}
