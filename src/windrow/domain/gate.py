"""The gate: conditions that a classifier must meet before an alias points to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from windrow.domain.dataset import DataLimits, Row, check_test_rows
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.prediction import check_share
from windrow.domain.values import Schema, Value, computed

MAX_MUST_PASS_ROWS = 1_000
MustPassRows = Annotated[tuple[Row, ...], Schema(maxItems=MAX_MUST_PASS_ROWS)]


@dataclass(frozen=True, slots=True)
class Requirement:
    """The conditions of a promotion."""

    test_data: tuple[Row, ...] = ()
    """Labelled test rows for ``not_worse`` and ``min_recall``."""
    not_worse: bool = False
    """Whether at least as many of them must be classified correctly as by what the alias points to now."""
    must_pass: MustPassRows = ()
    """Rows that must be classified correctly, this time; at most 1,000."""
    min_recall: Annotated[
        Mapping[str, float], Schema(additionalProperties={"type": "number", "minimum": 0, "maximum": 1})
    ] = field(default_factory=dict)
    """The least recall on the test rows, from 0 to 1, by label. Each label must have a row."""


NOTHING_REQUIRED = Requirement()


@dataclass(frozen=True, slots=True)
class Check(Value):
    """A condition that was checked."""

    condition: Literal["must_pass", "not_worse", "min_recall"]
    """Which one; ``min_recall`` once for each label."""
    passed: bool
    """Whether it is met."""
    detail: str
    """What was found, in a sentence."""


@dataclass(frozen=True, slots=True)
class FailedRow(Value):
    """A row that had to be classified correctly and was not."""

    text: str
    """Its text; empty for a row of the alias where the API key lacks the scope ``rows``."""
    label: str
    """Its label."""
    predicted: str
    """What it was given; empty where it was given no label."""


@dataclass(frozen=True, slots=True)
class GateMetrics(Value):
    """The metrics of one of the two classifiers of a promotion on the test rows."""

    correct: int
    """Rows that it classified correctly. As in the checks, one to which its threshold gives no label is none of them,
    while an evaluation counts the best label.
    """
    total: int
    """Rows in all, at least 1."""
    recall: Mapping[str, float]
    """Share of each label's rows that it classified correctly, from 0 to 1; labels without rows are left out."""
    accuracy: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """Share of the rows that it classified correctly."""


@dataclass(frozen=True, slots=True)
class GateReport(Value):
    """The results of a promotion's conditions."""

    checks: tuple[Check, ...] = ()
    """Each condition; none where none was set."""
    failed_rows: tuple[FailedRow, ...] = ()
    """Rows of ``must_pass`` that were misclassified."""
    candidate: GateMetrics | None = None
    """How the classifier that is to be promoted did on the test rows; ``None`` without such rows."""
    current: GateMetrics | None = None
    """How what the alias points to did on them; ``None`` where it points nowhere, or without such rows."""
    passed: bool = computed(lambda self: all(check.passed for check in self.checks), True)
    """Whether every condition is met."""


NOTHING_CHECKED = GateReport()


def check_requirement(requirement: Requirement, limits: DataLimits) -> None:
    """Refuse conditions that cannot be checked.

    Raises:
        InvalidParameter: It needs test rows and has none, or has some and no use for them, or a recall lies outside
            [0, 1].
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    needs_rows = requirement.not_worse or bool(requirement.min_recall)
    if needs_rows and not requirement.test_data:
        raise InvalidParameter(
            "{arg:require.not_worse} and {arg:require.min_recall} need labelled rows to look at. {Send} "
            "{arg:require.test_data}, or leave them out.",
            {"parameter": "require.test_data"},
        )
    if requirement.test_data:
        check_test_rows("require.test_data", requirement.test_data, limits)
    if requirement.test_data and not needs_rows:
        raise InvalidParameter(
            "{arg:require.test_data} alone asks for nothing. {Send} {arg:require.not_worse} or "
            "{arg:require.min_recall} too, or leave the rows out.",
            {"parameter": "require.not_worse"},
        )
    check_must_pass("require.must_pass", requirement.must_pass, limits)
    for label, recall in requirement.min_recall.items():
        check_share(f"require.min_recall[{label!r}]", recall)


def check_must_pass(field: str, rows: tuple[Row, ...], limits: DataLimits) -> None:
    """Refuse rows that cannot be required to be classified correctly; there may be none.

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
            "{arg:{parameter}} has {count} rows; at most {limit} are possible. {Send} fewer.",
            {"parameter": field, "count": len(rows), "limit": MAX_MUST_PASS_ROWS},
        )
    if rows:
        check_test_rows(field, rows, limits)
