"""What evaluate, compare, suggest, promote and report say about multi-label classifiers in a terminal."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.multi_label import NAME, ROWS, publish_multi_label
from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import ClassifierDetails, ModelRequest
from windrow.domain.errors import InsufficientScope
from windrow.domain.threshold import SetThresholdRequest

RIVAL = "mails_v2"
# The third row should have bug too, and the fourth should be urgent in place of bug.
TESTS: Mapping[str, Sequence[str]] = {
    **ROWS,
    "The invoice is wrong and due today": ("billing", "bug", "urgent"),
    "The search finds nothing": ("urgent",),
}


@pytest.fixture(autouse=True)
def published(toy: Toy) -> Toy:
    """Have two classifiers that give the same scores, of which the second gives urgent to no text."""
    publish_multi_label(toy)
    publish_multi_label(toy, RIVAL)
    toy.set_threshold(SetThresholdRequest(RIVAL, None, label_thresholds={"urgent": 0.99}))
    return toy


@pytest.fixture
def tests_file(tmp_path: Path) -> Path:
    file = tmp_path / "tests.jsonl"
    rows = (json.dumps({"text": text, "labels": labels}) for text, labels in TESTS.items())
    file.write_text("".join(f"{row}\n" for row in rows))
    return file


def test_evaluate_tells_sets_f1_labels_and_thresholds(ask: Run, tests_file: Path) -> None:
    lines = ask("evaluate", NAME, tests_file).lines
    assert lines[0] == (
        f"{NAME}@2 gives 3 of 5 rows all of their labels and no other: 60.0 % (95 % interval: 23 to 88 %)."
    )
    # Of 7 labels that rows have and 6 that they are given, 5 are the same; of 15 decisions, 3 are wrong.
    assert "Micro F1: 0.769" in " ".join(lines)
    assert "20.0 % are wrong." in " ".join(lines)
    assert "billing 2 2 2 0.50 1.00 1.00 1.00" in lines
    assert "bug 2 1 2 0.25 0.50 0.50 0.50" in lines
    assert "urgent 3 2 2 0.75 1.00 0.67 0.80" in lines
    assert "urgent given bug 1" in lines
    assert any(line.startswith("4 The search finds nothing urgent bug bug 0.98, urgent 0.02") for line in lines)
    assert any(line.startswith(f"The score is kept with {NAME}") for line in lines)


def test_evaluate_names_the_command_that_sets_what_it_proposes(ask: Run, tests_file: Path, toy: Toy) -> None:
    done = ask("evaluate", NAME, tests_file)
    command = next(line for line in done.err.splitlines() if "windrow set-threshold" in line).strip()
    assert command.startswith(f"windrow set-threshold {NAME}@2 --label billing=0.5")
    ask(*shlex.split(command)[1:])
    assert toy.show(ModelRequest(NAME)).threshold_changes[-1].reason == "For the best F1 of each label on 5 test rows"
    document = ask("evaluate", NAME, tests_file, "--json").document
    proposed = {each["label"]: each["threshold"] for each in document["proposed_thresholds"]}
    assert document["label_thresholds"] == pytest.approx(proposed)


def test_the_command_repeats_what_holds_and_is_not_replaced(ask: Run, tmp_path: Path, toy: Toy) -> None:
    toy.set_threshold(SetThresholdRequest(NAME, 0.2, label_thresholds={"urgent": 0.7, "billing": 0.9}))
    # No row has urgent, so nothing is proposed for it.
    file = tmp_path / "tests.jsonl"
    rows = [*(text for text in ROWS.items() if "urgent" not in text[1]), ("The search finds nothing", ("bug",))]
    file.write_text("".join(f"{json.dumps({'text': text, 'labels': labels})}\n" for text, labels in rows))
    done = ask("evaluate", NAME, file)
    command = next(line for line in done.err.splitlines() if "windrow set-threshold" in line)
    proposed = ask("evaluate", NAME, file, "--json").document["proposed_thresholds"]
    assert "urgent" not in {each["label"] for each in proposed}
    ask(*shlex.split(command)[1:])
    set_now = toy.show(ModelRequest(NAME)).threshold
    assert set_now is not None
    assert set_now.abstain_below == 0.2
    assert set_now.label_thresholds == {"urgent": 0.7, **{each["label"]: each["threshold"] for each in proposed}}


def test_evaluate_proposes_thresholds_for_a_recall(ask: Run, tests_file: Path) -> None:
    done = ask("evaluate", NAME, tests_file, "--target-recall", "0.9", "--no-save")
    assert "Thresholds for a recall of 90.0 % of each label on these rows, a proposal:" in done.out
    assert "--reason 'For a recall of 90.0 % of each label on 5 test rows'" in done.err
    both = ask("evaluate", NAME, tests_file, "--target-recall", "0.9", "--target-precision", "0.9")
    assert "--target-recall goes without --target-precision" in both.refusal


def test_no_command_is_named_to_a_key_that_may_not_see_what_holds(
    ask: Run, tests_file: Path, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: ModelRequest) -> ClassifierDetails:
        raise InsufficientScope("This needs the scope read.", {"scope": "read"})

    monkeypatch.setattr(toy, "show", refuse)
    done = ask("evaluate", NAME, tests_file)
    assert (done.code, "set-threshold" in done.err) == (0, False)
    assert "Thresholds for the best F1 of each label on these rows" in done.out


def test_evaluate_as_json_is_that_of_the_api(ask: Run, tests_file: Path) -> None:
    document = ask("evaluate", NAME, tests_file, "--json", "--no-save").document
    assert (document["kind"], document["correct"], document["saved"]) == ("multi_label", 3, False)
    assert document["misclassified"][0]["predicted"] == ["bug"]


def test_compare_tells_what_changed_label_by_label(ask: Run, tests_file: Path) -> None:
    lines = ask("compare", NAME, RIVAL, tests_file).lines
    text = " ".join(lines)
    assert f"{NAME} → {RIVAL}: 0 sets fixed, 1 broken of 5 rows. By whole sets: Not enough evidence" in text
    assert "By F1 over all decisions," in text
    assert "urgent 0 2 0.80 0.00 0.5 -" in lines
    assert any("✓ bug, urgent" in line and "✗ bug" in line for line in lines)
    assert f"Keep {NAME}: " in text


def test_promote_refuses_rows_that_get_another_set_and_shows_them(ask: Run, tests_file: Path, toy: Toy) -> None:
    toy.promote(PromoteRequest("mails", NAME))
    done = ask(
        "promote", "mails", RIVAL, "--must-pass", tests_file, "--test-data", tests_file, "--min-f1", "urgent=0.5"
    )
    assert done.code == 1
    assert "NOT MET: F1 of 'urgent' is 0 (0 of 3 found, 0 given wrongly); 0.5 is required." in done.out
    assert "The search finds nothing urgent bug" in " ".join(done.out.split())
    assert ask("promote", "mails", NAME, "--test-data", tests_file, "--min-f1", "urgent=0.5", "--not-worse").code == 0


def test_a_refused_promotion_tells_an_empty_set_from_an_abstention(ask: Run, toy: Toy, tmp_path: Path) -> None:
    # Each score is either about 0.98, for a label that the row has, or about 0.02.
    toy.set_threshold(SetThresholdRequest(RIVAL, 0.99))
    file = tmp_path / "must.jsonl"
    rows = (("I was charged twice", ["billing"]), ("Thank you for the nice talk", ["bug"]))
    file.write_text("".join(f"{json.dumps({'text': text, 'labels': labels})}\n" for text, labels in rows))
    refused = ask("promote", "mails", RIVAL, "--must-pass", file)
    lines = [" ".join(line.split()) for line in refused.out.splitlines()]
    assert "I was charged twice billing (abstained)" in lines
    assert "Thank you for the nice talk bug (none of the labels)" in lines


def test_suggest_shows_the_least_certain_label_and_what_would_be_given(ask: Run, tmp_path: Path) -> None:
    pool = tmp_path / "pool.txt"
    pool.write_text("My whole shop is down since the update\n")
    lines = ask("suggest", NAME, pool).lines
    assert lines[0].endswith("would give")
    assert any(line.endswith("bug, urgent") for line in lines)


def test_a_report_is_a_page_about_sets(ask: Run, tests_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert ask("report", NAME, tests_file, "--out", out).code == 0
    assert "Whole sets right" in out.read_text()


def test_rows_of_the_other_form_are_refused_with_what_to_write(ask: Run, rows_file: Path) -> None:
    done = ask("evaluate", NAME, rows_file)
    assert done.code == 2
    assert f"{NAME} gives any number of labels" in done.err
