"""Write the golden folder and the golden export of the present format, the export beside the folder.

``python -m tests.storage.make_golden tests/storage/golden/format-<number>``, once for each new format number
(docs/explanation/format.md, "When the format changes"), and never over an existing folder.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.storage.examples import (
    ROW_EXAMPLES,
    ROWS_SHA256,
    TEST_SCORE,
    THRESHOLD,
    THRESHOLD_CHANGE,
    artifact,
    open_names,
    record,
)
from windrow.domain.access import SCOPES
from windrow.domain.alias import ChangeNote
from windrow.domain.binding import Binding, BindRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import DescribeRequest, Origin, Record
from windrow.domain.dataset import rows_as_jsonl
from windrow.domain.file_prediction import PredictFilesReport
from windrow.domain.interval import Interval
from windrow.domain.job import FilePrediction, Job, Problem
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow, multi_label_rows_as_jsonl
from windrow.domain.names import Reference
from windrow.domain.threshold import Threshold
from windrow.domain.training_report import Estimate, ScoreReport
from windrow.domain.values import recast
from windrow.storage.alias_store import Aliases, PromotionPreconditions
from windrow.storage.archive_format import pack
from windrow.storage.artifact import ARTIFACT, ROWS, SUFFIXES, Artifact, artifact_to_bytes, rows_to_blob
from windrow.storage.binding_store import BindingStore
from windrow.storage.catalog import Catalog, NewRevision
from windrow.storage.files import STAGING, LocalFiles
from windrow.storage.format import write
from windrow.storage.job_files import JOBS, StoredJob, stored_job_to_json
from windrow.storage.key_store import ACCESS, KEYS, KeyTable, StoredKey
from windrow.storage.namespace import Namespace
from windrow.storage.revision import BlobRef, ClassifierState, LogEntry, Purged, entry_to_json
from windrow.storage.use_store import ClassifierUse, DayUse, KeyUse, UseStore, file_name

START = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
# Of the three revisions of ``tickets``; only the second one has an adapter, and the first one no scope either.
ARTIFACTS = (Artifact(artifact().head), artifact(1), replace(artifact(2), adapter=None))
# What a job and a revision took over; formats before 5 do not tell.
EXTENDED: dict[str, Any] = {"extends": "tickets@2", "taken_over_rows": 3, "replaced_rows": 1}
# Does some of it; formats before 4 do not tell.
KEY = "deploy"
# Rows that an alias keeps.
MUST_PASS = ROW_EXAMPLES[2:]
# A job when it was asked for, when its turn came, and when it failed.
QUEUED = Job(
    id="019a1c5e4b2f-7d0c41",
    state="queued",
    model_name="tickets",
    num_examples=4,
    training_data_sha256=ROWS_SHA256,
    created_at=START,
    key_name=KEY,
    **EXTENDED,
    max_seconds=30.0,
    seed=7,
)
RUNNING = replace(QUEUED, state="running", started_at=START)
FAILED = replace(
    RUNNING,
    state="failed",
    finished_at=START + timedelta(minutes=1),
    problem=Problem("training_failed", "It needs {{more}} memory. Free {bytes} bytes.", {"bytes": 1_000, "why": None}),
)
JOBS_MADE = (QUEUED, RUNNING, FAILED)
# A prediction of files that has ended; formats before 6 have none.
CLASSIFIED = replace(
    RUNNING,
    id="019a1c5e4b30-3f9a07",
    kind="predict_files",
    state="succeeded",
    finished_at=START + timedelta(minutes=2),
    revision=2,
    files=FilePrediction(
        input="/srv/mails/*.csv",
        output="s3://mails/labelled",
        report=PredictFilesReport(
            model_name="tickets",
            revision=2,
            files=2,
            rows=25_000,
            shards=4,
            shards_before=1,
            abstained=12,
            truncated=3,
            noted=1,
            seconds=61.5,
            output="s3://mails/labelled",
            rows_now=15_000,
        ),
    ),
)


# Bindings of questions, API keys and counts; the golden folders of formats before 7 hold none.
BINDINGS = (
    Binding(question="Is it money?", model_name="tickets", positive_label="billing", bound_at=START),
    Binding(question="caf\u00e9: how bad?", model_name="live", levels=("low", "high"), bound_at=START, key_name=KEY),
)
KEYS_MADE = (
    StoredKey(
        name=KEY,
        scopes=("predict", "promote"),
        only=("tickets*",),
        hint="wdr_dep0",
        created_at=START,
        created_by="first",
        expires_at=START + timedelta(days=90),
        revoked_at=START + timedelta(days=1),
        requests_per_second=2,
        requests_per_day=1_000,
        texts_per_day=10_000,
        max_queued_fits=1,
        max_stored_bytes=1_000_000,
        max_revisions=20,
        sha256="0123456789abcdef" * 4,
    ),
    StoredKey(name="first", scopes=SCOPES, hint="wdr_fir0", created_at=START, sha256="fedcba9876543210" * 4),
)
USE = DayUse({"tickets": ClassifierUse(12, START)}, {KEY: KeyUse(3, 12)}, ("0123456789ab-000001.json",))


def golden_revision(name: str, revision: int, *, keeps_rows: bool = True) -> NewRevision:
    """Return a training that is kept in the golden folder."""
    one = ARTIFACTS[revision - 1]
    golden = replace(record(name, revision=revision), training_data_sha256=ROWS_SHA256)
    golden = replace(golden, adapter=None) if one.adapter is None else replace(golden, max_seconds=30.0)
    if one.scope is None:
        report, scores = replace(golden.report, estimate=None), ScoreReport(1.25, "prior", None, None)
        golden = replace(golden, report=report, scores=scores, cross_validate=False)
    rows = {ROWS: rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))} if keeps_rows else {}
    return NewRevision(golden, {ARTIFACT: artifact_to_bytes(one), **rows})


def several_labels() -> NewRevision:
    """Return a training on rows with any number of labels each; formats before 7 have none."""
    dataset = MultiLabelDataset(
        (
            MultiLabelRow("I was charged twice, and it is urgent", ("billing", "urgent")),
            MultiLabelRow("Where is my invoice?", ("billing",)),
            MultiLabelRow("Thank you, caf\u00e9 friends", ()),
        )
    )
    golden = recast(Record, dataset, record("several", revision=1), training_data_sha256=dataset.sha256)
    report = replace(
        golden.report, small_classes=dataset.small_classes, estimate=Estimate(1, 3, 3, Interval(0.0, 0.9), 0.75, 0.7)
    )
    test = replace(TEST_SCORE, correct_per_label={"billing": 9}, rows_per_label={"billing": 10}, micro_f1=0.875)
    golden = replace(
        golden,
        kind="multi_label",
        label_thresholds={"billing": 0.375, "urgent": 0.5},
        label_descriptions={"urgent": "It cannot wait"},
        report=report,
        test=test,
        threshold_changes=(replace(THRESHOLD_CHANGE, after=Threshold(0.25, {"urgent": 0.625})),),
    )
    rows = rows_to_blob(multi_label_rows_as_jsonl(dataset.rows))
    return NewRevision(golden, {ARTIFACT: artifact_to_bytes(artifact()), ROWS: rows}, kind="imported")


def golden_entry() -> tuple[ClassifierState, dict[str, bytes]]:
    """Return the classifier that is kept as an export: all that can be known of one; and its blobs."""
    new_revision = golden_revision("tickets", 2)
    record = replace(
        new_revision.record,
        description="For the help desk, caf\u00e9 too",
        tags=("best", "small"),
        test=TEST_SCORE,
        threshold_changes=(THRESHOLD_CHANGE,),
        origin=Origin("theirs", 7, START),
        **EXTENDED,
    )
    refs = {role: BlobRef.of(blob, SUFFIXES[role]) for role, blob in new_revision.blobs.items()}
    return ClassifierState(kind="measured", at=START, record=record, blobs=refs, purged=(1,)), dict(new_revision.blobs)


def make_golden(folder: Path) -> None:
    """Let happen, once a minute, everything that can happen to a classifier and to an alias."""
    minutes = _minutes()
    files = LocalFiles(folder)
    names = open_names(files, lambda: next(minutes))
    catalog, aliases = Catalog(names), Aliases(names)
    _make_tickets(names, catalog)
    origin = Origin("theirs", 7, next(minutes))
    taken_in = golden_revision("taken_in", 1, keeps_rows=False)
    measured = replace(taken_in.record, origin=origin, test=TEST_SCORE, threshold_changes=(THRESHOLD_CHANGE,))
    catalog.publish(replace(taken_in, record=measured, kind="imported"))
    catalog.publish(golden_revision("gone", 1))
    catalog.delete("gone")
    for revision in (1, 3):
        catalog.publish(golden_revision("anew", revision))
        if revision == 1:
            catalog.delete("anew")
    catalog.publish(golden_revision("half_gone", 1))
    _append(names, "half_gone", 2, Purged("purged", next(minutes)))
    aliases.promote("live", Reference("tickets", 3), ChangeNote(reason="the first", author="Ada"))
    preconditions = PromotionPreconditions(MUST_PASS, aliases.state("live").number)
    aliases.promote("live", Reference("tickets"), ChangeNote(reason="two points better", author="Ada"), preconditions)
    aliases.roll_back("live", aliases.rollback_target("live"), ChangeNote(reason="worse on long texts", author="Bob"))
    with calling(Caller(KEY)):
        aliases.promote("former", Reference("taken_in"), ChangeNote())
        aliases.remove("former", ChangeNote(reason="nobody asks for it"))
        twin = golden_revision("twin", 3)
        origin = Origin("tickets", 3, next(minutes))
        catalog.publish(replace(twin, record=replace(twin.record, origin=origin, **EXTENDED), kind="copied"))
        catalog.publish(several_labels())
    for number, job in enumerate(JOBS_MADE, 1):
        files.put_new(
            f"{JOBS}/{job.id}/{number:06d}.json", stored_job_to_json(StoredJob(job, number, "0123456789abcdef"))
        )
    files.put_new(
        f"{JOBS}/{CLASSIFIED.id}/000001.json", stored_job_to_json(StoredJob(CLASSIFIED, 1, "0123456789abcdef"))
    )
    _bind(files)
    files.put_new(f"{ACCESS}/{KEYS}/000001.json", write(KeyTable(KEYS_MADE)))
    UseStore(files).put(START.date(), file_name("0123456789ab", 2), USE)
    (folder / STAGING).rmdir()


def _bind(files: LocalFiles) -> None:
    """Bind each question, and one more whose binding is taken away again."""
    bindings = BindingStore(open_names(files, lambda: START))
    bindings.bind(BindRequest("gone", "gone"))
    bindings.bind(BindRequest("gone"))
    for each in BINDINGS:
        with calling(Caller(each.key_name)):
            bindings.bind(recast(BindRequest, each))


def make_export() -> bytes:
    """Return an export of everything that can be known of a classifier."""
    return b"".join(pack(*golden_entry(), START).chunks)


def _make_tickets(names: Namespace, catalog: Catalog) -> None:
    for revision in (1, 2, 3):
        catalog.publish(golden_revision("tickets", revision))
    catalog.restore("tickets", 2)
    described = catalog.describe(DescribeRequest("tickets", "For the help desk, caf\u00e9 too", ("best", "small")))
    catalog.record_evaluation(described, TEST_SCORE)
    # At a time of its own, so that what follows happens in the minutes of format 1.
    at_once = Catalog(open_names(names.files, lambda: THRESHOLD_CHANGE.at))
    with calling(Caller(KEY)):
        at_once.set_threshold(Reference("tickets"), THRESHOLD, THRESHOLD_CHANGE)
    catalog.purging.purge_revision("tickets", 1)


def _append(names: Namespace, name: str, number: int, revision: LogEntry) -> None:
    names.classifiers.append(name, number, entry_to_json(name, number, revision))


def _minutes() -> Iterator[datetime]:
    at = START
    while True:
        yield at
        at += timedelta(minutes=1)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if target.exists():
        sys.exit(f"{target} exists. A golden folder is never written again.")
    make_golden(target)
    target.with_suffix(".windrow").write_bytes(make_export())
