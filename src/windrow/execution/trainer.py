"""Train a classifier, from checked rows to a finished artifact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from windrow.domain.data_warnings import find_data_warnings
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.multi_label_report import MultiLabelBaseline
from windrow.domain.quality_warnings import warn_of_majority, warn_of_truncated
from windrow.domain.recipe import Recipe
from windrow.domain.report import MajorityBaseline
from windrow.domain.training_report import AdapterReport, Estimate, FitReport
from windrow.domain.values import recast
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import Encoded, encode
from windrow.execution.adapter_training import TrainedAdapter
from windrow.execution.environment import choose_precision
from windrow.execution.holdout import (
    PairedHeldOut,
    TrainedFolds,
    cross_validate_adapter,
    hold_out_rows,
    train_with_folds,
)
from windrow.execution.selection import Selection, labels_of, texts_of_labels
from windrow.execution.tasks import AdapterTensors, FitOutcome, FitTask
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext, encode_training_set
from windrow.learning.evaluate import majority_baseline
from windrow.learning.folds import assign_folds
from windrow.learning.head_fitting import Examples, HeadSearch
from windrow.learning.label_sets import append_label_texts
from windrow.learning.model_selection import choose_by_held_out_rows
from windrow.learning.multi_label_evaluate import most_frequent_set


@dataclass(frozen=True, slots=True)
class Trained(FitOutcome):
    """A finished training: the artifact to save, and values for the record.

    Args:
        adapter: How the adapter was trained; ``None`` with 0 iterations.
        report: Counts of the rows, and the estimated accuracy.
        warnings: Warnings for the user.
    """

    adapter: AdapterReport | None
    report: FitReport
    warnings: tuple[DataWarning, ...]


def train(
    dataset: LabelledDataset,
    recipe: Recipe,
    context: TrainingContext,
    selection: Selection | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> Trained:
    """Train a classifier.

    Each distinct text is encoded once; where a sample trains, its texts once more; and where rows that it was not to
    have judge it, all texts with the adapter and without it.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        context: The training's resources.
        selection: The rows for contrastive training, if they were selected already (``measure_workload``).
        descriptions: What labels mean, by label; not every label needs one.

    Raises:
        TrainingFailed: A task failed.
        TrainingCancelled: The training was cancelled.
        ShuttingDown: The runner was closed.

    Source: docs/explanation/training.md.
    """
    training_set = encode_training_set(dataset, recipe, context, selection, descriptions)
    training_set = training_set.with_head_search(recipe, context)
    result, folds = train_with_folds(
        training_set, recipe, context, partial(context.control.report_progress, "training")
    )
    served = _ServedTexts(dataset, training_set, context, descriptions, result.adapter)
    held_out = _cross_validate(served, result, folds, recipe)
    result = _keep_if_better(result, held_out, is_described=training_set.prior_head is not None)
    context.control.report_progress("finishing")
    is_adapted = result.adapter is not None
    served.forget(is_adapted=not is_adapted)
    encoded, examples = served.encoded(is_adapted=is_adapted), served.examples(is_adapted=is_adapted)
    task = FitTask(
        examples,
        context.encoder.folder.hidden_size,
        recipe.seed,
        result.adapter,
        threads=context.threads,
        precision=choose_precision(context.threads),
    )
    if result.adapter is None:
        task = replace(task, search=_known_search(dataset, training_set))
    elif held_out is not None:
        task = replace(task, held_out=held_out.adapted)
    outcome = context.run(task)
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
        *warn_of_truncated(len(truncated), len(dataset.rows), truncated.tolist(), context.encoder.folder.max_tokens),
        *training_set.warn_of_long_descriptions(dataset.labels, context.encoder.folder.max_tokens),
        *_warn_of_cut_short(result.report),
        *_warn_of_no_estimate(training_set, outcome.estimate, recipe),
        *_warn_of_estimate(dataset, outcome.estimate, recipe),
    )
    return recast(Trained, outcome, adapter=result.report, report=report, warnings=warnings)


@dataclass(frozen=True, slots=True, eq=False)
class _ServedTexts:
    """All texts of a training, encoded as they are served.

    Args:
        dataset: All rows.
        training_set: The rows for contrastive training.
        context: The training's resources.
        descriptions: What labels mean, by label.
        adapter: The one that was trained; ``None`` for none.
    """

    dataset: LabelledDataset
    training_set: EncodedTrainingSet
    context: TrainingContext
    descriptions: Mapping[str, str] | None
    adapter: AdapterTensors | None
    _known: dict[bool, Encoded] = field(default_factory=dict)

    def encoded(self, *, is_adapted: bool) -> Encoded:
        """Return the features of the distinct texts, then of the label names and descriptions.

        Args:
            is_adapted: Whether to encode them with the adapter.
        """
        if is_adapted not in self._known:
            self._known[is_adapted] = self._encode(self.adapter if is_adapted else None)
        return self._known[is_adapted]

    def forget(self, *, is_adapted: bool) -> None:
        """Free the features with the adapter, or those without, if there are any."""
        self._known.pop(is_adapted, None)

    def examples(self, *, is_adapted: bool) -> Examples:
        """Return all rows, and the label names that take part, for fitting the head."""
        training_set, dataset = self.training_set, self.dataset
        rows, names = np.array(dataset.text_ids), np.arange(training_set.num_label_names)
        examples = Examples(
            features=self.encoded(is_adapted=is_adapted).features[
                np.concatenate([rows, len(dataset.distinct_texts) + names])
            ],
            label_ids=append_label_texts(labels_of(dataset), training_set.name_labels),
            groups=rows,
            num_train_only_rows=training_set.num_label_names,
        )
        return examples.beginning_as(training_set.prior_head)

    def _encode(self, adapter: AdapterTensors | None) -> Encoded:
        training_set = self.training_set
        if training_set.fraction == 1:
            features = training_set.with_adapter(adapter, self.context).features
            return Encoded(features, training_set.states.truncated)
        # A sample's states come from other batches, which round differently, so all texts are encoded again.
        encoder = self.context.encoder
        changes = None if adapter is None else pack_adapter(encoder.folder, adapter)
        texts = [*self.dataset.distinct_texts, *texts_of_labels(self.dataset.labels, self.descriptions)[0]]
        return encode(encoder, texts, changes, self.context.compute)


def _cross_validate(
    served: _ServedTexts, result: TrainedAdapter, folds: TrainedFolds, recipe: Recipe
) -> PairedHeldOut | None:
    """Evaluate an adapter beside the head alone on held-out rows; ``None`` where that cannot be done."""
    training_set, context = served.training_set, served.context
    # Folds of a training that max_seconds ended early would train longer than it did, and there is no time for them.
    if result.adapter is None or result.report is None or result.report.ended_by == "max_seconds":
        return None
    if len(training_set.held_out) == 0:
        return cross_validate_adapter(training_set, recipe, context, folds)
    # What a sample's folds say is true of heads that know the sample. All rows may be worth more than the adapter.
    context.control.report_progress("validating")
    alone, adapted = (
        hold_out_rows(served.examples(is_adapted=is_adapted), training_set, recipe.seed, context, is_adapted=is_adapted)
        for is_adapted in (False, True)
    )
    return PairedHeldOut(adapted, alone.logits)


def _keep_if_better(result: TrainedAdapter, held_out: PairedHeldOut | None, *, is_described: bool) -> TrainedAdapter:
    """Return an adapter with what held-out rows say about it, without it where the head alone does better."""
    if result.report is None or held_out is None:
        return result
    report = choose_by_held_out_rows(result.report, held_out.head_logits, held_out.adapted, is_described=is_described)
    return TrainedAdapter(result.adapter if report.scale else None, report)


def _known_search(dataset: LabelledDataset, training_set: EncodedTrainingSet) -> HeadSearch | None:
    """Return the cross-validation of the head on all rows, if there was one: not where rows are left out or equal."""
    return training_set.head_search if len(training_set.numbers) == len(dataset.rows) else None


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


def _warn_of_estimate(dataset: LabelledDataset, estimate: Estimate | None, recipe: Recipe) -> Iterator[DataWarning]:
    if estimate is None:
        return
    baseline: MajorityBaseline | MultiLabelBaseline
    if isinstance(dataset, Dataset):
        baseline = majority_baseline([row.label for row in dataset.rows])
    else:
        baseline = most_frequent_set(dataset.rows)
        # Thresholds are chosen for F1, at which few sets are right as a whole: labels may be told well all the same.
        if (estimate.micro_f1 or 0.0) > max(baseline.micro_f1, _micro_f1_of_all_labels(dataset)):
            return
    yield from warn_of_majority(estimate.total, estimate.interval, baseline, recipe.base_model)


def _micro_f1_of_all_labels(dataset: MultiLabelDataset) -> float:
    """Return the F1 of always giving every label."""
    given, right = len(dataset.rows) * len(dataset.labels), sum(dataset.rows_per_label.values())
    return 2 * right / (given + right)


def _warn_of_no_estimate(
    training_set: EncodedTrainingSet, estimate: Estimate | None, recipe: Recipe
) -> Iterator[DataWarning]:
    if estimate is not None or not recipe.cross_validate:
        return
    can_hold_out = assign_folds(training_set.label_ids, training_set.text_ids, recipe.seed).max() >= 0
    why = (
        "the time limit left no time for it"
        if recipe.max_seconds is not None and can_hold_out
        else "no label has two different texts"
    )
    message = f"Its accuracy could not be estimated, and its scores are calibrated by what is usual: {why}."
    yield DataWarning("no_estimate", message)
