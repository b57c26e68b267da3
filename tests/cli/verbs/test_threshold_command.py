"""`set-threshold`, and the command that `evaluate` proposes for it."""

import shlex
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.multi_label import NAME, publish_multi_label
from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import ModelRequest
from windrow.domain.threshold import Threshold


def proposed(ask: Run, tmp_path: Path, *options: str) -> str:
    """Return the command that an evaluation with a wrong row proposes."""
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\nI want my money back,refund\nSend me the bill,invoice\nnothing of it,wrong\n")
    ended = ask("evaluate", "tickets_v1", "--test-data", rows, "--target-precision", "1", *options)
    return next(line.strip() for line in ended.err.splitlines() if line.startswith("  windrow set-threshold "))


def test_set_threshold_tells_what_was_before_and_whose_answers_change(ask: Run, trained: Toy) -> None:
    trained.promote(PromoteRequest("live", "tickets_v1"))
    ended = ask("set-threshold", "tickets_v1", "0.75", "--reason", "Sure answers only", "--author", "ana")
    assert ended.lines == ["tickets_v1@1 gives no label below a score of 0.750 from now on. Before: none."]
    assert "Warning: Whoever asks by an alias gets other answers from now on: by live" in ended.err
    shown = ask("show", "tickets_v1").out
    assert "no label below a score of 0.750" in shown
    assert "UTC, from none to 0.750, ana: Sure answers only" in shown
    again = ask("set-threshold", "tickets_v1", "0.75")
    assert again.lines == ["tickets_v1@1 gives no label below a score of 0.750, as before."]
    cleared = ask("set-threshold", "tickets_v1", "--clear")
    assert cleared.lines == ["tickets_v1@1 has no threshold from now on. Before: no label below a score of 0.750."]


def test_set_threshold_wants_a_score_or_to_clear_it(ask: Run, trained: Toy) -> None:
    for words in ((), ("0.5", "--clear")):
        ended = ask("set-threshold", "tickets_v1", *words)
        assert (ended.code, "Give either the lowest SCORE that is answered, or --label" in ended.err) == (2, True)
    ended = ask("set-threshold", "tickets_v1", "61")
    assert (ended.code, "windrow: SCORE is 61.0; it must lie between 0 and 1." in ended.err) == (2, True)
    assert trained.show(ModelRequest("tickets_v1")).threshold is None


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_evaluate_changes_nothing_and_ends_with_the_command_that_sets_what_it_proposes(
    ask: Run, trained: Toy, tmp_path: Path, options: tuple[str, ...]
) -> None:
    command = proposed(ask, tmp_path, *options)
    assert trained.show(ModelRequest("tickets_v1")).threshold is None
    program, *words = shlex.split(command)
    assert (program, words[:2]) == ("windrow", ["set-threshold", "tickets_v1@1"])
    assert ask(*words).code == 0
    shown = trained.show(ModelRequest("tickets_v1"))
    assert shown.threshold == Threshold(float(words[2]))
    assert "for 100.0 %" in shown.threshold_changes[0].reason


def test_set_threshold_sets_those_of_labels_and_what_is_left_out_returns_to_the_training(ask: Run, toy: Toy) -> None:
    publish_multi_label(toy)
    ended = ask("set-threshold", NAME, "--label", "billing=0.4", "--label", "urgent=0.25")
    effect = "billing from a score of 0.400, urgent from a score of 0.250"
    assert ended.lines == [f"mails_v1@2 gives {effect} from now on. Before: those of the training."]
    shown = ask("show", NAME).lines
    assert "kind multi-label" in shown
    assert f"threshold {effect}" in shown
    assert any("UTC, from those of the training to billing 0.400, urgent 0.250" in line for line in shown)
    assert [line for line in shown if line.startswith(("label ", "billing ", "bug ", "urgent "))] == [
        "label given from rows test recall",
        "billing 0.400 2 -",
        "bug 0.250 2 -",
        "urgent 0.250 2 -",
    ]
    both = ask("set-threshold", NAME, "0.3", "--label", "bug=0.6")
    after = "gives bug from a score of 0.600, no label below a score of 0.300 from now on"
    assert both.lines == [f"mails_v1@2 {after}. Before: {effect}."]
    cleared = ask("set-threshold", NAME, "--clear").lines[0]
    assert cleared.startswith("mails_v1@2 gives each label as its training chose from now on. Before: bug from")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("billing", "--label 'billing' is no LABEL=SCORE."),
        ("billing=much", "--label 'billing=much' is no LABEL=SCORE."),
        ("billing=1", "--label has 1.0 for 'billing'; it must be more than 0 and less than 1."),
        ("billing=nan", "--label has nan for 'billing'; it must be more than 0 and less than 1."),
        (
            "spam=0.5",
            "--label names 'spam', which is none of the classifier's labels. Pass labels that it has: 'billing', "
            "'bug', 'urgent'.",
        ),
    ],
)
def test_a_threshold_of_a_label_that_is_none_is_refused(ask: Run, toy: Toy, typed: str, problem: str) -> None:
    publish_multi_label(toy)
    ended = ask("set-threshold", NAME, "--label", typed)
    assert (ended.code, problem in ended.refusal) == (2, True), ended.err


def test_a_label_that_is_given_two_thresholds_is_refused(ask: Run, toy: Toy) -> None:
    publish_multi_label(toy)
    ended = ask("set-threshold", NAME, "--label", "bug=0.3", "--label", "billing=0.3", "--label", "bug=0.4")
    assert (ended.code, "--label 'bug=0.4' names a label again." in ended.refusal) == (2, True), ended.err
    assert toy.show(ModelRequest(NAME)).threshold is None


def test_a_label_may_hold_the_sign_that_its_threshold_follows(ask: Run, toy: Toy) -> None:
    publish_multi_label(toy)
    assert "names 'a=b', which" in ask("set-threshold", NAME, "--label", "a=b=0.5").refusal


def test_a_classifier_of_a_single_label_has_no_thresholds_of_labels(ask: Run, trained: Toy) -> None:
    ended = ask("set-threshold", "tickets_v1", "--label", "refund=0.4")
    assert (ended.code, "--label goes with a multi-label classifier" in ended.refusal) == (2, True)
    assert trained.show(ModelRequest("tickets_v1")).threshold is None
