"""Packing loses no token and mixes no texts; token states of some texts are those of the same texts among all."""

import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.arrays import Pooling, TokenStates, batch_by_length, pack, pooling_matrix, token_indices

lengths_of_texts = st.lists(st.integers(1, 40), min_size=1, max_size=30).map(np.array)


@settings(deadline=None)
@given(lengths_of_texts)
def test_tokens_come_back_from_the_grid_in_their_order(lengths: npt.NDArray[np.int64]) -> None:
    packing = pack(lengths)
    tokens = np.arange(lengths.sum())
    grid = tokens[packing.padded_index]
    assert grid.shape == (len(lengths), lengths.max())
    assert np.array_equal(grid.reshape(-1)[packing.packed_index], tokens)
    assert np.array_equal(packing.positions, np.concatenate([np.arange(length) for length in lengths]))


@settings(deadline=None)
@given(lengths_of_texts, st.integers(1, 200))
def test_chunks_hold_every_text_once_and_keep_to_the_limit(lengths: npt.NDArray[np.int64], max_cells: int) -> None:
    chunks = list(batch_by_length(lengths, max_cells))
    assert sorted(np.concatenate(chunks)) == list(range(len(lengths)))
    assert all(len(chunk) == 1 or len(chunk) * lengths[chunk].max() <= max_cells for chunk in chunks)


def test_no_texts_give_no_chunks() -> None:
    assert list(batch_by_length(np.array([], dtype=np.int32), 512)) == []


@settings(deadline=None)
@given(lengths_of_texts, st.randoms())
def test_the_tokens_of_chosen_texts_are_found_again(lengths: npt.NDArray[np.int64], dice: random.Random) -> None:
    texts = np.split(np.arange(lengths.sum()), np.cumsum(lengths)[:-1])
    chosen = np.array(dice.sample(range(len(lengths)), dice.randint(1, len(lengths))))
    assert np.array_equal(token_indices(lengths, chosen), np.concatenate([texts[number] for number in chosen]))


@pytest.mark.parametrize(("mode", "expected"), [("mean", [1.5, 5.0]), ("cls", [1.0, 3.0])])
def test_pooling_averages_a_text_or_takes_its_first_token(mode: Pooling, expected: list[float]) -> None:
    tokens = np.array([1.0, 2.0, 3.0, 5.0, 7.0], np.float32)
    assert (pooling_matrix(np.array([2, 3]), mode) @ tokens).tolist() == expected


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
