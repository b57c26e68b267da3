"""What several annotators of one text say together."""

from collections.abc import Sequence

import pytest

from windrow.domain.read_options import ReadOptions
from windrow.files.formats.annotators import agreed_labels
from windrow.files.formats.row_parts import NoExample

ANY_NUMBER = ReadOptions(labels_column="labels")


@pytest.mark.parametrize(
    ("votes", "options", "agreed"),
    [
        ([["A"]], ReadOptions(), ["A"]),
        ([["A"], ["A"]], ReadOptions(annotators="refuse"), ["A"]),
        ([["A", "B"], ["B", "A"]], ReadOptions(annotators="refuse"), ["A", "B"]),
        ([["B"], ["A"], ["B"]], ReadOptions(), ["B"]),
        ([["A"], ["A"], ["B"], ["C"]], ReadOptions(), ["A"]),
        ([["A", "B"], ["A"], ["A", "C"]], ReadOptions(), ["A"]),
        ([["A"], ["B"], ["C"]], ANY_NUMBER, []),
        ([[], [], ["A"]], ANY_NUMBER, []),
        ([[], ["A"], ["A"]], ReadOptions(annotators="majority"), ["A"]),
    ],
)
def test_most_annotators_decide(votes: Sequence[Sequence[str]], options: ReadOptions, agreed: list[str]) -> None:
    assert agreed_labels(votes, options) == agreed


@pytest.mark.parametrize(
    ("votes", "options"),
    [
        ([["A"], ["B"]], ReadOptions()),
        ([["A"], ["A"], ["B"], ["B"], ["C"]], ReadOptions()),
        ([["A", "B"], ["A"]], ReadOptions()),
        ([["A"], []], ANY_NUMBER),
        ([["A"], ["A"], ["B"], ["C"]], ANY_NUMBER),
    ],
)
def test_a_tie_is_no_example_and_not_wrong(votes: Sequence[Sequence[str]], options: ReadOptions) -> None:
    with pytest.raises(NoExample) as raised:
        agreed_labels(votes, options)
    assert not raised.value.is_wrong


def test_annotators_who_differ_are_wrong_where_they_must_not() -> None:
    with pytest.raises(NoExample) as raised:
        agreed_labels([["A"], ["A"], ["B"]], ReadOptions(annotators="refuse"))
    assert raised.value.is_wrong
