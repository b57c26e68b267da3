"""A record, an artifact and rows for the tests of storage."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from windrow.domain.classifier import AdapterReport, Candidate, HeadReport, Record, TrainingSummary
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.recipe import BaseModel, Recipe
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob

ROW_EXAMPLES = (
    Row("I was charged twice", "billing"),
    Row("Where is my invoice?", "billing"),
    Row("The app crashes \u2028 on start\n", "bug"),
    Row("Caf\u00e9 \U0001f375 page shows nothing", "bug"),
)

ADAPTER_REPORT = AdapterReport(
    strength=0.5,
    reason="A share of the change is used: the encoder as it is misplaces 1 of 18 rows, each judged without itself.",
    candidates=(Candidate(0.0, 0.9444), Candidate(0.5, None)),
    layers=6,
    rank=8,
    passes=4,
    planned_steps=4,
    steps=4,
    ended_by="plan",
    texts=18,
    used_label_names=True,
    first_loss=2.5,
    last_loss=1.25,
)


def record(name: str = "tickets", mark: str = "a", revision: int = 1) -> Record:
    """Return a record; ``mark``, one hexadecimal digit, tells one training from another."""
    return Record(
        name=name,
        revision=revision,
        labels=("billing", "bug"),
        rows_per_label={"billing": 2, "bug": 2},
        base_model=BaseModel("sentence-transformers/all-MiniLM-L6-v2", "5" * 64),
        recipe=Recipe(),
        data_sha256=mark * 64,
        created_at=datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
        training_time_s=0.75,
        summary=TrainingSummary(HeadReport(1.0, 0.75, 2), ADAPTER_REPORT, {"numpy": "2.4.6", "windrow": "0.1.0"}),
        warnings=(DataWarning("small_classes", "2 label(s) have fewer than 4 rows.", (0, 2)),),
    )


def artifact(seed: int = 0) -> Artifact:
    """Return a small artifact with an adapter; each seed gives other numbers."""
    weights = np.linspace(-1, 1 + seed, 8, dtype=np.float32).reshape(2, 4)
    return Artifact(
        LinearHead(weights, np.array([0.5, -0.5], np.float32)),
        {"layers.5.query.down": np.linspace(-2, 2, 6, dtype=np.float16).reshape(2, 3)},
    )


def blobs(seed: int = 0) -> dict[str, bytes]:
    """Return the blobs of a revision."""
    return {ARTIFACT: artifact_to_bytes(artifact(seed)), ROWS: rows_to_blob(ROW_EXAMPLES)}


def wait_for_tick(folder: Path) -> None:
    """Return once the file system's clock has moved on, so that the next change in ``folder`` bears another time."""
    probe = folder / ".probe"
    probe.touch()
    before_ns = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before_ns:
        probe.touch()
