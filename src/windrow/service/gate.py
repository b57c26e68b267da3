"""The gate: whether a classifier meets the conditions of a promotion, from what it answers for labelled rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Bools
from windrow.codec.values import to_plain
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidParameter, PromotionRefused
from windrow.domain.gate import Check, FailedRow, GateMetrics, GateReport, Requirement
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
    must_pass: tuple[Row, ...]

    @property
    def texts(self) -> list[str]:
        """The texts to answer for: those of the test rows, then those of ``must_pass``."""
        return [row.text for row in (*self.require.test_data, *self.must_pass)]


@dataclass(frozen=True, slots=True, eq=False)
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
    def predicted_labels(self) -> list[str]:
        """What a prediction would give for each text; ``NO_LABEL`` where it would abstain."""
        best = self.answers.scores.max(axis=1)
        return [
            NO_LABEL if score < self.abstain_below else label
            for label, score in zip(self.answers.predicted, best.tolist(), strict=True)
        ]


def check_recalled_labels(require: Requirement) -> None:
    """Refuse a least recall of a label that no test row has: nothing would be checked.

    Raises:
        InvalidParameter: There is such a label.
    """
    known = {row.label for row in require.test_data}
    for label in require.min_recall:
        if label not in known:
            raise InvalidParameter(
                "{arg:{parameter}} names the label {label!r}, which no row of {arg:require.test_data} has, so its "
                "recall cannot be measured. Add rows with this label, or leave the label out.",
                {"parameter": "require.min_recall", "label": label},
            )


def conditions_of(require: Requirement, kept: tuple[Row, ...]) -> Conditions:
    """Return the conditions of a promotion.

    Args:
        require: What this promotion requires.
        kept: The rows that the alias keeps from this promotion on.
    """
    return Conditions(require, tuple(dict.fromkeys((*require.must_pass, *kept))))


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
        check_known_labels("require.test_data", Dataset(rows), [candidate.name, current.name], sorted(known))
    predicted = candidate.predicted_labels[len(rows) :]
    failed = tuple(
        FailedRow(row.text, row.label, label)
        for row, label in zip(conditions.must_pass, predicted, strict=True)
        if label != row.label
    )
    candidate_metrics = _gate_metrics(candidate, rows)
    checks = [*_check_must_pass(conditions, failed, candidate)]
    if conditions.require.not_worse:
        checks.append(_check_not_worse(candidate, current, rows))
    checks += _check_recalls(conditions.require, candidate)
    current_metrics = _gate_metrics(current, rows) if isinstance(current, EvaluatedModel) else None
    return GateReport(tuple(checks), failed, candidate_metrics, current_metrics)


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


def _check_must_pass(conditions: Conditions, failed: Sequence[FailedRow], candidate: EvaluatedModel) -> Iterator[Check]:
    if total := len(conditions.must_pass):
        detail = f"{total - len(failed)} of {total} rows that must be placed right are"
        detail += "; the others are listed as failed rows." if failed else "."
        detail += _abstentions(candidate, candidate.predicted_labels[-total:])
        yield Check("must_pass", not failed, detail)


def _check_not_worse(candidate: EvaluatedModel, current: EvaluatedModel | str, rows: Sequence[Row]) -> Check:
    if isinstance(current, str):
        return Check("not_worse", True, current)
    is_right, was_right = _is_correct(candidate, rows), _is_correct(current, rows)
    new, old = int(is_right.sum()), int(was_right.sum())
    detail = (
        f"{candidate.name} places {new} of {len(rows)} test rows right, against {old} of {len(rows)} by {current.name}."
    )
    if new != old:
        pair = compare_pair((current.name, candidate.name), was_right, is_right)
        chance = "rarely makes" if pair.is_significant else "may make"
        detail += (
            f" It fixes {pair.fixed} and breaks {pair.broken}; chance alone {chance} such a difference (exact McNemar "
            f"p = {pair.p_value:.2g})."
        )
    for model in (candidate, current):
        detail += _abstentions(model, model.predicted_labels[: len(rows)])
        if model.seen:
            detail += f" Beware: {model.seen} of these rows are training rows of {model.name}, or nearly so."
    return Check("not_worse", new >= old, detail)


def _check_recalls(require: Requirement, candidate: EvaluatedModel) -> Iterator[Check]:
    is_right = _is_correct(candidate, require.test_data)
    for label, least in require.min_recall.items():
        own = np.array([row.label == label for row in require.test_data], np.bool_)
        correct, total = int(is_right[own].sum()), int(own.sum())
        recall = correct / total
        detail = f"Recall of {label!r} is {recall:.3g} ({correct} of {total}); {least:.3g} is required."
        given = zip(candidate.predicted_labels, own.tolist(), strict=False)  # the rows of must_pass come after these
        detail += _abstentions(candidate, [each for each, is_own in given if is_own])
        is_known = label in candidate.answers.labels
        if not is_known:
            detail = f"{candidate.name} does not know the label {label!r}, so it places none of its rows right."
        yield Check("min_recall", is_known and recall >= least, detail)


def _abstentions(model: EvaluatedModel, given: Sequence[str]) -> str:
    """Return a sentence on rows that get no label, since an evaluation counts their best label; empty without any."""
    count = given.count(NO_LABEL)
    threshold = f"below its threshold of {model.abstain_below:.3g}, which counts as wrong"
    return f" {model.name} gives no label to {count} of these rows, {threshold}." if count else ""


def _gate_metrics(model: EvaluatedModel, rows: Sequence[Row]) -> GateMetrics | None:
    if not rows:
        return None
    is_right, labels = _is_correct(model, rows), np.array([row.label for row in rows])
    recall = {label: float(is_right[labels == label].mean()) for label in sorted(set(labels.tolist()))}
    return GateMetrics(int(is_right.sum()), len(rows), recall)


def _is_correct(model: EvaluatedModel, rows: Sequence[Row]) -> Bools:
    predicted = model.predicted_labels[: len(rows)]
    return np.array([label == row.label for label, row in zip(predicted, rows, strict=True)], np.bool_)
