"""Cross-validating: how trainings on a part of some rows do on the rest, and what follows from that."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.cross_validation import CrossValidation, CurvePoint, LabelAdvice
from windrow.domain.dataset import Dataset, DataWarning, find_data_warnings
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.recipe import Recipe
from windrow.domain.report import Misread
from windrow.domain.values import recast
from windrow.execution.folds import judge_folds
from windrow.execution.look import FirstLook, Means, look_first
from windrow.execution.tasks import StudyTask
from windrow.learning.advise import advise, find_label_errors, percent
from windrow.learning.calibrate import ADAPTED_PRIOR, HEAD_PRIOR, fit_temperature, widened
from windrow.learning.compare import compare_pair
from windrow.learning.evaluate import compute_metrics, majority_baseline
from windrow.learning.folds import assign_folds
from windrow.learning.head import softmax
from windrow.learning.head_fitting import LearningCurve

# Shares of the rows at which the learning curve is drawn, each twice the one before; advice compares half with all.
CURVE_SHARES = (0.25, 0.5, 1.0)
MAX_DOUBTED_ROWS = 100
# With more than this share of the rows, "half" of them is no half.
MOST_HALF = 0.75


@dataclass(frozen=True, eq=False)
class _Judged:
    """Rows that were held out, and what was said of them.

    Args:
        dataset: All rows.
        numbers: The number of each judged row in the data; shape [m].
        label_ids: Its label; shape [m].
        folds: Its fold; shape [m].
        study: What heads on shares of the rows say.
        logits: What the trainings that were asked for say; shape [m, labels].
        is_tuned: Whether they train an adapter: not where none was asked for, or the encoder needs no change.
    """

    dataset: Dataset
    numbers: Ids
    label_ids: Ids
    folds: Ids
    study: LearningCurve
    logits: Floats
    is_tuned: bool

    @cached_property
    def truth(self) -> list[str]:
        """The label of each judged row."""
        labels = self.dataset.labels
        return [labels[label_id] for label_id in self.label_ids]

    def is_right(self, logits: Floats) -> Bools:
        """Return whether each judged row is placed right."""
        right: Bools = logits.argmax(axis=1) == self.label_ids
        return right

    def recalls(self, is_right: Bools) -> dict[str, float]:
        """Return the recall of each label that judged rows have."""
        labels, totals = self.dataset.labels, np.bincount(self.label_ids)
        right = np.bincount(self.label_ids, is_right)
        return {labels[label_id]: float(right[label_id] / totals[label_id]) for label_id in np.flatnonzero(totals)}


def cross_validate(dataset: Dataset, folds: int, recipe: Recipe, means: Means) -> CrossValidation:
    """Judge a recipe on rows by trainings on parts of them. Every text is encoded once.

    The learning curve, and so the advice, is that of the head on the unchanged encoder: drawing it with an encoder
    that learns would take as many trainings again.

    Args:
        dataset: Checked rows.
        folds: Parts, at least 2; fewer are made where a label has fewer different texts.
        recipe: The training parameters; ``max_seconds`` is not heeded.
        means: Where to work.

    Raises:
        InvalidTrainingData: No label has two different texts, so that nothing can be held out.
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    recipe = replace(recipe, max_seconds=None)
    look = look_first(dataset, recipe, means)
    most = _most_folds(look, folds)
    dealt = assign_folds(look.label_ids, look.text_ids, recipe.seed, most)
    if dealt.max() < 0:
        raise InvalidTrainingData(
            "No label has two different texts, so no row can be held out. Add rows: at least two of each label."
        )
    study = means.run(StudyTask(look.examples(), dealt, CURVE_SHARES, recipe.seed))
    logits, is_tuned = study.logits[-1], recipe.num_iterations > 0 and look.terms.choice.strength > 0
    if is_tuned:
        logits = np.concatenate([part.logits for _, part in judge_folds(look, dealt, recipe, means)])
    rows = study.rows
    judged = _Judged(dataset, look.numbers[rows], look.label_ids[rows], dealt[rows], study, logits, is_tuned)
    return _conclude(judged, recipe, tuple(_warnings(judged, folds, look)))


def _most_folds(look: FirstLook, folds: int) -> int:
    """Return how many folds can each hold a row of every label, those with a single text left aside."""
    counts = np.bincount(np.unique(np.stack([look.label_ids, look.text_ids]), axis=1)[0])
    return min(folds, int(counts[counts > 1].min(initial=folds)))


def _conclude(judged: _Judged, recipe: Recipe, warnings: tuple[DataWarning, ...]) -> CrossValidation:
    prior = ADAPTED_PRIOR if judged.is_tuned else HEAD_PRIOR
    scores = softmax(judged.logits / np.float32(fit_temperature(judged.logits, judged.label_ids, prior)))
    by_share = [judged.is_right(logits) for logits in judged.study.logits]
    recalls = [judged.recalls(right) for right in by_share]
    advice, advice_text = _advise(judged, recalls)
    right, by_head = judged.is_right(judged.logits), by_share[-1]
    pair = compare_pair(("the head alone", "the training that was asked for"), by_head, right)
    outcome = compute_metrics(scores, judged.truth, judged.dataset.labels)
    wins = judged.is_tuned and pair.difference > 0
    recommendation = _recommend(recipe.num_iterations, right.mean(), by_head.mean(), is_shown=pair.is_shown)
    if recipe.num_iterations > 0 and not judged.is_tuned:
        recommendation = "The encoder needs no change for these rows: any number of iterations does as the head alone."
    folds = np.unique(judged.folds)
    return recast(
        CrossValidation,
        outcome,
        folds=len(folds),
        accuracy_interval=widened(outcome.correct, outcome.total),
        fold_accuracies=tuple(float(right[judged.folds == fold].mean()) for fold in folds),
        majority_baseline=majority_baseline(judged.truth),
        probable_label_errors=tuple(_contradicted(judged, scores)),
        learning_curve=tuple(_curve(judged.study, by_share, recalls)),
        advice=advice,
        advice_text=advice_text,
        head_only_accuracy=float(by_head.mean()),
        head_only_interval=pair.difference_interval,
        recommended_num_iterations=recipe.num_iterations if wins else 0,
        recommendation=recommendation,
        warnings=warnings,
    )


def _advise(judged: _Judged, recalls: Sequence[Mapping[str, float]]) -> tuple[tuple[LabelAdvice, ...], str]:
    half, whole = CURVE_SHARES.index(0.5), len(CURVE_SHARES) - 1
    trained = judged.study.trained_rows
    # A share is rounded up to a row of each label: half of two rows is one, but half of one is one too.
    if trained[half] > MOST_HALF * trained[whole]:
        return (), "There are too few rows to see whether more of them would help; about 8 rows a label work well."
    return advise(recalls[half], recalls[whole], Counter(judged.truth))


def _contradicted(judged: _Judged, scores: Floats) -> Iterator[Misread]:
    labels = judged.dataset.labels
    for position in find_label_errors(scores, judged.label_ids)[:MAX_DOUBTED_ROWS]:
        number = int(judged.numbers[position])
        row, best = judged.dataset.rows[number], int(scores[position].argmax())
        yield Misread(number, row.text, row.label, labels[best], float(scores[position, best]))


def _curve(
    study: LearningCurve, by_share: Sequence[Bools], recalls: Sequence[Mapping[str, float]]
) -> Iterator[CurvePoint]:
    for share, rows, right, recall in zip(CURVE_SHARES, study.trained_rows, by_share, recalls, strict=True):
        yield CurvePoint(share, round(float(rows), 2), float(right.mean()), recall)


def _recommend(asked: int, accuracy: float, head_accuracy: float, *, is_shown: bool) -> str:
    if asked == 0:
        head = f"Only the head was judged ({percent(head_accuracy)})"
        return f"{head}. Cross-validate with 20 iterations to see if that is better."
    iterations = f"{asked} {'iteration' if asked == 1 else 'iterations'}"
    facts = f"{percent(accuracy)} with {iterations}, {percent(head_accuracy)} with the head alone"
    if accuracy <= head_accuracy:
        return f"The head alone does as well and is faster: {facts}."
    doubt = "" if is_shown else "; chance may make such a difference on so few rows, but on most sets it helps"
    return f"{iterations}: {facts}{doubt}."


def _warnings(judged: _Judged, asked: int, look: FirstLook) -> Iterator[DataWarning]:
    yield from find_data_warnings(judged.dataset)
    done = len(np.unique(judged.folds))
    if done < asked:
        message = (
            f"{done} folds were made in place of {asked}, since the smallest class has no more different texts. Each "
            "training had fewer rows for it, so the figures are rather too low; add rows to that class."
        )
        yield DataWarning("fewer_folds", message)
    left_out = np.setdiff1d(look.numbers, judged.numbers)
    if len(left_out):
        labels = sorted({judged.dataset.rows[number].label for number in left_out})
        message = (
            f"The figures do not cover {', '.join(map(repr, labels[:5]))}{' …' if len(labels) > 5 else ''}: with a "
            "single text, a label cannot be held out. Add rows to it."
        )
        yield DataWarning("never_held_out", message, tuple(map(int, left_out[:5])))
    if look.share < 1:
        message = f"{len(look.numbers)} of {len(judged.dataset.rows)} rows were looked at, as many as one training may."
        yield DataWarning("sampled_rows", message)
