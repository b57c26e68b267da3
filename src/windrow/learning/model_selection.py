"""Decide from the frozen encoder how much of an adapter to use, and whether label names help to train it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats, Ids, Labels
from windrow.domain.training_report import AdapterReport, Candidate
from windrow.learning.calibrate import ADAPTED_PRIOR, HeldOut, Prior, fit_temperature, temperature_prior
from windrow.learning.candidates import are_right, log_losses, smallest_within_one_error
from windrow.learning.head import ADAPTED_CS_OF_SETS
from windrow.learning.head_fitting import OutOfFoldLogits
from windrow.learning.label_sets import are_label_ids, as_sets, count_labels
from windrow.learning.multi_label_calibrate import fit_set_calibration

# Leave-one-out error of the frozen features: up to the first, an adapter gains nothing; from the second on, it is used
# in full. Source: docs/adr/0010, measured.
MIN_ADAPTER_ERROR = 0.04
FULL_ADAPTER_ERROR = 0.12
# By how much an adapter lowers the log loss on new rows, and how far this differs between data sets. Source:
# docs/adr/0010, measured.
USUAL_GAIN = 0.12
USUAL_GAIN_DEVIATION = 0.1
# The same over a head that begins as the zero-shot head of described labels, for one label a row and for label sets.
# Source: bench/few_rows.py and docs/adr/0044, measured.
DESCRIBED_USUAL_GAIN, DESCRIBED_USUAL_GAIN_OF_SETS = -0.015, -0.005
# With fewer rows a label, in the mean, no adapter is better than descriptions. Source: docs/adr/0044, measured.
MIN_DESCRIBED_ROWS_A_LABEL = 3
# The usual standard deviation of that difference between rows, and the number of rows that it counts for: a few rows do
# not show their own.
_USUAL_ROW_DEVIATION = 0.4
_USUAL_ROWS = 8
# Folds share most of their rows and train on fewer than the training itself: measured, the gain on held-out rows missed
# that on new rows by twice its standard error.
_FOLD_VARIANCE = 4.0
_NOTHING_SPEAKS_FOR_AN_ADAPTER = (
    f"Fewer than {MIN_DESCRIBED_ROWS_A_LABEL} rows a label say too little for an adapter, so the head alone learns, "
    "from descriptions."
)


def choose_adapter_scale(
    features: Floats, labels: Labels, head: OutOfFoldLogits | None = None, *, is_described: bool = False
) -> AdapterReport:
    """Choose how much of an adapter to use by how well the frozen encoder separates the labels.

    The frozen encoder can be evaluated cheaply and without a leak, before anything is trained. Where it classifies
    almost every row correctly, an adapter can only do harm, and none is trained; where it errs often, the adapter is
    used in full; in between, in part. Two classifiers on its features are asked, and the better one counts: the nearest
    label's mean, and the head. On long texts with much in common, means err often where the head does not.

    Of label sets, the nearest mean says little, so the adapter is trained, and held-out rows decide.

    Args:
        features: The frozen encoder's features, shape [rows, width], float32.
        labels: Each row's label, or its label set.
        head: The head's logits for held-out rows; ``None`` where there are none.
        is_described: Whether the head begins as the zero-shot head of described labels, which needs a reason to go.

    Returns:
        The scale, the reason and the candidates; nothing is trained yet.
    """
    if are_too_few_for_adapter(labels, is_described=is_described):
        return AdapterReport(0.0, _NOTHING_SPEAKS_FOR_AN_ADAPTER, ())
    if not are_label_ids(labels):
        return AdapterReport(1.0, "The adapter is used in full, as for all rows with several labels.", ())
    errors, evaluated = leave_one_out_errors(features, labels)
    if evaluated == 0:
        return AdapterReport(
            1.0, "No label has two rows, so nothing could be estimated; the adapter is used in full.", ()
        )
    facts = f"the frozen encoder misclassifies {errors} of {evaluated} rows, each left out of its own label's mean"
    if head is not None:
        head_errors, held_out = int((head.logits.argmax(axis=1) != labels[head.rows]).sum()), len(head.rows)
        if _laplace_error(head_errors, held_out) < _laplace_error(errors, evaluated):
            errors, evaluated = head_errors, held_out
            facts = f"on the frozen encoder, the head misclassifies {errors} of {evaluated} held-out rows"
    error = _laplace_error(errors, evaluated)
    value = min(1.0, max(0.0, (error - MIN_ADAPTER_ERROR) / (FULL_ADAPTER_ERROR - MIN_ADAPTER_ERROR)))
    verdict = {0.0: "No adapter is needed", 1.0: "The adapter is used in full"}.get(
        value, "The adapter is used in part"
    )
    frozen = Candidate(0.0, round(1 - errors / evaluated, 4))
    tried = (frozen, Candidate(round(value, 3), None)) if value else (frozen,)
    return AdapterReport(round(value, 3), f"{verdict}: {facts}.", tried)


def are_too_few_for_adapter(labels: Labels, *, is_described: bool) -> bool:
    """Return whether rows say too little for an adapter beside what labels mean.

    Args:
        labels: Each row's label, or its label set.
        is_described: Whether labels are described.
    """
    given = len(labels) if are_label_ids(labels) else int(labels.sum())
    return is_described and given < MIN_DESCRIBED_ROWS_A_LABEL * count_labels(labels)


def choose_by_held_out_rows(
    report: AdapterReport, head_logits: Floats, adapted: HeldOut, *, is_described: bool = False
) -> AdapterReport:
    """Choose between a trained adapter and the head alone by what each makes of the same held-out rows.

    The log loss of calibrated scores decides, since accuracy says little on a few rows: how much lower it is with the
    adapter is shrunk towards what is usual. Rows in favour of the adapter by number keep it.

    Args:
        report: How the adapter was chosen and trained.
        head_logits: The logits of the head alone for the held-out rows, shape [m, labels], float32.
        adapted: The rows with the outputs of trainings like the one that made the adapter.
        is_described: Whether the head alone began as the zero-shot head of described labels; then an adapter usually
            gains nothing on few rows, so that rows have to speak for it.

    Returns:
        The report with both estimates; its scale is 0 where the head alone is chosen.
    """
    truth = adapted.label_ids
    described_gain = DESCRIBED_USUAL_GAIN if are_label_ids(truth) else DESCRIBED_USUAL_GAIN_OF_SETS
    usual_gain = described_gain if is_described else USUAL_GAIN
    head_prior = temperature_prior(is_adapted=False, is_described=is_described)
    losses_of_head = _calibrated_losses(head_logits, truth, head_prior)
    gains = losses_of_head - _calibrated_losses(adapted.logits, truth, ADAPTED_PRIOR)
    rows, head_right, right = len(gains), *(int(are_right(each, truth).sum()) for each in (head_logits, adapted.logits))
    spread = float(gains.var()) * rows + _USUAL_ROWS * _USUAL_ROW_DEVIATION**2
    precisions = 1 / USUAL_GAIN_DEVIATION**2, rows * (rows - 1 + _USUAL_ROWS) / spread / _FOLD_VARIANCE
    gain = (usual_gain * precisions[0] + float(gains.mean()) * precisions[1]) / sum(precisions)
    facts = f"of {rows} held-out rows the adapter gets {right} right and the head alone {head_right}"
    losses = f"its log loss is {abs(float(gains.mean())):.3f} {'lower' if gains.mean() > 0 else 'higher'}"
    candidates = (Candidate(0.0, round(head_right / rows, 4)), Candidate(report.scale, round(right / rows, 4)))
    if gain >= 0 or (right > head_right and not is_described):
        return replace(report, reason=f"{report.reason[:-1]}; {facts}, {losses}.", candidates=candidates)
    reason = f"The head alone is used: {facts}, and the adapter's log loss is {-float(gains.mean()):.3f} higher."
    return replace(report, scale=0.0, reason=reason, candidates=candidates)


def choose_adapted_c(held_out: HeldOut) -> HeldOut:
    """Return held-out rows with the logits of the C of the head that they choose.

    It is the usual one, unless the log loss of calibrated scores is lower at a smaller one by more than one standard
    error. Few candidates of one smooth parameter are tried, so the rows that choose it still tell how good it is.

    Args:
        held_out: The rows with the outputs of trainings with an adapter; where they have no outputs by C, they are
            returned as they are.
    """
    if held_out.by_c is None:
        return held_out
    losses = np.array([_calibrated_losses(logits, held_out.label_ids, ADAPTED_PRIOR) for logits in held_out.by_c])
    best = smallest_within_one_error(losses)
    return replace(held_out, logits=held_out.by_c[best], by_c=None, c=ADAPTED_CS_OF_SETS[best])


def _calibrated_losses(logits: Floats, truth: Labels, prior: Prior) -> npt.NDArray[np.float64]:
    if not are_label_ids(truth):
        return log_losses(fit_set_calibration(logits, as_sets(truth), prior).apply(logits), truth)
    return log_losses(logits / np.float32(fit_temperature(logits, truth, prior)), truth)


def _laplace_error(errors: int, evaluated: int) -> float:
    """Return the error rate, with an error more and two rows more, so that a handful of lucky rows does not decide."""
    return (errors + 1) / (evaluated + 2)


def leave_one_out_errors(features: Floats, label_ids: Ids) -> tuple[int, int]:
    """Return the leave-one-out errors of a nearest-centroid classifier, and the number of evaluated rows.

    Each row is left out of its own label's centroid; a label's only row is not evaluated.

    Args:
        features: Shape [rows, width], float32.
        label_ids: Shape [rows], int64.
    """
    members = np.eye(int(label_ids.max()) + 1, dtype=np.float32)[label_ids]
    sums = members.T @ features
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    similarities = features @ (sums / np.maximum(lengths, 1e-9)).T
    others = sums[label_ids] - features
    rows = np.arange(len(label_ids))
    similarities[rows, label_ids] = (others * features).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-9)
    evaluated = members.sum(axis=0)[label_ids] > 1
    return int(((similarities.argmax(axis=1) != label_ids) & evaluated).sum()), int(evaluated.sum())


def label_name_texts(labels: Sequence[str]) -> list[str]:
    """Return the labels as plain words, to be encoded as texts."""
    return [label.replace("_", " ").replace("-", " ").strip() or label for label in labels]


def label_names_are_informative(features: Floats, labels: Labels, name_features: Floats) -> bool:
    """Return whether the label names classify the rows better than chance by one standard error (zero-shot).

    The frozen encoder has not seen the rows, so the estimate has no leak. Similarities are centred for each name, since
    some names are similar to every text. One standard error is enough: useless names cost little, good ones bring two
    points of accuracy. With label sets, names do better than chance where rows with a label are more similar to its
    name than rows without it: by the area under the ROC curve, averaged over the labels.

    Args:
        features: The rows' features from the frozen encoder, shape [rows, width].
        labels: Each row's label, or its label set.
        name_features: The label names' features, shape [labels, width].
    """
    similarities = features @ name_features.T
    if not are_label_ids(labels):
        return _rank_better_than_chance(similarities, as_sets(labels))
    predicted = (similarities - similarities.mean(axis=0)).argmax(axis=1)
    hits = float(np.mean([(predicted[labels == label_id] == label_id).mean() for label_id in np.unique(labels)]))
    chance = 1 / len(name_features)
    return hits >= chance + math.sqrt(chance * (1 - chance) / len(labels))


def _rank_better_than_chance(similarities: Floats, sets: Bools) -> bool:
    """Return whether rows of a label rank above the others by one standard error, averaged over the labels.

    Source: Mann and Whitney 1947, "On a test of whether one of two random variables is stochastically larger than the
    other", for the variance of the area under the curve.
    """
    positives = sets.sum(axis=0)
    negatives = len(sets) - positives
    varying = (positives > 0) & (negatives > 0)
    if not varying.any():
        return False
    ranks = similarities[:, varying].argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    pairs, smaller = (positives * negatives)[varying], (positives * (positives + 1))[varying] / 2
    areas = ((ranks * sets[:, varying]).sum(axis=0) - smaller) / pairs
    # Rows of a label are alike, so that a name that says nothing is by chance near all of them, or far from all: areas
    # may differ between labels more than rows alone explain.
    variance = float(((len(sets) + 1) / (12 * pairs)).mean())
    if len(areas) > 1:
        variance = max(variance, float(areas.var(ddof=1)))
    return float(areas.mean()) >= 0.5 + math.sqrt(variance / len(areas))
