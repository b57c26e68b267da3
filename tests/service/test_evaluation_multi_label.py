"""Evaluate and compare classifiers that give any number of labels, by scores that are known."""

from collections.abc import Sequence

import pytest

from tests.service.examples import ROWS as SINGLE_LABEL_ROWS
from tests.service.examples import fit, show
from tests.service.multi_label_examples import LABELS, SCORES, publish
from windrow.domain.comparison import CompareRequest
from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.interval import wilson_interval
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.service.service import Service

# By thresholds of 0.5, the first four and the fifth are right; of the last one, billing is missed.
TESTS = tuple(
    MultiLabelRow(text, labels)
    for text, labels in zip(
        SCORES,
        (
            ("billing", "urgent"),
            ("billing",),
            ("urgent", "technical"),
            ("technical",),
            (),
            ("billing", "technical"),
        ),
        strict=True,
    )
)


def evaluate(
    service: Service, rows: Sequence[MultiLabelRow] = TESTS, name: str = "mails_v1", **how: object
) -> MultiLabelReport:
    report = service.evaluate(EvaluateRequest(name, tuple(rows), **how))  # type: ignore[arg-type]
    assert isinstance(report, MultiLabelReport)
    return report


def codes(report: MultiLabelReport | MultiLabelComparison) -> set[str]:
    return {warning.code for warning in report.warnings}


def test_a_report_is_by_the_thresholds_in_force_and_its_score_is_kept(service: Service) -> None:
    publish(service)
    report = evaluate(service)
    assert (report.kind, report.model_name, report.revision, report.alias) == ("multi_label", "mails_v1", 1, None)
    assert (report.correct, report.total, report.accuracy) == (5, 6, 5 / 6)
    assert report.accuracy_interval == wilson_interval(5, 6)
    # 8 labels, of which 7 were given, and no other one.
    assert (report.micro_precision, report.micro_recall, report.micro_f1) == (1, 7 / 8, 14 / 15)
    assert report.hamming_loss == 1 / 18
    assert report.label_thresholds == dict.fromkeys(LABELS, 0.5)
    (wrong,) = report.misclassified
    assert (wrong.row, wrong.labels, wrong.predicted) == (5, ("billing", "technical"), ("technical",))
    assert wrong.scores == {"billing": pytest.approx(0.4, abs=1e-4)}
    assert report.majority_baseline.accuracy == 1 / 6
    kept = show(service, "mails_v1").test
    assert kept == report.score
    assert (kept.correct, kept.total, kept.micro_f1) == (5, 6, 14 / 15)
    assert kept.rows_per_label == {"billing": 3, "technical": 3, "urgent": 2}
    assert kept.correct_per_label == {"billing": 2, "technical": 3, "urgent": 2}


def test_thresholds_that_were_set_since_are_those_of_the_report(service: Service) -> None:
    publish(service)
    service.set_threshold(SetThresholdRequest("mails_v1", None, label_thresholds={"billing": 0.35}))
    report = evaluate(service)
    assert report.label_thresholds == {"billing": 0.35, "technical": 0.5, "urgent": 0.5}
    assert (report.correct, report.micro_f1) == (6, 1)


def test_a_score_below_which_no_label_is_given_is_warned_of_and_does_not_count(service: Service) -> None:
    publish(service)
    before = evaluate(service, save=False)
    service.set_threshold(SetThresholdRequest("mails_v1", abstain_below=0.75))
    report = evaluate(service, save=False)
    assert report.correct == before.correct
    (warning,) = [each for each in report.warnings if each.code == "threshold_in_force"]
    # Labels with 0.7, 0.6, 0.6 and 0.7, each of another row.
    assert "score below 0.75, which keeps labels of 4 of 6 rows back" in warning.message


def test_a_threshold_is_proposed_for_each_label_and_setting_it_reaches_what_was_proposed(service: Service) -> None:
    publish(service)
    report = evaluate(service)
    assert [each.label for each in report.proposed_thresholds] == list(LABELS)
    assert [each.f1 for each in report.proposed_thresholds] == [1, 1, 1]
    assert "uncertain_threshold" in codes(report)
    proposed = {each.label: each.threshold for each in report.proposed_thresholds}
    service.set_threshold(SetThresholdRequest("mails_v1", None, label_thresholds=proposed))
    assert evaluate(service).micro_f1 == 1


def test_a_label_without_a_threshold_of_the_requested_precision_is_named(service: Service) -> None:
    publish(service)
    # The row with the highest score of urgent does not have that label.
    rows = (MultiLabelRow("refund at once please", ("billing",)), MultiLabelRow("app is down now", ("urgent",)))
    report = evaluate(service, rows, target_precision=0.9)
    assert [each.label for each in report.proposed_thresholds] == ["billing"]
    (warning,) = [each for each in report.warnings if each.code == "precision_not_reached"]
    assert "no threshold is proposed for 'urgent'" in warning.message


def test_thresholds_of_a_requested_recall_find_that_share_of_the_rows_of_each_label(service: Service) -> None:
    publish(service)
    report = evaluate(service, target_recall=0.5)
    assert (report.target_precision, report.target_recall) == (None, 0.5)
    assert [each.label for each in report.proposed_thresholds] == list(LABELS)
    assert all(each.recall >= 0.5 for each in report.proposed_thresholds)
    (warning,) = [each for each in report.warnings if each.code == "uncertain_threshold"]
    assert "the recall of" in warning.message


def test_a_recall_is_refused_of_a_classifier_of_a_single_label(service: Service) -> None:
    fit(service, "tickets_v1")
    with pytest.raises(InvalidParameter, match="goes with a multi-label classifier") as refused:
        service.evaluate(EvaluateRequest("tickets_v1", SINGLE_LABEL_ROWS, target_recall=0.9))
    assert refused.value.facts["parameter"] == "target_recall"


def test_a_label_that_the_classifier_does_not_know_is_missed_and_warned_of(service: Service) -> None:
    publish(service)
    report = evaluate(service, (*TESTS, MultiLabelRow("thank you all", ("praise", "urgent"))))
    assert report.labels[-1].label == "praise"
    assert (report.labels[-1].recall, report.labels[-1].predicted) == (0, 0)
    (warning,) = [each for each in report.warnings if each.code == "unknown_labels"]
    assert "1 row has a label unknown here, which is missed in any case: 'praise'" in warning.message
    assert warning.rows == (6,)


def test_rows_of_which_no_label_is_known_are_refused(service: Service) -> None:
    publish(service)
    with pytest.raises(InvalidTestData, match="No label of test_data is known to mails_v1"):
        evaluate(service, [MultiLabelRow("thank you all", ("praise",))])
    with pytest.raises(InvalidTestData, match=r"No row of test_data has a label, .* Add rows with labels\."):
        evaluate(service, [MultiLabelRow("thank you all", ())])


def test_rows_of_the_other_form_are_refused_with_how_to_write_them(service: Service) -> None:
    publish(service)
    fit(service, "tickets_v1")
    with pytest.raises(InvalidTestData) as refused:
        service.evaluate(EvaluateRequest("mails_v1", SINGLE_LABEL_ROWS))
    assert "the rows of test_data have one label each. Pass labels in each row in place of label" in str(refused.value)
    assert refused.value.facts == {
        "parameter": "test_data",
        "model_name": "mails_v1",
        "kind": "multi_label",
        "expected": "labels",
    }
    with pytest.raises(InvalidTestData, match=r"tickets_v1 gives one label.* Pass label in each row in place"):
        service.evaluate(EvaluateRequest("tickets_v1", TESTS))


def test_test_rows_that_are_training_rows_are_warned_of(service: Service) -> None:
    publish(service, rows=TESTS[:2])
    report = evaluate(service)
    (warning,) = [each for each in report.warnings if each.code == "training_rows_in_test"]
    assert warning.rows == (0, 1)


def test_the_page_shows_labels_sets_and_thresholds(service: Service) -> None:
    publish(service)
    page = service.report(ReportRequest("mails_v1", TESTS))
    shown = b"".join(page.chunks).decode()
    assert isinstance(page.report, MultiLabelReport)
    for part in ("Whole sets right", "83.3 %", "Micro F1", "0.93", "Misclassified rows (1)", '"labels": ['):
        assert part.replace('"', "&quot;") in shown


# Gives urgent to no text, and billing to the last one.
OTHER_SCORES = {
    text: (0.9 if text == "payment page crashes" else billing, technical, 0.1)
    for text, (billing, technical, _) in SCORES.items()
}


def compare(service: Service, *names: str) -> MultiLabelComparison:
    comparison = service.compare(CompareRequest(names, TESTS))
    assert isinstance(comparison, MultiLabelComparison)
    return comparison


def test_a_comparison_is_by_sets_by_f1_and_label_by_label(service: Service) -> None:
    publish(service, "mails_v1")
    publish(service, "mails_v2", OTHER_SCORES)
    comparison = compare(service, "mails_v1", "mails_v2")
    assert comparison.kind == "multi_label"
    assert [(each.reference, each.correct) for each in comparison.models] == [("mails_v1", 5), ("mails_v2", 4)]
    (pair,) = comparison.pairs
    assert (pair.fixed, pair.broken, pair.total) == (1, 2, 6)
    # Of 8 labels, the first gives 7 and the second 6; neither gives a wrong one.
    assert pair.micro_f1_difference == pytest.approx(12 / 14 - 14 / 15)
    assert pair.micro_f1_interval.low < 0 < pair.micro_f1_interval.high
    assert [(each.label, each.fixed, each.broken) for each in pair.labels] == [("urgent", 0, 2), ("billing", 1, 0)]
    assert (pair.labels[0].first_f1, pair.labels[0].second_f1, pair.labels[0].p_value) == (1, 0, 0.5)
    assert (pair.better, pair.labels[0].better) == (None, None)
    assert [each.row for each in comparison.disagreements] == [0, 2, 5]
    assert comparison.disagreements[0].labels == ("billing", "urgent")
    assert comparison.disagreements[0].predicted == {"mails_v1": ("billing", "urgent"), "mails_v2": ("billing",)}
    assert comparison.recommendation.model_name == "mails_v1"


def test_rows_that_one_of_them_was_trained_on_are_left_out_of_pairs(service: Service) -> None:
    publish(service, "mails_v1", rows=TESTS[:2])
    publish(service, "mails_v2", OTHER_SCORES, rows=TESTS[:1])
    comparison = compare(service, "mails_v1", "mails_v2")
    assert comparison.pairs[0].total == 4
    assert "seen_rows_left_out" in codes(comparison)


def test_classifiers_with_different_labels_are_compared_on_the_labels_of_both(service: Service) -> None:
    publish(service, "mails_v1")
    names = ("billing", "praise", "urgent")
    publish(service, "mails_v2", labels=names)
    (pair,) = compare(service, "mails_v1", "mails_v2").pairs
    # The second takes technical for praise.
    assert {each.label: (each.fixed, each.broken) for each in pair.labels} == {"technical": (0, 3), "praise": (0, 3)}


def test_classifiers_of_both_kinds_are_not_compared(service: Service) -> None:
    publish(service)
    fit(service, "tickets_v1")
    with pytest.raises(InvalidParameter) as refused:
        service.compare(CompareRequest(("mails_v1@1", "tickets_v1"), TESTS))
    assert str(refused.value) == (
        "model_names names tickets_v1, which gives one label, and mails_v1@1, which gives any number of them; no "
        "rows fit both. Compare classifiers of one kind."
    )


def test_the_texts_with_a_label_near_its_threshold_are_to_be_labelled_next(service: Service) -> None:
    publish(service, rows=TESTS[:1])
    suggested = service.suggest(SuggestRequest("mails_v1", tuple(SCORES), n=3))
    # The first text is a training row. Of the others, the nearest scores to 0.5 are 0.4 and 0.6.
    assert suggested.total == 5
    first = suggested[0]
    assert first.text in {"app is down now", "screen stays white", "payment page crashes"}
    by_text = {each.text: each for each in service.suggest(SuggestRequest("mails_v1", tuple(SCORES), n=5))}
    down, thanks = by_text["app is down now"], by_text["thank you all"]
    assert (down.label, down.runner_up, down.labels) == ("urgent", None, ("technical", "urgent"))
    assert down.score == pytest.approx(0.6, abs=1e-4)
    assert (thanks.label, thanks.labels, thanks.reason) == ("billing", (), "uncertain")


def test_a_threshold_that_was_set_decides_which_texts_are_uncertain(service: Service) -> None:
    publish(service)
    service.set_threshold(SetThresholdRequest("mails_v1", None, label_thresholds={"urgent": 0.21}))
    (first,) = service.suggest(SuggestRequest("mails_v1", tuple(SCORES), n=1))
    assert (first.text, first.label) == ("thank you all", "urgent")
