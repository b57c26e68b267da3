"""The gate: conditions that a classifier must meet before an alias points to it.

Owns the values and the rules for what is asked; knows nothing of how rows are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windrow.domain.dataset import DataLimits, Row, check_test_rows
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.prediction import check_share

MAX_MUST_PASS_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a promotion requires.

    Args:
        rows: Labelled test rows for ``not_worse`` and ``min_recall``.
        not_worse: Whether at least as many of them must be placed right as by what the alias points to now.
        must_pass: Rows that must be placed right, this time.
        min_recall: The least recall of a label on the test rows, in [0, 1], by label.
    """

    rows: tuple[Row, ...] = ()
    not_worse: bool = False
    must_pass: tuple[Row, ...] = ()
    min_recall: Mapping[str, float] = field(default_factory=dict)


NOTHING_REQUIRED = Requirement()


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that was looked at.

    Args:
        condition: ``not_worse``, ``must_pass`` or ``min_recall``.
        passed: Whether it is met.
        detail: What was found, in a sentence.
    """

    condition: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that had to be placed right and was not.

    Args:
        text: Its text.
        label: Its label.
        predicted: What it was given; empty where it was given no label.
    """

    text: str
    label: str
    predicted: str


@dataclass(frozen=True, slots=True)
class SideReport:
    """How one of the two classifiers of a promotion did on the test rows.

    Args:
        correct: Rows that it placed right.
        total: Rows in all, at least 1.
        recall: Share of each label's rows that it placed right, in [0, 1]; labels without rows are left out.
    """

    correct: int
    total: int
    recall: Mapping[str, float]

    @property
    def accuracy(self) -> float:
        """Share of the rows that were placed right."""
        return self.correct / self.total


@dataclass(frozen=True, slots=True)
class GateReport:
    """What came of a promotion's conditions.

    Args:
        checks: Each condition; none where none was set.
        failed_rows: Rows of ``must_pass`` that were placed wrong.
        candidate: How the classifier that is to be promoted did on the test rows; ``None`` without such rows.
        current: How what the alias points to did on them; ``None`` where it points nowhere, or without such rows.
    """

    checks: tuple[Check, ...] = ()
    failed_rows: tuple[FailedRow, ...] = ()
    candidate: SideReport | None = None
    current: SideReport | None = None

    @property
    def passed(self) -> bool:
        """Whether every condition is met."""
        return all(check.passed for check in self.checks)


NOTHING_CHECKED = GateReport()


def check_requirement(requirement: Requirement, limits: DataLimits) -> Requirement:
    """Return ``requirement`` unchanged if it can be looked at.

    Raises:
        InvalidParameter: It needs test rows and has none, or has some and no use for them, or a recall lies outside
            [0, 1].
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    needs_rows = requirement.not_worse or bool(requirement.min_recall)
    if needs_rows and not requirement.rows:
        raise InvalidParameter(
            "not_worse and min_recall need labelled rows to look at. Send require.test_data, or leave them out.",
            {"parameter": "require.test_data"},
        )
    if requirement.rows:
        check_test_rows("require.test_data", requirement.rows, limits)
    if requirement.rows and not needs_rows:
        raise InvalidParameter(
            "require.test_data alone asks for nothing. Send not_worse or min_recall too, or leave the rows out.",
            {"parameter": "require.not_worse"},
        )
    check_must_pass("require.must_pass", requirement.must_pass, limits)
    for label, recall in requirement.min_recall.items():
        check_share(f"require.min_recall[{label!r}]", recall)
    return requirement


def check_must_pass(field: str, rows: tuple[Row, ...], limits: DataLimits) -> tuple[Row, ...]:
    """Return rows that must be placed right unchanged if they can be; there may be none.

    Args:
        field: What the caller knows them by.
        rows: The rows.
        limits: On texts.

    Raises:
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    if len(rows) > MAX_MUST_PASS_ROWS:
        raise LimitExceeded(
            f"{field} has {len(rows)} rows; at most {MAX_MUST_PASS_ROWS} are possible. Send fewer.",
            {"limit": MAX_MUST_PASS_ROWS},
        )
    if rows:
        check_test_rows(field, rows, limits)
    return rows
