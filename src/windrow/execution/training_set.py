"""Encode the training rows with the frozen encoder, for contrastive training and its cross-validation."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from windrow.arrays import Floats, Ids, Labels, TokenStates
from windrow.domain.classification import warn_of_truncated_labels
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.job import OnStep
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.domain.values import recast
from windrow.encoders.adapters import LowRankChanges, pack_adapter
from windrow.encoders.bulk import (
    Compute,
    TrunkStates,
    compute_trunk_states,
    features_by_adapter,
    features_from_states,
)
from windrow.encoders.cores import usable_cores
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.control import TrainingControl
from windrow.execution.label_encoding import measure_cosine_scale
from windrow.execution.runner import Outcome, Runner, ignore_steps
from windrow.execution.selection import Selection, select_rows
from windrow.execution.tasks import SearchHeadTask, Task
from windrow.learning.head import LinearHead
from windrow.learning.head_fitting import Examples, HeadSearch
from windrow.learning.label_sets import append_label_texts, are_label_ids, count_labels
from windrow.learning.model_selection import choose_adapter_scale, label_names_are_informative
from windrow.learning.zero_shot import label_vectors, multi_label_zero_shot_head, zero_shot_head


@dataclass(frozen=True, slots=True)
class TrainingContext:
    """The resources of a training.

    Args:
        encoder: The base model.
        compute: Computes batches to encode, beside predictions.
        runner: Runs tasks in separate processes.
        control: Receives the training's progress, and cancels it.
        threads: The threads with which an adapter is trained, wherever that is.
    """

    encoder: TextEncoder
    compute: Compute
    runner: Runner
    control: TrainingControl = field(default_factory=TrainingControl)
    threads: int = field(default_factory=usable_cores)

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps) -> Outcome:
        """Run a task in a separate process, as :meth:`Runner.run` does; cancelling the training cancels it."""
        return self.runner.run(task, on_step, self.control)


@dataclass(frozen=True, slots=True)
class AdapterPolicy:
    """The settings of a training that depend on all of its rows; its folds use the same.

    Args:
        choice: How much of the adapter is used, and why.
        texts: The number of texts, which decides the schedule.
    """

    choice: AdapterReport
    texts: int


@dataclass(frozen=True, eq=False)
class EncodedTrainingSet:
    """The distinct rows for contrastive training, encoded by the frozen encoder.

    Args:
        states: The states of the distinct texts, followed by those of the label names, and of descriptions of labels.
        features: Their features; shape [texts and names, features], float32.
        numbers: The number of each distinct row in the data, the first one of equals.
        text_ids: The text of each distinct row.
        label_ids: The label of each distinct row, or its label set.
        described_ids: The label of each description.
        num_label_names: The number of label names and descriptions that take part: all, or 0 if they are not
            informative.
        fraction: The fraction of all rows, in (0, 1]; below 1 they are a sample.
        began_s: The time when encoding began, on the monotonic clock.
        took_s: The duration of encoding in seconds.
        cosine_scale: How far cosines of the encoder spread (``learning.zero_shot.cosine_scale``).
        head_search: The cross-validation of the head alone, on the frozen encoder; ``None`` where there was none.
        held_out: As of :class:`Selection`.
    """

    states: TrunkStates
    features: Floats
    numbers: Ids
    text_ids: Ids
    label_ids: Labels
    described_ids: Ids
    num_label_names: int
    fraction: float
    began_s: float
    took_s: float
    cosine_scale: float = 1.0
    head_search: HeadSearch | None = None
    held_out: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def hidden_size(self) -> int:
        """The width of a layer."""
        return int(self.states.packed.shape[1])

    @property
    def row_features(self) -> Floats:
        """The features of each distinct row; shape [rows, features]."""
        return self.features[self.text_ids]

    @property
    def name_ids(self) -> Ids:
        """The indices in ``states`` of the label names and descriptions that take part."""
        return self._label_text_ids[: self.num_label_names]

    @property
    def name_labels(self) -> Ids:
        """The label of each label name and description that takes part."""
        return self._text_labels[: self.num_label_names]

    @property
    def prior_head(self) -> LinearHead | None:
        """The zero-shot head; ``None`` where no label is described."""
        if len(self.described_ids) == 0:
            return None
        head_of = zero_shot_head if are_label_ids(self.label_ids) else multi_label_zero_shot_head
        return head_of(self._label_vectors, self.cosine_scale)

    def warn_of_long_descriptions(self, labels: Sequence[str], max_tokens: int) -> Iterator[DataWarning]:
        """Yield a warning where descriptions are longer than the encoder reads.

        Args:
            labels: All labels, in the order of their ids.
            max_tokens: The most tokens of a text that the encoder reads.
        """
        first = len(self.states.lengths) - len(self.described_ids)
        truncated = self.described_ids[self.states.truncated[first:]]
        if len(truncated):
            yield warn_of_truncated_labels([labels[label_id] for label_id in truncated], max_tokens)

    @property
    def _text_labels(self) -> Ids:
        return np.concatenate([np.arange(count_labels(self.label_ids)), self.described_ids])

    @property
    def _label_text_ids(self) -> Ids:
        count = len(self._text_labels)
        return len(self.states.lengths) - count + np.arange(count)

    @property
    def _label_vectors(self) -> Floats:
        features, own = self.features[self._label_text_ids], self._text_labels
        labels = range(count_labels(self.label_ids))
        described = set(self.described_ids.tolist())
        texts = [features[own == label] for label in labels]
        return label_vectors(texts, self.hidden_size, [label in described for label in labels])

    @cached_property
    def policy(self) -> AdapterPolicy:
        """The policy of a training on all rows."""
        head = None if self.head_search is None else self.head_search.out_of_fold
        is_described = self.prior_head is not None
        choice = choose_adapter_scale(self.row_features, self.label_ids, head, is_described=is_described)
        return AdapterPolicy(choice, len(self.text_ids) + self.num_label_names)

    def with_head_search(self, recipe: Recipe, context: TrainingContext) -> "EncodedTrainingSet":
        """Return it with the head's search, if an adapter is requested and the search may rule it out.

        Raises:
            TrainingFailed: The task failed.
            ShuttingDown: The runner was closed.
        """
        if recipe.num_iterations == 0 or self.policy.choice.scale == 0 or not are_label_ids(self.label_ids):
            return self
        return replace(self, head_search=context.run(SearchHeadTask(self.examples(), recipe.seed)))

    def contrastive_inputs(self) -> tuple[TokenStates, Labels]:
        """Return the texts' states for contrastive training, one per distinct row and label name, and their labels."""
        return (
            self.states.select(np.concatenate([self.text_ids, self.name_ids])),
            append_label_texts(self.label_ids, self.name_labels),
        )

    def examples(self) -> Examples:
        """Return the rows, and the label names that take part, for fitting a head."""
        examples = Examples(
            features=np.concatenate([self.row_features, self.features[self.name_ids]]),
            label_ids=append_label_texts(self.label_ids, self.name_labels),
            groups=self.text_ids,
            num_train_only_rows=self.num_label_names,
        )
        return examples.beginning_as(self.prior_head)

    def subset(self, rows: Ids) -> "EncodedTrainingSet":
        """Return the training set of some distinct rows, at least one of each label."""
        part = replace(self, numbers=self.numbers[rows], text_ids=self.text_ids[rows], label_ids=self.label_ids[rows])
        return part.select_label_names()

    def select_label_names(self) -> "EncodedTrainingSet":
        """Return it with the label names if they are informative, else without."""
        texts = self._label_text_ids
        meanings = self._label_vectors if len(self.described_ids) else self.features[texts]
        mean = label_names_are_informative(self.row_features, self.label_ids, meanings)
        return replace(self, num_label_names=len(texts) if mean else 0)

    def with_adapter(self, changes: LowRankChanges | None, context: TrainingContext) -> "EncodedTrainingSet":
        """Return it with the features of an adapted encoder; ``None`` for no adapter."""
        return self if changes is None else replace(self, features=self.features_with([changes], context)[0])

    def features_with(self, changes: Sequence[LowRankChanges], context: TrainingContext) -> list[Floats]:
        """Return the features of the texts by each of several adapters; shapes [texts and names, features]."""
        adapters = [pack_adapter(context.encoder.folder, each) for each in changes]
        return features_by_adapter(context.encoder, self.states, adapters, context.compute)


def encode_training_set(
    dataset: Dataset | MultiLabelDataset,
    recipe: Recipe,
    context: TrainingContext,
    selection: Selection | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> EncodedTrainingSet:
    """Encode the selected rows, the label names and descriptions of labels with the frozen encoder.

    Args:
        dataset: Checked rows.
        recipe: Chooses the sample of too many rows (:func:`select_rows`).
        context: The training's resources.
        selection: The selected rows; ``None`` to select them here.
        descriptions: What labels mean, by label; not every label needs one.
    """
    began_s = time.monotonic()
    context.control.report_progress("encoding")
    selection = selection or select_rows(dataset, recipe, context.encoder, descriptions=descriptions)
    states = compute_trunk_states(context.encoder, selection.all_tokens(context.encoder), context.compute)
    training_set = recast(
        EncodedTrainingSet,
        selection,
        states=states,
        features=features_from_states(context.encoder, states, compute=context.compute),
        num_label_names=0,
        cosine_scale=measure_cosine_scale(context.encoder, context.compute) if len(selection.described_ids) else 1.0,
        began_s=began_s,
        took_s=time.monotonic() - began_s,
    )
    return training_set.select_label_names()
