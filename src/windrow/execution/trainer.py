"""The trainer: the steps of one training, from checked rows to a finished artifact.

Owns their order and what passes from one to the next; knows nothing of names, saving or of where tasks are run.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from windrow.domain.classifier import AdapterReport, TrainingSummary
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import join_changes
from windrow.encoders.bulk import Compute, Encoded, encode, encode_states, features_of
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.session import TextEncoder
from windrow.execution.runner import Runner
from windrow.execution.tasks import AdapterTensors, FitTask, TuneOutcome, TuneTask
from windrow.learning.adapter import scale
from windrow.learning.choice import choose_strength, label_name_texts, names_mean_something
from windrow.learning.head import Ids
from windrow.learning.plan import sample_rows
from windrow.learning.texts import TokenStates
from windrow.operations import OnStep

# What is left to do after contrastive training takes about so many times what encoding all texts takes.
_ENCODINGS_TO_FINISH = 2.5


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training.

    Args:
        artifact: The file to save.
        summary: What the record will say of it.
        warnings: What a person should know.
    """

    artifact: bytes
    summary: TrainingSummary
    warnings: tuple[DataWarning, ...]


@dataclass(frozen=True, slots=True)
class Means:
    """What a training works with.

    Args:
        encoder: The base model.
        compute: Computes what is encoded, beside predictions.
        runner: Runs what needs a process of its own.
    """

    encoder: TextEncoder
    compute: Compute
    runner: Runner


@dataclass(frozen=True, slots=True)
class _FirstLook:
    """What the encoder, as it is, makes of the rows that contrastive training may see.

    Args:
        texts: States of the distinct texts and, behind them, of the label names.
        encoded: Their features.
        text_ids: The text of each distinct row.
        label_ids: The label of each distinct row.
        names: The label names, if they say something about the rows; else none.
        share: Of all rows, in (0, 1]; below 1 they are a sample.
        began_s: When it began, on the monotonic clock.
        took_s: Seconds that it took.
    """

    texts: TokenStates
    encoded: Encoded
    text_ids: Ids
    label_ids: Ids
    names: tuple[str, ...]
    share: float
    began_s: float
    took_s: float

    def lesson(self) -> tuple[TokenStates, Ids]:
        """Return the texts for contrastive training, each distinct row and label name once, and their labels."""
        first_name = len(self.texts.lengths) - len(self.names)
        names = np.arange(len(self.names))
        return (
            self.texts.select(np.concatenate([self.text_ids, first_name + names])),
            np.concatenate([self.label_ids, names]),
        )


@dataclass(frozen=True, slots=True)
class _Tuned:
    """What contrastive training gave.

    Args:
        adapter: The change, at the strength that is used; ``None`` for none.
        report: How it came about; ``None`` where none was asked for.
    """

    adapter: AdapterTensors | None
    report: AdapterReport | None


def train(dataset: Dataset, recipe: Recipe, means: Means, on_step: OnStep) -> Trained:
    """Train a classifier.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        means: The encoder and where to work.
        on_step: Called with step, number of steps and loss as contrastive training goes on.

    Raises:
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.

    Source: docs/training.md.
    """
    look = _look_first(dataset, recipe, means)
    tuned = _Tuned(None, None)
    if recipe.num_iterations > 0:
        tuned = _tune(look, recipe, means.encoder.folder, lambda task: means.runner.run(task, on_step))
    task, truncated = _fit_task(dataset, recipe, means, look, tuned)
    outcome = means.runner.run(task)
    return Trained(outcome.artifact, outcome.summary, tuple(_warnings(truncated, tuned.report)))


def _look_first(dataset: Dataset, recipe: Recipe, means: Means) -> _FirstLook:
    began_s = time.monotonic()
    # A token takes three bytes or more in nearly every language, so this seldom errs on the costly side.
    lengths = [min(means.encoder.folder.max_tokens, len(text.encode()) // 3 + 2) for text in dataset.texts]
    sampled = sample_rows(np.array(dataset.label_ids(), dtype=np.int64), np.array(lengths), recipe.seed)
    rows = list(dict.fromkeys(dataset.rows[row] for row in sampled))
    label_of = {label: number for number, label in enumerate(dataset.labels)}
    number = {text: position for position, text in enumerate(dict.fromkeys(row.text for row in rows))}
    names = tuple(label_name_texts(dataset.labels))
    states = encode_states(means.encoder, [*number, *names], means.compute)
    features = features_of(means.encoder, states, compute=means.compute)
    text_ids = np.array([number[row.text] for row in rows], dtype=np.int64)
    label_ids = np.array([label_of[row.label] for row in rows], dtype=np.int64)
    kept = np.arange(len(features))
    if not names_mean_something(features[text_ids], label_ids, features[len(number) :]):
        names, kept = (), kept[: len(number)]
    return _FirstLook(
        texts=TokenStates(states.packed, states.lengths).select(kept),
        encoded=Encoded(features[kept], states.truncated[kept]),
        text_ids=text_ids,
        label_ids=label_ids,
        names=names,
        share=len(sampled) / len(dataset.rows),
        began_s=began_s,
        took_s=time.monotonic() - began_s,
    )


def _tune(look: _FirstLook, recipe: Recipe, folder: EncoderFolder, run: Callable[[TuneTask], TuneOutcome]) -> _Tuned:
    """Train an adapter, unless the encoder as it is leaves nothing to gain."""
    strength = choose_strength(look.encoded.features[look.text_ids], look.label_ids)
    report = AdapterReport(strength.value, strength.reason, strength.candidates)
    if strength.value == 0:
        return _Tuned(None, report)
    texts, label_ids = look.lesson()
    if len(np.unique(label_ids)) == len(label_ids):
        return _Tuned(None, replace(report, strength=0.0, reason="No label has two texts that could come closer."))
    deadline_s = None
    if recipe.max_seconds is not None:
        deadline_s = look.began_s + recipe.max_seconds - _ENCODINGS_TO_FINISH * look.took_s / look.share
    outcome = run(TuneTask(folder.path, folder.base_model, texts, label_ids, recipe, deadline_s))
    report = _with_outcome(report, outcome, look)
    return _Tuned(scale(dict(outcome.adapter), strength.value) if outcome.losses else None, report)


def _with_outcome(report: AdapterReport, outcome: TuneOutcome, look: _FirstLook) -> AdapterReport:
    steps = len(outcome.losses)
    ended_by = "step_budget" if outcome.planned_steps < outcome.wanted_steps or look.share < 1 else "plan"
    if not outcome.losses:
        report = replace(report, strength=0.0, reason="max_seconds left no time for a step of contrastive training.")
    return replace(
        report,
        layers=outcome.layers,
        rank=outcome.rank,
        passes=outcome.passes,
        planned_steps=outcome.planned_steps,
        steps=steps,
        ended_by="max_seconds" if steps < outcome.planned_steps else ended_by,
        texts=len(look.text_ids),
        used_label_names=bool(look.names),
        first_loss=outcome.losses[0] if steps else None,
        last_loss=outcome.losses[-1] if steps else None,
    )


def _fit_task(
    dataset: Dataset, recipe: Recipe, means: Means, look: _FirstLook, tuned: _Tuned
) -> tuple[FitTask, list[int]]:
    """Return the head's task on features as they will be served, and the rows whose texts were truncated."""
    texts = list(dict.fromkeys(dataset.texts))
    encoded = look.encoded
    if tuned.adapter is not None or look.share < 1:
        adapter = None if tuned.adapter is None else join_changes(means.encoder.folder, tuned.adapter)
        encoded = encode(means.encoder, [*texts, *look.names], adapter, means.compute)
    number = {text: position for position, text in enumerate(texts)}
    rows = [number[text] for text in dataset.texts]
    names = range(len(look.names))
    task = FitTask(
        features=encoded.features[[*rows, *(len(texts) + name for name in names)]],
        label_ids=np.array([*dataset.label_ids(), *names], dtype=np.int64),
        recipe=recipe,
        anchors=len(names),
        adapter=tuned.adapter,
        report=tuned.report,
    )
    return task, np.flatnonzero(encoded.truncated[rows]).tolist()


def _warnings(truncated: list[int], report: AdapterReport | None) -> Iterator[DataWarning]:
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
