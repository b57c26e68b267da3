"""The trainer: the steps of one training, from checked rows to a finished artifact.

Owns their order and what passes from one to the next; knows nothing of names, saving or of where tasks are run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from windrow.domain.classifier import TrainingSummary
from windrow.domain.dataset import DataReport, Dataset, DataWarning, find_data_warnings, report_data
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import join_changes
from windrow.encoders.bulk import Encoded, encode
from windrow.execution.folds import judge_tuning
from windrow.execution.look import FirstLook, Means, look_first
from windrow.execution.tasks import FitTask
from windrow.execution.tuning import Tuned, tune
from windrow.learning.choice import label_name_texts
from windrow.learning.fitting import Examples
from windrow.learning.folds import deal_folds


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training.

    Args:
        artifact: The file to save.
        summary: What the record will say of it.
        data: What was counted in the rows.
        warnings: What a person should know.
    """

    artifact: bytes
    summary: TrainingSummary
    data: DataReport
    warnings: tuple[DataWarning, ...]


def train(dataset: Dataset, recipe: Recipe, means: Means) -> Trained:
    """Train a classifier.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        means: The encoder, where to work, and who watches.

    Raises:
        TrainingFailed: A task failed.
        TrainingCancelled: The watch stopped it.
        ShuttingDown: The runner was closed.

    Source: docs/training.md.
    """
    look = look_first(dataset, recipe, means)
    tuned = tune(look, recipe, means, partial(means.watch.tell, "training"))
    held_out = None
    # Folds of a training that max_seconds cut short would be trained longer than it was, and there is no time for them.
    if tuned.adapter is not None and tuned.report is not None and tuned.report.ended_by != "max_seconds":
        held_out = judge_tuning(look, recipe, means)
    means.watch.tell("finishing")
    task, truncated = _fit_task(dataset, recipe, means, look, tuned)
    outcome = means.run(replace(task, held_out=held_out))
    warnings = (*find_data_warnings(dataset), *_warnings(look, truncated, outcome.summary, recipe))
    return Trained(outcome.artifact, outcome.summary, report_data(dataset, len(truncated)), warnings)


def _fit_task(
    dataset: Dataset, recipe: Recipe, means: Means, look: FirstLook, tuned: Tuned
) -> tuple[FitTask, list[int]]:
    """Return the head's task on features as they will be served, and the rows whose texts were truncated."""
    texts = list(dict.fromkeys(dataset.texts))
    encoded = Encoded(look.features, look.states.truncated)
    if tuned.adapter is not None or look.share < 1:
        adapter = None if tuned.adapter is None else join_changes(means.encoder.folder, tuned.adapter)
        encoded = encode(means.encoder, [*texts, *label_name_texts(dataset.labels)], adapter, means.compute)
    number = {text: position for position, text in enumerate(texts)}
    rows = [number[text] for text in dataset.texts]
    names = range(look.names)
    examples = Examples(
        features=encoded.features[[*rows, *(len(texts) + name for name in names)]],
        label_ids=np.array([*dataset.label_ids(), *names], dtype=np.int64),
        groups=np.array(rows, dtype=np.int64),
        anchors=look.names,
    )
    task = FitTask(examples, means.encoder.folder.hidden_size, recipe.seed, tuned.adapter, tuned.report)
    return task, np.flatnonzero(encoded.truncated[rows]).tolist()


def _warnings(look: FirstLook, truncated: list[int], summary: TrainingSummary, recipe: Recipe) -> Iterator[DataWarning]:
    report = summary.adapter
    if truncated:
        message = f"{len(truncated)} row(s) are longer than the encoder reads; their ends were left out."
        yield DataWarning("truncated_rows", message, tuple(truncated[:5]))
    if report is not None and report.ended_by == "step_budget":
        message = (
            f"Contrastive training took {report.steps} steps over {report.texts} rows, which is all that one training "
            "may take; the head was fitted on every row. More num_iterations would change nothing."
        )
        yield DataWarning("step_budget", message)
    if report is not None and report.ended_by == "max_seconds":
        message = f"max_seconds ended contrastive training after {report.steps} of {report.planned_steps} steps."
        yield DataWarning("ended_by_max_seconds", message)
    if summary.estimate is None and recipe.cross_validate:
        can_hold_out = deal_folds(look.label_ids, look.text_ids, recipe.seed).max() >= 0
        why = (
            "max_seconds left no time for it"
            if recipe.max_seconds is not None and can_hold_out
            else "no label has two different texts"
        )
        message = f"Its accuracy could not be estimated, and its scores are calibrated by what is usual: {why}."
        yield DataWarning("no_estimate", message)
