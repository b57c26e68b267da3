"""What FakeOperations says of the classifiers that it judges: true to its own scores, and as quick as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from windrow.domain.classifier import Threshold
from windrow.domain.comparison import Comparison, Contender, recommend
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation, CurvePoint, LabelAdvice
from windrow.domain.dataset import Dataset, DataWarning, Row, data_sha256
from windrow.domain.errors import InvalidTestData
from windrow.domain.explanation import NEAREST_ROWS, Explanation, NearRow, WordEffect
from windrow.domain.interval import Interval
from windrow.domain.report import EvaluateRequest, Misread, Outcome, Report
from windrow.domain.suggestion import Suggestion, Why
from windrow.learning.compare import compare_pair, flips
from windrow.learning.evaluate import choose_threshold, judge, majority, misread
from windrow.learning.explain import split_words, without_words
from windrow.learning.head import Floats

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Judged:
    """One classifier's scores for the texts of labelled rows.

    Args:
        asked: The name by which it was asked.
        model_name: Its own name.
        revision: Its revision.
        alias: The alias by which it was asked, if by one.
        labels: Its labels.
        given: Its scores for each row.
    """

    asked: str
    model_name: str
    revision: int
    alias: str | None
    labels: tuple[str, ...]
    given: Sequence[Scores]

    @property
    def scores(self) -> Floats:
        return np.array([[scores[label] for label in self.labels] for scores in self.given], np.float32)

    @property
    def predicted(self) -> list[str]:
        return [self.labels[place] for place in self.scores.argmax(axis=1)]

    def outcome(self, rows: Sequence[Row]) -> Outcome:
        return judge(self.scores, [row.label for row in rows], self.labels)


def check_known(judged: Sequence[Judged], rows: Sequence[Row]) -> None:
    known = sorted({label for each in judged for label in each.labels})
    if not {row.label for row in rows}.intersection(known):
        raise InvalidTestData(
            "No label of test_data is known. Correct the labels.", {"parameter": "test_data", "known_labels": known}
        )


def report(judged: Judged, request: EvaluateRequest, now: datetime, *, is_newest: bool) -> Report:
    rows, digest, warnings, threshold = request.rows, data_sha256(request.rows), [], None
    if request.is_saved and not is_newest:
        warnings.append(DataWarning("not_saved", "The score was not kept."))
    if request.target_precision is not None:
        best = judged.scores.max(axis=1)
        found = choose_threshold(best, _is_right(judged, rows), request.target_precision)
        if found is None:
            warnings.append(DataWarning("precision_not_reached", "No threshold was chosen."))
        else:
            threshold = Threshold(found[0], request.target_precision, *found[1:], len(rows), digest, now)
    return Report(
        model_name=judged.model_name,
        revision=judged.revision,
        alias=judged.alias,
        outcome=judged.outcome(rows),
        majority=majority([row.label for row in rows]),
        misread=misread(judged.scores, rows, judged.labels),
        warnings=tuple(warnings),
        data_sha256=digest,
        measured_at=now,
        is_saved=request.is_saved and is_newest,
        threshold=threshold,
    )


def comparison(judged: Sequence[Judged], rows: Sequence[Row]) -> Comparison:
    contenders = tuple(Contender(each.asked, each.model_name, each.revision, each.outcome(rows)) for each in judged)
    pairs = tuple(
        compare_pair((one.asked, other.asked), _is_right(one, rows), _is_right(other, rows))
        for one, other in combinations(judged, 2)
    )
    return Comparison(
        contenders=contenders,
        pairs=pairs,
        flips=flips(rows, {each.asked: each.predicted for each in judged}),
        recommendation=recommend(contenders, pairs),
        majority=majority([row.label for row in rows]),
        warnings=(),
        data_sha256=data_sha256(rows),
    )


def cross_validation(dataset: Dataset, request: CrossValidateRequest) -> CrossValidation:
    """Say of any rows that the first one is in doubt and the first label would gain from more."""
    truth, (first, other, *_) = [row.label for row in dataset.rows], dataset.labels
    doubted = next(row for row in dataset.rows if row.label == first)
    scores = np.array([[0.75 if label == row.label else 0.05 for label in dataset.labels] for row in dataset.rows])
    recall = dict.fromkeys(dataset.labels, 1.0)
    return CrossValidation(
        folds=min(2, request.folds),
        outcome=judge(scores.astype(np.float32), truth, dataset.labels),
        fold_accuracies=(1.0, 0.5),
        majority=majority(truth),
        contradicted=(Misread(dataset.rows.index(doubted), doubted.text, first, other, 0.75),),
        curve=(CurvePoint(0.5, 1.5, 0.5, {**recall, first: 0.5}), CurvePoint(1.0, 3.0, 1.0, recall)),
        advice=tuple(LabelAdvice(label, 0.5 if label == first else 0.0, label == first) for label in dataset.labels),
        advice_text=f"More {first!r} rows would help most.",
        head_only_accuracy=0.75,
        head_only_interval=Interval(-0.25, 0.25),
        recommended_num_iterations=0,
        recommendation="num_iterations=0 does as well and is faster.",
        warnings=(DataWarning("fewer_folds", "Fewer folds were made.", ()),),
    )


def suggestions(texts: Sequence[str], n: int, scored: Mapping[str, tuple[Scores, float]]) -> tuple[Suggestion, ...]:
    """Suggest what is least like the training data; ``scored`` has each text's scores and whether it is in scope."""
    chosen = sorted(scored, key=lambda text: scored[text][1])[:n]
    found = []
    for text in chosen:
        scores, in_scope = scored[text]
        best, next_best = sorted(scores, key=lambda label: -scores[label])[:2]
        why: Why = "new" if in_scope < 0.5 else "uncertain"
        found.append(Suggestion(texts.index(text), text, why, 1, best, scores[best], next_best, in_scope))
    return tuple(found)


def explanation(text: str, scores: Scores, rows: Sequence[Row] | None, shortened: Sequence[Scores]) -> Explanation:
    """Explain an answer by the rows that share most words with the text."""
    label = max(scores, key=lambda each: scores[each])
    near = None
    if rows is not None:
        shares = [
            (len(set(row.text.split()).intersection(text.split())) / 100, number) for number, row in enumerate(rows)
        ]
        best = sorted(shares, key=lambda share: (-share[0], share[1]))[:NEAREST_ROWS]
        near = tuple(NearRow(number, rows[number].text, rows[number].label, share) for share, number in best)
    words = split_words(text)
    effects = zip(words, shortened, strict=False)
    return Explanation(
        label,
        near,
        tuple(WordEffect(word, start, scores[label] - without[label]) for (word, start), without in effects),
    )


def shortened(text: str) -> list[str]:
    return without_words(text, split_words(text))


def _is_right(judged: Judged, rows: Sequence[Row]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.array([given == row.label for given, row in zip(judged.predicted, rows, strict=True)], np.bool_)
