"""Classify one shard of a file: its rows in, a file with each of them once, in their order, out."""

import io
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_prediction import PredictFilesRequest
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.prediction_summary import LabelSummary, SummaryCounts, added_up, label_summaries
from windrow.execution.file_manifest import Manifest, Part, columns_of_request, read_manifest, shard_options
from windrow.execution.prediction_stream import MAX_CHUNK_TEXTS, PinnedRevision, StreamRequest, predict_stream
from windrow.files.decoding import Source
from windrow.files.parquet import ParquetWriter, read_parquet_shard, with_values
from windrow.files.reading import Record
from windrow.files.results import ResultContext, ResultForm
from windrow.files.sharding import read_shard
from windrow.files.tool_results import ToolContext
from windrow.files.writing import Gained, Note, RowWriter
from windrow.operations import Operations
from windrow.settings import read_settings
from windrow.storage.input_files import open_input
from windrow.storage.places import Place

BLANK: Final = Note("the text is blank")
TOO_LONG: Final = Note("the text is too long")


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """What became of a shard's rows.

    Args:
        rows: All of them.
        abstained: Those without a label, since the scores or the likeness are too low.
        truncated: Those whose text was longer than the encoder reads.
        noted: Those without a prediction.
        without_labels: Those that were given none of the labels.
        out_of_scope: Those that are unlike the training data.
        labels: By label, how many rows were given it, and the sum of their scores.
    """

    rows: int = 0
    abstained: int = 0
    truncated: int = 0
    noted: int = 0
    without_labels: int = 0
    out_of_scope: int = 0
    labels: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def plus(self, other: "ShardCounts") -> "ShardCounts":
        """Return the sum of both."""
        return ShardCounts(
            self.rows + other.rows,
            self.abstained + other.abstained,
            self.truncated + other.truncated,
            self.noted + other.noted,
            self.without_labels + other.without_labels,
            self.out_of_scope + other.out_of_scope,
            added_up(self.labels, other.labels),
        )

    def by_label(self) -> tuple[LabelSummary, ...]:
        """Return the rows that were given each label, the most frequent one first."""
        return label_summaries(self.labels)


@dataclass(frozen=True, slots=True)
class ShardPredictor:
    """Classifies shards of one run.

    Args:
        operations: The verbs.
        request: What the run was asked for.
        manifest: What pins it.
        place: Where results go.
        address: Where that is, for messages.
        pinned: The revision that answers; ``None`` where only one is there.
    """

    operations: Operations
    request: PredictFilesRequest
    manifest: Manifest
    place: Place
    address: str
    pinned: PinnedRevision | None = None

    def predict(self, part: Part, on_rows: Callable[[int], None]) -> ShardCounts:
        """Classify a shard, and write its results, which appear whole.

        Args:
            part: The shard.
            on_rows: Called with the number of further rows that are classified; what it raises ends it.

        Raises:
            InvalidInput: A row is wrong; the message names its line.
            InvalidParameter: Another run has taken the place of this one meanwhile; nothing of it is touched.
            WindrowError: As ``predict`` raises, and where the output cannot be written.
        """
        file, counts, content = self.manifest.file_of(part), ShardCounts(), io.BytesIO()
        with open_input(file.input) as opened:
            source, records, writer = self._read(part, opened, content)
            with closing(self._answered(source, records)) as answered:
                for chunk, gained in answered:
                    writer.write(chunk, gained)
                    counts = counts.plus(_counted(gained, self.request.min_in_scope))
                    on_rows(len(chunk))
            writer.end()
        self._check_still_wanted()
        self.place.put(self.manifest.name_of(part), content.getvalue())
        return counts

    def _check_still_wanted(self) -> None:
        """Refuse to write into a run that was begun anew: a process of a cluster may live on behind the one before."""
        now = read_manifest(self.place, self.address)
        if now is None or now.id != self.manifest.id:
            raise InvalidParameter(
                "{output} was begun anew while this run wrote to it, so this one ends here. Let the other one end, or "
                "name another folder.",
                {"parameter": "output", "output": self.address},
            )

    def _read(self, part: Part, opened: BinaryIO, content: io.BytesIO) -> "tuple[Source, Iterator[Record], RowWriter]":
        """Return a shard's source and rows, and what writes their results."""
        file, options = self.manifest.file_of(part), shard_options(self.request)
        plan, name, manifest = file.plan, file.input.name, self.manifest
        columns = columns_of_request(self.request, manifest.kind, manifest.labels, file.output_format)
        shard, table = plan.shards[part.shard - 1], None
        if plan.format == "parquet":
            source, table, records = read_parquet_shard(opened, plan, shard, name, options)
            if file.output_format != "parquet":
                records = with_values(table, records)
        else:
            source, records = read_shard(opened, plan, shard, name, options)
        if file.output_format == "parquet":
            return source, records, ParquetWriter(content, columns, source, table, plan.names)
        form = ResultForm(file.output_format, file.text, self.request.escape_formulas)
        text = io.TextIOWrapper(content, form.text.encoding, form.text.errors, newline="", write_through=True)
        tool = ToolContext(manifest.reference, manifest.labels, manifest.kind)
        context = ResultContext(source, plan.names, columns, tool)
        return source, records, context.text_writer(form, text)

    def _answered(
        self, source: Source, records: Iterator[Record]
    ) -> Generator[tuple[Sequence[Record], Sequence[Gained]]]:
        """Yield rows with what they gain, in their order; where notes are asked for, rows without an answer too."""
        request = self._stream_request(source)
        if not self.request.note_bad_rows:
            yield from predict_stream(self.operations, records, request)
            return
        waiting: deque[Record] = deque()

        def asked() -> Iterator[Record]:
            for record in records:
                waiting.append(record)
                if record.text:
                    yield record

        skipping = replace(request, on_refused=lambda *_: None)  # it is missed among the answers
        with closing(predict_stream(self.operations, asked(), skipping)) as answered:
            for chunk, predictions in answered:
                yield _with_notes(waiting, chunk, predictions)
        yield list(waiting), list(map(_note, waiting))

    def _stream_request(self, source: Source) -> StreamRequest:
        asked = self.request
        request = PredictRequest(
            model_name=self.manifest.reference.rpartition("@")[0] if self.pinned is None else self.pinned.asked,
            top_k=asked.top_k,
            abstain_below=asked.abstain_below,
            min_in_scope=asked.min_in_scope,
        )
        reference = None if self.pinned is None else self.pinned.reference
        return StreamRequest(request, source.name, reference, min(MAX_CHUNK_TEXTS, read_settings().max_texts))


def _with_notes(
    waiting: deque[Record], chunk: Sequence[Record], predictions: Sequence[Prediction]
) -> tuple[Sequence[Record], Sequence[Gained]]:
    """Take rows up to the last answered one, and return them with their answers, or notes where there is none."""
    rows: list[Record] = []
    gained: list[Gained] = []
    for answered, prediction in zip(chunk, predictions, strict=True):
        while (record := waiting.popleft()) is not answered:
            rows.append(record)
            gained.append(_note(record))
        rows.append(record)
        gained.append(prediction)
    return rows, gained


def _note(record: Record) -> Note:
    return BLANK if is_blank(record.text) else TOO_LONG


def _counted(gained: Sequence[Gained], min_in_scope: float | None) -> ShardCounts:
    counts = SummaryCounts(min_in_scope)
    counts.add(each for each in gained if isinstance(each, Prediction))
    return ShardCounts(
        len(gained),
        counts.abstained,
        counts.truncated,
        len(gained) - counts.rows,
        counts.without_labels,
        counts.out_of_scope,
        counts.labels,
    )
