"""Exports of Label Studio: which annotations count, which control holds the labels, and what is refused."""

import json
from typing import Any

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.label_studio_samples import CSV, JSON, MIN, annotated, task
from tests.files.formats.reading import sniff_all, told
from tests.files.formats.telling import notes

rows_of = reader_of("label_studio")


def test_rows_keep_their_place_their_name_and_the_form_of_the_tool() -> None:
    first, second, *_ = rows_of(JSON)
    assert (first.id, second.id) == ("1", "2")
    assert second.values == JSON[1]


@pytest.mark.parametrize(
    "row",
    ['{"data": "hello"}', '{"data": {"n": 1}}', '{"data": {"text": "a"}, "label": "A"}', '{"id": 1, "text": "a"}'],
)
def test_what_anybody_writes_is_not_taken_for_label_studios(row: str) -> None:
    assert sniff_all(f"{row}\n".encode()).get("label_studio", 0) < 0.6


def test_a_cancelled_annotation_does_not_count() -> None:
    rows = [
        task(1, "a", annotated("A", was_cancelled=True), annotated("B")),
        task(2, "b", annotated(was_cancelled=True)),
    ]
    assert told(rows_of(rows)) == [("a", ("B",))]
    assert left_out(rows_of(rows)) == [("b", "its annotations were cancelled, so it is no example.", False)]


def test_most_annotators_decide_and_a_tie_is_left_out() -> None:
    rows = [
        task(1, "a", annotated("A"), annotated("B"), annotated("A")),
        task(2, "b", annotated("A"), annotated("B")),
        task(3, "c", annotated("B"), annotated("B")),
    ]
    assert told(rows_of(rows)) == [("a", ("A",)), ("c", ("B",))]
    assert left_out(rows_of(rows)) == [("b", "its 2 annotators differ, and no choice is that of most: A, B.", False)]


def test_annotators_who_differ_are_refused_if_that_is_asked() -> None:
    rows = [task(1, "a", annotated("A"), annotated("B"), annotated("A")), task(2, "b", annotated("B"), annotated("B"))]
    assert told(rows_of(rows, annotators="refuse")) == [("b", ("B",))]
    [(text, why, is_wrong)] = left_out(rows_of(rows, annotators="refuse"))
    assert (text, is_wrong) == ("a", True)
    assert "differ: A, B, A" in why and "annotators=majority" in why


def test_of_several_choices_each_counts_for_itself() -> None:
    rows = [
        task(1, "a", annotated("A", "B"), annotated("A"), annotated("A", "C")),
        task(2, "b", annotated("A", "B"), annotated("A")),
    ]
    assert told(rows_of(rows)) == [("a", ("A",))]
    assert left_out(rows_of(rows)) == [
        ("b", "its 2 annotators differ, and no choice is that of most: A + B, A.", False)
    ]


def test_the_ground_truth_counts_alone() -> None:
    rows = [task(1, "a", annotated("A"), annotated("A"), annotated("B", ground_truth=True))]
    assert told(rows_of(rows)) == [("a", ("B",))]


def test_predictions_are_no_labels() -> None:
    guess = {"result": annotated("A")["result"], "score": 1.0}
    assert told(rows_of([task(1, "a", predictions=[guess])])) == [("a", None)]


def test_who_chose_nothing_says_nothing_unless_rows_may_have_no_label() -> None:
    rows = [task(1, "a", annotated()), task(2, "b", annotated("A"))]
    assert told(rows_of(rows)) == [("b", ("A",))]
    [(text, why, is_wrong)] = left_out(rows_of(rows))
    assert (text, is_wrong) == ("a", False)
    assert why.startswith("its annotators chose nothing. If a text may have any number of labels")
    assert told(rows_of(rows, labels_column="sentiment")) == [("a", ()), ("b", ("A",))]


def test_several_labels_are_wrong_where_one_was_asked_for() -> None:
    [(_, why, is_wrong)] = left_out(rows_of([task(1, "a", annotated("A", "B"))], label_column="sentiment"))
    assert is_wrong
    assert "it has 2 labels, 'A', 'B'" in why


def test_several_controls_are_asked_about_and_an_option_names_one() -> None:
    both = annotated("A")
    both["result"] += annotated("urgent", control="priority")["result"]
    message, parameter = refused(rows_of, [task(1, "a", both)])
    assert "labels of several controls, 'priority', 'sentiment'" in message
    assert parameter == "label_column"
    assert told(rows_of([task(1, "a", both)], label_column="priority")) == [("a", ("urgent",))]
    later = [task(1, "a", annotated("A")), task(2, "b", annotated("urgent", control="priority"))]
    assert refused(rows_of, later)[1] == "label_column"
    assert told(rows_of(later, label_column="priority")) == [("b", ("urgent",))]


def test_a_control_that_is_not_there_is_refused_with_those_that_are() -> None:
    message, parameter = refused(rows_of, JSON, label_column="topic")
    assert "there is no control 'topic' with labels; there are 'sentiment'" in message
    assert parameter == "label_column"
    assert refused(rows_of, JSON, labels_column="topic")[1] == "labels_column"
    assert "there is no column 'topic'" in refused(rows_of, CSV, "export.csv", label_column="topic")[0]


def test_choices_of_a_part_of_the_text_and_other_controls_are_no_labels() -> None:
    part = annotated("A")
    part["result"][0]["value"] |= {"start": 0, "end": 3, "text": "The"}
    stars = {"from_name": "stars", "type": "rating", "value": {"rating": 4}}
    both = annotated("B")
    both["result"] += [*part["result"], stars]
    assert told(rows_of([task(1, "a", both)])) == [("a", ("B",))]
    assert told(rows_of([task(1, "a", part)])) == []


def test_old_exports_call_annotations_completions() -> None:
    rows = [
        {"id": 1, "data": {"text": "a"}, "completions": [{"result": annotated("A")["result"]}]},
        {"id": 2, "data": {"text": "b"}, "completions": [{"skipped": True, "result": []}]},
    ]
    assert told(rows_of(rows)) == [("a", ("A",))]


def test_the_text_is_called_so_or_the_only_one_or_named() -> None:
    row = {**task(1, "", annotated("A")), "data": {"body": "hello", "user": 7}}
    assert told(rows_of([row])) == [("hello", ("A",))]
    row = {**row, "data": {"headline_1": "hello", "page": "http://a.example"}}
    message, parameter = refused(rows_of, [row])
    assert "'data' has several texts, 'headline_1', 'page'" in message
    assert parameter == "text_column"
    assert told(rows_of([row], text_column=("headline_1",))) == [("hello", ("A",))]
    assert told(rows_of([row], text_column=("data.headline_1",))) == [("hello", ("A",))]
    assert told(rows_of([row], text_column=("headline_1,page",))) == [("hello\n\nhttp://a.example", ("A",))]


def test_annotations_of_one_text_are_rows_of_json_min_and_csv() -> None:
    rows = [MIN[0], {**MIN[0], "sentiment": "Negative"}, {**MIN[0], "sentiment": "Negative"}, MIN[1]]
    assert told(rows_of(rows)) == [("The delivery was fast", ("Negative",)), ("The box was empty", ("Negative",))]
    assert (
        left_out(rows_of(rows[:2]))[0][1]
        == "its 2 annotators differ, and no choice is that of most: Positive, Negative."
    )


def test_a_row_of_json_min_that_nobody_labelled_has_no_labels() -> None:
    rows = [MIN[0], {name: value for name, value in MIN[1].items() if name != "sentiment"}]
    assert told(rows_of(rows)) == [("The delivery was fast", ("Positive",)), ("The box was empty", None)]


def test_several_columns_of_labels_are_asked_about() -> None:
    rows = [{"mood" if name == "sentiment" else name: value for name, value in MIN[0].items()} | {"priority": "high"}]
    message, parameter = refused(rows_of, rows)
    assert "which of 'mood', 'priority' holds the labels" in message
    assert parameter == "label_column"
    assert told(rows_of(rows, label_column="priority")) == [("The delivery was fast", ("high",))]


def test_json_min_whose_text_has_another_name_is_asked_about() -> None:
    rows = [{"id": 1, "mail_of_customer": "hello", "mood": "A", "annotator": 1, "annotation_id": 2, "lead_time": 1.0}]
    assert refused(rows_of, rows)[1] == "text_column"
    assert told(rows_of(rows, text_column=("mail_of_customer",))) == [("hello", ("A",))]
    assert told(rows_of(rows, label_column="mood")) == [("hello", ("A",))]


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "data": None, "annotations": []},
        {"id": 1, "annotations": []},
        {"id": 1, "data": {"text": None}, "annotations": []},
        {"id": 1, "data": {"text": 7}, "annotations": []},
        {"id": 1, "data": {"text": " "}, "annotations": []},
        {"id": 1, "data": {}, "annotations": []},
        {"id": 1, "data": {"text": "a"}, "annotations": {"result": []}},
        {"id": 1, "data": {"text": "a"}, "annotations": [annotated("A") | {"result": [{"value": {"choices": ["A"]}}]}]},
        {"id": 1, "data": {"text": "a"}, "annotations": [annotated({})]},  # type: ignore[arg-type]
        {"id": 1, "data": {"text": "a"}, "annotations": [annotated(None, "A")]},  # type: ignore[arg-type]
        {"id": 1, "data": {"text": "a"}, "annotations": [annotated(" ")]},
        "text",
        None,
        [],
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, task(2, "b", annotated("B"))])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]


@pytest.mark.parametrize(
    "annotations",
    [[None, 7], [{"result": None}], [{"result": [None]}], [{"result": [{"type": "choices", "value": None}]}]],
)
def test_what_is_no_annotation_labels_nothing(annotations: list[object]) -> None:
    assert [row for row in told(rows_of([task(1, "a", *annotations)])) if row[1]] == []


def result_of(kind: str, value: object) -> dict[str, Any]:
    return {"result": [{"from_name": "topic", "to_name": "text", "type": kind, "value": {kind: value}}]}


def test_a_label_of_a_taxonomy_or_of_nested_choices_is_the_path_to_it() -> None:
    tasks = [
        task(1, "a", result_of("taxonomy", [["Animal", "Cat"]])),
        task(2, "b", result_of("taxonomy", [["Plant"]])),
        task(3, "c", result_of("choices", [["Animal", "Cat"]])),
        task(4, "d", result_of("choices", ["Plant"])),
    ]
    assert told(rows_of(tasks)) == [
        ("a", ("Animal/Cat",)),
        ("b", ("Plant",)),
        ("c", ("Animal/Cat",)),
        ("d", ("Plant",)),
    ]


@pytest.mark.parametrize("is_flat", [False, True])
def test_a_level_with_a_slash_is_told_since_it_would_go_back_as_two(*, is_flat: bool) -> None:
    choice = ["Net", "TCP/IP"]
    beside = {"annotator": 1, "annotation_id": 1, "lead_time": 1.5}
    row = (
        {"id": 1, "text": "a", "topic": {"choices": [choice]}, **beside}
        if is_flat
        else task(1, "a", result_of("taxonomy", [choice]))
    )
    content = json.dumps([row]).encode()
    assert told(rows_of([row])) == [("a", ("Net/TCP/IP",))]
    [note] = notes("label_studio", content)
    assert note.startswith("levels of nested choices have a slash in their names ('TCP/IP').")


def test_a_slash_in_a_choice_that_is_not_nested_is_none_of_a_level() -> None:
    row = task(1, "a", result_of("choices", ["TCP/IP"]))
    assert told(rows_of([row])) == [("a", ("TCP/IP",))]
    assert notes("label_studio", json.dumps([row]).encode()) == []


def test_a_taxonomy_may_give_several_labels() -> None:
    [row] = told(rows_of([task(1, "a", result_of("taxonomy", [["Animal", "Cat"], ["Plant"]]))]))
    assert row == ("a", ("Animal/Cat", "Plant"))


def test_a_taxonomy_of_json_min_and_of_csv_is_read_alike() -> None:
    beside = {"annotator": 1, "annotation_id": 1, "lead_time": 1.5}
    rows = [
        {"id": 1, "text": "a", "topic": [{"taxonomy": [["Animal", "Cat"]]}], **beside},
        {"id": 2, "text": "b", "topic": {"choices": [["Plant"], ["Animal", "Dog"]]}, **beside},
    ]
    expected = [("a", ("Animal/Cat",)), ("b", ("Plant", "Animal/Dog"))]
    assert told(rows_of(rows)) == expected
    lines = ["id,text,topic,annotator,annotation_id,lead_time"]
    for row in rows:
        cell = json.dumps(row["topic"]).replace('"', '""')
        lines.append(f'{row["id"]},{row["text"]},"{cell}",1,1,1.5')
    assert told(rows_of("\n".join(lines), "export.csv")) == expected


def test_results_of_another_kind_are_told_in_place_of_no_choice() -> None:
    [(_, why, is_wrong)] = left_out(rows_of([task(1, "a", result_of("rating", 4))]))
    assert why == "its annotations hold rating, and nothing that was chosen for the whole text, as labels are."
    assert not is_wrong
