"""Judging: evaluating, comparing, cross-validating, and choosing what to label next, on this machine.

Owns what is looked up, encoded and kept for each of these verbs; knows nothing of how a figure is computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from windrow.domain.classifier import Threshold
from windrow.domain.comparison import CompareRequest, Comparison, Contender, check_compare_request, recommend
from windrow.domain.cross_validation import FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import Dataset, DataWarning, check_rows, check_test_rows, data_sha256
from windrow.domain.errors import InvalidTestData
from windrow.domain.overlap import find_overlap
from windrow.domain.recipe import check_range, check_recipe
from windrow.domain.report import EvaluateRequest, Outcome, Report, check_evaluate_request
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest, check_suggest_request
from windrow.execution.cross_validation import cross_validate
from windrow.execution.examination import Answers, examine
from windrow.execution.look import Means
from windrow.learning.compare import compare_pair, flips
from windrow.learning.evaluate import Bools, choose_threshold, judge, majority, misread
from windrow.learning.suggest import choose
from windrow.service.parts import Parts
from windrow.storage.artifact import ROWS, each_row
from windrow.storage.catalog import Found
from windrow.storage.namespace import utc_now

_NAMED_ROWS = 5
# Of the interval around an accuracy; a wider one says that the rows are too few to tell good from middling.
_WIDE = 0.2


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
        if report.is_saved:
            self.store.catalog.measured(found.entry, report.score, report.threshold)
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
        right = {name: _is_right(answers, dataset) for name, answers in answered.items()}
        pairs = tuple(compare_pair(pair, right[pair[0]], right[pair[1]]) for pair in combinations(answered, 2))
        return Comparison(
            contenders=contenders,
            pairs=pairs,
            flips=flips(dataset.rows, {name: answers.predicted for name, answers in answered.items()}),
            recommendation=recommend(contenders, pairs),
            majority=majority([row.label for row in dataset.rows]),
            warnings=tuple(self._warnings(asked, dataset, contenders[0].outcome)),
            data_sha256=data_sha256(dataset.rows),
        )

    def cross_validate(self, request: CrossValidateRequest) -> CrossValidation:
        """Judge a training on rows by trainings on parts of them. See ``Operations.cross_validate``."""
        recipe = check_recipe(request.recipe)
        check_range("folds", request.folds, FOLDS_RANGE)
        dataset = check_rows(request.rows, self.settings.limits)
        means = Means(self.encoders.get(request.base_model), self.queue.compute, self.runner)
        with self.turns:
            return cross_validate(dataset, request.folds, recipe, means)

    def suggest(self, request: SuggestRequest) -> Suggestions:
        """Choose what to label next. See ``Operations.suggest``."""
        check_suggest_request(request, self.settings.limits)
        found = self.find(request.model_name)
        index = {text: number for number, text in reversed(list(enumerate(request.texts)))}
        texts = list(dict.fromkeys(request.texts))
        (answers,) = examine((found,), texts, self.predictor, self.queue.compute, keep_features=True)
        assert answers.features is not None
        chosen = choose(answers.features, answers.scores, answers.in_scope, request.n)
        record = found.entry.record
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
        warnings = [*self._warnings((found,), dataset, outcome)]
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
        return report if request.target_precision is None else _with_threshold(report, answers, dataset, request)

    def _warnings(self, asked: Sequence[Found], dataset: Dataset, outcome: Outcome) -> Iterator[DataWarning]:
        unknown = [number for number, row in enumerate(dataset.rows) if row.label not in _known_labels(asked)]
        if unknown:
            labels = sorted({dataset.rows[number].label for number in unknown})
            named = ", ".join(map(repr, labels[:_NAMED_ROWS]))
            message = f"{len(unknown)} row(s) have labels that are unknown here and so count as wrong: {named}."
            yield DataWarning("unknown_labels", message, tuple(unknown[:_NAMED_ROWS]))
        for name, found in {found.entry.record.name: found for found in asked}.items():
            yield from self._overlap(name, found, dataset)
        low, high = outcome.accuracy_interval.low, outcome.accuracy_interval.high
        if high - low > _WIDE:
            message = (
                f"{outcome.total} row(s) say little: the accuracy lies anywhere between {low:.0%} and {high:.0%}. "
                "Use more test rows before you decide by it."
            )
            yield DataWarning("few_test_rows", message)

    def _overlap(self, name: str, found: Found, dataset: Dataset) -> Iterator[DataWarning]:
        entry = found.entry
        if ROWS not in entry.blobs:
            message = f"The training rows of {name} were not kept, so nobody can tell whether it has seen test rows."
            if data_sha256(dataset.rows) == entry.record.data_sha256:
                message = f"{name} was trained on exactly these rows, so they say nothing about new texts."
            yield DataWarning("overlap_unknown", message)
            return
        training = (row.text for row in each_row(self.read_blob(entry, ROWS)))
        same, near = find_overlap(dataset.texts, training)
        if same:
            message = f"{len(same)} test row(s) are also training rows of {name}, which flatters it. Leave them out."
            yield DataWarning("training_rows_in_test", message, tuple(same[:_NAMED_ROWS]))
        if near:
            message = f"{len(near)} test row(s) differ from a training row of {name} by a word, a number or less."
            yield DataWarning("near_training_rows_in_test", message, tuple(near[:_NAMED_ROWS]))


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
            f"No score has {target:.0%} right answers above it on these rows, so no threshold was chosen. "
            "Ask for less, or train with more rows."
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
    return replace(report, threshold=threshold)
