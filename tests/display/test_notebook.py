from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from tests.display.reading import Page
from tests.domain.test_shown import REPLIES
from windrow.api.examples import example_of
from windrow.display.notebook import MAX_MATRIX_LABELS, NotebookPresenter, present
from windrow.domain.classifier import FitResult
from windrow.domain.comparison import Comparison
from windrow.domain.dataset import DataWarning
from windrow.domain.explanation import Explanation, LabelExplanation, NearRow, WordEffect
from windrow.domain.listing import Listing
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.prediction import Prediction, Predictions
from windrow.domain.report import ConfusionMatrix, Report
from windrow.domain.values import Presented

EVIL = "<script>alert('\"&')</script>"


@pytest.fixture(autouse=True)
def _presented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presented, "_presenter", None)
    present()


def shown(value: Presented) -> Page:
    return Page(value._repr_html_() or "")


def evil(value: Any) -> Any:
    """Return a value with markup in each of its texts, however deep."""
    if isinstance(value, str):
        return EVIL
    if isinstance(value, tuple):
        return tuple(map(evil, value))
    if isinstance(value, dict):
        return {evil(key): evil(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        # What an alias points to is read when a value is made.
        parts = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        return replace(value, **{name: evil(each) for name, each in parts.items() if name != "points_to"})
    return value


@pytest.mark.parametrize("kind", REPLIES)
def test_each_reply_is_html_that_says_what_it_is(kind: Any) -> None:
    page = shown(example_of(kind))
    assert page.texts[0].startswith(kind.__name__)
    assert set(page.tags) <= {
        *("b", "div", "li", "p", "span", "strong"),
        *("table", "tbody", "td", "th", "thead"),
        "tr",
        "ul",
    }


@pytest.mark.parametrize("kind", REPLIES)
def test_no_text_in_a_reply_becomes_an_element(kind: Any) -> None:
    html = evil(example_of(kind))._repr_html_()
    assert "<script" not in html
    assert Page(html).texts


def test_scores_are_bars_the_best_first() -> None:
    page = shown(example_of(Prediction))
    assert page.texts.index("billing") < page.texts.index("account") < page.texts.index("technical")
    widths = [style.partition("width:")[2].partition("em")[0] for style in page.styles if "inline-block" in style]
    assert widths == ["6.96", "0.64", "0.40"]


def test_each_label_that_is_given_is_explained_and_none_is_said_to_be_none() -> None:
    effects = (WordEffect("money", 7, 0.25),)
    near = NearRow(3, "Refund", None, 0.5, labels=("billing", "urgent"))
    explanation = Explanation("billing", (near,), effects, (LabelExplanation("urgent", effects),))
    answer = replace(example_of(Prediction), kind="multi_label", label=None, labels=("billing", "urgent"))
    texts = shown(replace(answer, explanation=explanation)).texts
    assert texts.count("billing, urgent") == 2
    assert texts.index("Words") < texts.index("Nearest rows") < texts.index("Words, for urgent")
    assert texts.count("money") == 2
    assert "none of the labels" in shown(replace(answer, labels=())).texts
    assert "none of the labels" not in shown(replace(answer, labels=None)).texts


def test_a_report_shows_its_warnings_before_its_tables() -> None:
    report = replace(example_of(Report), warnings=(DataWarning("few_test_rows", "6 rows say little."),))
    texts = shown(report).texts
    assert texts.index("few_test_rows: ") < texts.index("precision") < texts.index("Confusion matrix")
    assert "6 rows say little." in texts


def matrix(size: int) -> ConfusionMatrix:
    labels = tuple(f"l{number}" for number in range(size))
    return ConfusionMatrix(labels, tuple(tuple(range(size)) for _ in labels))


def test_a_confusion_is_a_heat_map_and_of_many_labels_the_pairs_confused_most() -> None:
    assert sum("rgba" in style for style in shown(matrix(3)).styles) == 9
    texts = shown(matrix(MAX_MATRIX_LABELS + 1)).texts
    assert "Confused most" in texts
    assert texts[texts.index("rows") + 1 :][:3] == ["l0", f"l{MAX_MATRIX_LABELS}", str(MAX_MATRIX_LABELS)]


def test_a_comparison_says_which_to_promote() -> None:
    comparison = example_of(Comparison)
    assert comparison.recommendation.reason in shown(comparison).texts


def test_a_comparison_of_multi_label_classifiers_says_it_too_and_shows_their_sets() -> None:
    comparison = example_of(MultiLabelComparison)
    texts = shown(comparison).texts
    assert comparison.recommendation.reason in texts
    assert "whole sets right" in texts
    assert any(text.endswith(": ✗ account, billing") for text in texts)


def test_a_report_on_a_multi_label_classifier_shows_labels_pairs_thresholds_and_rows() -> None:
    texts = shown(example_of(MultiLabelReport)).texts
    assert {"Labels", "Confused labels", "Missed together", "Proposed thresholds", "Misclassified"} <= set(texts)


def test_a_fit_shows_how_many_rows_each_label_has() -> None:
    result = example_of(FitResult)
    texts = shown(result).texts
    assert texts[texts.index("billing") + 1] == str(result.rows_per_label["billing"])


def test_a_listing_and_a_list_of_answers_are_tables() -> None:
    listing = example_of(Listing)
    assert shown(listing).texts[0] == "Listing (1)"
    assert shown(Listing(())).tags == ["div", "strong"]
    answers = Predictions([example_of(Prediction)] * 3)
    page = shown(answers)
    assert page.texts[0] == "Predictions (3)"
    assert page.tags.count("tr") == 4


def test_a_long_list_stays_a_short_page() -> None:
    answers = Predictions([example_of(Prediction)] * 10_000)
    assert len(answers._repr_html_() or "") < 100_000
    assert len(repr(answers)) < 500


def test_a_frame_comes_from_the_same_presenter() -> None:
    assert len(NotebookPresenter().frame(example_of(Listing))) == 1
