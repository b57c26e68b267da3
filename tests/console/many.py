"""Thousands of classifiers in a data directory, as their records alone: lists read nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.records import record
from windrow.domain.classifier import TestScore as Score
from windrow.storage.revision import BlobRef, ClassifierState, entry_to_json

FIRST_DAY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
LABELS = ("billing", "bug")


def write_many(data_dir: Path, count: int, versions: int = 4) -> None:
    """Write classifiers ``task_0000_v1``, ``_v2`` … of several tasks, half of them measured, some with tags.

    Args:
        data_dir: Where no server runs yet.
        count: How many.
        versions: How many each task has.
    """
    for number in range(count):
        name = f"task_{number // versions:04}_v{number % versions + 1}"
        at = FIRST_DAY + timedelta(minutes=number)
        right = 6 + number % 15
        by_label = dict.fromkeys(LABELS, right // 2)
        score = Score(2 * (right // 2), 24, "e" * 64, at, 0.75, 0.1, by_label, dict.fromkeys(LABELS, 12))
        trained = record(
            name,
            created_at=at,
            test=score if number % 2 else None,
            tags=("shop",) if number % 10 == 0 else (),
            description=f"Tickets of team {number % 7}.",
        )
        state = ClassifierState(kind="trained", at=at, record=trained, blobs={"artifact": BlobRef("a" * 64, 9, ".bin")})
        folder = data_dir / "classifiers" / name
        folder.mkdir(parents=True)
        (folder / "000001.json").write_bytes(entry_to_json(name, 1, state))
