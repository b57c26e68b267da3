from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.display.reading import Page
from windrow.api.examples import example_of
from windrow.display.tables import columns_of, fits_a_cell, table_of, text_of
from windrow.domain.alias import Alias, AliasChange
from windrow.domain.base_models import BaseModelUse
from windrow.domain.classifier import Classifier, ClassifierDetails
from windrow.domain.comparison import Disagreement, ModelResult
from windrow.domain.cross_validation import CurvePoint
from windrow.domain.explanation import NearRow
from windrow.domain.interval import Interval
from windrow.domain.job import Job
from windrow.domain.prediction import Prediction
from windrow.domain.report import LabelReport, Misclassified
from windrow.domain.suggestion import Suggestion
from windrow.domain.values import Value
from windrow.html_report.elements import Html

KINDS = (
    *(Alias, AliasChange, BaseModelUse, Classifier, CurvePoint, Disagreement, Job, LabelReport, Misclassified),
    *(ModelResult, NearRow, Prediction, Suggestion),
)


@dataclass(frozen=True, slots=True)
class Odd(Value):
    name: str
    rows: int
    parts: tuple[Interval, ...] = ()
    by_key: Any = None


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_has_a_cell_for_each_heading(kind: Any) -> None:
    example = example_of(kind)
    page = Page(table_of([example, example]))
    columns = columns_of(example)
    assert page.tags.count("th") == len(columns)
    assert page.tags.count("td") == 2 * len(columns)
    assert [column.heading for column in columns if column.heading] == [text for text in page.texts if text][
        : len([column for column in columns if column.heading])
    ]


@pytest.mark.parametrize(
    ("labels", "text"), [(("billing", "urgent"), "billing, urgent"), ((), "none of the labels"), (None, "abstained")]
)
def test_an_answer_shows_its_labels_however_many_they_are(labels: tuple[str, ...] | None, text: str) -> None:
    answer = replace(example_of(Prediction), kind="multi_label", label=None, labels=labels)
    assert text in Page(table_of([answer])).texts
    assert "billing" in Page(table_of([example_of(Prediction)])).texts


def test_a_class_has_the_columns_of_the_class_above_it() -> None:
    assert columns_of(example_of(ClassifierDetails)) is columns_of(example_of(Classifier))


def test_any_other_class_shows_each_field_that_fits_a_cell() -> None:
    columns = columns_of(Odd("a", 1, (Interval(0, 1),), {"b": 1}))
    assert [(column.heading, column.right) for column in columns] == [("name", False), ("rows", True)]


def test_of_many_rows_the_first_are_shown() -> None:
    page = Page(table_of([Odd(str(number), number) for number in range(103)]))
    assert page.tags.count("tr") == 101
    assert page.texts[-1] == "… and 3 more."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (1_234, "1,234"),
        (1 / 3, "0.3333"),
        (("a", 2), "a, 2"),
        (Interval(0.514, 1), "51 to 100 %"),
        (datetime(2025, 9, 15, 10, 30, tzinfo=UTC), "2025-09-15 10:30:00"),
        ("x" * 400, "x" * 300 + "…"),
        (Html("<b>x</b>"), "<b>x</b>"),
    ],
)
def test_a_cell_says_a_value_of_any_type(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_cell_has_no_room_for_parts() -> None:
    assert [fits_a_cell(each) for each in (1, "a", None, ("a",), Interval(0, 1))] == [True] * 5
    assert [fits_a_cell(each) for each in ({"a": 1}, (Interval(0, 1),), Odd("a", 1))] == [False] * 3


def test_what_a_job_does_is_said_in_a_word() -> None:
    done = replace(example_of(Job), state="succeeded", revision=3, progress=None)
    assert "revision 3" in Page(table_of([done])).texts
