"""Which conditions of a promotion can be looked at, and when all of them are met."""

import math

import pytest

from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import InvalidParameter, InvalidTestData, LimitExceeded, WindrowError
from windrow.domain.gate import (
    MAX_MUST_PASS_ROWS,
    NOTHING_CHECKED,
    NOTHING_REQUIRED,
    Check,
    GateReport,
    Requirement,
    check_must_pass,
    check_requirement,
)
from windrow.domain.multi_label import MultiLabelRow

ROWS = (Row("I was charged twice", "billing"), Row("The app crashes", "bug"))
NEED_ROWS = r"^require\.not_worse, require\.min_recall and require\.min_f1 need labelled rows"
SETS = (MultiLabelRow("I was charged twice, do something", ("billing", "urgent")), MultiLabelRow("Thanks", ()))
LIMITS = DataLimits(max_rows=3, max_text_chars=40)


@pytest.mark.parametrize(
    "requirement",
    [
        NOTHING_REQUIRED,
        Requirement(ROWS, not_worse=True),
        Requirement(ROWS, min_recall={"billing": 0.0, "bug": 1.0}),
        Requirement(ROWS, min_f1={"billing": 0.0, "bug": 1.0}),
        Requirement(SETS, not_worse=True, must_pass=SETS, min_f1={"bug": 1.0}),
        Requirement(must_pass=ROWS),
        Requirement(ROWS, not_worse=True, must_pass=ROWS[:1], min_recall={"bug": 0.5}),
    ],
)
def test_conditions_that_can_be_looked_at_are_allowed(requirement: Requirement) -> None:
    check_requirement(requirement, LIMITS)


@pytest.mark.parametrize(
    ("requirement", "error", "detail"),
    [
        (
            Requirement(not_worse=True),
            InvalidParameter,
            NEED_ROWS,
        ),
        (
            Requirement(min_recall={"bug": 0.5}),
            InvalidParameter,
            NEED_ROWS,
        ),
        (
            Requirement(min_f1={"bug": 0.5}),
            InvalidParameter,
            NEED_ROWS,
        ),
        (
            Requirement(ROWS),
            InvalidParameter,
            "alone asks for nothing",
        ),
        (Requirement(ROWS, min_f1={"bug": 1.01}), InvalidParameter, r"min_f1\['bug'\] is 1\.01"),
        (Requirement(must_pass=(ROWS[0], SETS[0])), InvalidTestData, r"^require\.must_pass\[1\]\.labels"),
        (Requirement((*ROWS, Row("", "bug"))), InvalidTestData, r"^require\.test_data\[2\]\.text is empty"),
        (Requirement(ROWS * 2), LimitExceeded, r"^require\.test_data has 4 rows"),
        (Requirement(must_pass=(Row("a", ""),)), InvalidTestData, r"^require\.must_pass\[0\]\.label is empty"),
        (Requirement(ROWS, min_recall={"bug": 1.01}), InvalidParameter, r"min_recall\['bug'\] is 1\.01"),
        (Requirement(ROWS, min_recall={"bug": -0.1}), InvalidParameter, "between 0 and 1"),
        (Requirement(ROWS, min_recall={"bug": math.nan}), InvalidParameter, "between 0 and 1"),
    ],
)
def test_conditions_that_cannot_be_looked_at_are_refused(
    requirement: Requirement, error: type[WindrowError], detail: str
) -> None:
    with pytest.raises(error, match=detail):
        check_requirement(requirement, LIMITS)


def test_there_may_be_a_thousand_rows_that_must_pass_or_none() -> None:
    rows = ROWS[:1] * MAX_MUST_PASS_ROWS
    check_must_pass("must_pass", rows, DataLimits())
    check_must_pass("must_pass", (), LIMITS)
    with pytest.raises(LimitExceeded, match=r"^must_pass has 1001 rows") as caught:
        check_must_pass("must_pass", (*rows, ROWS[0]), DataLimits())
    assert caught.value.facts == {"parameter": "must_pass", "count": 1_001, "limit": MAX_MUST_PASS_ROWS}


def test_a_report_passes_where_each_condition_is_met_and_where_there_is_none() -> None:
    met, missed = Check("not_worse", True, "As good."), Check("must_pass", False, "1 of 2.")
    assert NOTHING_CHECKED.passed
    assert GateReport((met, met)).passed
    assert not GateReport((met, missed)).passed
