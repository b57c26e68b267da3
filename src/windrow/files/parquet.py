"""Read rows of Parquet files, and write them with their predictions; whoever does needs pyarrow (``windrow[parquet]``).

A file is read by row groups, and columns keep their types: those of the prediction are appended.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from windrow.domain.characters import is_blank
from windrow.domain.errors import InvalidFile
from windrow.files.arrow import import_pyarrow, plain_value
from windrow.files.columns import Columns
from windrow.files.decoding import Source
from windrow.files.reading import Record
from windrow.files.sharding import CHANGED, FilePlan, Shard, ShardOptions
from windrow.files.table_columns import columns_of
from windrow.files.writing import PREDICTION_COLUMNS, Gained, PredictionColumns

MAGIC: Final = b"PAR1"
# Rows are classified from memory, so those of a wide table come in smaller shards.
MAX_SHARD_BYTES: Final = 64_000_000
_BATCH_ROWS: Final = 4_096
# So many rows of a table that is no Parquet are written together.
_GROUP_ROWS: Final = 20_000
_DAMAGED: Final = "it is no whole Parquet file ({reason}). Write or fetch it again."


def is_parquet(name: str) -> bool:
    """Whether a file is Parquet, by its name."""
    return name.lower().endswith((".parquet", ".parq"))


def plan_parquet(file: BinaryIO, name: str, options: ShardOptions, on_rows: Callable[[int], None]) -> FilePlan:
    """Say which rows of a Parquet file are a shard, from its description at its end; see ``plan_shards``.

    Raises:
        InvalidFile: It is damaged, or the column with the text is missing, ambiguous or no text.
        InvalidParameter: pyarrow is not installed.
    """
    source = Source(name, file)
    opened = _open(source)
    names = tuple(opened.schema_arrow.names)
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise source.error("two columns are called {column!r}. Give each one a name of its own.", column=repeated)
    columns = columns_of(source, names, options.read, labelled=False)
    for column in columns.text:
        _check_text(source, opened.schema_arrow, column)
    rows, size_bytes = opened.metadata.num_rows, _size_bytes(opened)
    step = max(1, min(options.shard_rows, MAX_SHARD_BYTES * max(rows, 1) // max(size_bytes, 1)))
    on_rows(rows)
    shards = [
        Shard(first, min(first + step, rows), first + 1, min(step, rows - first)) for first in range(0, rows, step)
    ]
    return FilePlan(
        format="parquet", names=names, text_columns=columns.text, shards=tuple(shards) or (Shard(0, 0, 1, 0),)
    )


def read_parquet_shard(
    file: BinaryIO, plan: FilePlan, shard: Shard, name: str, options: ShardOptions
) -> tuple[Source, "Any", Iterator[Record]]:
    """Return the source of a shard for messages, its rows as a table of pyarrow, and as records.

    Args:
        file: The file.
        plan: Its plan.
        shard: One of its shards; lines are rows, from 1.
        name: What it is called.
        options: How the plan was made.

    Raises:
        InvalidFile: It is damaged or another file than the planned one, or a text is none.
    """
    source = Source(name, file)
    table = _read(source, _open(source), shard)
    if tuple(table.schema.names) != plan.names:
        raise source.error(CHANGED)
    return source, table, _records(source, table, Columns(plan.text_columns), shard, keep_blank=options.keep_blank)


def with_values(table: "Any", records: Iterator[Record]) -> Iterator[Record]:
    """Yield the records of a table with all their columns as JSON has them: times as text, and so on.

    Args:
        table: The table of pyarrow.
        records: One for each of its rows.
    """
    names = table.schema.names
    for batch in table.to_batches(_BATCH_ROWS):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            record = next(records)
            yield Record(record.line, record.text, dict(zip(names, map(plain_value, values), strict=True)))
    yield from records


@dataclass(slots=True)
class ParquetWriter:
    """Writes one Parquet file: the columns of the input with their types, then those of the predictions.

    Args:
        file: The output.
        columns: The columns of predictions.
        source: The file that is read, for messages.
        table: Its rows as a table of pyarrow; ``None`` where they are no Parquet. Then a column of text is one of
            text, and in JSON a column whose values have no common type holds JSON.
        names: The columns of the input; ``None`` to take those of the first row.
    """

    file: BinaryIO
    columns: PredictionColumns
    source: Source
    table: "Any"
    names: Sequence[str] | None
    _rows: list[Record] = field(default_factory=list)
    _gained: list[tuple[object, ...]] = field(default_factory=list)
    _writer: "Any" = None

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Take rows with their predictions; of CSV and TSV, twenty thousand at most are in memory."""
        if self.table is None:
            self._rows += records
        self._gained += map(self.columns.values, predictions)
        if self.table is None and self.source.delimiter is not None and len(self._rows) >= _GROUP_ROWS:
            self._write_group()

    def end(self) -> None:
        """Write the file."""
        if self._gained or self._writer is None:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        pyarrow, parquet = import_pyarrow(self.source.name)
        if self.names is None:
            self.names = tuple(self._rows[0].values) if self._rows else ()
        self.columns.check(self.names, self.source)
        table = self.table
        if table is None:
            found = {name: [row.values.get(name) for row in self._rows] for name in self.names}
            table = pyarrow.table({name: _array(pyarrow, values) for name, values in found.items()})
        kinds = self._kinds(pyarrow)
        for place, (name, kind) in enumerate(zip(self.columns.names, kinds, strict=True)):
            values = [self._value(row[place]) for row in self._gained]
            table = table.append_column(pyarrow.field(name, kind), pyarrow.array(values, kind))
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self.file, table.schema)
        self._writer.write_table(table)
        self._rows, self._gained = [], []

    def _kinds(self, pyarrow: Any) -> list[Any]:
        label = pyarrow.list_(pyarrow.string()) if self.columns.kind == "multi_label" else pyarrow.string()
        kinds = [label, pyarrow.float64(), pyarrow.float64(), pyarrow.bool_(), pyarrow.bool_()]
        assert len(kinds) == len(PREDICTION_COLUMNS)
        if self.columns.all_scores:
            scores = pyarrow.map_(pyarrow.string(), pyarrow.float64())
            kinds += [pyarrow.float64() for _ in self.columns.labels] or [scores]
        return [*kinds, pyarrow.string()] if self.columns.with_note else kinds

    def _value(self, value: object) -> object:
        return list(value.items()) if isinstance(value, dict) else value


def _array(pyarrow: Any, values: Sequence[object]) -> Any:
    """Return a column whose values are no Parquet: text, a type that all have, or each as JSON."""
    if all(value is None or isinstance(value, str) for value in values):
        return pyarrow.array(values, pyarrow.string())
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowException, OverflowError):
        told = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values]
        return pyarrow.array(told, pyarrow.string())


def check_pyarrow(name: str) -> None:
    """Refuse to begin what pyarrow is needed for where it is not installed.

    Args:
        name: The file that is to be read, or written as Parquet.

    Raises:
        InvalidParameter: It is not installed.
    """
    import_pyarrow(name)


def _open(source: Source) -> Any:
    pyarrow, parquet = import_pyarrow(source.name)
    try:
        opened = parquet.ParquetFile(source.file)
        opened.schema_arrow.names  # noqa: B018 - decodes them, which a damaged file may not allow
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(source, error) from error
    return opened


def _damaged(source: Source, error: Exception) -> InvalidFile:
    return source.error(_DAMAGED, reason=str(error).splitlines()[0].rstrip(".") if str(error) else "it ends too early")


def _size_bytes(opened: Any) -> int:
    groups = range(opened.metadata.num_row_groups)
    return sum(opened.metadata.row_group(group).total_byte_size for group in groups)


def _check_text(source: Source, schema: Any, column: str) -> None:
    pyarrow, _ = import_pyarrow(source.name)
    kind = schema.field(column).type
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) or _is_view(pyarrow, kind)):
        raise source.error(
            "the column {column!r} holds {kind}, no text. Name a column of strings with {arg:text_column}, or make it "
            "one.",
            column=column,
            kind=str(kind),
            parameter="text_column",
        )


def _is_view(pyarrow: Any, kind: Any) -> bool:
    return bool(pyarrow.types.is_string_view(kind))


def _read(source: Source, opened: Any, shard: Shard) -> Any:
    """Return the rows of a shard; of large row groups, no more than a batch is in memory besides."""
    pyarrow, _ = import_pyarrow(source.name)
    groups: list[int] = []
    first = 0  # the first row of the first group that has rows of the shard
    before = 0
    for group in range(opened.metadata.num_row_groups):
        behind = before + opened.metadata.row_group(group).num_rows
        if before < shard.end and behind > shard.start:
            first = first if groups else before
            groups.append(group)
        before = behind
    batches, at = [], first
    try:
        for batch in opened.iter_batches(_BATCH_ROWS, row_groups=groups):
            start, end = max(shard.start - at, 0), min(shard.end - at, batch.num_rows)
            if start < end:
                batches.append(batch.slice(start, end - start))
            at += batch.num_rows
            if at >= shard.end:
                break
        table = pyarrow.Table.from_batches(batches, opened.schema_arrow)
        # Texts that are no UTF-8 would fail only where they are read.
        table.validate(full=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(source, error) from error
    if table.num_rows != shard.rows:
        raise source.error(CHANGED)
    return table


def _records(source: Source, table: Any, columns: Columns, shard: Shard, *, keep_blank: bool) -> Iterator[Record]:
    texts = [table.column(name).to_pylist() for name in columns.text]
    for number, values in enumerate(zip(*texts, strict=True)):
        row = dict(zip(columns.text, values, strict=True))
        text = columns.text_of(row)
        if text is None or is_blank(str(text)):
            if not keep_blank:
                words = "the text is blank. Fill it in or remove that row."
                raise source.error(words, shard.line + number, field="text")
            text = ""
        yield Record(shard.line + number, str(text), row)
