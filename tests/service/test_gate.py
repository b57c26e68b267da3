"""Each condition of a promotion, from answers that are made up; and the words for what was found."""

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.gate import Check, FailedRow, GateMetrics, GateReport, Requirement
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.service.gate import (
    NO_LABEL,
    Conditions,
    EvaluatedModel,
    check_conditions,
    check_measured_labels,
    conditions_of,
    refusal,
)

BILL, BUG = Row("I was charged twice", "billing"), Row("The app crashes", "bug")
ROWS = tuple(Row(f"{row.text} {number}", row.label) for row in (BILL, BUG) for number in range(5))


def side(name: str, given: list[str], labels: tuple[str, ...] = ("billing", "bug")) -> EvaluatedModel:
    """Return a classifier that gives these labels, one for each text of the conditions."""
    scores = np.array([[0.75 if label == best else 0.25 for label in labels] for best in given], np.float32)
    return EvaluatedModel(name, ClassifierOutputs(labels, scores, None, np.zeros(len(given), np.bool_)))


def answers_of(conditions: Conditions, wrong: int = 0) -> list[str]:
    """Return the right label for each text but the first few."""
    rows = (*conditions.require.test_data, *conditions.must_pass)
    labels = [row.label for row in rows if isinstance(row, Row)]
    return [{"billing": "bug", "bug": "billing"}[label] for label in labels[:wrong]] + labels[wrong:]


def look_at(require: Requirement, wrong: int, current_wrong: int) -> GateReport:
    """Look at a candidate and at what the alias points to, which place some of the first rows wrong."""
    conditions = conditions_of(require, ())
    candidate = side("tickets_v2", answers_of(conditions, wrong))
    return check_conditions(conditions, candidate, side("tickets_v1", answers_of(conditions, current_wrong)))


def test_the_texts_are_those_of_the_test_rows_and_then_each_row_that_must_pass_once() -> None:
    conditions = conditions_of(Requirement(ROWS[:2], must_pass=(BUG, BILL)), (BILL, BUG, BILL))
    assert conditions.must_pass == (BUG, BILL)
    assert conditions.texts == [ROWS[0].text, ROWS[1].text, BUG.text, BILL.text]


def test_without_conditions_nothing_is_checked_but_the_test_rows_are_reported() -> None:
    report = look_at(Requirement(ROWS), wrong=3, current_wrong=1)
    assert (report.checks, report.failed_rows, report.passed) == ((), (), True)
    assert report.candidate is not None
    assert report.current is not None
    assert (report.candidate.correct, report.current.correct, report.candidate.total) == (7, 9, 10)


class TestNotWorse:
    @pytest.mark.parametrize(("wrong", "passed"), [(0, True), (2, True), (3, False)])
    def test_is_met_where_at_least_as_many_rows_are_placed_right(self, wrong: int, passed: bool) -> None:
        report = look_at(Requirement(ROWS, not_worse=True), wrong, current_wrong=2)
        [check] = report.checks
        assert (check.condition, check.passed, report.passed) == ("not_worse", passed, passed)
        counts = f"tickets_v2 places {10 - wrong} of 10 test rows right, against 8 of 10 by tickets_v1."
        assert check.detail.startswith(counts)

    def test_says_that_chance_may_make_a_small_difference(self) -> None:
        [check] = look_at(Requirement(ROWS, not_worse=True), wrong=2, current_wrong=0).checks
        assert check.detail == (
            "tickets_v2 places 8 of 10 test rows right, against 10 of 10 by tickets_v1. It fixes 0 and breaks 2; "
            "chance alone may make such a difference (exact McNemar p = 0.5)."
        )

    def test_counts_a_row_that_gets_no_label_as_placed_wrong(self) -> None:
        conditions = conditions_of(Requirement(ROWS, not_worse=True, min_recall={"bug": 1.0}), (BILL,))
        right = answers_of(conditions)
        strict = replace(side("tickets_v2", right), abstain_below=0.76)
        report = check_conditions(conditions, strict, side("tickets_v1", right[: len(ROWS)]))
        assert [check.passed for check in report.checks] == [False, False, False]
        assert [row.predicted for row in report.failed_rows] == [NO_LABEL]
        words = "tickets_v2 gives no label to {} of these rows, below its threshold of 0.76, which counts as wrong."
        assert all(
            check.detail.endswith(words.format(count)) for check, count in zip(report.checks, (1, 10, 5), strict=True)
        )
        assert report.candidate == GateMetrics(0, len(ROWS), {"billing": 0.0, "bug": 0.0}, {"billing": 0.0, "bug": 0.0})
        assert report.current is not None
        assert report.current.correct == len(ROWS)
        always = replace(strict, abstain_below=0.75)
        assert check_conditions(conditions, always, side("tickets_v1", right[: len(ROWS)])).passed

    def test_says_that_rows_were_seen_in_training(self) -> None:
        conditions = conditions_of(Requirement(ROWS, not_worse=True), ())
        right = answers_of(conditions)
        seen = replace(side("tickets_v2", right), seen=3)
        [check] = check_conditions(conditions, seen, side("tickets_v1", right)).checks
        assert check.detail.endswith("Beware: 3 of these rows are training rows of tickets_v2, or nearly so.")

    def test_says_that_chance_rarely_makes_a_large_difference(self) -> None:
        [check] = look_at(Requirement(ROWS, not_worse=True), wrong=10, current_wrong=0).checks
        assert check.detail.endswith(
            "It fixes 0 and breaks 10; chance alone rarely makes such a difference (exact McNemar p = 0.002)."
        )

    def test_speaks_of_no_chance_where_the_counts_are_the_same(self) -> None:
        [check] = look_at(Requirement(ROWS, not_worse=True), wrong=2, current_wrong=2).checks
        assert check.detail == "tickets_v2 places 8 of 10 test rows right, against 8 of 10 by tickets_v1."

    def test_of_rows_whose_labels_are_all_unknown_is_refused_since_nobody_gets_one_right(self) -> None:
        strange = conditions_of(Requirement((Row("a text", "17"), Row("another", "18")), not_worse=True), ())
        given = ["billing", "bug"]
        with pytest.raises(
            InvalidTestData, match=r"No label of require\.test_data is known to new, old; known are 'bill"
        ):
            check_conditions(strange, side("new", given), side("old", given))

    def test_is_met_with_the_reason_where_there_is_nothing_to_compare_with(self) -> None:
        conditions = conditions_of(Requirement(ROWS, not_worse=True), ())
        report = check_conditions(conditions, side("tickets_v1", answers_of(conditions, wrong=9)), "It points nowhere.")
        assert report.checks == (Check("not_worse", True, "It points nowhere."),)
        assert report.current is None
        assert report.candidate is not None

    def test_does_not_count_the_rows_that_must_pass(self) -> None:
        conditions = conditions_of(Requirement(ROWS, not_worse=True), (BILL, BUG))
        candidate = side("tickets_v2", [*answers_of(conditions)[:10], "bug", "billing"])
        report = check_conditions(conditions, candidate, side("tickets_v1", answers_of(conditions, wrong=1)))
        assert [(check.condition, check.passed) for check in report.checks] == [
            ("must_pass", False),
            ("not_worse", True),
        ]


class TestMustPass:
    def test_is_met_where_each_row_is_placed_right(self) -> None:
        conditions = conditions_of(Requirement(must_pass=(BILL,)), (BUG,))
        report = check_conditions(conditions, side("tickets_v2", ["billing", "bug"]), "")
        assert report == GateReport((Check("must_pass", True, "2 of 2 rows that must be placed right are."),))

    def test_is_missed_by_a_single_row_which_is_listed_with_what_it_was_given(self) -> None:
        conditions = conditions_of(Requirement(must_pass=(BILL,)), (BUG,))
        report = check_conditions(conditions, side("tickets_v2", ["billing", "billing"]), "")
        detail = "1 of 2 rows that must be placed right are; the others are listed as failed rows."
        assert report == GateReport((Check("must_pass", False, detail),), (FailedRow(BUG.text, "bug", "billing"),))

    def test_is_missed_by_a_row_whose_label_the_classifier_does_not_know(self) -> None:
        row = Row("My parcel is lost", "shipping")
        report = check_conditions(conditions_of(Requirement(), (row,)), side("tickets_v2", ["bug"]), "")
        assert report.failed_rows == (FailedRow(row.text, "shipping", "bug"),)
        assert not report.passed


class TestMinRecall:
    @pytest.mark.parametrize(("least", "passed"), [(0.0, True), (0.6, True), (0.61, False), (1.0, False)])
    def test_is_met_where_a_label_reaches_it(self, least: float, passed: bool) -> None:
        report = look_at(Requirement(ROWS, min_recall={"billing": least, "bug": 1.0}), wrong=2, current_wrong=0)
        billing, bug = report.checks
        assert billing == Check("min_recall", passed, f"Recall of 'billing' is 0.6 (3 of 5); {least:.3g} is required.")
        assert bug.passed
        assert report.passed == passed

    @pytest.mark.parametrize("least", [0.0, 0.5])
    def test_is_missed_by_a_label_that_the_classifier_does_not_know(self, least: float) -> None:
        rows = (*ROWS, Row("My parcel is lost", "shipping"))
        conditions = conditions_of(Requirement(rows, min_recall={"shipping": least}), ())
        report = check_conditions(conditions, side("tickets_v2", ["bug"] * 11), "It points nowhere.")
        detail = "tickets_v2 does not know the label 'shipping', so it places none of its rows right."
        assert report.checks == (Check("min_recall", False, detail),)

    @pytest.mark.parametrize("recalls", [{"shipping": 0.5}, {"billing": 0.5, "shipping": 0.0}])
    def test_of_a_label_without_test_rows_is_refused(self, recalls: Mapping[str, float]) -> None:
        with pytest.raises(InvalidParameter, match="names the label 'shipping', which no row of") as caught:
            check_measured_labels(Requirement(ROWS, min_recall=recalls))
        assert caught.value.facts == {"parameter": "require.min_recall", "label": "shipping"}

    def test_of_labels_with_test_rows_is_not_refused(self) -> None:
        check_measured_labels(Requirement(ROWS, min_recall={"billing": 1.0, "bug": 0.0}))
        check_measured_labels(Requirement())


class TestMinF1:
    @pytest.mark.parametrize(("least", "passed"), [(0.0, True), (0.83, True), (0.84, False), (1.0, False)])
    def test_also_counts_rows_that_are_wrongly_given_the_label(self, least: float, passed: bool) -> None:
        # All 5 rows of bug are found, and two more are given it.
        report = look_at(Requirement(ROWS, min_f1={"bug": least}), wrong=2, current_wrong=0)
        detail = f"F1 of 'bug' is 0.833 (5 of 5 found, 2 given wrongly); {least:.3g} is required."
        assert report.checks == (Check("min_f1", passed, detail),)

    def test_is_missed_by_a_label_that_the_classifier_does_not_know(self) -> None:
        rows = (*ROWS, Row("My parcel is lost", "shipping"))
        conditions = conditions_of(Requirement(rows, min_f1={"shipping": 0.0}), ())
        report = check_conditions(conditions, side("tickets_v2", ["bug"] * 11), "It points nowhere.")
        detail = "tickets_v2 does not know the label 'shipping', so it finds none of its rows."
        assert report.checks == (Check("min_f1", False, detail),)

    def test_of_a_label_without_test_rows_is_refused(self) -> None:
        with pytest.raises(InvalidParameter, match="so its F1 cannot be measured") as caught:
            check_measured_labels(Requirement(ROWS, min_f1={"shipping": 0.5}))
        assert caught.value.facts == {"parameter": "require.min_f1", "label": "shipping"}


class TestRefusal:
    def test_has_the_whole_report_in_plain_values(self) -> None:
        require = Requirement(ROWS, not_worse=True, must_pass=(BILL,), min_recall={"bug": 0.5})
        conditions = conditions_of(require, ())
        candidate = side("tickets_v2", [*answers_of(conditions, wrong=1)[:10], "bug"])
        report = check_conditions(conditions, candidate, side("tickets_v1", answers_of(conditions)))
        error = refusal("tickets", "tickets_v2", report)
        missed = "0 of 1 rows that must be placed right are; the others are listed as failed rows."
        worse = (
            "tickets_v2 places 9 of 10 test rows right, against 10 of 10 by tickets_v1. It fixes 0 and breaks 1; "
            "chance alone may make such a difference (exact McNemar p = 1)."
        )
        assert json.loads(json.dumps(error.facts)) == {
            "alias": "tickets",
            "model_name": "tickets_v2",
            "reason": f"{missed} {worse}",
            "passed": False,
            "checks": [
                {
                    "condition": "must_pass",
                    "passed": False,
                    "detail": missed,
                },
                {
                    "condition": "not_worse",
                    "passed": False,
                    "detail": worse,
                },
                {
                    "condition": "min_recall",
                    "passed": True,
                    "detail": "Recall of 'bug' is 1 (5 of 5); 0.5 is required.",
                },
            ],
            "failed_rows": [{"text": BILL.text, "label": "billing", "predicted": "bug"}],
            # Of billing, 4 of 5 are found and nothing else; of bug, all 5, and one more is given it.
            "candidate": {
                "accuracy": 0.9,
                "correct": 9,
                "total": 10,
                "recall": {"billing": 0.8, "bug": 1.0},
                "f1": {"billing": 8 / 9, "bug": 10 / 11},
                "micro_f1": None,
            },
            "current": {
                "accuracy": 1.0,
                "correct": 10,
                "total": 10,
                "recall": {"billing": 1.0, "bug": 1.0},
                "f1": {"billing": 1.0, "bug": 1.0},
                "micro_f1": None,
            },
        }
        assert error.detail.startswith("tickets_v2 was not promoted, and the alias tickets stays as it is. 0 of 1 rows")
        assert "Recall of 'bug'" not in error.detail
        assert error.detail.endswith("must_pass beside require says which rows the alias keeps.")

    def test_without_test_rows_shows_no_figures(self) -> None:
        report = check_conditions(conditions_of(Requirement(), (BILL,)), side("tickets_v2", ["bug"]), "")
        facts = refusal("tickets", "tickets_v2", report).facts
        assert (facts["candidate"], facts["current"]) == (None, None)

    def test_names_a_few_conditions_in_its_detail_and_counts_the_rest(self) -> None:
        checks = tuple(Check("min_recall", False, f"Recall {number}.") for number in range(5))
        error = refusal("tickets", "tickets_v2", GateReport(checks))
        assert "Recall 0. Recall 1. Recall 2. And 2 more conditions. Train another" in error.detail
        assert error.detail.endswith("or promote it without that condition.")  # no row of the alias is in the way
        assert len(checks) == len(list(error.facts["checks"]))  # type: ignore[call-overload]
