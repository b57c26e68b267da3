"""Decide from the frozen encoder how much of an adapter to use, and whether label names help to train it."""

import math
from collections.abc import Sequence

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.training_report import AdapterReport, Candidate

# Leave-one-out error of the frozen features: up to the first, an adapter gains nothing; from the second on, it is used
# in full. Source: docs/adr/0010, measured.
MIN_ADAPTER_ERROR = 0.04
FULL_ADAPTER_ERROR = 0.12


def choose_adapter_scale(features: Floats, label_ids: Ids) -> AdapterReport:
    """Choose how much of an adapter to use by how well the frozen encoder separates the labels.

    An adapter cannot be evaluated on the rows that trained it, and one trained on half of them is another adapter: at 8
    rows a label, choosing by cross-validation cost more accuracy than it saved. The frozen encoder can be evaluated
    cheaply and without a leak. Where it classifies almost every row correctly, an adapter can only do harm, and none is
    trained; where it errs often, the adapter is used in full; in between, in part.

    Args:
        features: The frozen encoder's features, shape [rows, width], float32.
        label_ids: Shape [rows], int64.

    Returns:
        The scale, the reason and the candidates; nothing is trained yet.
    """
    errors, evaluated = leave_one_out_errors(features, label_ids)
    if evaluated == 0:
        return AdapterReport(
            1.0, "No label has two rows, so nothing could be estimated; the adapter is used in full.", ()
        )
    # One error more and two rows more (Laplace's rule), so that a handful of lucky rows does not decide.
    error = (errors + 1) / (evaluated + 2)
    value = min(1.0, max(0.0, (error - MIN_ADAPTER_ERROR) / (FULL_ADAPTER_ERROR - MIN_ADAPTER_ERROR)))
    facts = f"the frozen encoder misclassifies {errors} of {evaluated} rows, each left out of its own label's mean"
    verdict = {0.0: "No adapter is needed", 1.0: "The adapter is used in full"}.get(
        value, "The adapter is used in part"
    )
    frozen = Candidate(0.0, round(1 - errors / evaluated, 4))
    tried = (frozen, Candidate(round(value, 3), None)) if value else (frozen,)
    return AdapterReport(round(value, 3), f"{verdict}: {facts}.", tried)


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


def label_names_are_informative(features: Floats, label_ids: Ids, name_features: Floats) -> bool:
    """Return whether the label names classify the rows better than chance by one standard error (zero-shot).

    The frozen encoder has not seen the rows, so the estimate has no leak. Similarities are centred for each name, since
    some names are similar to every text. One standard error is enough: useless names cost little, good ones bring two
    points of accuracy.

    Args:
        features: The rows' features from the frozen encoder, shape [rows, width].
        label_ids: Shape [rows].
        name_features: The label names' features, shape [labels, width].
    """
    similarities = features @ name_features.T
    predicted = (similarities - similarities.mean(axis=0)).argmax(axis=1)
    hits = float(np.mean([(predicted[label_ids == label_id] == label_id).mean() for label_id in np.unique(label_ids)]))
    chance = 1 / len(name_features)
    return hits >= chance + math.sqrt(chance * (1 - chance) / len(label_ids))
