"""What pins a prediction of files, beside its results: which revision, options and files, and where shards begin.

It is written first, by whoever is first, and never changed, so that everybody who works on the results works on the
same ones.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from windrow.codec.values import ValidationError, from_json, to_json, to_plain
from windrow.domain.errors import ConcurrentChange, InvalidParameter
from windrow.domain.figures import listed
from windrow.domain.file_prediction import PredictFilesRequest, RowsFormat
from windrow.domain.prediction import Kind
from windrow.domain.read_options import LABEL_OPTIONS
from windrow.files.sharding import FilePlan, ShardOptions
from windrow.files.text_form import TextForm
from windrow.files.writing import PredictionColumns
from windrow.storage.files import KeyMissing
from windrow.storage.input_files import InputFile
from windrow.storage.places import Place

MANIFEST: Final = "_manifest.json"
# The name by which other programs know that a folder is whole; it holds the report.
DONE: Final = "_SUCCESS"
PARTS: Final = "part-"
FORMAT: Final = 2
_SHOWN: Final = 3
# Who runs it, and how it treats what is there, changes nothing about the results.
_NOT_PINNED: Final = frozenset(("model_name", "input", "output", "overwrite", "runner", "workers", *LABEL_OPTIONS))


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file and its shards."""

    input: InputFile
    """The file as it was found."""
    output_format: RowsFormat
    """What becomes of it."""
    text: TextForm
    """How the text of its results is written."""
    plan: FilePlan
    """Its shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that decides what the results look like."""

    format: int = FORMAT
    """The version of this document."""
    id: str
    """Names the run that began it."""
    model_name: str
    """The classifier as the user named it."""
    reference: str
    """The revision that answers, ``name@revision``."""
    kind: Kind = "single_label"
    """Whether it gives one label, or any number of them."""
    labels: tuple[str, ...] = ()
    """Its labels."""
    digest: str = ""
    """Of what decides its answers; empty where the API key does not let it be known."""
    options: Mapping[str, Any]
    """How files are read, and what is written."""
    files: tuple[PlannedFile, ...]
    """The files, in the order of their numbers, from 1."""

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.plan.rows for file in self.files)

    @property
    def parts(self) -> "list[Part]":
        """All shards, in the order of files and rows."""
        return [
            Part(number, shard)
            for number, file in enumerate(self.files, 1)
            for shard in range(1, len(file.plan.shards) + 1)
        ]

    def file_of(self, part: "Part") -> PlannedFile:
        """Return the file of a shard."""
        return self.files[part.file - 1]

    def rows_of(self, part: "Part") -> int:
        """Return how many rows a shard has."""
        return self.file_of(part).plan.shards[part.shard - 1].rows

    def name_of(self, part: "Part") -> str:
        """Return what a shard's results are called."""
        return f"{PARTS}{part.file:05d}-{part.shard:05d}.{self.file_of(part).output_format}"


@dataclass(frozen=True, slots=True)
class Part:
    """A shard by its numbers: of its file, and among that file's shards, each from 1."""

    file: int
    shard: int


def new_id() -> str:
    """Return an id that no other run has."""
    return secrets.token_hex(8)


def options_of(request: PredictFilesRequest) -> dict[str, Any]:
    """Return the options of a request that decide what the results look like."""
    plain = to_plain(request)
    return {each.name: plain[each.name] for each in fields(request) if each.name not in _NOT_PINNED}


def shard_options(request: PredictFilesRequest) -> ShardOptions:
    """Return how the files of a request are cut."""
    return ShardOptions(read=request.read_options, shard_rows=request.shard_rows, keep_blank=request.note_bad_rows)


def columns_of_request(
    request: PredictFilesRequest, kind: Kind, labels: Sequence[str], written: RowsFormat
) -> PredictionColumns:
    """Return the columns that rows gain.

    Args:
        request: What was asked for.
        kind: The kind of the classifier.
        labels: Its labels.
        written: What rows are written as.
    """
    columns = PredictionColumns(request.prefix, request.scores, request.note_bad_rows, kind)
    return columns if written == "jsonl" else columns.of_table(labels)


def read_manifest(place: Place, address: str) -> Manifest | None:
    """Return the manifest of a place; ``None`` where there is none.

    Args:
        place: The place.
        address: What messages call it.

    Raises:
        InvalidParameter: It cannot be read.
    """
    try:
        content = place.get(MANIFEST)
    except KeyMissing:
        return None
    facts = {"parameter": "output", "output": address, "manifest": MANIFEST}
    try:
        manifest = from_json(Manifest, content)
    except ValidationError as error:
        raise InvalidParameter(
            "{manifest} in {output} is damaged, or of another version of Windrow. Begin anew with {set:overwrite}.",
            facts,
        ) from error
    if manifest.format != FORMAT:
        raise InvalidParameter(
            "{output} was begun by another version of Windrow. Go on with that one, or begin anew with "
            "{set:overwrite}.",
            facts,
        )
    return manifest


def write_manifest(place: Place, manifest: Manifest, address: str) -> None:
    """Write a manifest as the first file of a place.

    Raises:
        ConcurrentChange: Another run has written one at the same time.
    """
    if not place.create(MANIFEST, to_json(manifest)):
        raise ConcurrentChange(
            "Another run began to write to {output} at the same time. Ask again to go on with what it has begun.",
            {"output": address},
        )


def check_same_run(manifest: Manifest, request: PredictFilesRequest, inputs: Sequence[InputFile]) -> None:
    """Make sure that a run goes on as another one began.

    Args:
        manifest: What it began with.
        request: What is asked for now.
        inputs: The files that are there now.

    Raises:
        InvalidParameter: It would have other results; the message says what differs.
    """
    differences = [
        *_differing_model(manifest, request),
        *_differing_options(manifest.options, options_of(request)),
        *_differing_files([file.input for file in manifest.files], inputs),
    ]
    if differences:
        raise InvalidParameter(
            "{output} holds what another run has begun, and this one differs: {differences}. Go on as it was begun, "
            "name another folder, or begin anew with {set:overwrite}.",
            {"parameter": "output", "output": request.output, "differences": "; ".join(differences)},
        )


def _differing_model(manifest: Manifest, request: PredictFilesRequest) -> list[str]:
    if manifest.model_name == request.model_name:
        return []
    return [f"the classifier is {request.model_name} in place of {manifest.model_name}"]


def _differing_options(begun: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    changed = [name for name in dict.fromkeys((*begun, *wanted)) if begun.get(name) != wanted.get(name)]
    return [f"{name} is {wanted.get(name)!r} in place of {begun.get(name)!r}" for name in changed]


def _differing_files(begun: Sequence[InputFile], found: Sequence[InputFile]) -> list[str]:
    before, now = ({file.address: asdict(file) | {"name": ""} for file in files} for files in (begun, found))
    sorts = {
        "new": [address for address in now if address not in before],
        "gone": [address for address in before if address not in now],
        "changed": [address for address in now if address in before and now[address] != before[address]],
    }
    return [f"{listed(addresses, _SHOWN)} {_is(addresses)} {sort}" for sort, addresses in sorts.items() if addresses]


def _is(addresses: Sequence[str]) -> str:
    return "is" if len(addresses) == 1 else "are"
