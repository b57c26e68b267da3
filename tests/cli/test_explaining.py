"""What is said of one answer: what in_scope is a share of, and how that goes with the nearest rows."""

from dataclasses import replace

import pytest

from windrow.cli.explaining import print_answer
from windrow.domain.explanation import Explanation, LabelExplanation, NearRow, WordEffect
from windrow.domain.prediction import Prediction

NEAR = NearRow(row=3, text="The recipe needs three eggs", label="billing", similarity=0.95)
ANSWER = Prediction(
    label="billing",
    scores={"billing": 0.9, "bug": 0.1},
    truncated=False,
    in_scope=0.01,
    model_name="tickets",
    revision=1,
    explanation=Explanation(label="billing", nearest_rows=(NEAR,), words=()),
)


def said(answer: Prediction, capsys: pytest.CaptureFixture[str]) -> str:
    print_answer(answer)
    return " ".join(capsys.readouterr().out.replace("─", "").split())


def test_a_near_copy_of_a_row_that_is_unlike_its_label_is_told_why_it_is_out_of_scope(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = said(ANSWER, capsys)
    assert "In scope: 0.01. That is the share of the training rows" in words
    assert "In scope is 0.01 although the first of these rows is nearly the same" in words


@pytest.mark.parametrize(("in_scope", "similarity"), [(0.05, 0.95), (0.01, 0.89), (None, 0.95)])
def test_nothing_is_said_where_the_two_agree(
    in_scope: float | None, similarity: float, capsys: pytest.CaptureFixture[str]
) -> None:
    near = replace(NEAR, similarity=similarity)
    explanation = Explanation(label="billing", nearest_rows=(near,), words=())
    assert "although" not in said(replace(ANSWER, in_scope=in_scope, explanation=explanation), capsys)


def test_without_training_rows_no_empty_table_of_them_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    words = said(replace(ANSWER, explanation=Explanation(label="billing", nearest_rows=(), words=())), capsys)
    assert words.endswith("The classifier has no training rows that could be most like it.")
    assert "similarity" not in words


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("bug", "billing"), "bug, billing (by tickets@1)"),
        ((), "(none of the labels) (by tickets@1)"),
        (None, "(abstained) (by tickets@1)"),
    ],
)
def test_any_number_of_labels_is_told(
    labels: tuple[str, ...] | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = replace(ANSWER, kind="multi_label", label=None, labels=labels, explanation=None)
    assert said(answer, capsys).startswith(words)


def test_each_of_several_labels_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    effects = (WordEffect("eggs", 23, 0.25),)
    near = replace(NEAR, label=None, labels=("billing", "bug"))
    explanation = Explanation("billing", (near,), effects, (LabelExplanation("bug", effects),))
    labels = ("billing", "bug")
    words = said(replace(ANSWER, kind="multi_label", label=None, labels=labels, explanation=explanation), capsys)
    for label in labels:
        assert f"By how much the score of '{label}' would fall without each word: word effect" in words
    assert words.count("eggs +0.250") == 2
    assert "3 billing, bug 0.95 The recipe needs three eggs" in words
