"""Compares classifiers of one kind by their outputs for the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from windrow.arrays import Bools
from windrow.domain.comparison import Comparison, ModelResult, recommend
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.multi_label_comparison import MultiLabelComparison, MultiLabelResult, recommend_multi_label
from windrow.domain.quality_warnings import warn_of_few_rows
from windrow.domain.values import recast
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.learning.compare import compare_pair, find_disagreements
from windrow.learning.evaluate import majority_baseline
from windrow.learning.multi_label_compare import compare_multi_label, find_differing_sets
from windrow.learning.multi_label_evaluate import compute_multi_label_metrics, most_frequent_set
from windrow.service.evaluation_rows import SeenRows, find_unseen_rows, find_warnings
from windrow.service.evaluation_warnings import abstention_warnings, left_out_warnings, truncation_warnings
from windrow.service.multi_label_report import multi_label_decisions
from windrow.service.single_label_report import is_correct, metrics_of, true_labels
from windrow.storage.catalog import ResolvedModel


@dataclass(frozen=True, slots=True, eq=False)
class AnsweredModel:
    """A classifier, and its outputs for the rows."""

    model: ResolvedModel
    answers: ClassifierOutputs

    def identity(self, reference: str) -> dict[str, object]:
        """Return what tells it from others, as a result has it."""
        record = self.model.entry.record
        return {"reference": reference, "model_name": record.name, "revision": record.revision}


def compare_single_label_models(
    answered: Mapping[str, AnsweredModel], dataset: Dataset, seen: Sequence[SeenRows]
) -> Comparison:
    """Compare classifiers that give one label.

    Args:
        answered: At least two, by their references, the one in use first.
        dataset: The rows.
        seen: Which rows each of them was trained on.
    """
    results = tuple(
        recast(ModelResult, metrics_of(each.answers, dataset), **each.identity(name)) for name, each in answered.items()
    )
    unseen = find_unseen_rows(seen, dataset)
    right = {name: is_correct(each.answers, dataset)[unseen] for name, each in answered.items()}
    pairs = tuple(compare_pair(pair, right[pair[0]], right[pair[1]]) for pair in combinations(answered, 2))
    predicted = {name: each.answers.predicted for name, each in answered.items()}
    return Comparison(
        models=results,
        pairs=pairs,
        disagreements=find_disagreements(dataset.rows, predicted),
        recommendation=recommend(tuple(answered), pairs),
        majority_baseline=majority_baseline(true_labels(dataset)),
        warnings=(*_warnings(answered, dataset, seen, unseen), *_few_rows(results)),
        test_data_sha256=dataset.sha256,
    )


def compare_multi_label_models(
    answered: Mapping[str, AnsweredModel], dataset: MultiLabelDataset, seen: Sequence[SeenRows]
) -> MultiLabelComparison:
    """Compare classifiers that give any number of labels.

    Args:
        answered: At least two, by their references, the one in use first.
        dataset: The rows, of which one at least has a label that one of them knows.
        seen: Which rows each of them was trained on.
    """
    decided = {name: multi_label_decisions(each.answers, dataset) for name, each in answered.items()}
    results = tuple(
        recast(MultiLabelResult, compute_multi_label_metrics(decided[name]), **each.identity(name))
        for name, each in answered.items()
    )
    unseen = find_unseen_rows(seen, dataset)
    pairs = compare_multi_label(decided, unseen)
    return MultiLabelComparison(
        models=results,
        pairs=pairs,
        disagreements=find_differing_sets(dataset.rows, decided),
        recommendation=recommend_multi_label(tuple(answered), pairs),
        majority_baseline=most_frequent_set(dataset.rows),
        warnings=(*_warnings(answered, dataset, seen, unseen), *_few_rows(results)),
        test_data_sha256=dataset.sha256,
    )


def _warnings(
    answered: Mapping[str, AnsweredModel], dataset: LabelledDataset, seen: Sequence[SeenRows], unseen: Bools
) -> Iterator[DataWarning]:
    yield from find_warnings(seen, dataset)
    yield from left_out_warnings(unseen)
    for each in answered.values():
        yield from abstention_warnings(each.model, each.answers)
    yield from truncation_warnings([each.answers for each in answered.values()])


def _few_rows(results: Sequence[ModelResult | MultiLabelResult]) -> Iterator[DataWarning]:
    widest = max(results, key=lambda result: result.accuracy_interval.high - result.accuracy_interval.low)
    return warn_of_few_rows(widest.total, widest.accuracy_interval, of=widest.reference)
