"""evaluate, compare, cross-validate and suggest, in a terminal and as JSON."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.toy import Toy
from windrow.cli.formats import better_or_worse
from windrow.cli.verbs.evaluation_commands import promote_command
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.comparison import Comparison, ModelResult, Recommendation
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.dataset import Row
from windrow.domain.figures import percent
from windrow.domain.interval import Interval
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.report import Calibration, ConfusionMatrix, MajorityBaseline

pytestmark = pytest.mark.usefixtures("trained")


@pytest.fixture
def odd_file(tmp_path: Path) -> Path:
    """Rows whose columns have names that nobody could guess, the second one placed wrong."""
    file = tmp_path / "odd.csv"
    file.write_text("said;team\nI want my money back;refund\nSend me the bill;refund\n")
    return file


@pytest.fixture
def rival(toy: Toy) -> Toy:
    """A fake whose tickets_v3 has learnt the opposite of tickets_v1."""
    rows = (Row("I want my money back", "invoice"), Row("Send me the bill", "refund"))
    toy.fit(FitRequest("tickets_v3", rows, num_iterations=0))
    return toy


def test_evaluate_tells_accuracy_and_interval_beside_the_baseline(ask: Run, rows_file: Path) -> None:
    lines = ask("evaluate", "tickets_v1", "--test-data", rows_file).lines
    assert lines[0] == "tickets_v1@1 places 4 of 4 rows right: 100.0 % (95 % interval: 51 to 100 %)."
    assert lines[1] == "Always answering 'invoice' would place 50.0 % right. Macro F1: 1.00."
    assert "invoice 2 2 2 1.00 1.00 1.00" in lines
    assert "invoice [2] ·" in lines
    assert lines[-1] == "The score is kept with tickets_v1: `windrow show tickets_v1`."


def test_the_file_may_stand_without_an_option(ask: Run, rows_file: Path, rival: Toy) -> None:
    del rival
    evaluated = ask("evaluate", "tickets_v1", rows_file, "--json").document
    assert evaluated["correct"] == ask("evaluate", "tickets_v1", "--test-data", rows_file, "--json").document["correct"]
    compared = ask("compare", "tickets_v1", "tickets_v3", rows_file, "--json").document
    assert compared == ask("compare", "tickets_v1", "tickets_v3", "--test-data", rows_file, "--json").document


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("evaluate", "tickets_v1"), "The FILE is missing. Name it once, without an option or with --test-data."),
        (("evaluate", "tickets_v1", "a.csv", "--test-data", "a.csv"), "The FILE is there twice. Name it once"),
        (("compare", "tickets_v1", "tickets_v2"), "Name 2 to 20 classifiers, and a FILE"),
        (("compare", "tickets_v1", "--test-data", "a.csv"), "Name 2 to 20 classifiers, and a FILE"),
        (("compare", "tickets_v1", "tickets_v2", "tickets_v3"), "There is no file tickets_v3."),
    ],
)
def test_a_file_that_is_not_named_once_is_refused(ask: Run, words: tuple[str, ...], refusal: str) -> None:
    refused = ask(*words)
    assert refused.code == 2
    assert refused.refusal.startswith(refusal)


def test_evaluate_shows_the_rows_that_were_placed_wrong_with_their_line(ask: Run, odd_file: Path) -> None:
    lines = ask(
        "evaluate", "tickets_v1", "--test-data", odd_file, "--text-column", "said", "--label-column", "team"
    ).lines
    title = lines.index("Placed wrong, the surest first (1 row):")
    assert lines[title + 3].startswith("3 Send me the bill refund invoice ")
    few = ("--text-column", "said", "--label-column", "team", "--show-errors", "0")
    assert "Placed wrong" not in ask("evaluate", "tickets_v1", "--test-data", odd_file, *few).out


def test_evaluate_shows_what_some_thresholds_would_answer_and_how_much_of_that_is_wrong(
    ask: Run, rows_file: Path
) -> None:
    lines = ask("evaluate", "tickets_v1", "--test-data", rows_file).lines
    start = lines.index("If no label is given below a score:")
    assert lines[start + 1] == "no label below answered share wrong error 95 % interval"
    document = ask("evaluate", "tickets_v1", "--test-data", rows_file, "--json").document
    points = {point["threshold"]: point for point in document["coverage"]}
    rows = [line.split() for line in lines[start + 2 : start + 7] if line[0].isdigit()]
    assert [row[:2] for row in rows] == [
        [f"{threshold:.2f}", f"{points[threshold]['answered']}/{document['total']}"]
        for threshold in (0.5, 0.8, 0.9, 0.95)
    ]
    assert [row[2] for row in rows] == [f"{points[float(row[0])]['share'] * 100:.1f}" for row in rows]


def test_evaluate_proposes_a_threshold_for_a_precision(ask: Run, rows_file: Path) -> None:
    lines = ask("evaluate", "tickets_v1", "--test-data", rows_file, "--target-precision", "0.9").lines
    assert "No threshold is needed for a precision of 90.0 % on these rows: 4 of 4 are right without one." in lines
    assert not any("proposal" in line for line in lines)
    rows_file.write_text(rows_file.read_text() + "nothing of it,wrong\n")
    lines = ask("evaluate", "tickets_v1", "--test-data", rows_file, "--target-precision", "1").lines
    [line] = [line for line in lines if line.startswith("Answers with a score of ")]
    assert "or more reach a precision of 100.0 %: 4 of 4 are right; 1 of 5 rows would get no label." in line


def test_evaluate_warns_beside_the_data(ask: Run, toy: Toy, rows_file: Path) -> None:
    toy.fit(FitRequest("tickets_v1", (Row("a", "refund"), Row("b", "invoice")), num_iterations=0))
    ended = ask("evaluate", "tickets_v1@1", "--test-data", rows_file)
    assert "Warning: The score was not kept" in ended.err
    assert "are also training rows of tickets_v1." in ended.err
    assert " Lines: 2, 3, 4, 5." in ended.err
    assert "The score is kept" not in ended.out
    assert toy.show(ModelRequest("tickets_v1")).test is None


def test_evaluate_keeps_nothing_if_told_so(ask: Run, toy: Toy, rows_file: Path) -> None:
    assert ask("evaluate", "tickets_v1", "--test-data", rows_file, "--no-save", "--json").document["saved"] is False
    assert toy.show(ModelRequest("tickets_v1")).test is None


def test_evaluate_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    document = ask("evaluate", "tickets_v1", "--test-data", rows_file, "--json").document
    assert (document["model_name"], document["correct"], document["total"]) == ("tickets_v1", 4, 4)


def test_compare_tells_each_classifier_each_pair_and_what_to_do(ask: Run, rows_file: Path) -> None:
    lines = ask("compare", "tickets_v1", "tickets_v2", "--test-data", rows_file).lines
    assert lines[2].startswith("tickets_v1 4/4 100.0 % 51 to 100 % ")
    assert lines[3].startswith("tickets_v2 4/4 ")
    assert any(line.startswith("tickets_v1 → tickets_v2: 0 fixed, 0 broken of 4 rows; +0 points") for line in lines)
    assert lines[-1].startswith("Keep tickets_v1: ")


def test_compare_shows_the_rows_on_which_they_differ(ask: Run, rival: Toy, rows_file: Path) -> None:
    lines = ask("compare", "tickets_v1", "tickets_v3", "--test-data", rows_file, "--show-disagreements", "1").lines
    title = next(number for number, line in enumerate(lines) if line.startswith("Answered differently ("))
    assert "rows; more with --show-disagreements" in lines[title]
    assert lines[title + 1] == "line text label tickets_v1 tickets_v3"
    assert lines[title + 3] == "2 I want my money back refund ✓ refund ✗ invoice"


def test_compare_shows_the_command_that_promotes_the_better_one(ask: Run, rival: Toy, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text('{"text": "Send me the bill", "label": "refund"}\n' * 8)
    *_, reason, command = ask("compare", "tickets_v1", "tickets_v3", "--test-data", file).lines
    assert reason.startswith("Promote tickets_v3: it beats tickets_v1 (8 rows fixed, 0 broken")
    assert command == "windrow promote tickets tickets_v3"


@pytest.mark.parametrize("words", [("tickets_v1",), ("tickets_v1", "tickets_v2")])
def test_compare_without_rows_says_how_to_name_them(ask: Run, words: tuple[str, ...]) -> None:
    refused = ask("compare", *words)
    assert refused.code == 2
    assert "--test-data" in refused.err


def test_compare_says_so_if_the_file_is_not_there(ask: Run) -> None:
    words = ("compare", "tickets_v1", "tickets_v2", "--test-data", "nowhere.csv")
    assert "There is no file nowhere.csv" in ask(*words).refusal


def test_compare_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    document = ask("compare", "tickets_v1", "tickets_v2", "--test-data", rows_file, "--json").document
    assert [each["reference"] for each in document["models"]] == ["tickets_v1", "tickets_v2"]


@pytest.mark.parametrize(
    ("in_use", "best", "command"),
    [
        (("tickets", "tickets_v1"), ("tickets_v2", "tickets_v2"), "windrow promote tickets tickets_v2"),
        (("tickets_v1", "tickets_v1"), ("tickets_v2@3", "tickets_v2"), "windrow promote tickets tickets_v2@3"),
        (("tickets_v1", "tickets_v1"), ("tickets@latest", "tickets_v2"), "windrow promote tickets tickets_v2@4"),
        (("tickets", "tickets_v1"), ("next", "tickets_v2"), "windrow promote tickets tickets_v2@4"),
        (("old", "old"), ("new", "new"), "windrow promote ALIAS new"),
    ],
)
def test_the_command_names_the_alias_in_use_and_never_points_it_at_another_alias(
    in_use: tuple[str, str], best: tuple[str, str], command: str
) -> None:
    results = tuple(
        ModelResult(
            correct=1,
            total=1,
            accuracy_interval=Interval(0, 1),
            macro_f1=1.0,
            labels=(),
            confusion_matrix=ConfusionMatrix((), ()),
            calibration=Calibration(0.0, ()),
            reference=asked,
            model_name=name,
            revision=4,
        )
        for asked, name in (in_use, best)
    )
    for recommended, expected in ((best[0], command), (in_use[0], None)):
        recommendation = Recommendation(recommended, "Because.")
        comparison = Comparison(results, (), (), recommendation, MajorityBaseline("a", 1.0), (), "0" * 64)
        assert promote_command(comparison) == expected


@pytest.mark.parametrize("num_iterations", [0, 1])
def test_cross_validate_tells_what_trainings_reach_and_which_labels_to_look_at(
    ask: Run, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_iterations: int
) -> None:
    file = tmp_path / "many.csv"
    # One row of the refunds carries the wrong label.
    rows = [("money back", "refund")] * 6 + [("a bill", "invoice")] * 6 + [("my money back please", "invoice")]
    file.write_text("text,label\n" + "".join(f"{text} {number},{label}\n" for number, (text, label) in enumerate(rows)))
    found: list[CrossValidation] = []
    cross_validate = toy.cross_validate

    def remembered(request: CrossValidateRequest) -> CrossValidation:
        validated = cross_validate(request)
        assert isinstance(validated, CrossValidation)
        found.append(validated)
        return validated

    monkeypatch.setattr(toy, "cross_validate", remembered)
    ended = ask("cross-validate", file, "--folds", 3, "--num-iterations", num_iterations)
    lines, reply = ended.lines, found[0]
    assert lines[0].startswith(f"Trainings like this one place {reply.correct} of {reply.total} rows right: ")
    spread = f"{100 * reply.accuracy_std:.1f} points. "
    assert lines[1].startswith(f"{reply.folds} folds, {percent(reply.mean_accuracy)} on average, give or take {spread}")
    [doubted] = reply.probable_label_errors
    title = lines.index("Labels to look at again, since the other rows contradict them (1 row):")
    assert lines[title + 3].startswith(f"{doubted.row + 2} my money back please 12 invoice refund ")
    for point in reply.learning_curve:
        assert f"{percent(point.share)} {point.rows:.0f} {percent(point.accuracy)}" in lines
    assert reply.advice_text in lines
    assert lines[-1].endswith(reply.recommendation)
    head = f"The head alone (--num-iterations 0) reaches {percent(reply.head_only_accuracy)}; "
    assert lines[-1].startswith(head if num_iterations else reply.recommendation)
    assert ended.err.count("Warning: ") == len(reply.warnings)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.093, -0.037, "3.7 to 9.3 points worse (95 % interval)"),
        (0.01, 0.05, "1.0 to 5.0 points better (95 % interval)"),
        (-0.02, 0.03, "between 2.0 points worse and 3.0 points better (95 % interval)"),
        (0.0, 0.03, "0.0 to 3.0 points better (95 % interval)"),
        (-0.03, 0.0, "0.0 to 3.0 points worse (95 % interval)"),
        (0.0, 0.0, "the same"),
    ],
)
def test_a_difference_is_said_with_its_direction(low: float, high: float, words: str) -> None:
    assert better_or_worse(Interval(low, high), "the same") == words


def test_cross_validate_takes_descriptions_of_labels_as_fit_does(
    ask: Run, toy: Toy, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[CrossValidateRequest] = []
    cross_validate = toy.cross_validate

    def remembered(request: CrossValidateRequest) -> object:
        asked.append(request)
        return cross_validate(request)

    monkeypatch.setattr(toy, "cross_validate", remembered)
    file = tmp_path / "labels.json"
    file.write_text('{"refund": "Money back", "invoice": "of the file"}')
    described = ("--label-descriptions", file, "--label-description", "invoice=A bill")
    assert ask("cross-validate", rows_file, "--folds", 2, "--num-iterations", 0, *described).code == 0
    assert asked[0].label_descriptions == {"refund": "Money back", "invoice": "A bill"}
    refused = ask("cross-validate", rows_file, "--label-description", "none=of them")
    assert (refused.code, refused.refusal.startswith("--label-description describes 1 label")) == (2, True)


@pytest.mark.parametrize("num_iterations", [0, 20])
def test_cross_validate_says_of_several_labels_where_the_difference_to_the_head_lies(
    ask: Run, toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_iterations: int
) -> None:
    file = tmp_path / "several.jsonl"
    rows = [("money back", ["refund"]), ("a bill", ["invoice"]), ("money back and a bill", ["refund", "invoice"])] * 4
    lines = [json.dumps({"text": f"{text} {number}", "labels": labels}) for number, (text, labels) in enumerate(rows)]
    file.write_text("\n".join(lines))
    cross_validate = toy.cross_validate

    def with_interval(request: CrossValidateRequest) -> MultiLabelCrossValidation:
        validated = cross_validate(request)
        assert isinstance(validated, MultiLabelCrossValidation)
        return replace(validated, head_only_interval=Interval(-0.02, 0.03), head_only_micro_f1=0.5)

    monkeypatch.setattr(toy, "cross_validate", with_interval)
    last = ask("cross-validate", file, "--folds", 3, "--num-iterations", num_iterations).lines[-1]
    said = (
        "The head alone (--num-iterations 0) reaches a micro F1 of 50.0 %; this training is between 2.0 points worse "
        "and 3.0 points better (95 % interval). "
    )
    assert last.startswith(said) == (num_iterations > 0)


def test_cross_validate_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    assert ask("cross-validate", rows_file, "--folds", "2", "--json").document["folds"] == 2


def test_suggest_shows_what_is_worth_labelling_and_why(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "pile.txt"
    file.write_text("Do you ship to Norway?\nI want my money back\n")
    lines = ask("suggest", "tickets_v1", file, "-n", "1").lines
    assert lines[0] == "line text reason similar guess score or else"
    assert lines[2].startswith("1 Do you ship to Norway? new 1 ")
    assert lines[-1].startswith("1 of 1 text that tickets_v1@1 was not trained on.")


def test_suggest_leaves_out_how_many_are_similar_where_all_are(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "pile.txt"
    file.write_text("zebra\nzebra zebra\nZebra\n")
    lines = ask("suggest", "tickets_v1", file, "-n", "2").lines
    assert lines[0] == "line text reason guess score or else"


def test_suggest_writes_a_file_for_the_labelling(ask: Run, tmp_path: Path) -> None:
    file, out = tmp_path / "pile.txt", tmp_path / "to_label.csv"
    file.write_text("Do you ship to Norway?\nI want my money back\n")
    ended = ask("suggest", "tickets_v1", file, "--out", out)
    assert (ended.code, ended.out, ended.err) == (0, "", f"Wrote 1 text to {out}.\n")
    assert out.read_text().startswith("text,label,guess,score,reason,num_similar\nDo you ship to Norway?,,")
    again = ask("suggest", "tickets_v1", file, "--out", out)
    assert again.code == 2
    assert "is there already" in again.refusal


def test_suggest_prints_the_document_of_the_http_api(ask: Run, rows_file: Path) -> None:
    document = ask("suggest", "tickets_v1", rows_file, "--json").document
    assert (document["model_name"], document["total"]) == ("tickets_v1", 0)  # it was trained on all of them
