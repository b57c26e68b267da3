"""Compare multi-label classifiers on the same rows: by whole sets, by F1, and label by label."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools
from windrow.domain.comparison import SIGNIFICANT_P
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_comparison import LabelDifference, MultiLabelDisagreement, MultiLabelPair
from windrow.domain.values import recast
from windrow.learning.compare import compare_pair
from windrow.learning.f1_bootstrap import ResampledF1, interval_of, resample_f1
from windrow.learning.multi_label_evaluate import Decisions, given_sets

Doubles = npt.NDArray[np.float64]


def compare_multi_label(decided: Mapping[str, Decisions], counted: Bools) -> tuple[MultiLabelPair, ...]:
    """Compare each pair of several classifiers on the same rows.

    Args:
        decided: What each classifier decided, by its reference; at least two.
        counted: Which rows count; shape [rows], at least one that has a label.
    """
    names = tuple(dict.fromkeys(name for each in decided.values() for name in each.names))
    first = next(iter(decided.values()))
    truth = _columns(first.truth, first.names, names)[counted]
    given = {key: _columns(each.given, each.names, names)[counted] for key, each in decided.items()}
    resampled = dict(zip(given, resample_f1(truth, list(given.values())), strict=True))
    return tuple(
        _compare(pair, _JudgedPair(names, truth, given[pair[0]], given[pair[1]]), resampled)
        for pair in combinations(decided, 2)
    )


def find_differing_sets(
    rows: Sequence[MultiLabelRow], decided: Mapping[str, Decisions]
) -> tuple[MultiLabelDisagreement, ...]:
    """Return the rows to which classifiers give different sets of labels, in their order.

    Args:
        rows: The rows.
        decided: What each classifier decided about them, by its reference.
    """
    answers = zip(*map(given_sets, decided.values()), strict=True)
    return tuple(
        MultiLabelDisagreement(number, row.text, tuple(sorted(row.labels)), dict(zip(decided, given, strict=True)))
        for number, (row, given) in enumerate(zip(rows, answers, strict=True))
        if len(set(given)) > 1
    )


@dataclass(frozen=True, slots=True, eq=False)
class _JudgedPair:
    """Two classifiers' labels for the same rows; the arrays are of shape [rows, names].

    Args:
        names: Their labels.
        truth: The labels that the rows have.
        first: The labels that the first gives.
        second: The labels that the second gives.
    """

    names: Sequence[str]
    truth: Bools
    first: Bools
    second: Bools


def _compare(pair: tuple[str, str], judged: _JudgedPair, resampled: Mapping[str, ResampledF1]) -> MultiLabelPair:
    first_right, second_right = judged.first == judged.truth, judged.second == judged.truth
    return recast(
        MultiLabelPair,
        compare_pair(pair, first_right.all(axis=1), second_right.all(axis=1)),
        micro_f1_difference=_micro_f1(judged.truth, judged.second) - _micro_f1(judged.truth, judged.first),
        micro_f1_interval=interval_of(resampled[pair[1]].micro - resampled[pair[0]].micro),
        labels=tuple(_label_differences(pair, judged, first_right, second_right)),
    )


def _label_differences(
    pair: tuple[str, str], judged: _JudgedPair, first_right: Bools, second_right: Bools
) -> Iterator[LabelDifference]:
    """Yield the labels that two classifiers do not agree about, the one with the clearest difference first."""
    from scipy.special import bdtr  # a server loads it with the first comparison, not when it starts

    fixed, broken = (second_right & ~first_right).sum(axis=0), (first_right & ~second_right).sum(axis=0)
    differing = np.flatnonzero(fixed + broken)
    tosses = fixed[differing] + broken[differing]
    # Of a fair coin, both tails are alike.
    p_values = np.minimum(1.0, 2 * bdtr(np.minimum(fixed, broken)[differing], tosses, 0.5))
    order = np.argsort(p_values, kind="stable")
    totals = judged.truth.sum(axis=0)
    for at, p_value, adjusted in zip(differing[order], p_values[order], holm(p_values[order]), strict=True):
        ahead = pair[1] if fixed[at] > broken[at] else pair[0]
        yield LabelDifference(
            label=judged.names[at],
            fixed=int(fixed[at]),
            broken=int(broken[at]),
            first_f1=_f1(judged.truth[:, at], judged.first[:, at], int(totals[at])),
            second_f1=_f1(judged.truth[:, at], judged.second[:, at], int(totals[at])),
            p_value=float(p_value),
            adjusted_p_value=float(adjusted),
            better=ahead if adjusted < SIGNIFICANT_P else None,
        )


def holm(p_values: Doubles) -> Doubles:
    """Return p-values corrected for their number.

    Args:
        p_values: Ascending; shape [tests], float64.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    adjusted: Doubles = np.minimum(1.0, np.maximum.accumulate(p_values * np.arange(len(p_values), 0, -1)))
    return adjusted


def _f1(truth: Bools, given: Bools, total: int) -> float | None:
    stated = total + int(given.sum())
    return 2 * int((truth & given).sum()) / stated if stated else None


def _micro_f1(truth: Bools, given: Bools) -> float:
    return _f1(truth, given, int(truth.sum())) or 0.0


def _columns(array: Bools, own: Sequence[str], names: Sequence[str]) -> Bools:
    """Return an array with a column for each name, in their order; false where it has none of that name."""
    positions = {name: at for at, name in enumerate(names)}
    columns = np.zeros((len(array), len(names)), np.bool_)
    columns[:, [positions[name] for name in own]] = array
    return columns
