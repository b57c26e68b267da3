import pytest

from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.session.session import Session


def test_a_classifier_is_judged_by_rows_and_the_score_kept_if_wanted(session: Session) -> None:
    report = session.evaluate("tickets_v1", [("money", "refund"), ("sign in", "login")], is_saved=False)
    assert (report.outcome.correct, report.is_saved) == (2, False)
    assert session.show("tickets_v1").classifier.test is None
    assert session.evaluate("tickets_v1", ["money"], ["refund"]).is_saved
    assert session.show("tickets_v1").classifier.test is not None


def test_two_classifiers_are_compared_by_the_same_rows(session: Session) -> None:
    session.fit("tickets_v2", [("money", "login"), ("sign in", "refund")], num_iterations=0)
    comparison = session.compare(["tickets_v1", "tickets_v2"], ["money"], ["refund"])
    assert [each.asked for each in comparison.contenders] == ["tickets_v1", "tickets_v2"]


def test_a_bad_test_row_and_a_single_name_are_refused(session: Session) -> None:
    with pytest.raises(InvalidTestData, match=r"test_data\[0\].text is missing"):
        session.evaluate("tickets_v1", [None], ["refund"])
    with pytest.raises(InvalidParameter, match="model_names is one string"):
        session.compare("tickets_v1", ["money"], ["refund"])
