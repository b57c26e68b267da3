"""Train a revision again from its record and kept rows, and compare the two artifacts."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats, Integers
from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidArtifact
from windrow.domain.label_descriptions import LabelsAlone
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.prediction import Kind
from windrow.domain.reproduction import Reproduction, find_changes, judge
from windrow.domain.training_report import AdapterReport
from windrow.encoders.adapters import LowRankChanges, pack_adapter
from windrow.encoders.bulk import encode
from windrow.encoders.layout import feature_size
from windrow.execution.trainer import train
from windrow.execution.training_set import TrainingContext
from windrow.execution.zero_shot_training import train_zero_shot
from windrow.learning.head import scores_of_logits
from windrow.storage.artifact import Artifact, artifact_from_bytes, artifact_to_bytes

# Encoding this many texts twice takes little time beside a training on as many rows or more.
MAX_COMPARED_TEXTS = 1_000


def reproduce(
    record: Record, artifact_bytes: bytes, dataset: LabelledDataset, context: TrainingContext
) -> Reproduction:
    """Train a revision again, and compare the new artifact with the kept one, without saving anything.

    Both artifacts predict now, on this machine, with the serving encoder, so any difference is one of the artifacts.

    Args:
        record: The revision's record, with its recipe.
        artifact_bytes: The revision's artifact.
        dataset: The revision's training rows.
        context: The training's resources; the encoder is the record's (``EncoderRegistry.of_record``).

    Raises:
        InvalidArtifact: The kept artifact is damaged, or does not fit the encoder; or the rows are not the record's.
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    kept = artifact_from_bytes(artifact_bytes)
    _check_belonging(record, kept, dataset, context)
    started = time.perf_counter()
    if isinstance(dataset, LabelsAlone):
        trained = train_zero_shot(dataset, context)
    else:
        trained = train(dataset, record, context, descriptions=record.label_descriptions)
    took_s = round(time.perf_counter() - started, 3)
    again = artifact_from_bytes(trained.artifact)
    texts = choose_texts(dataset.distinct_texts or dataset.labels)
    then, now = (_scores(artifact, texts, record.kind, context) for artifact in (kept, again))
    given_then = _given(then, tuple(record.label_thresholds.values()))
    given_now = _given(now, trained.label_thresholds or ())
    num_changed_labels = int((given_then != given_now).any(axis=1).sum())
    largest_score_difference = _largest_difference(then, now)
    # Files are equal if and only if their tensors are.
    has_same_weights = artifact_to_bytes(kept) == artifact_to_bytes(again)
    return Reproduction(
        model_name=record.name,
        revision=record.revision,
        verdict=judge(has_same_weights, num_changed_labels, largest_score_difference),
        largest_weight_difference=_largest_weight_difference(kept, again),
        largest_score_difference=largest_score_difference,
        num_changed_labels=num_changed_labels,
        num_texts=len(texts),
        changes=find_changes(record.versions, trained.versions),
        notes=tuple(_notes(record.adapter, trained.adapter)),
        training_time_seconds=took_s,
    )


def choose_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts, or an even sample of ``MAX_COMPARED_TEXTS``, in order."""
    count = min(len(texts), MAX_COMPARED_TEXTS)
    return [texts[number * len(texts) // count] for number in range(count)]


def _check_belonging(record: Record, kept: Artifact, dataset: LabelledDataset, context: TrainingContext) -> None:
    """Refuse files that do not belong to the record, before minutes of training."""
    shape = len(dataset.labels), feature_size(context.encoder.folder)
    if dataset.sha256 != record.training_data_sha256:
        raise _misfit(record, "its training rows have another digest")
    if kept.head.weights.shape != shape:
        raise _misfit(record, f"its head has shape {kept.head.weights.shape}, not {shape}")
    if kept.adapter is not None:
        pack_adapter(context.encoder.folder, kept.adapter)


def _scores(artifact: Artifact, texts: Sequence[str], kind: Kind, context: TrainingContext) -> Floats:
    adapter = None if artifact.adapter is None else pack_adapter(context.encoder.folder, artifact.adapter)
    features = encode(context.encoder, texts, adapter, context.compute).features
    return scores_of_logits(artifact.head.logits(features), kind)


def _given(scores: Floats, thresholds: Sequence[float]) -> Integers | Bools:
    """Return the labels that scores give.

    Args:
        scores: Shape [texts, labels], float32.
        thresholds: Of a multi-label classifier, the score from which each label is given, in their order; otherwise
            empty.

    Returns:
        The position of the best label, shape [texts, 1]; or whether each label is given, shape [texts, labels].
    """
    if not thresholds:
        best: Integers = scores.argmax(axis=1, keepdims=True)
        return best
    given: Bools = scores >= np.array(thresholds, np.float32)
    return given


def _largest_weight_difference(kept: Artifact, again: Artifact) -> float | None:
    ours, theirs = kept.adapter or {}, again.adapter or {}
    projections = {name.rpartition(".")[0] for name in ours}
    if projections != {name.rpartition(".")[0] for name in theirs}:
        return None
    return max(
        _largest_difference(kept.head.weights, again.head.weights),
        _largest_difference(kept.head.bias, again.head.bias),
        *(_largest_difference(_change(ours, name), _change(theirs, name)) for name in projections),
    )


def _change(adapter: LowRankChanges, name: str) -> npt.NDArray[np.float64]:
    """Return the weight change of a projection."""
    down, up = adapter[f"{name}.down"], adapter[f"{name}.up"]
    return down.astype(np.float64) @ up.astype(np.float64)


def _largest_difference(ours: npt.NDArray[np.floating[Any]], theirs: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.abs(ours.astype(np.float64) - theirs).max())


def _notes(first: AdapterReport | None, new: AdapterReport | None) -> Iterator[str]:
    for which, report in (("first", first), ("new", new)):
        if report is not None and report.ended_by == "max_seconds":
            yield (
                f"The time limit ended the {which} training after {report.steps} of {report.planned_steps} steps. "
                "How many steps fit depends on the clock, so the two need not be equal."
            )


def _misfit(record: Record, problem: str) -> InvalidArtifact:
    return InvalidArtifact(
        "The saved files of {model_name} do not belong to its record: {why}. Restore the classifier's folder from a "
        "backup, or train it again.",
        {"model_name": record.name, "why": problem},
    )
