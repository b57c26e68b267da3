"""The gate: whether a classifier meets the conditions of a promotion, from what it answers for labelled rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from windrow.arrays import Bools
from windrow.codec.values import to_plain
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidParameter, PromotionRefused
from windrow.domain.gate import Check, FailedRow, FailedSet, GateMetrics, GateReport, Requirement
from windrow.domain.labelled_rows import LabelledRow, LabelledRows, rows_by_form
from windrow.domain.multi_label import MultiLabelDataset
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.learning.compare import compare_pair
from windrow.service.evaluation_rows import check_known_labels, labels_of

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
        check_known_labels("require.test_data", _dataset(rows), [candidate.name, current.name], sorted(known))
    predicted = candidate.predicted[len(rows) :]
    failed = tuple(
        _failed(row, given)
        for row, given in zip(conditions.must_pass, predicted, strict=True)
        if given != frozenset(labels_of(row))
    )
    metrics = _gate_metrics(candidate, rows)
    current_metrics = _gate_metrics(current, rows) if isinstance(current, EvaluatedModel) else None
    checks = [*_check_must_pass(conditions, failed, candidate)]
    if conditions.require.not_worse:
        checks.append(_check_not_worse(candidate, current, rows))
    checks += _check_recalls(conditions.require, candidate)
    checks += _check_f1s(conditions.require, candidate)
    return GateReport(tuple(checks), failed, metrics, current_metrics)


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
        detail += _abstentions(candidate, candidate.predicted[-total:])
        yield Check("must_pass", not failed, detail)


def _check_not_worse(candidate: EvaluatedModel, current: EvaluatedModel | str, rows: LabelledRows) -> Check:
    if isinstance(current, str):
        return Check("not_worse", True, current)
    is_right, was_right = _is_correct(candidate, rows), _is_correct(current, rows)
    new, old = int(is_right.sum()), int(was_right.sum())
    right = "gives {} of {} test rows all of their labels and no other" if candidate.gives_sets else ""
    right = right or "places {} of {} test rows right"
    detail = f"{candidate.name} {right.format(new, len(rows))}, against {old} of {len(rows)} by {current.name}."
    if new != old:
        pair = compare_pair((current.name, candidate.name), was_right, is_right)
        chance = "rarely makes" if pair.is_significant else "may make"
        detail += (
            f" It fixes {pair.fixed} and breaks {pair.broken}; chance alone {chance} such a difference (exact McNemar "
            f"p = {pair.p_value:.2g})."
        )
    is_met = new >= old
    if candidate.gives_sets:
        new_f1, old_f1 = _micro_f1(candidate, rows), _micro_f1(current, rows)
        is_met &= new_f1 >= old_f1
        detail += f" Its micro F1 is {new_f1:.3f}, against {old_f1:.3f}. Neither may be lower."
    for model in (candidate, current):
        detail += _abstentions(model, model.predicted[: len(rows)])
        if model.seen:
            detail += f" Beware: {model.seen} of these rows are training rows of {model.name}, or nearly so."
    return Check("not_worse", is_met, detail)


def _check_recalls(require: Requirement, candidate: EvaluatedModel) -> Iterator[Check]:
    decided = _decide(candidate, require.test_data)
    for label, least in require.min_recall.items():
        correct, total, _ = decided[label]
        recall = correct / total
        detail = f"Recall of {label!r} is {recall:.3g} ({correct} of {total}); {least:.3g} is required."
        given = zip(candidate.predicted, require.test_data, strict=False)  # the rows of must_pass come after these
        detail += _abstentions(candidate, [each for each, row in given if label in labels_of(row)])
        is_known = label in candidate.answers.labels
        if not is_known:
            detail = f"{candidate.name} does not know the label {label!r}, so it places none of its rows right."
        yield Check("min_recall", is_known and recall >= least, detail)


def _check_f1s(require: Requirement, candidate: EvaluatedModel) -> Iterator[Check]:
    decided = _decide(candidate, require.test_data)
    for label, least in require.min_f1.items():
        correct, total, given = decided[label]
        f1 = _f1(decided[label])
        detail = (
            f"F1 of {label!r} is {f1:.3g} ({correct} of {total} found, {given - correct} given wrongly); {least:.3g} "
            "is required."
        )
        detail += _abstentions(candidate, candidate.predicted[: len(require.test_data)])
        is_known = label in candidate.answers.labels
        if not is_known:
            detail = f"{candidate.name} does not know the label {label!r}, so it finds none of its rows."
        yield Check("min_f1", is_known and f1 >= least, detail)


def _abstentions(model: EvaluatedModel, given: Sequence[frozenset[str] | None]) -> str:
    """Return a sentence on rows that get no label, since an evaluation counts their best label; empty without any."""
    count = given.count(None)
    threshold = f"below its threshold of {model.abstain_below:.3g}, which counts as wrong"
    return f" {model.name} gives no label to {count} of these rows, {threshold}." if count else ""


def _gate_metrics(model: EvaluatedModel, rows: LabelledRows) -> GateMetrics | None:
    if not rows:
        return None
    own = {label: counts for label, counts in sorted(_decide(model, rows).items()) if counts[1]}
    return GateMetrics(
        int(_is_correct(model, rows).sum()),
        len(rows),
        {label: correct / total for label, (correct, total, _) in own.items()},
        {label: _f1(counts) for label, counts in own.items()},
        _micro_f1(model, rows) if model.gives_sets else None,
    )


def _decide(model: EvaluatedModel, rows: LabelledRows) -> Mapping[str, tuple[int, int, int]]:
    """Return by label how many rows of it are given it, how many rows have it, and how many are given it."""
    counts: dict[str, list[int]] = {}
    for row, given in zip(rows, model.predicted, strict=False):  # the rows of must_pass come after these
        own, stated = set(labels_of(row)), given or frozenset()
        for label in own | stated:
            place = counts.setdefault(label, [0, 0, 0])
            place[0] += label in own and label in stated
            place[1] += label in own
            place[2] += label in stated
    return {label: (correct, total, given) for label, (correct, total, given) in counts.items()}


def _micro_f1(model: EvaluatedModel, rows: LabelledRows) -> float:
    decided = _decide(model, rows).values()
    return _f1((sum(each[0] for each in decided), sum(each[1] for each in decided), sum(each[2] for each in decided)))


def _f1(counts: tuple[int, int, int]) -> float:
    correct, total, given = counts
    return 2 * correct / max(1, total + given)


def _is_correct(model: EvaluatedModel, rows: LabelledRows) -> Bools:
    predicted = model.predicted[: len(rows)]
    return np.array([given == frozenset(labels_of(row)) for given, row in zip(predicted, rows, strict=True)], np.bool_)
