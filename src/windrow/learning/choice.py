"""Two choices that must not judge an adapter by rows it saw: how much of it to use, and whether label names help."""

import math
from collections.abc import Sequence

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.classifier import AdapterReport, Candidate

# Share of rows that the frozen features put to a wrong label: up to the first, tuning stops paying; from the second on,
# it is used in full. Source: docs/adr/0010, measured.
ENOUGH_ERROR = 0.04
MUCH_ERROR = 0.12


def choose_strength(features: Floats, label_ids: Ids) -> AdapterReport:
    """Choose how much of an adapter to use by how well the encoder tells the labels apart without one.

    An adapter trained on these rows cannot be judged by them, and one trained on half of them is another adapter: at
    8 rows a label, choosing between the two by cross-validation cost more accuracy than it saved. What can be judged
    cheaply and without a leak is the encoder as it is. Where it already places almost every row, a change can only do
    harm, and none is trained; where it errs often, the whole change is used; in between, a share.

    Args:
        features: Of the frozen encoder, shape [rows, width], float32.
        label_ids: Shape [rows], int64.

    Returns:
        The strength, why, and what was weighed; nothing was trained yet.
    """
    errors, judged = leave_one_out_errors(features, label_ids)
    if judged == 0:
        return AdapterReport(1.0, "No label has two rows, so nothing could be estimated; the whole change is used.", ())
    # One error more and two rows more (Laplace's rule), so that a handful of lucky rows does not decide.
    error = (errors + 1) / (judged + 2)
    value = min(1.0, max(0.0, (error - ENOUGH_ERROR) / (MUCH_ERROR - ENOUGH_ERROR)))
    facts = f"the encoder as it is misplaces {errors} of {judged} rows, each judged without itself"
    verdict = {0.0: "No change is needed", 1.0: "The whole change is used"}.get(value, "A share of the change is used")
    as_it_is = Candidate(0.0, round(1 - errors / judged, 4))
    tried = (as_it_is, Candidate(round(value, 3), None)) if value else (as_it_is,)
    return AdapterReport(round(value, 3), f"{verdict}: {facts}.", tried)


def leave_one_out_errors(features: Floats, label_ids: Ids) -> tuple[int, int]:
    """Return how many rows lie nearer to another label's mean than to their own's, and how many could be judged.

    Each row is left out of its own label's mean; a label's only row is not judged.

    Args:
        features: Shape [rows, width], float32.
        label_ids: Shape [rows], int64.
    """
    members = np.eye(int(label_ids.max()) + 1, dtype=np.float32)[label_ids]
    sums = members.T @ features
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    likeness = features @ (sums / np.maximum(lengths, 1e-9)).T
    others = sums[label_ids] - features
    rows = np.arange(len(label_ids))
    likeness[rows, label_ids] = (others * features).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-9)
    judged = members.sum(axis=0)[label_ids] > 1
    return int(((likeness.argmax(axis=1) != label_ids) & judged).sum()), int(judged.sum())


def label_name_texts(labels: Sequence[str]) -> list[str]:
    """Return the labels as a person would say them, to be encoded as texts."""
    return [label.replace("_", " ").replace("-", " ").strip() or label for label in labels]


def names_mean_something(features: Floats, label_ids: Ids, name_features: Floats) -> bool:
    """Whether the labels' names find the rows' labels clearly better than chance would.

    Nothing taught the names anything, so the estimate has no leak. Likeness is centred for each name first, since some
    names lie near to every text. "Clearly" is one standard error: useless names cost little, good ones bring two
    points.

    Args:
        features: Of the rows on the frozen encoder, shape [rows, width].
        label_ids: Shape [rows].
        name_features: Of the names, shape [labels, width].
    """
    likeness = features @ name_features.T
    found = (likeness - likeness.mean(axis=0)).argmax(axis=1)
    hits = float(np.mean([(found[label_ids == label_id] == label_id).mean() for label_id in np.unique(label_ids)]))
    chance = 1 / len(name_features)
    return hits >= chance + math.sqrt(chance * (1 - chance) / len(label_ids))
