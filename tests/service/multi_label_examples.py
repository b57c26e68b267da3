"""Publishes multi-label classifiers whose scores for some texts are chosen, without a training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.records import multi_label_record
from windrow.domain.multi_label import MultiLabelRow, multi_label_rows_as_jsonl
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.bulk import encode
from windrow.learning.head import LinearHead
from windrow.service.service import Service
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import NewRevision
from windrow.storage.revision import ClassifierState

LABELS = ("billing", "technical", "urgent")
# The score of each label for each text.
SCORES: Mapping[str, Sequence[float]] = {
    "refund at once please": (0.9, 0.1, 0.8),
    "invoice was paid twice": (0.7, 0.2, 0.1),
    "app is down now": (0.1, 0.8, 0.6),
    "screen stays white": (0.2, 0.6, 0.3),
    "thank you all": (0.3, 0.1, 0.2),
    "payment page crashes": (0.4, 0.7, 0.4),
}


def publish(
    service: Service, name: str = "mails_v1", scores: Mapping[str, Sequence[float]] = SCORES, **changes: Any
) -> ClassifierState:
    """Save a classifier that gives texts the chosen scores.

    Args:
        service: The service, with the fake encoder.
        name: The classifier's name.
        scores: Each label's score for each text, in (0, 1); fewer texts than the encoder's features.
        changes: Of the record; ``rows`` are its training rows, of which none are kept if they are left out.
    """
    rows: Sequence[MultiLabelRow] | None = changes.pop("rows", None)
    encoder = service.dependencies.encoders.get(DEFAULT_BASE_MODEL)
    features = encode(encoder, list(scores)).features
    features = np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
    wanted = np.array(list(scores.values()))
    weights = np.linalg.lstsq(features, np.log(wanted / (1 - wanted)), rcond=None)[0].astype(np.float32)
    base_model = encoder.folder.base_model
    record = multi_label_record(
        name, **{"labels": LABELS, "base_model": base_model.id, "base_model_digest": base_model.digest} | changes
    )
    head = LinearHead(np.ascontiguousarray(weights[:-1].T), weights[-1])
    blobs = {ARTIFACT: artifact_to_bytes(Artifact(head, None, None))}
    if rows is not None:
        blobs[ROWS] = rows_to_blob(multi_label_rows_as_jsonl(rows))
    return service.dependencies.store.catalog.publish(NewRevision(record, blobs))
