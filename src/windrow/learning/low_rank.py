"""Compress the weight changes of a training into a low-rank adapter."""

from collections.abc import Mapping

import numpy as np

from windrow.arrays import Floats, Halves

# A few extra columns and a few power iterations bring the randomised range finder close to the best approximation.
_SPARE_COLUMNS = 8
_ROUNDS = 2

Adapter = Mapping[str, Halves]


def truncate_to_rank(changes: Mapping[str, Floats], rank: int) -> Adapter:
    """Return each change as ``{name}.down`` @ ``{name}.up`` of a low rank, in half precision.

    Both factors carry the root of the singular values, so that neither leaves half precision's range.

    Args:
        changes: What training added to each projection, [in, out], by name (``layers.0.query``).
        rank: Columns of ``down`` and rows of ``up``.

    Source: Halko et al., Finding Structure with Randomness, arXiv 0909.4061, algorithm 4.4 and section 5.1; a full
    decomposition takes 20 times as long.
    """
    adapter: dict[str, Halves] = {}
    for name, change in changes.items():
        generator = np.random.default_rng(0)
        span = change @ generator.standard_normal((change.shape[1], rank + _SPARE_COLUMNS), dtype=np.float32)
        for _ in range(_ROUNDS):
            span = np.linalg.qr(change @ (change.T @ np.linalg.qr(span)[0]))[0]
        inner, sizes, right = np.linalg.svd(span.T @ change, full_matrices=False)
        root = np.sqrt(sizes[:rank])
        adapter[f"{name}.down"] = (span @ inner[:, :rank] * root).astype(np.float16)
        adapter[f"{name}.up"] = (root[:, None] * right[:rank]).astype(np.float16)
    return adapter


def scale_adapter(adapter: Adapter, factor: float) -> Adapter:
    """Return an adapter whose change is multiplied by ``factor``, in [0, 1]."""
    return {
        name: (tensor * np.float32(factor)).astype(np.float16) if name.endswith(".up") else tensor
        for name, tensor in adapter.items()
    }
