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
    from scipy.linalg import qr  # as ``learning.calibrate`` does; NumPy's takes twice as long

    adapter: dict[str, Halves] = {}
    starts: dict[int, Floats] = {}
    for name, change in changes.items():
        width = change.shape[1]
        if width not in starts:
            starts[width] = np.random.default_rng(0).standard_normal((width, rank + _SPARE_COLUMNS), dtype=np.float32)
        span, _ = qr(change @ starts[width], mode="economic", overwrite_a=True, check_finite=False)
        for _ in range(_ROUNDS):
            span, _ = qr(change @ (change.T @ span), mode="economic", overwrite_a=True, check_finite=False)
        within = span.T @ change
        # The left singular vectors and the squares of the singular values; a matrix so small takes no time.
        squares, inner = np.linalg.eigh((within @ within.T).astype(np.float64))
        inner = inner[:, ::-1][:, :rank].astype(np.float32)
        root = np.maximum(squares[::-1][:rank], 0).astype(np.float32) ** np.float32(0.25)
        up = inner.T @ within
        adapter[f"{name}.down"] = (span @ inner * root).astype(np.float16)
        adapter[f"{name}.up"] = np.divide(up, root[:, None], out=np.zeros_like(up), where=root[:, None] > 0).astype(
            np.float16
        )
    return adapter


def scale_adapter(adapter: Adapter, factor: float) -> Adapter:
    """Return an adapter whose change is multiplied by ``factor``, in [0, 1]."""
    if factor == 1:
        return adapter
    return {
        name: (tensor * np.float32(factor)).astype(np.float16) if name.endswith(".up") else tensor
        for name, tensor in adapter.items()
    }
