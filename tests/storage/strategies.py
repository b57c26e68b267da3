"""Any record, artifact and rows that follow the rules, for Hypothesis to draw."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from windrow.domain.classifier import AdapterReport, Candidate, HeadReport, Record, TrainingSummary
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.recipe import BaseModel, Recipe
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact, BlobRef, Entry

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_number = st.floats(allow_nan=False, allow_infinity=False)
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
        name=draw(st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)),
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


any_blob_ref = st.builds(BlobRef, _digest, _count, st.sampled_from([".safetensors", ".jsonl.gz"]))
any_entry = st.builds(Entry, any_record(), st.dictionaries(st.sampled_from([ARTIFACT, ROWS]), any_blob_ref))


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
