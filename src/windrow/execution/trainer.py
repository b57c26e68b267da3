"""The trainer: the steps of one training, from checked rows to a finished artifact."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from windrow.domain.dataset import Dataset, DataWarning, find_data_warnings
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport, Estimate, FitReport
from windrow.domain.values import recast
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import Encoded, encode
from windrow.execution.folds import judge_tuning
from windrow.execution.look import FirstLook, Means, look_first
from windrow.execution.selection import Selection
from windrow.execution.tasks import AdapterTensors, FitOutcome, FitTask
from windrow.execution.tuning import tune
from windrow.learning.folds import assign_folds
from windrow.learning.head_fitting import Examples
from windrow.learning.model_selection import label_name_texts


@dataclass(frozen=True, slots=True)
class Trained(FitOutcome):
    """A finished training: the file to save, and what its record will say.

    Args:
        adapter: How the encoder was changed; ``None`` with 0 iterations.
        report: What was counted in the rows, and how the training should do.
        warnings: What a person should know.
    """

    adapter: AdapterReport | None
    report: FitReport
    warnings: tuple[DataWarning, ...]


def train(dataset: Dataset, recipe: Recipe, means: Means, selection: Selection | None = None) -> Trained:
    """Train a classifier. Each distinct text is read and encoded once; of a sample, twice.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        means: The encoder, where to work, and who watches.
        selection: The rows for contrastive training, where they were chosen already (``measure_size``).

    Raises:
        TrainingFailed: A task failed.
        TrainingCancelled: The watch stopped it.
        ShuttingDown: The runner was closed.

    Source: docs/training.md.
    """
    look = look_first(dataset, recipe, means, selection)
    tuned = tune(look, recipe, means, partial(means.watch.tell, "training"))
    held_out = None
    # Folds of a training that max_seconds cut short would be trained longer than it was, and there is no time for them.
    if tuned.adapter is not None and tuned.report is not None and tuned.report.ended_by != "max_seconds":
        held_out = judge_tuning(look, recipe, means)
    means.watch.tell("finishing")
    encoded = _as_served(dataset, look, tuned.adapter, means)
    examples = _examples(dataset, look, encoded)
    outcome = means.run(FitTask(examples, means.encoder.folder.hidden_size, recipe.seed, tuned.adapter, held_out))
    truncated = np.flatnonzero(encoded.truncated[examples.groups])
    report = recast(
        FitReport,
        dataset,
        duplicate_rows=len(dataset.duplicate_rows),
        contradicting_rows=len(dataset.contradicting_rows),
        truncated_rows=len(truncated),
        estimate=outcome.estimate,
    )
    warnings = (
        *find_data_warnings(dataset),
        *_warn_of_truncated(truncated.tolist()),
        *_warn_of_cut_short(tuned.report),
        *_warn_of_no_estimate(look, outcome.estimate, recipe),
    )
    return recast(Trained, outcome, adapter=tuned.report, report=report, warnings=warnings)


def _as_served(dataset: Dataset, look: FirstLook, adapter: AdapterTensors | None, means: Means) -> Encoded:
    """Return the distinct texts and, behind them, the label names, as the classifier will see them."""
    if look.share == 1:
        return Encoded(look.seen_through(adapter, means).features, look.states.truncated)
    # In the batches in which they serve: a sample's states come from other batches, which round otherwise.
    changes = None if adapter is None else pack_adapter(means.encoder.folder, adapter)
    texts = [*dataset.distinct_texts, *label_name_texts(dataset.labels)]
    return encode(means.encoder, texts, changes, means.compute)


def _examples(dataset: Dataset, look: FirstLook, encoded: Encoded) -> Examples:
    """Return every row, and the label names that take part, as the head is fitted to them."""
    rows, names = np.array(dataset.text_ids), np.arange(look.names)
    return Examples(
        features=encoded.features[np.concatenate([rows, len(dataset.distinct_texts) + names])],
        label_ids=np.concatenate([dataset.label_ids, names]),
        groups=rows,
        num_train_only_rows=look.names,
    )


def _warn_of_truncated(rows: list[int]) -> Iterator[DataWarning]:
    if rows:
        message = f"{len(rows)} row(s) are longer than the encoder reads; their ends were left out."
        yield DataWarning("truncated_rows", message, tuple(rows[:5]))


def _warn_of_cut_short(report: AdapterReport | None) -> Iterator[DataWarning]:
    if report is not None and report.ended_by == "step_budget":
        message = (
            f"Contrastive training took {report.steps} steps over {report.texts} rows, which is all that one training "
            "may take; the head was fitted on every row. More iterations would change nothing."
        )
        yield DataWarning("step_budget", message)
    if report is not None and report.ended_by == "max_seconds":
        message = f"The time limit ended contrastive training after {report.steps} of {report.planned_steps} steps."
        yield DataWarning("ended_by_max_seconds", message)


def _warn_of_no_estimate(look: FirstLook, estimate: Estimate | None, recipe: Recipe) -> Iterator[DataWarning]:
    if estimate is not None or not recipe.cross_validate:
        return
    can_hold_out = assign_folds(look.label_ids, look.text_ids, recipe.seed).max() >= 0
    why = (
        "the time limit left no time for it"
        if recipe.max_seconds is not None and can_hold_out
        else "no label has two different texts"
    )
    message = f"Its accuracy could not be estimated, and its scores are calibrated by what is usual: {why}."
    yield DataWarning("no_estimate", message)
