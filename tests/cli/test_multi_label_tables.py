"""The metrics of multi-label classifiers, as lines and tables."""

import pytest

from tests.domain.test_multi_label_comparison import pair
from windrow.cli.multi_label_tables import multi_label_pair_lines


@pytest.mark.parametrize(
    ("fixed", "begins"), [(1, "a → b: 1 set fixed, 2 broken of 100 rows. "), (3, "a → b: 3 sets ")]
)
def test_a_pair_is_told_with_the_number_of_sets_that_are_fixed(fixed: int, begins: str) -> None:
    [line] = multi_label_pair_lines([pair(fixed, 2, 1.0)])
    assert line.startswith(begins)
