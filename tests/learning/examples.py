"""Features of made-up rows, easy or hopeless."""

import numpy as np

from windrow.arrays import Floats, Ids


def around_centres(
    rows_per_label: int, labels: int, spread: float, seed: int = 7, width: int = 64
) -> tuple[Floats, Ids]:
    """Return rows of length 1 around one random centre a label; a ``spread`` of 0 puts them on it."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(labels, width))
    label_ids = np.repeat(np.arange(labels), rows_per_label).astype(np.int64)
    return unit(centres[label_ids] + spread * generator.normal(size=(len(label_ids), width))), label_ids


def unit(rows: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Floats:
    """Return rows at length 1."""
    ones: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return ones
