"""Cases that evaluate, compare, promote and cross-validate classifiers that give any number of labels."""

from dataclasses import replace

from tests.conformance.examples import MULTI_LABEL_ROWS, REASON, ROWS, TEST_ROWS, TEXT, codes, request, trained
from tests.conformance.observing import refused
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import ModelRequest
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.gate import Requirement
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.operations import Operations

TESTS = (
    MultiLabelRow("My invoice shows a fee twice", ("billing",)),
    MultiLabelRow("It crashes, help now", ("urgent", "technical")),
    MultiLabelRow("Thanks a lot", ()),
)


def judging_any_number_of_labels(operations: Operations) -> object:
    asked = request("sets_v1", MULTI_LABEL_ROWS)
    operations.fit(asked)
    operations.fit(replace(asked, model_name="sets_v2", training_data=MULTI_LABEL_ROWS[:5]))
    report = operations.evaluate(EvaluateRequest("sets_v1", TESTS))
    assert isinstance(report, MultiLabelReport)
    shown = operations.show(ModelRequest("sets_v1"))
    assert (report.total, report.saved, shown.test) == (3, True, report.score)
    assert report.label_thresholds == shown.label_thresholds
    page = operations.report(ReportRequest("sets_v1", TESTS, save=False))
    assert b"Whole sets right" in b"".join(page.chunks)
    compared = operations.compare(CompareRequest(("sets_v1", "sets_v2"), TESTS))
    assert isinstance(compared, MultiLabelComparison)
    assert compared.models[0].micro_f1 == report.micro_f1
    cross = operations.cross_validate(CrossValidateRequest(MULTI_LABEL_ROWS, 2, num_iterations=0))
    assert isinstance(cross, MultiLabelCrossValidation)
    suggested = operations.suggest(SuggestRequest("sets_v1", (TEXT, "It crashes"), 2))
    assert all(each.labels is not None and each.runner_up is None for each in suggested)
    return report, shown, compared, cross, suggested


def promoting_any_number_of_labels(operations: Operations) -> object:
    operations.fit(request("kept_sets_v1", MULTI_LABEL_ROWS))
    trained(operations, "kept_single_v1")
    asked = PromoteRequest("kept_sets", "kept_sets_v1", reason=REASON)
    report = operations.evaluate(EvaluateRequest("kept_sets_v1", MULTI_LABEL_ROWS, save=False))
    least = {each.label: each.f1 or 0.0 for each in report.labels}
    require = Requirement(MULTI_LABEL_ROWS, not_worse=True, min_f1=least)
    promotion = operations.promote(replace(asked, require=require))
    assert [check.condition for check in promotion.gate.checks] == ["not_worse", *["min_f1"] * 3]
    wrong = MultiLabelRow(TEXT, ("technical", "other"))
    bad = [
        refused(operations.promote, replace(asked, must_pass=(wrong,))),
        refused(operations.promote, replace(asked, must_pass=ROWS[:1])),
        refused(operations.promote, replace(asked, require=Requirement(TESTS, min_f1={"other": 0.5}))),
        refused(operations.evaluate, EvaluateRequest("kept_sets_v1", TEST_ROWS)),
        refused(operations.evaluate, EvaluateRequest("kept_single_v1", TESTS)),
        refused(operations.compare, CompareRequest(("kept_sets_v1", "kept_single_v1"), TESTS)),
    ]
    assert codes(bad) == [
        "promotion_refused",
        "invalid_test_data",
        "invalid_parameter",
        "invalid_test_data",
        "invalid_test_data",
        "invalid_parameter",
    ]
    (alias,) = [each for each in operations.list_aliases() if each.alias == "kept_sets"]
    return promotion.gate, alias.points_to, bad
