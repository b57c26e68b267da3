from collections.abc import Iterator

import pytest

from windrow.domain.batches import in_batches, renumbered
from windrow.domain.errors import InvalidText, LimitExceeded


def test_batches_end_by_number_or_by_characters_and_none_is_empty() -> None:
    assert list(in_batches("abcde", 2, 100)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(in_batches(["aaa", "b", "c"], 9, 3)) == [["aaa"], ["b", "c"]]
    assert list(in_batches(["aaaa", "bbbb", None], 9, 3)) == [["aaaa"], ["bbbb"], [None]]
    assert list(in_batches([], 2, 100)) == []


def test_items_of_any_kind_are_measured_by_whoever_knows_them() -> None:
    assert list(in_batches([1, 2, 3], 9, 3, chars_in=lambda item: item)) == [[1, 2], [3]]


def test_first_batches_may_be_small_so_that_something_comes_soon() -> None:
    sizes = [len(batch) for batch in in_batches(range(100), 16, 1_000, first_items=2)]
    assert sizes == [2, 4, 8, 16, 16, 16, 16, 16, 6]
    assert [len(batch) for batch in in_batches(range(9), 4, 1_000, first_items=32)] == [4, 4, 1]


def test_no_more_is_taken_than_a_batch_and_it_comes_at_once() -> None:
    taken = []

    def items() -> Iterator[str]:
        for number in range(5):
            taken.append(number)
            yield "x"

    batches = in_batches(items(), 2, 100)
    assert taken == []
    assert next(batches) == ["x", "x"]
    assert taken == [0, 1]


def test_what_came_before_a_wrong_item_comes_before_its_error() -> None:
    def items() -> Iterator[str]:
        yield "a"
        raise InvalidText("It is wrong. Correct it.")

    batches = in_batches(items(), 2, 100)
    assert next(batches) == ["a"]
    with pytest.raises(InvalidText, match="It is wrong"):
        next(batches)


def test_an_error_names_a_text_by_its_number_among_all() -> None:
    error = renumbered(LimitExceeded("{place:texts} has {chars}.", {"index": 3, "chars": 9}), 1_000)
    assert (type(error), error.detail, error.facts) == (
        LimitExceeded,
        "texts[1003] has 9.",
        {"index": 1_003, "chars": 9},
    )


def test_an_error_about_no_text_stays_as_it_is() -> None:
    error = LimitExceeded("{arg:texts} has too many.", {"limit": 9})
    assert renumbered(error, 1_000) is error
