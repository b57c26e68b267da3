"""The page says what the report says, holds all that it needs, and lets nothing run."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.console.browsing import AXE, NARROW, WIDE, Theme, Watch, accessibility_findings, new_context, open_browser
from tests.html_report.examples import LABELS, content, report_in
from tests.html_report.reading import WholePage
from windrow.api.endpoints import REPORT
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.figures import percent
from windrow.domain.threshold import ProposedThreshold, Threshold, ThresholdChange
from windrow.domain.training_report import AdapterReport, Candidate
from windrow.html_report.page import CONTENT_POLICY, PageContent, render_page
from windrow.html_report.tables import MAX_MISCLASSIFIED

EVIL = "</title></style><script>alert('\"&')</script><img src=//example.org/x onerror=alert(1)>"
# An override of the direction, and Hebrew.
RIGHT_TO_LEFT = "\u202e\u05e9\u05dc\u05d5\u05dd"
HOSTILE_LABELS = (EVIL, RIGHT_TO_LEFT, "💸" * 100, "a & b")
HOSTILE_TEXTS = (EVIL, f"{RIGHT_TO_LEFT} again", "x" * 20_000, "a\x00\x1b[31mb", "💸 " * 50)
HOSTILE = content(
    [Row(text, HOSTILE_LABELS[number % 4]) for number, text in enumerate(HOSTILE_TEXTS * 4)],
    HOSTILE_LABELS,
    title=EVIL,
    warnings=(DataWarning("odd", f"Odd: {EVIL}", tuple(range(20))),),
)


def read(shown: PageContent) -> WholePage:
    return WholePage(render_page(shown))


def test_the_figures_are_those_of_the_report() -> None:
    shown = content()
    page, report = read(shown), report_in(shown)
    assert f" {percent(report.accuracy)} " in page.text
    assert f"{100 * report.accuracy_interval.low:.1f} to {100 * report.accuracy_interval.high:.1f} %" in page.text
    assert [row[0::2] for row in page.table("Label", "Trained on", "Test rows", "Right", "Given")] == [
        [each.label, f"{each.total}", f"{each.predicted}", f"{each.recall or 0:.2f}"] for each in report.labels
    ]
    assert [[cell.replace("·", "0") for cell in row[1:]] for row in page.table("label ↓ given →")] == [
        list(map(str, counts)) for counts in report.confusion_matrix.counts
    ]
    assert [row[:3] for row in page.table("Score", "Rows")] == [
        [f"{each.low:.2f} to {each.high:.2f}", str(each.rows), f"{each.mean_score:.3f}"]
        for each in report.calibration.bins
    ]
    assert page.table("Row", "Text") == [
        [str(each.row), each.text, each.label, each.predicted, f"{each.score:.2f}"] for each in report.misclassified
    ]
    for row in page.table("No label below"):
        point = report.coverage_at(float(row[0]))
        assert row[1:5] == [str(point.answered), percent(point.share), str(point.wrong), percent(point.error)]


def test_it_says_of_what_it_is() -> None:
    page = read(content())
    for said in ("tickets_v1@3", "fake/encoder", "d" * 64, "f" * 64, content().report.test_data_sha256):
        assert said in page.text
    assert "2025-09-15 10:30 UTC" in page.text
    assert "Evaluation of tickets_v1" in page.text
    assert "Tickets of May" in read(content(title="Tickets of May")).text
    assert "Asked by the alias live" in re.sub(r"\s+", " ", read(content(alias="live")).text)


def test_it_says_how_the_classifier_was_trained_and_why_so() -> None:
    shown = content()
    adapter = AdapterReport(1.0, "A test says so.", (Candidate(0.0, 0.7), Candidate(1.0, None)), 6, 8, 3, 12, 9)
    page = read(replace(shown, record=replace(shown.record, adapter=adapter)))
    assert "A test says so." in page.text
    assert page.table("Share of the adapter") == [["0.0 %", "70.0 %", ""], ["100.0 %", "-", "chosen"]]
    assert "9 steps of 12 planned, ended as planned; 6 layers, rank 8" in page.text
    assert "An accuracy of 87.5 % (38.0 to 100.0 % with 95 % confidence)" in page.text
    assert "Logistic regression with C = 4" in page.text
    assert "0 iterations were asked for" in read(shown).text


def test_thresholds_that_are_in_force_or_proposed_are_marked() -> None:
    shown = content()
    at = report_in(shown).coverage[5].threshold
    change = ThresholdChange(at=shown.report.measured_at, before=None, after=Threshold(0.75))
    page = read(
        PageContent(
            replace(report_in(shown), proposed_threshold=ProposedThreshold(at, 0.9, 5, 6, 60)),
            replace(shown.record, threshold_changes=(change,)),
            shown.rows,
        )
    )
    names = [row[0] for row in page.table("No label below")]
    assert f"proposed {at:.3f}" in names
    assert "in force 0.750" in names
    assert "5 of 6 answers right" in page.text


def test_warnings_come_with_the_rows_that_they_are_about() -> None:
    page = read(content())
    assert "seen_rows" in page.texts
    assert "Row 1: text number 1 is bug" in re.sub(r"\s+", " ", page.text)
    assert "… and 10 more rows." in read(HOSTILE).text


def test_more_labels_than_a_matrix_holds_are_pairs() -> None:
    labels = tuple(f"label {number:02}" for number in range(31))
    assert read(content(labels=labels[:30])).table("label ↓ given →")
    page = read(content(labels=labels))
    confusions = report_in(content(labels=labels)).confusion_matrix.confusions()
    assert page.table("Label", "Given instead")[0] == [confusions[0][0], confusions[0][1], str(confusions[0][2])]


def test_of_very_many_misclassified_rows_the_surest_are_shown_and_the_others_counted() -> None:
    rows = [Row(f"text {number}", "of no label") for number in range(MAX_MISCLASSIFIED + 1_234)]
    page = read(content(rows))
    assert len(page.table("Row", "Text")) == MAX_MISCLASSIFIED
    assert "… and 1,234 more rows" in page.text


def test_where_nothing_is_wrong_the_page_says_so() -> None:
    shown = content()
    assert "There is none." in read(replace(shown, report=replace(report_in(shown), misclassified=()))).text


@pytest.mark.parametrize("shown", [content(), HOSTILE], ids=["usual", "hostile"])
def test_it_holds_all_that_it_needs_and_nothing_that_runs(shown: PageContent) -> None:
    page = read(shown)
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "a", "form", "base", "use", "image", "video"})
    attributes = {(name, value) for _, given in page.elements for name, value in given.items()}
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert {value for name, value in attributes if name in ("href", "src", "data", "action", "srcset")} == {"data:,"}
    style = re.search(rb"<style>(.*?)</style>", render_page(shown), re.DOTALL)
    assert style is not None
    assert not re.search(rb"url\(|@import|expression", style[1])
    (policy,) = [given for _, given in page.elements if given.get("http-equiv")]
    assert policy == {"http-equiv": "Content-Security-Policy", "content": CONTENT_POLICY}
    assert CONTENT_POLICY.startswith("default-src 'none'")


def test_whatever_somebody_wrote_stays_text() -> None:
    page = read(HOSTILE)
    assert page.texts.count(EVIL) >= 5
    assert "x" * 20_000 in page.texts
    assert [tag for tag, _ in page.elements].count("title") == 1 + len(HOSTILE.report.calibration.bins)
    assert "\x00" not in page.text
    assert "\x1b" not in page.text


def test_the_commands_name_the_endpoint_and_the_revision() -> None:
    page = read(content())
    assert f"$WINDROW_URL{REPORT.path}" in page.text
    assert "windrow report tickets_v1@3 test.csv --out report.html" in page.text


def test_tables_have_names_and_heads_and_headings_leave_no_level_out() -> None:
    page = read(HOSTILE)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption") == tags.count("thead")
    assert {given.get("scope") for tag, given in page.elements if tag == "th"} <= {"col", "row", None}
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("aria-label" in given for tag, given in page.elements if given.get("role") == "img")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shown", [content(), HOSTILE], ids=["usual", "hostile"])
def test_a_real_browser_shows_and_prints_it_offline(tmp_path: Path, shown: PageContent, theme: Theme) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(render_page(shown))
    watch = Watch()
    watch.allow(rf"^a request to another host: GET {re.escape(file.as_uri())}$")
    with open_browser() as browser:
        for width in (WIDE, NARROW):
            context = new_context(browser, watch, theme, width)
            context.set_offline(offline=True)
            page = context.new_page()
            page.goto(file.as_uri())
            assert page.title() == shown.heading
            # What is wider than the window is scrolled where it stands.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert len(page.screenshot(full_page=True)) > 10_000
            if AXE.exists():
                assert accessibility_findings(page) == []
            if width == WIDE:
                assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")
            context.close()
    watch.check()


def test_labels_are_above_the_columns_where_they_are_short_and_few() -> None:
    (head, *_), *_ = [each for each in read(content()).tables if each[0][0] == "label ↓ given →"]
    assert head[1:] == list(LABELS)
    long = ("billing and refunds", "bugs", "questions")
    (head, first, *_), *_ = [each for each in read(content(labels=long)).tables if each[0][0] == "label ↓ given →"]
    assert (head[1:], first[0]) == (["1", "2", "3"], "1. billing and refunds")
