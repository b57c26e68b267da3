"""Token states of some texts are those of the same texts among all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windrow.learning.texts import TokenStates


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_selected_texts_keep_their_tokens_and_their_order(lengths: list[int], data: st.DataObject) -> None:
    texts = TokenStates(np.arange(sum(lengths) * 2, dtype=np.float32).reshape(-1, 2), np.array(lengths, np.int32))
    spans = np.split(texts.packed, np.cumsum(lengths)[:-1])
    numbers = st.integers(0, len(lengths) - 1)
    first = st.integers(0, len(lengths)).map(lambda count: list(range(count)))
    chosen = data.draw(first | st.lists(numbers, max_size=8))
    selected = texts.select(np.array(chosen, np.int64))
    assert selected.lengths.tolist() == [lengths[text] for text in chosen]
    expected = np.concatenate([spans[text] for text in chosen]) if chosen else np.empty((0, 2), np.float32)
    np.testing.assert_array_equal(selected.packed, expected, strict=True)


def test_the_first_texts_are_not_copied() -> None:
    texts = TokenStates(np.zeros((6, 2), np.float32), np.array([1, 2, 3], np.int32))
    assert np.shares_memory(texts.select(np.arange(2)).packed, texts.packed)
    assert not np.shares_memory(texts.select(np.array([1, 0])).packed, texts.packed)
