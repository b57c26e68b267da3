"""Any record, numbered file, artifact and rows that follow the rules, for Hypothesis to draw."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from hypothesis import strategies as st

from windrow.domain.alias import ChangeNote
from windrow.domain.classifier import Origin, Record, Source
from windrow.domain.classifier import TestScore as Score
from windrow.domain.dataset import DataWarning, Row
from windrow.domain.interval import Interval
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import Kind
from windrow.domain.threshold import Threshold, ThresholdChange
from windrow.domain.training_report import AdapterReport, Candidate, Estimate, FitReport, HeadReport, ScoreReport
from windrow.domain.values import recast
from windrow.learning.head import LinearHead
from windrow.learning.scope import MAX_QUANTILES, Scope
from windrow.storage.artifact import ARTIFACT, ROWS, Artifact
from windrow.storage.revision import (
    AliasLogEntry,
    BlobRef,
    ClassifierState,
    DeletedPredecessors,
    LogEntry,
    Pointer,
    Purged,
    Removed,
    Tombstone,
)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_number = st.floats(allow_nan=False, allow_infinity=False)
_name = st.from_regex("[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)
_key_names = st.none() | _name
_count = st.integers(0, 10**6)
_digest = st.text("0123456789abcdef", min_size=64, max_size=64)
any_time = st.integers(0, 32_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_warnings = st.builds(DataWarning, _text, _text, st.lists(_count, max_size=5).map(tuple))
_heads = st.builds(HeadReport, _number, st.none() | st.floats(0, 1), _count)
_candidates = st.builds(Candidate, st.floats(0, 1), st.none() | st.floats(0, 1))
_adapters = st.builds(
    AdapterReport,
    scale=st.floats(0, 1),
    reason=_text,
    candidates=st.lists(_candidates, max_size=3).map(tuple),
    layers=_count,
    rank=_count,
    epochs=_count,
    planned_steps=_count,
    steps=_count,
    ended_by=st.sampled_from(["plan", "step_budget", "max_seconds"]),
    texts=_count,
    used_label_names=st.booleans(),
    first_loss=st.none() | _number,
    last_loss=st.none() | _number,
)

_scores = st.builds(
    ScoreReport,
    st.floats(0, 100, exclude_min=True),
    st.sampled_from(["out_of_fold", "prior"]),
    st.none() | st.floats(-1, 1),
    st.none() | st.floats(0, 2),
)
any_rows = st.lists(st.builds(Row, _some_text, _some_text), max_size=8).map(tuple)
_some_labels = st.lists(_some_text, max_size=4, unique=True).map(sorted).map(tuple)
any_multi_label_rows = st.lists(st.builds(MultiLabelRow, _some_text, _some_labels), max_size=8).map(tuple)


def any_reports(kind: Kind, labels: int) -> st.SearchStrategy[FitReport]:
    """Draw what may be counted in the rows of a classifier, and estimated from them."""
    return st.builds(
        FitReport,
        *(_count, _count, _count),
        st.lists(_text, max_size=min(2, labels)).map(tuple),
        st.floats(0, 1),
        st.none() | any_estimates(kind),
    )


def any_estimates(kind: Kind) -> st.SearchStrategy[Estimate]:
    """Draw an estimate whose counts fit each other."""
    figure = any_figure(kind)
    return st.integers(1, 10**6).flatmap(
        lambda total: st.builds(
            Estimate,
            *(st.integers(0, total), st.just(total), _count, st.builds(Interval, _number, _number)),
            micro_f1=figure,
            macro_f1=figure,
        )
    )


def any_figure(kind: Kind) -> st.SearchStrategy[float | None]:
    """Draw a figure that only multi-label classifiers have."""
    return st.floats(0, 1) if kind == "multi_label" else st.none()


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    """Draw a record that follows the rules of the domain."""
    labels = tuple(sorted(draw(st.sets(_some_text, min_size=2, max_size=5))))
    kind, source = draw(st.sampled_from(get_args(Kind))), draw(st.sampled_from(get_args(Source)))
    rows_per_label = {label: draw(_count) if source == "examples" else 0 for label in labels}
    num_examples = sum(rows_per_label.values())
    return Record(
        name=draw(_name),
        revision=draw(st.integers(1, 10**7)),
        labels=labels,
        rows_per_label=rows_per_label,
        num_examples=num_examples,
        kind=kind,
        source=source,
        label_thresholds=dict.fromkeys(labels, 0.25) if kind == "multi_label" else {},
        label_descriptions={label: draw(_text) for label in labels if source == "zero_shot" or draw(st.booleans())},
        base_model=draw(_text),
        base_model_digest=draw(_digest),
        base_model_revision=draw(st.none() | _text),
        num_iterations=draw(_count),
        batch_size=draw(_count),
        seed=draw(_count),
        max_seconds=draw(st.none() | _number),
        cross_validate=draw(st.booleans()),
        training_data_sha256=draw(_digest),
        created_at=draw(any_time),
        training_time_seconds=draw(_number),
        report=draw(any_reports(kind, len(labels))),
        head=draw(_heads),
        adapter=draw(st.none() | _adapters),
        scores=draw(_scores),
        versions=draw(st.dictionaries(_text, _text, max_size=3)),
        warnings=draw(st.lists(_warnings, max_size=3).map(tuple)),
        description=draw(_text),
        tags=draw(_tags),
        test=draw(st.none() | any_score(kind)),
        threshold_changes=draw(any_threshold_changes(labels if kind == "multi_label" else ())),
        extends=draw(st.none() | st.just("tickets@3")),
        taken_over_rows=draw(st.integers(0, sum(rows_per_label.values()))),
        replaced_rows=draw(_count),
        origin=draw(st.none() | st.builds(Origin, _text, st.integers(1, 10**7), any_time)),
        key_name=draw(_key_names),
    )


_tags = st.sets(_some_text.map(str.strip).filter(lambda tag: tag and tag.isprintable()), max_size=4).map(
    lambda tags: tuple(sorted(tags))
)


@st.composite
def any_score(draw: st.DrawFn, kind: Kind) -> Score:
    """Draw a score whose counts add up."""
    rows = draw(st.dictionaries(_some_text, st.integers(1, 1_000), min_size=1, max_size=4))
    correct = {label: draw(st.integers(0, total)) for label, total in rows.items()}
    return Score(
        correct=sum(correct.values()),
        total=sum(rows.values()),
        test_data_sha256=draw(_digest),
        measured_at=draw(any_time),
        macro_f1=draw(st.floats(0, 1)),
        ece=draw(st.floats(0, 1)),
        correct_per_label=correct,
        rows_per_label=rows,
        micro_f1=draw(any_figure(kind)),
    )


@st.composite
def any_threshold_changes(draw: st.DrawFn, labels: tuple[str, ...]) -> tuple[ThresholdChange, ...]:
    """Draw changes of a threshold that follow from each other; ``labels`` have thresholds of their own."""
    inside = st.floats(0, 1, exclude_min=True, exclude_max=True)
    by_label = st.dictionaries(st.sampled_from(labels), inside) if labels else st.just({})
    threshold = st.builds(Threshold, st.floats(0, 1), by_label)
    thresholds = draw(st.lists(st.none() | threshold, min_size=1, max_size=4))
    return tuple(
        ThresholdChange(
            at=draw(any_time),
            before=before,
            after=after,
            reason=draw(_text),
            author=draw(_text),
            key_name=draw(_key_names),
        )
        for before, after in pairwise(thresholds)
    )


any_blob_ref = st.builds(BlobRef, _digest, _count, st.sampled_from([".safetensors", ".jsonl.gz"]))
any_entry = st.builds(
    ClassifierState,
    kind=st.sampled_from(["trained", "imported", "described", "measured", "threshold_set", "restored", "trimmed"]),
    at=any_time,
    record=any_record(),
    blobs=st.dictionaries(st.sampled_from([ARTIFACT, ROWS]), any_blob_ref),
    purged=st.sets(st.integers(1, 10**7), max_size=4).map(lambda numbers: tuple(sorted(numbers))),
    erased=st.dictionaries(st.integers(10**8, 10**9), st.none() | any_blob_ref, max_size=2),
    buried=st.none() | st.builds(DeletedPredecessors, st.integers(1, 10**7), any_time),
)


@st.composite
def any_revision(draw: st.DrawFn) -> tuple[str, int, LogEntry]:
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
def any_alias_revision(draw: st.DrawFn) -> tuple[int, AliasLogEntry]:
    """Draw what an alias's numbered file may say, after a number that it may bear."""
    number, at, said = (
        draw(st.integers(1, 10**7)),
        draw(any_time),
        draw(st.builds(ChangeNote, reason=_text, author=_text)),
    )
    if draw(st.booleans()):
        return number, recast(Removed, said, at=at, key_name=draw(_key_names))
    kind: Literal["promoted", "rolled_back"] = draw(st.sampled_from(["promoted", "rolled_back"]))
    points_to = draw(_name) + draw(st.sampled_from(["", "@1", "@12"]))
    return number, recast(
        Pointer,
        said,
        kind=kind,
        at=at,
        points_to=points_to,
        back_to=draw(st.integers(0, number - 1)),
        must_pass=draw(any_rows),
        key_name=draw(_key_names),
    )


@st.composite
def _scopes(draw: st.DrawFn, labels: int, features: int) -> Scope:
    hidden = draw(st.integers(1, features))
    centers = np.random.default_rng(draw(st.integers(0, 2**32))).uniform(-1, 1, (labels, hidden)).astype(np.float16)
    likeness = sorted(draw(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=MAX_QUANTILES)))
    return Scope.of(centers, np.array(likeness, np.float32))


@st.composite
def any_artifact(draw: st.DrawFn) -> Artifact:
    """Draw an artifact of up to 5 labels and 6 features, with or without an adapter and a scope."""
    labels, features = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = draw(st.dictionaries(_some_text, st.lists(st.integers(1, 4), min_size=1, max_size=3), max_size=4))
    adapter = {name: numbers.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}
    head = LinearHead(
        numbers.normal(size=(labels, features)).astype(np.float32), numbers.normal(size=labels).astype(np.float32)
    )
    return Artifact(head, adapter or None, draw(st.none() | _scopes(labels, features)))
