"""Make a classifier of the names and descriptions of its labels alone, without rows and without a training process."""

from collections.abc import Mapping

from windrow.domain.classification import warn_of_truncated_labels
from windrow.domain.data_warnings import find_data_warnings
from windrow.domain.dataset import DataWarning
from windrow.domain.job import StageEstimate
from windrow.domain.label_descriptions import LabelsAlone, described, warn_of_zero_shot
from windrow.domain.training_report import FitReport, HeadReport, ScoreReport
from windrow.domain.values import recast
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.environment import describe_encoding
from windrow.execution.label_encoding import encode_labels, measure_cosine_scale
from windrow.execution.trainer import Trained
from windrow.execution.training_set import TrainingContext
from windrow.learning.zero_shot import (
    TEMPERATURE,
    multi_label_temperature,
    multi_label_threshold,
    multi_label_zero_shot_head,
    zero_shot_head,
)
from windrow.storage.artifact import Artifact, artifact_to_bytes

# Encoding a few hundred short texts takes about as long.
_SECONDS = 0.5
# The features of a thousand labels and their descriptions.
_MEMORY_BYTES = 20_000_000


def train_zero_shot(dataset: LabelsAlone, context: TrainingContext) -> Trained:
    """Make a classifier without rows: its head is the zero-shot head, whose temperature calibrates it.

    Args:
        dataset: The labels and their descriptions.
        context: The training's resources; its runner is not needed.

    Raises:
        TrainingCancelled: The training was cancelled.
    """
    context.control.report_progress("encoding")
    descriptions = described(dataset.descriptions)
    vectors = encode_labels(dataset.labels, descriptions, context.encoder, context.compute)
    scale = measure_cosine_scale(context.encoder, context.compute)
    head, temperature = zero_shot_head(vectors, scale), TEMPERATURE * scale
    thresholds: tuple[float, ...] | None = None
    if dataset.multi_label:
        head, temperature = multi_label_zero_shot_head(vectors, scale), multi_label_temperature(scale)
        thresholds = (multi_label_threshold(len(dataset.labels)),) * len(dataset.labels)
    warnings = (
        _warn_of_zero_shot(dataset),
        *warn_of_long_descriptions(descriptions, context.encoder),
        *zero_shot_warnings(dataset)[1:],
    )
    report = recast(
        FitReport, dataset, duplicate_rows=0, contradicting_rows=0, truncated_rows=0, small_classes=(), estimate=None
    )
    return Trained(
        artifact=artifact_to_bytes(Artifact(head, None, None)),
        head=HeadReport(c=0.0, cv_accuracy=None, cv_folds=0),
        estimate=None,
        label_thresholds=thresholds,
        scores=ScoreReport(temperature=temperature, source="prior", similarity=None, similarity_std=None),
        versions=describe_encoding(),
        adapter=None,
        report=report,
        warnings=warnings,
    )


def zero_shot_warnings(dataset: LabelsAlone) -> tuple[DataWarning, ...]:
    """Return what can be said of such a classifier before it is made."""
    odd = (each for each in find_data_warnings(dataset) if each.code != "small_classes")
    return (_warn_of_zero_shot(dataset), *odd)


def _warn_of_zero_shot(dataset: LabelsAlone) -> DataWarning:
    labels = len(dataset.labels)
    return warn_of_zero_shot(labels, multi_label_threshold(labels) if dataset.multi_label else None)


def count_tokens(dataset: LabelsAlone, encoder: TextEncoder) -> int:
    """Return the number of tokens of the descriptions."""
    return sum(len(each.ids) for each in encoder.tokenize(list(described(dataset.descriptions).values())))


def estimate_zero_shot(dataset: LabelsAlone) -> tuple[tuple[StageEstimate, ...], int, str]:
    """Return the stages of making such a classifier, its memory in bytes, and the reason for that."""
    reason = f"The names and descriptions of {len(dataset.labels)} labels are encoded once."
    saving = "The classifier is written, read back and asked once."
    stages = (StageEstimate("encoding", _SECONDS, reason), StageEstimate("saving", 0.1, saving))
    return stages, _MEMORY_BYTES, "No training process is needed without rows."


def warn_of_long_descriptions(descriptions: Mapping[str, str], encoder: TextEncoder) -> tuple[DataWarning, ...]:
    """Return the warning that descriptions are longer than the encoder reads, if some are."""
    tokens = encoder.tokenize(list(descriptions.values()))
    long = [label for label, own in zip(descriptions, tokens, strict=True) if own.truncated]
    return (warn_of_truncated_labels(long, encoder.folder.max_tokens),) if long else ()
