"""Promote classifiers that give any number of labels, on conditions."""

import pytest

from tests.service.examples import ROWS as SINGLE_LABEL_ROWS
from tests.service.examples import fit
from tests.service.multi_label_examples import LABELS, SCORES, publish
from tests.service.test_evaluation_multi_label import OTHER_SCORES, TESTS
from windrow.domain.alias import AliasRequest, PromoteRequest
from windrow.domain.errors import InvalidParameter, InvalidTestData, PromotionRefused
from windrow.domain.gate import Check, FailedSet, GateReport, Requirement
from windrow.domain.labelled_rows import LabelledRow, labels_of
from windrow.domain.listing import ListRequest
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.threshold import SetThresholdRequest
from windrow.service import gate
from windrow.service.gate import conditions_of
from windrow.service.service import Service

MISSED = TESTS[5]


def promote(service: Service, name: str = "mails_v2", **conditions: object) -> GateReport:
    """Point an alias at a classifier on conditions, and return what was found."""
    require = Requirement(**conditions)  # type: ignore[arg-type]
    return service.promote(PromoteRequest("mails", name, require=require)).gate


def refused(service: Service, name: str = "mails_v2", **conditions: object) -> PromotionRefused:
    with pytest.raises(PromotionRefused) as error:
        promote(service, name, **conditions)
    return error.value


@pytest.fixture
def both(service: Service) -> Service:
    """Publish two classifiers, and point the alias at the first one: 5 of 6 rows right, the second 4."""
    publish(service, "mails_v1")
    publish(service, "mails_v2", OTHER_SCORES)
    service.promote(PromoteRequest("mails", "mails_v1"))
    return service


def test_rows_that_must_pass_are_given_all_of_their_labels_and_no_other_one(both: Service) -> None:
    gate = promote(both, must_pass=TESTS[1:2])
    assert gate.checks == (Check("must_pass", True, "1 of 1 rows that must be placed right are."),)
    facts = refused(both, "mails_v1", must_pass=(*TESTS[:2], MISSED)).facts
    assert facts["failed_rows"] == [
        {"text": MISSED.text, "labels": ["billing", "technical"], "predicted": ["technical"]}
    ]


def test_a_row_without_labels_must_be_given_none(both: Service) -> None:
    assert promote(both, must_pass=(MultiLabelRow("thank you all", ()),)).passed
    facts = refused(both, must_pass=(MultiLabelRow("screen stays white", ()),)).facts
    assert facts["failed_rows"] == [{"text": "screen stays white", "labels": [], "predicted": ["technical"]}]


def test_a_row_whose_labels_a_threshold_keeps_back_is_given_none_and_fails(both: Service) -> None:
    both.set_threshold(SetThresholdRequest("mails_v2", 0.65))
    facts = refused(both, must_pass=(MultiLabelRow("screen stays white", ()),)).facts
    assert facts["failed_rows"] == [{"text": "screen stays white", "labels": [], "predicted": None}]
    assert "mails_v2 gives no label to 1 of these rows, below its threshold of 0.65" in str(facts["checks"])


def test_what_is_worse_by_whole_sets_and_by_f1_is_not_promoted(both: Service) -> None:
    detail = refused(both, test_data=TESTS, not_worse=True).detail
    assert (
        "mails_v2 gives 4 of 6 test rows all of their labels and no other, against 5 of 6 by mails_v1. It fixes 1 and "
        "breaks 2; chance alone may make such a difference (exact McNemar p = 1). Its micro F1 is 0.857, against "
        "0.933. Neither may be lower."
    ) in detail


def test_what_is_as_good_by_whole_sets_and_worse_by_f1_is_not_promoted(service: Service) -> None:
    publish(service, "mails_v1")
    # Both give one of these two rows its whole set; the second one gives two labels less.
    rows = (TESTS[0], TESTS[4])
    publish(service, "mails_v2", {**SCORES, TESTS[0].text: (0.1, 0.1, 0.1)})
    publish(service, "mails_v3", {**SCORES, TESTS[0].text: (0.9, 0.1, 0.1)})
    service.promote(PromoteRequest("mails", "mails_v3"))
    assert "Its micro F1 is 0.000, against 0.667" in refused(service, test_data=rows, not_worse=True).detail
    assert promote(service, "mails_v1", test_data=rows, not_worse=True).passed


def test_recall_and_f1_of_labels_can_be_required(both: Service) -> None:
    gate = promote(both, "mails_v1", test_data=TESTS, min_recall={"billing": 0.6}, min_f1={"billing": 0.8, "urgent": 1})
    assert [(check.condition, check.detail) for check in gate.checks] == [
        ("min_recall", "Recall of 'billing' is 0.667 (2 of 3); 0.6 is required."),
        ("min_f1", "F1 of 'billing' is 0.8 (2 of 3 found, 0 given wrongly); 0.8 is required."),
        ("min_f1", "F1 of 'urgent' is 1 (2 of 2 found, 0 given wrongly); 1 is required."),
    ]
    assert gate.candidate is not None
    assert (gate.candidate.correct, gate.candidate.micro_f1) == (5, 14 / 15)
    assert gate.candidate.recall == {"billing": 2 / 3, "technical": 1, "urgent": 1}
    assert list(gate.candidate.f1) == list(LABELS)
    error = refused(both, test_data=TESTS, min_f1={"urgent": 0.1})
    assert "F1 of 'urgent' is 0 (0 of 2 found, 0 given wrongly); 0.1 is required." in error.detail


def test_rows_of_an_alias_are_kept_with_their_labels_and_hold_for_the_next_promotion(both: Service) -> None:
    both.promote(PromoteRequest("mails", "mails_v1", must_pass=TESTS[:1]))
    (alias,) = both.list_aliases()
    assert alias.must_pass == TESTS[:1]
    with pytest.raises(PromotionRefused) as error:
        both.promote(PromoteRequest("mails", "mails_v2"))
    assert error.value.facts["failed_rows"] == [
        {"text": TESTS[0].text, "labels": ["billing", "urgent"], "predicted": ["billing"]}
    ]
    assert both.list_classifiers(ListRequest()).models
    assert both.alias_history(AliasRequest("mails")).changes[0].points_to == "mails_v1"


def test_rows_with_the_same_labels_in_another_order_are_one_condition_and_no_step(both: Service) -> None:
    row = TESTS[0]
    turned = MultiLabelRow(row.text, row.labels[::-1])
    assert len(row.labels) > 1
    assert conditions_of(Requirement(must_pass=(row, turned)), (turned,)).must_pass == (row,)
    both.promote(PromoteRequest("mails", "mails_v1", must_pass=(row, turned, TESTS[1])))
    assert both.list_aliases()[0].must_pass == (row, TESTS[1])
    steps = both.alias_history(AliasRequest("mails")).changes
    both.promote(PromoteRequest("mails", "mails_v1", must_pass=(turned, TESTS[1])))
    assert both.alias_history(AliasRequest("mails")).changes == steps


def test_however_many_labels_have_a_least_figure_the_rows_are_counted_once(
    both: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[LabelledRow] = []

    def watched(row: LabelledRow) -> tuple[str, ...]:
        looked_at.append(row)
        return labels_of(row)

    monkeypatch.setattr(gate, "labels_of", watched)
    lengths = []
    for labels in (LABELS[:1], LABELS):
        looked_at.clear()
        least = dict.fromkeys(labels, 0.0)
        assert promote(both, "mails_v1", test_data=TESTS, min_recall=least, min_f1=least).passed
        lengths.append(len(looked_at))
    assert lengths[0] == lengths[1] > 0


def test_rows_of_the_other_form_are_refused_with_how_to_write_them(both: Service) -> None:
    for conditions in ({"must_pass": SINGLE_LABEL_ROWS[:1]}, {"test_data": SINGLE_LABEL_ROWS, "not_worse": True}):
        with pytest.raises(InvalidTestData, match=r"mails_v2 gives any number of labels.* Pass labels in each row"):
            promote(both, **conditions)
    with pytest.raises(InvalidTestData, match=r"the rows of must_pass have one label each"):
        both.promote(PromoteRequest("mails", "mails_v2", must_pass=SINGLE_LABEL_ROWS[:1]))


def test_rows_that_an_alias_keeps_in_the_other_form_are_to_be_replaced(both: Service) -> None:
    fit(both, "tickets_v1")
    both.promote(PromoteRequest("mails", "tickets_v1", must_pass=SINGLE_LABEL_ROWS[:1]))
    with pytest.raises(InvalidTestData) as error:
        both.promote(PromoteRequest("mails", "mails_v1"))
    assert error.value.detail.endswith(
        "it needs labels in each row. Pass other rows as must_pass, or an empty list to keep none."
    )
    both.promote(PromoteRequest("mails", "mails_v1", must_pass=()))
    assert both.list_aliases()[0].points_to == "mails_v1"


def test_a_classifier_of_the_other_kind_is_not_compared_with(both: Service) -> None:
    fit(both, "tickets_v1")
    both.promote(PromoteRequest("mails", "tickets_v1"))
    with pytest.raises(InvalidParameter) as error:
        promote(both, "mails_v1", test_data=TESTS, not_worse=True)
    assert error.value.detail == (
        "require.not_worse compares classifiers of one kind; tickets_v1 is single_label, and mails_v1 is multi_label. "
        "Leave it out, and require require.min_f1 of the labels instead."
    )
    gate = promote(both, "mails_v1", test_data=TESTS, min_f1={"urgent": 0.5})
    assert gate.current is None


def test_a_failed_set_says_what_was_given() -> None:
    assert FailedSet("text", ("a",), None).to_dict() == {"text": "text", "labels": ["a"], "predicted": None}
