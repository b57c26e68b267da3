"""Predict whole files, shard by shard, on this machine or on a Ray cluster; a run that broke off can go on."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from windrow.codec.values import to_json
from windrow.domain.classifier import ModelRequest
from windrow.domain.errors import AccessDenied, InvalidParameter
from windrow.domain.file_prediction import (
    FileProgress,
    OnFileProgress,
    PredictFilesRequest,
    PredictFilesSummary,
    RowsFormat,
    check_predict_files_request,
    ignore_file_progress,
)
from windrow.execution.control import TrainingControl
from windrow.execution.file_manifest import (
    DONE,
    MANIFEST,
    PARTS,
    Manifest,
    Part,
    PlannedFile,
    check_same_run,
    columns_of_request,
    new_id,
    options_of,
    read_manifest,
    shard_options,
    write_manifest,
)
from windrow.execution.prediction_stream import PinnedRevision, pin, pin_again
from windrow.execution.shard_prediction import ShardCounts, ShardPredictor
from windrow.files.decoding import Source
from windrow.files.parquet import check_pyarrow, is_parquet, plan_parquet
from windrow.files.results import ResultForm, check_result_labels
from windrow.files.sharding import FilePlan, plan_shards
from windrow.files.text_form import PLAIN, TextForm, with_encoding
from windrow.operations import Operations
from windrow.storage.input_files import InputFile, find_input_files, open_input
from windrow.storage.places import Place, open_place


@dataclass(frozen=True, slots=True)
class FileRun:
    """A run whose manifest stands.

    Args:
        request: What was asked for.
        place: Where results go.
        address: Where that is, from whichever folder it is looked for.
        manifest: What pins it.
        pinned: The revision that answers.
        missing: The shards without results, in their order.
    """

    request: PredictFilesRequest
    place: Place
    address: str
    manifest: Manifest
    pinned: PinnedRevision
    missing: tuple[Part, ...]


def predict_files(
    operations: Operations,
    request: PredictFilesRequest,
    on_progress: OnFileProgress = ignore_file_progress,
    control: TrainingControl | None = None,
) -> PredictFilesSummary:
    """Classify each row of files, and write them in shards. All rows are answered by one revision.

    Args:
        operations: The verbs: of this process, or of a server. A Ray cluster is sent what they export.
        request: What to read and where to write.
        on_progress: Called as rows are found and as rows are classified, in this thread.
        control: Cancels it from another thread; ``None`` where nobody does. What is whole stays.

    Returns:
        What was done.

    Raises:
        InvalidInput: A file, a row or an option is wrong; the message names the file and the line.
        InvalidParameter: The folder holds the output of another run; the message says what differs.
        NotFound: The classifier does not exist.
        StorageFailed: The output cannot be written, or an object store refuses.
        WindrowError: The reason of the cancellation.
    """
    started = time.perf_counter()
    check_predict_files_request(request)
    control = control or TrainingControl()
    run = begin_run(operations, request, on_progress, control)
    tally = _Tally(run, on_progress, control)
    tally.report()
    if request.runner == "local" or not run.missing:
        _predict_here(operations, run, tally)
    else:
        # It is loaded where it is needed alone.
        from windrow.execution.ray_file_prediction import ClusterPredictor

        cluster = ClusterPredictor(operations, request, run.manifest, run.address)
        cluster.predict(run.missing, tally.add_shard, control)
    return _report(run, tally.counts, time.perf_counter() - started)


def begin_run(
    operations: Operations, request: PredictFilesRequest, on_progress: OnFileProgress, control: TrainingControl
) -> FileRun:
    """Find the files, and plan a new run or go on with the one that the output folder holds.

    Raises:
        InvalidInput: As :func:`predict_files`.
        NotFound: The classifier does not exist.
        StorageFailed: The output cannot be written, or an object store refuses.
    """
    place, address = open_place(request.output)
    inputs = find_input_files(request.input)
    _check_apart(inputs, address, request)
    manifest = None if request.overwrite else read_manifest(place, address)
    if manifest is not None:
        check_same_run(manifest, request, inputs)
        # What messages call a file is what it is called now.
        named = (replace(file, input=found) for file, found in zip(manifest.files, inputs, strict=True))
        manifest = replace(manifest, files=tuple(named))
        pinned = pin_again(operations, request.model_name, manifest.reference)
        _check_same_answers(manifest, pinned, _digest_of(operations, pinned), request)
    else:
        pinned = pin(operations, request.model_name)
        # Before anything is removed: what cannot be read replaces nothing.
        planned = tuple(_planned(inputs, request, pinned, on_progress, control))
        manifest = Manifest(
            id=new_id(),
            model_name=request.model_name,
            reference=pinned.reference,
            kind=pinned.kind,
            labels=pinned.labels,
            digest=_digest_of(operations, pinned),
            options=options_of(request),
            files=planned,
        )
        _make_room(place, request)
        write_manifest(place, manifest, address)
    there = place.names()
    missing = tuple(part for part in manifest.parts if manifest.name_of(part) not in there)
    return FileRun(request, place, address, manifest, pinned, missing)


def _predict_here(operations: Operations, run: FileRun, tally: "_Tally") -> None:
    predictor = ShardPredictor(operations, run.request, run.manifest, run.place, run.address, run.pinned)
    for part in run.missing:
        tally.add_shard(part, predictor.predict(part, tally.add_rows))


class _Tally:
    """Counts what is done, and tells it.

    Args:
        run: The run.
        on_progress: Told of it.
        control: Cancels it.
    """

    def __init__(self, run: FileRun, on_progress: OnFileProgress, control: TrainingControl) -> None:
        self.counts = ShardCounts()
        self._run = run
        self._on_progress = on_progress
        self._control = control
        self._shards = len(run.manifest.parts) - len(run.missing)
        self._rows = run.manifest.rows - sum(map(run.manifest.rows_of, run.missing))
        self._of_shard = 0

    def add_rows(self, rows: int) -> None:
        """Count rows of a shard that is not whole yet.

        Raises:
            WindrowError: The run was cancelled.
        """
        self._of_shard += rows
        self.report()

    def add_shard(self, part: Part, counts: ShardCounts) -> None:
        """Count a shard that is whole.

        Raises:
            WindrowError: The run was cancelled.
        """
        self.counts = self.counts.plus(counts)
        self._rows += self._run.manifest.rows_of(part)
        self._shards, self._of_shard = self._shards + 1, 0
        self.report()

    def report(self) -> None:
        """Tell how far it is.

        Raises:
            WindrowError: The run was cancelled.
        """
        manifest = self._run.manifest
        self._control.raise_if_cancelled()
        self._on_progress(
            FileProgress(
                stage="predicting",
                rows=self._rows + self._of_shard,
                num_rows=manifest.rows,
                shards=self._shards,
                num_shards=len(manifest.parts),
            )
        )


def _planned(
    inputs: Sequence[InputFile],
    request: PredictFilesRequest,
    pinned: PinnedRevision,
    on_progress: OnFileProgress,
    control: TrainingControl,
) -> Iterator[PlannedFile]:
    """Read all files once, and yield them with their shards."""
    rows_before, shards = 0, 0

    def tell(rows: int) -> None:
        control.raise_if_cancelled()
        on_progress(FileProgress(stage="planning", rows=rows_before + rows, shards=shards))

    for found in inputs:
        tell(0)
        plan = _plan(found, request, tell)
        output_format = _output_format(found, plan, request)
        text = _text_form(plan, output_format, request)
        columns = columns_of_request(request, pinned.kind, pinned.labels, output_format)
        columns.check(plan.names, Source(found.name, BytesIO()))
        check_result_labels(ResultForm(output_format, text), columns, pinned.labels)
        rows_before, shards = rows_before + plan.rows, shards + len(plan.shards)
        yield PlannedFile(found, output_format, text, plan)


def _text_form(plan: FilePlan, written: RowsFormat, request: PredictFilesRequest) -> TextForm:
    """Return how the text of results is written: as that of the file, if they are of its format."""
    text = replace(PLAIN, delimiter="\t") if written == "tsv" else PLAIN
    if plan.format == written:
        text = plan.text
    return replace(with_encoding(text, request.output_encoding), decimal_comma=request.decimal_comma)


def _plan(found: InputFile, request: PredictFilesRequest, on_rows: Callable[[int], None]) -> FilePlan:
    plan = plan_parquet if is_parquet(found.name) and request.format is None else plan_shards
    with open_input(found) as file:
        return plan(file, found.name, shard_options(request), on_rows)


def _output_format(found: InputFile, plan: FilePlan, request: PredictFilesRequest) -> RowsFormat:
    wanted = request.output_format or plan.format
    if wanted == "parquet" and plan.format == "jsonl":
        raise InvalidParameter(
            "{file} is JSONL, whose values have no types that hold for all shards, so it cannot be written as Parquet. "
            "Write jsonl or csv.",
            {"parameter": "output_format", "file": found.name},
        )
    if wanted == "parquet":
        check_pyarrow(found.name)
    return wanted


def _check_apart(inputs: Sequence[InputFile], address: str, request: PredictFilesRequest) -> None:
    """Refuse to write beside what is read, which the next run would read too."""
    for found in inputs:
        if found.address.rpartition("/")[0] == address.rstrip("/"):
            raise InvalidParameter(
                "{file} is in {output}, so results would stand among what is read. Name another folder.",
                {"parameter": "output", "file": found.name, "output": request.output},
            )


def _make_room(place: Place, request: PredictFilesRequest) -> None:
    """Remove what another run has left, if it is to be replaced.

    Raises:
        InvalidParameter: It is not.
    """
    left = sorted(name for name in place.names() if name.startswith(PARTS))
    if left and not request.overwrite:
        raise InvalidParameter(
            "{output} holds {found}, and nothing that says what it is of. Name another folder, or begin anew with "
            "{set:overwrite}.",
            {"parameter": "output", "output": request.output, "found": left[0]},
        )
    # In this order, whatever is left where this breaks off is never taken for results of the next run.
    for name in (DONE, *left, MANIFEST) if request.overwrite else ():
        place.remove(name)


def _digest_of(operations: Operations, pinned: PinnedRevision) -> str:
    """Return a digest of what decides a revision's answers; empty where the API key may not know it."""
    try:
        shown = operations.show(ModelRequest(pinned.asked))
    except AccessDenied:
        return ""
    threshold = None if shown.threshold is None else shown.threshold.abstain_below
    told: list[object] = [
        shown.training_data_sha256,
        shown.base_model_digest,
        shown.created_at.isoformat(),
        threshold,
        *shown.thresholds_by_label.values(),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _check_same_answers(manifest: Manifest, pinned: PinnedRevision, digest: str, request: PredictFilesRequest) -> None:
    if ("" not in (digest, manifest.digest) and digest != manifest.digest) or pinned.kind != manifest.kind:
        raise InvalidParameter(
            "{output} was begun when {reference} was another classifier, or had another threshold. Name another "
            "folder, or begin anew with {set:overwrite}.",
            {"parameter": "output", "output": request.output, "reference": manifest.reference},
        )


def _report(run: FileRun, counts: ShardCounts, seconds: float) -> PredictFilesSummary:
    """Return what was done; where there was something left to do, write it down, as a sign that all is there."""
    name, _, revision = run.manifest.reference.rpartition("@")
    report = PredictFilesSummary(
        model_name=name,
        revision=int(revision),
        files=len(run.manifest.files),
        rows=run.manifest.rows,
        shards=len(run.manifest.parts),
        shards_before=len(run.manifest.parts) - len(run.missing),
        abstained=counts.abstained,
        truncated=counts.truncated,
        noted=counts.noted,
        seconds=round(seconds, 3),
        output=run.request.output,
        rows_now=counts.rows,
        labels=counts.by_label(),
        without_labels=counts.without_labels,
        out_of_scope=counts.out_of_scope,
    )
    if run.missing or DONE not in run.place.names():
        run.place.put(DONE, to_json(report))
    return report
