"""Files that classifiers were fine-tuned on at OpenAI: text, label, what is left out, and answers that are prose."""

from typing import Any

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.openai_samples import CHAT, SYSTEM, chat, jsonl
from tests.files.formats.reading import read_whole, sniff_all, told
from windrow.domain.words import render

rows_of = reader_of("openai")


def said(content: str, **options: Any) -> tuple[str, list[str]]:
    """Return what the file says the classifier is for, and what the user is told of it."""
    reading, _ = read_whole("openai", content.encode(), **options)
    return reading.description, [render(note.template, note.facts) for note in reading.notes]


def test_a_constant_system_prompt_describes_the_classifier() -> None:
    assert said(jsonl(*CHAT)) == (SYSTEM, [])
    developer = {"role": "developer", "content": f" {SYSTEM}\n"}
    rows = [{"messages": [developer, *chat("a", "A", system=None)["messages"]]}, chat("b", "A")]
    assert said(jsonl(*rows)) == (SYSTEM, [])
    assert said(jsonl(chat("a", "A", system=None))) == ("", [])


def test_system_prompts_that_differ_are_not_kept_and_that_is_told() -> None:
    assert said(jsonl(chat("a", "A"), chat("b", "A", system="Another one"))) == (
        "",
        ["its system prompts differ, and none of them is kept."],
    )


def test_answers_of_weight_0_and_pictures_are_left_out_and_told() -> None:
    assert left_out(rows_of(jsonl(*CHAT))) == [
        ("Do not learn this one", "the weight of its answers is 0, so it is no example.", False),
        ("", "it holds a part that is no text (image_url), so it is no example.", False),
    ]


def test_of_several_turns_the_last_answer_that_was_learned_counts() -> None:
    first, last = chat("a", "A")["messages"], chat("b", "B", system=None)["messages"]
    rows = jsonl({"messages": [*first, *last]}, {"messages": [*first, last[0], {**last[1], "weight": 0}]})
    assert told(rows_of(rows)) == [("b", ("B",)), ("a", ("A",))]
    assert said(rows)[1] == [
        "1 of its conversations have several messages of the user; the text is the last one alone."
    ]


def test_the_call_of_a_function_is_no_label() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    rows = [chat("a", None, tool_calls=[call]), chat("b", "B")]
    assert left_out(rows_of(rows)) == [("a", "its answer is the call of a function, so it is no example.", False)]


def test_a_conversation_without_an_answer_is_one_that_nobody_labelled() -> None:
    assert told(rows_of([{"messages": chat("a", "A")["messages"][:2]}])) == [("a", None)]


@pytest.mark.parametrize(
    ("answer", "options", "labels"),
    [
        ('{"label": "A"}', {}, ("A",)),
        ('{"label": "A", "reason": "long"}', {}, ("A",)),
        ('{"label": 3}', {}, ("3",)),
        ('{"labels": ["A", "B"]}', {}, ("A", "B")),
        ('["A", "B"]', {}, ("A", "B")),
        ('{"category": "A", "score": 1}', {"label_column": "category"}, ("A",)),
        ('{"result": {"category": "A"}}', {"label_column": "result.category"}, ("A",)),
        ("A; B", {"label_separator": ";"}, ("A", "B")),
        ("{A}", {}, ("{A}",)),
        ("[other]", {}, ("[other]",)),
        ("A, B", {}, ("A, B",)),
    ],
)
def test_a_label_is_the_answer_or_what_its_json_holds(answer: str, options: dict[str, Any], labels: object) -> None:
    assert told(rows_of([chat("a", answer)], **options)) == [("a", labels)]


def test_json_without_a_label_is_asked_about() -> None:
    message, parameter = refused(rows_of, [chat("a", '{"category": "A", "mood": "B"}')])
    assert "its answers are JSON with 'category', 'mood'" in message
    assert parameter == "label_column"


def test_a_key_that_an_answer_lacks_makes_the_row_wrong() -> None:
    rows = [chat("a", '{"category": "A"}'), chat("b", '{"mood": "B"}'), chat("c", "A")]
    assert told(rows_of(rows, label_column="category")) == [("a", ("A",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows_of(rows, label_column="category"))] == [True, True]


@pytest.mark.parametrize(
    ("prompt", "completion", "row"),
    [
        ("a\n\n###\n\n", " billing END", ("a", ("billing",))),
        ("a\n\n===\n\n", " billing", ("a", ("billing",))),
        ("a ->", " billing\n", ("a", ("billing",))),
        ("a", "billing###", ("a", ("billing",))),
        ("a -> b", "WEEKEND", ("a -> b", ("WEEKEND",))),
        ("# a", "END", ("# a", ("END",))),
    ],
)
def test_separators_of_prompts_and_completions_are_taken_off(prompt: str, completion: str, row: object) -> None:
    assert told(rows_of([{"prompt": prompt, "completion": completion}])) == [row]


SENTENCES = [f"You can change setting number {number} in your profile, below your picture." for number in range(300)]


@pytest.mark.parametrize(
    "answers",
    [
        SENTENCES[:3],
        SENTENCES[:1] * 30,
        [f"Answer {number}" for number in range(30)],
        [f"label {number}" for number in range(201)] * 5,
        [f"label {number % 150}" for number in range(1_000)] + [f"other {number}" for number in range(51)],
    ],
)
def test_answers_that_are_prose_are_refused_unless_they_are_said_to_be_labels(answers: list[str]) -> None:
    rows = [chat(f"text {place}", answer) for place, answer in enumerate(answers)]
    message, parameter = refused(rows_of, rows)
    assert "its answers look like prose rather than labels" in message
    assert parameter == "label_column"
    assert len(told(rows_of(rows, label_column="content"))) == len(rows)


@pytest.mark.parametrize(
    "answers",
    [
        ["billing"],
        ["billing", "app", "other"],
        ["not working at all", "works well"],
        [f"intent_{number % 77}" for number in range(200)],
        [f"label {number}" for number in range(200)] * 5,
    ],
)
def test_labels_are_not_taken_for_prose(answers: list[str]) -> None:
    rows = [chat(f"text {place}", answer) for place, answer in enumerate(answers)]
    assert len(told(rows_of(rows))) == len(rows)


def test_other_conversations_are_not_taken_for_training_data() -> None:
    assert "openai" not in sniff_all(b'{"messages": ["hello"], "label": "A"}\n')
    assert "openai" not in sniff_all(b'{"messages": [], "label": "A"}\n')
    assert "openai" not in sniff_all(b'{"prompt": "a"}\n')


@pytest.mark.parametrize(
    "row",
    [
        {"messages": None},
        {"messages": []},
        {"messages": ["a"]},
        {"messages": [{"content": "a"}]},
        {"messages": [{"role": 1, "content": "a"}]},
        {"messages": [{"role": "assistant", "content": "A"}]},
        {"messages": [{"role": "user"}, {"role": "assistant", "content": "A"}]},
        chat(7, "A"),
        chat(" ", "A"),
        chat([{"type": "text"}], "A"),
        chat([None], "A"),
        chat("a", {"label": "A"}),
        chat("a", " "),
        chat("a", '{"label": null}'),
        chat("a", '{"label": true}'),
        {"prompt": 3, "completion": "A"},
        {"prompt": "a", "completion": ["A", 0.5]},
        {"prompt": "a", "completion": ""},
        {},
        [],
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, chat("b", "B")])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
