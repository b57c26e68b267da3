"""Any record, numbered file, artifact and rows that follow the rules, for Hypothesis to draw."""

from datetime import UTC, datetime
from typing import Literal

import numpy as np
from hypothesis import strategies as st

from windrow.domain.alias import Said
from windrow.domain.classifier import AdapterReport, Candidate, HeadReport, Notes, Origin, Record, TrainingSummary
from windrow.domain.classifier import TestScore as Score
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.recipe import BaseModel, Recipe
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact
from windrow.storage.revision import (
    AliasRevision,
    BlobRef,
    Buried,
    Entry,
    Pointer,
    Purged,
    Removed,
    Revision,
    Tombstone,
)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_number = st.floats(allow_nan=False, allow_infinity=False)
_name = st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)
_count = st.integers(0, 10**6)
_digest = st.text("0123456789abcdef", min_size=64, max_size=64)
any_time = st.integers(0, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_warnings = st.builds(DataWarning, _text, _text, st.lists(_count, max_size=5).map(tuple))
_heads = st.builds(HeadReport, _number, st.none() | st.floats(0, 1), _count)
_candidates = st.builds(Candidate, st.floats(0, 1), st.none() | st.floats(0, 1))
_adapters = st.builds(
    AdapterReport,
    strength=st.floats(0, 1),
    reason=_text,
    candidates=st.lists(_candidates, max_size=3).map(tuple),
    layers=_count,
    rank=_count,
    passes=_count,
    planned_steps=_count,
    steps=_count,
    ended_by=st.sampled_from(["plan", "step_budget", "max_seconds"]),
    texts=_count,
    used_label_names=st.booleans(),
    first_loss=st.none() | _number,
    last_loss=st.none() | _number,
)

any_rows = st.lists(st.builds(Row, _some_text, _some_text), max_size=8).map(tuple)


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    """Draw a record that follows the rules of the domain."""
    labels = tuple(sorted(draw(st.sets(_some_text, min_size=2, max_size=5))))
    return Record(
        name=draw(_name),
        revision=draw(st.integers(1, 10**7)),
        labels=labels,
        rows_per_label={label: draw(_count) for label in labels},
        base_model=draw(st.builds(BaseModel, _text, _digest, st.none() | _text)),
        recipe=draw(st.builds(Recipe, _count, _count, _count, st.none() | _number)),
        data_sha256=draw(_digest),
        created_at=draw(any_time),
        training_time_s=draw(_number),
        summary=draw(
            st.builds(TrainingSummary, _heads, st.none() | _adapters, st.dictionaries(_text, _text, max_size=3))
        ),
        warnings=draw(st.lists(_warnings, max_size=3).map(tuple)),
    )


_tags = st.sets(_some_text.map(str.strip).filter(lambda tag: tag and tag.isprintable()), max_size=4).map(
    lambda tags: tuple(sorted(tags))
)
any_blob_ref = st.builds(BlobRef, _digest, _count, st.sampled_from([".safetensors", ".jsonl.gz"]))
any_entry = st.builds(
    Entry,
    kind=st.sampled_from(["trained", "imported", "described", "measured", "restored", "trimmed"]),
    at=any_time,
    record=any_record(),
    blobs=st.dictionaries(st.sampled_from([ARTIFACT, ROWS]), any_blob_ref),
    notes=st.builds(Notes, _text, _tags),
    test=st.none() | st.builds(Score, st.integers(0, 10), st.integers(10, 20), _digest, any_time),
    origin=st.none() | st.builds(Origin, _text, st.integers(1, 10**7), any_time),
    purged=st.sets(st.integers(1, 10**7), max_size=4).map(lambda numbers: tuple(sorted(numbers))),
    buried=st.none() | st.builds(Buried, st.integers(1, 10**7), any_time),
)


@st.composite
def any_revision(draw: st.DrawFn) -> tuple[str, int, Revision]:
    """Draw what a classifier's numbered file may say, after the name and a number that it may bear."""
    if draw(st.booleans()):
        ending = draw(
            st.builds(Tombstone, st.just("deleted"), any_time) | st.builds(Purged, st.just("purged"), any_time)
        )
        return draw(_name), draw(st.integers(1, 10**7)), ending
    entry = draw(any_entry)
    number = entry.record.revision + (0 if entry.is_training else draw(st.integers(1, 10)))
    return entry.record.name, number, entry


@st.composite
def any_alias_revision(draw: st.DrawFn) -> tuple[int, AliasRevision]:
    """Draw what an alias's numbered file may say, after a number that it may bear."""
    number, at, said = draw(st.integers(1, 10**7)), draw(any_time), draw(st.builds(Said, _text, _text))
    if draw(st.booleans()):
        return number, Removed("removed", at, said)
    kind: Literal["promoted", "rolled_back"] = draw(st.sampled_from(["promoted", "rolled_back"]))
    points_to = draw(_name) + draw(st.sampled_from(["", "@1", "@12"]))
    return number, Pointer(kind, at, points_to, said, draw(st.integers(0, number - 1)))


@st.composite
def any_artifact(draw: st.DrawFn) -> Artifact:
    """Draw an artifact of up to 5 labels and 6 features, with or without an adapter."""
    labels, features = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = draw(st.dictionaries(_some_text, st.lists(st.integers(1, 4), min_size=1, max_size=3), max_size=4))
    adapter = {name: numbers.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}
    head = LinearHead(
        numbers.normal(size=(labels, features)).astype(np.float32), numbers.normal(size=labels).astype(np.float32)
    )
    return Artifact(head, adapter or None)
