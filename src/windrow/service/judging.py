"""Judging: evaluating, comparing, cross-validating, and choosing what to label next, on this machine.

Owns what is looked up, encoded and kept for each of these verbs; knows nothing of how a figure is computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from windrow.domain.classifier import Threshold
from windrow.domain.comparison import CompareRequest, Comparison, Contender, check_compare_request, recommend
from windrow.domain.cross_validation import FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import (
    Dataset,
    DataWarning,
    check_rows,
    check_test_rows,
    data_sha256,
    find_test_warnings,
)
from windrow.domain.errors import ConcurrentChange, InvalidTestData, NotFound
from windrow.domain.prediction import IsWanted, always
from windrow.domain.recipe import check_range, check_recipe
from windrow.domain.report import EvaluateRequest, Outcome, Report, check_evaluate_request
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest, check_suggest_request
from windrow.execution.cross_validation import cross_validate
from windrow.execution.examination import Answers, examine
from windrow.execution.watch import watching
from windrow.learning.compare import compare_pair, flips
from windrow.learning.evaluate import Bools, choose_threshold, judge, majority, misread, wilson
from windrow.learning.suggest import choose
from windrow.service.parts import Parts
from windrow.storage.catalog import Found
from windrow.storage.namespace import utc_now

_NAMED_ROWS = 5
# Of the interval around an accuracy; a wider one says that the rows are too few to tell good from middling.
_WIDE = 0.2
# By how much the lower end of a precision's interval may miss what was asked for without a warning.
_NEAR_TARGET = 0.05


@dataclass(frozen=True, slots=True)
class _Seen:
    """A classifier, and which test rows it was trained on.

    Args:
        found: The classifier.
        numbers: Rows that it was trained on, and on which nearly so; ``None`` where nobody can tell.
    """

    found: Found
    numbers: tuple[list[int], list[int]] | None


class Judging(Parts):
    """The verbs that judge."""

    __slots__ = ()

    def evaluate(self, request: EvaluateRequest) -> Report:
        """Judge a classifier by labelled rows. See ``Operations.evaluate``."""
        check_evaluate_request(request)
        dataset = check_test_rows("test_data", request.rows, self.settings.limits)
        found = self.find(request.model_name)
        _check_known_labels(dataset, (found,))
        (answers,) = self._examine((found,), dataset.texts)
        report = self._report(found, dataset, answers, request)
        if not report.is_saved:
            return report
        try:
            self.store.catalog.measured(found.entry, report.score, report.threshold)
        except (NotFound, ConcurrentChange) as error:  # minutes of work are still worth reading
            warning = DataWarning("not_saved", f"The score was not kept. {error.detail}")
            return replace(report, is_saved=False, warnings=(*report.warnings, warning))
        return report

    def compare(self, request: CompareRequest) -> Comparison:
        """Judge several classifiers by the same rows. See ``Operations.compare``."""
        check_compare_request(request)
        dataset = check_test_rows("test_data", request.rows, self.settings.limits)
        asked = tuple(map(self.find, request.model_names))
        _check_known_labels(dataset, asked)
        answered = dict(zip(request.model_names, self._examine(asked, dataset.texts), strict=True))
        contenders = tuple(
            Contender(name, found.entry.record.name, found.entry.record.revision, _outcome(answers, dataset))
            for (name, answers), found in zip(answered.items(), asked, strict=True)
        )
        seen = self._seen(asked, dataset)
        unseen = _unseen(seen, dataset)
        right = {name: _is_right(answers, dataset)[unseen] for name, answers in answered.items()}
        pairs = tuple(compare_pair(pair, right[pair[0]], right[pair[1]]) for pair in combinations(answered, 2))
        warnings = [*_warnings(seen, dataset, contenders[0].outcome), *_left_out(unseen)]
        for found, answers in zip(asked, answered.values(), strict=True):
            warnings += _unanswered(found, answers)
        return Comparison(
            contenders=contenders,
            pairs=pairs,
            flips=flips(dataset.rows, {name: answers.predicted for name, answers in answered.items()}),
            recommendation=recommend(contenders, pairs),
            majority=majority([row.label for row in dataset.rows]),
            warnings=tuple(warnings),
            data_sha256=data_sha256(dataset.rows),
        )

    def cross_validate(self, request: CrossValidateRequest, is_wanted: IsWanted = always) -> CrossValidation:
        """Judge a training on rows by trainings on parts of them. See ``Operations.cross_validate``."""
        recipe = check_recipe(request.recipe)
        check_range("folds", request.folds, FOLDS_RANGE)
        dataset = check_rows(request.rows, self.settings.limits)
        encoder = self.encoders.get(request.base_model)
        with watching(is_wanted=is_wanted) as watch, self.turns.join().turn(watch):
            return cross_validate(dataset, request.folds, recipe, self.means(encoder, watch))

    def suggest(self, request: SuggestRequest) -> Suggestions:
        """Choose what to label next. See ``Operations.suggest``."""
        check_suggest_request(request, self.settings.limits)
        found = self.find(request.model_name)
        index = {text: number for number, text in reversed(list(enumerate(request.texts)))}
        known = {row.text for row in self.kept_rows(found.entry) or ()}
        texts = [text for text in dict.fromkeys(request.texts) if text not in known]
        record = found.entry.record
        if not texts:
            return Suggestions(record.name, record.revision, (), 0)
        (answers,) = examine((found,), texts, self.predictor, self.queue.compute, keep_features=True)
        assert answers.features is not None
        chosen = choose(answers.features, answers.scores, answers.in_scope, request.n)
        suggestions = []
        for choice in chosen:
            best, next_best = np.argsort(-answers.scores[choice.position], kind="stable")[:2]
            suggestions.append(
                Suggestion(
                    index=index[texts[choice.position]],
                    text=texts[choice.position],
                    why=choice.why,
                    alike=choice.alike,
                    label=answers.labels[best],
                    score=float(answers.scores[choice.position, best]),
                    runner_up=answers.labels[next_best],
                    in_scope=None if answers.in_scope is None else float(answers.in_scope[choice.position]),
                )
            )
        return Suggestions(record.name, record.revision, tuple(suggestions), len(texts))

    def _examine(self, asked: Sequence[Found], texts: Sequence[str]) -> tuple[Answers, ...]:
        return examine(asked, texts, self.predictor, self.queue.compute)

    def _report(self, found: Found, dataset: Dataset, answers: Answers, request: EvaluateRequest) -> Report:
        record, now = found.entry.record, utc_now()
        outcome = _outcome(answers, dataset)
        seen = self._seen((found,), dataset)
        warnings = [*_warnings(seen, dataset, outcome), *_unanswered(found, answers)]
        is_saved = request.is_saved and self.store.catalog.current(record.name).record.revision == record.revision
        if request.is_saved and not is_saved:
            what = f"The score was not kept: only the revision of {record.name} that answers keeps one."
            warnings.append(DataWarning("not_saved", what))
        report = Report(
            model_name=record.name,
            revision=record.revision,
            alias=found.alias,
            outcome=outcome,
            majority=majority([row.label for row in dataset.rows]),
            misread=misread(answers.scores, dataset.rows, answers.labels),
            warnings=tuple(warnings),
            data_sha256=data_sha256(dataset.rows),
            measured_at=now,
            is_saved=is_saved,
            threshold=None,
        )
        if request.target_precision is not None:
            return _with_threshold(report, answers, dataset, request)
        return report

    def _seen(self, asked: Sequence[Found], dataset: Dataset) -> list[_Seen]:
        """Look at each classifier once, whatever the names by which it was asked."""
        distinct = {(found.entry.record.name, found.entry.record.revision): found for found in asked}
        return [_Seen(found, self.find_seen(found.entry, dataset.texts)) for found in distinct.values()]


def _warnings(seen: Sequence[_Seen], dataset: Dataset, outcome: Outcome) -> Iterator[DataWarning]:
    """Yield what makes figures on these rows worth less."""
    known = _known_labels([each.found for each in seen])
    unknown = [number for number, row in enumerate(dataset.rows) if row.label not in known]
    if unknown:
        labels = sorted({dataset.rows[number].label for number in unknown})
        named = ", ".join(map(repr, labels[:_NAMED_ROWS]))
        message = (
            f"{len(unknown)} row(s) have labels that are unknown here and so count as wrong: {named}. Case and white "
            "space count."
        )
        yield DataWarning("unknown_labels", message, tuple(unknown[:_NAMED_ROWS]))
    yield from find_test_warnings(dataset)
    for each in seen:
        yield from _overlap(each, dataset)
    low, high = outcome.accuracy_interval.low, outcome.accuracy_interval.high
    if high - low > _WIDE:
        message = (
            f"{outcome.total} row(s) say little: the accuracy lies anywhere between {low:.0%} and {high:.0%}. "
            "Use more test rows before you decide by it."
        )
        yield DataWarning("few_test_rows", message)


def _overlap(seen: _Seen, dataset: Dataset) -> Iterator[DataWarning]:
    record = seen.found.entry.record
    if seen.numbers is None:
        message = f"The training rows of {record.name} were not kept, so nobody can tell whether it has seen these."
        if data_sha256(dataset.rows) == record.data_sha256:
            message = f"{record.name} was trained on exactly these rows, so they say nothing about new texts."
        yield DataWarning("overlap_unknown", message)
        return
    same, near = seen.numbers
    if same:
        message = f"{len(same)} test row(s) are also training rows of {record.name}. Leave them out: see rows."
        yield DataWarning("training_rows_in_test", message, tuple(same))
    if near:
        message = f"{len(near)} test row(s) differ from a training row of {record.name} by a word or less: see rows."
        yield DataWarning("near_training_rows_in_test", message, tuple(near))


def _unseen(seen: Sequence[_Seen], dataset: Dataset) -> Bools:
    """Return which rows none of the classifiers was trained on, as far as can be told; all, if there are none."""
    unseen = np.ones(len(dataset.rows), np.bool_)
    for each in seen:
        for numbers in each.numbers or ():
            unseen[numbers] = False
    return unseen if unseen.any() else ~unseen


def _left_out(unseen: Bools) -> Iterator[DataWarning]:
    if not unseen.all():
        left_out = np.flatnonzero(~unseen).tolist()
        message = (
            f"{len(left_out)} row(s) that one of them was trained on, or nearly so, are left out of pairs and "
            "recommendation."
        )
        yield DataWarning("seen_rows_left_out", message, tuple(left_out))


def _known_labels(asked: Sequence[Found]) -> set[str]:
    return {label for found in asked for label in found.entry.record.labels}


def _check_known_labels(dataset: Dataset, asked: Sequence[Found]) -> None:
    known = _known_labels(asked)
    if not known & {row.label for row in dataset.rows}:
        names = ", ".join(found.entry.record.name for found in asked)
        raise InvalidTestData(
            f"No label of test_data is known to {names}; known are {', '.join(map(repr, sorted(known)[:_NAMED_ROWS]))}"
            f"{' …' if len(known) > _NAMED_ROWS else ''}. Correct the labels: case and white space count.",
            {"parameter": "test_data", "known_labels": sorted(known)[:_NAMED_ROWS]},
        )


def _outcome(answers: Answers, dataset: Dataset) -> Outcome:
    return judge(answers.scores, [row.label for row in dataset.rows], answers.labels)


def _is_right(answers: Answers, dataset: Dataset) -> Bools:
    return np.array([given == row.label for given, row in zip(answers.predicted, dataset.rows, strict=True)], np.bool_)


def _with_threshold(report: Report, answers: Answers, dataset: Dataset, request: EvaluateRequest) -> Report:
    """Return a report with the score from which on answers are right often enough, or with words for why not."""
    target = request.target_precision
    assert target is not None
    best = answers.scores.max(axis=1)
    found = choose_threshold(best, _is_right(answers, dataset), target)
    if found is None:
        message = (
            f"No score has {target:.0%} right answers above it on these rows, so no threshold was chosen; one that is "
            "stored stays. Ask for less, or train with more rows."
        )
        warning = DataWarning("precision_not_reached", message)
        return replace(report, warnings=(*report.warnings, warning))
    abstain_below, correct, answered = found
    threshold = Threshold(
        abstain_below=abstain_below,
        target_precision=target,
        correct=correct,
        answered=answered,
        total=len(dataset.rows),
        data_sha256=report.data_sha256,
        measured_at=report.measured_at,
    )
    return replace(report, threshold=threshold, warnings=(*report.warnings, *_doubts(threshold)))


def _doubts(threshold: Threshold) -> Iterator[DataWarning]:
    """Yield what makes a threshold worth less than it looks."""
    interval = wilson(threshold.correct, threshold.answered)
    if interval.low < threshold.target_precision - _NEAR_TARGET:
        message = (
            f"The threshold rests on {threshold.answered} answered row(s), which also chose it: its precision on new "
            f"texts lies anywhere between {interval.low:.0%} and {interval.high:.0%}. Use a few hundred test rows."
        )
        yield DataWarning("uncertain_threshold", message)
    if threshold.answered < threshold.total / 2:
        unanswered = threshold.total - threshold.answered
        message = f"With this threshold, {unanswered} of {threshold.total} test rows get no label. Ask for less."
        yield DataWarning("most_abstained", message)


def _unanswered(found: Found, answers: Answers) -> Iterator[DataWarning]:
    """Yield a warning where a stored threshold keeps some of the labels back that are judged."""
    threshold = found.entry.threshold
    if threshold is not None and (count := int((answers.scores.max(axis=1) < threshold.abstain_below).sum())):
        message = (
            f"{found.entry.record.name} has a threshold of {threshold.abstain_below:.3g}, below which {count} of "
            f"{len(answers.scores)} rows get no label; these figures are of the best label, given or not."
        )
        yield DataWarning("threshold_in_force", message)
