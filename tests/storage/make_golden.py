"""Write the golden folder of the present format: ``python -m tests.storage.make_golden tests/storage/golden/format-1``.

Run it once for each new format number (docs/format.md, "When the format changes"), and never over an existing folder.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.storage.examples import ROW_EXAMPLES, artifact, record
from windrow.domain.classifier import Record
from windrow.domain.dataset import data_sha256
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles

ARTIFACTS = (Artifact(artifact().head), artifact(1))


def golden_record(name: str, revision: int) -> Record:
    """Return the record of a golden revision."""
    golden = replace(record(name, revision=revision), data_sha256=data_sha256(ROW_EXAMPLES))
    if ARTIFACTS[revision - 1].adapter is None:
        return replace(golden, summary=replace(golden.summary, adapter=None))
    return replace(golden, recipe=replace(golden.recipe, max_seconds=30.0))


def make_golden(folder: Path) -> None:
    """Fit ``tickets`` twice, without and with an adapter; fit and delete ``gone``, whose rows are not kept."""
    catalog = Catalog(LocalFiles(folder), now=lambda: datetime(2025, 9, 16, 8, 0, tzinfo=UTC))
    for number, one in enumerate(ARTIFACTS, start=1):
        kept = {ARTIFACT: artifact_to_bytes(one), ROWS: rows_to_blob(ROW_EXAMPLES)}
        catalog.publish(golden_record("tickets", number), kept)
    catalog.publish(golden_record("gone", 1), {ARTIFACT: artifact_to_bytes(ARTIFACTS[0])})
    catalog.delete("gone")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if target.exists():
        sys.exit(f"{target} exists. A golden folder is never written again.")
    make_golden(target)
