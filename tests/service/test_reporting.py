"""The page of an evaluation by real verbs: what it shows is what an evaluation says, and it leaves the same behind."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.toy import Toy
from windrow.domain.alias import PromoteRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.classifier import FitRequest, ModelRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidParameter, InvalidTestData
from windrow.domain.figures import percent
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest

ROWS = (Row("money back", "refund"), Row("my money please", "refund"), Row("cannot sign in", "login"))
TESTS = (Row("money", "refund"), Row("sign in", "login"), Row("<b>money</b> & more", "login"), Row("odd", "of none"))


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy()
    toy.fit(FitRequest("tickets_v1", ROWS, num_iterations=0))
    yield toy
    toy.close()


def test_it_shows_what_an_evaluation_says(toy: Toy) -> None:
    page = toy.report(ReportRequest("tickets_v1", TESTS, target_precision=0.5))
    report = toy.evaluate(EvaluateRequest("tickets_v1", TESTS, target_precision=0.5))
    assert page.report is not None
    assert replace(page.report, measured_at=report.measured_at) == report
    text = b"".join(page.chunks).decode()
    assert (page.file_name, page.size_bytes) == ("tickets_v1@1.html", len(text.encode()))
    for said in (percent(report.accuracy), report.test_data_sha256, "&lt;b&gt;money&lt;/b&gt; &amp; more"):
        assert said in text
    assert toy.show(ModelRequest("tickets_v1")).test == report.score


def test_what_keeps_a_score_is_a_change_in_the_audit_trail_and_what_keeps_none_is_not(toy: Toy) -> None:
    toy.report(ReportRequest("tickets_v1", TESTS, save=False))
    assert toy.show(ModelRequest("tickets_v1")).test is None
    assert [each for each in toy.audit(AuditRequest()).lines if each.verb == "report"] == []
    toy.report(ReportRequest("tickets_v1", TESTS))
    (line,) = [each for each in toy.audit(AuditRequest()).lines if each.verb == "report"]
    assert (line.target, line.revision_after) == ("tickets_v1", 1)


def test_it_is_of_the_revision_that_answered_by_whatever_name(toy: Toy) -> None:
    toy.promote(PromoteRequest("live", "tickets_v1"))
    toy.fit(FitRequest("tickets_v1", (*ROWS, Row("a third", "other")), num_iterations=0))
    for name, revision in (("live", 2), ("tickets_v1@1", 1)):
        page = toy.report(ReportRequest(name, TESTS, save=False))
        assert page.file_name == f"tickets_v1@{revision}.html"
        assert f"tickets_v1@{revision}</span>" in b"".join(page.chunks).decode()


@pytest.mark.parametrize("title", ["x" * 201, "half \ud800"])
def test_a_title_that_cannot_be_shown_is_refused(toy: Toy, title: str) -> None:
    with pytest.raises(InvalidParameter, match="at most 200 characters"):
        toy.report(ReportRequest("tickets_v1", TESTS, title=title))


def test_without_rows_there_is_no_page(toy: Toy) -> None:
    with pytest.raises(InvalidTestData):
        toy.report(ReportRequest("tickets_v1", ()))
