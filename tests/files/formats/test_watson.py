"""Files of IBM Watson: descriptions, counterexamples, tables, and what is left out."""

import json
from typing import Any

import pytest

from tests.files.formats.reading import read_format, read_whole, told
from tests.files.formats.telling import left_out, notes, refusal
from tests.files.formats.watson_samples import CSV, WORKSPACE


def workspace(intents: Any, **more: Any) -> bytes:
    return json.dumps({"intents": intents, **more}).encode()


def test_descriptions_of_intents_are_descriptions_of_labels() -> None:
    reading, _ = read_whole("watson", json.dumps(WORKSPACE).encode())
    assert reading.label_descriptions == {"billing": "Invoices and payments"}
    assert reading.description == "Answers to customers"


def test_a_counterexample_is_left_out_and_told() -> None:
    assert left_out("watson", json.dumps(WORKSPACE).encode()) == [
        (4, "it is a counterexample: a text that belongs to no intent.", False)
    ]


def test_where_the_intent_stands_is_told() -> None:
    assert "Column 2, the last one, is taken for the label" in notes("watson", CSV.encode())[0]
    swapped = b"billing,I was charged twice\nbilling,Refund me please\ngreeting,Good morning to you\n"
    assert told(read_format("watson", swapped))[0] == ("I was charged twice", ("billing",))


@pytest.mark.parametrize(
    ("intents", "why"),
    [
        ([{"intent": "a", "examples": [None]}], "the text is missing."),
        ([{"intent": "a", "examples": [{"text": 3}]}], "the text is a number."),
        ([{"examples": [{"text": "x"}]}], "a label is null, no text."),
        ([{"intent": "a"}], "an intent has no list of examples, but null."),
        ([{"intent": "a", "examples": "x"}], "an intent has no list of examples, but a text."),
        ([3], "an intent has no list of examples, but null."),
        ([{"intent": [], "examples": ["x"]}], "a label is a list, no text."),
    ],
)
def test_a_broken_part_of_a_workspace_is_left_out_with_the_reason(intents: Any, why: str) -> None:
    [(place, told_why, is_wrong)] = left_out("watson", workspace(intents))
    assert (place, is_wrong) == (1, True)
    assert told_why.startswith(why)


@pytest.mark.parametrize("whole", [{}, {"intents": {}}, {"workspace": 3}, {"workspace": {"intents": None}}])
def test_a_workspace_without_intents_is_refused(whole: Any) -> None:
    assert "there is no list under 'intents', but " in refusal("watson", json.dumps(whole).encode())


def test_counterexamples_of_any_other_form_do_no_harm() -> None:
    content = workspace([{"intent": "a", "examples": [{"text": "x"}]}], counterexamples={"text": "y"})
    assert told(read_format("watson", content)) == [("x", ("a",))]
    content = workspace([{"intent": "a", "examples": [{"text": "x"}]}], counterexamples=[3, {"text": []}])
    assert [is_wrong for _, _, is_wrong in left_out("watson", content)] == [False, False]


def test_a_row_without_an_intent_is_left_out() -> None:
    rows = left_out("watson", b"some text,x\nother text,\nmore text\n,y\n")
    assert [place for place, _, _ in rows] == [2, 3, 4]
    assert rows[0][1].startswith("it has no intent.")
    assert rows[2][1].startswith("the text is blank.")


def test_classifications_of_another_form_are_left_out() -> None:
    content = json.dumps([{"text": "a", "labels": ["x"]}, {"text": "b"}, {"labels": []}, 3]).encode()
    assert told(read_format("watson", content)) == [("a", ("x",)), ("b", None)]
    assert [why.partition(".")[0] for _, why, _ in left_out("watson", content)] == [
        "the text is missing",
        "a row is a number; it must be an object",
    ]


def test_intents_of_actions_are_called_by_the_titles_of_their_actions() -> None:
    actions = [
        {"action": "action_1", "title": "Order status", "condition": {"intent": "action_1_intent_2"}},
        {"action": "action_2", "title": "Returns", "condition": {"intent": "action_2_intent_3"}},
        {"action": "action_3", "title": "Returns", "condition": {"intent": "action_3_intent_4"}},
        {"action": "welcome", "title": "Greet customer", "condition": {"expression": "welcome"}},
    ]
    intents = [
        {"intent": f"action_{number}_intent_{number + 1}", "examples": [{"text": f"text {number}"}]}
        for number in (1, 2, 3)
    ]
    content = json.dumps({"type": "action", "workspace": {"actions": actions, "intents": intents}}).encode()
    assert told(read_format("watson", content)) == [
        ("text 1", ("Order status",)),
        ("text 2", ("action_2_intent_3",)),
        ("text 3", ("action_3_intent_4",)),
    ]


def test_no_title_makes_one_label_of_two_intents() -> None:
    actions = [
        {"title": "Billing", "condition": {"intent": "action_1_intent"}},
        {"title": "Returns", "condition": {"intent": "action_2_intent"}},
        {"title": "Refunds", "condition": {"intent": "action_2_intent"}},
    ]
    names = ("action_1_intent", "action_2_intent", "Billing")
    intents = [{"intent": name, "examples": [{"text": f"text of {name}"}]} for name in names]
    content = json.dumps({"actions": actions, "intents": intents}).encode()
    assert told(read_format("watson", content)) == [(f"text of {name}", (name,)) for name in names]
