"""The first look: what the encoder, as it is, makes of the rows that contrastive training may see.

Owns which rows those are, and that each of their texts is encoded once; knows nothing of what is trained on them.
"""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from windrow.domain.dataset import Dataset, Row
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import Adapter
from windrow.encoders.bulk import Compute, States, encode_states, features_of
from windrow.encoders.layout import Floats
from windrow.encoders.session import TextEncoder
from windrow.execution.runner import Outcome, Runner, ignore_steps
from windrow.execution.tasks import Task
from windrow.execution.watch import Watch
from windrow.learning.choice import label_name_texts, names_mean_something
from windrow.learning.fitting import Examples
from windrow.learning.head import Ids
from windrow.learning.plan import sample_rows
from windrow.learning.texts import TokenStates


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


@dataclass(frozen=True, slots=True, eq=False)
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

    states: States
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

    def lesson(self) -> tuple[TokenStates, Ids]:
        """Return the texts for contrastive training, each distinct row and label name once, and their labels."""
        texts = TokenStates(self.states.packed, self.states.lengths)
        return (
            texts.select(np.concatenate([self.text_ids, self.name_ids])),
            np.concatenate([self.label_ids, np.arange(self.names)]),
        )

    def examples(self) -> Examples:
        """Return the rows, and the label names that take part, as a head is fitted to them."""
        return Examples(
            features=np.concatenate([self.row_features, self.features[self.name_ids]]),
            label_ids=np.concatenate([self.label_ids, np.arange(self.names)]),
            groups=self.text_ids,
            anchors=self.names,
        )

    def only(self, rows: Ids) -> "FirstLook":
        """Return what it would be with these of its distinct rows alone; each label must have one among them."""
        part = replace(self, numbers=self.numbers[rows], text_ids=self.text_ids[rows], label_ids=self.label_ids[rows])
        return part.judge_names()

    def judge_names(self) -> "FirstLook":
        """Return it with the label names if they say something about the rows, else without."""
        names = replace(self, names=int(self.label_ids.max() + 1)).name_ids
        mean = names_mean_something(self.row_features, self.label_ids, self.features[names])
        return replace(self, names=len(names) if mean else 0)

    def seen_through(self, adapter: Adapter, means: Means) -> "FirstLook":
        """Return it with the features that an adapter makes of the same texts."""
        return replace(self, features=features_of(means.encoder, self.states, adapter, means.compute))


def look_first(dataset: Dataset, recipe: Recipe, means: Means) -> FirstLook:
    """Encode the rows that contrastive training may see, and each label's name.

    Args:
        dataset: Checked rows.
        recipe: Its seed chooses among too many rows.
        means: Where to work.
    """
    began_s = time.monotonic()
    means.watch.tell("encoding")
    # A token takes three bytes or more in nearly every language, so this seldom errs on the costly side.
    lengths = [min(means.encoder.folder.max_tokens, len(text.encode()) // 3 + 2) for text in dataset.texts]
    sampled = sample_rows(np.array(dataset.label_ids(), dtype=np.int64), np.array(lengths), recipe.seed)
    first: dict[Row, int] = {}
    for row in sampled:
        first.setdefault(dataset.rows[row], int(row))
    label_of = {label: number for number, label in enumerate(dataset.labels)}
    number = {text: position for position, text in enumerate(dict.fromkeys(row.text for row in first))}
    states = encode_states(means.encoder, [*number, *label_name_texts(dataset.labels)], means.compute)
    look = FirstLook(
        states=states,
        features=features_of(means.encoder, states, compute=means.compute),
        numbers=np.array([*first.values()], dtype=np.int64),
        text_ids=np.array([number[row.text] for row in first], dtype=np.int64),
        label_ids=np.array([label_of[row.label] for row in first], dtype=np.int64),
        names=0,
        share=len(sampled) / len(dataset.rows),
        began_s=began_s,
        took_s=time.monotonic() - began_s,
    )
    return look.judge_names()
