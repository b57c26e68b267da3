"""The gate: whether a classifier meets the conditions of a promotion, from what it answers for labelled rows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windrow.arrays import Bools
from windrow.codec.values import to_plain
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidParameter, PromotionRefused
from windrow.domain.gate import Check, FailedRow, FailedSet, GateMetrics, GateReport, Requirement
from windrow.domain.labelled_rows import LabelledRow, LabelledRows, distinct_rows, labels_of, rows_by_form
from windrow.domain.multi_label import MultiLabelDataset
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.learning.compare import compare_pair
from windrow.service.evaluation_rows import check_known_labels

# No label is blank, so none is mistaken for it.
NO_LABEL = ""
_SHOWN_CHECKS = 3


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a promotion. Made by :func:`conditions_of`.

    Args:
        require: What this promotion requires on test rows.
        must_pass: Rows that must be placed right, each once: those of this promotion, and those kept with the alias.
    """

    require: Requirement
    must_pass: LabelledRows

    @property
    def texts(self) -> list[str]:
        """The texts to answer for: those of the test rows, then those of ``must_pass``."""
        return [row.text for row in (*self.require.test_data, *self.must_pass)]


@dataclass(frozen=True, eq=False)
class EvaluatedModel:
    """The candidate of a promotion, or the classifier that the alias points to now, with its outputs.

    Args:
        name: What an alias would point to.
        answers: For the texts of the conditions.
        abstain_below: The stored best score below which it gives no label; 0 where it always gives one.
        seen: How many test rows it was trained on, to the letter or nearly so, as far as can be told.
    """

    name: str
    answers: ClassifierOutputs
    abstain_below: float = 0.0
    seen: int = 0

    @property
    def gives_sets(self) -> bool:
        """Whether it gives any number of labels."""
        return self.answers.given is not None

    @cached_property
    def predicted(self) -> list[frozenset[str] | None]:
        """The labels that a prediction would give for each text; ``None`` where it would abstain."""
        if self.answers.given is None:
            best = self.answers.scores.max(axis=1).tolist()
            pairs = zip(self.answers.predicted, best, strict=True)
            return [None if score < self.abstain_below else frozenset((label,)) for label, score in pairs]
        reached = self.answers.given
        # As float64, like predictions.
        sure = reached & (self.answers.scores.astype(np.float64) >= self.abstain_below)
        labels = self.answers.labels
        return [
            None if before.any() and not own.any() else frozenset(labels[at] for at in np.flatnonzero(own))
            for own, before in zip(sure, reached, strict=True)
        ]


@dataclass(slots=True)
class _LabelCounts:
    """Of one label, how many test rows have it and are given it (``correct``), have it, and are given it.

    ``withheld`` is how many of those that have it are given no label, since a threshold keeps all of them back.
    """

    correct: int = 0
    total: int = 0
    given: int = 0
    withheld: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.correct / max(1, self.total + self.given)


@dataclass(frozen=True, eq=False)
class _OnTestRows:
    """What a model gives for the test rows, each figure counted once.

    Args:
        model: The model.
        rows: The test rows, which its first answers are for.
    """

    model: EvaluatedModel
    rows: LabelledRows

    @cached_property
    def given(self) -> list[frozenset[str] | None]:
        """The labels that a prediction would give for each row; ``None`` where it would abstain."""
        return self.model.predicted[: len(self.rows)]

    @cached_property
    def is_correct(self) -> Bools:
        """Whether each row is given its labels and no other one; shape [rows]."""
        pairs = zip(self.given, self.rows, strict=True)
        return np.array([given == frozenset(labels_of(row)) for given, row in pairs], np.bool_)

    @cached_property
    def by_label(self) -> dict[str, _LabelCounts]:
        """The counts of each label that a row has or is given."""
        counts: defaultdict[str, _LabelCounts] = defaultdict(_LabelCounts)
        for row, given in zip(self.rows, self.given, strict=True):
            own, stated = set(labels_of(row)), given or frozenset()
            for label in own | stated:
                place = counts[label]
                place.correct += label in own and label in stated
                place.total += label in own
                place.given += label in stated
                place.withheld += given is None
        return dict(counts)

    @cached_property
    def micro_f1(self) -> float:
        """The F1 of all decisions about labels together."""
        counts = self.by_label.values()
        correct, total, given = (sum(getattr(each, name) for each in counts) for name in ("correct", "total", "given"))
        return _LabelCounts(correct, total, given).f1

    @cached_property
    def withheld(self) -> str:
        """A sentence on rows that are given no label; empty without any."""
        return _abstentions(self.model, self.given.count(None))

    @cached_property
    def metrics(self) -> GateMetrics | None:
        """Its figures; ``None`` without test rows."""
        if not self.rows:
            return None
        own = {label: counts for label, counts in sorted(self.by_label.items()) if counts.total}
        return GateMetrics(
            int(self.is_correct.sum()),
            len(self.rows),
            {label: counts.correct / counts.total for label, counts in own.items()},
            {label: counts.f1 for label, counts in own.items()},
            self.micro_f1 if self.model.gives_sets else None,
        )


def check_measured_labels(require: Requirement) -> None:
    """Refuse a least recall or F1 of a label that no test row has: nothing would be checked.

    Raises:
        InvalidParameter: There is such a label.
    """
    known = {label for row in require.test_data for label in labels_of(row)}
    for name, measure, least in (("min_recall", "recall", require.min_recall), ("min_f1", "F1", require.min_f1)):
        for label in least:
            if label not in known:
                raise InvalidParameter(
                    "{arg:{parameter}} names the label {label!r}, which no row of {arg:require.test_data} has, so its "
                    f"{measure} cannot be measured. Add rows with this label, or leave the label out.",
                    {"parameter": f"require.{name}", "label": label},
                )


def conditions_of(require: Requirement, kept: LabelledRows) -> Conditions:
    """Return the conditions of a promotion.

    Args:
        require: What this promotion requires.
        kept: The rows that the alias keeps from this promotion on.
    """
    return Conditions(require, distinct_rows((*require.must_pass, *kept)))


def check_conditions(conditions: Conditions, candidate: EvaluatedModel, current: EvaluatedModel | str) -> GateReport:
    """Check each condition.

    Args:
        conditions: The conditions.
        candidate: The classifier that is to be promoted.
        current: What the alias points to now; or a sentence that says why there is nothing to compare with.

    Raises:
        InvalidTestData: There are test rows, and neither classifier knows one of their labels.
    """
    rows = conditions.require.test_data
    if rows and isinstance(current, EvaluatedModel):  # otherwise there is nothing to be worse than
        # Both would get none right, and neither would be worse.
        known = {*candidate.answers.labels, *current.answers.labels}
        check_known_labels("require.test_data", _dataset(rows), [candidate.name, current.name], sorted(known))
    predicted = candidate.predicted[len(rows) :]
    failed = tuple(
        _failed(row, given)
        for row, given in zip(conditions.must_pass, predicted, strict=True)
        if given != frozenset(labels_of(row))
    )
    tested = _OnTestRows(candidate, rows)
    current_tested = current if isinstance(current, str) else _OnTestRows(current, rows)
    checks = [*_check_must_pass(conditions, failed, candidate)]
    if conditions.require.not_worse:
        checks.append(_check_not_worse(tested, current_tested))
    checks += _check_recalls(conditions.require, tested)
    checks += _check_f1s(conditions.require, tested)
    current_metrics = None if isinstance(current_tested, str) else current_tested.metrics
    return GateReport(tuple(checks), failed, tested.metrics, current_metrics)


def refusal(alias: str, model_name: str, report: GateReport) -> PromotionRefused:
    """Return the error for a promotion whose conditions are not met, with the whole report.

    Args:
        alias: The alias.
        model_name: What it was to point to.
        report: The checks.
    """
    unmet = [check.detail for check in report.checks if not check.passed]
    more = f" And {len(unmet) - _SHOWN_CHECKS} more conditions." if len(unmet) > _SHOWN_CHECKS else ""
    remedy = "promote it without that condition."
    if any(check.condition == "must_pass" and not check.passed for check in report.checks):
        remedy = "take the condition back: {arg:must_pass} beside {arg:require} says which rows the alias keeps."
    return PromotionRefused(
        "{model_name} was not promoted, and the alias {alias} stays as it is. {reason} Train another version, with "
        "more rows of the labels that it gets wrong, or " + remedy,
        {
            "alias": alias,
            "model_name": model_name,
            "reason": " ".join(unmet[:_SHOWN_CHECKS]) + more,
            **to_plain(report),
        },
    )


def _dataset(rows: LabelledRows) -> Dataset | MultiLabelDataset:
    single, several = rows_by_form("require.test_data", rows)
    return MultiLabelDataset(several) if several else Dataset(single)


def _failed(row: LabelledRow, given: frozenset[str] | None) -> FailedRow | FailedSet:
    if isinstance(row, Row):
        return FailedRow(row.text, row.label, NO_LABEL if given is None else "".join(given))
    return FailedSet(row.text, tuple(sorted(row.labels)), None if given is None else tuple(sorted(given)))


def _check_must_pass(
    conditions: Conditions, failed: Sequence[FailedRow | FailedSet], candidate: EvaluatedModel
) -> Iterator[Check]:
    if total := len(conditions.must_pass):
        detail = f"{total - len(failed)} of {total} rows that must be placed right are"
        detail += "; the others are listed as failed rows." if failed else "."
        detail += _abstentions(candidate, candidate.predicted[-total:].count(None))
        yield Check("must_pass", not failed, detail)


def _check_not_worse(candidate: _OnTestRows, current: _OnTestRows | str) -> Check:
    if isinstance(current, str):
        return Check("not_worse", True, current)
    name, current_name, num_rows = candidate.model.name, current.model.name, len(candidate.rows)
    new, old = int(candidate.is_correct.sum()), int(current.is_correct.sum())
    gives_sets = candidate.model.gives_sets
    right = "gives {} of {} test rows all of their labels and no other" if gives_sets else ""
    right = right or "places {} of {} test rows right"
    detail = f"{name} {right.format(new, num_rows)}, against {old} of {num_rows} by {current_name}."
    if new != old:
        pair = compare_pair((current_name, name), current.is_correct, candidate.is_correct)
        chance = "rarely makes" if pair.is_significant else "may make"
        detail += (
            f" It fixes {pair.fixed} and breaks {pair.broken}; chance alone {chance} such a difference (exact McNemar "
            f"p = {pair.p_value:.2g})."
        )
    is_met = new >= old
    if gives_sets:
        is_met &= candidate.micro_f1 >= current.micro_f1
        detail += f" Its micro F1 is {candidate.micro_f1:.3f}, against {current.micro_f1:.3f}. Neither may be lower."
    for each in (candidate, current):
        detail += each.withheld
        if seen := each.model.seen:
            detail += f" Beware: {seen} of these rows are training rows of {each.model.name}, or nearly so."
    return Check("not_worse", is_met, detail)


def _check_recalls(require: Requirement, candidate: _OnTestRows) -> Iterator[Check]:
    model = candidate.model
    for label, least in require.min_recall.items():
        counts = candidate.by_label[label]
        recall = counts.correct / counts.total
        detail = f"Recall of {label!r} is {recall:.3g} ({counts.correct} of {counts.total}); {least:.3g} is required."
        detail += _abstentions(model, counts.withheld)
        is_known = label in model.answers.labels
        if not is_known:
            detail = f"{model.name} does not know the label {label!r}, so it places none of its rows right."
        yield Check("min_recall", is_known and recall >= least, detail)


def _check_f1s(require: Requirement, candidate: _OnTestRows) -> Iterator[Check]:
    model = candidate.model
    for label, least in require.min_f1.items():
        counts = candidate.by_label[label]
        wrong = counts.given - counts.correct
        detail = (
            f"F1 of {label!r} is {counts.f1:.3g} ({counts.correct} of {counts.total} found, {wrong} given wrongly); "
            f"{least:.3g} is required."
        )
        detail += candidate.withheld
        is_known = label in model.answers.labels
        if not is_known:
            detail = f"{model.name} does not know the label {label!r}, so it finds none of its rows."
        yield Check("min_f1", is_known and counts.f1 >= least, detail)


def _abstentions(model: EvaluatedModel, count: int) -> str:
    """Return a sentence on rows that get no label, since an evaluation counts their best label; empty without any."""
    threshold = f"below its threshold of {model.abstain_below:.3g}, which counts as wrong"
    return f" {model.name} gives no label to {count} of these rows, {threshold}." if count else ""
