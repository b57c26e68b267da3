"""A record for tests that need one and do not care what it says."""

from datetime import UTC, datetime

from windrow.domain.classifier import Estimate, HeadReport, Record, ScoreReport, TrainingSummary
from windrow.domain.dataset import DataReport
from windrow.domain.interval import Interval
from windrow.domain.recipe import BaseModel, Recipe


def record(name: str = "tickets_v1") -> Record:
    """Return a sound record."""
    return Record(
        name=name,
        revision=1,
        labels=("billing", "bug"),
        rows_per_label={"billing": 4, "bug": 4},
        base_model=BaseModel("fake/encoder", "f" * 64),
        recipe=Recipe(),
        data_sha256="d" * 64,
        created_at=datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
        training_time_s=0.5,
        summary=TrainingSummary(
            head=HeadReport(4.0, 0.9, 4),
            adapter=None,
            estimate=Estimate(7, 8, 4, Interval(0.38, 1.0)),
            scores=ScoreReport(1.25, "out_of_fold", 0.62, 0.11),
            versions={"numpy": "2"},
        ),
        data=DataReport(1, 2, 3, ("bug",)),
        warnings=(),
    )
