"""Classify one shard of a file: its rows in, a file with each of them once, in their order, out."""

import io
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Protocol

from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_prediction import PredictFilesRequest
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.execution.file_manifest import Manifest, Part, columns_of_request, read_manifest, shard_options
from windrow.execution.prediction_stream import MAX_CHUNK_TEXTS, PinnedRevision, StreamRequest, predict_stream
from windrow.files.decoding import Source
from windrow.files.parquet import ParquetWriter, read_parquet_shard, with_values
from windrow.files.reading import Record
from windrow.files.sharding import read_shard
from windrow.files.writing import CsvWriter, Gained, JsonLinesWriter, Note
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
    """

    rows: int = 0
    abstained: int = 0
    truncated: int = 0
    noted: int = 0

    def plus(self, other: "ShardCounts") -> "ShardCounts":
        """Return the sum of both."""
        return ShardCounts(
            self.rows + other.rows,
            self.abstained + other.abstained,
            self.truncated + other.truncated,
            self.noted + other.noted,
        )


class ShardWriter(Protocol):
    """Writes the results of a shard."""

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with what they gain."""
        ...

    def end(self) -> None:
        """Write what comes behind the last row."""
        ...


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
                    counts = counts.plus(_counted(gained))
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

    def _read(
        self, part: Part, opened: BinaryIO, content: io.BytesIO
    ) -> "tuple[Source, Iterator[Record], ShardWriter]":
        """Return a shard's source and rows, and what writes their results."""
        file, options = self.manifest.file_of(part), shard_options(self.request)
        plan, name, columns = file.plan, file.input.name, columns_of_request(self.request, self.manifest.kind)
        shard, table = plan.shards[part.shard - 1], None
        if plan.format == "parquet":
            source, table, records = read_parquet_shard(opened, plan, shard, name, options)
            if file.output_format != "parquet":
                records = with_values(table, records)
        else:
            source, records = read_shard(opened, plan, shard, name, options)
        if file.output_format == "parquet":
            return source, records, ParquetWriter(content, columns, source, table, plan.names)
        # Half of a surrogate pair, which no encoding has, is written as an escape that JSON understands.
        text = io.TextIOWrapper(content, "utf-8", "backslashreplace", newline="", write_through=True)
        if file.output_format == "csv":
            return source, records, CsvWriter(text, columns, source, plan.names)
        return source, records, JsonLinesWriter(text, columns, source)

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

        skipping = replace(request, skip=lambda line: None)  # noqa: ARG005 - it is missed among the answers
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


def _counted(gained: Sequence[Gained]) -> ShardCounts:
    predictions = [each for each in gained if isinstance(each, Prediction)]
    return ShardCounts(
        len(gained),
        sum(each.abstained for each in predictions),
        sum(each.truncated for each in predictions),
        len(gained) - len(predictions),
    )
