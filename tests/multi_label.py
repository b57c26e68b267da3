"""A multi-label classifier for tests that need one and do not care how it was trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from tests.toy import Toy
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_to_bytes
from windrow.storage.catalog import NewRevision

NAME: Final = "mails_v1"
LABELS: Final = ("billing", "bug", "urgent")
ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "I was charged twice": ("billing",),
    "My whole shop is down since the update": ("bug", "urgent"),
    "The invoice is wrong and due today": ("billing", "urgent"),
    "The search finds nothing": ("bug",),
    "Thank you for the nice talk": (),
}
THRESHOLDS: Final = (0.5, 0.25, 0.75)
# What the head gives for its own rows: a probability of about 0.982 for a label that a row has.
_LOGIT: Final = 4.0


def publish_multi_label(
    toy: Toy, name: str = NAME, labels: Sequence[str] = LABELS, thresholds: Sequence[float] = THRESHOLDS
) -> None:
    """Save a classifier that knows :data:`ROWS` by heart.

    Args:
        toy: The product.
        name: Its name.
        labels: What its three labels are called.
        thresholds: The score from which each label is given, as if its training had chosen them.
    """
    texts = tuple(ROWS)
    # What is not about labels is that of a training: the base model, the report, the scope.
    toy.fit(FitRequest(name, tuple(Row(text, labels[place % 3]) for place, text in enumerate(texts)), num_iterations=0))
    catalog, predictor = toy.dependencies.store.catalog, toy.dependencies.predictor
    features = predictor.features(toy.dependencies.store.find(name), texts)
    wanted = np.array([[_LOGIT if label in own else -_LOGIT for label in LABELS] for own in ROWS.values()])
    weights = (np.linalg.pinv(features.astype(np.float64)) @ wanted).T
    head = LinearHead(weights.astype(np.float32), np.zeros(len(LABELS), np.float32))
    pairs = tuple(zip(labels, LABELS, strict=True))
    trained = replace(
        catalog.current(name).record,
        kind="multi_label",
        rows_per_label={label: sum(known in own for own in ROWS.values()) for label, known in pairs},
        num_examples=len(ROWS),
        label_thresholds=dict(zip(labels, thresholds, strict=True)),
        report=replace(catalog.current(name).record.report, estimate=None),
    )
    catalog.publish(NewRevision(trained, {ARTIFACT: artifact_to_bytes(Artifact(head))}))
