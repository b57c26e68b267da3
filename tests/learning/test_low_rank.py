"""A low-rank adapter is close to the best approximation of a change, and fits half precision."""

import numpy as np
import pytest

from windrow.arrays import Floats
from windrow.learning.low_rank import Adapter, scale_adapter, truncate_to_rank


def change_of(adapter: Adapter, name: str = "map") -> Floats:
    return adapter[f"{name}.down"].astype(np.float32) @ adapter[f"{name}.up"].astype(np.float32)


def random_change(rows: int, columns: int, rank: int, size: float = 0.01, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    left, right = random.standard_normal((rows, rank)), random.standard_normal((rank, columns))
    return (size * left @ right).astype(np.float32)


@pytest.mark.parametrize("shape", [(32, 32), (32, 48), (48, 32), (384, 1536)])
def test_a_change_of_low_rank_comes_back(shape: tuple[int, int]) -> None:
    change = random_change(*shape, rank=6)
    adapter = truncate_to_rank({"map": change}, rank=8)
    assert adapter["map.down"].shape == (shape[0], 8)
    assert adapter["map.up"].shape == (8, shape[1])
    assert {tensor.dtype for tensor in adapter.values()} == {np.dtype(np.float16)}
    np.testing.assert_allclose(change_of(adapter), change, atol=2e-3 * np.abs(change).max())


def test_the_error_is_close_to_the_least_that_this_rank_allows() -> None:
    """Singular values fall slowly, as those of a trained change do."""
    random = np.random.default_rng(1)
    left, _ = np.linalg.qr(random.standard_normal((200, 120)))
    right, _ = np.linalg.qr(random.standard_normal((300, 120)))
    sizes = 0.05 / np.arange(1, 121) ** 0.7
    change = ((left * sizes) @ right.T).astype(np.float32)
    for rank in (4, 8, 16):
        error = np.linalg.norm(change - change_of(truncate_to_rank({"map": change}, rank)))
        assert error <= 1.01 * np.linalg.norm(sizes[rank:])


@pytest.mark.parametrize("size", [1e-5, 1e-3, 1.0, 100.0])
def test_large_and_small_changes_fit_half_precision(size: float) -> None:
    change = random_change(64, 96, rank=4, size=size)
    found = change_of(truncate_to_rank({"map": change}, rank=4))
    np.testing.assert_allclose(found, change, atol=4e-3 * np.abs(change).max())


def test_no_change_stays_none() -> None:
    adapter = truncate_to_rank({"map": np.zeros((32, 48), np.float32)}, rank=8)
    assert not change_of(adapter).any()


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0])
def test_a_factor_scales_the_change(factor: float) -> None:
    adapter = truncate_to_rank({"map": random_change(32, 48, rank=8)}, rank=8)
    scaled = scale_adapter(adapter, factor)
    assert {tensor.dtype for tensor in scaled.values()} == {np.dtype(np.float16)}
    full = change_of(adapter)
    np.testing.assert_allclose(change_of(scaled), factor * full, atol=2e-3 * np.abs(full).max())


def test_a_factor_of_one_changes_no_bit() -> None:
    adapter = truncate_to_rank({"map": random_change(32, 48, rank=8)}, rank=8)
    assert all(scale_adapter(adapter, 1.0)[name].tobytes() == tensor.tobytes() for name, tensor in adapter.items())


def test_the_same_change_gives_the_same_bits_whatever_is_beside_it() -> None:
    first, second = random_change(32, 48, rank=20), random_change(32, 32, rank=20, seed=1)
    together, alone = truncate_to_rank({"first": first, "map": second}, 8), truncate_to_rank({"map": second}, 8)
    for name, tensor in alone.items():
        assert together[name].tobytes() == tensor.tobytes()
