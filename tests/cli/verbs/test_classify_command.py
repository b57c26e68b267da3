"""classify: a text, the labels to choose from, and what is said of them."""

from pathlib import Path

import pytest

from tests.cli.asking import Run

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
LABELS = ("--labels", "money back, sign in")


def test_the_label_comes_first_and_then_every_score_the_highest_first(ask: Run) -> None:
    lines = ask("classify", "I want my money", *LABELS).lines
    assert lines[0] == f"money back (by {MODEL})"
    scores = [line for line in lines if line.startswith(("money back 0.", "sign in 0."))]
    assert [line.split(" 0.")[0] for line in scores] == ["money back", "sign in"]


def test_it_is_answered_by_the_document_of_the_http_api(ask: Run) -> None:
    document = ask("classify", "money", *LABELS, "--json").document
    assert list(document) == ["label", "labels", "scores", "truncated", "model", "multi_label", "warnings"]
    assert (document["label"], document["labels"]) == ("money back", None)


def test_labels_may_be_repeated_and_may_apply_by_themselves(ask: Run) -> None:
    options = ("--labels", "money back", "--labels", "sign in,other", "--multi-label")
    document = ask("classify", "money back", *options, "--json").document
    assert list(document["scores"]) == ["money back", "sign in", "other"]
    assert (document["label"], document["labels"]) == (None, ["money back"])
    assert ask("classify", "nothing of it", *options).lines[0] == f"(none of the labels) (by {MODEL})"
    assert ask("classify", "money back", *options).lines[0] == f"money back (by {MODEL})"


def test_descriptions_and_a_template_take_part(ask: Run, tmp_path: Path) -> None:
    plain = ask("classify", "money", *LABELS, "--json").document
    described = ask("classify", "money", *LABELS, "--label-description", "sign in=money = money", "--json").document
    (tmp_path / "labels.json").write_text('{"sign in": "money = money"}')
    of_file = ask("classify", "money", *LABELS, "--label-descriptions", tmp_path / "labels.json", "--json").document
    own = ask("classify", "money", *LABELS, "--hypothesis-template", "money {}", "--json").document
    assert described["scores"]["sign in"] > plain["scores"]["sign in"]
    assert of_file == described
    assert own["scores"] != plain["scores"]


def test_that_another_model_answers_is_said_beside_the_answer(ask: Run) -> None:
    ended = ask("classify", "money", *LABELS, "--model", "facebook/bart-large-mnli", "--json")
    assert ended.document["model"] == MODEL
    assert ended.err.startswith("Warning: This server has no base model 'facebook/bart-large-mnli', so ")


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (
            ("--labels", "one"),
            "--labels has 1 entry, and needs at least 2.",
        ),
        (("--labels", "a,,b"), "Entry 1 of --labels (from 0) is empty."),
        (("--labels", "a,b,a"), "Entry 2 of --labels (from 0) is 'a' again"),
        ((*LABELS, "--hypothesis-template", "so"), "--hypothesis-template must hold {} exactly once"),
        ((*LABELS, "--label-description", "billing"), "--label-description 'billing' has no equals sign."),
        ((*LABELS, "--label-description", "c=d"), "--label-description describes what is not among --labels: 'c'."),
        (
            (*LABELS, "--label-description", "sign in=a", "--label-description", "sign in=b"),
            "--label-description 'sign in=b' describes a label again.",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_in_the_words_of_the_command_line(
    ask: Run, options: tuple[str, ...], refusal: str
) -> None:
    ended = ask("classify", "money", *options)
    assert ended.code == 2
    assert ended.refusal.startswith(refusal)
