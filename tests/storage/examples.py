"""A record, an artifact, rows and a catalog for the tests of storage."""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.fakes.bucket import MemoryBucket
from tests.fakes.files import BreakingFiles, MemoryFiles
from windrow.domain.alias import ChangeNote
from windrow.domain.classifier import Origin, Record, TestScore
from windrow.domain.clock import utc_now
from windrow.domain.dataset import DataWarning, Row, rows_as_jsonl
from windrow.domain.interval import Interval
from windrow.domain.names import read_reference
from windrow.domain.threshold import Threshold, ThresholdChange
from windrow.domain.training_report import AdapterReport, Candidate, Estimate, FitReport, HeadReport, ScoreReport
from windrow.learning.head import LinearHead
from windrow.learning.scope import Scope
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog, NewRevision
from windrow.storage.files import Files, LocalFiles
from windrow.storage.lock import DirectoryLock, Lock
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.revision import ClassifierState

ROW_EXAMPLES = (
    Row("I was charged twice", "billing"),
    Row("Where is my invoice?", "billing"),
    Row("The app crashes \u2028 on start\n", "bug"),
    Row("Caf\u00e9 \U0001f375 page shows nothing", "bug"),
)

_DIGEST = re.compile(rb'(\A\{\n  "format": [2-9],\n  "sha256": ")[0-9a-f]{64}')
ROWS_SHA256 = hashlib.sha256(rows_as_jsonl(ROW_EXAMPLES)).hexdigest()

ADAPTER_REPORT = AdapterReport(
    scale=0.5,
    reason="A share of the change is used: the encoder as it is misplaces 1 of 18 rows, each judged without itself.",
    candidates=(Candidate(0.0, 0.9444), Candidate(0.5, None)),
    layers=6,
    rank=8,
    epochs=4,
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
        num_examples=4,
        base_model_digest="5" * 64,
        training_data_sha256=mark * 64,
        created_at=datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
        training_time_seconds=0.75,
        report=FitReport(0, 0, 1, ("billing", "bug"), 0.5, Estimate(3, 4, 2, Interval(0.25, 1.0))),
        head=HeadReport(1.0, 0.75, 2),
        adapter=ADAPTER_REPORT,
        scores=ScoreReport(1.125, "out_of_fold", 0.625, 0.125),
        versions={"numpy": "2.4.6", "windrow": "0.1.0"},
        warnings=(DataWarning("small_classes", "2 label(s) have fewer than 4 rows.", (0, 2)),),
    )


TEST_SCORE = TestScore(
    correct=9,
    total=10,
    test_data_sha256="e" * 64,
    measured_at=datetime(2025, 9, 15, 11, 0, tzinfo=UTC),
    macro_f1=0.8990,
    ece=0.0625,
    correct_per_label={"billing": 5, "bug": 4, "other": 0},
    rows_per_label={"billing": 5, "bug": 4, "other": 1},
)
THRESHOLD = Threshold(0.625)
# As a document of format 1, where evaluations set thresholds, is read since.
THRESHOLD_CHANGE = ThresholdChange(
    at=datetime(2025, 9, 15, 11, 0, tzinfo=UTC),
    before=None,
    after=THRESHOLD,
    reason="Set by an evaluation for 95.0% right answers: 8 of 8 were, 10 test rows.",
)


def artifact(seed: int = 0) -> Artifact:
    """Return a small artifact with an adapter and a scope; each seed gives other numbers."""
    weights = np.linspace(-1, 1 + seed, 8, dtype=np.float32).reshape(2, 4)
    return Artifact(
        LinearHead(weights, np.array([0.5, -0.5], np.float32)),
        {"layers.5.query.down": np.linspace(-2, 2, 6, dtype=np.float16).reshape(2, 3)},
        Scope.of(np.array([[0.6, 0.8], [-0.8, 0.6]], np.float16), np.array([0.5, 0.625, 0.75], np.float32)),
    )


def blobs(seed: int = 0) -> dict[str, bytes]:
    """Return the blobs of a revision."""
    return {ARTIFACT: artifact_to_bytes(artifact(seed)), ROWS: rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))}


def new_revision(
    name: str = "tickets",
    mark: str = "a",
    contents: Mapping[str, bytes] | None = None,
    *,
    description: str | None = None,
    overwrite: bool = True,
    origin: Origin | None = None,
) -> NewRevision:
    """Return a training that is to be saved, without blobs unless some are given."""
    made = replace(record(name, mark), origin=origin)
    return NewRevision(made, contents or {}, description, kind="imported" if origin else "trained", overwrite=overwrite)


def notes(entry: ClassifierState) -> tuple[str, tuple[str, ...]]:
    """Return what people say about a classifier: description and tags."""
    return entry.record.description, entry.record.tags


def sealed(document: bytes) -> bytes:
    """Return a document that was changed by hand, with the digest that belongs to it, made without the product."""
    zeros = _DIGEST.sub(rb"\g<1>" + b"0" * 64, document, count=1)
    return _DIGEST.sub(rb"\g<1>" + hashlib.sha256(zeros).hexdigest().encode(), document, count=1)


def object_files(folder: Path, bucket: MemoryBucket | None = None) -> ObjectFiles:
    """Return the files in an object store, in a new one unless one is given.

    Args:
        folder: Of this machine's copies.
        bucket: The store.
    """
    files = ObjectFiles(bucket or MemoryBucket(), ContentCache(folder, 10**9))
    files.open()
    return files


def lock_of(files: Files) -> Lock:
    """Return the lock that all who write these files share."""
    if isinstance(files, MemoryFiles | BreakingFiles):
        return files.lock
    if isinstance(files, ObjectFiles):
        return files.transaction
    assert isinstance(files, LocalFiles)
    return DirectoryLock(files.root)


def open_names(files: Files, now: Callable[[], datetime] = utc_now) -> Namespace:
    """Return the names of a place, as another server sees them."""
    return Namespace(files, lock_of(files), now)


def open_catalog(files: Files, now: Callable[[], datetime] = utc_now) -> Catalog:
    """Return the catalog of a place, as another server sees it."""
    return Catalog(open_names(files, now))


def open_aliases(files: Files, now: Callable[[], datetime] = utc_now) -> Aliases:
    """Return the aliases of a place, as another server sees them."""
    return Aliases(open_names(files, now))


def promote(files: Files, alias: str, target: str) -> None:
    """Point an alias somewhere, as another server does."""
    open_aliases(files).promote(alias, read_reference(target), ChangeNote())


def fast_folder(parent: str | None = None) -> AbstractContextManager[str]:
    """Return a temporary folder, in memory where the system has files there: for tests that write very often."""
    in_memory = "/dev/shm"
    return TemporaryDirectory(dir=parent or (in_memory if Path(in_memory).is_dir() else None))


def wait_for_tick(folder: Path) -> None:
    """Return once the file system's clock has moved on, so that the next change in ``folder`` bears another time."""
    probe = folder / ".probe"
    probe.touch()
    before_ns = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before_ns:
        probe.touch()
