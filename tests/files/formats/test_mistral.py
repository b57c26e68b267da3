"""Training data of Mistral's Classifier Factory: one target of several, conversations, and what is broken."""

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.mistral_samples import SEVERAL_TARGETS
from tests.files.formats.reading import sniff_all, told

rows_of = reader_of("mistral")


def test_several_targets_are_asked_about_and_an_option_names_one() -> None:
    message, parameter = refused(rows_of, SEVERAL_TARGETS)
    assert "labels of several targets, 'mood', 'topics'" in message
    assert parameter == "label_column"
    assert [labels for _, labels in told(rows_of(SEVERAL_TARGETS, label_column="mood"))] == [
        ("angry",),
        ("neutral",),
        ("neutral",),
    ]
    assert told(rows_of(SEVERAL_TARGETS, label_column="labels.mood"))[0][1] == ("angry",)
    assert "there is no target 'team'" in refused(rows_of, SEVERAL_TARGETS, label_column="team")[0]


def test_several_labels_are_wrong_where_one_was_asked_for() -> None:
    [(_, why, is_wrong), *others] = left_out(rows_of(SEVERAL_TARGETS, label_column="topics"))
    assert is_wrong
    assert "it has 2 labels" in why
    assert [is_wrong for _, _, is_wrong in others] == [False]


def test_a_row_without_the_target_is_one_that_nobody_labelled() -> None:
    rows = [{"text": "a", "labels": {"t": "A"}}, {"text": "b", "labels": {}}, {"text": "c"}]
    assert told(rows_of(rows)) == [("a", ("A",)), ("b", None), ("c", None)]


def test_plain_rows_with_labels_are_not_taken_for_mistrals() -> None:
    assert "mistral" not in sniff_all(b'{"text": "a", "labels": ["A"]}\n')
    assert "mistral" not in sniff_all(b'{"messages": [{"role": "user", "content": "a"}]}\n')


@pytest.mark.parametrize(
    "row",
    [
        {"labels": {"t": "A"}},
        {"messages": [], "labels": {"t": "A"}},
        {"messages": [None], "labels": {"t": "A"}},
        {"messages": [{"role": "user", "content": 7}], "labels": {"t": "A"}},
        {"messages": {"role": "user"}, "labels": {"t": "A"}},
        {"text": [], "labels": {"t": "A"}},
        {"text": "a", "labels": "A"},
        {"text": "a", "labels": {"t": {"A": 1}}},
        {"text": "a", "labels": {"t": [" "]}},
        None,
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, {"text": "b", "labels": {"t": "B"}}])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
