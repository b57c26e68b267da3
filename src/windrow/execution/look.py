"""The first look: what the encoder, as it is, makes of the rows that contrastive training may see."""

import time
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from windrow.arrays import Floats, Ids, TokenStates
from windrow.domain.dataset import Dataset
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.domain.values import recast
from windrow.encoders.adapters import LowRankChanges, pack_adapter
from windrow.encoders.bulk import Compute, TrunkStates, compute_trunk_states, features_from_states
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.runner import Outcome, Runner, ignore_steps
from windrow.execution.selection import Selection, select_rows
from windrow.execution.tasks import Task
from windrow.execution.watch import Watch
from windrow.learning.head_fitting import Examples
from windrow.learning.model_selection import choose_adapter_scale, label_names_are_informative


@dataclass(frozen=True, slots=True)
class Means:
    """What a training works with.

    Args:
        encoder: The base model.
        compute: Computes what is encoded, beside predictions.
        runner: Runs what needs a process of its own.
        watch: Hears how far the training is, and stops it.
    """

    encoder: TextEncoder
    compute: Compute
    runner: Runner
    watch: Watch = field(default_factory=Watch)

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps) -> Outcome:
        """Run a task in a process of its own, as :meth:`Runner.run` does, and stop it with the training."""
        return self.runner.run(task, on_step, self.watch)


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides the kind of a training, so that one on fewer rows may be of the same kind.

    Args:
        choice: How much of the adapter is used, and why.
        texts: How many texts take part: few are trained in another manner than many.
    """

    choice: AdapterReport
    texts: int


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What the encoder, as it is, makes of the rows that contrastive training may see.

    Args:
        states: Of the distinct texts and, behind them, of the label names.
        features: Their features; shape [texts and names, features], float32.
        numbers: The number of each distinct row in the data, the first one of equals.
        text_ids: The text of each distinct row.
        label_ids: The label of each distinct row.
        names: How many label names take part: all of them, or none if they say nothing about the rows.
        share: Of all rows, in (0, 1]; below 1 they are a sample.
        began_s: When it began, on the monotonic clock.
        took_s: Seconds that it took.
    """

    states: TrunkStates
    features: Floats
    numbers: Ids
    text_ids: Ids
    label_ids: Ids
    names: int
    share: float
    began_s: float
    took_s: float

    @property
    def hidden(self) -> int:
        """The width of a layer."""
        return int(self.states.packed.shape[1])

    @property
    def row_features(self) -> Floats:
        """The features of each distinct row."""
        return self.features[self.text_ids]

    @property
    def name_ids(self) -> Ids:
        """Where the label names that take part are found behind the texts."""
        return len(self.states.lengths) - int(self.label_ids.max() + 1) + np.arange(self.names)

    @cached_property
    def terms(self) -> Terms:
        """The terms of a training on all its rows."""
        return Terms(choose_adapter_scale(self.row_features, self.label_ids), len(self.text_ids) + self.names)

    def lesson(self) -> tuple[TokenStates, Ids]:
        """Return the texts for contrastive training, each distinct row and label name once, and their labels."""
        return (
            self.states.select(np.concatenate([self.text_ids, self.name_ids])),
            np.concatenate([self.label_ids, np.arange(self.names)]),
        )

    def examples(self) -> Examples:
        """Return the rows, and the label names that take part, as a head is fitted to them."""
        return Examples(
            features=np.concatenate([self.row_features, self.features[self.name_ids]]),
            label_ids=np.concatenate([self.label_ids, np.arange(self.names)]),
            groups=self.text_ids,
            num_train_only_rows=self.names,
        )

    def only(self, rows: Ids) -> "FirstLook":
        """Return what it would be with these of its distinct rows alone; each label must have one among them."""
        part = replace(self, numbers=self.numbers[rows], text_ids=self.text_ids[rows], label_ids=self.label_ids[rows])
        return part.judge_names()

    def judge_names(self) -> "FirstLook":
        """Return it with the label names if they say something about the rows, else without."""
        names = replace(self, names=int(self.label_ids.max() + 1)).name_ids
        mean = label_names_are_informative(self.row_features, self.label_ids, self.features[names])
        return replace(self, names=len(names) if mean else 0)

    def seen_through(self, changes: LowRankChanges | None, means: Means) -> "FirstLook":
        """Return it with the features that an adapter makes of the same texts; ``None`` changes nothing."""
        if changes is None:
            return self
        adapter = pack_adapter(means.encoder.folder, changes)
        return replace(self, features=features_from_states(means.encoder, self.states, adapter, means.compute))


def look_first(dataset: Dataset, recipe: Recipe, means: Means, selection: Selection | None = None) -> FirstLook:
    """Encode the rows that contrastive training may see, and each label's name.

    Args:
        dataset: Checked rows.
        recipe: Its seed chooses among too many rows.
        means: Where to work.
        selection: The rows, where they were chosen already.
    """
    began_s = time.monotonic()
    means.watch.tell("encoding")
    selection = selection or select_rows(dataset, recipe, means.encoder)
    states = compute_trunk_states(means.encoder, selection.all_tokens(means.encoder), means.compute)
    look = recast(
        FirstLook,
        selection,
        states=states,
        features=features_from_states(means.encoder, states, compute=means.compute),
        names=0,
        began_s=began_s,
        took_s=time.monotonic() - began_s,
    )
    return look.judge_names()
