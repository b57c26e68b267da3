"""The gate: conditions that a classifier must meet before an alias points to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.labelled_rows import LabelledRows, check_evaluation_rows
from windrow.domain.prediction import check_share
from windrow.domain.values import Schema, Value, computed

MAX_MUST_PASS_ROWS = 1_000
MustPassRows = Annotated[LabelledRows, Schema(maxItems=MAX_MUST_PASS_ROWS)]
_SHARES = Schema(additionalProperties={"type": "number", "minimum": 0, "maximum": 1})


@dataclass(frozen=True, slots=True)
class Requirement:
    """The conditions of a promotion."""

    test_data: LabelledRows = ()
    """Labelled test rows for ``not_worse``, ``min_recall`` and ``min_f1``; with ``labels`` each for a multi-label
    classifier.
    """
    not_worse: bool = False
    """Whether at least as many of them must be classified correctly as by what the alias points to now. A multi-label
    classifier must give at least as many rows their whole set of labels, and have at least the same micro F1.
    """
    must_pass: MustPassRows = ()
    """Rows that must be classified correctly, this time; at most 1,000. A multi-label classifier must give each all of
    its labels and no other one.
    """
    min_recall: Annotated[Mapping[str, float], _SHARES] = field(default_factory=dict)
    """The least recall on the test rows, from 0 to 1, by label. Each label must have a row."""
    min_f1: Annotated[Mapping[str, float], _SHARES] = field(default_factory=dict)
    """The least F1 on the test rows, from 0 to 1, by label; it also counts rows that are wrongly given the label. Each
    label must have a row.
    """


NOTHING_REQUIRED = Requirement()


@dataclass(frozen=True, slots=True)
class Check(Value):
    """A condition that was checked."""

    condition: Literal["must_pass", "not_worse", "min_recall", "min_f1"]
    """Which one; ``min_recall`` and ``min_f1`` once for each label."""
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
class FailedSet(Value):
    """A row that a multi-label classifier had to give its labels and no other one, and did not."""

    text: str
    """Its text; empty for a row of the alias where the API key lacks the scope ``rows``."""
    labels: tuple[str, ...]
    """Its labels, sorted."""
    predicted: tuple[str, ...] | None
    """The labels that it was given, sorted; ``None`` where a threshold keeps all of them back."""


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
    f1: Mapping[str, float] = field(default_factory=dict)
    """F1 of each label that rows have, from 0 to 1, likewise."""
    micro_f1: float | None = None
    """F1 over all decisions about all labels, from 0 to 1; ``None`` for a single-label classifier."""
    accuracy: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """Share of the rows that it classified correctly."""


@dataclass(frozen=True, slots=True)
class GateReport(Value):
    """The results of a promotion's conditions."""

    checks: tuple[Check, ...] = ()
    """Each condition; none where none was set."""
    failed_rows: tuple[FailedRow | FailedSet, ...] = ()
    """Rows of ``must_pass`` that were misclassified, with ``labels`` each by a multi-label classifier."""
    candidate: GateMetrics | None = None
    """How the classifier that is to be promoted did on the test rows; ``None`` without such rows."""
    current: GateMetrics | None = None
    """How what the alias points to did on them; ``None`` where it points nowhere, or to a classifier of the other kind,
    or without such rows.
    """
    passed: bool = computed(lambda self: all(check.passed for check in self.checks), True)
    """Whether every condition is met."""


NOTHING_CHECKED = GateReport()


def check_requirement(requirement: Requirement, limits: DataLimits) -> None:
    """Refuse conditions that cannot be checked.

    Raises:
        InvalidParameter: It needs test rows and has none, or has some and no use for them, or a recall or an F1 lies
            outside [0, 1].
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    needs_rows = requirement.not_worse or bool(requirement.min_recall or requirement.min_f1)
    if needs_rows and not requirement.test_data:
        raise InvalidParameter(
            "{arg:require.not_worse}, {arg:require.min_recall} and {arg:require.min_f1} need labelled rows to look at. "
            "{Send} {arg:require.test_data}, or leave them out.",
            {"parameter": "require.test_data"},
        )
    if requirement.test_data:
        check_evaluation_rows("require.test_data", requirement.test_data, limits)
    if requirement.test_data and not needs_rows:
        raise InvalidParameter(
            "{arg:require.test_data} alone asks for nothing. {Send} {arg:require.not_worse}, {arg:require.min_recall} "
            "or {arg:require.min_f1} too, or leave the rows out.",
            {"parameter": "require.not_worse"},
        )
    check_must_pass("require.must_pass", requirement.must_pass, limits)
    for name, least in (("min_recall", requirement.min_recall), ("min_f1", requirement.min_f1)):
        for label, share in least.items():
            check_share(f"require.{name}[{label!r}]", share)


def check_must_pass(field: str, rows: LabelledRows, limits: DataLimits) -> None:
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
        check_evaluation_rows(field, rows, limits)
