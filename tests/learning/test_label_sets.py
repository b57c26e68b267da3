"""What learning asks of labels, of one label a row and of label sets alike."""

import numpy as np
import pytest

from windrow.arrays import Labels
from windrow.learning.label_sets import (
    append_label_texts,
    are_label_ids,
    as_sets,
    count_labels,
    set_ids,
    share_labels,
    strata,
)

IDS = np.array([2, 0, 1, 2])
SETS = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 1]], bool)


def test_ids_and_sets_are_told_apart_and_counted() -> None:
    assert are_label_ids(IDS)
    assert not are_label_ids(SETS)
    assert count_labels(IDS) == count_labels(SETS) == 3


def test_the_set_of_a_label_id_holds_that_label_alone() -> None:
    assert as_sets(IDS).astype(int).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert as_sets(SETS) is SETS


def test_a_rows_stratum_is_its_rarest_label_and_rows_without_labels_have_their_own() -> None:
    assert strata(IDS).tolist() == IDS.tolist()
    assert strata(SETS).tolist() == [0, 1, 3, 0, 2]


def test_a_label_that_no_row_has_is_no_rows_stratum() -> None:
    sets = np.array([[1, 0, 1], [0, 0, 1]], bool)
    assert strata(sets).tolist() == [0, 2]


def test_texts_of_one_label_follow_the_rows() -> None:
    assert append_label_texts(IDS, np.arange(3)).tolist() == [2, 0, 1, 2, 0, 1, 2]
    appended = append_label_texts(SETS, np.array([1]))
    assert appended.dtype == bool
    assert appended.tolist() == [*SETS.tolist(), [False, True, False]]


def test_equal_sets_have_equal_numbers() -> None:
    assert set_ids(IDS).tolist() == IDS.tolist()
    numbers = set_ids(SETS)
    assert numbers[0] == numbers[3]
    assert len(set(numbers.tolist())) == 4


@pytest.mark.parametrize(
    ("labels", "shared"),
    [
        (IDS, True),
        (np.arange(3), False),
        (SETS, True),
        (np.eye(3, dtype=bool), False),
        (np.zeros((3, 2), bool), False),
    ],
)
def test_rows_share_labels_where_two_have_one_in_common(labels: Labels, shared: bool) -> None:
    assert share_labels(labels) == shared
